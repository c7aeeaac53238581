"""Residuals from several sets of group effects, without dummies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jjjpolicy.linalg.types import Floats, Integers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TOLERANCE = 1e-14
ACCEPTABLE = 1e-11
MAX_STEPS = 5_000


def group_indicators(codes: Sequence[Integers]) -> csr_array:
    """Sparse indicators of the levels of all factors, side by side.

    Parameters
    ----------
    codes : sequence of ndarray of int, shape (observations,)
        One per factor, 0, 1, … without gaps.

    Returns
    -------
    csr_array, shape (observations, levels)
    """
    from scipy.sparse import csr_array

    n, factors = len(codes[0]), len(codes)
    offsets = np.cumsum([0, *(int(each.max()) + 1 for each in codes)])
    columns = np.stack([each + start for each, start in zip(codes, offsets[:-1], strict=True)], 1)
    pointers = np.arange(0, n * factors + 1, factors)
    return csr_array((np.ones(n * factors), columns.ravel(), pointers), shape=(n, int(offsets[-1])))


def absorb(
    values: Floats, indicators: csr_array, weights: Floats, start: Floats | None = None
) -> tuple[Floats, Floats]:
    """Residuals of a weighted least-squares projection on group effects.

    The normal equations of the effects are solved by conjugate gradients with a diagonal
    preconditioner, which needs no full rank and no reference levels.

    Parameters
    ----------
    values : ndarray, shape (observations, variables)
    indicators : csr_array, shape (observations, levels)
        From :func:`group_indicators`.
    weights : ndarray, shape (observations,)
        Positive.
    start : ndarray, shape (levels, variables), optional
        Effects of a similar problem.

    Returns
    -------
    residuals : ndarray, shape (observations, variables)
    effects : ndarray, shape (levels, variables)

    Raises
    ------
    ArithmeticError
        The equations were not solved to the tolerance.
    """
    from scipy.sparse import dia_array
    from scipy.sparse.linalg import cg

    weighted = indicators.multiply(weights[:, None]).tocsr()
    gram: Any = (indicators.T @ weighted).tocsr()
    diagonal = gram.diagonal()
    preconditioner = dia_array((1 / diagonal[None], [0]), shape=gram.shape)
    effects = np.zeros((gram.shape[0], values.shape[1])) if start is None else start.copy()
    # Rounding is relative to the whole system, not to a right side whose weights are all tiny.
    scales = np.linalg.norm(diagonal) * np.abs(values).max(axis=0)
    for j, right in enumerate((weighted.T @ values).T):
        if not right.any():
            effects[:, j] = 0.0
            continue
        effects[:, j], failed = cg(
            gram,
            right,
            effects[:, j],
            rtol=0.0,
            atol=TOLERANCE * scales[j],
            maxiter=MAX_STEPS,
            M=preconditioner,
        )
        if failed and np.linalg.norm(gram @ effects[:, j] - right) > ACCEPTABLE * scales[j]:
            raise ArithmeticError(f"the group effects were not found in {MAX_STEPS} steps.")
    return values - indicators @ effects, effects
