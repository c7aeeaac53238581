"""Jackknife: another package's numbers, definitions, groups, cohorts, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.linalg.frank_wolfe import FrankWolfe


def fit(estimator: Any = None, assigned_at: str | None = None, **changes: Any) -> jp.Estimate:
    arguments = {"units": 15, "periods": 12, "adoption": {0: 2009, 1: 2009, 2: 2009}, "seed": 3}
    frame = simulated_panel(**(arguments | changes))
    frame["province"] = frame["unit"] // 2
    design = jp.Design.from_frame(
        frame,
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
        assigned_at=assigned_at,
    )
    estimate: jp.Estimate = (estimator or jp.synth.SyntheticDiD()).fit(design)
    return estimate


def result_of(estimate: jp.Estimate) -> Any:
    assert estimate.inference is not None
    return estimate.inference


def test_synthetic_did_holds_its_weights() -> None:
    estimate = fit()
    left_out = result_of(estimate.with_inference(jp.inference.Jackknife())).details["left_out"]
    design, weights = estimate.design, estimate.weights
    lambda_ = estimate.details["lambda"][2009].to_numpy()
    assert weights is not None
    for gone in (0, 5):
        omega = weights[1].drop(gone, errors="ignore")
        omega = omega / omega.sum()
        treated = [i for i in range(3) if i != gone]
        gap = design.outcome[treated].mean(axis=0) - omega @ design.outcome[omega.index]
        expected = gap[design.periods >= 2009].mean() - gap @ lambda_
        assert left_out[gone] == pytest.approx(expected)


def test_error_is_that_of_another_package() -> None:
    # azcausal 0.2.5: SDID and JackKnife on this panel, with the authors' solver.
    estimate = fit(jp.synth.SyntheticDiD(solver=FrankWolfe()), effect=1.0)
    assert estimate.att == pytest.approx(1.1603045008578512, rel=1e-9)
    assert estimate.with_inference(jp.inference.Jackknife()).se == pytest.approx(
        0.13125853921344716, rel=1e-6
    )


def test_variance_is_the_scaled_sum_of_squares() -> None:
    estimate = fit().with_inference(jp.inference.Jackknife())
    left_out = result_of(estimate).details["left_out"]
    expected = np.sqrt(14 / 15 * ((left_out - estimate.att) ** 2).sum())
    assert estimate.se == pytest.approx(expected)
    low, high = estimate.interval(0.9)
    assert low < estimate.att < high
    assert estimate.effects["se"].notna().all()


def test_bands_of_another_method_do_not_stay() -> None:
    estimate = fit(jp.did.EventStudy())
    banded = estimate.with_inference(jp.inference.MultiplierBootstrap(replications=49))
    assert "uniform_lower" in banded.effects
    again = banded.with_inference(jp.inference.Jackknife()).effects
    alone = estimate.with_inference(jp.inference.Jackknife()).effects
    assert list(again.columns) == ["event_time", "estimate", "se", "lower", "upper"]
    assert again["se"].to_numpy() == pytest.approx(alone["se"].to_numpy(), nan_ok=True)


def test_other_estimators_are_fitted_again() -> None:
    estimate = fit(jp.synth.SyntheticControl())
    left_out = result_of(estimate.with_inference(jp.inference.Jackknife())).details["left_out"]
    keep = np.arange(15) != 4
    without = jp.synth.SyntheticControl().fit(estimate.design.keep_units(keep, "test"))
    assert left_out[4] == pytest.approx(without.att)
    two = estimate.with_inference(jp.inference.Jackknife(jobs=2))
    assert (result_of(two).details["left_out"] == left_out).all()


def test_whole_groups_are_left_out_at_the_level_of_assignment() -> None:
    estimate = fit(adoption=dict.fromkeys(range(4), 2009), assigned_at="province")
    found = estimate.with_inference(jp.inference.Jackknife())
    assert len(result_of(found).details["left_out"]) == 8
    assert "by province" in result_of(found).name
    by_unit = estimate.with_inference(jp.inference.Jackknife(level="unit"))
    assert len(result_of(by_unit).details["left_out"]) == 15


def test_each_cohort_has_its_own_error() -> None:
    estimate = fit(adoption={0: 2007, 1: 2007, 2: 2009, 3: 2009, 4: 2010})
    cohorts = estimate.with_inference(jp.inference.Jackknife()).by_cohort
    assert list(cohorts["adoption"]) == [2007, 2009, 2010]
    assert list(cohorts["se"].notna()) == [True, True, False]
    table = estimate.details["cohorts"]
    assert cohorts["estimate"].to_numpy() == pytest.approx(table["att"].to_numpy())


def test_one_treated_group_is_refused() -> None:
    with pytest.raises(jp.InferenceError, match="two treated groups"):
        fit(adoption={0: 2009}).with_inference(jp.inference.Jackknife())


def test_weights_that_make_no_counterfactual_cannot_be_held() -> None:
    estimate = fit(jp.synth.AugmentedSyntheticControl())
    with pytest.raises(jp.InferenceError, match="fixed_weights=False"):
        estimate.with_inference(jp.inference.Jackknife(fixed_weights=True))


def test_a_donor_with_all_weight_is_named() -> None:
    estimate = fit(jp.synth.PenalizedSyntheticControl(penalty=1e6))
    with pytest.raises(jp.InferenceError, match="no donor with weight is left"):
        estimate.with_inference(jp.inference.Jackknife(fixed_weights=True))
