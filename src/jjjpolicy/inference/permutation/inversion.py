"""Intervals from tests: the constant effects that a test does not reject."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.estimation.rounding import TIE
from jjjpolicy.inference.permutation.ranks import critical_count, significant

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats


def effects_kept(
    estimates: Floats, slopes: Floats, level: float, noise: float
) -> tuple[float, float]:
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
    noise : float
        Distance within which two estimates are the same.
    """
    a0, b0, a, b = estimates[0], slopes[0], estimates[1:], slopes[1:]
    total = len(estimates)
    needed = critical_count(total, level)  # kept while the count exceeds this
    tiny = TIE * max(abs(b0), 1.0)  # the treatment as an outcome has a range of one
    if needed < 1 or abs(b0) <= tiny:  # nothing is rejected, or the effect moves no estimate
        return -np.inf, np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        roots = np.stack([(a - a0) / (b - b0), (a + a0) / (b + b0)])
    low, high = np.fmin(*roots), np.fmax(*roots)
    near = max(TIE * abs(a0), noise)
    same = (np.abs(b - b0) <= tiny) & (np.abs(a - a0) <= near)
    mirrored = (np.abs(b + b0) <= tiny) & (np.abs(a + a0) <= near)
    always = same | mirrored
    centre = a0 / b0
    inside = (np.abs(b) < abs(b0) - tiny) & ~always
    outside = (np.abs(b) > abs(b0) + tiny) & ~always
    half = ~(always | inside | outside)
    finite = np.where(np.abs(b - b0) > tiny, *roots)
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


def searched(
    margin: Callable[[float], float], centre: float, scale: float, precision: float
) -> Iterator[float]:
    """Trials of effects on one side of an estimate; the last is the end of the effects kept.

    Steps are doubled until an effect is rejected, and the end is then closed in by secants (the
    Illinois method of Dowell and Jarratt 1971), halved where they are slow.

    Parameters
    ----------
    margin : callable
        How far the test is from rejecting an effect, which is kept from 0 on.
    centre, scale : float
        An effect that is kept, and the first step; negative downwards.
    precision : float
        Width of the last bracket, as a share of the first step.

    Yields
    ------
    float
        Infinite where no effect within a million steps is rejected.
    """
    inner, kept = centre, margin(centre)
    step = scale
    yield inner
    while (beyond := margin(centre + step)) >= 0:
        inner, kept, step = centre + step, beyond, 2 * step
        yield inner
        if abs(step) > 1e6 * abs(scale):
            yield float(np.copysign(np.inf, scale))
            return
    outer, width, last = centre + step, precision * abs(scale), 0
    checked, trials = abs(outer - inner), 0
    while abs(outer - inner) > width:
        if trials == 3:  # less than halved in three trials
            slow = abs(outer - inner) > checked / 2
            checked, trials = abs(outer - inner), 0
            kept, beyond = (1.0, -1.0) if slow else (kept, beyond)
        share = kept / (kept - beyond) if np.isfinite(kept - beyond) else 0.5
        least = width / (2 * abs(outer - inner))
        point = inner + min(max(share, least), 1 - least) * (outer - inner)
        if point in (inner, outer):
            break
        found = margin(point)
        side = 1 if found >= 0 else -1
        if side > 0:
            inner, kept, beyond = point, found, beyond / (2 if last == side else 1)
        else:
            outer, beyond, kept = point, found, kept / (2 if last == side else 1)
        last, trials = side, trials + 1
        yield inner
    yield inner


def holding_zero(ends: tuple[float, float], pvalue: float, level: float) -> tuple[float, float]:
    """Ends moved to zero where the test keeps it and rounding or bisection stopped short of it.

    Parameters
    ----------
    ends : (float, float)
        ``nan`` where no effect was found that the test keeps.
    pvalue : float
        Of no effect.
    level : float
    """
    if significant(pvalue, 1 - level):
        return ends
    return float(np.fmin(ends[0], 0.0)), float(np.fmax(ends[1], 0.0))


def outermost(
    pvalue: Callable[[float], float],
    centre: float,
    scale: float,
    level: float,
    precision: float = 1e-9,
) -> tuple[float, float]:
    """Ends of the set of effects with a p-value above ``1 - level``, by bracketing and bisection.

    They hold zero where that is one of these effects.

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

    first = max(scale, float(np.spacing(4 * abs(centre))))  # a smaller step would not move

    def end(direction: int) -> float:
        inner, step = centre, first
        while not significant(pvalue(centre + direction * step), 1 - level):
            inner = centre + direction * step
            step *= 2
            if step > 1e6 * first:
                return direction * np.inf
        outer = centre + direction * step
        while abs(outer - inner) > precision * first:
            middle = (inner + outer) / 2
            if middle in (inner, outer):
                break
            if not significant(pvalue(middle), 1 - level):
                inner = middle
            else:
                outer = middle
        return inner

    return holding_zero((end(-1), end(1)), pvalue(0.0), level)
