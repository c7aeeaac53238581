"""What every estimator for staggered adoption does with data that are moved, scaled, shuffled."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import simulated_panel

import jjjpolicy as jp

ESTIMATORS = {
    "Imputation": jp.did.Imputation(pretrends=1),
    "TwoStage": jp.did.TwoStage(leads=True),
    "Stacked": jp.did.Stacked(2, 1, complete_windows=True),
    "DID_M": jp.did.ChaisemartinDHaultfoeuille(),
    "DID_l": jp.did.ChaisemartinDHaultfoeuille("average total effect"),
    "LocalProjections": jp.did.LocalProjections(2, 1),
    "LocalProjections, equal": jp.did.LocalProjections(2, 1, reweight=True),
}
ON_TWO_PERIODS = {
    **ESTIMATORS,
    "Imputation": jp.did.Imputation(),
    "Stacked": jp.did.Stacked(),
    "LocalProjections": jp.did.LocalProjections(),
    "LocalProjections, equal": jp.did.LocalProjections(reweight=True),
}
ADOPTION = {0: 2003, 1: 2003, 2: 2003, 3: 2005, 4: 2005, 5: 2006}


def staggered_frame() -> pd.DataFrame:
    """Simulated and unbalanced."""
    frame = simulated_panel(units=14, periods=7, adoption=ADOPTION, effect=1.0, seed=3)
    return frame.drop(index=[9, 40, 71])


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def numbers(estimator: Any, frame: pd.DataFrame, **changes: Any) -> np.ndarray[Any, Any]:
    """Overall effect, its error, and the effects with their errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jp.JJJPolicyWarning)
        estimate = estimator.fit(design_of(frame, **changes))
    table = estimate.effects[["estimate", "se"]].to_numpy(dtype=float)
    return np.concatenate([[estimate.att, estimate.se], table.ravel()])


@pytest.mark.parametrize("name", list(ON_TWO_PERIODS))
@pytest.mark.parametrize("treated", [1, 3])
def test_two_by_two_is_the_difference_of_differences(name: str, treated: int) -> None:
    adoption = dict.fromkeys(range(treated), 2002)
    frame = simulated_panel(units=8, periods=2, adoption=adoption, effect=1.0)
    wide = frame.pivot(index="unit", columns="period", values="y")
    change = wide[2002] - wide[2001]
    estimate = ON_TWO_PERIODS[name].fit(design_of(frame))
    expected = change[:treated].mean() - change[treated:].mean()
    assert estimate.att == pytest.approx(expected, abs=1e-12)
    assert estimate.effects.set_index("event_time").loc[0, "estimate"] == pytest.approx(expected)


@pytest.mark.parametrize("name", list(ESTIMATORS))
@given(shift=st.floats(-100, 100), scale=st.floats(0.01, 100))
@settings(max_examples=4)
def test_shifts_change_nothing_and_scales_scale(name: str, shift: float, scale: float) -> None:
    frame = staggered_frame()
    base = numbers(ESTIMATORS[name], frame)
    trend = (frame["period"] - 2000) ** 2
    moved = frame.assign(y=scale * (frame["y"] + shift * frame["unit"] + shift * trend))
    after = numbers(ESTIMATORS[name], moved)
    if name == "Stacked":  # no period effects: its errors, not its estimates, see common shocks
        base, after = base[::2], after[::2]
    close = np.isclose(after, scale * base, rtol=1e-6, atol=1e-8 * scale, equal_nan=True)
    assert close.all()


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_order_of_rows_labels_and_coding_of_never_change_nothing(name: str) -> None:
    frame = staggered_frame()
    base = numbers(ESTIMATORS[name], frame)
    shuffled = frame.sample(frac=1, random_state=1)
    assert numbers(ESTIMATORS[name], shuffled) == pytest.approx(base, abs=1e-11, nan_ok=True)
    relabelled = shuffled.assign(unit="u" + (99 - shuffled["unit"]).astype(str))
    assert numbers(ESTIMATORS[name], relabelled) == pytest.approx(base, abs=1e-11, nan_ok=True)
    for never in (0, np.nan):
        coded = frame.assign(first=frame["first"].replace(np.inf, never))
        assert numbers(ESTIMATORS[name], coded) == pytest.approx(base, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_equal_weights_are_no_weights_and_copies_of_units_are_clusters(name: str) -> None:
    frame = staggered_frame()
    base = numbers(ESTIMATORS[name], frame)
    weighted = numbers(ESTIMATORS[name], frame.assign(w=3.0), weights="w")
    assert weighted == pytest.approx(base, rel=1e-9, nan_ok=True)
    twice = pd.concat([frame.assign(copy=0), frame.assign(copy=1)])
    twice = twice.assign(group=twice["unit"], unit=twice["unit"] + 100 * twice["copy"])
    doubled = numbers(ESTIMATORS[name], twice, assigned_at="group")
    assert doubled[::2] == pytest.approx(base[::2], abs=1e-11)
    # Factors that count rows differ a little.
    assert doubled[1::2] == pytest.approx(base[1::2], rel=0.05, nan_ok=True)


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_no_effect_and_no_noise_give_zero_and_a_constant_effect_is_found(name: str) -> None:
    frame = staggered_frame()
    additive = frame["unit"] ** 1.5 + np.sin(frame["period"])
    treated = frame["period"] >= frame["first"]
    for effect in (0.0, 2.5):
        found = numbers(ESTIMATORS[name], frame.assign(y=additive + effect * treated))
        assert found[0] == pytest.approx(effect, abs=1e-10)
        if not name.startswith(("DID", "Stacked")):  # their errors are conservative
            assert np.isnan(found[1])  # nothing is left to measure variation by


def test_imputation_equals_two_stage_everywhere() -> None:
    design = design_of(staggered_frame())
    one, other = jp.did.Imputation().fit(design), jp.did.TwoStage().fit(design)
    assert one.att == pytest.approx(other.att, abs=1e-13)
    assert one.effects["estimate"].tolist() == pytest.approx(other.effects["estimate"].tolist())
    pd.testing.assert_frame_equal(one.unit_effects, other.unit_effects)


def test_equally_weighted_projections_equal_stacking_and_did_l_on_common_cohorts() -> None:
    """At horizon 0 with every cohort in, all three average the same cohort differences."""
    frame = simulated_panel(units=14, periods=7, adoption=ADOPTION, effect=1.0, seed=3)
    design = design_of(frame)
    values = [
        jp.did.LocalProjections(1, 0, reweight=True).fit(design).att,
        jp.did.Stacked(1, 0).fit(design).att,
        jp.did.ChaisemartinDHaultfoeuille().fit(design).att,
    ]
    assert values == pytest.approx([values[0]] * 3, abs=1e-12)
