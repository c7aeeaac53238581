"""Segmentation of markets from relative prices."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.indicators._tables import checked, logarithms, units, where_complete

Pair = tuple[Hashable, Hashable]


def relative_price_variance(
    prices: pd.DataFrame, *, pairs: Iterable[Pair] | None = None, period: str = "year"
) -> pd.Series:
    r"""Variance over goods of the change of relative prices, for each pair of regions and period.

    From price indices of good k with the previous period as base, :math:`\pi_{ikt} =
    p_{ikt} / p_{ik,t-1}`:

    .. math:: |\Delta Q_{ijkt}| = |\ln \pi_{ikt} - \ln \pi_{jkt}|, \qquad
              q_{ijkt} = |\Delta Q_{ijkt}| - \overline{|\Delta Q_{kt}|}, \qquad
              V_{ijt} = \tfrac{1}{K-1} \sum_k (q_{ijkt} - \bar q_{ijt})^2

    The mean over pairs is taken off each good and period, since some goods' prices move more than
    others everywhere.

    Parameters
    ----------
    prices : DataFrame
        One row for each region and period (index levels), one column for each good; price indices
        with the previous period as base (100 or 1). At least two goods.
    pairs : iterable of (region, region), optional
        Pairs to compare, such as neighbours; all by default. The mean over pairs is over these.
    period : str
        Index level that holds the period.

    Returns
    -------
    Series
        Indexed by period, first, second. A missing price makes the pair's variance missing.

    Raises
    ------
    DataError
        Prices that are not above zero, fewer than two goods, or an unknown region in a pair.

    References
    ----------
    Parsley, D. C. and Wei, S.-J. (1996), Convergence to the law of one price without trade barriers
    or currency fluctuations, Quarterly Journal of Economics 111; Parsley and Wei (2001), Explaining
    the border effect, Journal of International Economics 55; Gui Qihan, Chen Min, Lu Ming and Chen
    Zhao (2006), China Journal of Economics (世界经济) 2006(2), for the absolute value and the mean
    taken off. The divisor K - 1 is a choice; the sources were cited from memory.

    Examples
    --------
    Good 1 rises 10% in A alone, good 2 nowhere, so :math:`|\Delta Q| = (\ln 1.1, 0)`. With a single
    pair the mean over pairs takes all away; three regions show it.

    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([[2015], ["A", "B", "C"]], names=["year", "region"])
    >>> p = pd.DataFrame({"grain": [110.0, 100.0, 100.0], "cloth": [100.0, 100.0, 100.0]}, index)
    >>> relative_price_variance(p).round(6).tolist()
    [0.000505, 0.000505, 0.002019]
    """
    logs = _log_prices(prices, period)
    wide = logs.unstack(period)  # regions by (good, period)
    regions = wide.index
    if pairs is None:
        first, second = np.triu_indices(len(regions), k=1)
    else:
        first, second = _positions(pairs, regions)
    if len(first) == 0:
        raise DataError("there is no pair of regions to compare.")
    shape = (len(first), prices.shape[1], -1)
    change = np.abs(wide.to_numpy()[first] - wide.to_numpy()[second]).reshape(shape)
    # A period in which a good has no price anywhere stays missing.
    counted = np.isfinite(change)
    total = np.where(counted, change, 0.0).sum(axis=0)
    number = counted.sum(axis=0)
    mean = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    variance = (change - mean).var(axis=1, ddof=1)
    times = wide.columns.get_level_values(period).unique()
    table = pd.DataFrame(
        variance.T,
        index=pd.Index(times, name=period),
        columns=pd.MultiIndex.from_arrays(
            [regions[first], regions[second]], names=["first", "second"]
        ),
    )
    stacked = table.stack(["first", "second"], future_stack=True)
    return pd.Series(stacked, name="relative_price_variance")


def market_segmentation(
    prices: pd.DataFrame, *, pairs: Iterable[Pair] | None = None, period: str = "year"
) -> pd.Series:
    r"""Market-segmentation index of each region: the mean variance over its pairs.

    .. math:: \text{Segm}_{it} = \frac{1}{|N_i|} \sum_{j \in N_i} V_{ijt}

    Parameters
    ----------
    prices, pairs, period
        As for :func:`relative_price_variance`.

    Returns
    -------
    Series
        Indexed by period and region; greater where the region's market is more apart. Missing where
        one of its pairs is.

    References
    ----------
    As :func:`relative_price_variance`.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([[2015], ["A", "B", "C"]], names=["year", "region"])
    >>> p = pd.DataFrame({"grain": [110.0, 100.0, 100.0], "cloth": [100.0, 100.0, 100.0]}, index)
    >>> market_segmentation(p).round(6).tolist()
    [0.000505, 0.001262, 0.001262]
    """
    variance = relative_price_variance(prices, pairs=pairs, period=period)
    ends = [
        variance.rename_axis(index={end: "region"}).droplevel(other)
        for end, other in (("first", "second"), ("second", "first"))
    ]
    of_region = pd.concat(ends).to_frame("market_segmentation").groupby([period, "region"])
    return where_complete(of_region.mean(), of_region)["market_segmentation"]


def _log_prices(prices: pd.DataFrame, period: str) -> pd.DataFrame:
    table = checked(prices, positive=True)
    if table.shape[1] < 2:
        raise DataError("the variance over goods needs at least two goods, a column for each.")
    if units(table.index, period).nlevels > 1:
        raise DataError(
            f"the index has the levels {list(prices.index.names)}; keep region and year."
        )
    return logarithms(table)


def _positions(
    pairs: Iterable[Pair], regions: pd.Index
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    listed = list(pairs)
    seen: set[frozenset[Hashable]] = set()
    for pair in listed:
        for region in pair:
            if region not in regions:
                raise DataError(f"the prices have no region {region!r}, which is in a pair.")
        if len(set(pair)) < 2 or frozenset(pair) in seen:
            raise DataError(f"the pair {pair!r} stands twice or joins a region to itself.")
        seen.add(frozenset(pair))
    first = regions.get_indexer(pd.Index([pair[0] for pair in listed])).astype(np.int64)
    second = regions.get_indexer(pd.Index([pair[1] for pair in listed])).astype(np.int64)
    return first, second
