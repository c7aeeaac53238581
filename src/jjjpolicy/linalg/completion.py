"""Matrices with hidden cells, completed by two-way effects and a part of low nuclear norm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import warn_user
from jjjpolicy.linalg.fixed_points import fixed_points

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

MOST_STEPS = 20_000


def complete(
    outcome: Floats,
    observed: Booleans,
    penalty: Floats,
    start: Floats | None = None,
    tolerance: float = 1e-10,
) -> Floats:
    """Matrices whose hidden cells are those of their own fit (:func:`two_way_and_low_rank`).

    Repeated imputation (Mazumder, Hastie and Tibshirani 2010) is a proximal gradient method; its
    fixed points are found for all matrices at once.

    Parameters
    ----------
    outcome : ndarray, shape (units, periods)
    observed : ndarray of bool, shape (matrices, units, periods)
        Which cells of the outcome each matrix has.
    penalty : ndarray, shape (matrices,)
        Infinite: effects only.
    start : ndarray, shape (matrices, units, periods) or (units, periods), optional
        Where the search for the hidden cells begins.
    tolerance : float
        Largest change of a hidden cell, relative to the standard deviation of the observed.

    Returns
    -------
    ndarray, shape (matrices, units, periods)

    Warns
    -----
    JJJPolicyWarning
        The steps did not suffice.
    """
    cells = observed.sum(axis=(1, 2))
    means = np.where(observed, outcome, 0.0).sum(axis=(1, 2)) / cells
    deviations = np.where(observed, outcome - means[:, None, None], 0.0)
    limit = tolerance * np.sqrt((deviations**2).sum(axis=(1, 2)) / cells)
    filled = np.where(observed, outcome, means[:, None, None] if start is None else start)
    flat, shape = observed.reshape(len(observed), -1), outcome.shape

    def image(points: Floats, rows: Integers) -> Floats:
        fitted, _ = two_way_and_low_rank(points.reshape(-1, *shape), penalty[rows])
        return np.where(flat[rows], points, fitted.reshape(points.shape))

    found, moves = fixed_points(image, filled.reshape(flat.shape), limit, MOST_STEPS)
    if (moves > limit).any():
        warn_user(
            f"matrix completion stopped after {MOST_STEPS:,} steps with fitted values still moving "
            f"by {moves[moves > limit].max():.2g}; a larger penalty= settles sooner."
        )
    return found.reshape(observed.shape)


def two_way_and_low_rank(filled: Floats, penalty: Floats) -> tuple[Floats, Floats]:
    """Fits by row effects, column effects and a part of low rank, and that part.

    Parameters
    ----------
    filled : ndarray, shape (matrices, units, periods)
    penalty : ndarray, shape (matrices,)
        What is taken off the singular values.

    Returns
    -------
    fitted, low_rank : ndarray, shape (matrices, units, periods)
    """
    rows, columns = filled.mean(axis=2, keepdims=True), filled.mean(axis=1, keepdims=True)
    additive = rows + columns - columns.mean(axis=2, keepdims=True)
    low_rank = _shrunk(filled - additive, penalty)
    return additive + low_rank, low_rank


def _shrunk(matrices: Floats, penalty: Floats) -> Floats:
    """Singular values less the penalty, from the eigenvalues of the smaller Gram matrix."""
    if not np.isfinite(penalty).any():
        return np.zeros_like(matrices)
    wide = matrices.shape[1] < matrices.shape[2]
    tall = matrices.swapaxes(1, 2) if wide else matrices
    squares, vectors = np.linalg.eigh(tall.swapaxes(1, 2) @ tall)
    values = np.sqrt(np.maximum(squares, 0.0))
    kept = values > penalty[:, None]
    shares = np.zeros_like(values)
    np.divide(penalty[:, None], values, out=shares, where=kept)
    factors = np.where(kept, 1.0 - shares, 0.0)
    shrunk: Floats = tall @ ((vectors * factors[:, None, :]) @ vectors.swapaxes(1, 2))
    return shrunk.swapaxes(1, 2) if wide else shrunk
