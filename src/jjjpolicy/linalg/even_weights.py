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
once the support is right (Qi and Sun 1993). Where the support does not span the rows the dual
solution is not unique; a ridge that vanishes with the error keeps the steps bounded and the
convergence fast (Li, Fukushima, Qi and Yamashita 2004).
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
RIDGE = 1e-2
"""Added to the Hessian, relative to the error of the constraints."""
LEAST_RIDGE = 1e-14
FITTED = 1e-11
"""Largest error of the constraints at the solution."""
MAX_STEPS = 200
REGULAR = 1e-7
"""Smallest eigenvalue on a support with which normal equations have nine digits."""


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
    columns = np.flatnonzero(_face(difference, weights, linear, difference @ weights))
    if len(columns) == np.count_nonzero(weights) and len(columns) <= len(difference) + 1:
        return weights
    rows = difference if linear is None else np.vstack([difference, linear])
    part = rows[:, columns]
    sizes = np.abs(part).max() if linear is None else np.abs(part).max(axis=1, keepdims=True)
    part = np.vstack([part / np.where(sizes > 0, sizes, 1.0), np.ones(len(columns))])
    even = np.zeros(len(weights))
    even[columns] = _smallest_under(part, weights[columns])
    return even


def most_even_together(differences: Floats, weights: Floats) -> Floats:
    """Weights of several units with the same sum of fits and the smallest sum of squares.

    Parameters
    ----------
    differences : ndarray, shape (units, rows, columns)
    weights : ndarray, shape (units, columns)
        A minimiser of ``||sum_j D_j w_j||`` with each ``w_j`` on the simplex.
    """
    side_by_side = np.concatenate([*differences], axis=1)
    residual = side_by_side @ weights.ravel()
    faces = [_face(d, w, None, residual) for d, w in zip(differences, weights, strict=True)]
    unit, column = np.nonzero(faces)
    part = differences[unit, :, column].T
    sums = (unit == np.arange(len(weights))[:, None]).astype(float)
    part = np.vstack([part / (np.abs(part).max() or 1.0), sums])
    even = np.zeros_like(weights)
    even[unit, column] = _smallest_under(part, weights[unit, column])
    return even


def most_even_exact(
    differences: Floats, allowed: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """The most even weights of many problems that can be fitted exactly.

    Parameters
    ----------
    differences : ndarray, shape (problems, rows, columns)
    allowed : ndarray of bool, shape (problems, columns)
        Columns that may have weight.

    Returns
    -------
    weights : ndarray, shape (problems, columns)
    solved : ndarray of bool, shape (problems,)
        False where no weights fit exactly, or rows are dependent on the support.
    """
    problems, rows, columns = differences.shape
    weights, solved = np.zeros((problems, columns)), np.zeros(problems, dtype=bool)
    if rows + 1 > columns:
        return weights, solved
    part = np.where(allowed[:, None, :], differences, 0.0)
    sizes = np.abs(part).max(axis=(1, 2), keepdims=True)
    part = np.concatenate([part / np.where(sizes > 0, sizes, 1.0), allowed[:, None, :]], axis=1)
    left, values, basis = np.linalg.svd(part, full_matrices=False)
    values = np.maximum(values, np.finfo(float).tiny)
    # Dependent rows add no direction; what they ask for has to be zero.
    dependent = values <= SINGULAR * values[:, :1]
    open_ = np.flatnonzero((np.abs(np.where(dependent, left[:, -1], 0.0)) <= FITTED).all(axis=1))
    dependent = dependent[open_]
    present = allowed[open_, None, :] & ~dependent[:, :, None]
    basis = np.where(present, basis[open_], 0.0)
    target = np.where(dependent, 0.0, left[open_, -1] / values[open_])
    apart = dependent[:, :, None] * np.eye(rows + 1)
    dual = target.copy()
    slack = np.einsum("pr,prc->pc", dual, basis)
    identity = np.eye(rows + 1)
    for _ in range(MAX_STEPS):
        # Weights on the simplex have squares of at most one, which bounds the dual.
        value = _duals(dual, slack, target)
        keep = value <= 0.5 + FITTED
        open_, basis, target, apart = open_[keep], basis[keep], target[keep], apart[keep]
        dual, slack, value = dual[keep], slack[keep], value[keep]
        if len(open_) == 0:
            break
        support = slack > 0
        part = basis * support[:, None, :]
        missing = target - np.einsum("prc,pc->pr", part, slack)
        gram = part @ part.transpose(0, 2, 1) + apart
        ridge = np.maximum(RIDGE * np.sqrt((missing**2).sum(axis=1)), LEAST_RIDGE)
        step = np.linalg.solve(gram + ridge[:, None, None] * identity, missing[:, :, None])[:, :, 0]
        slope = np.einsum("pr,prc->pc", step, basis)
        stable = np.flatnonzero(((slack + slope > 0) == support).all(axis=1))
        done = np.zeros(len(open_), dtype=bool)
        if len(stable):
            found = _on_support(part[stable], gram[stable], target[stable])
            error = np.abs(np.einsum("prc,pc->pr", part[stable], found) - target[stable])
            fits = (error.max(axis=1) <= FITTED) & (found.min(axis=1) >= -FITTED)
            done[stable[fits]] = True
            weights[open_[stable[fits]]] = np.maximum(found[fits], 0.0)
            solved[open_[stable[fits]]] = True
        length, rise = np.ones(len(open_)), 1e-4 * (missing * step).sum(axis=1)
        for _ in range(20):
            share = length[:, None]
            short = (
                _duals(dual + share * step, slack + share * slope, target) < value + length * rise
            )
            if not short.any():
                break
            length[short] /= 2
        dual, slack = dual + length[:, None] * step, slack + length[:, None] * slope
        open_, basis, target, apart = open_[~done], basis[~done], target[~done], apart[~done]
        dual, slack = dual[~done], slack[~done]
    return weights, solved


def _on_support(part: Floats, gram: Floats, target: Floats) -> Floats:
    """Smallest weights on the supports; not a number where rows are dependent there."""
    solved = np.full(target.shape, np.nan)
    regular = np.linalg.eigvalsh(gram)[:, 0] > REGULAR
    if regular.any():
        own, goal = gram[regular], target[regular]
        first = np.linalg.solve(own, goal[:, :, None])
        left = goal[:, :, None] - own @ first
        solved[regular] = (first + np.linalg.solve(own, left))[:, :, 0]
    weights: Floats = np.einsum("pr,prc->pc", solved, part)
    return weights


def _duals(dual: Floats, slack: Floats, target: Floats) -> Floats:
    positive = np.maximum(slack, 0.0)
    value: Floats = (target * dual).sum(axis=1) - (positive**2).sum(axis=1) / 2
    return value


def _face(
    difference: Floats, weights: Floats, linear: Floats | None, residual: Floats
) -> NDArray[np.bool_]:
    """Columns that some minimiser may give weight: those whose gradient is smallest."""
    gradient = residual @ difference
    longest = max(float(difference.max()), -float(difference.min())) * len(difference) ** 0.5
    slack = (FACE * float(residual @ residual) ** 0.5 + ROUNDING * longest) * longest
    if linear is not None:
        gradient += linear / 2
        slack += FACE * float(linear @ weights)
    face: NDArray[np.bool_] = (gradient <= weights @ gradient + slack) | (weights > 0)
    return face


def _smallest_under(constraints: Floats, known: Floats) -> Floats:
    """Minimise ``||w||²`` subject to ``constraints @ w = constraints @ known``, ``w >= 0``."""
    _, values, directions = np.linalg.svd(constraints, full_matrices=False)
    basis = directions[values > SINGULAR * values[0]]
    return known if len(basis) == len(known) else _smallest(basis, known)


def _smallest(basis: Floats, known: Floats) -> Floats:
    """Minimise ``||w||²`` subject to ``basis @ w = basis @ known``, ``w >= 0``.

    Parameters
    ----------
    basis : ndarray, shape (rows, columns)
        Orthonormal rows.
    known : ndarray, shape (columns,)
        Non-negative; returned where no smaller one is found.
    """
    dual = target = basis @ known
    slack = dual @ basis
    value = _dual(dual, slack, target)
    identity = np.eye(len(basis))
    for _ in range(MAX_STEPS):
        support = slack > 0
        part = basis[:, support]
        missing = target - part @ slack[support]
        ridge = max(RIDGE * float(missing @ missing) ** 0.5, LEAST_RIDGE)
        step = np.linalg.solve(part @ part.T + ridge * identity, missing)
        slope = step @ basis
        if np.array_equal(slack + slope > 0, support):
            weights = np.linalg.lstsq(part, target, rcond=SINGULAR)[0]
            if np.abs(part @ weights - target).max() <= FITTED and weights.min() >= -FITTED:
                break
        length, rise = 1.0, float(missing @ step)
        while (
            moved := _dual(dual + length * step, slack + length * slope, target)
        ) < value + 1e-4 * length * rise and length > 1e-6:
            length /= 2
        dual, slack, value = dual + length * step, slack + length * slope, moved
    else:
        return known
    smallest = np.zeros(basis.shape[1])
    smallest[support] = np.maximum(weights, 0.0)
    return smallest


def _dual(dual: Floats, slack: Floats, target: Floats) -> float:
    positive = np.maximum(slack, 0.0)
    return float(target @ dual - positive @ positive / 2)
