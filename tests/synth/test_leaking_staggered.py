"""Treated units of several dates whose treatment leaks: effects from each unit's own date on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from leaking import AFTER, BEFORE, design_of, mixed, noisy, twins

import jjjpolicy as jp

EARLY, LATE = 2013.0, 2015.0
FIRST = np.array([2.0, 3.0, 5.0, 4.0])
SECOND = np.array([0.0, 0.0, 8.0, 10.0])
"""Of a unit treated from 2015 on."""


def at_two_dates(design: jp.Design, early: str, late: str) -> jp.Design:
    return design.reassigned(
        np.select([design.units == early, design.units == late], [EARLY, LATE], np.inf)
    )


def test_inclusive_effects_are_exact_from_each_units_own_date() -> None:
    paths = mixed()
    paths["D4"] = paths["D3"] + 0.25 * (paths["T"] - paths["D3"])
    effects = {"T": FIRST, "A": np.full(AFTER, -1.0), "D4": SECOND}
    design = at_two_dates(design_of(paths, effects, ("T", "D4")), "T", "D4")
    estimate = jp.synth.InclusiveSyntheticControl(["A"]).fit(design)
    units = estimate.unit_effects.set_index("unit")
    assert units.loc["T", "att"] == pytest.approx(3.5, abs=1e-8)
    assert units.loc["D4", "att"] == pytest.approx(9.0, abs=1e-8)
    assert estimate.att == pytest.approx((FIRST.sum() + SECOND.sum()) / 6, abs=1e-8)
    assert estimate.cohort_effects.set_index("adoption")["estimate"].to_dict() == pytest.approx(
        {2013: 3.5, 2015: 9.0}, abs=1e-8
    )
    assert estimate.details["spillovers"]["estimate"].tolist() == pytest.approx([-1.0], abs=1e-8)


def test_what_a_later_adopter_receives_before_its_own_date_is_shown_and_not_its_effect() -> None:
    paths = mixed()
    paths["D4"] = paths["D3"] + 0.25 * (paths["T"] - paths["D3"])
    effects = {"T": FIRST, "D4": SECOND + np.array([-0.5, -0.5, 0, 0])}
    design = at_two_dates(design_of(paths, effects, ("T", "D4")), "T", "D4")
    estimate = jp.synth.InclusiveSyntheticControl(["A"]).fit(design)
    path = estimate.details["joint"].frame().loc["D4"]
    assert path.loc[2013:2014].tolist() == pytest.approx([-0.5, -0.5], abs=1e-8)
    assert estimate.unit_effects.set_index("unit").loc["D4", "att"] == pytest.approx(9, abs=1e-8)


def pairs() -> pd.DataFrame:
    """A0 is linked with T0 and C0 with B0, strongly; C0 with T0 half as much."""
    units = list(twins())
    table = pd.DataFrame(0.0, units, units)
    table.loc["A0", "T0"] = table.loc["C0", "B0"] = 1.0
    table.loc["C0", "T0"] = 0.5
    return table


@pytest.mark.parametrize(
    ("structure", "spilled"),
    [
        (jp.synth.FreeEffects(["A0", "C0"]), {"A0": np.full(AFTER, 3.0), "C0": -FIRST}),
        (jp.synth.CommonEffect(["A0", "C0"]), {"A0": FIRST, "C0": FIRST}),
        (
            jp.synth.Links(pairs()),
            {"A0": np.full(AFTER, 3.0), "C0": 3 * np.array([0.5, 0.5, 1.5, 1.5])},
        ),
    ],
)
def test_a_structure_follows_those_treated_by_then(
    structure: jp.synth.Links, spilled: dict[str, np.ndarray]
) -> None:
    design = design_of(twins(), {"T0": FIRST, "B0": SECOND, **spilled}, ("T0", "B0"))
    design = at_two_dates(design, "T0", "B0")
    estimate = jp.synth.SpilloverSyntheticControl(structure).fit(design)
    found = estimate.details["joint"].frame().iloc[:, BEFORE:]
    for unit, effect in {"T0": FIRST, "B0": SECOND, **spilled}.items():
        assert found.loc[unit].to_numpy() == pytest.approx(effect, abs=1e-9)
    assert estimate.att == pytest.approx((FIRST.sum() + SECOND.sum()) / 6, abs=1e-9)
    table = estimate.details["spillovers"].set_index("unit")["estimate"].to_dict()
    assert table == pytest.approx({u: e.mean() for u, e in spilled.items()}, abs=1e-9)
    assert (estimate.weights is None) == isinstance(structure, jp.synth.Links)


def test_a_unit_counts_as_affected_from_the_date_of_who_affects_it() -> None:
    table = pairs()
    table.loc["C0", "T0"] = 0.0
    effects = {"T0": FIRST, "B0": SECOND, "A0": np.full(AFTER, 3.0), "C0": [0, 0, 3.0, 3.0]}
    design = at_two_dates(design_of(twins(), effects, ("T0", "B0")), "T0", "B0")
    for system in (
        jp.synth.SpilloverSyntheticControl(jp.synth.Links(table)),
        jp.synth.InclusiveSyntheticControl(jp.synth.Links(table)),
    ):
        spillovers = system.fit(design).details["spillovers"].set_index("unit")["estimate"]
        assert spillovers.to_dict() == pytest.approx({"A0": 3.0, "C0": 3.0}, abs=1e-9)


def test_effects_at_two_dates_that_are_one_are_those_of_one_date() -> None:
    design = noisy(6)
    once = design.reassigned(np.where(design.units.isin(["u0", "u3"]), EARLY, np.inf))
    later = at_two_dates(design, "u0", "u3")
    for system in (
        jp.synth.SpilloverSyntheticControl(jp.synth.FreeEffects(["u1"])),
        jp.synth.InclusiveSyntheticControl(["u1"]),
    ):
        one, two = system.fit(once), system.fit(later)
        assert two.details["joint"].values == pytest.approx(one.details["joint"].values, abs=1e-10)
        assert two.att != one.att


def test_a_region_of_several_dates_counts_from_the_first() -> None:
    design = at_two_dates(noisy(6), "u0", "u3")
    estimate = jp.synth.InclusiveSyntheticControl(["u1"]).fit(design)
    account = jp.synth.region_account(estimate, {"treated": ["u0", "u3"], "other": ["u1"]})
    paths = estimate.details["joint"].frame()
    assert account["region"].att == pytest.approx(
        paths.loc[["u0", "u3", "u1"]].sum().iloc[BEFORE:].mean()
    )


def test_inference_at_several_dates_is_by_placebos_and_others_say_so() -> None:
    design = at_two_dates(noisy(6), "u0", "u3")
    estimate = jp.synth.InclusiveSyntheticControl(["u1"]).fit(design)
    found = estimate.with_inference(jp.inference.PlaceboUnits())
    assert found.inference is not None
    assert found.inference.assignments == 6 * 5  # ordered pairs of the unaffected
    with pytest.raises(jp.InferenceError, match="on one date"):
        estimate.with_inference(jp.inference.EndOfSample())
    with pytest.raises(jp.InferenceError, match="lets their treatment affect"):
        estimate.with_inference(jp.inference.DebiasedTTest())
