"""Specialisation of regions and concentration of industries."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jjjpolicy.indicators._tables import (
    checked,
    periods,
    reference_shares,
    shares,
    totals,
    where_complete,
)


def location_quotient(
    values: pd.DataFrame,
    reference: pd.DataFrame | pd.Series | None = None,
    *,
    period: str = "year",
) -> pd.DataFrame:
    r"""Location quotient: an industry's share in a region over its share in the reference economy.

    .. math:: LQ_{ri} = \frac{x_{ri} / \sum_i x_{ri}}{X_i / \sum_i X_i}

    Parameters
    ----------
    values : DataFrame
        One row for each region (and year), one column for each industry; output or employment.
    reference : DataFrame or Series, optional
        Reference economy: a row for each period, a row for each row of ``values``, or one row for
        all. By default the sum of all rows of the period.
    period : str
        Index level that holds the period; without such a level all rows are of one period.

    Returns
    -------
    DataFrame
        Like ``values``. Missing where the reference economy does not have the industry.

    Raises
    ------
    DataError
        Negative or infinite numbers, or a row of zeros; the message names column and row.

    References
    ----------
    Florence, P. S. (1939), Report on the Location of Industry; Isard, W. (1960), Methods of
    Regional Analysis, ch. 7. The same ratio for exports is the index of Balassa (1965).

    Examples
    --------
    Manufacturing is 3/4 of A and 6/12 of both regions together: LQ = 0.75 / 0.5.

    >>> import pandas as pd
    >>> x = pd.DataFrame({"manufacturing": [3, 3], "services": [1, 5]}, index=["A", "B"])
    >>> location_quotient(x).loc["A"].round(4).tolist()
    [1.5, 0.5]
    """
    own = shares(values)
    base = reference_shares(values, reference, period)
    return own.div(base.where(base > 0))


def others(values: pd.DataFrame, *, period: str = "year") -> pd.DataFrame:
    """All other rows of the same period together, as a reference for each row.

    Parameters
    ----------
    values : DataFrame
        Regions, or regions and periods, × industries; not negative.
    period : str
        Index level that holds the period.

    Returns
    -------
    DataFrame
        Of the shape and units of ``values``.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame({"a": [1, 2, 3]}, index=["A", "B", "C"])
    >>> others(x)["a"].tolist()
    [5.0, 4.0, 3.0]
    """
    table = checked(values)
    of_row = periods(table.index, period)
    return totals(table, of_row) - table


def krugman_specialisation(
    values: pd.DataFrame,
    reference: pd.DataFrame | pd.Series | None = None,
    *,
    period: str = "year",
) -> pd.Series:
    r"""Krugman's index of specialisation: how far a region's structure is from the reference.

    .. math:: K_r = \sum_i |s_{ri} - s_i|, \qquad 0 \le K_r \le 2

    Parameters
    ----------
    values, reference, period
        As for :func:`location_quotient`. Pass ``others(values)`` to compare each region with all
        others, as Midelfart-Knarvik et al. do.

    Returns
    -------
    Series
        Indexed like ``values``; 0 for the same structure, 2 for none in common.

    References
    ----------
    Krugman, P. (1991), Geography and Trade, p. 76; Midelfart-Knarvik, K. H., Overman, H. G.,
    Redding, S. J. and Venables, A. J. (2000), The Location of European Industry.

    Examples
    --------
    Shares (3/4, 1/4) against (1/2, 1/2): 1/4 + 1/4.

    >>> import pandas as pd
    >>> x = pd.DataFrame({"manufacturing": [3, 3], "services": [1, 5]}, index=["A", "B"])
    >>> krugman_specialisation(x).round(4).tolist()
    [0.5, 0.25]
    """
    gap = (shares(values) - reference_shares(values, reference, period)).abs()
    return gap.sum(axis=1, skipna=False).rename("krugman_specialisation")


def herfindahl(values: pd.DataFrame, *, normalised: bool = False) -> pd.Series:
    r"""Herfindahl index of each row: how much a region rests on few industries.

    .. math:: H_r = \sum_i s_{ri}^2, \qquad H_r^* = \frac{H_r - 1/n}{1 - 1/n}

    Parameters
    ----------
    values : DataFrame
        One row for each region (and year), one column for each industry.
    normalised : bool
        Give :math:`H^*`, from 0 for equal shares to 1, whatever the number of industries n.

    Returns
    -------
    Series
        Between 0 and 1, by row of ``values``; missing where a cell is.

    References
    ----------
    Herfindahl, O. C. (1950), Concentration in the Steel Industry; Hirschman, A. O. (1964), American
    Economic Review 54.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame({"manufacturing": [3, 1], "services": [1, 1]}, index=["A", "B"])
    >>> herfindahl(x).tolist(), herfindahl(x, normalised=True).tolist()
    ([0.625, 0.5], [0.25, 0.0])
    """
    part = shares(values)
    index = (part**2).sum(axis=1, skipna=False)
    if normalised:
        least = 1 / part.shape[1]
        index = (index - least) / (1 - least) if least < 1 else index * np.nan
    return index.rename("herfindahl")


def herfindahl_of_industries(values: pd.DataFrame, *, period: str = "year") -> pd.DataFrame:
    r"""Herfindahl index of each industry over regions: how much it is concentrated in few.

    .. math:: H_i = \sum_r (x_{ri} / \sum_r x_{ri})^2

    Parameters
    ----------
    values : DataFrame
        Regions, or regions and periods, × industries; not negative.
    period : str
        Index level that holds the period.

    Returns
    -------
    DataFrame
        One row for each period, one column for each industry; missing where one of the regions is,
        or where no region has the industry.

    References
    ----------
    As :func:`herfindahl`.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame({"manufacturing": [3, 1], "services": [1, 1]}, index=["A", "B"])
    >>> herfindahl_of_industries(x).iloc[0].tolist()
    [0.625, 0.5]
    """
    table = checked(values)
    of_row = periods(table.index, period)
    total = totals(table, of_row)
    groups = (table.div(total.where(total > 0)) ** 2).groupby(of_row)
    return where_complete(groups.sum(), groups)
