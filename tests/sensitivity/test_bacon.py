"""Goodman-Bacon decomposition and two-way weights: references, algebra, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.sensitivity import bacon_decomposition, twoway_weights

STAGGERED = {0: 2003, 1: 2003, 3: 2005, 5: 2006}


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def panel_with_covariate(**options: Any) -> pd.DataFrame:
    frame = simulated_panel(units=14, adoption=STAGGERED, effect=1.0, **options)
    rng = np.random.default_rng(3)
    trend = 0.1 * frame["unit"] * (frame["period"] - 2003)
    return frame.assign(x=rng.normal(size=len(frame)) + trend, w=1.0 + frame["unit"])


def test_mpdta_agrees_with_two_other_packages(answers: Any, mpdta_data: Any) -> None:
    design = jp.Design.from_frame(
        mpdta_data, unit="countyreal", time="year", outcome="lemp", adoption="first.treat"
    )
    table = bacon_decomposition(design)
    reference = answers["mpdta"]["bacon_mpdta"]["values"]
    mine = {
        (row.treated, row.control): (row.estimate, row.weight, row.n_treated, row.n_control)
        for row in table.itertuples()
    }
    assert len(mine) == len(reference["table"])
    for row in reference["table"]:
        control = np.inf if row["control_group"] == "never_treated" else row["control_group"]
        estimate, weight, n_treated, n_control = mine[row["treated_group"], control]
        assert estimate == pytest.approx(row["estimate"], abs=6e-11)
        assert weight == pytest.approx(row["weight"], abs=6e-11)
        assert (n_treated, n_control) == (row["n_treated"], row["n_control"])
    assert table["estimate"] @ table["weight"] == pytest.approx(reference["twfe"], abs=1e-12)


@pytest.mark.parametrize("covariates", [[], ["x"]], ids=["alone", "with covariate"])
@pytest.mark.parametrize("weights", [None, "w"], ids=["unweighted", "weighted"])
def test_comparisons_sum_to_the_coefficient(covariates: list[str], weights: str | None) -> None:
    design = design_of(panel_with_covariate(), covariates=covariates, weights=weights)
    table = bacon_decomposition(design)
    coefficient = jp.did.TwoWayFixedEffects().fit(design).att
    assert table["weight"].sum() == pytest.approx(1, abs=1e-12)
    assert table["estimate"] @ table["weight"] == pytest.approx(coefficient, abs=1e-12)
    assert (table["weight"] >= 0).all()


def test_each_comparison_is_the_regression_on_its_own_rows() -> None:
    frame = panel_with_covariate()
    table = bacon_decomposition(design_of(frame))
    row = table[table["comparison"] == "later vs earlier"].iloc[0]
    late, early = row["treated"], row["control"]
    own = frame[frame["first"].isin([late, early]) & (frame["period"] >= early)]
    own = own.assign(treated=(own["period"] >= own["first"]) & (own["first"] == late))
    own = own.assign(treated=own["treated"].astype(int))
    expected = jp.did.TwoWayFixedEffects().fit(design_of(own)).att
    assert row["estimate"] == pytest.approx(expected, abs=1e-12)


def test_one_cohort_is_one_comparison() -> None:
    table = bacon_decomposition(design_of(simulated_panel(adoption={0: 2003, 1: 2003})))
    assert table["comparison"].tolist() == ["treated vs never"]
    assert table["weight"].tolist() == pytest.approx([1])


def test_covariates_agree_with_statspai(recorded: Any) -> None:
    frame = panel_with_covariate()

    def ask(statspai: Any) -> dict[str, Any]:
        found = statspai.bacon_decomposition(
            frame, y="y", treat="treated", time="period", id="unit", covariates=["x"]
        )
        comparisons = found["decomposition"][["estimate", "weight"]].to_dict("list")
        return comparisons | {name: float(found[name]) for name in ("omega", "beta_within")}

    theirs = recorded("statspai", ask)
    table = bacon_decomposition(design_of(frame, covariates=["x"]))
    within = table[table["comparison"] == "within cohorts"].iloc[0]
    between = table.drop(index=within.name)
    assert within["weight"] == pytest.approx(theirs["omega"], abs=1e-10)
    assert within["estimate"] == pytest.approx(theirs["beta_within"], abs=1e-8)
    assert between["estimate"].to_numpy() == pytest.approx(np.array(theirs["estimate"]), abs=1e-9)
    scaled = between["weight"].to_numpy() / (1 - within["weight"])
    assert scaled == pytest.approx(np.array(theirs["weight"]), abs=1e-9)


def test_unbalanced_panels_are_refused_by_name() -> None:
    design = design_of(panel_with_covariate().drop(index=[4]))
    with pytest.raises(jp.DesignError, match="bacon_decomposition needs every unit.*2005"):
        bacon_decomposition(design)


def test_weights_of_mpdta_agree_with_statspai(mpdta_data: Any) -> None:
    """StatsPAI 1.40.2, twowayfeweights(type="feTR") on mpdta.

    The first standard deviation divides by cells - 1 there and by cells in the paper.
    """
    design = jp.Design.from_frame(
        mpdta_data, unit="countyreal", time="year", outcome="lemp", adoption="first.treat"
    )
    result = twoway_weights(design)
    assert (result.positive, result.negative) == (271, 20)
    assert result.sum_negative == pytest.approx(-0.010851010334925797, abs=1e-12)
    adjusted = result.sigma_zero * np.sqrt(290 / 291)
    assert adjusted == pytest.approx(0.0826635620219678, abs=1e-10)
    assert result.sigma_opposite == pytest.approx(0.8521405332510812, abs=1e-9)


@pytest.mark.parametrize("dropped", [[], [4, 17]], ids=["balanced", "unbalanced"])
def test_weights_recover_the_coefficient_of_any_effects(dropped: list[int]) -> None:
    frame = panel_with_covariate()
    effects = np.random.default_rng(1).normal(size=len(frame)) * frame["treated"]
    frame = frame.assign(effect=effects, y=effects + frame["unit"] + frame["period"] ** 2)
    frame = frame.drop(index=dropped)
    design = design_of(frame, weights="w")
    result = twoway_weights(design)
    table = result.weights.merge(frame, on=["unit", "period"])
    weighted = table["weight"].to_numpy() @ table["effect"].to_numpy()
    assert result.weights["weight"].sum() == pytest.approx(1)
    assert weighted == pytest.approx(jp.did.TwoWayFixedEffects().fit(design).att, abs=1e-7)
    assert weighted == pytest.approx(result.coefficient, abs=1e-7)


def test_equal_weights_cannot_mislead() -> None:
    result = twoway_weights(design_of(simulated_panel(adoption={0: 2003, 1: 2003})))
    assert result.negative == 0
    assert np.isinf(result.sigma_zero)
    assert np.isnan(result.sigma_opposite)


def test_weights_allow_treatment_that_switches_off() -> None:
    frame = panel_with_covariate()
    frame.loc[(frame["unit"] == 0) & (frame["period"] == 2005), "treated"] = 0
    result = twoway_weights(design_of(frame, absorbing=False))
    assert len(result.weights) == frame["treated"].sum()
