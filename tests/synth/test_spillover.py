"""Synthetic control with spillovers of a stated structure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from leaking import AFTER, BEFORE, design_of, noisy, twins

import jjjpolicy as jp
from jjjpolicy.estimation.structure import SpilloverStructure

UNITS = list(twins())


def distances() -> pd.DataFrame:
    """From T0: T1 40, A0 10, A1 50, B0 20, B1 60, C0 70, C1 80."""
    position = np.array([0.0, 40, 10, 50, 20, 60, 70, 80])
    return pd.DataFrame(abs(position[:, None] - position), UNITS, UNITS)


def links() -> pd.DataFrame:
    table = pd.DataFrame(0.0, UNITS, UNITS)
    table.loc["A0", "T0"], table.loc["B0", "T0"] = 1.0, 0.5
    return table


STRUCTURES: dict[str, tuple[SpilloverStructure, dict[str, float]]] = {
    "free": (jp.synth.FreeEffects(["A0", "B0"]), {"A0": 3.0, "B0": -2.0}),
    "common": (jp.synth.CommonEffect(["A0", "B0"]), {"A0": 3.0, "B0": 3.0}),
    "links": (jp.synth.Links(links()), {"A0": 3.0, "B0": 1.5}),
    "rings": (jp.synth.Rings([15, 30], distances()), {"A0": 3.0, "B0": -1.0}),
    "decay": (
        jp.synth.DistanceDecay(10, distances()),
        {u: 3 * np.exp(-distances().loc[u, "T0"] / 10) for u in UNITS[1:]},
    ),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_effects_of_every_structure_are_exact_where_the_fits_are(name: str) -> None:
    structure, spilled = STRUCTURES[name]
    effects = {"T0": np.full(AFTER, 5.0)} | {u: np.full(AFTER, e) for u, e in spilled.items()}
    design = design_of(twins(), effects, ("T0",))
    estimate = jp.synth.SpilloverSyntheticControl(structure).fit(design)
    assert estimate.att == pytest.approx(5.0, abs=1e-9)
    found = estimate.details["spillovers"].set_index("unit")["estimate"].to_dict()
    assert found == pytest.approx(spilled, abs=1e-9)


def test_effects_follow_the_formula_of_the_paper() -> None:
    design = noisy(4)
    n = design.n_units
    intercepts, b = np.zeros(n), np.zeros((n, n))
    for i, unit in enumerate(design.units):
        single = design.reassigned(np.where(design.units == unit, 2013.0, np.inf))
        fit = jp.synth.DemeanedSyntheticControl().fit(single)
        b[i, design.units.get_indexer(fit.weights.index)] = fit.weights[unit]
        intercepts[i] = fit.unit_effects["intercept"].iloc[0]
    a = np.eye(n)[:, :3]
    rest = np.eye(n) - b
    m = rest.T @ rest
    expected = (
        a
        @ np.linalg.inv(a.T @ m @ a)
        @ a.T
        @ rest.T
        @ (rest @ design.outcome - intercepts[:, None])
    )
    structure = jp.synth.FreeEffects(["u1", "u2"])
    estimate = jp.synth.SpilloverSyntheticControl(structure).fit(design)
    assert estimate.details["joint"].values == pytest.approx(expected, abs=1e-10)
    weights = estimate.weights["u0"]
    assert weights.sum() == pytest.approx(1, rel=1e-10)
    paths = pd.DataFrame(design.outcome, design.units, design.periods).loc[weights.index]
    assert np.ptp(estimate.counterfactual.loc["u0"] - weights @ paths) < 1e-10


@pytest.mark.parametrize(
    ("structure", "att", "spilled"),
    [
        (
            jp.synth.FreeEffects,
            -5.305921,
            {"Idaho": 4.134950, "Nevada": 8.368218, "Utah": 9.441772},
        ),
        (jp.synth.CommonEffect, -5.796919, dict.fromkeys(("Idaho", "Nevada", "Utah"), 7.426569)),
    ],
)
def test_proposition_99_as_another_package_computes_it(
    structure: type[SpilloverStructure],
    att: float,
    spilled: dict[str, float],
    prop99_data: pd.DataFrame,
) -> None:
    """mlsynth 1.0.0, SPILLSYNTH(method="cd"), Idaho, Nevada and Utah affected."""
    design = jp.Design.from_frame(
        prop99_data,
        unit="State",
        time="Year",
        outcome="PacksPerCapita",
        treatment="treated",
    )
    estimate = jp.synth.SpilloverSyntheticControl(structure(list(spilled))).fit(design)
    assert estimate.att == pytest.approx(att, abs=2e-6)
    found = estimate.details["spillovers"].set_index("unit")["estimate"].to_dict()
    assert found == pytest.approx(spilled, abs=2e-6)


LARGER_RESIDUALS = {
    "California": [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
    "Alabama": [0, 0, 0, 0, 0, 0, 3, 0, 4, 14, 0, 0],
    "Arkansas": [4, 0, 14, 0, 5, 0, 0, 7, 0, 0, 0, 0],
    "Colorado": [0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0],
}
"""Of 19 residuals before treatment, those larger than the effect of each year, in scspill 0.3.0.

``SCSPILL(method="cd")``, Alabama, Arkansas and Colorado affected: its p-values times 19, which do
not count the effect itself.
"""


def test_effects_and_tests_by_period_are_those_of_another_program(
    prop99_data: pd.DataFrame,
) -> None:
    """scspill 0.3.0, whose weights stop short of the optimum in the fifth digit."""
    columns = {"unit": "State", "time": "Year", "outcome": "PacksPerCapita"}
    design = jp.Design.from_frame(prop99_data, **columns, treatment="treated")
    structure = jp.synth.FreeEffects(["Alabama", "Arkansas", "Colorado"])
    estimate = jp.synth.SpilloverSyntheticControl(structure).fit(design)
    found = estimate.details["spillovers"].set_index("unit")["estimate"].to_dict()
    assert {"California": estimate.att, **found} == pytest.approx(
        {
            "California": -10.358180,
            "Alabama": 4.240583,
            "Arkansas": -2.470625,
            "Colorado": -8.609842,
        },
        abs=1e-4,
    )
    method = jp.inference.EndOfSample(leave_out=False)
    for unit, larger in LARGER_RESIDUALS.items():
        pvalues = method.test(estimate, [unit]).by_period["pvalue"]
        assert pvalues.tolist() == pytest.approx([(1 + count) / 20 for count in larger])


def test_placebos_share_their_fits_and_are_those_of_single_fits() -> None:
    design = design_of(twins(), {"T0": np.full(AFTER, 5.0)}, ("T0",))
    noise = np.random.default_rng(2).normal(size=design.outcome.shape)
    design = design.with_outcome(design.outcome + noise)
    system = jp.synth.SpilloverSyntheticControl(jp.synth.DistanceDecay(10, distances()))
    adoptions = np.where(np.eye(8, dtype=bool), 2013.0, np.inf)
    together = system.refit_many(design, adoptions)
    single = [system.refit(design.reassigned(row)).att[0] for row in adoptions]
    assert together.att == pytest.approx(single, rel=1e-12)


def test_exposure_that_does_not_match_the_design_is_named() -> None:
    design = design_of(twins(), {}, ("T0",))

    def refused(structure: SpilloverStructure, message: str) -> None:
        with pytest.raises(jp.DesignError, match=message):
            jp.synth.SpilloverSyntheticControl(structure).fit(design)

    refused(jp.synth.FreeEffects(["Z"]), "no unit 'Z' in the design")
    refused(jp.synth.FreeEffects(["T0"]), "'T0' is treated")
    refused(jp.synth.CommonEffect(UNITS[1:]), "all 7 untreated units")
    refused(jp.synth.Rings([5], distances()), "no untreated unit is exposed to effect 1")
    refused(jp.synth.Rings([15, 18], distances()), "no untreated unit is exposed to effect 2")
    refused(jp.synth.DistanceDecay(10), "build the design with coordinates=")
    refused(jp.synth.Rings([15], distances().drop(index="C1")), "no row for unit 'C1'")
    refused(jp.synth.Rings([15], -distances()), "distances= is -40 between 'A0' and 'A1'")
    own = links()
    own.loc["T0", "T0"] = 1.0
    refused(jp.synth.Links(own), "makes treated unit 'T0' its own neighbour")
    neighbour = links()
    neighbour.loc["C0", "C0"] = 1.0
    refused(jp.synth.Links(neighbour), "makes unit 'C0' its own neighbour")
    refused(jp.synth.Links(links().astype(str).replace("1.0", "yes")), "table= holds what is no")
    refused(jp.synth.FreeEffects(["T1"]), "effects on 'T0', 'T1' apart")
    with pytest.raises(jp.DesignError, match="structure=.* must be FreeEffects"):
        jp.synth.SpilloverSyntheticControl(["A0"])  # type: ignore[arg-type]
    with pytest.raises(jp.DesignError, match="table=.* must be a DataFrame"):
        jp.synth.Links(links().to_numpy())  # type: ignore[arg-type]
    with pytest.raises(jp.DesignError, match="must be above zero and increase"):
        jp.synth.Rings([30, 15])
    with pytest.raises(jp.DesignError, match="scale=0 must be above zero"):
        jp.synth.DistanceDecay(0)


def test_tables_are_recorded_by_their_digest() -> None:
    assert repr(jp.synth.DistanceDecay(10)) == "DistanceDecay(scale=10)"
    assert repr(jp.synth.Links(links())).startswith("Links(table=8 units, sha256 ")
    other = links()
    other.loc["C0", "T0"] = 1.0
    assert repr(jp.synth.Links(links())) != repr(jp.synth.Links(other))


def test_coordinates_give_the_distances() -> None:
    design = noisy(5)
    coordinates = np.column_stack([np.full(9, 30.0), 110 + np.arange(9) * 2.0])
    placed = replace(design, coordinates=coordinates)
    near = jp.synth.SpilloverSyntheticControl(jp.synth.Rings([200])).fit(placed)
    named = jp.synth.SpilloverSyntheticControl(jp.synth.FreeEffects(["u1"])).fit(design)
    assert near.att == named.att
    assert near.details["spillovers"]["unit"].tolist() == ["u1"]


def test_paths_before_treatment_average_to_zero() -> None:
    """The fits have intercepts."""
    estimate = jp.synth.SpilloverSyntheticControl(jp.synth.FreeEffects(["u1"])).fit(noisy())
    before = estimate.details["joint"].values[:, :BEFORE]
    assert before.mean(axis=1) == pytest.approx(0, abs=1e-12)
