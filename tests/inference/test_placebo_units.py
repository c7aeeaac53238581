"""Placebo over units: exactness, ranks, intervals, levels of assignment, size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.inference.permutation.assignments import AssignmentSpace


def fit(frame: pd.DataFrame, estimator: Any = None, **changes: Any) -> jp.Estimate:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    design = jp.Design.from_frame(frame, **(arguments | changes))
    estimate: jp.Estimate = (estimator or jp.synth.SyntheticControl()).fit(design)
    return estimate


def test_one_treated_unit_is_ranked_among_all_controls() -> None:
    frame = simulated_panel(units=12, effect=5.0)
    estimate = fit(frame).with_inference(jp.inference.PlaceboUnits())
    result = estimate.inference
    assert result is not None
    assert result.exact
    assert result.assignments == 11
    assert result.smallest_pvalue == pytest.approx(1 / 12)
    assert estimate.pvalue == pytest.approx(1 / 12)
    assert "1/12" in result.notes[0]


def test_placebos_are_fits_without_the_treated_unit() -> None:
    frame = simulated_panel(units=6)
    estimate = fit(frame).with_inference(jp.inference.PlaceboUnits())
    assert estimate.inference is not None
    assert estimate.inference.reference is not None
    controls = frame.query("unit != 0")
    for unit, placebo in zip(range(1, 6), estimate.inference.reference, strict=True):
        treated = ((controls.unit == unit) & (controls.period >= 2004)).astype(int)
        assert placebo == pytest.approx(fit(controls.assign(treated=treated)).att)
    assert estimate.se == pytest.approx(np.std(estimate.inference.reference))


def test_assignments_of_several_dates_are_enumerated_once_each() -> None:
    space = AssignmentSpace(np.array([2003.0, 2005.0, 2005.0]), 6)
    table = space.enumerate()
    assert space.count == len(table) == 60
    assert len(np.unique(table, axis=0)) == 60
    assert (np.sort(table, axis=1)[:, :3] == [2003, 2005, 2005]).all()


def test_thirty_one_provinces_with_three_dates_have_26970_assignments() -> None:
    assert AssignmentSpace(np.array([2014.0, 2015.0, 2017.0]), 31).count == 26_970


def test_sampling_is_reproducible_and_says_so() -> None:
    frame = simulated_panel(units=20, adoption={0: 2003, 1: 2004, 2: 2005})
    estimates = [
        fit(frame, jp.did.TwoWayFixedEffects()).with_inference(
            jp.inference.PlaceboUnits(replications=50, seed=seed)
        )
        for seed in (1, 1, 2)
    ]
    references = [e.inference.reference for e in estimates if e.inference is not None]
    assert (references[0] == references[1]).all()
    assert not (references[0] == references[2]).all()
    assert estimates[0].inference is not None
    assert not estimates[0].inference.exact
    assert "sample of 50" in estimates[0].inference.notes[0]


def test_workers_do_not_change_the_numbers() -> None:
    frame = simulated_panel(units=9)
    one = fit(frame).with_inference(jp.inference.PlaceboUnits(jobs=1))
    two = fit(frame).with_inference(jp.inference.PlaceboUnits(jobs=2))
    assert one.inference is not None
    assert two.inference is not None
    assert (one.inference.reference == two.inference.reference).all()  # type: ignore[union-attr]


def test_interval_holds_exactly_the_effects_that_are_not_rejected() -> None:
    frame = simulated_panel(units=24, effect=1.0)
    estimate = fit(frame, jp.did.TwoWayFixedEffects()).with_inference(jp.inference.PlaceboUnits())
    low, high = estimate.interval(0.8)
    for tau, inside in [(low + 1e-6, True), (low - 1e-6, False), (high - 1e-6, True)]:
        moved = frame.assign(y=frame.y - tau * frame.treated)
        shifted = fit(moved, jp.did.TwoWayFixedEffects()).with_inference(
            jp.inference.PlaceboUnits()
        )
        assert shifted.pvalue is not None
        assert (shifted.pvalue > 0.2) is inside


def test_the_band_of_an_event_study_holds_all_event_times_of_nineteen_placebos_in_twenty() -> None:
    frame = simulated_panel(units=40, periods=8, adoption={0: 2005}, effect=1.0)
    estimate = fit(frame, jp.did.EventStudy()).with_inference(jp.inference.PlaceboUnits())
    assert estimate.inference is not None
    effects, placebos = estimate.effects, estimate.inference.details["placebo_effects"]
    assert placebos.shape == (39, 8)
    one = fit(frame.query("unit != 0").assign(treated=(frame.unit == 1) & (frame.period >= 2005)),
              jp.did.EventStudy())  # fmt: skip
    assert placebos[0] == pytest.approx(one.effects["estimate"].to_numpy())
    half = (effects["uniform_upper"] - effects["estimate"]).to_numpy()
    outside = (np.abs(placebos) > half + 1e-12).any(axis=1)
    assert outside.sum() == 1  # with the estimate itself 2 of 40
    pointwise = (effects["upper"] - effects["estimate"]).to_numpy()
    assert (half >= pointwise - 1e-12).all()
    reference = effects.set_index("event_time").loc[-1]
    assert reference["uniform_lower"] == reference["uniform_upper"] == 0


def test_interval_is_the_whole_line_when_no_placebo_can_reject() -> None:
    estimate = fit(simulated_panel(units=8)).with_inference(jp.inference.PlaceboUnits())
    assert estimate.interval(0.95) == (-np.inf, np.inf)
    low, high = estimate.interval(0.5)
    assert low < estimate.att < high


def test_intervals_widen_with_their_level() -> None:
    estimate = fit(simulated_panel(units=40)).with_inference(jp.inference.PlaceboUnits())
    narrow, wide = estimate.interval(0.8), estimate.interval(0.95)
    assert wide[0] <= narrow[0] < narrow[1] <= wide[1]


def test_one_sided_tests_look_one_way() -> None:
    frame = simulated_panel(units=12, effect=5.0)
    greater = fit(frame).with_inference(jp.inference.PlaceboUnits(alternative="greater"))
    less = fit(frame).with_inference(jp.inference.PlaceboUnits(alternative="less"))
    assert greater.pvalue == pytest.approx(1 / 12)
    assert less.pvalue == pytest.approx(1.0)


def test_synthetic_control_is_ranked_by_rmspe_ratio_too() -> None:
    frame = simulated_panel(units=12, effect=5.0)
    estimate = fit(frame).with_inference(jp.inference.PlaceboUnits())
    assert estimate.inference is not None
    details = estimate.inference.details
    assert estimate.unit_effects is not None
    assert details["rmspe_ratio"] == pytest.approx(estimate.unit_effects["rmspe_ratio"].item())
    ranked = 1 + (details["placebo_rmspe_ratios"] >= details["rmspe_ratio"]).sum()
    assert details["rmspe_pvalue"] == pytest.approx(ranked / 12)


def test_placebos_move_whole_groups_at_the_level_of_assignment() -> None:
    frame = simulated_panel(units=12, adoption={0: 2004, 1: 2004})
    frame["province"] = frame["unit"] // 2
    estimate = fit(frame, assigned_at="province").with_inference(jp.inference.PlaceboUnits())
    assert estimate.inference is not None
    assert estimate.inference.assignments == 5
    assert "'province'" in estimate.inference.notes[0]


def test_badly_fitted_placebos_are_left_out() -> None:
    frame = simulated_panel(units=20, effect=5.0)
    estimate = fit(frame)
    every = estimate.with_inference(jp.inference.PlaceboUnits())
    some = estimate.with_inference(jp.inference.PlaceboUnits(pre_fit_cutoff=2.0))
    assert every.inference is not None
    assert some.inference is not None
    own = estimate.details["gaps"].pooled_rmspe[0]
    well = every.inference.details["placebo_pre_rmspe"] <= 2.0 * own
    assert 0 < well.sum() < 19
    assert (some.inference.reference == every.inference.reference[well]).all()  # type: ignore[index]
    assert some.pvalue == pytest.approx(1 / (1 + well.sum()))
    assert f"{19 - well.sum()} of 19 placebos left out" in some.inference.notes[-1]


def test_cut_offs_that_make_no_sense_are_refused() -> None:
    frame = simulated_panel(units=6)
    with pytest.raises(jp.InferenceError, match="no placebo has"):
        fit(frame).with_inference(jp.inference.PlaceboUnits(pre_fit_cutoff=1e-9))
    with pytest.raises(jp.InferenceError, match="must be positive"):
        fit(frame).with_inference(jp.inference.PlaceboUnits(pre_fit_cutoff=-1))
    with pytest.raises(jp.InferenceError, match="counterfactual paths"):
        fit(frame, jp.did.TwoWayFixedEffects()).with_inference(
            jp.inference.PlaceboUnits(pre_fit_cutoff=2)
        )


def test_separate_placebos_are_averages_of_one_per_treated_unit() -> None:
    frame = simulated_panel(units=9, periods=8, adoption={0: 2005, 1: 2006}, effect=3.0)
    estimate = fit(frame).with_inference(jp.inference.PlaceboUnits(separate=True))
    result = estimate.inference
    assert result is not None
    assert result.exact
    assert result.assignments == 49
    single = {}
    for unit in range(2, 9):
        for date in (2005, 2006):
            controls = frame.query("unit > 1")
            treated = ((controls["unit"] == unit) & (controls["period"] >= date)).astype(int)
            single[unit, date] = fit(controls.assign(treated=treated)).att
    expected = [
        (4 * single[a, 2005] + 3 * single[b, 2006]) / 7 for a in range(2, 9) for b in range(2, 9)
    ]
    assert np.sort(result.reference) == pytest.approx(np.sort(expected))  # type: ignore[arg-type]
    units = result.details["units"]
    assert list(units["unit"]) == ["0", "1"]
    assert units["pvalue"].to_numpy() == pytest.approx([1 / 8, 1 / 8])
    assert len(result.details["unit_placebos"]) == 14
    after = estimate.effects.query("event_time >= 0")
    assert (after["pvalue"] > 0).all()


def test_separate_placebos_are_sampled_where_there_are_many() -> None:
    frame = simulated_panel(units=9, adoption={0: 2004, 1: 2004})
    method = jp.inference.PlaceboUnits(separate=True, replications=20, seed=3)
    one, two = (fit(frame).with_inference(method).inference for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.assignments == 20
    assert not one.exact
    assert (one.reference == two.reference).all()  # type: ignore[union-attr]


def test_each_cohort_has_its_own_error() -> None:
    frame = simulated_panel(units=12, periods=8, adoption={0: 2005, 1: 2006})
    estimate = fit(frame).with_inference(jp.inference.PlaceboUnits())
    assert estimate.inference is not None
    assert estimate.unit_effects is not None
    table = estimate.by_cohort
    assert list(table["adoption"]) == [2005, 2006]
    assert table["estimate"].to_numpy() == pytest.approx(estimate.unit_effects["att"].to_numpy())
    assert (table["se"] > 0).all()


def test_too_few_controls_are_refused() -> None:
    frame = simulated_panel(units=4, adoption={0: 2004, 1: 2004})
    with pytest.raises(jp.InferenceError, match="there are 2 and 2"):
        fit(frame).with_inference(jp.inference.PlaceboUnits())


def test_test_has_its_size_under_the_null() -> None:
    rejections = [
        fit(simulated_panel(units=20, seed=seed), jp.did.TwoWayFixedEffects())
        .with_inference(jp.inference.PlaceboUnits())
        .pvalue
        <= 0.1  # type: ignore[operator]
        for seed in range(200)
    ]
    assert 0.04 <= np.mean(rejections) <= 0.17


def test_prop99_placebo_error_is_near_the_published_one(answers: Any, prop99_data: Any) -> None:
    # Published: 200 draws with replacement; here all 38 placebos.
    frame = prop99_data
    estimate = fit(
        frame,
        jp.did.TwoWayFixedEffects(),
        unit="State",
        time="Year",
        outcome="PacksPerCapita",
    ).with_inference(jp.inference.PlaceboUnits(replications=200, seed=1))
    published = answers["prop99"]["placebo_se_200_seed12345_R"]["did"]
    assert estimate.se == pytest.approx(published, rel=0.05)
