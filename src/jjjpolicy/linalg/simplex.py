"""Least squares with weights on the unit simplex, solved to a verified optimum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
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
    """Frank-Wolfe gap of ``w'Gw - 2c'w`` on the simplex: ``max_v ∇f(w)'(w - v)``.

    Convexity makes it an upper bound on the distance to the minimum (Jaggi 2013, section 2).
    """
    gradient = 2 * (gram @ weights - cross)
    return float(gradient @ weights - gradient.min())


def simplex_least_squares(a: Floats, b: Floats, ridge: float = 0.0) -> SimplexSolution:
    """Minimise ``||A w - b||² + ridge ||w||²`` over ``w >= 0, sum(w) = 1``.

    The problem is rewritten as non-negative least squares: since the weights sum to one,
    ``A w - b = (A - b 1') w``, and with ``D = A - b 1'`` the minimiser of
    ``||D u||² + ridge ||u||² + (1'u - 1)²`` over ``u >= 0`` is proportional to ``w`` (the objective
    is homogeneous of degree two but for the last term). Lawson and Hanson's active-set method
    solves that exactly in finitely many steps.

    Parameters
    ----------
    a : ndarray, shape (rows, columns)
    b : ndarray, shape (rows,)
    ridge : float
        Non-negative.
    """
    from scipy.optimize import nnls

    columns = a.shape[1]
    if columns == 1:
        weights = np.ones(1)
    else:
        difference = a - b[:, None]
        scale = float(np.sqrt((difference**2).mean() + ridge)) or 1.0
        rows = [difference / scale]
        if ridge > 0:
            rows.append(np.sqrt(ridge) / scale * np.eye(columns))
        rows.append(np.ones((1, columns)))
        stacked = np.concatenate(rows)
        target = np.zeros(len(stacked))
        target[-1] = 1.0
        solution, _ = nnls(stacked, target, maxiter=50 * columns)
        weights = solution / solution.sum()
    gram = a.T @ a + ridge * np.eye(columns)
    cross = a.T @ b
    residual = a @ weights - b
    objective = float(residual @ residual + ridge * weights @ weights)
    return SimplexSolution(weights, objective, max(duality_gap(gram, cross, weights), 0.0))
