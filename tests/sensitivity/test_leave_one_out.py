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
