"""Extended two-way fixed effects: results of R etwfe, dummies, algebra, errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel, staggered_panel

import jjjpolicy as jp
from jjjpolicy.did import CallawaySantAnna, ExtendedTWFE, Imputation, TwoWayFixedEffects


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def mpdta(frame: pd.DataFrame, covariates: list[str]) -> jp.Design:
    return jp.Design.from_frame(
        frame,
        unit="countyreal",
        time="year",
        outcome="lemp",
        adoption="first.treat",
        covariates=covariates,
    )


WITH_POPULATION = {
    # R etwfe, inst/tinytest/test_etwfe.R, m3: lemp ~ lpop, clustered by county.
    (2004, 2004): (-0.0212480022225509, 0.0217240175852948),
    (2004, 2005): (-0.0818499992698647, 0.0273693782016555),
    (2004, 2006): (-0.137870386660852, 0.0307883605600032),
    (2004, 2007): (-0.10953945536511, 0.0323152812535003),
    (2006, 2006): (0.00253680638189265, 0.0188790276715869),
    (2006, 2007): (-0.04509347225369, 0.0219826417092899),
    (2007, 2007): (-0.0459545277368072, 0.017971446660356),
}
SIMPLE_WITH_POPULATION = (-0.0506270331228907, 0.0124972546529842)
EVENT_NEVER_WITH_POPULATION = {
    # R etwfe, inst/tinytest/test_emfx.R: cgroup = "never", type = "event", window = c(2, 3).
    -2: (0.0234649547538384, 0.0145314904277398),
    0: (-0.0211467366918433, 0.0113935648352396),
    1: (-0.0533558653415615, 0.0157744281621729),
    2: (-0.141080104628566, 0.0322891808795742),
    3: (-0.107544274673025, 0.0329231688783015),
}


@pytest.mark.parametrize("unit_effects", [True, False])
def test_mpdta_equals_r_etwfe(answers: Any, mpdta_data: Any, unit_effects: bool) -> None:
    design = mpdta(mpdta_data, [])
    table = ExtendedTWFE(unit_effects=unit_effects).fit(design).group_time
    published = answers["mpdta"]["etwfe_mpdta_nocov"]["att_gt"]
    assert len(table) == len(published)
    rows = table.set_index(["group", "time"])
    for key, (estimate, se) in published.items():
        row = rows.loc[tuple(int(part) for part in key.split(","))]
        assert row["estimate"] == pytest.approx(estimate, abs=1e-12)
        assert row["se"] == pytest.approx(se, abs=1e-12)


@pytest.mark.parametrize("unit_effects", [True, False])
def test_mpdta_with_a_covariate_equals_r_etwfe(mpdta_data: Any, unit_effects: bool) -> None:
    design = mpdta(mpdta_data, ["lpop"])
    estimate = ExtendedTWFE(unit_effects=unit_effects).fit(design)
    rows = estimate.group_time.set_index(["group", "time"])
    for cell, (point, se) in WITH_POPULATION.items():
        assert rows.loc[cell, "estimate"] == pytest.approx(point, abs=1e-12)
        assert rows.loc[cell, "se"] == pytest.approx(se, abs=1e-12)
    assert estimate.att == pytest.approx(SIMPLE_WITH_POPULATION[0], abs=1e-12)
    assert estimate.se == pytest.approx(SIMPLE_WITH_POPULATION[1], abs=1e-8)


def test_mpdta_with_never_treated_controls_equals_r_etwfe(mpdta_data: Any) -> None:
    estimate = ExtendedTWFE(control="never").fit(mpdta(mpdta_data, ["lpop"]))
    effects = estimate.effects.set_index("event_time")
    for time, (point, se) in EVENT_NEVER_WITH_POPULATION.items():
        assert effects.loc[time, "estimate"] == pytest.approx(point, abs=1e-12)
        assert effects.loc[time, "se"] == pytest.approx(se, abs=1e-7)


def dummies(frame: pd.DataFrame, effects: str) -> tuple[Any, list[str], int]:
    """Statsmodels fit with a dummy for everything; x and z demeaned in treated cells."""
    import statsmodels.formula.api as smf

    frame, names, slopes = frame.assign(cohort=frame["first"].replace(np.inf, 0)), [], []
    for group in (2003, 2004, 2005):
        for period in range(group, 2007):
            cell = (frame["first"] == group) & (frame["period"] == period)
            names.append(f"d{group}_{period}")
            frame[names[-1]] = cell.astype(float)
            for name in ("x", "z"):
                slopes.append(f"{name}{group}_{period}")
                frame[slopes[-1]] = cell * (frame[name] - frame.loc[cell, name].mean())
    right = " + ".join(
        [*names, *slopes, f"C({effects})", "C(period)"]
        + [f"C({by}):{name}" for by in ("cohort", "period") for name in ("x", "z")]
    )
    with warnings.catch_warnings():  # slopes of x by cohort are in the span of unit dummies
        warnings.simplefilter("ignore")
        fit = smf.ols(f"y ~ {right}", frame).fit(
            cov_type="cluster", cov_kwds={"groups": frame["unit"], "use_correction": False}
        )
    return fit, names, int(np.linalg.matrix_rank(fit.model.exog))


@pytest.mark.parametrize("effects", ["unit", "cohort"])
@pytest.mark.parametrize("missing", [0.0, 0.1], ids=["balanced", "unbalanced"])
def test_interactions_equal_least_squares_with_dummies(effects: str, missing: float) -> None:
    frame = staggered_panel(units=48, missing=missing)
    reference, names, rank = dummies(frame, effects)
    design = design_of(frame, covariates=["x", "z"])
    table = ExtendedTWFE(unit_effects=effects == "unit").fit(design).group_time
    n, k = len(frame), rank - 47 if effects == "unit" else rank
    factor = np.sqrt(48 / 47 * (n - 1) / (n - k))
    assert table["estimate"].to_numpy() == pytest.approx(
        reference.params[names].to_numpy(), abs=1e-9
    )
    assert table["se"].to_numpy() == pytest.approx(factor * reference.bse[names].to_numpy())


def test_repeated_cross_sections_have_effects_of_cohorts() -> None:
    frame = staggered_panel(units=480)
    frame = frame[frame["period"] == 2001 + frame["unit"] // 4 % 6]
    reference, names, _ = dummies(frame, "cohort")
    table = ExtendedTWFE().fit(design_of(frame, covariates=["x", "z"])).group_time
    assert table["estimate"].to_numpy() == pytest.approx(
        reference.params[names].to_numpy(), abs=1e-9
    )


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_two_paths_agree_without_covariates(missing: float) -> None:
    """Unit effects swept from moments, and the exact two-way projection."""
    from jjjpolicy.did.group_time.interacted import interacted_effects
    from jjjpolicy.did.group_time.saturated import fit_effects, saturated_cells

    cells = saturated_cells(design_of(staggered_panel(units=40, missing=missing)), -1, leads=False)
    one, other = fit_effects(cells), interacted_effects(cells, unit_effects=True)
    assert one.estimates == pytest.approx(other.estimates, abs=1e-11)
    assert one.influence == pytest.approx(other.influence, abs=1e-9)


def test_without_covariates_the_average_is_the_imputation_estimate() -> None:
    design = design_of(staggered_panel(units=40))
    assert ExtendedTWFE().fit(design).att == pytest.approx(Imputation().fit(design).att, abs=1e-10)


def test_never_treated_controls_give_callaway_santanna_with_universal_base() -> None:
    design = design_of(staggered_panel(units=40))
    own = ExtendedTWFE(control="never").fit(design).group_time
    other = CallawaySantAnna(base="universal").fit(design).group_time
    assert own["estimate"].to_numpy() == pytest.approx(other["estimate"].to_numpy(), abs=1e-12)


def test_two_by_two_is_the_regression() -> None:
    design = design_of(simulated_panel(units=6, periods=2, adoption={0: 2002, 1: 2002}))
    own, other = ExtendedTWFE().fit(design), TwoWayFixedEffects().fit(design)
    assert own.att == pytest.approx(other.att, abs=1e-12)


def test_anticipation_moves_the_untreated_cells() -> None:
    design = design_of(staggered_panel(units=40))
    table = ExtendedTWFE(anticipation=1).fit(design).group_time
    assert (table["time"] - table["group"]).min() == -1


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_moved_and_scaled_covariates_and_constants_change_nothing(missing: float) -> None:
    frame = staggered_panel(units=60, effect=1.0, missing=missing)
    base = ExtendedTWFE().fit(design_of(frame, covariates=["x", "z"]))
    moved = frame.assign(
        x=1e3 + 1e-2 * frame["x"],
        z=frame["z"] - 2 * frame["x"],
        y=frame["y"] + 3 * frame["unit"] + frame["period"] ** 2,
    )
    estimate = ExtendedTWFE().fit(design_of(moved, covariates=["x", "z"]))
    assert estimate.att == pytest.approx(base.att, rel=1e-6)
    assert estimate.se == pytest.approx(base.se, rel=1e-6)


def test_integer_weights_are_copies_of_units() -> None:
    frame = staggered_panel(units=40, missing=0.1).assign(w=1.0)
    frame.loc[frame["unit"] % 3 == 0, "w"] = 2.0
    extra = frame[frame["w"] == 2].assign(unit=lambda f: f["unit"] + 1000)
    for covariates in ([], ["x", "z"]):
        weighted = ExtendedTWFE().fit(design_of(frame, covariates=covariates, weights="w"))
        copied = ExtendedTWFE().fit(design_of(pd.concat([frame, extra]), covariates=covariates))
        assert weighted.att == pytest.approx(copied.att, abs=1e-10)


def test_a_cohort_of_one_with_a_covariate_is_estimated() -> None:
    frame = staggered_panel(units=40)
    alone = frame[(frame["first"] != 2003) | (frame["unit"] == 0)]
    table = ExtendedTWFE().fit(design_of(alone, covariates=["x"])).group_time
    assert (table["group"] == 2003).sum() == 4
    assert np.isfinite(table["estimate"]).all()


def test_collinear_covariates_are_named() -> None:
    frame = staggered_panel(units=40).assign(double=lambda f: 2 * f["x"] - 1)
    with pytest.warns(jp.JJJPolicyWarning, match="'double'"):
        estimate = ExtendedTWFE().fit(design_of(frame, covariates=["x", "double"]))
    alone = ExtendedTWFE().fit(design_of(frame, covariates=["x"]))
    assert estimate.att == pytest.approx(alone.att, abs=1e-12)


def test_a_covariate_that_only_treated_units_vary_in_leaves_no_comparison() -> None:
    frame = staggered_panel(units=40)
    frame["own"] = np.where(np.isfinite(frame["first"]), 1 + frame["x"] ** 2, 0.0)
    frame["own"] *= frame["period"] >= frame["first"] - 1
    with pytest.raises(jp.DesignError, match="use fewer covariates"):
        ExtendedTWFE(control="never").fit(design_of(frame, covariates=["own"]))


def test_missing_controls_and_unknown_options_are_refused() -> None:
    frame = staggered_panel(units=40)
    frame = frame[np.isfinite(frame["first"])]
    with pytest.raises(jp.DesignError, match="every unit is treated.*control='not_yet'"):
        ExtendedTWFE(control="never").fit(design_of(frame))
    with pytest.raises(jp.DesignError, match="control='all'"):
        ExtendedTWFE(control="all")  # type: ignore[arg-type]
    with pytest.raises(jp.DesignError, match="anticipation=-1"):
        ExtendedTWFE(anticipation=-1)
    with pytest.warns(jp.JJJPolicyWarning, match="no unit is still untreated in 2005"):
        estimate = ExtendedTWFE().fit(design_of(frame))
    assert estimate.group_time["time"].max() == 2004
    with pytest.raises(jp.DesignError, match="base period 1999 lies outside"):
        ExtendedTWFE(anticipation=3).fit(design_of(simulated_panel(adoption={0: 2003})))
