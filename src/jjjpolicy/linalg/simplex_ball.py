"""The largest value of a linear function over simplex weights whose squared error is bounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.linalg.types import Floats, Integers

BATCH = 400
"""Problems whose tableaus are held at once: few enough for the processor's cache."""
SINGULAR = 1e-12


@dataclass(frozen=True, eq=False)
class Maxima:
    """Solutions of many problems.

    Attributes
    ----------
    values : ndarray, shape (problems,)
    weights : ndarray, shape (problems, columns)
    """

    values: Floats
    weights: Floats


def maximize_over_ball(
    gram: Floats,
    linear: Floats,
    constant: Floats,
    directions: Floats,
    lower: Floats | None = None,
) -> Maxima:
    r"""Maximise :math:`p'x` over :math:`x \ge l,\ 1'x = 1,\ x'Gx - 2g'x + c \le 0`.

    For :math:`\mu > 0` let :math:`x(\mu)` minimise :math:`x'Gx - 2g'x - \mu p'x` over the simplex.
    Both :math:`p'x(\mu)` and the quadratic fall with :math:`\mu`, the path is piecewise linear, and
    its point at which the quadratic is zero solves the problem (the multiplier of the quadratic
    constraint is :math:`1/\mu`). The path is followed from the best vertex at :math:`\mu = \infty`,
    with one pivot of the tableau at each kink: exact, and for all problems at once. Where the
    quadratic is above zero on the whole simplex, the result is the end of the path, its minimiser
    (the one with the largest :math:`p'x` where there are several).

    Parameters
    ----------
    gram : ndarray, shape (columns, columns)
        Positive semi-definite, common to all problems.
    linear : ndarray, shape (problems, columns)
    constant : ndarray, shape (problems,)
    directions : ndarray, shape (problems, columns)
    lower : ndarray, shape (columns,), optional
        Lower ends of the weights, zero by default; their sum is at most one.

    Returns
    -------
    Maxima
    """
    columns = len(gram)
    floor = np.zeros(columns) if lower is None else lower
    free = max(1.0 - float(floor.sum()), 0.0)
    # Weights above their lower ends; the directions in units of their spread, ties broken by order.
    shifted = linear - gram @ floor
    level = constant - 2 * linear @ floor + floor @ gram @ floor
    centred = directions - directions.mean(axis=1, keepdims=True)
    spread = np.abs(centred).max(axis=1, keepdims=True)
    order = 1e-11 * np.arange(columns)
    centred = centred / np.where(spread > 0, spread, 1.0) - order
    scale = float(np.abs(gram).max()) or 1.0
    weights = np.empty_like(directions)
    for start in range(0, len(directions), BATCH):
        part = slice(start, start + BATCH)
        weights[part] = _follow(
            gram / scale, shifted[part] / scale, level[part] / scale, centred[part], free
        )
    weights += floor
    return Maxima((weights * directions).sum(axis=1), weights)


def _follow(gram: Floats, linear: Floats, level: Floats, directions: Floats, free: float) -> Floats:
    """Weights above the lower ends, shape (problems, columns), summing to ``free``."""
    problems, columns = directions.shape
    found = np.zeros((problems, columns))
    rows = np.arange(problems)
    vertex = directions.argmax(axis=1)
    tableau = _at_vertex(gram, linear, directions, vertex, free)
    basic = np.zeros((problems, columns), dtype=bool)
    basic[rows, vertex] = True
    current = np.full(problems, np.inf)
    last = np.full(problems, -1)
    for _ in range(50 * columns):
        fixed, slope = tableau[:, :, columns], tableau[:, :, columns + 1]
        lowest, pivot = _next_kink(tableau, basic, current, last)
        base, step = np.where(basic, fixed, 0.0), np.where(basic, slope, 0.0)
        weights = base + lowest[:, None] * step
        reached = _quadratic(gram, linear, level, weights) <= 0
        done = reached | (lowest <= 0)
        if done.any():
            at = _crossing(
                gram, linear[done], level[done], base[done], step[done], lowest[done], current[done]
            )
            found[rows[done]] = np.clip(base[done] + at[:, None] * step[done], 0.0, None)
            if done.all():
                break
            keep = ~done
            rows, linear, level = rows[keep], linear[keep], level[keep]
            tableau, basic = tableau[keep], basic[keep]
            lowest, pivot = lowest[keep], pivot[keep]
        _sweep(tableau, pivot)
        basic[np.arange(len(rows)), pivot] ^= True
        current, last = lowest, pivot
    totals = found.sum(axis=1, keepdims=True)
    scaled: Floats = found * np.divide(free, totals, out=np.zeros_like(totals), where=totals > 0)
    return scaled


def _at_vertex(
    gram: Floats, linear: Floats, directions: Floats, vertex: Integers, free: float
) -> Floats:
    """Tableau of the optimality conditions with all weight on one column.

    Rows and columns belong to the weights; two further columns hold what is constant and what is
    proportional to μ: of a weight in the basis its value, of another its gradient, negated.
    """
    problems, columns = directions.shape
    rows = np.arange(problems)
    tableau = np.empty((problems, columns, columns + 2))
    to_vertex = gram[vertex]
    own = to_vertex[rows, vertex]
    tableau[:, :, :columns] = 2 * (
        gram[None] - to_vertex[:, :, None] - to_vertex[:, None, :] + own[:, None, None]
    )
    tableau[rows, :, vertex] = -1.0
    tableau[rows, vertex, :columns] = 1.0
    tableau[rows, vertex, vertex] = 0.0
    gradient = 2 * linear - 2 * free * to_vertex
    tableau[:, :, columns] = gradient - gradient[rows, vertex][:, None]
    tableau[:, :, columns + 1] = directions - directions[rows, vertex][:, None]
    tableau[rows, vertex, columns] = free
    tableau[rows, vertex, columns + 1] = 0.0
    return tableau


def _next_kink(
    tableau: Floats, basic: NDArray[np.bool_], current: Floats, last: Integers
) -> tuple[Floats, Integers]:
    """The next lower μ at which a weight leaves or enters the basis, and which one."""
    columns = basic.shape[1]
    sign = np.where(basic, 1.0, -1.0)
    fixed, slope = sign * tableau[:, :, columns], sign * tableau[:, :, columns + 1]
    diagonal = np.diagonal(tableau, axis1=1, axis2=2)
    possible = (slope > 1e-13) & (diagonal > SINGULAR)
    with np.errstate(divide="ignore", invalid="ignore"):
        kinks = np.where(possible, -fixed / slope, -np.inf)
    moved = np.flatnonzero(last >= 0)
    kinks[moved, last[moved]] = -np.inf
    pivot = kinks.argmax(axis=1)
    lowest = kinks[np.arange(len(kinks)), pivot]
    return np.clip(lowest, 0.0, current), pivot


def _sweep(tableau: Floats, pivot: Integers) -> None:
    """Exchange one weight of each problem between the basis and its complement, in place."""
    rows = np.arange(len(tableau))
    diagonal = tableau[rows, pivot, pivot]
    line = tableau[rows, pivot, :] / diagonal[:, None]
    column = tableau[rows, :, pivot]
    tableau -= column[:, :, None] * line[:, None, :]
    line[rows, pivot] = 1 / diagonal
    tableau[rows, :, pivot] = -column / diagonal[:, None]
    tableau[rows, pivot, :] = line


def _quadratic(gram: Floats, linear: Floats, level: Floats, weights: Floats) -> Floats:
    value: Floats = (weights * (weights @ gram - 2 * linear)).sum(axis=1) + level
    return value


def _crossing(
    gram: Floats,
    linear: Floats,
    level: Floats,
    base: Floats,
    step: Floats,
    low: Floats,
    high: Floats,
) -> Floats:
    """Where the quadratic falls to zero between two kinks."""
    image = step @ gram
    square = (step * image).sum(axis=1)
    cross = (base * image - step * linear).sum(axis=1)
    rest = _quadratic(gram, linear, level, base)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = (-cross + np.sqrt(np.clip(cross**2 - square * rest, 0.0, None))) / square
    root = np.where(np.isfinite(root), root, low)
    return np.where(np.isinf(high), low, np.clip(root, low, high))
