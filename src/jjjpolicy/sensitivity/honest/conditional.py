r"""The conditional test of moment inequalities (Andrews, Roth and Pakes 2023, section 4).

The statistic, the largest of several normal variables, is compared with its distribution given
which of them is the largest: a normal truncated to the values for which it stays so. The hybrid
tests add the event that a first test of size kappa did not reject and use the size
:math:`(\alpha-\kappa)/(1-\kappa)` (Rambachan and Roth 2023, sections 3.3 and 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.sensitivity.honest.moments import NO_VARIANCE, Moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True, eq=False)
class FirstStage:
    r"""A first test, :math:`|v'\hat\beta - \theta| \le` ``half_length``, that did not reject.

    Attributes
    ----------
    weights : ndarray, shape (periods,)
        The vector v.
    point : float
        :math:`v'\hat\beta`.
    half_length : float
    roots : ndarray, shape (periods,)
        ``weights`` times a square root of the covariance.
    """

    weights: Floats
    point: float
    half_length: float
    roots: Floats


def accepted(
    moments: Moments,
    grid: Floats,
    *,
    size: float,
    largest: float = np.inf,
    first_stage: FirstStage | None = None,
) -> NDArray[np.bool_]:
    """Which values of the target the test keeps.

    Parameters
    ----------
    moments : Moments
    grid : ndarray, shape (values,)
    size : float
        Size of the conditional test.
    largest : float
        Statistics above are rejected first; the least-favourable critical value.
    first_stage : FirstStage, optional
        Values outside of its interval are rejected first.

    Returns
    -------
    ndarray of bool, shape (values,)
    """
    functions = moments.intercept[:, None] - moments.slope[:, None] * grid
    statistic = functions.max(axis=0)
    kept: NDArray[np.bool_] = statistic <= largest
    if first_stage is not None:
        kept &= np.abs(first_stage.point - grid) <= first_stage.half_length
    # A statistic of zero or below satisfies every inequality in the sample.
    undecided = np.flatnonzero(kept & (statistic > 0))
    which = functions[:, undecided].argmax(axis=0)
    for vertex in set(which.tolist()):
        mine = undecided[which == vertex]
        tail = _tail_probability(
            moments, vertex, functions[:, mine], grid[mine], largest, first_stage
        )
        kept[mine] = tail >= size
    return kept


def _tail_probability(
    moments: Moments,
    vertex: int,
    functions: Floats,
    grid: Floats,
    largest: float,
    first_stage: FirstStage | None,
) -> Floats:
    """Conditional p-values where one vertex holds the largest function."""
    statistic = functions[vertex]
    root = moments.roots[vertex]
    variance = float(root @ root)
    if variance < NO_VARIANCE**2:
        # Known without error: an inequality that holds up to rounding, or a contradiction.
        certain: Floats = (statistic <= NO_VARIANCE).astype(float)
        return certain
    # Function j moves by ratio[j] when the largest moves by one and the rest of the data is held.
    ratio = moments.roots @ root / variance
    distance = statistic - functions
    below, above = ratio < 1 - 1e-9, ratio > 1 + 1e-9
    room = distance[below] / (1 - ratio[below])[:, None]
    low = statistic - room.min(axis=0, initial=np.inf)
    room = distance[above] / (ratio[above] - 1)[:, None]
    high = np.minimum(statistic + room.min(axis=0, initial=np.inf), largest)
    if first_stage is not None:
        move = float(first_stage.roots @ root) / variance
        if abs(move) > 1e-12:
            gap = first_stage.point - grid
            ends = np.sort(
                (np.array([[-1.0], [1.0]]) * first_stage.half_length - gap) / move, axis=0
            )
            low = np.maximum(low, statistic + ends[0])
            high = np.minimum(high, statistic + ends[1])
    spread = np.sqrt(variance)
    return truncated_tail(statistic / spread, low / spread, high / spread)


def truncated_tail(value: Floats, low: Floats, high: Floats) -> Floats:
    """Upper tail probability of a standard normal truncated to (low, high); exact far out."""
    from scipy.special import log_ndtr

    at, bottom, top = log_ndtr(-np.stack([value, np.minimum(low, value), high]))
    with np.errstate(invalid="ignore", divide="ignore"):
        above = -np.expm1(np.minimum(top - at, 0.0))
        within = -np.expm1(np.minimum(top - bottom, 0.0))
        tail = np.exp(at - bottom) * above / within
    result: Floats = np.where(np.isfinite(tail), tail, 1.0)
    return result
