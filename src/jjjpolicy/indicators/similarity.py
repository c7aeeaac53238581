"""How alike the industrial structures of regions are, pair by pair."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.indicators._tables import cosine, pairs_within, periods, shares, without_level

Rows = NDArray[np.float64]


def structural_similarity(values: pd.DataFrame, *, period: str = "year") -> pd.Series:
    r"""Coefficient of similarity of industrial structures: the cosine of two share vectors.

    .. math:: S_{ij} = \frac{\sum_k s_{ik} s_{jk}}{\sqrt{\sum_k s_{ik}^2 \sum_k s_{jk}^2}}

    Parameters
    ----------
    values : DataFrame
        One row for each region (and year), one column for each industry.
    period : str
        Index level that holds the period.

    Returns
    -------
    Series
        Indexed by period (where there is one), first and second: each pair of regions once; 1 for
        the same structure, 0 for no industry in common.

    References
    ----------
    UNIDO International Centre for Industrial Studies (1979), World Industry since 1960: Progress
    and Prospects, as cited throughout the Chinese literature (the report itself was not seen).

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame({"manufacturing": [3, 4], "services": [4, 3]}, index=["A", "B"])
    >>> structural_similarity(x).round(4).tolist()
    [0.96]
    """
    return _pairwise(values, period, cosine, "structural_similarity")


def krugman_dissimilarity(values: pd.DataFrame, *, period: str = "year") -> pd.Series:
    r"""Krugman's index between two regions, pair by pair.

    .. math:: K_{ij} = \sum_k |s_{ik} - s_{jk}|

    Parameters
    ----------
    values, period
        As for :func:`structural_similarity`.

    Returns
    -------
    Series
        Indexed by period (where there is one), first and second; 0 for the same structure, 2 for no
        industry in common.

    References
    ----------
    Krugman, P. (1991), Geography and Trade, p. 76.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame({"manufacturing": [3, 4], "services": [4, 3]}, index=["A", "B"])
    >>> krugman_dissimilarity(x).round(4).tolist()
    [0.2857]
    """
    return _pairwise(values, period, _distance, "krugman_dissimilarity")


def _distance(first: Rows, second: Rows) -> Rows:
    return np.asarray(np.abs(first - second).sum(axis=1))


def _pairwise(
    values: pd.DataFrame, period: str, measure: Callable[[Rows, Rows], Rows], name: str
) -> pd.Series:
    part = shares(values)
    rows = part.to_numpy()
    first, second = pairs_within(part.index, period)
    has_period = period in part.index.names
    names = (
        without_level(part.index, period) if has_period and part.index.nlevels > 1 else part.index
    )
    levels = [names[first], names[second]]
    titles = ["first", "second"]
    if has_period:
        levels.insert(0, periods(part.index, period)[first])
        titles.insert(0, period)
    index = pd.MultiIndex.from_arrays(levels, names=titles)
    return pd.Series(measure(rows[first], rows[second]), index=index, name=name)
