"""Requests that no machine can meet are sampled, or refused with their size, at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from random_designs import Panel, attempted, made, plain

import jjjpolicy as jp
from jjjpolicy.estimation.draws import MOST, streams
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.inference.permutation.assignments import AssignmentSpace
from jjjpolicy.replication.provenance.specification import estimators, inferences
from jjjpolicy.sensitivity import calibrate, minimum_detectable_effect

PANEL = Panel(units=9, periods=14, cohorts=(2,), seed=1)
ESTIMATORS = plain(estimators())
INFERENCES = plain(inferences())
HUGE = 10**9


def whole_numbers(classes: dict[str, type[Any]]) -> list[tuple[str, str]]:
    """Options that are whole numbers: class and option."""
    kinds = ("int", "int | None", "float | None", "float")
    return [
        (name, item.name)
        for name, cls in classes.items()
        for item in fields(cls)
        if item.type in kinds
    ]


def soon(work: Callable[[], Any]) -> Any:
    """What comes of the work within seconds: a result, or the error of the package."""
    start = time.process_time()
    result = attempted(work)
    assert time.process_time() - start < 5
    return result


@pytest.fixture(scope="module")
def fits() -> list[Estimate]:
    """One estimate of each kind that inference methods ask for."""
    kinds = ("TwoWayFixedEffects", "CallawaySantAnna", "SyntheticControl")
    further = [jp.synth.GeneralizedSyntheticControl(rank=1), jp.synth.DemeanedSyntheticControl()]
    chosen = [*(ESTIMATORS[kind] for kind in kinds), *further]
    return [estimator.fit(PANEL.design(type(estimator).__name__)) for estimator in chosen]


@pytest.mark.parametrize(("name", "option"), whole_numbers(estimators()))
@pytest.mark.parametrize("value", [-5, 0, HUGE])
def test_an_absurd_option_of_an_estimator_is_used_or_refused(
    name: str, option: str, value: int
) -> None:
    def fit() -> Estimate:
        return made(name, estimators()[name], **{option: value}).fit(PANEL.design(name))

    result = soon(fit)
    if value < 0 and option not in ("reference",):
        assert isinstance(result, jp.JJJPolicyError)
        assert option in str(result)
    if isinstance(result, Estimate):
        assert np.isfinite(result.att)


@pytest.mark.parametrize(("name", "option"), whole_numbers(inferences()))
@pytest.mark.parametrize("value", [-5, 0, HUGE])
def test_an_absurd_option_of_an_inference_method_is_used_or_refused(
    name: str, option: str, value: int, fits: list[Estimate]
) -> None:
    for estimate in fits:
        result = soon(lambda e=estimate: made(name, inferences()[name], **{option: value}).infer(e))
        if isinstance(result, Estimate) and result.inference.bounds is not None:
            low, high = result.interval()
            assert low <= high


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (jp.inference.ClusterBootstrap(replications=HUGE), "replications=1,000,000,000 is more"),
        (jp.inference.MultiplierBootstrap(replications=HUGE), "is more than 1,000,000"),
        (jp.inference.ClusterBootstrap(jobs=-5), "jobs=-5 must be"),
        (jp.inference.ClusterBootstrap(jobs=0), "jobs=0 must be"),
        (jp.inference.Jackknife(jobs=HUGE), "jobs=1,000,000,000 must be"),
        (jp.inference.ClusterBootstrap(seed=-1), "seed=-1 must be"),
    ],
)
def test_refusals_name_the_option_and_its_size(
    method: jp.inference.ClusterBootstrap, message: str, fits: list[Estimate]
) -> None:
    with pytest.raises(jp.InferenceError, match=message):
        method.infer(fits[0])


def test_a_placebo_over_too_many_assignments_is_a_sample_with_the_count() -> None:
    estimate = jp.did.TwoWayFixedEffects().fit(Panel(units=60, cohorts=(20,)).design())
    for method in (jp.inference.PlaceboUnits(), jp.inference.RandomizationInference()):
        inference = method.infer(estimate).inference
        assert inference is not None
        assert not inference.exact
        assert inference.assignments is not None
        assert inference.assignments < 10_000
    assert any("10^15" in note for note in inference.notes)
    space = AssignmentSpace(np.full(20, 2004.0), 60)
    assert space.count == 4_191_844_505_805_495
    with pytest.raises(jp.InferenceError, match="assignments=4,191,844,505,805,495 is more"):
        space.enumerate()
    wanted = jp.inference.RandomizationInference(replications=10**16)
    with pytest.raises(jp.InferenceError, match="4,191,844,505,805,495"):
        wanted.infer(estimate)


def test_signs_of_many_clusters_are_sampled_and_their_memory_is_bounded() -> None:
    estimate = jp.did.TwoWayFixedEffects().fit(Panel(units=40, cohorts=(12,)).design())
    sampled = jp.inference.WildClusterBootstrap(replications=99).infer(estimate).inference
    assert sampled is not None
    assert not sampled.exact
    with pytest.raises(jp.InferenceError, match="replications=2,000,000"):
        jp.inference.WildClusterBootstrap(replications=2_000_000).infer(estimate)


def test_simulations_refuse_absurd_numbers() -> None:
    design = Panel(units=60, cohorts=(20,)).design()
    twfe = jp.did.TwoWayFixedEffects()
    with pytest.raises(jp.InferenceError, match="is more than 1,000,000"):
        minimum_detectable_effect(design, twfe, replications=HUGE)
    with pytest.raises(jp.InferenceError, match="is more than 1,000,000"):
        calibrate(
            {"y": design}, {"twfe": twfe}, {"a": INFERENCES["Clustered"]}, treated=[20], draws=HUGE
        )
    with pytest.raises(jp.InferenceError, match="jobs=-5"):
        calibrate({"y": design}, {"twfe": twfe}, {"a": INFERENCES["Clustered"]}, draws=2, jobs=-5)


def test_the_first_draws_do_not_depend_on_their_number() -> None:
    few, many = streams(7, 3), streams(7, 30)
    assert [s.generate_state(1)[0] for s in few] == [s.generate_state(1)[0] for s in many[:3]]
    with pytest.raises(jp.InferenceError, match="more than"):
        streams(7, MOST + 1)
