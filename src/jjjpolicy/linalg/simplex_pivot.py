r"""Least squares on the simplex for many problems at once that have few weights and many rows.

For :math:`G = D'D + r I` the minimiser of :math:`w'Gw` over the simplex is :math:`v / \sum v` with

.. math:: v \ge 0, \quad Gv - 1 \ge 0, \quad v'(Gv - 1) = 0,

which exchanging all weights of the wrong sign between support and rest solves in finitely many
steps, if single exchanges follow where the number of wrong signs does not fall (Júdice and Pires
1994). The rows of the problems are selections of the same points. Cross products lose half of the
digits; two steps of refinement by residuals of the rows themselves bring them back (the corrected
seminormal equations of Björck 1987).
"""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.moments import sums_of_products
from jjjpolicy.linalg.types import Booleans, Floats

MAX_STEPS = 60
BLOCK_EXCHANGES = 3
"""Exchanges of all wrong signs that need not lower their number."""

CORRECTIONS = (1e-5, 1e-10)
"""The most that each step of refinement may move a weight; else digits do not suffice."""

TIE = 1e-14
"""Slope of a weight without support that rounding may have given it, over the mean square."""


def centred_weights(points: Floats, chosen: Booleans, ridge: Floats) -> tuple[Floats, Booleans]:
    """Minimise ``sum_i ((x_i - mean)'w)² + ridge ||w||²`` over ``w >= 0, sum(w) = 1``.

    Parameters
    ----------
    points : ndarray, shape (points, weights)
    chosen : ndarray of bool, shape (problems, points)
        Rows of each problem; the mean is theirs.
    ridge : ndarray, shape (problems,)
        Positive.

    Returns
    -------
    weights : ndarray, shape (problems, weights)
    solved : ndarray of bool, shape (problems,)
        Whether the weights are exact up to rounding.
    """
    points = points - points.mean(axis=0)
    rows = chosen.astype(float)
    count = rows.sum(axis=1)
    means = rows @ points / count[:, None]
    spread = sums_of_products(points, rows)
    spread -= count[:, None, None] * means[:, :, None] * means[:, None, :]
    gram = spread + ridge[:, None, None] * np.eye(points.shape[1])
    size = np.trace(gram, axis1=1, axis2=2) / points.shape[1]
    if not (size > 0).all():
        return np.zeros(means.shape), np.zeros(len(rows), dtype=bool)
    gram /= size[:, None, None]
    try:
        support, solved = _support(gram)
        matrix = _on(gram, support)
        direction = np.linalg.solve(matrix, support[:, :, None].astype(float))[:, :, 0]
        weights = direction / direction.sum(axis=1, keepdims=True)
        excess = _excess(points, rows, means, ridge, weights, size)
        for most in CORRECTIONS:
            change = -np.linalg.solve(matrix, (excess * support)[:, :, None])[:, :, 0]
            shift = change.sum(axis=1, keepdims=True) / direction.sum(axis=1, keepdims=True)
            change -= direction * shift
            solved &= np.abs(change).max(axis=1) <= most
            weights += change
            excess = _excess(points, rows, means, ridge, weights, size)
    except np.linalg.LinAlgError:
        return np.zeros(means.shape), np.zeros(len(rows), dtype=bool)
    solved &= np.where(support, weights, excess - TIE).min(axis=1) >= 0
    weights = np.maximum(weights, 0.0)
    return weights / weights.sum(axis=1, keepdims=True), solved


def _excess(
    points: Floats, rows: Floats, means: Floats, ridge: Floats, weights: Floats, size: Floats
) -> Floats:
    """Slope of the objective in each weight over that of all together, by residuals."""
    residuals = (weights @ points.T - (weights * means).sum(axis=1)[:, None]) * rows
    slope = (residuals @ points + ridge[:, None] * weights) / size[:, None]
    excess: Floats = slope - (slope * weights).sum(axis=1, keepdims=True)
    return excess


def _support(gram: Floats) -> tuple[Booleans, Booleans]:
    """Weights that are positive at the minimum, and whether they have been found."""
    problems, size, _ = gram.shape
    support = np.ones((problems, size), dtype=bool)
    open_ = np.arange(problems)
    fewest = np.full(problems, size + 1)
    left = np.full(problems, BLOCK_EXCHANGES)
    for _ in range(MAX_STEPS):
        part, own = gram[open_], support[open_]
        found = np.linalg.solve(_on(part, own), own[:, :, None].astype(float))[:, :, 0]
        slope = np.matmul(part, found[:, :, None])[:, :, 0] - 1
        wrong = np.where(own, found, slope) < 0
        count = wrong.sum(axis=1)
        keep = count > 0
        if not keep.any():
            return support, np.ones(problems, dtype=bool)
        open_, wrong, count = open_[keep], wrong[keep], count[keep]
        fewer = count < fewest[open_]
        left[open_] = np.where(fewer, BLOCK_EXCHANGES, left[open_] - 1)
        fewest[open_] = np.minimum(count, fewest[open_])
        last = size - 1 - wrong[:, ::-1].argmax(axis=1)
        single = np.arange(size) == last[:, None]
        support[open_] ^= np.where((left[open_] < 0)[:, None], single, wrong)
    solved = np.ones(problems, dtype=bool)
    solved[open_] = False
    return support, solved


def _on(gram: Floats, support: Booleans) -> Floats:
    """The matrices on their supports, and the identity elsewhere."""
    both = support[:, :, None] & support[:, None, :]
    matrix: Floats = np.where(both, gram, np.eye(gram.shape[1]))
    return matrix
