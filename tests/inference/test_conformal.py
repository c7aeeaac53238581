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
