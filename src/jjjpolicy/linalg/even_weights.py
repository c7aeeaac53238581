r"""The most even of the simplex weights that fit equally well.

All minimisers :math:`w` of :math:`\|D w\|` on the simplex have the same fit :math:`D w` and form a
polytope (a linear term in the objective is the same for all of them, too). With more columns than
rows the polytope often has many points, and a solver returns whichever it meets first: another
processor, order of the columns or unit of measure gives other weights. The point with the smallest
sum of squares is unique and depends on nothing but the data.

With :math:`V` orthonormal rows that span those of ``D`` and of the sum-to-one constraint, on the
columns that may carry weight, it minimises :math:`\tfrac12 \|w\|^2` subject to
:math:`V w = c, w \ge 0`. The dual

.. math:: \max_y \; c'y - \tfrac12 \|\max(V'y, 0)\|^2, \qquad w = \max(V'y, 0),

is concave, piecewise quadratic and has only as many variables as rows; Newton's method is exact
once the support is right (Qi and Sun 1993).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.linalg.types import Floats

FACE = 1e-8
"""Reduced gradient, relative to its terms, up to which a column may carry weight."""
ROUNDING = 1e-13
"""Residual, relative to the columns, that is rounding."""
SINGULAR = 1e-10
"""Singular value, relative to the largest, from which on rows count as dependent."""
REGULAR, SPARSE = 1e-12, 1e-3
"""Added to the Hessian where the support spans the rows, and where it does not yet."""
FITTED = 1e-11
"""Largest error of the constraints at the solution."""
MAX_STEPS = 30


def most_even(difference: Floats, weights: Floats, linear: Floats | None = None) -> Floats:
    """Weights that are as good and have the smallest sum of squares.

    Parameters
    ----------
    difference : ndarray, shape (rows, columns)
    weights : ndarray, shape (columns,)
        A minimiser of ``||D w||² + linear'w`` over ``w >= 0, sum(w) = 1``.
    linear : ndarray, shape (columns,), optional
        Zero by default.

    Returns
    -------
    ndarray, shape (columns,)
        ``weights`` themselves where no others are as good.
    """
    columns = np.flatnonzero(_face(difference, weights, linear))
    if len(columns) == np.count_nonzero(weights) and len(columns) <= len(difference) + 1:
        return weights
    rows = difference if linear is None else np.vstack([difference, linear])
    part = rows[:, columns]
    sizes = np.abs(part).max() if linear is None else np.abs(part).max(axis=1, keepdims=True)
    part = np.vstack([part / np.where(sizes > 0, sizes, 1.0), np.ones(len(columns))])
    _, values, directions = np.linalg.svd(part, full_matrices=False)
    basis = directions[values > SINGULAR * values[0]]
    if len(basis) == len(columns):
        return weights
    even = np.zeros(len(weights))
    even[columns] = _smallest(basis, weights[columns])
    return even


def _face(difference: Floats, weights: Floats, linear: Floats | None) -> NDArray[np.bool_]:
    """Columns that some minimiser may give weight: those whose gradient is smallest."""
    residual = difference @ weights
    gradient = residual @ difference
    longest = max(float(difference.max()), -float(difference.min())) * len(difference) ** 0.5
    slack = (FACE * float(residual @ residual) ** 0.5 + ROUNDING * longest) * longest
    if linear is not None:
        gradient += linear / 2
        slack += FACE * float(linear @ weights)
    face: NDArray[np.bool_] = (gradient <= weights @ gradient + slack) | (weights > 0)
    return face


def _smallest(basis: Floats, known: Floats) -> Floats:
    """Minimise ``||w||²`` subject to ``basis @ w = basis @ known``, ``w >= 0``.

    Parameters
    ----------
    basis : ndarray, shape (rows, columns)
        Orthonormal rows.
    known : ndarray, shape (columns,)
        Non-negative.
    """
    dual = target = basis @ known
    slack = dual @ basis
    value = _dual(dual, slack, target)
    identity = np.eye(len(basis))
    for _ in range(MAX_STEPS):
        support = slack > 0
        part = basis[:, support]
        missing = target - part @ slack[support]
        ridge = REGULAR if part.shape[1] >= len(basis) else SPARSE
        step = np.linalg.solve(part @ part.T + ridge * identity, missing)
        slope = step @ basis
        if np.array_equal(slack + slope > 0, support):
            weights = np.linalg.lstsq(part, target, rcond=SINGULAR)[0]
            if np.abs(part @ weights - target).max() <= FITTED:
                break
        length, rise = 1.0, float(missing @ step)
        while (
            moved := _dual(dual + length * step, slack + length * slope, target)
        ) < value + 1e-4 * length * rise and length > 1e-6:
            length /= 2
        dual, slack, value = dual + length * step, slack + length * slope, moved
    else:
        return _least_distance(basis, known)
    smallest = np.zeros(basis.shape[1])
    smallest[support] = np.maximum(weights, 0.0)
    return smallest


def _least_distance(basis: Floats, known: Floats) -> Floats:
    """The same by non-negative least squares in the null space, slower and sure to end.

    Lawson and Hanson (1974, section 23.4): where the optimal support does not span the rows, the
    dual has no unique solution for Newton's method to settle on.
    """
    from scipy.optimize import nnls

    centre = basis @ known @ basis
    null = np.linalg.svd(basis)[2][len(basis) :]
    stacked = np.vstack([null, -centre])
    goal = np.append(np.zeros(len(null)), 1.0)
    solution, _ = nnls(stacked, goal, maxiter=50 * len(centre))
    residual = stacked @ solution - goal
    if residual[-1] > -ROUNDING:  # no other weights satisfy the constraints
        return known
    weights = centre - residual[:-1] @ null / residual[-1]
    return np.where(solution > 0, 0.0, np.maximum(weights, 0.0))


def _dual(dual: Floats, slack: Floats, target: Floats) -> float:
    positive = np.maximum(slack, 0.0)
    return float(target @ dual - positive @ positive / 2)
