"""Coupling coordination of systems, such as the innovation chain and the industry chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.indicators._tables import checked, row_name

Coupling = Callable[[pd.DataFrame], pd.Series]


def coupling_degree(systems: pd.DataFrame) -> pd.Series:
    r"""Coupling degree: geometric over arithmetic mean of the levels of the systems.

    .. math:: C = \frac{n \sqrt[n]{U_1 \cdots U_n}}{U_1 + \dots + U_n}, \qquad
              n = 2: \; C = \frac{2 \sqrt{U_1 U_2}}{U_1 + U_2}

    The correct form of the traditional model. The same expression without the factor n, which is
    common in print, stays below 1/n and is an error that Wang et al. call a lost coefficient.

    Parameters
    ----------
    systems : DataFrame
        One row for each region (and year), one column for each system: its level from 0 to 1.

    Returns
    -------
    Series
        From 0 to 1; 1 where all levels are equal. Missing where all are 0.

    References
    ----------
    Wang Shujia, Kong Wei, Ren Liang, Zhi Dandan and Dai Binting (2021), Research on misuses and
    modification of coupling coordination degree model in China, Journal of Natural Resources
    (自然资源学报) 36(3), 793-810.

    Examples
    --------
    >>> import pandas as pd
    >>> u = pd.DataFrame({"innovation": [0.9, 0.4], "industry": [0.1, 0.4]})
    >>> coupling_degree(u).round(4).tolist()
    [0.6, 1.0]
    """
    levels = _levels(systems)
    geometric = levels.prod(axis=1, skipna=False) ** (1 / levels.shape[1])
    mean = levels.mean(axis=1, skipna=False)
    return (geometric / mean.where(mean > 0)).rename("coupling")


def coupling_degree_power(systems: pd.DataFrame, *, exponent: float = 2.0) -> pd.Series:
    r"""Coupling degree with an exponent of choice that spreads the values.

    .. math:: C' = \left[ \frac{U_1 U_2}{\big(\frac{U_1 + U_2}{2}\big)^2} \right]^{k}

    With more than two systems the power of the geometric over the arithmetic mean; with
    :math:`k = 1/2` and two systems it is :func:`coupling_degree`.

    Parameters
    ----------
    systems : DataFrame
        As for :func:`coupling_degree`.
    exponent : float
        k, commonly 2.

    Returns
    -------
    Series
        Between 0 and 1, by row of ``systems``.

    Raises
    ------
    DataError
        The exponent is not positive and finite, or as :func:`coupling_degree`.

    References
    ----------
    Liao Chongbin (1999), Quantitative judgement and classification system for coordinated
    development of environment and economy, Tropical Geography (热带地理) 19(2). Cited from memory;
    the article was not seen.

    Examples
    --------
    >>> import pandas as pd
    >>> u = pd.DataFrame({"innovation": [0.9, 0.4], "industry": [0.1, 0.4]})
    >>> coupling_degree_power(u).round(4).tolist()
    [0.1296, 1.0]
    """
    if not 0 < exponent < np.inf:
        raise DataError(f"exponent={exponent!r} must be above 0 and finite.")
    base = coupling_degree(systems)
    return (base ** (systems.shape[1] * exponent)).rename("coupling")


def coupling_degree_wang(systems: pd.DataFrame) -> pd.Series:
    r"""Coupling degree as modified by Wang et al., which uses the whole range from 0 to 1.

    For levels sorted so that :math:`U_n` is the greatest:

    .. math:: C = \sqrt{\Big[1 - \frac{\sum_{i > j} (U_i - U_j)}{\sum_{m=1}^{n-1} m}\Big]
              \Big(\prod_{i=1}^{n} \frac{U_i}{U_n}\Big)^{1/(n-1)}}, \qquad
              n = 2: \; C = \sqrt{[1 - (U_2 - U_1)] \, U_1 / U_2}

    Parameters
    ----------
    systems : DataFrame
        As for :func:`coupling_degree`.

    Returns
    -------
    Series
        Between 0 and 1, by row of ``systems``.

    References
    ----------
    Wang et al. (2021), as in :func:`coupling_degree`. The formula was recalled. Their Table 8
    prints this degree and the traditional one for thirteen cities, and not the levels. The levels
    that both formulas imply lie between 0 and 1 in every city; without the root they would not.

    Examples
    --------
    >>> import pandas as pd
    >>> u = pd.DataFrame({"innovation": [0.9, 0.4], "industry": [0.1, 0.4]})
    >>> coupling_degree_wang(u).round(4).tolist()
    [0.1491, 1.0]
    """
    levels = _levels(systems)
    ordered = np.sort(levels.to_numpy(), axis=1)
    n = ordered.shape[1]
    # Sum over pairs of sorted values: the k-th smallest counts k times up and n - 1 - k times down.
    gaps = ordered @ (2.0 * np.arange(n) - (n - 1)) / (n * (n - 1) / 2)
    greatest = np.where(ordered[:, -1] > 0, ordered[:, -1], np.nan)
    ratio = np.prod(ordered / greatest[:, None], axis=1) ** (1 / (n - 1))
    degree = np.sqrt(np.clip(1 - gaps, 0, None) * ratio)
    return pd.Series(degree, index=levels.index, name="coupling")


def coupling_coordination(
    systems: pd.DataFrame,
    *,
    weights: Mapping[str, float] | None = None,
    coupling: Coupling = coupling_degree,
) -> pd.DataFrame:
    r"""Coupling coordination degree: how alike the levels are, and how high.

    .. math:: D = \sqrt{C \, T}, \qquad T = \sum_i \alpha_i U_i

    Parameters
    ----------
    systems : DataFrame
        As for :func:`coupling_degree`. How levels are made from indicators (normalisation, entropy
        weights) is the user's choice, and D is not comparable between choices.
    weights : mapping from system to float, optional
        :math:`\alpha_i`, which sum to one; equal by default.
    coupling : callable
        :func:`coupling_degree` (default), :func:`coupling_degree_power` or
        :func:`coupling_degree_wang`. Name the choice: the three differ a great deal.

    Returns
    -------
    DataFrame
        Columns coupling (C), development (T), coordination (D).

    Raises
    ------
    DataError
        A level outside 0 to 1, or weights that do not fit.

    References
    ----------
    As the chosen coupling degree.

    Examples
    --------
    >>> import pandas as pd
    >>> u = pd.DataFrame({"innovation": [0.9, 0.4], "industry": [0.1, 0.4]})
    >>> coupling_coordination(u).round(4).values.tolist()
    [[0.6, 0.5, 0.5477], [1.0, 0.4, 0.6325]]
    """
    levels = _levels(systems)
    if weights is None:
        weights = dict.fromkeys(levels.columns, 1 / levels.shape[1])
    if set(weights) != set(levels.columns):
        raise DataError(f"weights {dict(weights)} must name the systems {list(levels.columns)}.")
    if min(weights.values()) < 0 or not np.isclose(sum(weights.values()), 1):
        raise DataError(f"weights {dict(weights)} must be at least 0 and sum to one.")
    development = (levels * pd.Series(weights)[levels.columns]).sum(axis=1, skipna=False)
    degree = coupling(systems)
    return pd.DataFrame(
        {
            "coupling": degree,
            "development": development,
            "coordination": np.sqrt(degree * development),
        }
    )


def _levels(systems: pd.DataFrame) -> pd.DataFrame:
    levels = checked(systems)
    if levels.shape[1] < 2:
        raise DataError("coupling needs at least two systems, a column for each.")
    above = (levels > 1).to_numpy()
    if above.any():
        row, column = np.argwhere(above)[0]
        raise DataError(
            f"system {levels.columns[column]!r}, {row_name(levels.index, row)}: "
            f"{levels.to_numpy()[row, column]} lies outside 0 to 1; normalise the levels first."
        )
    return levels
