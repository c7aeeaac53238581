"""Ranks of a statistic among placebo statistics: the one place in which the two are compared.

Statistics that are equal on paper differ on a machine: sums are formed in another order for another
assignment, on another processor or with another library. An estimate from a panel is off by up to
about 1e-13 of the level of the outcome, and one from an iterative solver by up to about 1e-10 of
its spread between units and periods. Comparing such numbers exactly would leave the rank of a tie
to chance, so that it might change with the unit of measure or with the order of the units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from jjjpolicy.estimation.rounding import TIE, cleared

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats

Alternative = Literal["two-sided", "greater", "less"]


def at_least(
    values: Floats | float, statistic: Floats | float, noise: Floats | float = 0.0
) -> Booleans:
    """Whether values are at least as large as a statistic; ties count, and so does ``nan``.

    Infinite values tie with each other, and undefined ones (``nan``) with everything.

    Parameters
    ----------
    values, statistic, noise : ndarray or float
        Of shapes that broadcast. Two numbers tie within ``noise`` (``resolution``, where they
        are in the unit of the outcome) or within ``TIE`` of the statistic.
    """
    slack = np.fmax(TIE * np.abs(statistic), noise)
    with np.errstate(invalid="ignore"):
        least = np.where(np.isinf(statistic), statistic, statistic - slack)
    below: Booleans = values < least
    return ~below


def rank_pvalues(
    statistics: Floats,
    reference: Floats,
    alternative: Alternative = "two-sided",
    noise: Floats | float = 0.0,
) -> Floats:
    """Ranks of several statistics, each among its reference distribution and itself, as p-values.

    Parameters
    ----------
    statistics : ndarray, shape (statistics,)
    reference : ndarray, shape (draws, statistics)
    alternative : {"two-sided", "greater", "less"}
    noise : float or ndarray, shape (statistics,)
        See :func:`at_least`.
    """
    if alternative == "two-sided":
        statistics, reference = np.abs(statistics), np.abs(reference)
    elif alternative == "less":
        statistics, reference = -statistics, -reference
    beyond = at_least(reference, statistics, noise).sum(axis=0)
    ranks: Floats = (1 + beyond) / (1 + len(reference))
    return ranks


def rank_pvalue(
    statistic: float,
    reference: Floats,
    alternative: Alternative = "two-sided",
    noise: float = 0.0,
) -> float:
    """Rank of one statistic, as :func:`rank_pvalues`; ``reference`` has shape (draws,)."""
    return float(rank_pvalues(np.array([statistic]), reference[:, None], alternative, noise)[0])


def studentised(estimates: Floats, errors: Floats, noise: float) -> Floats:
    """Estimates over standard errors, not of rounding errors.

    What is below ``noise`` is zero: an effect without an error is infinite, and no effect without
    an error is undefined (``nan``), which ties with everything.

    Parameters
    ----------
    estimates, errors : ndarray, shape (draws,)
        In the unit of the outcome.
    noise : float
        Its :func:`~jjjpolicy.estimation.rounding.resolution`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Floats = cleared(estimates, noise) / cleared(errors, noise)
    return ratios


def significant(pvalues: Floats | float, size: float) -> Booleans:
    """Whether p-values are at most the size of a test, fractions compared up to rounding."""
    rejected: Booleans = np.asarray(pvalues) <= size + 1e-12
    return rejected


def critical_count(total: int, level: float) -> int:
    """Most ranks, of so many, with which a test at one minus ``level`` rejects."""
    return int(np.floor((1 - level) * total + 1e-9))


def reach_of(reference: Floats, level: float) -> float:
    """Half the length of the interval that inverts a two-sided rank test of a constant effect.

    An effect is kept while the rank of its distance to the estimate, (1 + number of magnitudes that
    are as large) / total, exceeds one minus the level. Infinite where no rank is that low.

    Parameters
    ----------
    reference : ndarray, shape (draws,)
    level : float
    """
    magnitudes = np.sort(np.abs(reference))[::-1]
    rejected = critical_count(1 + len(magnitudes), level)
    return float("inf") if rejected < 1 else float(magnitudes[rejected - 1])
