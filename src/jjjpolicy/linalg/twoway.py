"""Residuals from unit and period effects, without dummies and without iteration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.linalg.types import Floats

ROUNDING = 1e-26
"""Share of a sum of squares that rounding leaves of what the effects explain in full."""


def two_way_demean(values: Floats, weights: Floats | None = None) -> Floats:
    r"""Residuals of a least-squares projection on unit and period effects.

    On a balanced panel these are :math:`y_{it} - \bar y_i - \bar y_t + \bar y`. With absent cells
    the unit effects are concentrated out, and the period effects solve the remaining
    (periods × periods) normal equations (the Frisch-Waugh-Lovell theorem); the result is exact.
    A variable that the effects explain in full has residuals of zero, not of rounding.

    Parameters
    ----------
    values : ndarray, shape (units, periods) or (units, periods, variables)
        ``nan`` marks absent cells; the same cells in every variable.
    weights : ndarray, shape (units,), optional

    Returns
    -------
    ndarray
        Same shape as ``values``; absent cells stay ``nan``.
    """
    stacked = values if values.ndim == 3 else values[:, :, None]
    w = np.ones(len(stacked)) if weights is None else weights
    observed = ~np.isnan(stacked[:, :, 0])
    if observed.all():
        by_unit = stacked - stacked.mean(axis=1, keepdims=True)
        result = by_unit - np.tensordot(w / w.sum(), by_unit, axes=1)[None]
    else:
        result = _demean_with_gaps(stacked, observed, w)
    result = without_rounding(result, stacked)
    shaped: Floats = result if values.ndim == 3 else result[:, :, 0]
    return shaped


def without_rounding(residuals: Floats, values: Floats) -> Floats:
    """The residuals, with zeros for variables of which nothing but rounding is left.

    Parameters
    ----------
    residuals, values : ndarray, shape (units, periods, variables)
        ``nan`` marks absent cells.
    """
    left = np.nansum(residuals**2, axis=(0, 1))
    explained = left <= ROUNDING * np.nansum(values**2, axis=(0, 1))
    return (
        np.where(explained & ~np.isnan(residuals), 0.0, residuals) if explained.any() else residuals
    )


def _demean_with_gaps(stacked: Floats, observed: NDArray[np.bool_], w: Floats) -> Floats:
    seen = observed.astype(float)
    counts = seen.sum(axis=1)
    filled = np.where(observed[:, :, None], stacked, 0.0)
    by_unit = (filled - filled.sum(axis=1, keepdims=True) / counts[:, None, None]) * seen[
        :, :, None
    ]
    gram = np.diag(w @ seen) - (seen * (w / counts)[:, None]).T @ seen
    right = np.tensordot(w, by_unit, axes=1)
    period_effects = np.linalg.pinv(gram, rcond=1e-11, hermitian=True) @ right
    expected = np.where(observed[:, :, None], period_effects[None], 0.0)
    expected -= expected.sum(axis=1, keepdims=True) / counts[:, None, None] * seen[:, :, None]
    result: Floats = by_unit - expected
    result[~observed] = np.nan
    return result


def independent_columns(gram: Floats, tolerance: float = 1e-10) -> list[int]:
    """Columns that are not linear combinations of the columns before them.

    Parameters
    ----------
    gram : ndarray, shape (columns, columns)
        Cross products X'X.
    tolerance : float
        A column counts as dependent when the share of its sum of squares that the kept columns
        leave unexplained is at most this.
    """
    squares = np.diagonal(gram)
    try:
        unexplained = np.diagonal(np.linalg.cholesky(gram)) ** 2
    except np.linalg.LinAlgError:
        unexplained = np.zeros(len(gram))
    if (unexplained > tolerance * squares).all():
        return list(range(len(gram)))
    kept: list[int] = []
    left = np.array(gram, dtype=float)
    for j in range(len(gram)):
        if squares[j] > 0 and left[j, j] > tolerance * squares[j]:
            kept.append(j)
            left[j + 1 :, j + 1 :] -= np.outer(left[j + 1 :, j], left[j, j + 1 :] / left[j, j])
    return kept
