"""Parametric bootstrap of factor models: coverage, reproducibility, groups, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def factor_panel(seed: int, effect: float = 0.0) -> pd.DataFrame:
    """One factor, 5 treated of 25 units, 16 periods, treated from 2013 on; simulated."""
    frame = simulated_panel(
        units=25, periods=16, adoption=dict.fromkeys(range(5), 2013), effect=effect, seed=seed
    )
    rng = np.random.default_rng(1000 + seed)
    common = rng.normal(size=(25, 1)) * rng.normal(size=(1, 16)).cumsum(axis=1)
    return frame.assign(y=frame["y"] + common.ravel(), province=frame["unit"] // 5)


def fit(frame: pd.DataFrame, estimator: Any = None, **changes: Any) -> jp.Estimate:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    design = jp.Design.from_frame(frame, **(arguments | changes))
    estimate: jp.Estimate = (estimator or jp.synth.GeneralizedSyntheticControl(rank=1)).fit(design)
    return estimate


def test_intervals_cover_and_errors_are_those_of_repeated_samples() -> None:
    method = jp.inference.ParametricBootstrap(replications=40)
    estimates = [fit(factor_panel(seed, 1.0)).with_inference(method) for seed in range(25)]
    covered = [low <= 1.0 <= high for low, high in (e.interval(0.9) for e in estimates)]
    assert np.mean(covered) >= 0.7
    spread = np.std([e.att for e in estimates])
    assert np.mean([e.se for e in estimates if e.se is not None]) == pytest.approx(spread, rel=0.4)


def test_numbers_depend_on_the_seed_and_not_on_workers() -> None:
    estimate = fit(factor_panel(0))
    first, again, other, parallel = (
        estimate.with_inference(jp.inference.ParametricBootstrap(20, seed, jobs)).se
        for seed, jobs in ((1, 1), (1, 1), (2, 1), (1, 2))
    )
    assert first == again == parallel
    assert first != other


def test_effects_have_bands() -> None:
    estimate = fit(factor_panel(0, effect=5.0)).with_inference(
        jp.inference.ParametricBootstrap(replications=50)
    )
    assert estimate.pvalue == pytest.approx(1 / 51)
    after = estimate.effects.query("event_time >= 0")
    assert (after["lower"] > 0).all()
    assert after["se"].notna().all()


def test_errors_are_drawn_by_group_of_assignment() -> None:
    estimate = fit(factor_panel(0), assigned_at="province")
    found = estimate.with_inference(jp.inference.ParametricBootstrap(replications=20))
    assert found.se is not None
    assert found.inference is not None
    assert "1 of 5 clusters" in found.inference.notes[-1]


def test_what_it_cannot_simulate_is_refused() -> None:
    method = jp.inference.ParametricBootstrap()
    with pytest.raises(jp.InferenceError, match="no model of the never-treated"):
        fit(factor_panel(0), jp.synth.SyntheticDiD()).with_inference(method)
    few = factor_panel(0).query("unit < 15")
    with pytest.raises(jp.InferenceError, match="three never-treated groups"):
        fit(few, assigned_at="province").with_inference(method)
    with pytest.raises(jp.InferenceError, match="replications=1"):
        fit(factor_panel(0)).with_inference(jp.inference.ParametricBootstrap(1))
