"""Rings chosen by the data: a curve of effects over distance, constant within quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.pairs import distances_to_treated
from jjjpolicy.estimation.variance import clustered_covariance, small_sample_factor, t_interval
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers

FEWEST = 24
"""Distances with which a quadratic curve can be fitted, as in ``binsreg``."""
FEWEST_FOR_PLUG_IN = 32
"""Distances in addition to the number of bins, likewise."""
TAIL = 0.975
"""Quantile at which the normal density in the rule of thumb is trimmed from below."""


@dataclass(frozen=True, eq=False)
class RingPartition:
    """Rings chosen by the data, and the effect in each.

    Attributes
    ----------
    rings : tuple of float
        Outer edges, for :class:`SpilloverRings`; units beyond the last are the controls.
    table : DataFrame
        inner, outer, units, estimate (mean change less that of the controls), se, lower, upper
        (95%); the last row are the controls.
    rule : str
        How the number of bins was chosen.
    bias, variance : float
        The constants of the integrated mean squared error: see :func:`ring_partition`.
    units : int
        Untreated units in the partition.
    """

    rings: tuple[float, ...]
    table: pd.DataFrame
    rule: str
    bias: float
    variance: float
    units: int

    __repr__ = brief


@one_thread
def ring_partition(
    design: Design, *, distances: pd.DataFrame | None = None, within: float | None = None
) -> RingPartition:
    r"""Choose rings from the data, by the nonparametric ring estimator of Butts (2023).

    The change :math:`\Delta y_i` of untreated units, mean after less mean before treatment, is
    fitted over the distance to the nearest treated unit by constants in J bins with equal numbers
    of units; the farthest bin holds the controls and is taken from the others. J minimises the
    integrated mean squared error :math:`J^{-2} B + J V / n` of the curve:

    .. math:: J = \lceil (2 n B / V)^{1/3} \rceil

    (Cattaneo, Crump, Farrell and Feng 2024). B is the squared bias within bins times
    :math:`J_0^2`, from the slopes of a linear spline on the knots of a rule of thumb
    :math:`J_0`; V is n / :math:`J_0` times the mean variance of the means of its bins. In the rule
    of thumb :math:`\mu` and :math:`\sigma^2` are quadratic in distance and its density f is normal:
    :math:`V_0 = E\,\sigma^2`, :math:`B_0 = E(\mu'/f)^2/12`, and :math:`J_0` is at least
    :math:`\lceil(2n)^{1/3}\rceil`. Where too few units remain for the second step, J is
    :math:`J_0`. Nothing is drawn at random.

    Parameters
    ----------
    design : Design
        One adoption period, every unit in every period.
    distances : DataFrame, optional
        Between units, rows and columns labelled by unit. Great-circle distances in km from the
        coordinates of the design by default.
    within : float, optional
        Untreated units farther than this from every treated one are left out. Within it, all units
        must share one trend and the farthest must be unaffected.

    Raises
    ------
    DesignError
        Several adoption periods; cells without an observation; observation weights; distances
        unknown; fewer than 24 different distances; the data choose one bin.

    Warns
    -----
    JJJPolicyWarning
        Always: the rings are chosen by the outcome. What is estimated in them on the same data has
        errors that take them as given, and a number of bins that balances squared bias and variance
        leaves a bias as large as the standard error.
    """
    design.require_balanced("ring_partition")
    design.require_unweighted("ring_partition")
    design.require_absorbing("ring_partition")
    if len(design.cohorts) > 1:
        dates = ", ".join(f"{date:.0f}" for date in design.cohorts)
        raise DesignError(
            f"ring_partition compares changes around one adoption period, and this design has "
            f"{dates}: a {design.labels.unit} near those of two has no single distance, and where "
            f"effects end, which decides who is a control of which, is what it looks for. Choose "
            f"rings from the {design.labels.unit}s of one of them with those never treated "
            f"(design.keep_units), and fit SpilloverRings to all."
        )
    away = distances_to_treated(design, distances, "ring_partition").min(axis=1)
    chosen = ~design.treated & (away <= (np.inf if within is None else within))
    x = away[chosen]
    distinct = len(np.unique(x))
    if distinct < FEWEST:
        raise DesignError(
            f"ring_partition finds {distinct} different distances of untreated "
            f"{design.labels.unit}s to the nearest treated one, and needs {FEWEST}: use a larger "
            f"within=, or state rings yourself in SpilloverRings(rings=…)."
        )
    after = design.periods >= design.cohorts[0]
    outcome = design.outcome[chosen]
    change = outcome[:, after].mean(axis=1) - outcome[:, ~after].mean(axis=1)
    number, rule, bias, variance = _number_of_bins(x, change, distinct)
    edges = _knots(x, number)
    if len(edges) < 3:
        raise DesignError(
            "the data choose a single bin: changes of untreated units do not differ with distance "
            "by more than their noise, so that there is no ring to estimate. State rings yourself "
            "in SpilloverRings(rings=…)."
        )
    warn_user(
        "these rings are chosen by the outcome: errors, p-values and intervals in them on the same "
        "data take them as given and are too optimistic, and bins that balance bias and variance "
        "leave a bias of the size of the standard error. Choose rings on other units or periods, "
        "or report rings fixed beforehand beside them."
    )
    codes = np.unique(design.assignment[chosen], return_inverse=True)[1].astype(np.int64)
    table = _table(change, edges, _bins(x, edges), codes)
    return RingPartition(tuple(map(float, edges[1:-1])), table, rule, bias, variance, len(x))


def _knots(x: Floats, bins: int) -> Floats:
    """Quantiles that divide units equally, between two units where they can, without ties."""
    ordered, last = np.sort(x), len(x) - 1
    upper, rest = np.divmod(np.arange(bins + 1) * len(x), bins)
    lower = np.where(rest == 0, np.maximum(upper - 1, 0), upper)
    knots = (ordered[lower] + ordered[np.minimum(upper, last)]) / 2
    unique: Floats = np.concatenate([knots[:1], np.unique(knots[1:])])
    return unique


def _bins(x: Floats, knots: Floats) -> Integers:
    """Bin of each distance, which belongs to the nearer bin where it is an edge."""
    return np.searchsorted(knots[1:-1], x, side="left").astype(np.int64)


def _number_of_bins(x: Floats, y: Floats, distinct: int) -> tuple[int, str, float, float]:
    """Number of bins, the rule behind it, and the constants of bias and variance."""
    bias, variance = _thumb_constants(x, y)
    least = np.ceil((2 * distinct) ** (1 / 3))
    first = max(_optimal(bias, variance, distinct), int(least))
    knots = _knots(x, first)
    bins = _bins(x, knots)
    values = [len(np.unique(x[bins == j])) for j in range(len(knots) - 1)]
    if len(knots) - 1 + FEWEST_FOR_PLUG_IN - 1 >= distinct or min(values) < 2:
        return first, "rule of thumb", bias, variance
    bias, variance = _plug_in_constants(x, y, knots, bins, distinct)
    return _optimal(bias, variance, distinct), "direct plug-in", bias, variance


def _optimal(bias: float, variance: float, n: int) -> int:
    """The number of bins that minimises the integrated mean squared error, at least one."""
    if variance <= 0:
        return 1
    return max(1, int(np.ceil((2 * bias / variance * n) ** (1 / 3))))


def _thumb_constants(x: Floats, y: Floats) -> tuple[float, float]:
    """Constants of bias and variance from quadratic curves and a normal density."""
    z = (x - x.min()) / (x.max() - x.min())
    powers = np.stack([np.ones_like(z), z, z**2], axis=1)
    coefficients, squares = (np.linalg.lstsq(powers, v, rcond=None)[0] for v in (y, y**2))
    variance = float((powers @ squares - (powers @ coefficients) ** 2).mean())
    density = NormalDist(float(z.mean()), float(z.std(ddof=1)))
    heights = np.array([density.pdf(each) for each in z])
    floor = NormalDist(0.0, density.stdev).pdf(NormalDist().inv_cdf(TAIL) * density.stdev)
    slopes = coefficients[1] + 2 * coefficients[2] * z
    return float(((slopes / np.maximum(heights, floor)) ** 2).mean() / 12), variance


def _plug_in_constants(
    x: Floats, y: Floats, knots: Floats, bins: Integers, distinct: int
) -> tuple[float, float]:
    """Constants of bias and variance from a linear spline and the means of bins."""
    number = len(knots) - 1
    spline = np.stack([np.interp(x, knots, row) for row in np.eye(number + 1)], axis=1)
    heights = np.linalg.lstsq(spline, y, rcond=None)[0]
    inside = np.diff(heights)[bins] / np.diff(knots)[bins] * (x - knots[bins])
    counts = np.bincount(bins, minlength=number)
    inside -= (np.bincount(bins, inside, number) / counts)[bins]
    residuals = y - (np.bincount(bins, y, number) / counts)[bins]
    codes = np.unique(x, return_inverse=True)[1].astype(np.int64)
    scores = np.zeros((len(x), number))
    scores[np.arange(len(x)), bins] = len(x) * residuals / counts[bins]
    factor = small_sample_factor(distinct, len(x), number)
    errors = np.diag(clustered_covariance(scores, codes, factor))
    variance = float(errors[bins].mean()) * distinct / number
    return float((inside**2).mean()) * number**2, variance


def _table(y: Floats, edges: Floats, bins: Integers, codes: Integers) -> pd.DataFrame:
    """Mean change in each bin less that in the last, with clustered errors."""
    number = len(edges) - 1
    counts = np.bincount(bins, minlength=number)
    means = np.bincount(bins, y, number) / counts
    scores = np.zeros((len(y), number))
    scores[np.arange(len(y)), bins] = len(y) * (y - means[bins]) / counts[bins]
    scores -= scores[:, -1:]
    factor = small_sample_factor(int(codes.max()) + 1, len(y), number)
    errors = np.sqrt(np.diag(clustered_covariance(scores, codes, factor)))
    errors[-1] = np.nan
    estimates = means - means[-1]
    low, high = t_interval(estimates, errors, np.inf, 0.95)
    return pd.DataFrame(
        {
            "inner": [0.0, *edges[1:-1]],
            "outer": edges[1:],
            "units": counts,
            "estimate": estimates,
            "se": errors,
            "lower": low,
            "upper": high,
        }
    )
