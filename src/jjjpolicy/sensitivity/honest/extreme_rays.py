"""Extreme rays of a pointed cone, by the double description method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats

MOST_RAYS = 20_000


def extreme_rays(equalities: Floats) -> Floats:
    r"""Extreme rays of :math:`\{\gamma \ge 0 : X'\gamma = 0\}`.

    Equalities are imposed one after another: rays on opposite sides of one are combined in pairs to
    lie on it, and only combinations of minimal support are kept, because these are the extreme ones
    (Motzkin et al. 1953; Fukuda and Prodon 1996).

    Parameters
    ----------
    equalities : ndarray, shape (inequalities, equalities)
        The matrix X.

    Returns
    -------
    ndarray, shape (rays, inequalities)
        Each with a largest entry of 1.

    Raises
    ------
    InferenceError
        There are more than 20,000 rays on the way.
    """
    scale = np.abs(equalities).max(initial=1.0)
    rays: Floats = np.eye(len(equalities))
    remaining = list(range(equalities.shape[1]))
    while remaining:
        sides = rays @ equalities[:, remaining]
        sides[np.abs(sides) < 1e-10 * scale] = 0.0
        pairs = (sides > 0).sum(axis=0) * (sides < 0).sum(axis=0)
        pick = int(np.argmin(pairs - (sides != 0).sum(axis=0)))
        if pairs[pick] > 200 * MOST_RAYS:
            raise _too_many()
        side = sides[:, pick]
        remaining.pop(pick)
        rays = _imposed(rays, side, equalities.shape[1] - len(remaining))
        if len(rays) > MOST_RAYS:
            raise _too_many()
    return rays


def _imposed(rays: Floats, side: Floats, imposed: int) -> Floats:
    """Extreme rays after one more equality; ``side`` is its value at the rays."""
    on: Floats = rays[side == 0]
    above, below = np.flatnonzero(side > 0), np.flatnonzero(side < 0)
    if len(above) == 0 or len(below) == 0:
        return on
    support = rays != 0
    union = support[above][:, None, :] | support[below][None, :, :]
    # An extreme ray of j equalities has at most j + 1 positive entries.
    first, second = np.nonzero(union.sum(axis=2) <= imposed + 1)
    above, below, union = above[first], below[second], union[first, second]
    # Two rays are adjacent when no third has its support within theirs.
    inside = support.astype(np.float32) @ (~union).astype(np.float32).T == 0
    adjacent = inside.sum(axis=0) == 2
    above, below = above[adjacent], below[adjacent]
    combined = side[above][:, None] * rays[below] - side[below][:, None] * rays[above]
    combined /= combined.max(axis=1, keepdims=True)
    joined: Floats = np.concatenate([on, combined])
    return joined


def _too_many() -> InferenceError:
    return InferenceError(
        f"the test of this restriction has more than {MOST_RAYS:,} candidate combinations of "
        f"inequalities; drop sign= or monotone=, or use fewer post-periods."
    )
