"""`Estimate.regression`: what linearmodels makes of the same regressions, number for number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel, staggered_panel

import jjjpolicy as jp

PANELS: dict[str, dict[str, Any]] = {
    "balanced": {},
    "unbalanced": {"missing": 0.1},
    "weighted": {"weights": "w"},
    "covariates": {"covariates": ["x", "z"]},
    "everything": {"missing": 0.1, "weights": "w", "covariates": ["x", "z"]},
}


@pytest.fixture(params=list(PANELS))
def design(request: pytest.FixtureRequest) -> jp.Design:
    """Six cities of each province adopt together."""
    options = dict(PANELS[request.param])
    frame = staggered_panel(72, effect=1.0, missing=options.pop("missing", 0.0), seed=3)
    frame["province"] = frame["unit"] % 12
    frame["w"] = 1.0 + frame["unit"] % 5
    if "covariates" in options:
        # so that unit effects leave something of it
        frame["x"] = frame["x"] * (1 + 0.1 * (frame["period"] - 2001) ** 2)
    return jp.Design.from_frame(
        frame,
        unit="unit",
        time="period",
        outcome="y",
        adoption="first",
        assigned_at="province",
        **options,
    )


def factor(result: Any, parameters: int) -> float:
    """Ours over theirs, for variances: N − K with K the columns, and with period effects too."""
    return (result.nobs - len(result.params)) / (result.nobs - parameters)


def same(ours: pd.DataFrame, theirs: Any, columns: list[str], parameters: int) -> None:
    estimates, errors = ours["estimate"].to_numpy(), ours["se"].to_numpy()
    assert len(estimates) == len(columns) > 0
    assert theirs.params[columns].to_numpy() == pytest.approx(estimates, abs=1e-8)
    scaled = theirs.std_errors[columns].to_numpy() * np.sqrt(factor(theirs, parameters))
    assert scaled == pytest.approx(errors, rel=1e-8)


def test_two_way_fixed_effects(design: jp.Design) -> None:
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    result = estimate.regression()
    assert list(result.params.index) == ["treatment", *design.covariates]
    ours = pd.DataFrame({"estimate": [estimate.att], "se": [estimate.se]})
    same(ours, result, ["treatment"], len(result.params) + design.n_periods)
    assert result.params.to_numpy() == pytest.approx(
        estimate.details["regression"].coefficients, abs=1e-8
    )
    assert result.nobs == design.n_observations
    assert "R-squared (Within)" in str(result.summary)


@pytest.mark.parametrize("options", [{}, {"reference": -2, "bins": (-3, 2)}], ids=["all", "bins"])
def test_event_study(design: jp.Design, options: dict[str, Any]) -> None:
    estimate = jp.did.EventStudy(**options).fit(design)
    result = estimate.regression()
    effects = estimate.effects[estimate.effects["se"].notna()]
    columns = [f"event time {time}" for time in effects["event_time"]]
    same(effects, result, columns, len(result.params) + design.n_periods)


def test_event_study_with_unit_trends() -> None:
    frame = simulated_panel(12, 8, {0: 2004, 1: 2005, 2: 2006}, effect=1.0)
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = jp.did.EventStudy(unit_trends=True).fit(design)
    result = estimate.regression()
    effects = estimate.effects[estimate.effects["se"].notna()]
    columns = [f"event time {time}" for time in effects["event_time"]]
    assert [name for name in result.params.index if name not in columns] == [
        f"trend of {unit}" for unit in range(11)
    ]
    # The trends are nested in the clusters, and not counted by the estimate.
    same(effects, result, columns, len(columns) + design.n_periods)


def group_time_columns(estimate: Any) -> tuple[pd.DataFrame, list[str]]:
    table = estimate.group_time[estimate.group_time["se"].notna()]
    cells = zip(table["group"], table["time"], strict=True)
    return table, [f"cohort {group} in {time}" for group, time in cells]


def test_sun_abraham_in_any_average(design: jp.Design) -> None:
    estimate = jp.did.SunAbraham().fit(design)
    result = estimate.regression()
    table, columns = group_time_columns(estimate)
    assert list(result.params.index) == [*columns, *design.covariates]
    same(table, result, columns, len(result.params) + design.n_periods)
    averaged = estimate.aggregate("event").regression()
    assert averaged.params.equals(result.params)


@pytest.mark.filterwarnings("ignore:ExtendedTWFE. effects that cannot be estimated")
@pytest.mark.parametrize(
    "estimator",
    [
        jp.did.ExtendedTWFE(),
        jp.did.ExtendedTWFE(control="never", unit_effects=False),
        jp.did.ExtendedTWFE(anticipation=1),
    ],
    ids=["not yet", "cohort effects", "anticipation"],
)
def test_extended_twfe(design: jp.Design, estimator: jp.did.ExtendedTWFE) -> None:
    estimate = estimator.fit(design)
    result = estimate.regression()
    table, columns = group_time_columns(estimate)
    counted = estimate.details["group_time"].regression.parameters
    same(table, result, columns, counted)
    for name in design.covariates:
        assert {f"{name} × 2002", f"{name} × {columns[0]}"} <= set(result.params.index)


def test_extended_twfe_with_constant_covariate_and_cross_sections() -> None:
    frame = staggered_panel(80, effect=1.0, seed=5)
    names: dict[str, Any] = {"time": "period", "outcome": "y", "adoption": "first"}
    for unit in ("unit", None):
        design = jp.Design.from_frame(frame, unit=unit, covariates=["x"], **names)
        estimate = jp.did.ExtendedTWFE().fit(design)
        result = estimate.regression()
        table, columns = group_time_columns(estimate)
        same(table, result, columns, estimate.details["group_time"].regression.parameters)
        assert ("cohort 2003" in result.params.index) == (unit is None)
        assert ("x × cohort 2003" in result.params.index) == (unit is None)


def test_stacked(design: jp.Design) -> None:
    estimate = jp.did.Stacked(kappa_pre=2, kappa_post=1).fit(design)
    result = estimate.regression()
    effects = estimate.effects[estimate.effects["se"].notna()]
    columns = [f"event time {time}" for time in effects["event_time"]]
    assert list(result.params.index) == ["treated", *columns, *design.covariates]
    assert result.nobs == estimate.details["rows"]
    # treated × event time are two parameters for each of the four event times
    same(effects, result, columns, 2 * 4 + len(design.covariates))
    slopes = result.params[list(design.covariates)].to_dict()
    assert slopes == pytest.approx(estimate.details["covariates"], abs=1e-8)


def test_local_projections_have_a_regression_for_each_horizon(design: jp.Design) -> None:
    estimate = jp.did.LocalProjections().fit(design)
    results = estimate.regression()
    assert list(results) == ["pooled", *estimate.details["event_times"]]
    effects = estimate.effects.set_index("event_time").drop(-1)
    ours = effects.reindex(results)
    ours.loc["pooled", ["estimate", "se"]] = [estimate.att, estimate.se]
    for key, result in results.items():
        periods = result.model.dependent.index.get_level_values("period").nunique()
        same(ours.loc[[key]], result, ["entry"], len(result.params) + periods)


def test_equally_weighted_local_projections() -> None:
    names: dict[str, Any] = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    frame = staggered_panel(60, effect=1.0, missing=0.1)
    estimator = jp.did.LocalProjections(reweight=True)
    estimate = estimator.fit(jp.Design.from_frame(frame, **names))
    result = estimate.regression()["pooled"]
    assert result.params["entry"] == pytest.approx(estimate.att, abs=1e-8)
    adjusted = estimator.fit(jp.Design.from_frame(frame, covariates=["z"], **names))
    with pytest.raises(jp.InferenceError, match="regression adjustment"):
        adjusted.regression()


def test_effects_are_constant_where_units_of_measure_change(design: jp.Design) -> None:
    estimate = jp.did.TwoWayFixedEffects().fit(design.with_outcome(1e6 * design.outcome))
    assert estimate.regression().params["treatment"] == pytest.approx(estimate.att, rel=1e-8)


@pytest.mark.parametrize(
    "fit",
    [
        jp.did.CallawaySantAnna().fit,
        jp.did.Imputation().fit,
        jp.did.TwoStage().fit,
        jp.did.ChaisemartinDHaultfoeuille().fit,
        jp.synth.SyntheticDiD().fit,
    ],
)
def test_others_say_which_are_regressions(fit: Callable[[jp.Design], jp.Estimate]) -> None:
    frame = simulated_panel(12, 8, {0: 2006, 1: 2006})
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    with pytest.raises(jp.InferenceError, match="no single regression.*TwoWayFixedEffects"):
        fit(design).regression()
