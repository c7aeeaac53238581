"""Placebo dates and clustered errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def fit(frame: Any, estimator: Any, **changes: Any) -> jp.Estimate:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    estimate: jp.Estimate = estimator.fit(jp.Design.from_frame(frame, **(arguments | changes)))
    return estimate


def test_placebo_dates_use_only_periods_before_treatment() -> None:
    frame = simulated_panel(periods=12, adoption={0: 2010}, effect=50.0)
    estimate = fit(frame, jp.synth.SyntheticControl()).with_inference(
        jp.inference.PlaceboPeriods(minimum_pre_periods=4)
    )
    assert estimate.inference is not None
    dates = estimate.inference.details["dates"]
    assert dates["period"].tolist() == [2005, 2006, 2007, 2008, 2009]
    assert (dates["estimate"].abs() < 10).all()
    assert estimate.pvalue == pytest.approx(1 / 6)
    before = frame.query("period < 2010")
    moved = before.assign(treated=((before.unit == 0) & (before.period >= 2007)).astype(int))
    assert dates["estimate"][2] == pytest.approx(fit(moved, jp.synth.SyntheticControl()).att)


def test_placebo_dates_give_no_interval_and_say_so() -> None:
    frame = simulated_panel(periods=10, adoption={0: 2008})
    estimate = fit(frame, jp.did.TwoWayFixedEffects()).with_inference(jp.inference.PlaceboPeriods())
    assert estimate.se is None
    with pytest.raises(jp.InferenceError, match="no interval"):
        estimate.interval()


def test_too_few_periods_before_treatment_are_refused() -> None:
    frame = simulated_panel(periods=6, adoption={0: 2004})
    with pytest.raises(jp.InferenceError, match="minimum_pre_periods"):
        fit(frame, jp.synth.SyntheticControl()).with_inference(jp.inference.PlaceboPeriods(3))


def test_clustering_at_the_level_of_assignment_is_what_fit_attaches() -> None:
    frame = simulated_panel(units=12, adoption={0: 2004, 1: 2004})
    frame["province"] = frame["unit"] // 2
    estimate = fit(frame, jp.did.TwoWayFixedEffects(), assigned_at="province")
    again = estimate.with_inference(jp.inference.Clustered())
    by_unit = estimate.with_inference(jp.inference.Clustered("unit"))
    assert again.se == pytest.approx(estimate.se)
    assert by_unit.se != pytest.approx(estimate.se)


def test_clustering_is_refused_where_there_is_no_influence_function() -> None:
    estimate = fit(simulated_panel(), jp.synth.SyntheticControl())
    with pytest.raises(jp.InferenceError, match="no influence function"):
        estimate.with_inference(jp.inference.Clustered())


def test_placebo_unit_and_date_leave_the_estimate_alone() -> None:
    frame = simulated_panel(periods=10, adoption={0: 2008})
    estimate = fit(frame, jp.did.TwoWayFixedEffects())
    for method in (jp.inference.PlaceboPeriods(), jp.inference.PlaceboUnits()):
        assert estimate.with_inference(method).att == estimate.att
    assert np.isfinite(estimate.att)


def test_effects_that_differ_in_number_between_placebo_dates_are_no_obstacle() -> None:
    frame = simulated_panel(periods=12, adoption={0: 2010, 3: 2010}, effect=50.0)
    estimate = fit(frame, jp.did.ExtendedTWFE()).with_inference(jp.inference.PlaceboPeriods(4))
    assert estimate.inference is not None
    assert estimate.inference.assignments == 5
    assert estimate.pvalue == pytest.approx(1 / 6)
