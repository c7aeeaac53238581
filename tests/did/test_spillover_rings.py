"""Effects on neighbours: reference, regression with dummies, algebra, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.registry.geography import great_circle_km

ONE_DATE = {0: 2004, 1: 2004, 2: 2004}
STAGGERED = {0: 2004, 1: 2004, 2: 2006}
EVENT_STUDY_OF_DIFF_DIFF = [
    -0.1202732741,
    -0.1376624740,
    -0.0601005873,
    -0.1887781836,
    0.0197350197,
    -0.0318386790,
    0.0370420993,
    -0.0612963057,
    0.0121648755,
    0.1701852015,
]


def panel(
    adoption: dict[int, int], units: int = 40, spill: float = 0.0, seed: int = 0
) -> pd.DataFrame:
    """Simulated units in a box of 10 by 10 degrees; neighbours within 150 km gain ``spill``."""
    frame = simulated_panel(units=units, periods=8, adoption=adoption, effect=1.0, seed=seed)
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(30, 40, units), rng.uniform(110, 120, units)
    frame = frame.assign(lat=lat[frame["unit"]], lon=lon[frame["unit"]])
    if spill:
        places = np.column_stack([lat, lon])
        away = great_circle_km(places, places[list(adoption)])
        started = np.array(list(adoption.values()))
        near = (away[frame["unit"]] <= 150) & (frame["period"].to_numpy()[:, None] >= started)
        frame["y"] += spill * (near.any(axis=1) & (frame["treated"] == 0))
    return frame


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments: dict[str, Any] = {
        "unit": "unit",
        "time": "period",
        "outcome": "y",
        "treatment": "treated",
        "coordinates": ("lat", "lon"),
    }
    return jp.Design.from_frame(frame, **(arguments | changes))


def rings_by_hand(design: jp.Design, edges: tuple[float, ...]) -> list[np.ndarray]:
    """Indicators of treatment and of each ring, cell by cell."""
    assert design.coordinates is not None
    away = great_circle_km(design.coordinates, design.coordinates)
    nearest = np.full(design.outcome.shape, np.inf)
    for j in range(design.n_units):
        for t, period in enumerate(design.periods):
            if design.adoption[j] <= period:
                others = np.arange(design.n_units) != j
                nearest[others, t] = np.minimum(nearest[others, t], away[others, j])
    masks, inner = [design.treatment], -1.0
    for edge in edges:
        masks.append((nearest > inner) & (nearest <= edge) & ~design.treatment)
        inner = edge
    return masks


@pytest.mark.parametrize("adoption", [ONE_DATE, STAGGERED], ids=["one date", "staggered"])
@pytest.mark.parametrize("dropped", [[], [5, 77]], ids=["balanced", "unbalanced"])
def test_estimates_and_errors_equal_two_stages_with_dummies(
    adoption: dict[int, int], dropped: list[int]
) -> None:
    design = design_of(panel(adoption).drop(index=dropped))
    estimate = jp.did.SpilloverRings(rings=(150, 300)).fit(design)
    masks = rings_by_hand(design, (150, 300))
    n, periods = design.outcome.shape
    cells = design.observed.ravel()
    dummies = np.hstack(
        [
            np.kron(np.eye(n), np.ones((periods, 1))),
            np.kron(np.ones((n, 1)), np.eye(periods)),
        ]
    )[cells]
    y, unit = design.outcome.ravel()[cells], np.repeat(np.arange(n), periods)[cells]
    x = np.stack([mask.ravel()[cells] for mask in masks], axis=1).astype(float)
    clean = dummies * (x.sum(axis=1) == 0)[:, None]
    inverse = np.linalg.pinv(clean.T @ clean)
    residuals = y - dummies @ (inverse @ clean.T @ y)
    bread = np.linalg.inv(x.T @ x)
    coefficients = bread @ x.T @ residuals
    last = residuals - x @ coefficients
    variance = np.zeros((3, 3))
    for i in range(n):
        own = unit == i
        score = x[own].T @ last[own]
        score -= x.T @ dummies @ inverse @ clean[own].T @ residuals[own]
        variance += np.outer(bread @ score, bread @ score)
    errors = np.sqrt(np.diag(variance))
    rings = estimate.details["rings"]
    assert [estimate.att, *rings["estimate"]] == pytest.approx(coefficients, abs=1e-9)
    assert [estimate.se, *rings["se"]] == pytest.approx(errors, rel=1e-7)
    assert rings["cells"].tolist() == x[:, 1:].sum(axis=0).tolist()


def test_one_date_equals_the_regression_with_rings() -> None:
    frame = panel(ONE_DATE)
    design = design_of(frame)
    rings = rings_by_hand(design, (150, 300))
    frame = frame.assign(near=rings[1].ravel() * 1.0, far=rings[2].ravel() * 1.0)
    regression = jp.did.TwoWayFixedEffects().fit(design_of(frame, covariates=["near", "far"]))
    estimate = jp.did.SpilloverRings(rings=(150, 300)).fit(design)
    assert estimate.att == pytest.approx(regression.att, abs=1e-11)
    coefficients = regression.details["regression"].coefficients[1:]
    assert estimate.details["rings"]["estimate"].to_numpy() == pytest.approx(
        coefficients, abs=1e-11
    )


@pytest.mark.parametrize("adoption", [ONE_DATE, STAGGERED], ids=["one date", "staggered"])
def test_agrees_with_diff_diff(recorded: Any, adoption: dict[int, int]) -> None:
    """Ring errors there have the factor G/(G-1) · (N-1)/(N-K) of the second stage."""
    frame = panel(adoption)
    frame["since"] = frame["first"].replace(np.inf, 0).astype(int)

    def ask(diff_diff: Any) -> dict[str, Any]:
        fit = diff_diff.SpilloverDiD(
            rings=[0, 150, 300], conley_coords=("lat", "lon"), cluster="unit"
        ).fit(frame, outcome="y", unit="unit", time="period", first_treat="since")
        return {"att": float(fit.att), **fit.spillover_effects[["coef", "se"]].to_dict("list")}

    theirs = recorded("diff_diff", ask)
    estimate = jp.did.SpilloverRings(rings=(150, 300)).fit(design_of(frame))
    rings = estimate.details["rings"]
    factor = np.sqrt(40 / 39 * 319 / 317)
    assert estimate.att == pytest.approx(theirs["att"], abs=1e-8)
    assert rings["estimate"].to_numpy() == pytest.approx(np.array(theirs["coef"]), abs=1e-8)
    assert factor * rings["se"].to_numpy() == pytest.approx(np.array(theirs["se"]), rel=1e-6)


def test_numbers_of_diff_diff() -> None:
    """diff-diff 3.13.0, SpilloverDiD(rings=[0, 150, 300]) on this simulated panel."""
    estimate = jp.did.SpilloverRings(rings=(150, 300)).fit(design_of(panel(STAGGERED)))
    assert estimate.att == pytest.approx(0.7202784723454726, abs=1e-8)
    rings = estimate.details["rings"]["estimate"]
    assert rings.to_numpy() == pytest.approx([-0.097416, 0.025251], abs=1e-6)


def test_ring_effects_by_event_time_equal_an_event_study_of_the_ring_and_the_far() -> None:
    """One date, one ring at a time: its units as if treated, against units beyond all rings."""
    frame = panel(ONE_DATE, units=60, spill=1.0)
    estimate = jp.did.SpilloverRings(rings=(150, 300)).fit(design_of(frame))
    table = estimate.details["rings_by_event_time"]
    design = design_of(frame)
    _, near, far = (mask.any(axis=1) for mask in rings_by_hand(design, (150, 300)))
    beyond = design.units[~(near | far | design.treated)]
    for outer, members in ((150, near), (300, far)):
        units = design.units[members]
        some = frame[frame["unit"].isin([*units, *beyond])]
        some = some.assign(
            treated=(some["unit"].isin(units) & (some["period"] >= 2004)).astype(int)
        )
        alone = jp.did.TwoStage().fit(design_of(some))
        own = table[table["outer"] == outer]
        assert own["event_time"].tolist() == [0, 1, 2, 3, 4]
        assert own["estimate"].to_numpy() == pytest.approx(
            alone.effects["estimate"].to_numpy(), abs=1e-11
        )
        rings = estimate.details["rings"].set_index("outer")
        assert rings["estimate"][outer] == pytest.approx(alone.att, abs=1e-11)


def test_rings_are_averages_of_their_effects_by_event_time() -> None:
    design = design_of(panel(STAGGERED).drop(index=[5, 77]))
    details = jp.did.SpilloverRings(rings=(150, 300)).fit(design).details
    table, rings = details["rings_by_event_time"], details["rings"]
    for k, (outer, own) in enumerate(table.groupby("outer")):
        share = (own["cells"] / own["cells"].sum()).to_numpy()
        assert rings["outer"][k] == outer
        assert share @ own["estimate"] == pytest.approx(rings["estimate"][k], abs=1e-12)
        combined = details["rings_by_event_time_influence"][:, own.index] @ share
        assert combined == pytest.approx(details["ring_influence"][:, k], abs=1e-10)


def test_ring_effects_by_event_time_are_those_of_diff_diff() -> None:
    """diff-diff 3.13.0, SpilloverDiD(rings=[0, 150, 300], event_study=True), simulated panel."""
    estimate = jp.did.SpilloverRings(rings=(150, 300)).fit(design_of(panel(STAGGERED)))
    table = estimate.details["rings_by_event_time"]
    assert table["estimate"].to_numpy() == pytest.approx(EVENT_STUDY_OF_DIFF_DIFF, abs=1e-8)


@pytest.mark.parametrize("adoption", [ONE_DATE, STAGGERED], ids=["one date", "staggered"])
def test_event_study_agrees_with_diff_diff(recorded: Any, adoption: dict[int, int]) -> None:
    frame = panel(adoption)
    frame["since"] = frame["first"].replace(np.inf, 0).astype(int)

    def ask(diff_diff: Any) -> dict[str, Any]:
        fit = diff_diff.SpilloverDiD(
            rings=[0, 150, 300], conley_coords=("lat", "lon"), cluster="unit", event_study=True
        ).fit(frame, outcome="y", unit="unit", time="period", first_treat="since")
        found = fit.spillover_effects.query("n_obs > 0")
        times = [int(time) for time in found.index.get_level_values(1)]
        return {"event_time": times, **found[["coef", "se"]].to_dict("list")}

    theirs = recorded("diff_diff", ask)
    mine = jp.did.SpilloverRings(rings=(150, 300)).fit(design_of(frame))
    table = mine.details["rings_by_event_time"]
    assert table["event_time"].tolist() == theirs["event_time"]
    assert table["estimate"].to_numpy() == pytest.approx(np.array(theirs["coef"]), abs=1e-8)
    ratio = np.array(theirs["se"]) / table["se"].to_numpy()
    assert ratio == pytest.approx(np.full(len(ratio), ratio[0]), rel=1e-6)


def test_spillovers_onto_controls_bias_the_naive_effect_and_not_this_one() -> None:
    naive, ringed, near = [], [], []
    for seed in range(20):
        frame = panel(dict.fromkeys(range(6), 2004), units=30, spill=2.0, seed=seed)
        design = design_of(frame)
        naive.append(jp.did.TwoWayFixedEffects().fit(design).att)
        estimate = jp.did.SpilloverRings(rings=(150,)).fit(design)
        ringed.append(estimate.att)
        near.append(estimate.details["rings"]["estimate"].iloc[0])
    assert np.mean(ringed) == pytest.approx(1.0, abs=0.1)
    assert np.mean(near) == pytest.approx(2.0, abs=0.1)
    assert np.mean(naive) < 0.7


def test_distance_tables_and_adjacency_replace_coordinates() -> None:
    frame = panel(STAGGERED)
    design = design_of(frame)
    assert design.coordinates is not None
    away = great_circle_km(design.coordinates, design.coordinates)
    table = pd.DataFrame(away, index=design.units, columns=design.units)
    bare = design_of(frame, coordinates=None)
    by_table = jp.did.SpilloverRings(rings=(150, 300), distances=table).fit(bare)
    expected = jp.did.SpilloverRings(rings=(150, 300)).fit(design)
    pd.testing.assert_frame_equal(by_table.details["rings"], expected.details["rings"])
    touching = (table <= 150).astype(int)
    first = jp.did.SpilloverRings(rings=(1,), adjacency=touching).fit(bare)
    near = jp.did.SpilloverRings(rings=(150,)).fit(design)
    assert first.att == pytest.approx(near.att, abs=1e-12)
    second = jp.did.SpilloverRings(rings=(1, 2), adjacency=touching).fit(bare)
    steps = touching.to_numpy() @ touching.to_numpy() > 0
    treated_units = list(STAGGERED)
    reached = steps[:, treated_units].any(axis=1) & ~touching.to_numpy()[:, treated_units].any(
        axis=1
    )
    assert second.details["rings"]["units"].iloc[1] == reached.sum()


def test_randomisation_and_conley_work_and_options_are_recorded() -> None:
    design = design_of(panel(ONE_DATE))
    touching = pd.DataFrame(np.eye(40), index=design.units, columns=design.units)
    estimate = jp.did.SpilloverRings(rings=(150,)).fit(design)
    randomised = estimate.with_inference(jp.inference.RandomizationInference(replications=19))
    assert randomised.pvalue is not None
    assert 0 < randomised.pvalue <= 1
    with pytest.raises(jp.InferenceError, match="SpilloverRings lets treatment affect them"):
        randomised.interval()
    assert estimate.with_inference(jp.inference.Conley(cutoff_km=200)).se is not None
    described = jp.did.SpilloverRings(rings=(1,), adjacency=touching).specification()
    assert described["adjacency"].startswith("40 units, sha256")


def test_empty_rings_are_named_and_left_out() -> None:
    design = design_of(panel(ONE_DATE))
    with pytest.warns(jp.JJJPolicyWarning, match="between 0 and 0.001"):
        estimate = jp.did.SpilloverRings(rings=(0.001, 300)).fit(design)
    assert np.isnan(estimate.details["rings"]["estimate"].iloc[0])
    assert np.isfinite(estimate.att)


def test_refuses_what_it_cannot_know() -> None:
    frame = panel(ONE_DATE)
    with pytest.raises(jp.DesignError, match="needs to know who is near whom"):
        jp.did.SpilloverRings().fit(design_of(frame, coordinates=None))
    with pytest.raises(jp.DesignError, match="no control is left. Use smaller rings="):
        jp.did.SpilloverRings(rings=(5000,)).fit(design_of(frame))
    with pytest.raises(jp.DesignError, match="outer edges above zero, increasing"):
        jp.did.SpilloverRings(rings=(100, 50))
    short = pd.DataFrame(np.zeros((3, 3)))
    with pytest.raises(jp.DesignError, match="distances= has no row for unit 3"):
        jp.did.SpilloverRings(distances=short).fit(design_of(frame))
    negative = pd.DataFrame(-np.ones((40, 40)))
    with pytest.raises(jp.DesignError, match="is -1 between 0 and 0"):
        jp.did.SpilloverRings(distances=negative).fit(design_of(frame))
