"""Flows of technology: who buys and sells, and whether flows pass over the neighbours."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.indicators._tables import checked


def leapfrogging_ratio(bought: pd.Series, sold: pd.Series) -> pd.Series:
    r"""Technology contracts bought over sold, by value.

    .. math:: R_{rt} = \text{bought}_{rt} / \text{sold}_{rt}

    Above 1 a region absorbs more technology than it sells. The bundled variable
    ``technology_balance`` is this ratio.

    Parameters
    ----------
    bought, sold : Series
        Values of contracts, indexed alike (region, year).

    Returns
    -------
    Series
        Missing where nothing was sold, or a number is.

    Raises
    ------
    DataError
        Negative values, or indices that differ.

    References
    ----------
    Liu Tian'en and Wang Lidong (2022), Regional Economic Review 2022(1), section 2.4, who call
    flows that pass over Tianjin and Hebei leapfrogging.

    Examples
    --------
    >>> import pandas as pd
    >>> bought = pd.Series([30.0, 10.0], index=["Hebei", "Beijing"])
    >>> sold = pd.Series([20.0, 40.0], index=["Hebei", "Beijing"])
    >>> leapfrogging_ratio(bought, sold).tolist()
    [1.5, 0.25]
    """
    if not bought.index.equals(sold.index):
        raise DataError("bought and sold are not indexed alike; reindex one of them first.")
    table = checked(pd.DataFrame({"bought": bought, "sold": sold}))
    return (table["bought"] / table["sold"].where(table["sold"] > 0)).rename("leapfrogging_ratio")


def technology_flow_ratio(
    flows: pd.DataFrame,
    origin: Hashable,
    far: Iterable[Hashable],
    near: Iterable[Hashable],
    *,
    period: str = "year",
) -> pd.Series:
    r"""What an origin sells to far regions over what it sells to near ones, by period.

    .. math:: R_t = \sum_{j \in \text{far}} f_{ojt} \Big/ \sum_{j \in \text{near}} f_{ojt}

    The review article states 4 for Beijing, the Yangtze river economic belt, and Tianjin and Hebei,
    in 2018-2019. The bundled data have contracts by buyer and by seller, not by pair; bring a table
    of pairs.

    Parameters
    ----------
    flows : DataFrame
        Columns origin, destination, the period, value.
    origin : region
    far, near : iterable of regions
        Two sets without a common region.
    period : str
        Column that holds the period.

    Returns
    -------
    Series
        Indexed by period; missing where nothing was sold to the near regions.

    Raises
    ------
    DataError
        A column or region is missing, a pair stands twice, or the sets overlap.

    References
    ----------
    As :func:`leapfrogging_ratio`.

    Examples
    --------
    >>> import pandas as pd
    >>> flows = pd.DataFrame(
    ...     {"origin": "Beijing", "destination": ["Shanghai", "Jiangsu", "Hebei", "Tianjin"],
    ...      "year": 2018, "value": [50.0, 30.0, 12.0, 8.0]}
    ... )
    >>> belt, neighbours = ["Shanghai", "Jiangsu"], ["Hebei", "Tianjin"]
    >>> technology_flow_ratio(flows, "Beijing", belt, neighbours).to_dict()
    {2018: 4.0}
    """
    for column in ("origin", "destination", period, "value"):
        if column not in flows:
            raise DataError(f"the flows have no column {column!r}.")
    far, near = list(far), list(near)
    both = set(far) & set(near)
    if both:
        raise DataError(f"{sorted(both, key=str)[0]!r} is among the far and the near regions.")
    sold = flows[flows["origin"] == origin]
    for region in (*far, *near):
        if region not in set(sold["destination"]):
            raise DataError(f"there is no flow from {origin!r} to {region!r}; give 0 if none was.")
    keyed = sold.set_index(["destination", period])["value"].rename("value").to_frame()
    table = checked(keyed)["value"].unstack("destination")
    low = table[near].sum(axis=1, skipna=False)
    return (table[far].sum(axis=1, skipna=False) / low.where(low > 0)).rename("flow_ratio")
