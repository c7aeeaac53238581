r"""Least squares with interactive effects: coefficients beside a matrix of given rank."""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.types import Floats


def interactive_coefficients(outcome: Floats, regressors: Floats, rank: int) -> Floats:
    r"""Minimise :math:`\|Y - \sum_k \beta_k X_k - \Lambda F'\|^2` over coefficients and factors.

    Given the coefficients the factors are principal components of what is left (Bai 2009, section
    3); with the factors concentrated out, Gauss-Newton steps regress on what factors and loadings
    leave of both sides (Moon and Weidner 2015, section 3). The sum of squares has several local
    minima in general; the search starts from no factors and never goes uphill.

    Parameters
    ----------
    outcome : ndarray, shape (units, periods)
        Unit and period effects taken out.
    regressors : ndarray, shape (regressors, units, periods)
        Likewise, and linearly independent.
    rank : int

    Returns
    -------
    ndarray, shape (regressors,)
    """
    flat = regressors.reshape(len(regressors), -1)
    beta = np.linalg.solve(flat @ flat.T, flat @ outcome.ravel())
    if rank == 0:
        return np.asarray(beta)
    value, left, right = _components(outcome - np.tensordot(beta, regressors, axes=1), rank)
    for _ in range(500):
        residual = outcome - np.tensordot(beta, regressors, axes=1)
        free = np.stack([_without(x, left, right) for x in regressors]).reshape(len(flat), -1)
        step = np.linalg.lstsq(free.T, _without(residual, left, right).ravel(), rcond=None)[0]
        length = 1.0
        while length > 1e-10:
            tried = beta + length * step
            found = _components(outcome - np.tensordot(tried, regressors, axes=1), rank)
            if found[0] <= value:
                break
            length /= 2
        else:
            break
        moved = float(np.abs(tried - beta).max())
        beta, (value, left, right) = tried, found
        if moved <= 1e-13 * max(float(np.abs(beta).max()), 1e-300):
            break
    return np.asarray(beta)


def _components(residual: Floats, rank: int) -> tuple[float, Floats, Floats]:
    """Sum of squares without the first components, and their left and right vectors."""
    left, values, right = np.linalg.svd(residual, full_matrices=False)
    return float((values[rank:] ** 2).sum()), left[:, :rank], right[:rank].T


def _without(matrix: Floats, left: Floats, right: Floats) -> Floats:
    part = matrix - left @ (left.T @ matrix)
    rest: Floats = part - (part @ right) @ right.T
    return rest
