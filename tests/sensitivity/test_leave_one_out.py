"""Leave one control unit out."""

from __future__ import annotations

import pytest
from panels import simulated_panel

import jjjpolicy as jp


def test_each_donor_with_weight_is_left_out_once() -> None:
    frame = simulated_panel(units=10, periods=8, adoption={0: 2006})
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = jp.synth.SyntheticControl().fit(design)
    table = jp.sensitivity.leave_one_out(estimate)
    assert estimate.weights is not None
    used = estimate.weights.index[estimate.weights[0] > 1e-8]
    assert set(table["left_out"]) == set(used)
    assert table["change"].abs().is_monotonic_decreasing
    first = table.iloc[0]
    without = jp.Design.from_frame(
        frame,
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
        exclude=[first["left_out"]],
    )
    assert first["att"] == pytest.approx(jp.synth.SyntheticControl().fit(without).att)


def test_every_control_counts_for_difference_in_differences() -> None:
    design = jp.Design.from_frame(
        simulated_panel(), unit="unit", time="period", outcome="y", treatment="treated"
    )
    table = jp.sensitivity.leave_one_out(jp.did.TwoWayFixedEffects().fit(design))
    assert len(table) == 7


def test_treated_units_are_left_out_where_others_remain() -> None:
    frame = simulated_panel(units=6, adoption={0: 2004, 1: 2004}, effect=1.0)
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    estimate = jp.did.TwoWayFixedEffects().fit(jp.Design.from_frame(frame, **arguments))
    table = jp.sensitivity.leave_one_out(estimate, treated=True).set_index("left_out")
    assert len(table) == 6
    assert table["treated"].sum() == 2
    without = jp.Design.from_frame(frame, **arguments, exclude=[1])
    expected = jp.did.TwoWayFixedEffects().fit(without).att
    assert table.loc[1, "att"] == pytest.approx(expected, abs=1e-12)


def test_a_single_treated_unit_cannot_be_left_out_and_says_so() -> None:
    design = jp.Design.from_frame(
        simulated_panel(), unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    table = jp.sensitivity.leave_one_out(estimate, treated=True).set_index("left_out")
    assert table.loc[0, "problem"] == "no treated unit is left"
    assert table["att"].isna().sum() == 1


def test_groups_are_left_out_together() -> None:
    frame = simulated_panel(units=9, adoption={0: 2004, 1: 2004, 2: 2004})
    frame["province"] = frame["unit"] // 3
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    design = jp.Design.from_frame(frame, **arguments, assigned_at="province")
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    table = jp.sensitivity.leave_one_out(estimate, level="province").set_index("left_out")
    assert set(table.index) == {(3, 4, 5), (6, 7, 8)}
    without = jp.Design.from_frame(frame, **arguments, exclude=[3, 4, 5])
    expected = jp.did.TwoWayFixedEffects().fit(without).att
    assert table["att"].loc[[(3, 4, 5)]].item() == pytest.approx(expected, abs=1e-12)
