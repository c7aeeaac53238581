"""End-of-sample tests: effects ranked among blocks of untreated periods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from leaking import design_of, mixed
from panels import simulated_panel

import jjjpolicy as jp

TREATED, BEFORE, YEARS = {0: 2013}, 12, 15


def frame(effect: float = 0.0, seed: int = 1, units: int = 7) -> pd.DataFrame:
    return simulated_panel(units, YEARS, TREATED, effect=effect, seed=seed)


def design(table: pd.DataFrame) -> jp.Design:
    return jp.Design.from_frame(table, unit="unit", time="period", outcome="y", treatment="treated")


def by_hand(table: pd.DataFrame, estimator: jp.estimate.Estimator, length: int) -> list[float]:
    """Estimates for each block before treatment, from a table in which the block comes last."""
    early = table[table["period"] < 2013]
    found = []
    for start in range(2001, 2013 - length + 1):
        block = early["period"].between(start, start + length - 1)
        moved = early.assign(period=early["period"] + 100 * block)
        moved["treated"] = (block & (moved["unit"] == 0)).astype(int)
        found.append(estimator.fit(design(moved)).att)
    return found


@pytest.mark.parametrize(
    "estimator", [jp.synth.DemeanedSyntheticControl(), jp.did.TwoWayFixedEffects()]
)
def test_the_reference_is_what_left_out_blocks_give(estimator: jp.estimate.Estimator) -> None:
    table = frame(effect=0.4)
    estimate = estimator.fit(design(table)).with_inference(jp.inference.EndOfSample())
    expected = np.array(by_hand(table, estimator, 3))
    assert estimate.inference.reference == pytest.approx(expected, rel=1e-9)
    larger = int((abs(expected) >= abs(estimate.att)).sum())
    assert estimate.pvalue == pytest.approx((1 + larger) / 11)
    assert estimate.inference.smallest_pvalue == pytest.approx(1 / 11)
    assert estimate.se == pytest.approx(expected.std())
    single = np.array(by_hand(table, estimator, 1))
    row = estimate.effects_at(0.9).set_index("event_time").loc[1]
    # One of 13 ranks may be rejected at 10%: the largest magnitude bounds the interval.
    assert row["upper"] - row["estimate"] == pytest.approx(abs(single).max())


def test_residuals_of_one_fit_are_those_of_the_paper() -> None:
    estimate = jp.synth.DemeanedSyntheticControl().fit(design(frame(effect=0.4)))
    path = estimate.effects["estimate"].to_numpy()[:BEFORE]
    found = estimate.with_inference(jp.inference.EndOfSample(leave_out=False)).inference
    expected = np.convolve(path, np.ones(3) / 3, "valid")
    assert found.reference == pytest.approx(expected)


def test_the_interval_holds_the_values_that_the_test_keeps() -> None:
    system = jp.synth.SpilloverSyntheticControl(jp.synth.FreeEffects([1]))
    estimate, method = system.fit(design(frame(effect=1.0))), jp.inference.EndOfSample()
    low, high = method.test(estimate, [0]).interval(0.8)
    for value, kept in ((low, True), (high, True), (low - 1e-6, False), (high + 1e-6, False)):
        assert (method.test(estimate, [0], equals=value).pvalue > 0.2 + 1e-12) == kept
    attached = estimate.with_inference(method)
    assert attached.interval(0.8) == pytest.approx((low, high))
    assert attached.pvalue == method.test(estimate, [0]).pvalue


def test_a_joint_hypothesis_weighs_its_rows() -> None:
    system = jp.synth.SpilloverSyntheticControl(jp.synth.FreeEffects([1, 2]))
    table = frame()
    table.loc[table["unit"].isin([1, 2]) & (table["period"] >= 2013), "y"] += 2.0
    estimate, method = system.fit(design(table)), jp.inference.EndOfSample(leave_out=False)
    values = estimate.details["joint"].frame().loc[[1, 2]].to_numpy()
    blocks = np.stack([np.convolve(row, np.ones(3) / 3, "valid") for row in values[:, :BEFORE]])
    weighting = np.linalg.inv(np.cov(blocks))
    found = method.test(estimate, [1, 2], weighting=weighting)
    own = values[:, BEFORE:].mean(axis=1)
    larger = sum(float(b @ weighting @ b) >= float(own @ weighting @ own) for b in blocks.T)
    assert found.pvalue == pytest.approx((1 + larger) / 11)
    assert found.pvalue == pytest.approx(1 / 11)
    assert found.estimate.tolist() == pytest.approx(own)
    at_truth = method.test(estimate, [1, 2], equals=2.0, weighting=weighting)
    left = own - 2.0
    larger = sum(float(b @ weighting @ b) >= float(left @ weighting @ left) for b in blocks.T)
    assert at_truth.pvalue == pytest.approx((1 + larger) / 11)
    first = values[:, BEFORE]
    statistic = np.sqrt(first @ weighting @ first)
    assert found.by_period["statistic"].iloc[0] == pytest.approx(statistic)
    singles = np.sqrt(
        np.einsum("it,ij,jt->t", *(values[:, :BEFORE], weighting, values[:, :BEFORE]))
    )
    assert found.by_period["pvalue"].iloc[0] == pytest.approx(
        (1 + (singles >= statistic).sum()) / 13
    )


def test_a_difference_of_effects_is_a_combination() -> None:
    system = jp.synth.SpilloverSyntheticControl(jp.synth.FreeEffects([1]))
    estimate = system.fit(design(frame(effect=1.0)))
    found = jp.inference.EndOfSample().test(estimate, pd.DataFrame({0: [1.0], 1: [-1.0]}))
    spilled = estimate.details["spillovers"]["estimate"].iloc[0]
    assert found.estimate.tolist() == pytest.approx([estimate.att - spilled])
    assert "array(" not in repr(found)


def test_more_treated_periods_than_half_of_those_before_are_compared_with_half() -> None:
    table = simulated_panel(8, 12, {0: 2007}, seed=3)
    estimate = jp.synth.DemeanedSyntheticControl().fit(design(table))
    found = estimate.with_inference(jp.inference.EndOfSample())
    assert found.inference.assignments == 4
    assert "conservative" in " ".join(found.inference.notes)
    assert found.interval(0.95) == (-np.inf, np.inf)


def test_what_has_no_blocks_is_refused() -> None:
    method = jp.inference.EndOfSample()
    twice = jp.did.TwoWayFixedEffects().fit(design(simulated_panel(8, 9, {0: 2005, 1: 2006})))
    with pytest.raises(jp.InferenceError, match="on one date"):
        twice.with_inference(method)
    short = jp.did.TwoWayFixedEffects().fit(design(simulated_panel(8, 4, {0: 2002})))
    with pytest.raises(jp.InferenceError, match="two periods before treatment"):
        short.with_inference(method)
    plain = jp.synth.DemeanedSyntheticControl().fit(design(frame()))
    with pytest.raises(jp.InferenceError, match="estimates no effects on affected units"):
        method.test(plain, [0])
    system = jp.synth.SpilloverSyntheticControl(jp.synth.FreeEffects([1])).fit(design(frame()))
    with pytest.raises(jp.InferenceError, match="weighting= has the shape"):
        method.test(system, [0, 1], weighting=np.eye(3))
    with pytest.raises(jp.InferenceError, match="one combination"):
        method.test(system, [0, 1]).interval()
    with pytest.raises(jp.DesignError, match="no effect on 5 was estimated"):
        method.test(system, [5])
    with pytest.raises(jp.InferenceError, match="must be a list"):
        method.test(system, [])


def test_an_exact_fit_says_nothing_about_errors() -> None:
    estimate = jp.synth.DemeanedSyntheticControl().fit(design_of(mixed(), {}, ("T",)))
    assert estimate.unit_effects["pre_rmspe"].iloc[0] == 0
    for leave_out in (False, True):
        with pytest.raises(jp.InferenceError, match="exact"):
            estimate.with_inference(jp.inference.EndOfSample(leave_out))
