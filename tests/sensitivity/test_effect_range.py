"""The range of effects of weights that fit alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel
from scipy.optimize import linprog

import jjjpolicy as jp


def design_of(frame: pd.DataFrame) -> jp.Design:
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")


def synthetic(**changes: Any) -> jp.Estimate:
    arguments = {"units": 12, "periods": 20, "adoption": {0: 2016, 1: 2018}} | changes
    return jp.synth.SyntheticControl().fit(design_of(simulated_panel(**arguments)))


def perfect_fit(seed: int = 0) -> jp.Design:
    """Five periods before treatment and twenty donors, the treated unit inside their hull."""
    frame = simulated_panel(units=21, periods=8, adoption={0: 2006}, seed=seed)
    values = frame["y"].to_numpy(copy=True).reshape(21, 8)
    values[0, :5] = np.random.default_rng(seed).dirichlet(np.ones(20)) @ values[1:, :5]
    return design_of(frame.assign(y=values.ravel()))


@pytest.mark.parametrize("seed", range(3))
def test_a_perfect_fit_has_the_range_of_its_polytope(seed: int) -> None:
    design = perfect_fit(seed)
    estimate = jp.synth.SyntheticControl().fit(design)
    found = jp.sensitivity.effect_range(estimate, tolerance=0.0)
    pool = design.outcome[1:]
    ends = []
    for sign in (1, -1):
        programme = linprog(
            sign * pool[:, 5:].mean(axis=1),
            A_eq=np.vstack([pool[:, :5].T, np.ones(20)]),
            b_eq=np.append(design.outcome[0, :5], 1.0),
            bounds=[(0, None)] * 20,
        )
        ends.append(design.outcome[0, 5:].mean() - sign * programme.fun)
    assert [found.upper, found.lower] == pytest.approx(ends, abs=1e-5)
    assert found.upper - found.lower > 0.1
    assert found.units["perfect_fit"].item()
    assert "more than one way" in found.summary()


def test_the_tie_break_is_the_penalised_estimator_with_a_vanishing_penalty() -> None:
    design = perfect_fit()
    estimate = jp.synth.SyntheticControl().fit(design)
    found = jp.sensitivity.effect_range(estimate, tolerance=0.0)
    penalized = jp.synth.PenalizedSyntheticControl(penalty=1e-6).fit(design)
    assert found.closest == pytest.approx(penalized.att, abs=1e-3)


def test_unique_weights_leave_no_range_without_tolerance() -> None:
    found = jp.sensitivity.effect_range(synthetic(units=5), tolerance=0.0)
    assert found.upper - found.lower < 1e-4
    assert not found.units["perfect_fit"].any()
    assert "more than one way" not in found.summary()


def test_range_grows_with_the_tolerance_and_holds_the_estimate() -> None:
    estimate = synthetic()
    narrow, wide = (jp.sensitivity.effect_range(estimate, t) for t in (0.02, 0.3))
    assert wide.lower < narrow.lower <= estimate.att <= narrow.upper < wide.upper
    assert narrow.lower <= narrow.closest <= narrow.upper
    assert (narrow.effects["lower"] <= narrow.effects["estimate"]).all()
    after = estimate.effects.query("event_time >= 0")["estimate"]
    assert narrow.effects["estimate"].to_numpy() == pytest.approx(after.to_numpy())


def test_the_summary_prints_the_range_where_the_data_leave_a_choice() -> None:
    estimate = jp.synth.SyntheticControl().fit(perfect_fit())
    found = jp.sensitivity.effect_range(estimate)
    lines = [line.strip() for line in estimate.summary().splitlines()]
    start = next(i for i, line in enumerate(lines) if line.startswith("other weights"))
    for value in (found.lower, found.upper):
        assert f"{abs(value):.4f}" in lines[start]
    assert lines[start + 1] == "just as perfectly;"
    assert lines[start + 2].endswith(f"{abs(found.closest):.4f}")


@pytest.mark.parametrize(
    "estimate",
    [synthetic(units=5), jp.synth.SyntheticDiD().fit(perfect_fit())],
    ids=["few donors", "weights with a ridge"],
)
def test_the_summary_is_silent_where_weights_are_determined(estimate: jp.Estimate) -> None:
    assert "other weights" not in estimate.summary()


def test_a_good_enough_fit_is_a_floor_of_the_tolerance() -> None:
    estimate = synthetic()
    found = jp.sensitivity.effect_range(estimate, 0.0, smallest_rmspe=10.0)
    assert (found.units["largest_rmspe"] == 10.0).all()
    design = estimate.design
    averages = [
        design.outcome[i, None, -n:].mean() - design.outcome[2:, -n:].mean(axis=1)
        for i, n in ((0, 5), (1, 3))
    ]
    assert found.units["lower"].to_numpy() == pytest.approx([a.min() for a in averages])
    assert found.units["upper"].to_numpy() == pytest.approx([a.max() for a in averages])


def test_what_cannot_be_varied_is_refused() -> None:
    design = design_of(simulated_panel())
    with pytest.raises(jp.InferenceError, match="no donor weights"):
        jp.sensitivity.effect_range(jp.did.TwoWayFixedEffects().fit(design))
    with pytest.raises(jp.InferenceError, match="simplex"):
        jp.sensitivity.effect_range(jp.synth.AugmentedSyntheticControl().fit(design))
    with pytest.raises(jp.InferenceError, match="negative"):
        jp.sensitivity.effect_range(synthetic(), -0.1)
