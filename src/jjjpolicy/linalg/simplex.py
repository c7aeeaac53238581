"""Least squares with weights on the unit simplex, solved to a verified optimum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jjjpolicy.linalg.even_weights import most_even
from jjjpolicy.linalg.simplex_newton import ridge_weights
from jjjpolicy.linalg.types import Floats

# Penalty over the average square of a column from which on the dual is well conditioned.
LEAST_RIDGE = 1e-4


@dataclass(frozen=True, eq=False)
class SimplexSolution:
    """Weights and the proof that they are optimal.

    Attributes
    ----------
    weights : ndarray, shape (columns,)
        Non-negative, summing to one.
    objective : float
        ``||A w - b||² + ridge ||w||²``.
    gap : float
        Upper bound on ``objective`` minus its minimum (the Frank-Wolfe duality gap).
    """

    weights: Floats
    objective: float
    gap: float


def duality_gap(gram: Floats, cross: Floats, weights: Floats) -> float:
    """Frank-Wolfe gap of ``w'Gw - 2c'w`` on the simplex: ``max_v f'(w)(w - v)``.

    Convexity makes it an upper bound on the distance to the minimum (Jaggi 2013, section 2).
    """
    gradient = 2 * (gram @ weights - cross)
    return float(gradient @ weights - gradient.min())


def simplex_weights(difference: Floats, ridge: float = 0.0) -> Floats:
    """Minimise ``||D w||² + ridge ||w||²`` over ``w >= 0, sum(w) = 1``; no proof is computed.

    The minimiser of ``||D u||² + ridge ||u||² + (1'u - 1)²`` over ``u >= 0`` is proportional to
    ``w``, because the objective is homogeneous of degree two but for the last term. Lawson and
    Hanson's active-set method solves that exactly in finitely many steps. Where the penalty is not
    negligible, Newton's method on the dual does so faster. Without a penalty the minimiser may not
    be unique; then the most even one is taken, the one with the smallest ``||w||²``, which is the
    limit of ever smaller penalties (:mod:`jjjpolicy.linalg.even_weights`).

    Parameters
    ----------
    difference : ndarray, shape (rows, columns)
        With weights that sum to one, ``A w - b = (A - b 1') w``: columns less the target.
    ridge : float
        Non-negative.
    """
    columns = difference.shape[1]
    if columns == 1:
        return np.ones(1)
    flat = difference.ravel()
    if ridge > LEAST_RIDGE * float(flat @ flat) / columns:
        everyone = np.ones((1, columns), dtype=bool)
        origin = np.zeros((1, len(difference)))
        found, solved = ridge_weights(difference.T, origin, everyone, np.array([ridge]))
        if solved[0]:
            return np.asarray(found[0])
    weights = a_minimiser(difference, ridge)
    return weights if ridge > 0 else most_even(difference, weights)


def a_minimiser(difference: Floats, ridge: float = 0.0) -> Floats:
    """Minimise ``||D w||² + ridge ||w||²`` as Lawson and Hanson do; one of several minimisers.

    Parameters
    ----------
    difference : ndarray, shape (rows, columns)
    ridge : float
        Non-negative.
    """
    from scipy.optimize import nnls

    rows, columns = difference.shape
    flat = difference.ravel()
    square = float(flat @ flat)
    scale = float(np.sqrt(square / flat.size + ridge)) or 1.0
    penalty = columns if ridge > 0 else 0
    stacked = np.zeros((rows + penalty + 1, columns))
    np.divide(difference, scale, out=stacked[:rows])
    if penalty:
        stacked[rows:-1].flat[:: columns + 1] = np.sqrt(ridge) / scale
    stacked[-1] = 1.0
    target = np.zeros(len(stacked))
    target[-1] = 1.0
    solution, _ = nnls(stacked, target, maxiter=50 * columns)
    weights: Floats = solution / solution.sum()
    return weights


def simplex_least_squares(a: Floats, b: Floats, ridge: float = 0.0) -> SimplexSolution:
    """Minimise ``||A w - b||² + ridge ||w||²`` over ``w >= 0, sum(w) = 1``, with the gap.

    Of minimisers that fit equally well the most even one; see :func:`simplex_weights`.

    Parameters
    ----------
    a : ndarray, shape (rows, columns)
    b : ndarray, shape (rows,)
    ridge : float
        Non-negative.
    """
    weights = simplex_weights(a - b[:, None], ridge)
    return certified(a, b, weights, ridge)


def certified(a: Floats, b: Floats, weights: Floats, ridge: float = 0.0) -> SimplexSolution:
    """Objective and duality gap of given weights."""
    residual = a @ weights - b
    half_gradient = a.T @ residual + ridge * weights
    gap = 2 * float(half_gradient @ weights - half_gradient.min())
    objective = float(residual @ residual + ridge * weights @ weights)
    return SimplexSolution(weights, objective, max(gap, 0.0))
