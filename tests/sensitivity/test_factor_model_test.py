"""Tests of factor models before treatment: a peer's errors, size, power, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import jjjpolicy as jp


def panel(seed: int, units: int = 16, treated: int = 2, drift: float = 0.0) -> jp.Design:
    """Simulated: two factors, unit and period effects; treated units drift before treatment."""
    rng = np.random.default_rng(seed)
    periods = 14
    y = rng.normal(size=(units, 2)) @ rng.normal(size=(2, periods))
    y += rng.normal(size=(units, 1)) + rng.normal(size=periods)
    y += 0.5 * rng.normal(size=y.shape)
    y[:treated] += drift * np.arange(periods) ** 2
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "period": np.tile(np.arange(periods), units),
            "y": y.ravel(),
        }
    )
    frame["treated"] = ((frame.unit < treated) & (frame.period >= 10)).astype(int)
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")


def test_errors_and_bound_on_prop99_are_those_of_a_peer(prop99_data: Any) -> None:
    # StatsPAI 1.40.2, fect(method="mc", lam=60 / (39 * 31), loo=True), which follows R's fect
    design = jp.Design.from_frame(
        prop99_data,
        unit="State",
        time="Year",
        outcome="PacksPerCapita",
        treatment="treated",
    )
    errors = jp.synth.MatrixCompletion(penalty=60.0).left_out_errors(design)[0]
    expected = [13.935108, 6.022342, 1.720817, 2.407798, 3.144670, 2.509092]
    assert errors[:6] == pytest.approx(expected, abs=2e-6)
    assert errors[16:19] == pytest.approx([-2.169095, -2.324480, -5.095467], abs=2e-6)
    assert np.isnan(errors[19:]).all()
    estimate = jp.synth.GeneralizedSyntheticControl(rank=1).fit(design)
    bound = jp.sensitivity.factor_model_test(estimate, periods=1, hidden=1).bound
    assert bound == pytest.approx(4.260003721613, abs=1e-6)


def test_matrix_completion_is_tested_with_its_penalty_held() -> None:
    estimate = jp.synth.MatrixCompletion(penalty=2.0).fit(panel(3, units=8, treated=1))
    found = jp.sensitivity.factor_model_test(estimate, periods=2, hidden=1)
    held = jp.synth.MatrixCompletion(penalty=2.0).left_out_errors(estimate.design)[0, 8:10]
    assert found.effects["estimate"].to_numpy() == pytest.approx(held)
    assert (found.numerator_df, found.denominator_df) == (2, 5)


def test_each_period_is_predicted_by_a_fit_without_it() -> None:
    design = panel(0)
    estimator = jp.synth.GeneralizedSyntheticControl(rank=2)
    errors = estimator.left_out_errors(design)
    from jjjpolicy.synth.generalized import control_factors

    means, factors = control_factors(design.outcome[~design.treated])
    basis = np.column_stack([np.ones(14), factors[:, :2]])
    for left_out in (0, 4, 9):
        rest = np.delete(np.arange(10), left_out)
        path = design.outcome[0] - means
        coefficients = np.linalg.lstsq(basis[rest], path[rest], rcond=None)[0]
        assert errors[0, left_out] == pytest.approx(
            path[left_out] - basis[left_out] @ coefficients, abs=1e-9
        )


def test_the_statistic_is_hotellings() -> None:
    design = panel(1, treated=6)
    estimate = jp.synth.GeneralizedSyntheticControl(rank=1).fit(design)
    found = jp.sensitivity.factor_model_test(estimate, periods=3, from_treated=True)
    errors = estimate.estimator.left_out_errors(design)[:, 7:10]  # type: ignore[attr-defined]
    mean, spread = errors.mean(axis=0), np.cov(errors.T) / 6
    wald = mean @ np.linalg.solve(spread, mean)
    # R's fect: (N - k) / ((N - 1) k), against F with k and N - k degrees of freedom
    statistic = wald * (6 - 3) / (5 * 3)
    assert found.statistic == pytest.approx(statistic)
    assert (found.numerator_df, found.denominator_df) == (3, 3)
    assert found.pvalue == pytest.approx(stats.f.sf(statistic, 3, 3))
    assert found.f_equivalence_pvalue == pytest.approx(stats.ncf.cdf(statistic, 3, 3, 3.0))
    se = np.sqrt(np.diag(spread))
    upper = stats.t.cdf((np.abs(mean) - found.bound) / se, 5)
    assert found.effects["equivalence_pvalue"].to_numpy() == pytest.approx(upper)


def test_without_factors_it_is_hotellings_test_of_two_samples() -> None:
    design = panel(4, units=14, treated=3)
    estimate = jp.synth.GeneralizedSyntheticControl(rank=0).fit(design)
    found = jp.sensitivity.factor_model_test(estimate, periods=4)
    early = design.outcome[:, :10]
    errors = (early - (early.sum(axis=1, keepdims=True) - early) / 9)[:, 6:]
    difference = errors[:3].mean(axis=0) - errors[3:].mean(axis=0)
    covariance = np.cov(errors[3:].T) * (1 / 3 + 1 / 11)
    wald = difference @ np.linalg.solve(covariance, difference)
    assert found.statistic == pytest.approx(wald * 7 / (10 * 4))
    assert (found.numerator_df, found.denominator_df) == (4, 7)


def test_a_true_model_is_rejected_about_as_often_as_the_level_says() -> None:
    estimator = jp.synth.GeneralizedSyntheticControl(rank=2)
    pvalues = []
    for seed in range(40):
        estimate = estimator.fit(panel(seed, units=13, treated=1))
        found = jp.sensitivity.factor_model_test(estimate, periods=3, hidden=2)
        pvalues.append((found.pvalue, found.placebo["pvalue"]))
    rates = (np.array(pvalues) <= 0.1).mean(axis=0)
    assert (rates <= 0.2).all()
    assert np.mean(pvalues) == pytest.approx(0.5, abs=0.1)


def test_a_drift_before_treatment_is_found_and_not_called_equivalent() -> None:
    estimator = jp.synth.GeneralizedSyntheticControl(rank=1)
    drifting = jp.sensitivity.factor_model_test(estimator.fit(panel(2, treated=4, drift=0.2)))
    assert drifting.pvalue < 0.01
    assert drifting.placebo["pvalue"] < 0.05
    assert drifting.equivalence_pvalue > 0.5
    sound = jp.sensitivity.factor_model_test(estimator.fit(panel(2, treated=4)), bound=5.0)
    assert sound.equivalence_pvalue < 0.05
    assert sound.placebo["equivalence_pvalue"] < 0.05


def test_what_cannot_be_tested_is_refused_with_a_way_out() -> None:
    design = panel(0, treated=1)
    with pytest.raises(jp.InferenceError, match="use GeneralizedSyntheticControl"):
        jp.sensitivity.factor_model_test(jp.synth.SyntheticControl().fit(design))
    estimate = jp.synth.GeneralizedSyntheticControl(rank=2).fit(design)
    with pytest.raises(jp.InferenceError, match="leaves 7 to test"):
        jp.sensitivity.factor_model_test(estimate, periods=8)
    with pytest.raises(jp.InferenceError, match="must be positive"):
        jp.sensitivity.factor_model_test(estimate, bound=0.0)
    with pytest.raises(jp.InferenceError, match="two treated groups"):
        jp.sensitivity.factor_model_test(estimate, from_treated=True)
