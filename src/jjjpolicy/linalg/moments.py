"""Sums of products over many selections of the same points."""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.types import Floats

PAIRS = 128
"""Products of two coordinates that are summed at once."""

FEW = 8
"""Selections that share too little."""


def sums_of_products(points: Floats, weights: Floats) -> Floats:
    """``sum_j weights[p, j] points[j] points[j]'`` for each selection ``p``.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
    weights : ndarray, shape (selections, points)

    Returns
    -------
    ndarray, shape (selections, coordinates, coordinates)
    """
    size = points.shape[1]
    if len(weights) < FEW:
        each: Floats = np.matmul(points.T * weights[:, None, :], points)
        return each
    first, second = np.triu_indices(size)
    found = np.empty((len(weights), size, size))
    for start in range(0, len(first), PAIRS):
        i, j = first[start : start + PAIRS], second[start : start + PAIRS]
        sums = weights @ (points[:, i] * points[:, j])
        found[:, i, j] = sums
        found[:, j, i] = sums
    return found
