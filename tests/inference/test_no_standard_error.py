"""Nothing left to measure variation by is no standard error, and not certainty."""

from __future__ import annotations

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp

ESTIMATORS = [
    jp.did.TwoWayFixedEffects(),
    jp.did.EventStudy(),
    jp.did.CallawaySantAnna(),
    jp.did.SunAbraham(),
    jp.did.Imputation(),
    jp.did.TwoStage(),
    jp.did.ExtendedTWFE(),
    jp.did.Stacked(),
    jp.did.LocalProjections(),
    jp.did.ChaisemartinDHaultfoeuille(),
]
METHODS = [
    None,
    jp.inference.Clustered(),
    jp.inference.InfluenceFunction(),
    jp.inference.MultiplierBootstrap(replications=99),
]


def build(constant: bool = False, units: int = 12) -> jp.Design:
    frame = simulated_panel(units=units, adoption=dict.fromkeys(range(units // 2), 2004))
    if constant:
        frame["y"] = 0.1
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: each.label)
def test_an_outcome_that_does_not_vary_has_none(
    estimator: jp.did.EventStudy, method: jp.inference.Clustered | None
) -> None:
    estimate = estimator.fit(build(constant=True))
    if method is not None:
        estimate = estimate.with_inference(method)
    assert estimate.att == pytest.approx(0, abs=1e-12)
    assert np.isnan(estimate.se)
    assert np.isnan(estimate.effects["se"]).all()
    assert any("No standard error" in note for note in estimate.inference.notes)
    estimate.plot()


@pytest.mark.parametrize(
    "estimator", [jp.did.CallawaySantAnna(), jp.did.TwoStage(), jp.did.TwoWayFixedEffects()]
)
def test_a_saturated_comparison_has_none(estimator: jp.did.CallawaySantAnna) -> None:
    """One treated and one control unit, two periods: four numbers, four parameters."""
    frame = simulated_panel(units=2, periods=2, adoption={0: 2002})
    design = jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")
    estimate = estimator.fit(design)
    y = design.outcome
    assert estimate.att == pytest.approx(y[0, 1] - y[0, 0] - y[1, 1] + y[1, 0], abs=1e-12)
    assert np.isnan([estimate.se, estimate.pvalue, *estimate.interval()]).all()
    assert any("fitted exactly" in note for note in estimate.inference.notes)


def test_a_bootstrap_of_nothing_gives_no_interval() -> None:
    frame = simulated_panel(units=2, periods=2, adoption={0: 2002})
    design = jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")
    method = jp.inference.MultiplierBootstrap(replications=99)
    estimate = jp.did.CallawaySantAnna().fit(design).with_inference(method)
    assert np.isnan([estimate.se, estimate.pvalue, *estimate.interval()]).all()
    assert estimate.effects[["se", "lower", "upper"]].isna().all(axis=None)


def test_a_small_standard_error_is_one() -> None:
    design = build()
    whole = jp.did.CallawaySantAnna().fit(design)
    small = jp.did.CallawaySantAnna().fit(design.with_outcome(1e-9 * design.outcome))
    assert small.se == pytest.approx(1e-9 * whole.se)


def test_bands_of_nothing_are_refused() -> None:
    estimate = jp.did.Stacked().fit(build(constant=True))
    with pytest.raises(jp.InferenceError, match="no effect by event time has a standard error"):
        jp.inference.uniform_bands(estimate)
