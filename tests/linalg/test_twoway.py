"""Two-way demeaning and independent columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jjjpolicy.linalg import independent_columns, two_way_demean


def residuals_with_dummies(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    n, periods = values.shape
    observed = ~np.isnan(values)
    unit, period = np.nonzero(observed)
    dummies = np.concatenate([np.eye(n)[unit], np.eye(periods)[period]], axis=1)
    root = np.sqrt(weights[unit])
    fitted = dummies @ np.linalg.lstsq(root[:, None] * dummies, root * values[observed])[0]
    result = np.full_like(values, np.nan)
    result[observed] = values[observed] - fitted
    return result


@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.1, 0.4]))
def test_residuals_equal_those_of_dummies(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(7, 5))
    values[rng.random(size=values.shape) < share] = np.nan
    values = values[~np.isnan(values).all(axis=1)]
    weights = rng.uniform(0.5, 3.0, size=len(values))
    result = two_way_demean(values, weights)
    expected = residuals_with_dummies(values, weights)
    assert result == pytest.approx(expected, abs=1e-10, nan_ok=True)


def test_several_variables_are_demeaned_alike() -> None:
    values = np.random.default_rng(0).normal(size=(6, 4, 3))
    values[2, 1] = np.nan
    together = two_way_demean(values)
    for k in range(3):
        assert together[:, :, k] == pytest.approx(two_way_demean(values[:, :, k]), nan_ok=True)


def test_dependent_columns_are_found_in_order() -> None:
    x = np.random.default_rng(0).normal(size=(20, 4))
    x[:, 2] = x[:, 0] - 2 * x[:, 1]
    assert independent_columns(x.T @ x) == [0, 1, 3]
    assert independent_columns(np.zeros((2, 2))) == []


def test_a_large_panel_with_gaps_is_demeaned_exactly() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(290, 16)) + np.linspace(0, 1, 16)
    values[rng.random(size=values.shape) < 0.1] = np.nan
    result = two_way_demean(values)
    assert np.abs(np.nansum(result, axis=0)).max() < 1e-10
    assert np.abs(np.nansum(result, axis=1)).max() < 1e-10


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_what_the_effects_explain_leaves_zeros_and_is_dependent(share: float) -> None:
    rng = np.random.default_rng(3)
    fixed = np.repeat(rng.normal(size=(10, 1)), 6, axis=1) * 1e6
    common = np.repeat(rng.normal(size=(1, 6)), 10, axis=0)
    values = np.stack([fixed, common, fixed + common, rng.normal(size=(10, 6))], axis=2)
    values[rng.random(size=(10, 6)) < share] = np.nan
    residuals = np.nan_to_num(two_way_demean(values))
    assert not residuals[:, :, :3].any()
    assert independent_columns(np.einsum("itk,itl->kl", residuals, residuals)) == [3]
