"""Inference over units where treatment affects others than the treated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from leaking import AFTER, BEFORE, noisy
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimator

EVERY_METHOD_OVER_UNITS = (jp.inference.PlaceboUnits(), jp.inference.RandomizationInference())


def on_a_line(spilled: float = 0.0, units: int = 9) -> tuple[jp.Design, pd.DataFrame]:
    """Units 100 apart; "u0" is treated, and "u1" receives something more."""
    design = noisy(2, units)
    outcome = design.outcome.copy()
    outcome[1, BEFORE:] += spilled
    places = 100.0 * np.arange(units)
    away = pd.DataFrame(abs(places[:, None] - places), design.units, design.units)
    return design.with_outcome(outcome), away


def leaking_estimators(away: pd.DataFrame) -> dict[str, Estimator]:
    return {
        "inclusive, named": jp.synth.InclusiveSyntheticControl(["u1"]),
        "inclusive, rule": jp.synth.InclusiveSyntheticControl(jp.synth.Rings([150], away)),
        "structure, named": jp.synth.SpilloverSyntheticControl(jp.synth.FreeEffects(["u1"])),
        "structure, rule": jp.synth.SpilloverSyntheticControl(jp.synth.Rings([150], away)),
        "rings": jp.did.SpilloverRings(rings=(150.0,), distances=away),
        "exposure": jp.did.SpilloverExposure(jp.did.InverseDistance(cutoff=150.0, distances=away)),
    }


@pytest.mark.parametrize("name", leaking_estimators(on_a_line()[1]))
def test_the_reference_of_placebos_does_not_move_with_the_spillover(name: str) -> None:
    """However large: what the affected unit received is in no placebo."""
    references = []
    for spilled in (0.0, 50.0):
        design, away = on_a_line(spilled)
        estimate = leaking_estimators(away)[name].fit(design)
        found = estimate.with_inference(jp.inference.PlaceboUnits())
        assert found.inference is not None
        assert found.inference.assignments == 7  # nine less the treated and the affected
        assert "'u1'" in " ".join(found.inference.notes)
        references.append(found.inference.reference)
    assert references[0] == pytest.approx(references[1], abs=1e-9)


def test_error_and_interval_are_of_units_to_which_nothing_happened() -> None:
    design, _ = on_a_line(50.0)
    system = jp.synth.InclusiveSyntheticControl(["u1"])
    estimate = system.fit(design).with_inference(jp.inference.PlaceboUnits())
    rest = design.keep_units(~design.treated, "treated")
    placebos = [
        system.refit(rest.reassigned(np.where(rest.units == f"u{k}", 2013.0, np.inf))).att[0]
        for k in range(2, 9)
    ]
    assert estimate.se == pytest.approx(np.std(placebos), rel=1e-10)
    largest = np.sort(np.abs(placebos))[-1]
    assert estimate.interval(0.85) == pytest.approx(
        (estimate.att - largest, estimate.att + largest)
    )


def test_treatment_is_not_handed_to_units_that_are_named_as_affected() -> None:
    design, _ = on_a_line()
    system = jp.synth.InclusiveSyntheticControl(["u1", "u2"])
    estimate = system.fit(design).with_inference(jp.inference.RandomizationInference())
    assert estimate.inference is not None
    assert estimate.inference.assignments == 6
    assert any("'u1', 'u2'" in note for note in estimate.inference.notes)


def test_separate_placebos_leave_out_the_affected_too() -> None:
    design, _ = on_a_line()
    both = design.reassigned(np.where(design.units.isin(["u0", "u3"]), 2013.0, np.inf))
    estimate = jp.synth.InclusiveSyntheticControl(["u1"]).fit(both)
    found = estimate.with_inference(jp.inference.PlaceboUnits(separate=True))
    assert found.inference is not None
    placebos = found.inference.details["unit_placebos"]
    assert set(placebos["placebo"]) == {"u2", "u4", "u5", "u6", "u7", "u8"}
    assert len(placebos) == 12


def test_groups_with_an_affected_unit_do_not_play_the_treated() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "city": np.repeat([f"c{k}" for k in range(16)], BEFORE + AFTER),
            "province": np.repeat([f"p{k // 2}" for k in range(16)], BEFORE + AFTER),
            "year": np.tile(np.arange(2001, 2001 + BEFORE + AFTER), 16),
            "y": rng.normal(size=16 * (BEFORE + AFTER)),
            "first": np.repeat([2013, 2013] + [0] * 14, BEFORE + AFTER),
        }
    )
    design = jp.Design.from_frame(
        frame, unit="city", time="year", outcome="y", adoption="first", assigned_at="province"
    )
    estimate = jp.synth.InclusiveSyntheticControl(["c2"]).fit(design)
    for method in EVERY_METHOD_OVER_UNITS:
        found = estimate.with_inference(method).inference
        assert found is not None
        assert found.assignments == 6  # eight provinces less the treated and that of c2


def test_where_treatment_reaches_everybody_placebos_are_refused_and_randomisation_is_not() -> None:
    design, away = on_a_line()
    system = jp.synth.SpilloverSyntheticControl(jp.synth.DistanceDecay(100, away))
    estimate = system.fit(design)
    with pytest.raises(jp.InferenceError, match="may affect every unit.*EndOfSample"):
        estimate.with_inference(jp.inference.PlaceboUnits())
    assert estimate.with_inference(jp.inference.RandomizationInference()).pvalue is not None


@pytest.mark.parametrize(
    "method",
    [
        jp.inference.Jackknife(),
        jp.inference.Clustered(kind="CRV3"),
        jp.inference.ConditionalRandomization(beyond=10.0),
    ],
    ids=lambda method: method.label,
)
def test_samples_without_named_units_are_refused(
    method: jp.inference.Jackknife,
) -> None:
    design, _ = on_a_line()
    both = design.reassigned(np.where(design.units.isin(["u0", "u3"]), 2013.0, np.inf))
    estimate = jp.synth.InclusiveSyntheticControl(["u1"]).fit(both)
    with pytest.raises(jp.InferenceError, match="names 'u1' as affected"):
        estimate.with_inference(method)


def test_samples_of_groups_are_refused_where_neighbours_hold_what_absent_ones_gave() -> None:
    frame = simulated_panel(units=12, periods=8, adoption={0: 2005, 6: 2005})
    numbers = frame["unit"].unique()
    away = pd.DataFrame(np.abs(numbers[:, None] - numbers) * 1.0, numbers, numbers)
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = jp.did.SpilloverRings(distances=away, rings=(1.0,)).fit(design)
    with pytest.raises(jp.InferenceError, match="leaves out some of the treated"):
        estimate.with_inference(jp.inference.ClusterBootstrap(replications=5))


def test_estimators_without_leaks_are_left_as_they_are() -> None:
    design, _ = on_a_line()
    estimate = jp.synth.DemeanedSyntheticControl().fit(design)
    for method in EVERY_METHOD_OVER_UNITS:
        found = estimate.with_inference(method).inference
        assert found is not None
        assert found.assignments == 8
        assert not any("affect" in note for note in found.notes)


def test_power_is_not_sought_where_a_pseudo_policy_would_treat_a_named_unit() -> None:
    design, away = on_a_line()
    named = jp.synth.InclusiveSyntheticControl(["u1"]).fit(design)
    with pytest.raises(jp.InferenceError, match="names 'u1' as affected"):
        jp.sensitivity.minimum_detectable_effect(named, inference=jp.inference.PlaceboUnits())
    spreads = []
    for spilled in (0.0, 50.0):
        moved, _ = on_a_line(spilled)
        rule = jp.did.SpilloverRings(rings=(150.0,), distances=away).fit(moved)
        spreads.append(jp.sensitivity.minimum_detectable_effect(rule, effects=[1.0]).spread)
    assert spreads[0] == pytest.approx(spreads[1], rel=1e-9)


def test_units_that_are_named_as_affected_are_not_left_out_in_turn() -> None:
    design, _ = on_a_line()
    system = jp.synth.SpilloverSyntheticControl(jp.synth.CommonEffect(["u1", "u2"]))
    left = jp.sensitivity.leave_one_out(system.fit(design))["left_out"]
    assert set(left) <= {f"u{k}" for k in range(3, 9)}
    assert len(left) > 0
