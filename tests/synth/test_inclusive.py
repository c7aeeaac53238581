"""Inclusive synthetic control: effects on treated and affected units from one system."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from leaking import AFTER, BEFORE, design_of, mixed, noisy, twins

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimator

DIRECT, SPILLED = np.array([2.0, 3.0, 5.0, 4.0]), np.array([-1.0, -2.0, 0.5, -3.0])


def leaking() -> jp.Design:
    return design_of(mixed(), {"T": DIRECT, "A": SPILLED}, ("T",))


def alone(design: jp.Design, unit: str, first_stage: Estimator) -> jp.Estimate:
    """The ordinary estimate for one unit with all others as donors."""
    return first_stage.fit(design.reassigned(np.where(design.units == unit, 2013.0, np.inf)))


@pytest.mark.parametrize(
    "first_stage", [jp.synth.DemeanedSyntheticControl(), jp.synth.SyntheticDiD(zeta_omega=0.0)]
)
def test_effects_on_treated_and_affected_are_exact_where_the_fits_are(
    first_stage: Estimator,
) -> None:
    estimate = jp.synth.InclusiveSyntheticControl(["A"], first_stage).fit(leaking())
    effects = estimate.details["joint"].frame()
    assert effects.loc["T"].to_numpy()[BEFORE:] == pytest.approx(DIRECT, abs=1e-9)
    assert effects.loc["A"].to_numpy()[BEFORE:] == pytest.approx(SPILLED, abs=1e-9)
    assert estimate.att == pytest.approx(3.5, abs=1e-9)
    spillovers = estimate.details["spillovers"].set_index("unit")
    assert spillovers.loc["A", "estimate"] == pytest.approx(-1.375, abs=1e-9)
    assert spillovers.loc["A", "pre_rmspe"] == 0


def test_without_it_the_spillover_is_in_the_estimate() -> None:
    plain = jp.synth.DemeanedSyntheticControl().fit(leaking())
    weight = plain.weights.loc["A", "T"]
    assert weight > 0.1
    assert plain.att == pytest.approx(3.5 - weight * SPILLED.mean(), abs=1e-9)


def test_one_treated_and_one_affected_unit_follow_the_closed_form() -> None:
    design, first = noisy(4), jp.synth.DemeanedSyntheticControl()
    own, other = alone(design, "u0", first), alone(design, "u1", first)
    w, k = own.weights.loc["u1", "u0"], other.weights.loc["u0", "u1"]
    assert min(w, k) > 0
    estimate = jp.synth.InclusiveSyntheticControl(["u1"]).fit(design)
    assert estimate.att == pytest.approx((own.att + w * other.att) / (1 - w * k), rel=1e-12)
    assert estimate.details["cross_weights"].loc["u0", "u1"] == w


def test_the_counterfactual_is_a_weighted_average_of_unaffected_units() -> None:
    design = noisy(3)
    estimate = jp.synth.InclusiveSyntheticControl(["u1", "u2"]).fit(design)
    weights = estimate.weights["u0"]
    assert weights[["u1", "u2"]].tolist() == [0, 0]
    assert weights.min() >= -1e-15
    assert weights.sum() == pytest.approx(1, rel=1e-12)
    paths = pd.DataFrame(design.outcome, design.units, design.periods).loc[weights.index]
    rest = estimate.counterfactual.loc["u0"] - weights @ paths
    assert np.ptp(rest) < 1e-12


def test_several_treated_units_help_fit_each_other() -> None:
    paths = mixed()
    effects = {"T": DIRECT, "A": SPILLED, "D4": np.full(AFTER, 9.0)}
    paths["D4"] = paths["D3"] + 0.25 * (paths["T"] - paths["D3"])
    design = design_of(paths, effects, ("T", "D4"))
    estimate = jp.synth.InclusiveSyntheticControl(["A"]).fit(design)
    assert estimate.unit_effects.set_index("unit")["att"].to_dict() == pytest.approx(
        {"T": 3.5, "D4": 9.0}, abs=1e-8
    )


def test_an_affected_unit_nobody_borrows_from_changes_nothing() -> None:
    design = noisy(1)
    plain = jp.synth.DemeanedSyntheticControl().fit(design)
    unused = plain.weights.index[plain.weights["u0"] == 0][0]
    estimate = jp.synth.InclusiveSyntheticControl([unused]).fit(design)
    assert estimate.att == pytest.approx(plain.att, rel=1e-12)


def test_german_reunification_with_austria_affected_as_the_authors_program(
    germany_data: pd.DataFrame,
) -> None:
    frame = germany_data
    treated = (frame["country"] == "West Germany") & (frame["year"] >= 1990)
    design = jp.Design.from_frame(
        frame.assign(treated=treated.astype(int)),
        unit="country",
        time="year",
        outcome="gdp",
        treatment="treated",
    )
    estimate = jp.synth.InclusiveSyntheticControl(["Austria"]).fit(design)
    cross = estimate.details["cross_weights"]
    assert cross.loc["West Germany", "Austria"] == pytest.approx(0.454248, abs=1e-6)
    assert cross.loc["Austria", "West Germany"] == pytest.approx(0.355042, abs=1e-6)
    assert estimate.att == pytest.approx(-1275.530404, abs=1e-5)
    plain = jp.synth.DemeanedSyntheticControl().fit(design)
    assert plain.att == pytest.approx(-1474.451116, abs=1e-5)


def test_units_that_are_made_of_each_other_are_named() -> None:
    design = design_of(twins(), {}, ("T0",))
    with pytest.raises(jp.DesignError, match="effects on 'T0', 'T1' apart.*consist of each other"):
        jp.synth.InclusiveSyntheticControl(["T1", "A0"]).fit(design)


@pytest.mark.parametrize(
    ("affected", "message"),
    [
        (["T"], "'T' is treated and cannot be among the affected"),
        (["A", "A"], "'A' is named twice"),
        (["Z"], "no unit 'Z' in the design"),
        ([], "at least one label"),
        (["A", "D0", "D1", "D2", "D3", "D4"], "all 6 untreated units are named"),
    ],
)
def test_affected_units_that_make_no_sense_are_named(affected: list[str], message: str) -> None:
    with pytest.raises(jp.DesignError, match=message):
        jp.synth.InclusiveSyntheticControl(affected).fit(leaking())


def test_a_rule_and_a_single_label_are_understood() -> None:
    named = jp.synth.InclusiveSyntheticControl(["A"]).fit(leaking())
    rule = jp.synth.InclusiveSyntheticControl(jp.synth.CommonEffect(["A"])).fit(leaking())
    assert rule.details["joint"].frame().equals(named.details["joint"].frame())
    assert jp.synth.InclusiveSyntheticControl("A").fit(leaking()).att == named.att


def test_a_first_stage_without_weights_is_refused() -> None:
    factors = jp.synth.GeneralizedSyntheticControl(rank=0)
    with pytest.raises(jp.DesignError, match="no donor weights"):
        jp.synth.InclusiveSyntheticControl(["A"], factors).fit(leaking())


def test_placebos_are_single_fits_and_conformal_inference_says_why_not() -> None:
    design = noisy(2)
    system = jp.synth.InclusiveSyntheticControl(["u1"])
    estimate = system.fit(design).with_inference(jp.inference.PlaceboUnits())
    rest = design.keep_units(~design.treated, "treated")
    single = [
        system.refit(rest.reassigned(np.where(rest.units == unit, 2013.0, np.inf))).att[0]
        for unit in rest.units
        if unit != "u1"
    ]
    assert sorted(estimate.inference.reference) == pytest.approx(sorted(single), rel=1e-12)
    with pytest.raises(jp.InferenceError, match="lets treatment affect them; use EndOfSample"):
        estimate.with_inference(jp.inference.Conformal())


def test_randomisation_tests_no_effect_at_all_and_says_why_there_is_no_interval() -> None:
    system = jp.synth.InclusiveSyntheticControl(jp.synth.CommonEffect(["u1"]))
    estimate = system.fit(noisy(2)).with_inference(jp.inference.RandomizationInference())
    assert estimate.inference.reference is not None
    sizes = abs(estimate.inference.reference)
    assert estimate.pvalue == pytest.approx(
        (1 + (sizes >= abs(estimate.att)).sum()) / (1 + len(sizes))
    )
    with pytest.raises(jp.InferenceError, match="lets treatment affect them; use EndOfSample or"):
        estimate.interval()
    assert estimate.effects[["lower", "upper"]].isna().all(axis=None)
    assert estimate.effects["pvalue"].notna().any()
