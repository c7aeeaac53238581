"""Conformal inference and the debiased t-test: size, levels, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def design_of(**changes: Any) -> jp.Design:
    return jp.Design.from_frame(
        simulated_panel(**({"units": 10, "periods": 20, "adoption": {0: 2019}} | changes)),
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
    )


def test_p_values_are_uniform_under_the_null() -> None:
    zero = jp.synth.GeneralizedSyntheticControl(rank=0)
    values = [
        zero.fit(design_of(seed=s)).with_inference(jp.inference.Conformal()).pvalue
        for s in range(200)
    ]
    assert np.mean(np.array(values) <= 0.1) == pytest.approx(0.1, abs=0.06)
    assert np.mean(np.array(values) <= 0.5) == pytest.approx(0.5, abs=0.11)


@pytest.mark.parametrize(
    "method", [jp.inference.Conformal(permutations="iid"), jp.inference.DebiasedTTest()]
)
def test_intervals_widen_with_the_level_and_find_a_large_effect(method: Any) -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(effect=5.0)).with_inference(method)
    low, high = estimate.interval(0.9)
    wider = estimate.interval(0.95)
    assert wider[0] <= low < high <= wider[1]
    assert low > 0
    assert estimate.pvalue is not None
    assert estimate.pvalue < 0.1


@pytest.mark.parametrize("method", [jp.inference.Conformal(), jp.inference.DebiasedTTest()])
def test_several_adoption_periods_are_refused(method: Any) -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(adoption={0: 2015, 1: 2017}))
    with pytest.raises(jp.InferenceError, match="each cohort alone"):
        estimate.with_inference(method)


def test_ends_of_the_interval_are_where_the_test_turns() -> None:
    method = jp.inference.Conformal()
    estimate = jp.synth.SyntheticControl().fit(design_of(effect=2.0))
    low, high = estimate.with_inference(method).interval(0.8)
    post = estimate.design.periods >= 2019
    width = high - low
    for effect, kept in (
        (low + 1e-4 * width, True),
        (low - 1e-4 * width, False),
        (high - 1e-4 * width, True),
        (high + 1e-4 * width, False),
    ):
        pvalue = method.pvalue(estimate.estimator, estimate.design, post, effect)
        assert (pvalue > 0.2) is kept


def test_intervals_per_period_hold_the_effect_of_the_period() -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(periods=24, effect=5.0))
    table = estimate.with_inference(jp.inference.Conformal()).effects.query("event_time >= 0")
    assert (table["lower"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["upper"]).all()
    assert (table["pvalue"] <= 0.15).all()


def test_several_units_of_one_cohort_are_averaged() -> None:
    estimate = jp.synth.SyntheticControl().fit(
        design_of(adoption={0: 2018, 1: 2018, 2: 2018}, units=14, effect=4.0)
    )
    estimate = estimate.with_inference(jp.inference.Conformal())
    low, high = estimate.interval(0.8)
    assert low < estimate.att < high
    assert low > 0


def test_too_few_periods_give_the_whole_line_and_say_so() -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(periods=12, adoption={0: 2011}))
    estimate = estimate.with_inference(jp.inference.Conformal())
    assert estimate.interval(0.95) == (-np.inf, np.inf)
    assert estimate.inference is not None
    assert "12 periods are too few" in estimate.inference.notes[-1]


def test_effects_that_change_over_time_are_named_beside_the_interval() -> None:
    frame = simulated_panel(units=10, periods=30, adoption={0: 2025}, seed=1)
    treated = frame["treated"] == 1
    frame["y"] += treated * np.where(frame["period"] % 2 == 0, 30.0, -10.0)
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = jp.synth.GeneralizedSyntheticControl(rank=0).fit(design)
    estimate = estimate.with_inference(jp.inference.Conformal())
    assert estimate.inference is not None
    assert "need not contain the estimate" in estimate.inference.notes[1]
