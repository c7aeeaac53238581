"""Coefficients beside interactive effects: exact recovery, optimality, the ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from jjjpolicy.linalg.interactive_effects import interactive_coefficients


def problem(noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Simulated: two factors, which the regressors load on as well."""
    rng = np.random.default_rng(seed)
    loadings, factors = rng.normal(size=(20, 2)), rng.normal(size=(2, 12))
    regressors = rng.normal(size=(2, 20, 12)) + 0.5 * loadings @ factors
    outcome = 0.7 * regressors[0] - 0.3 * regressors[1] + loadings @ factors
    return outcome + noise * rng.normal(size=outcome.shape), regressors


def test_coefficients_are_recovered_without_noise() -> None:
    outcome, regressors = problem(0.0)
    assert interactive_coefficients(outcome, regressors, 2) == pytest.approx([0.7, -0.3], abs=1e-6)


def test_without_factors_it_is_least_squares() -> None:
    outcome, regressors = problem(1.0)
    table = regressors.reshape(2, -1).T
    expected = np.linalg.lstsq(table, outcome.ravel(), rcond=None)[0]
    assert interactive_coefficients(outcome, regressors, 0) == pytest.approx(expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_general_minimiser_finds_nothing_lower(rank: int) -> None:
    outcome, regressors = problem(0.3)

    def loss(beta: np.ndarray) -> float:
        values = np.linalg.svd(outcome - np.tensordot(beta, regressors, axes=1), compute_uv=False)
        return float((values[rank:] ** 2).sum())

    found = interactive_coefficients(outcome, regressors, rank)
    options = {"xatol": 1e-10, "fatol": 1e-12}
    lowest = min(
        minimize(loss, start, method="Nelder-Mead", options=options).fun
        for start in (found, [0.7, -0.3], [0.0, 0.0])
    )
    assert loss(found) == pytest.approx(lowest, rel=1e-8)
