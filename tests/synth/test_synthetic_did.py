"""Synthetic difference-in-differences: the authors' software, peers, algebra, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def design_of(frame: Any, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def staggered(**changes: Any) -> jp.Design:
    """Simulated; three adopters in two cohorts and a covariate that drifts."""
    frame = simulated_panel(
        units=20, periods=12, adoption={0: 2006, 1: 2008, 2: 2008}, effect=1.0, seed=3
    )
    frame["x"] = np.random.default_rng(5).normal(size=len(frame)).cumsum() / 5
    frame["y"] += 0.5 * frame["x"]
    return design_of(frame, **changes)


def test_with_the_authors_solver_every_published_digit_comes_out(answers: Any, prop99: Any) -> None:
    expected = answers["prop99"]
    estimate = jp.synth.SyntheticDiD(solver=jp.synth.FrankWolfe()).fit(prop99)
    assert estimate.att == pytest.approx(expected["sdid"], abs=1e-9)
    curve = estimate.effects.query("event_time >= 0")["estimate"]
    assert curve.to_numpy() == pytest.approx(expected["effect_curve_1989_2000"], abs=1e-9)
    omega, lambda_ = estimate.details["omega"][1989], estimate.details["lambda"][1989]
    for state, weight in expected["omega_over_0.01"].items():
        assert omega[state] == pytest.approx(weight, abs=1e-10)
    for year, weight in expected["lambda"].items():
        assert lambda_[int(year)] == pytest.approx(weight, abs=1e-10)
    assert estimate.details["cohorts"]["zeta_omega"][0] == pytest.approx(expected["zeta_omega"])


def test_exact_weights_reach_a_lower_objective_and_nearly_the_same_effect(
    answers: Any, prop99: Any
) -> None:
    exact = jp.synth.SyntheticDiD().fit(prop99)
    early = jp.synth.SyntheticDiD(solver=jp.synth.FrankWolfe()).fit(prop99)
    assert exact.att == pytest.approx(answers["prop99"]["sdid"], abs=0.005)
    ours, theirs = exact.details["cohorts"].iloc[0], early.details["cohorts"].iloc[0]
    for problem in ("omega", "lambda"):
        assert ours[f"{problem}_objective"] <= theirs[f"{problem}_objective"] + 1e-12
        assert ours[f"{problem}_gap"] <= 1e-10 * ours[f"{problem}_objective"]
    # the bound on the distance to the optimum holds for weights that are not optimal
    assert theirs["omega_gap"] >= theirs["omega_objective"] - ours["omega_objective"] > 0


@pytest.mark.parametrize(
    ("data", "outcome", "first", "treated", "sdid", "did"),
    [
        ("cps", "log_wage", 2005, ["NM"], 0.0477408541930755, -0.011312222471406841),
        ("cps", "hours", 2006, ["AK", "MS", "TN"], 0.17777662303875275, -0.49101685154876407),
        (
            "cps",
            "urate",
            2005,
            ["AK", "CA", "FL", "GA", "MA", "MS", "NM", "OH", "SD", "TX"],
            0.00229298772398389,
            0.003542030398351652,
        ),
        ("penn", "log_gdp", 1994, ["Morocco"], 0.03972480112674148, 0.06168768827650162),
        (
            "penn",
            "log_gdp",
            2004,
            ["Equatorial Guinea", "Iran (Islamic Republic of)", "Seychelles"],
            0.03876822075396724,
            0.5216857511237141,
        ),
        (
            "penn",
            "log_gdp",
            1997,
            [
                "Cote d'Ivoire",
                "Haiti",
                "Indonesia",
                "Israel",
                "Jamaica",
                "Lesotho",
                "Malawi",
                "Seychelles",
                "Turkey",
                "Zambia",
            ],
            -0.09051274911750795,
            -0.14330880590364714,
        ),
    ],
)
def test_random_assignments_agree_with_a_peer(
    cps_data: Any,
    penn_data: Any,
    data: str,
    outcome: str,
    first: int,
    treated: list[str],
    sdid: float,
    did: float,
) -> None:
    # azcausal 0.2.5, SDID() and DID(), on assignments that are made up
    unit = {"cps": "state", "penn": "country"}[data]
    frame = {"cps": cps_data, "penn": penn_data}[data]
    frame["treated"] = (frame[unit].isin(treated) & (frame["year"] >= first)).astype(int)
    design = jp.Design.from_frame(
        frame, unit=unit, time="year", outcome=outcome, treatment="treated"
    )
    estimate = jp.synth.SyntheticDiD(solver=jp.synth.FrankWolfe()).fit(design)
    assert estimate.att == pytest.approx(sdid, abs=1e-12)
    assert jp.did.TwoWayFixedEffects().fit(design).att == pytest.approx(did, abs=1e-12)
    # the authors' solver stops early; the optimum is nearby
    assert jp.synth.SyntheticDiD().fit(design).att == pytest.approx(sdid, abs=2e-3)


def test_uniform_weights_are_difference_in_differences(answers: Any, prop99: Any) -> None:
    uniform = jp.synth.SyntheticDiD(unit_weights="uniform", time_weights="uniform").fit(prop99)
    assert uniform.att == pytest.approx(answers["prop99"]["did"], abs=1e-9)
    assert uniform.att == pytest.approx(jp.did.TwoWayFixedEffects().fit(prop99).att, abs=1e-9)


def test_staggered_adoption_agrees_with_a_peer() -> None:
    # synthdid-py 0.1.0, staggered_synthdid_estimate, on the panel of staggered()
    estimate = jp.synth.SyntheticDiD(solver=jp.synth.FrankWolfe()).fit(staggered())
    assert estimate.att == pytest.approx(1.0340558749801798, abs=1e-10)
    cohorts = estimate.details["cohorts"].set_index("cohort")
    assert cohorts["att"].to_dict() == pytest.approx({2006: 1.202634, 2008: 0.916051}, abs=1e-6)
    assert cohorts["share"].to_dict() == pytest.approx({2006: 7 / 17, 2008: 10 / 17})


def test_optimized_covariates_fit_better_than_a_peer_that_stops_after_10000_steps() -> None:
    # synthdid-py 0.1.0 with covariates: sum of both objectives when it stops, and its estimate
    estimate = jp.synth.SyntheticDiD(covariates="optimized").fit(staggered(covariates=["x"]))
    cohorts = estimate.details["cohorts"]
    total = cohorts["omega_objective"] + cohorts["lambda_objective"]
    assert (total <= [0.3764529236509173, 0.3241216282561366]).all()
    assert estimate.att == pytest.approx(1.066127172964483, abs=0.01)
    assert cohorts["x"].between(0.1, 0.9).all()


def test_projected_covariates_are_a_regression_on_untreated_cells() -> None:
    import statsmodels.formula.api as smf

    design = staggered(covariates=["x"])
    frame = pd.DataFrame(
        {
            "y": design.outcome.ravel(),
            "x": design.covariates["x"].ravel(),
            "unit": np.repeat(design.units, design.n_periods),
            "period": np.tile(design.periods, design.n_units),
        }
    )
    untreated = ~design.treatment.ravel()
    slope = smf.ols("y ~ x + C(unit) + C(period)", frame[untreated]).fit().params["x"]
    estimate = jp.synth.SyntheticDiD().fit(design)
    assert estimate.details["cohorts"]["x"].to_numpy() == pytest.approx([slope, slope])
    adjusted = design.with_outcome(design.outcome - slope * design.covariates["x"])
    bare = jp.synth.SyntheticDiD().fit(design_like(adjusted))
    assert estimate.att == pytest.approx(bare.att)


def design_like(design: jp.Design) -> jp.Design:
    """The same design without covariates."""
    from dataclasses import replace

    return replace(design, covariates={})


def test_a_common_period_effect_a_unit_effect_and_a_change_of_units_change_nothing() -> None:
    frame = simulated_panel(units=12, periods=10, adoption={0: 2007, 4: 2008})
    base = jp.synth.SyntheticDiD().fit(design_of(frame)).att
    moved = frame.assign(y=frame.y + (frame.period - 2000) ** 1.5 + 3.0 * frame.unit)
    # a period effect enters the noise level only by its spread, so fix the penalty
    zeta = jp.synth.SyntheticDiD(zeta_omega=1.0, zeta_lambda=1e-6)
    assert zeta.fit(design_of(moved)).att == pytest.approx(zeta.fit(design_of(frame)).att)
    scaled = jp.synth.SyntheticDiD().fit(design_of(frame.assign(y=1000 * frame.y)))
    assert scaled.att == pytest.approx(1000 * base)


def test_a_treated_unit_that_is_a_donor_average_shows_its_effect() -> None:
    frame = simulated_panel(units=7, periods=14, adoption={0: 2011})
    wide = frame.pivot(index="unit", columns="period", values="y")
    average = 5.0 + 0.3 * wide.loc[2] + 0.7 * wide.loc[4]
    frame.loc[frame.unit == 0, "y"] = (average + 2.0 * (average.index >= 2011)).to_numpy()
    estimate = jp.synth.SyntheticDiD(zeta_omega=0.0).fit(design_of(frame))
    assert estimate.effects["estimate"].to_numpy() == pytest.approx(
        [0.0] * 10 + [2.0] * 4, abs=1e-7
    )


def test_weights_are_on_the_simplex_and_counterfactual_and_effects_agree() -> None:
    estimate = jp.synth.SyntheticDiD().fit(staggered())
    assert estimate.weights is not None
    assert estimate.counterfactual is not None
    for table in (estimate.weights, estimate.details["omega"], estimate.details["lambda"]):
        assert (table.to_numpy() >= 0).all()
        assert table.sum().to_numpy() == pytest.approx(1.0)
    design = estimate.design
    gaps = design.outcome[design.treated] - estimate.counterfactual.to_numpy()
    assert gaps[design.treatment[design.treated]].mean() == pytest.approx(estimate.att)


@pytest.mark.parametrize("jobs", [1, 2])
def test_refit_many_gives_the_numbers_of_separate_fits(jobs: int) -> None:
    design = staggered()
    controls = design.keep_units(~design.treated, "set aside")
    adoptions = np.full((6, controls.n_units), np.inf)
    for row in range(6):
        adoptions[row, [row, row + 3, row + 7]] = [2006, 2008, 2008]
    refits = jp.synth.SyntheticDiD().refit_many(controls, adoptions, jobs=jobs)
    assert refits.effects is not None
    for row, adoption in enumerate(adoptions):
        single = jp.synth.SyntheticDiD().fit(controls.reassigned(adoption))
        assert refits.att[row] == pytest.approx(single.att, abs=1e-12)
        effects = single.effects["estimate"].to_numpy()
        assert refits.effects[row] == pytest.approx(effects, abs=1e-12)


def test_assignments_may_differ_in_how_many_they_treat() -> None:
    design = staggered()
    controls = design.keep_units(~design.treated, "set aside")
    adoptions = np.full((3, controls.n_units), np.inf)
    adoptions[0, :3] = [2006, 2008, 2008]
    adoptions[1, :3] = [2006, 2006, 2008]
    adoptions[2, :2] = 2008
    refits = jp.synth.SyntheticDiD().refit_many(controls, adoptions)
    single = [jp.synth.SyntheticDiD().fit(controls.reassigned(row)).att for row in adoptions]
    assert refits.att == pytest.approx(single, abs=1e-12)


def test_placebo_standard_error_is_near_the_published_one(answers: Any, prop99: Any) -> None:
    # R draws 200 of the 38 placebo states with replacement; all 38 are used once here
    estimate = jp.synth.SyntheticDiD().fit(prop99)
    estimate = estimate.with_inference(jp.inference.PlaceboUnits(replications=200, seed=1))
    expected = answers["prop99"]["placebo_se_200_seed12345_R"]["sdid"]
    assert estimate.se == pytest.approx(expected, rel=0.15)


def test_requirements_are_named() -> None:
    short = design_of(simulated_panel(adoption={0: 2002}))
    with pytest.raises(jp.DesignError, match="at least 2 periods before treatment; unit 0 has 1"):
        jp.synth.SyntheticDiD().fit(short)
    lonely = design_of(simulated_panel(units=2))
    with pytest.raises(jp.DesignError, match="at least 2 never-treated"):
        jp.synth.SyntheticDiD().fit(lonely)
    flat = simulated_panel().assign(y=lambda d: 3.0 * (d.unit == 0) + 0.5 * d.period)
    with pytest.raises(jp.DesignError, match="changes by the same amount in every donor"):
        jp.synth.SyntheticDiD().fit(design_of(flat))
    constant = simulated_panel().assign(z=lambda d: d.unit * 1.0)
    with pytest.raises(jp.DesignError, match="'z' is a combination of unit effects"):
        jp.synth.SyntheticDiD().fit(design_of(constant, covariates=["z"]))
    with pytest.raises(jp.DesignError, match="must be 'projected' or 'optimized'"):
        jp.synth.SyntheticDiD(covariates="x").fit(design_of(simulated_panel()))  # type: ignore[arg-type]
    with pytest.raises(jp.DesignError, match="time_weights='equal'"):
        jp.synth.SyntheticDiD(time_weights="equal").fit(design_of(simulated_panel()))  # type: ignore[arg-type]
