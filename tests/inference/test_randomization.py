"""Randomisation inference: exact enumeration, inversion, size, mechanisms, errors."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.inference import RandomizationInference
from jjjpolicy.inference.permutation.assignments import Assignments
from jjjpolicy.inference.permutation.inversion import searched
from jjjpolicy.inference.permutation.under_effects import UnderEffects


def fit(frame: pd.DataFrame, estimator: Any = None, **changes: Any) -> jp.Estimate:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    design = jp.Design.from_frame(frame, **(arguments | changes))
    estimate: jp.Estimate = (estimator or jp.did.TwoWayFixedEffects()).fit(design)
    return estimate


def staggered(units: int = 7, effect: float = 0.0, seed: int = 0) -> pd.DataFrame:
    return simulated_panel(units, 6, {0: 2003, 1: 2004}, effect, seed)


def test_both_statistics_equal_those_of_plain_refits_of_every_assignment() -> None:
    estimate = fit(staggered(effect=0.4))
    result = estimate.with_inference(RandomizationInference()).inference
    assert result is not None
    coefficients, ratios = [], []
    for early, late in permutations(range(7), 2):
        frame = staggered(effect=0.4)
        start = np.where(frame.unit == early, 2003, np.where(frame.unit == late, 2004, 9999))
        refit = fit(frame.assign(treated=(frame.period >= start).astype(int)))
        coefficients.append(abs(refit.att))
        ratios.append(abs(refit.att / float(refit.se or np.nan)))
    own = abs(estimate.att), abs(estimate.att / float(estimate.se or np.nan))
    expected = [
        float((np.array(values) >= mine - 1e-12).mean())
        for values, mine in zip((coefficients, ratios), own, strict=True)
    ]
    assert list(result.details["pvalues"].values()) == pytest.approx(expected)
    assert result.exact
    assert result.assignments == 41
    assert result.smallest_pvalue == pytest.approx(1 / 42)
    assert "1/42" in result.notes[0]


@pytest.mark.parametrize("statistic", ["coefficient", "studentised"])
def test_interval_ends_where_the_test_begins_to_reject(statistic: Any) -> None:
    method = RandomizationInference(statistic=statistic)
    frame = staggered(units=9, effect=0.5)
    low, high = fit(frame).with_inference(method).interval(0.9)
    for end, inward in ((low, 1e-6), (high, -1e-6)):
        for effect, kept in ((end + inward, True), (end - inward, False)):
            moved = frame.assign(y=frame.y - effect * frame.treated)
            pvalue = fit(moved).with_inference(method).pvalue
            assert pvalue is not None
            assert (pvalue > 0.1) is kept


def test_interval_of_a_nonlinear_estimator_is_found_by_refitting() -> None:
    frame = simulated_panel(12, 8, {0: 2005}, 2.0)
    estimate = fit(frame, jp.synth.SyntheticControl())
    low, high = estimate.with_inference(RandomizationInference()).interval(0.8)
    assert low < estimate.att < high
    moved = frame.assign(y=frame.y - (high + 0.01) * frame.treated)
    again = fit(moved, jp.synth.SyntheticControl()).with_inference(RandomizationInference())
    assert again.pvalue is not None
    assert again.pvalue <= 0.2


@pytest.mark.parametrize(
    ("estimator", "adoption"),
    [
        (jp.synth.SyntheticControl(), {0: 2005}),
        (jp.synth.PartiallyPooledSyntheticControl(), {0: 2005, 1: 2005}),
        (jp.synth.PenalizedSyntheticControl(choose_by="holdout"), {0: 2005}),
    ],
    ids=repr,
)
def test_interval_is_exact_where_all_is_fitted_before_treatment(
    estimator: Any, adoption: Any
) -> None:
    frame = simulated_panel(11, 8, adoption, 2.0)
    method = RandomizationInference()
    found = fit(frame, estimator).with_inference(method)
    assert found.inference is not None
    low, high = found.interval(0.75)
    for end, inward in ((low, 1e-5), (high, -1e-5)):
        for effect, kept in ((end + inward, True), (end - inward, False)):
            moved = frame.assign(y=frame.y - effect * frame.treated)
            pvalue = fit(moved, estimator).with_inference(method).pvalue
            assert pvalue is not None
            assert (pvalue > 0.25) is kept


def test_assignments_that_an_effect_does_not_touch_are_not_fitted_again() -> None:
    frame = simulated_panel(8, 9, {0: 2004, 1: 2006}, 2.0)
    estimate = fit(frame, jp.synth.SyntheticControl())
    dates = np.full(8, np.inf)
    table = np.array([dates] * 3)
    table[0, :2] = [2004, 2006]
    table[1, 1:3] = [2004, 2006]  # unit 0 is a donor of a cohort of 2006, after its own adoption
    table[2, [0, 2]] = [2004, 2006]
    refits = estimate.estimator.refit_many(estimate.design, table)
    under = UnderEffects(estimate, Assignments(table, np.arange(8), True, "three"), refits, 1)
    assert under.moved_alone.tolist() == [True, False, True]
    moved = estimate.design.with_outcome(estimate.design.outcome - 1.5 * under.treatment)
    expected = estimate.estimator.refit_many(moved, table)
    for name in ("att", "effects", "cohorts"):
        values = getattr(under.at(1.5), name)
        np.testing.assert_allclose(values, getattr(expected, name), atol=1e-11)


def test_an_interval_that_takes_fits_is_searched_when_asked_for_and_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimator = jp.synth.MatrixCompletion(penalty=1.0)
    frame = simulated_panel(9, 7, {0: 2004}, 2.0)
    estimate = fit(frame, estimator).with_inference(RandomizationInference())
    fitted: list[Any] = []
    refit = jp.synth.MatrixCompletion.refit_many

    def counted(self: Any, design: jp.Design, adoptions: Any, jobs: int = 1) -> Any:
        fitted.extend(adoptions)
        return refit(self, design, adoptions, jobs)

    monkeypatch.setattr(jp.synth.MatrixCompletion, "refit_many", counted)
    assert "takes about 360 fits: ask for it with .interval()" in estimate.summary()
    assert not fitted
    low, high = estimate.interval(0.75)
    assert low < estimate.att < high
    searched = len(fitted)
    assert searched > 0
    assert estimate.interval(0.75) == (low, high)
    assert len(fitted) == searched


@pytest.mark.parametrize("end", [0.3, 1.0, 7.9, 1234.5])
def test_searches_end_on_the_kept_side_of_an_end_in_few_trials(end: float) -> None:
    tried: list[float] = []

    def margin(effect: float) -> float:
        tried.append(effect)
        return float(np.tanh(3 * (end - effect)) + 0.1 * (end - effect))

    found = list(searched(margin, 0.0, 1.0, 1e-4))[-1]
    assert end - 1e-4 <= found <= end
    assert len(tried) <= 14 + np.ceil(np.log2(end + 1))


def test_searches_cross_jumps_and_stop_at_a_million_steps() -> None:
    jumping = list(searched(lambda effect: 1.0 if effect < 2.7 else -50.0, 0.0, 0.5, 1e-4))
    assert 2.7 - 1e-4 <= jumping[-1] < 2.7
    assert list(searched(lambda effect: 1.0, 0.0, -1.0, 1e-4))[-1] == -np.inf


def test_whole_provinces_are_moved_where_treatment_was_assigned_to_provinces() -> None:
    frame = simulated_panel(12, 6, {0: 2004, 1: 2004, 2: 2004})
    frame["province"] = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4, 4])[frame.unit]
    result = fit(frame, assigned_at="province").with_inference(RandomizationInference()).inference
    assert result is not None
    assert result.assignments == 4
    assert result.smallest_pvalue == pytest.approx(1 / 5)


def test_absurd_numbers_of_assignments_are_sampled_and_counted() -> None:
    adoption = {unit: 2003 + unit % 3 for unit in range(30)}
    result = (
        fit(simulated_panel(90, 6, adoption))
        .with_inference(RandomizationInference(replications=99))
        .inference
    )
    assert result is not None
    assert not result.exact
    assert result.assignments == 99
    assert "sample of 99 of about 10^" in result.notes[0]


def test_under_no_effect_five_per_cent_are_rejected_with_one_treated_of_twenty() -> None:
    rejected = []
    for seed in range(200):
        estimate = fit(simulated_panel(20, 5, {0: 2004}, seed=seed))
        pvalue = estimate.with_inference(RandomizationInference()).pvalue
        assert pvalue is not None
        rejected.append(pvalue <= 0.05)
    assert 0.01 <= np.mean(rejected) <= 0.10


def test_a_mechanism_given_as_a_list_counts_the_actual_assignment_once() -> None:
    estimate = fit(simulated_panel(6, 6, {0: 2004}))
    table = np.full((3, 6), np.inf)
    table[[0, 1, 2], [0, 2, 4]] = 2004
    result = estimate.with_inference(RandomizationInference(mechanism=table)).inference
    assert result is not None
    assert result.assignments == 2
    assert estimate.with_inference(RandomizationInference(mechanism=table[1:])).pvalue in (
        pytest.approx(1 / 3),
        pytest.approx(2 / 3),
        1.0,
    )


def test_a_mechanism_given_as_a_function_is_drawn_reproducibly() -> None:
    estimate = fit(simulated_panel(10, 6, {0: 2004}))

    def first_half(rng: np.random.Generator) -> np.ndarray:
        adoption = np.full(10, np.inf)
        adoption[rng.integers(5)] = 2004
        return adoption

    method = RandomizationInference(replications=50, seed=3, mechanism=first_half)
    one, two = (estimate.with_inference(method).inference for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.reference == pytest.approx(two.reference)


def test_errors_say_what_is_wrong() -> None:
    estimate = fit(simulated_panel(6, 6, {0: 2004}))
    with pytest.raises(jp.InferenceError, match="shape"):
        estimate.with_inference(RandomizationInference(mechanism=np.ones((3, 4))))
    with pytest.raises(jp.InferenceError, match="at least 1"):
        estimate.with_inference(RandomizationInference(replications=0))
    with pytest.raises(jp.InferenceError, match="coefficient"):
        fit(simulated_panel(6, 6, {0: 2004}), jp.synth.SyntheticControl()).with_inference(
            RandomizationInference(statistic="studentised")
        )


def test_closed_form_refits_of_whole_provinces_equal_single_fits() -> None:
    frame = simulated_panel(12, 6, {0: 2004, 1: 2004, 2: 2004})
    frame["province"] = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4, 4])[frame.unit]
    design = fit(frame, assigned_at="province").design
    rng = np.random.default_rng(0)
    by_province = np.stack([rng.permutation([2003, 2005, 2005, np.inf, np.inf]) for _ in range(8)])
    by_city = np.stack([rng.permutation(design.adoption) for _ in range(8)])
    twfe = jp.did.TwoWayFixedEffects()
    for adoptions, refits in (
        (
            by_province[:, design.assignment],
            twfe.refit_groups(design, by_province, design.assignment),
        ),
        (by_city, twfe.refit_many(design, by_city)),
    ):
        single = [twfe.fit(design.reassigned(row)) for row in adoptions]
        assert refits.att == pytest.approx([one.att for one in single])
        assert refits.se == pytest.approx([one.se for one in single])


def test_three_dates_over_thirty_one_provinces_are_all_enumerated() -> None:
    frame = simulated_panel(31, 8, {0: 2004, 1: 2005, 2: 2007}, effect=9.0)
    result = fit(frame).with_inference(RandomizationInference()).inference
    assert result is not None
    assert result.exact
    assert result.assignments == 26_969
    assert result.pvalue == pytest.approx(1 / 26_970)
    assert "all 26,970 assignments" in result.notes[0]


def test_provenance_names_the_mechanism_and_can_be_written_as_json() -> None:
    estimate = fit(simulated_panel(6, 6, {0: 2004}))
    table = np.where(np.eye(6) > 0, 2004.0, np.inf)
    result = estimate.with_inference(RandomizationInference(mechanism=table)).inference
    assert result is not None
    assert "6 assignments, sha256" in json.dumps(dict(result.specification))
