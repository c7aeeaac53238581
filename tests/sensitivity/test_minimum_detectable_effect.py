"""Minimum detectable effects: closed form, brute force, errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel
from scipy.stats import norm

import jjjpolicy as jp
from jjjpolicy.sensitivity import minimum_detectable_effect


def design_of(frame: pd.DataFrame, **options: str) -> jp.Design:
    return jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated", **options
    )


def test_independent_errors_give_the_textbook_effect() -> None:
    """(1.96 + 0.84) standard errors of a difference in differences, 20 of 40 units treated."""
    frame = simulated_panel(units=100, periods=2, adoption=dict.fromkeys(range(20), 2002))
    grid = [0.1, 0.2, 0.25, 0.3, 0.5]
    found = minimum_detectable_effect(
        design_of(frame), jp.did.TwoWayFixedEffects(), replications=200, effects=grid
    )
    standard_error = 0.3 * np.sqrt(2) * np.sqrt(1 / 20 + 1 / 60)
    expected = (norm.ppf(0.975) + norm.ppf(0.8)) * standard_error
    assert found.effect == pytest.approx(expected, rel=0.15)
    assert found.size == pytest.approx(0.05, abs=0.04)
    assert found.curve["power"].iloc[-1] == pytest.approx(1, abs=0.01)


def test_every_pseudo_policy_is_used_where_they_are_few_and_equals_brute_force() -> None:
    frame = simulated_panel(units=7, adoption={0: 2004})
    estimate = jp.did.TwoWayFixedEffects().fit(design_of(frame))
    found = minimum_detectable_effect(estimate, effects=[0.5])
    assert (found.exact, found.replications) == (True, 6)
    controls = frame[frame["unit"] > 0]
    pvalues = []
    for unit in range(1, 7):
        treated = (controls["unit"] == unit) & (controls["period"] >= 2004)
        moved = controls.assign(treated=treated.astype(int), y=controls["y"] + 0.5 * treated)
        pvalues.append(jp.did.TwoWayFixedEffects().fit(design_of(moved)).pvalue)
    share = np.mean(np.array(pvalues, dtype=float) <= 0.05)
    assert found.curve["power"].iloc[1] == share


def test_the_actual_effect_does_not_matter() -> None:
    small = simulated_panel(units=10, adoption={0: 2004, 1: 2005}, effect=0.0)
    large = simulated_panel(units=10, adoption={0: 2004, 1: 2005}, effect=50.0)
    options = {"replications": 20, "effects": [0.3, 0.6]}
    tables = [
        minimum_detectable_effect(design_of(f), jp.did.TwoWayFixedEffects(), **options).curve
        for f in (small, large)
    ]
    pd.testing.assert_frame_equal(*tables)


def test_methods_without_pvalue_of_their_own_take_an_inference() -> None:
    design = design_of(simulated_panel(units=12, periods=8, adoption={0: 2006}))
    with pytest.raises(jp.InferenceError, match="no p-value of its own"):
        minimum_detectable_effect(design, _scm())
    found = minimum_detectable_effect(
        design, _scm(), jp.inference.PlaceboUnits(), level=0.1, effects=[0.5, 5.0]
    )
    assert found.curve["power"].is_monotonic_increasing
    assert found.curve["power"].iloc[-1] == 1


def _scm() -> jp.synth.SyntheticControl:
    return jp.synth.SyntheticControl()


def test_bundles_move_at_the_level_of_assignment() -> None:
    frame = simulated_panel(units=12, adoption=dict.fromkeys(range(3), 2004))
    frame["province"] = (frame["unit"] // 3).astype(str)
    design = design_of(frame, assigned_at="province")
    found = minimum_detectable_effect(design, jp.did.TwoWayFixedEffects())
    assert found.replications == 3


def test_too_few_controls_and_impossible_options_are_refused() -> None:
    design = design_of(simulated_panel(units=4, adoption={0: 2004, 1: 2004}))
    with pytest.raises(jp.DesignError, match="need 2 pseudo-treated and at least 2 control"):
        minimum_detectable_effect(design, jp.did.TwoWayFixedEffects())
    with pytest.raises(jp.InferenceError, match="power=1.2 must lie"):
        minimum_detectable_effect(design, jp.did.TwoWayFixedEffects(), power=1.2)
    with pytest.raises(jp.DesignError, match="needs an estimator"):
        minimum_detectable_effect(design)
    with pytest.raises(jp.InferenceError, match="effects= must be positive"):
        minimum_detectable_effect(design, jp.did.TwoWayFixedEffects(), effects=[-1.0])
