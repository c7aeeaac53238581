"""Conformal inference and the debiased t-test: size, levels, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.inference.conformal import ConstantEffectTest, null_residuals


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


def test_several_dates_are_tested_by_cohorts_under_common_permutations() -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(adoption={0: 2015, 1: 2017, 2: 2017}))
    design, periods = estimate.design, 20
    statistics = np.zeros(periods)
    for date, units in ((2015, [0]), (2017, [1, 2])):
        keep = np.isinf(design.adoption)
        keep[units] = True
        part = design.keep_units(keep, "test")
        residuals = np.abs(null_residuals(estimate.estimator, part, part.periods >= date, 0.0))
        for shift in range(periods):
            permuted = np.roll(residuals, -shift)
            statistics[shift] += len(units) * permuted[design.periods >= date].sum()
    expected = (statistics >= statistics[0] * (1 - 1e-10)).mean()
    assert jp.inference.Conformal().pvalue(estimate) == pytest.approx(expected)


@pytest.mark.parametrize("permutations", ["moving_block", "iid"])
def test_the_test_keeps_its_size_with_several_dates(permutations: Any) -> None:
    zero = jp.synth.GeneralizedSyntheticControl(rank=0)
    method = jp.inference.Conformal(permutations, replications=99)
    values = [
        method.pvalue(zero.fit(design_of(seed=s, adoption={0: 2014, 1: 2017}))) for s in range(100)
    ]
    assert np.mean(np.array(values) <= 0.1) == pytest.approx(0.1, abs=0.08)
    assert np.mean(np.array(values) <= 0.5) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("method", [jp.inference.Conformal(), jp.inference.DebiasedTTest()])
def test_a_cohort_has_the_result_of_its_own_design(method: Any) -> None:
    estimate = jp.synth.SyntheticControl().fit(
        design_of(adoption={0: 2015, 1: 2017, 2: 2017}, periods=24, effect=3.0)
    )
    table = estimate.with_inference(method).by_cohort
    design = estimate.design
    for date, row in zip((2015, 2017), table.to_dict("records"), strict=True):
        keep = np.isinf(design.adoption) | (design.adoption == date)
        alone = jp.synth.SyntheticControl().fit(design.keep_units(keep, "test"))
        alone = alone.with_inference(method)
        assert row["adoption"] == date
        assert row["estimate"] == pytest.approx(alone.att)
        assert row["pvalue"] == pytest.approx(alone.pvalue)
        assert (row["lower"], row["upper"]) == pytest.approx(alone.interval(0.95), abs=1e-3)


def test_folds_of_cohorts_are_averaged_by_treated_cells() -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(adoption={0: 2015, 1: 2017}, effect=3.0))
    method = jp.inference.DebiasedTTest()
    result = estimate.with_inference(method).inference
    assert result is not None
    folds, scales = [], []
    for date in (2015, 2017):
        keep = np.isinf(estimate.design.adoption) | (estimate.design.adoption == date)
        alone = jp.synth.SyntheticControl().fit(estimate.design.keep_units(keep, "test"))
        found = alone.with_inference(method)
        assert found.inference is not None
        folds.append(found.inference.details["folds"])
        scales.append((found.se or 0.0) / folds[-1].std(ddof=1))
    mixed = (6 * folds[0] + 4 * folds[1]) / 10
    assert result.details["debiased"] == pytest.approx(mixed.mean())
    assert result.se == pytest.approx(max(scales) * mixed.std(ddof=1))


def test_the_t_test_does_not_reject_too_often_with_several_dates() -> None:
    zero = jp.synth.GeneralizedSyntheticControl(rank=0)
    method = jp.inference.DebiasedTTest()
    values = [
        zero.fit(design_of(seed=s, adoption={0: 2013, 1: 2017})).with_inference(method).pvalue
        for s in range(100)
    ]
    assert np.mean(np.array(values) <= 0.1) <= 0.15


def test_the_t_test_says_why_it_has_no_effects_by_event_time() -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of())
    estimate = estimate.with_inference(jp.inference.DebiasedTTest())
    assert estimate.inference is not None
    assert "no intervals by event time" in " ".join(estimate.inference.notes)


def test_ends_of_the_interval_are_where_the_test_turns() -> None:
    method = jp.inference.Conformal()
    estimate = jp.synth.SyntheticControl().fit(design_of(effect=2.0))
    low, high = estimate.with_inference(method).interval(0.8)
    width = high - low
    for effect, kept in (
        (low + 1e-4 * width, True),
        (low - 1e-4 * width, False),
        (high - 1e-4 * width, True),
        (high + 1e-4 * width, False),
    ):
        assert (method.pvalue(estimate, effect) > 0.2) is kept


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


def test_workers_give_the_same_intervals() -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(adoption={0: 2017, 1: 2019}))
    one, two = (estimate.with_inference(jp.inference.Conformal(grid=9, jobs=j)) for j in (1, 2))
    assert one.effects_at(0.8).equals(two.effects_at(0.8))
    assert one.by_cohort_at(0.8).equals(two.by_cohort_at(0.8))


def test_an_interval_shorter_than_the_step_of_the_search_is_found() -> None:
    def paths(effect: float) -> Any:
        return np.append(np.linspace(1.0, 2.0, 19), 30 * (effect - 0.777))[None]

    marks = (np.arange(20) == 19).astype(float)[None]
    test = ConstantEffectTest(paths, marks, jp.inference.Conformal().orders(20), grid=5)
    ends = test.bounds(centre=0.0, width=2.0, level=0.1)  # p-value above 0.9: below 1 + 1/18
    assert ends == pytest.approx((0.777 - 19 / 18 / 30, 0.777 + 19 / 18 / 30), abs=1e-4)
