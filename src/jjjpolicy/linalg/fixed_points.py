"""Fixed points of many maps at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats, Integers

MEMORY = 5
"""Earlier steps that a step is extrapolated from."""

SHRINKS = 0.95
"""Share of the last move that is left of the next where an extrapolation is accepted."""


def fixed_points(
    image: Callable[[Floats, Integers], Floats], start: Floats, limit: Floats, most: int
) -> tuple[Floats, Floats]:
    r"""Points that maps leave where they are, by safeguarded Anderson acceleration.

    With differences of earlier points :math:`\Delta x` and of their moves :math:`\Delta g`, the
    next point is :math:`x + g - (\Delta x + \Delta g)\gamma`, :math:`\gamma` from the least squares
    of the move :math:`g` on :math:`\Delta g` (Walker and Ni 2011). Where the move there is hardly
    smaller, the memory is cleared and the plain step :math:`x + g` taken, whose move is no larger:
    maps that bring no two points further apart, and average, lead to a fixed point from anywhere.

    Parameters
    ----------
    image : callable
        Images of points, shape (some, coordinates), under the maps at the positions (some,).
    start : ndarray, shape (maps, coordinates)
    limit : ndarray, shape (maps,)
        Largest move of a coordinate at which a point counts as fixed.
    most : int
        Steps.

    Returns
    -------
    points : ndarray, shape (maps, coordinates)
    moves : ndarray, shape (maps,)
        Largest move of a coordinate in the last step; above ``limit`` where steps did not suffice.
    """
    found, moves = start.copy(), np.zeros(len(start))
    rows, point = np.arange(len(start)), start
    move = image(point, rows) - point
    differences = np.zeros((2, len(rows), MEMORY, start.shape[1]))  # of points, and of their moves
    plain = np.ones(len(rows), dtype=bool)
    for step in range(most):
        size = np.abs(move).max(axis=1)
        found[rows], moves[rows] = point + move, size
        going = size > limit[rows]
        if not going.any():
            break
        if not going.all():
            rows, point, move, plain = rows[going], point[going], move[going], plain[going]
            differences = differences[:, going]
        following = point + move - _mixed(differences, move)
        moved = image(following, rows) - following
        smaller = np.linalg.norm(moved, axis=1) <= SHRINKS * np.linalg.norm(move, axis=1)
        taken = plain | smaller
        differences[:, :, step % MEMORY] = following - point, moved - move
        differences[:, ~taken] = 0.0
        point = np.where(taken[:, None], following, point)
        move = np.where(taken[:, None], moved, move)
        plain = ~taken
    return found, moves


def _mixed(differences: Floats, move: Floats) -> Floats:
    """What an extrapolation takes off the plain step, shape (maps, coordinates)."""
    by_move = differences[1]
    gram = by_move @ by_move.swapaxes(1, 2)
    ridge = 1e-14 * np.trace(gram, axis1=1, axis2=2) + np.finfo(float).tiny
    gram += ridge[:, None, None] * np.eye(MEMORY)
    shares = np.linalg.solve(gram, by_move @ move[:, :, None])
    mixed: Floats = (shares.swapaxes(1, 2) @ differences.sum(axis=0))[:, 0]
    return mixed
