"""Intervals from tests: the constant effects that a test does not reject."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.design.design import Floats


def effects_kept(estimates: Floats, slopes: Floats, level: float) -> tuple[float, float]:
    r"""Ends of the set of effects kept by a rank test on :math:`|a_r - \tau b_r|`.

    The actual assignment comes first. Assignment r counts against an effect where
    :math:`|a_r - \tau b_r| \ge |a_0 - \tau b_0|`, which holds between the two roots
    :math:`(a_r \mp a_0)/(b_r \mp b_0)` when :math:`|b_r| < |b_0|` and outside of them otherwise.
    The p-value is therefore a step function with known steps, and the ends are exact. Where the set
    has holes, the ends enclose it.

    Parameters
    ----------
    estimates, slopes : ndarray, shape (assignments,)
        Estimates with the outcome, and with the actual treatment as the outcome.
    level : float
    """
    a0, b0, a, b = estimates[0], slopes[0], estimates[1:], slopes[1:]
    total = len(estimates)
    needed = int(np.floor((1 - level) * total + 1e-9))  # kept while the count exceeds this
    if needed < 1 or b0 == 0:  # nothing is rejected, or the estimate does not move with the effect
        return -np.inf, np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        roots = np.stack([(a - a0) / (b - b0), (a + a0) / (b + b0)])
    low, high = np.fmin(*roots), np.fmax(*roots)
    tiny = 1e-12 * max(abs(b0), 1.0)
    same = (np.abs(b - b0) < tiny) & (np.abs(a - a0) <= 1e-12 * abs(a0))
    mirrored = (np.abs(b + b0) < tiny) & (np.abs(a + a0) <= 1e-12 * abs(a0))
    always = same | mirrored
    centre = a0 / b0
    inside = (np.abs(b) < abs(b0) - tiny) & ~always
    outside = (np.abs(b) > abs(b0) + tiny) & ~always
    half = ~(always | inside | outside)
    finite = np.where(np.isfinite(roots[0]), roots[0], roots[1])
    rises = np.concatenate(
        [
            low[inside],
            high[outside],
            np.where(finite[half] > centre, -np.inf, finite[half]),
            np.full(int(outside.sum() + always.sum()), -np.inf),
        ]
    )
    falls = np.concatenate(
        [
            high[inside],
            low[outside],
            np.where(finite[half] > centre, finite[half], np.inf),
            np.full(int(outside.sum() + always.sum()), np.inf),
        ]
    )
    # Kept where 1 + #{rise <= τ <= fall} > needed; the first rise and the last fall that reach it.
    starts, ends = np.sort(rises), np.sort(falls)
    points = np.concatenate([starts, ends])
    steps = np.concatenate([np.ones(len(starts)), -np.ones(len(ends))])
    order = np.lexsort((-steps, points))
    counts = 1 + np.cumsum(steps[order])
    reached = np.flatnonzero(counts > needed)
    if len(reached) == 0:
        return centre, centre
    first, last = reached[0], reached[-1]
    upper = points[order][last + 1] if last + 1 < len(points) else np.inf
    return float(points[order][first]), float(upper)


def outermost(
    pvalue: Callable[[float], float],
    centre: float,
    scale: float,
    level: float,
    precision: float = 1e-9,
) -> tuple[float, float]:
    """Ends of the set of effects with a p-value above ``1 - level``, by bracketing and bisection.

    Parameters
    ----------
    pvalue : callable
        p-value of an effect; near 1 at ``centre``.
    centre, scale : float
        Where to begin, and the size of the first step.
    level : float
    precision : float
        Width of the last bracket, as a share of the first step.

    Returns
    -------
    (float, float)
        Infinite on a side where no effect within a million steps is rejected.
    """

    def end(direction: int) -> float:
        inner, step = centre, scale
        while pvalue(centre + direction * step) > 1 - level + 1e-12:
            inner = centre + direction * step
            step *= 2
            if step > 1e6 * scale:
                return direction * np.inf
        outer = centre + direction * step
        while abs(outer - inner) > precision * scale:
            middle = (inner + outer) / 2
            if pvalue(middle) > 1 - level + 1e-12:
                inner = middle
            else:
                outer = middle
        return inner

    return end(-1), end(1)
