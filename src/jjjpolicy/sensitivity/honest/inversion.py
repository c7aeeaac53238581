"""Outer ends of the set of values that a test keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jjjpolicy.linalg.types import Floats

POINTS = 801
DOUBLINGS = 30
CUTS = 32
ROUNDS = 4


Test = Callable[["Floats"], "NDArray[np.bool_]"]
"""From values to whether the test keeps each."""


def outer_ends(tests: Sequence[Test], centre: float, reach: float) -> tuple[float, float]:
    """Smallest and largest value that at least one of several tests keeps.

    The tests are run on a grid, which is widened until both of its ends are rejected; the cells at
    the outermost kept points are then cut, with the tests that keep these, until the ends are known
    to a millionth of a cell. Values in between may be rejected: the ends enclose the set.

    Parameters
    ----------
    tests : sequence of callable
    centre, reach : float
        The first grid is ``centre`` ± ``reach``.

    Returns
    -------
    (low, high)
        Infinite where widening a billion times did not close the interval; not-a-number where
        every value is rejected.
    """
    for doubling in range(DOUBLINGS + 1):
        half = reach * 2.0**doubling
        grid = np.linspace(centre - half, centre + half, POINTS)
        kept = np.array([test(grid) for test in tests])
        if not kept.any():
            grid = np.linspace(centre - half, centre + half, 50 * POINTS)
            kept = np.array([test(grid) for test in tests])
            if not kept.any():
                return float("nan"), float("nan")
        inside = np.flatnonzero(kept.any(axis=0))
        first, last = int(inside[0]), int(inside[-1])
        if first > 0 and last < len(grid) - 1:
            break
    low = -np.inf if first == 0 else _end(tests, kept[:, first], grid[first], grid[first - 1])
    closed = last < len(grid) - 1
    high = _end(tests, kept[:, last], grid[last], grid[last + 1]) if closed else np.inf
    return low, high


def _end(tests: Sequence[Test], keeping: NDArray[np.bool_], inside: float, outside: float) -> float:
    """Where the tests that keep ``inside`` stop on the way to ``outside``, which all reject."""
    chosen = [test for test, keeps in zip(tests, keeping, strict=True) if keeps]
    for _ in range(ROUNDS):
        steps = np.linspace(inside, outside, CUTS + 1)
        kept = np.any([test(steps[1:-1]) for test in chosen], axis=0)
        farthest = int(np.flatnonzero(kept)[-1]) + 1 if kept.any() else 0
        inside, outside = float(steps[farthest]), float(steps[farthest + 1])
    return inside
