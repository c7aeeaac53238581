"""Probability that a normal vector lies in a box: smooth in its arguments, without random draws."""

from __future__ import annotations

from functools import cache, reduce

import numpy as np

from jjjpolicy.linalg.types import Floats

TENSOR_POINTS = {1: 100, 2: 64, 3: 28}
SEQUENCE_POINTS = 15
"""Base-two logarithm of the number of points in higher dimensions."""


def normal_box_probability(low: Floats, high: Floats, covariance: Floats) -> float:
    r"""Probability that :math:`N(0, \Sigma)` lies between two corners.

    The transformation of Genz (1992) turns it into an integral over the unit cube with one
    dimension less, which is smooth; it is summed over Gauss-Legendre points up to four dimensions
    (error below 1e-6 unless correlations are close to one) and over a Sobol sequence beyond (below
    1e-4).

    Parameters
    ----------
    low, high : ndarray, shape (dimensions,)
    covariance : ndarray, shape (dimensions, dimensions)
        Positive definite.
    """
    from scipy.special import ndtr, ndtri

    size = len(low)
    if size == 0:
        return 1.0
    root = np.linalg.cholesky(covariance)
    points, weights = _points(size - 1)
    drawn = np.zeros((len(weights), size))
    product = weights.copy()
    for k in range(size):
        shift = drawn[:, :k] @ root[k, :k]
        from_ = ndtr((low[k] - shift) / root[k, k])
        width = ndtr((high[k] - shift) / root[k, k]) - from_
        product *= width
        if k < size - 1:
            inside = np.clip(from_ + points[:, k] * width, 1e-300, 1 - 1e-16)
            drawn[:, k] = ndtri(inside)
    return float(np.clip(product.sum(), 0.0, 1.0))


@cache
def _points(dimensions: int) -> tuple[Floats, Floats]:
    """Points in the unit cube and their weights."""
    if dimensions == 0:
        return np.zeros((1, 0)), np.ones(1)
    if dimensions in TENSOR_POINTS:
        nodes, weights = np.polynomial.legendre.leggauss(TENSOR_POINTS[dimensions])
        grid = np.meshgrid(*[(nodes + 1) / 2] * dimensions, indexing="ij")
        product = reduce(np.multiply.outer, [weights / 2] * dimensions)
        return np.stack([axis.ravel() for axis in grid], axis=1), product.ravel()
    from scipy.stats import qmc

    points = qmc.Sobol(dimensions, seed=0).random_base2(SEQUENCE_POINTS)
    return points, np.full(len(points), 1 / len(points))
