"""The range of effects of weights that fit alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel
from scipy.optimize import linprog

import jjjpolicy as jp
from jjjpolicy.sensitivity.effect_range import undecided_range


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


def twins(others_matter: bool = False) -> jp.Design:
    """Donors a and b alike before treatment and one apart after it, as unit u was before.

    Unit v is like donor c alone. No other average of donors has the path of either.
    """
    before = {
        "u": [3, 0, 0, 0],
        "v": [0, 3, 0, 0],
        "a": [3, 0, 0, 0],
        "b": [3, 0, 0, 0],
        "c": [0, 3, 0, 0],
        "d": [0, 0, 3, 0],
        "e": [0, 0, 0, 3],
        "f": [0, 1, 2, 0],
        "g": [0, 2, 0, 1],
    }
    after = {"u": 2.0, "v": 1.0, "a": 0.0, "b": 1.0}
    rows = [
        (name, 2001 + t, value, int(name in "uv" and t >= 4), ord(name) * (t == 1))
        for name, path in before.items()
        for t, value in enumerate([*path, after.get(name, 0.0), after.get(name, 0.0)])
    ]
    frame = pd.DataFrame(rows, columns=["unit", "period", "y", "treated", "x"])
    frame.loc[frame["unit"] == "u", "x"] = frame.loc[frame["unit"] == "b", "x"].to_numpy()
    frame.loc[frame["unit"] == "v", "x"] = frame.loc[frame["unit"] == "c", "x"].to_numpy()
    if not others_matter:
        frame["x"] = 2 * frame["y"]
    return jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated", covariates=["x"]
    )


@pytest.mark.parametrize(
    "estimator",
    [
        jp.synth.SyntheticControl(),
        jp.synth.PenalizedSyntheticControl(penalty=0.0),
        jp.synth.PartiallyPooledSyntheticControl(),
        jp.synth.PartiallyPooledSyntheticControl(intercept=False),
        jp.synth.PartiallyPooledSyntheticControl(pooling=1.0),
        jp.synth.MultipleOutcomeSyntheticControl(outcomes=("x",)),
        jp.synth.MultipleOutcomeSyntheticControl(outcomes=("x",), objective="averaged"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_the_range_of_each_unit_is_that_of_donors_that_were_alike(estimator: Any) -> None:
    estimate = estimator.fit(twins())
    found = undecided_range(estimate)
    assert found is not None
    units = found.units.set_index("unit")
    if getattr(estimator, "pooling", None) != 1.0:
        assert units.loc["u", ["lower", "att", "upper"]].tolist() == pytest.approx(
            [1.0, 1.5, 2.0], abs=1e-5
        )
        assert units.loc["v", ["lower", "upper"]].tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
        assert (found.lower, found.upper) == pytest.approx((1.0, 1.5), abs=1e-5)
        assert "other weights  effects from 1.0000 to 1.5000" in estimate.summary()
    assert (units["lower"] - 1e-6 <= units["att"]).all()
    assert (units["att"] <= units["upper"] + 1e-6).all()


@pytest.mark.filterwarnings("ignore")
def test_another_outcome_decides_between_donors_that_were_alike() -> None:
    design = twins(others_matter=True)
    estimator = jp.synth.MultipleOutcomeSyntheticControl(outcomes=("x",), demeaned=False)
    estimate = estimator.fit(design)
    found = jp.sensitivity.effect_range(estimate, tolerance=0.0)
    assert found.units.set_index("unit").loc["u", "upper"] == pytest.approx(1.0, abs=1e-4)
    alone = undecided_range(jp.synth.SyntheticControl().fit(design))
    assert alone is not None
    assert alone.units.set_index("unit").loc["u", "upper"] == pytest.approx(2.0, abs=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_weights_pooled_with_a_unit_that_cannot_be_fitted_are_not_unique_either() -> None:
    rng = np.random.default_rng(3)
    frame = simulated_panel(units=16, periods=8, adoption={0: 2005, 1: 2005})
    values = frame["y"].to_numpy(copy=True).reshape(16, 8)
    values[0] = rng.dirichlet(np.ones(13)) @ values[3:]
    values[2] += 3.0
    values[1] = values[2] + 0.3  # above every donor
    design = design_of(frame.assign(y=values.ravel()))
    estimator = jp.synth.PartiallyPooledSyntheticControl(pooling=0.5, intercept=False)
    estimate = estimator.fit(design)
    assert estimate.unit_effects is not None
    found = undecided_range(estimate)
    assert found is not None
    row = found.units.set_index("unit").loc[0]
    assert not row["perfect_fit"]
    assert row["upper"] - row["lower"] > 0.05
    assert row["lower"] <= row["att"] <= row["upper"]


def test_ridge_makes_the_weights_of_synthetic_did_unique() -> None:
    assert undecided_range(jp.synth.SyntheticDiD().fit(perfect_fit())) is None
