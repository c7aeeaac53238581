"""Quadratic programmes on the unit simplex with a linear term."""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.types import Floats


def simplex_quadratic(
    gram: Floats, linear: Floats, tolerance: float = 1e-11, start: Floats | None = None
) -> Floats:
    """Minimise ``w'Gw + linear'w`` over ``w >= 0, sum(w) = 1`` by a primal active-set method.

    Parameters
    ----------
    gram : ndarray, shape (columns, columns)
        Positive semi-definite.
    linear : ndarray, shape (columns,)
    tolerance : float
        Relative size of the reduced gradient at which a column may stay out.
    start : ndarray, shape (columns,), optional
        Weights of a neighbouring problem; by default the best single column.
    """
    n = len(linear)
    scale = float(np.abs(gram).max() + np.abs(linear).max()) or 1.0
    g = gram / scale + 1e-13 * np.eye(n)
    c = linear / scale
    weights = np.zeros(n) if start is None else start.copy()
    if start is None:
        weights[int(np.argmin(np.diag(g) + c))] = 1.0
    for _ in range(50 * n):
        support = np.flatnonzero(weights > 0)
        while True:
            k = len(support)
            kkt = np.ones((k + 1, k + 1))
            kkt[:k, :k] = 2 * g[np.ix_(support, support)]
            kkt[k, k] = 0.0
            target = np.linalg.lstsq(kkt, np.append(-c[support], 1.0), rcond=None)[0][:k]
            if (target > 0).all():
                break
            current = weights[support]
            falling = target <= 0
            ratios = current[falling] / (current[falling] - target[falling])
            moved = current + float(ratios.min()) * (target - current)
            moved[np.flatnonzero(falling)[int(np.argmin(ratios))]] = 0.0
            weights[support] = moved
            support = support[moved > 0]
        weights[:] = 0.0
        weights[support] = target / target.sum()
        gradient = 2 * g @ weights + c
        reduced = gradient - gradient @ weights
        entering = int(np.argmin(reduced))
        if reduced[entering] >= -tolerance or weights[entering] > 0:
            break
        weights[entering] = 1e-14
    return weights
