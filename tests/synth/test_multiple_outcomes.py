"""Common weights for several outcomes: an independent solver, algebra, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.synth import MultipleOutcomeSyntheticControl


@pytest.fixture
def frame() -> Any:
    """Simulated; a second outcome in other units and a third that is missing in 2002."""
    frame = simulated_panel(units=10, periods=12, adoption={0: 2009}, effect=1.0, seed=8)
    rng = np.random.default_rng(9)
    frame["patents"] = 100 * frame.y + 20 * rng.normal(size=len(frame))
    frame["flows"] = frame.y + 0.3 * rng.normal(size=len(frame))
    frame.loc[(frame.period == 2002) & (frame.unit == 3), "flows"] = np.nan
    frame["same"] = frame["y"]
    frame["constant"] = frame["unit"] * 1.0
    return frame


def design_of(frame: Any) -> jp.Design:
    return jp.Design.from_frame(
        frame,
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
        covariates=["patents", "same", "constant"],
        predictors=["flows"],
    )


@pytest.mark.parametrize("objective", ["concatenated", "averaged"])
def test_weights_are_those_of_a_general_solver(frame: Any, objective: Any) -> None:
    from scipy.optimize import minimize

    estimate = MultipleOutcomeSyntheticControl(["patents", "flows"], objective).fit(
        design_of(frame)
    )
    blocks = []
    for name in ("y", "patents", "flows"):
        wide = frame.pivot(index="unit", columns="period", values=name).loc[:, :2008]
        if name == "flows" or objective == "averaged":
            wide = wide.drop(columns=2002)
        wide = wide.sub(wide.mean(axis=1), axis=0)
        wide = wide / wide.loc[1:].to_numpy().std()
        blocks.append((wide.loc[1:] - wide.loc[0]).to_numpy().T)
    rows = np.mean(blocks, axis=0) if objective == "averaged" else np.concatenate(blocks)
    solved = minimize(
        lambda w: ((rows @ w) ** 2).sum(),
        np.full(9, 1 / 9),
        jac=lambda w: 2 * rows.T @ (rows @ w),
        bounds=[(0, 1)] * 9,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert estimate.weights is not None
    assert estimate.weights[0].to_numpy() == pytest.approx(solved.x, abs=1e-4)
    assert ((rows @ estimate.weights[0].to_numpy()) ** 2).sum() <= solved.fun * (1 + 1e-9)


@pytest.mark.parametrize("objective", ["concatenated", "averaged"])
def test_copies_of_one_outcome_are_the_demeaned_synthetic_control(
    frame: Any, objective: Any
) -> None:
    design = design_of(frame)
    alone = jp.synth.DemeanedSyntheticControl().fit(design)
    copies = MultipleOutcomeSyntheticControl(["same"], objective).fit(design)
    assert copies.att == pytest.approx(alone.att)
    levels = MultipleOutcomeSyntheticControl("same", objective, demeaned=False).fit(design)
    assert levels.att == pytest.approx(jp.synth.SyntheticControl().fit(design).att)


def test_effects_of_every_outcome_are_reported_in_their_units(frame: Any) -> None:
    frame["patents"] += 300 * frame.treated - 100 * frame.treated
    estimate = MultipleOutcomeSyntheticControl(["patents", "flows"]).fit(design_of(frame))
    table = estimate.details["outcomes"].set_index("outcome")
    assert table.loc["y", "att"] == pytest.approx(estimate.att)
    assert table.loc["patents", "att"] == pytest.approx(300, abs=60)
    assert np.isfinite(table.to_numpy(dtype=float)).all()
    assert estimate.estimator.refit(estimate.design).att[0] == pytest.approx(estimate.att)


def test_scale_and_level_of_an_outcome_do_not_matter(frame: Any) -> None:
    base = MultipleOutcomeSyntheticControl(["patents"]).fit(design_of(frame)).att
    frame["patents"] = 7 * frame["patents"] + 1000
    assert MultipleOutcomeSyntheticControl(["patents"]).fit(design_of(frame)).att == pytest.approx(
        base
    )


def test_errors_name_the_outcome(frame: Any) -> None:
    design = design_of(frame)
    with pytest.raises(jp.DesignError, match="'patent' is not in the design; did you mean"):
        MultipleOutcomeSyntheticControl(["patent"]).fit(design)
    with pytest.raises(jp.DesignError, match="'constant' does not vary before 2009"):
        MultipleOutcomeSyntheticControl(["constant"]).fit(design)
    with pytest.raises(jp.DesignError, match="objective='sum'"):
        MultipleOutcomeSyntheticControl(["same"], "sum").fit(design)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("objective", "other", "expected"),
    [
        ("concatenated", "square", {10: 0.8488626883, 14: 0.1511373117}),
        ("concatenated", "log", {4: 0.0090547009, 10: 0.8092959838, 14: 0.1816493153}),
        ("averaged", "square", {10: 0.8482351935, 14: 0.1517648065}),
        ("averaged", "log", {4: 0.0154675666, 10: 0.7910522146, 14: 0.1934802189}),
    ],
)
def test_basque_weights_are_those_of_a_peer(
    basque_data: Any, objective: Any, other: str, expected: dict[int, float]
) -> None:
    # StatsPAI 1.40.2, multi_outcome_synth(), which follows augsynth::augsynth_multiout(fixedeff=F)
    frame = basque_data.query("regionno != 1")
    frame = frame.assign(square=frame["gdpcap"] ** 2, log=np.log(frame["gdpcap"]))
    frame["treated"] = ((frame["year"] >= 1975) & (frame["regionno"] == 17)).astype(int)
    design = jp.Design.from_frame(
        frame,
        unit="regionno",
        time="year",
        outcome="gdpcap",
        treatment="treated",
        covariates=[other],
    )
    estimate = jp.synth.MultipleOutcomeSyntheticControl(
        [other], objective=objective, demeaned=False
    ).fit(design)
    assert estimate.weights is not None
    used = estimate.weights[17][estimate.weights[17] > 1e-8]
    assert used.to_dict() == pytest.approx(expected, abs=1e-9)
