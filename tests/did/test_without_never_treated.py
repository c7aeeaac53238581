"""Event studies without never-treated units: two normalisations, named, and effects kept."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def noise_free(cohorts: tuple[int, ...], periods: int = 14) -> pd.DataFrame:
    """An effect of exactly 1 from adoption on; unit and period effects; no noise."""
    frame = simulated_panel(units=12, periods=periods, adoption={})
    first = np.array(cohorts)[np.arange(12) % len(cohorts)]
    frame["first"] = first[frame["unit"]]
    time = frame["period"] - 2001
    frame["y"] = 1.3 * frame["unit"] + np.sin(time) + (frame["period"] >= frame["first"])
    return frame


def build(frame: pd.DataFrame) -> jp.Design:
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")


@pytest.mark.parametrize(
    ("cohorts", "zero"),
    [
        ((2007, 2011), [-10, -9, -8, -7]),  # periods four apart: a pattern of four is free
        ((2007, 2010), [-9, -8, -7]),
        ((2006, 2007, 2009), [-8]),  # no common divisor: a trend alone is free
    ],
)
def test_the_earliest_event_times_are_set_to_zero_and_effects_come_out(
    cohorts: tuple[int, ...], zero: list[int]
) -> None:
    with pytest.warns(jp.JJJPolicyWarning, match=f"{zero[0]}.*set to zero.*SunAbraham"):
        estimate = jp.did.EventStudy().fit(build(noise_free(cohorts)))
    assert estimate.details["normalised"] == zero
    effects = estimate.effects.set_index("event_time")["estimate"]
    assert estimate.att == pytest.approx(1, abs=1e-9)
    assert effects.to_numpy() == pytest.approx((effects.index >= 0).astype(float), abs=1e-9)
    assert any("departures from a trend" in note for note in estimate.inference.notes)


def test_the_table_of_two_way_fixed_effects_follows() -> None:
    estimate = jp.did.TwoWayFixedEffects().fit(build(noise_free((2007, 2010))))
    with pytest.warns(jp.JJJPolicyWarning, match="set to zero"):
        effects = estimate.effects.set_index("event_time")["estimate"]
    assert effects.to_numpy() == pytest.approx((effects.index >= 0).astype(float), abs=1e-9)


@pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")
def test_unit_trends_need_one_more() -> None:
    estimate = jp.did.EventStudy(unit_trends=True).fit(build(noise_free((2006, 2007, 2009))))
    effects = estimate.effects.set_index("event_time")["estimate"]
    assert estimate.details["normalised"] == [-7]
    assert effects[0] == pytest.approx(1, abs=1e-9)


@pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")
def test_honest_did_has_no_trend_to_bound() -> None:
    frame = noise_free((2006, 2007, 2009))
    frame["y"] += np.random.default_rng(1).normal(size=len(frame))
    with pytest.raises(jp.InferenceError, match=r"set to zero.*SunAbraham"):
        jp.sensitivity.honest_did(jp.did.EventStudy().fit(build(frame)))


def test_with_never_treated_units_nothing_is_set_to_zero() -> None:
    frame = noise_free((2006, 2007, 0))
    frame["y"] -= frame["first"] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = jp.did.EventStudy().fit(build(frame))
    assert estimate.details["normalised"] == []
