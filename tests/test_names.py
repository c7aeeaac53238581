"""What takes several things by name takes a list, or one, and says what else it was given."""

from __future__ import annotations

from typing import Any

import pytest
from method_settings import FEW, ONE, cities, design

import jjjpolicy as jp

TWFE = jp.did.TwoWayFixedEffects()


@pytest.fixture(scope="module")
def ranked() -> dict[str, jp.Estimate]:
    method = jp.inference.RandomizationInference()
    return {
        name: TWFE.fit(design(cities(ONE), outcome=name)).with_inference(method)
        for name in ("log_gdp", "log_rd")
    }


def test_families_of_a_list_are_those_by_name(ranked: dict[str, jp.Estimate]) -> None:
    for adjust in (jp.inference.holm, jp.inference.romano_wolf):
        listed, by_name = adjust(list(ranked.values())), adjust(ranked)
        assert list(listed["name"]) == [f"TwoWayFixedEffects, {name}" for name in ranked]
        assert listed.drop(columns="name").equals(by_name.drop(columns="name"))


def test_calibration_takes_single_things_and_lists() -> None:
    made = design(cities(FEW), assigned_at="province")
    methods = [jp.inference.Clustered(), jp.inference.Clustered(kind="CRV3")]
    found = jp.sensitivity.calibrate(made, TWFE, methods, treated=(1,), draws=3, levels=(0.05,))
    assert set(found.size["outcome"]) == {"y"}
    assert set(found.size["estimator"]) == {"TwoWayFixedEffects"}
    assert list(found.size["inference"]) == [
        "Clustered, level=None, kind=CRV1",
        "Clustered, level=None, kind=CRV3",
    ]


def test_a_curve_takes_a_list_of_estimators() -> None:
    curve = jp.sensitivity.specification_curve(
        lambda window: design(cities(ONE), window=window),
        {"window": {"all": None}},
        [TWFE, jp.synth.SyntheticDiD()],
    )
    assert list(curve["estimator"]) == ["TwoWayFixedEffects", "SyntheticDiD"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jp.inference.holm([]), r"holm\(\) is empty; name at least one"),
        (lambda: jp.inference.holm(3), r"holm\(\) is int; give an Estimate, several in a list"),
        (lambda: jp.compare("estimate"), r"compare\(\) is str; give an Estimate"),
        (
            lambda: jp.sensitivity.calibrate(design(cities(FEW)), TWFE, [TWFE]),
            "inferences= holds TwoWayFixedEffects, not an Inference",
        ),
        (
            lambda: jp.sensitivity.calibrate(
                design(cities(FEW)), [jp.did.TwoWayFixedEffects], jp.inference.Clustered()
            ),
            r"estimators= holds a class, not an Estimator; write TwoWayFixedEffects\(\)",
        ),
    ],
)
def test_what_is_something_else_is_refused_by_the_option(call: Any, message: str) -> None:
    with pytest.raises(jp.JJJPolicyError, match=message):
        call()
