"""Quadratic forms on the unit simplex, for many matrices that are alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.linalg.simplex import a_minimiser
from jjjpolicy.linalg.types import Floats

REGULAR = 1e-6
"""Smallest over largest eigenvalue on the support with which the weights have ten digits."""
OPTIMAL = 1e-13
"""Reduced gradient, relative to the trace, that is rounding."""


def gram_weights(grams: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Minimise ``w'Gw`` over ``w >= 0, sum(w) = 1`` for each matrix.

    Matrices that are alike mostly share the support of their minimisers. One problem is solved by
    an active set, its support is tried for all that are open, and those for which the conditions of
    an optimum hold are done.

    Parameters
    ----------
    grams : ndarray, shape (problems, columns, columns)
        Positive definite.

    Returns
    -------
    weights : ndarray, shape (problems, columns)
    solved : ndarray of bool, shape (problems,)
        Whether the weights are exact up to rounding; where a matrix is nearly singular on the
        support they are not.
    """
    weights, solved = np.zeros(grams.shape[:2]), np.zeros(len(grams), dtype=bool)
    open_ = np.arange(len(grams))
    while len(open_):
        values, vectors = np.linalg.eigh(grams[open_[0]])
        factor = np.sqrt(np.clip(values, 0.0, None))[:, None] * vectors.T
        support = np.flatnonzero(a_minimiser(factor) > 0)
        own = grams[open_]
        inner = own[:, support[:, None], support]
        values = np.linalg.eigvalsh(inner)
        regular = values[:, 0] > REGULAR * values[:, -1]
        inner[~regular] = np.eye(len(support))
        found = np.linalg.solve(inner, np.ones((len(own), len(support), 1)))[:, :, 0]
        found /= found.sum(axis=1, keepdims=True)
        gradient = np.einsum("pcs,ps->pc", own[:, :, support], found)
        level = np.einsum("ps,ps->p", found, gradient[:, support])
        slack = OPTIMAL * np.trace(own, axis1=1, axis2=2)
        optimal = regular & (found.min(axis=1) >= 0) & (gradient.min(axis=1) >= level - slack)
        weights[open_[optimal][:, None], support] = found[optimal]
        solved[open_[optimal]] = True
        optimal[0] = True
        open_ = open_[~optimal]
    return weights, solved
