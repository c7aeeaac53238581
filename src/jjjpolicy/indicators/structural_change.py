"""How much the industrial structure of a region has changed between two periods."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jjjpolicy.indicators._tables import cosine, earlier, logarithms, shares


def absolute_change(values: pd.DataFrame, *, span: int = 1, period: str = "year") -> pd.Series:
    r"""Half the sum of absolute changes of shares: the part of the economy that changed industry.

    .. math:: NAV_t = \tfrac12 \sum_i |s_{it} - s_{i,t-h}|

    The Chinese literature's structural-change value :math:`K` is the sum without the half.

    Parameters
    ----------
    values : DataFrame
        One row for each region and year, one column for each industry.
    span : int
        Periods between the two structures (h).
    period : str
        Index level that holds the period.

    Returns
    -------
    Series
        Indexed like ``values``, from 0 to 1; missing where the earlier period is.

    References
    ----------
    Michaely, M. (1962), Concentration in International Trade; Stoikov, V. (1966), Some determinants
    of the level of frictional unemployment, International Labour Review 93.

    Examples
    --------
    The three sectors of Jing-Jin-Ji in 2014 and 2020, as the review article gives them.

    >>> import pandas as pd
    >>> x = pd.DataFrame(
    ...     {"primary": [5.2, 4.8], "secondary": [41.3, 28.0], "tertiary": [53.5, 67.2]},
    ...     index=pd.MultiIndex.from_product([["JJJ"], [2014, 2020]], names=["region", "year"]),
    ... )
    >>> absolute_change(x, span=6).round(4).tolist()
    [nan, 0.137]
    """
    part = shares(values)
    change = (part - earlier(part, span, period)).abs().sum(axis=1, skipna=False)
    return (change / 2).rename("absolute_change")


def moore_angle(values: pd.DataFrame, *, span: int = 1, period: str = "year") -> pd.Series:
    r"""Moore's measure: the angle between the share vectors of two periods, in degrees.

    .. math:: \theta_t = \arccos \frac{\sum_i s_{it} s_{i,t-h}}
              {\sqrt{\sum_i s_{it}^2 \sum_i s_{i,t-h}^2}}

    Parameters
    ----------
    values, span, period
        As for :func:`absolute_change`.

    Returns
    -------
    Series
        Indexed like ``values``, from 0 to 90 degrees.

    References
    ----------
    Moore, J. H. (1978), A measure of structural change in output, Review of Income and Wealth 24.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame(
    ...     {"a": [1.0, 1.0], "b": [0.0, 1.0]},
    ...     index=pd.MultiIndex.from_product([["A"], [2014, 2015]], names=["region", "year"]),
    ... )
    >>> moore_angle(x).round(4).tolist()
    [nan, 45.0]
    """
    part = shares(values)
    before = earlier(part, span, period)
    angle = np.degrees(np.arccos(cosine(part.to_numpy(), before.to_numpy())))
    return pd.Series(angle, index=part.index, name="moore_angle")


def lilien(values: pd.DataFrame, *, span: int = 1, period: str = "year") -> pd.Series:
    r"""Lilien index: the weighted dispersion of the growth of industries around the total's.

    .. math:: \sigma_t = \Big[\sum_i s_{it}
              (\Delta \ln x_{it} - \Delta \ln X_t)^2\Big]^{1/2}, \qquad s_{it} = x_{it} / X_t

    Parameters
    ----------
    values : DataFrame
        As for :func:`absolute_change`; all values above zero, since growth is in logarithms.
    span, period
        As for :func:`absolute_change`.

    Returns
    -------
    Series
        Indexed like ``values``.

    References
    ----------
    Lilien, D. M. (1982), Sectoral shifts and cyclical unemployment, Journal of Political Economy
    90.

    Examples
    --------
    One industry doubles from half of the economy, the other stays.

    >>> import pandas as pd
    >>> x = pd.DataFrame(
    ...     {"a": [1.0, 2.0], "b": [1.0, 1.0]},
    ...     index=pd.MultiIndex.from_product([["A"], [2014, 2015]], names=["region", "year"]),
    ... )
    >>> lilien(x).round(4).tolist()
    [nan, 0.3316]
    """
    part = shares(values, positive=True)
    return _dispersion(values, part, span, period).rename("lilien")


def modified_lilien(values: pd.DataFrame, *, span: int = 1, period: str = "year") -> pd.Series:
    r"""Modified Lilien index: shares averaged over both periods, so that time may be reversed.

    .. math:: \sigma_t = \Big[\sum_i \bar s_{it}
              (\Delta \ln x_{it} - \Delta \ln X_t)^2\Big]^{1/2}, \qquad
              \bar s_{it} = \tfrac12 (s_{it} + s_{i,t-h})

    Parameters
    ----------
    values, span, period
        As for :func:`lilien`.

    Returns
    -------
    Series
        By row of ``values``; missing where there is no earlier period.

    References
    ----------
    Stamer, M. (1999), Strukturwandel und wirtschaftliche Entwicklung in Deutschland, den USA und
    Japan; Ansari, M. R., Mussida, C. and Pastore, F. (2013), Note on Lilien and modified Lilien
    index, IZA Discussion Paper 7198.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame(
    ...     {"a": [1.0, 2.0], "b": [1.0, 1.0]},
    ...     index=pd.MultiIndex.from_product([["A"], [2014, 2015]], names=["region", "year"]),
    ... )
    >>> modified_lilien(x).round(4).tolist()
    [nan, 0.3417]
    """
    part = shares(values, positive=True)
    mean = (part + earlier(part, span, period)) / 2
    return _dispersion(values, mean, span, period).rename("modified_lilien")


def _dispersion(values: pd.DataFrame, weights: pd.DataFrame, span: int, period: str) -> pd.Series:
    table = values.astype(float)
    growth = logarithms(table / earlier(table, span, period))
    total = table.sum(axis=1, skipna=False).to_frame("total")
    of_total = logarithms(total / earlier(total, span, period))["total"]
    squares = weights * growth.sub(of_total, axis=0) ** 2
    return squares.sum(axis=1, skipna=False) ** 0.5
