"""Probabilities of boxes under a normal distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from jjjpolicy.linalg.normal_box import normal_box_probability


@pytest.mark.parametrize(("size", "tolerance"), [(1, 1e-14), (2, 1e-12), (4, 1e-6), (7, 1e-4)])
def test_equicorrelated_boxes_equal_the_one_dimensional_integral(
    size: int, tolerance: float
) -> None:
    """With correlation 1/2 the components are independent given one common factor."""
    half = np.sqrt(0.5)

    def given_factor(z: float) -> float:
        inside = norm.cdf((2.5 - half * z) / half) - norm.cdf((-1.5 - half * z) / half)
        return float(norm.pdf(z) * inside**size)

    expected = quad(given_factor, -9, 9, epsabs=1e-13)[0]
    covariance = 0.5 * (np.eye(size) + np.ones((size, size)))
    found = normal_box_probability(np.full(size, -1.5), np.full(size, 2.5), covariance)
    assert found == pytest.approx(expected, abs=tolerance)


def test_independent_boxes_are_products() -> None:
    low, high = np.array([-1.0, 0.0, -np.inf]), np.array([2.0, 1.5, 0.3])
    expected = np.prod(norm.cdf(high) - norm.cdf(low))
    assert normal_box_probability(low, high, np.eye(3)) == pytest.approx(expected, abs=1e-14)
