"""Two-way fixed effects: published numbers, agreement with other libraries, algebra."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import simulated_panel

import jjjpolicy as jp


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def linearmodels_fit(frame: pd.DataFrame, regressors: list[str], weights: Any = None) -> Any:
    from linearmodels.panel import PanelOLS

    indexed = frame.set_index(["unit", "period"])
    return PanelOLS(
        indexed["y"],
        indexed[regressors],
        entity_effects=True,
        time_effects=True,
        weights=None if weights is None else indexed[weights],
    ).fit()


def test_prop99_equals_the_published_difference_in_differences(
    answers: Any, prop99_data: Any
) -> None:
    frame = prop99_data
    design = jp.Design.from_frame(
        frame, unit="State", time="Year", outcome="PacksPerCapita", treatment="treated"
    )
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    assert estimate.att == pytest.approx(answers["prop99"]["did"], abs=1e-9)


def test_mpdta_equals_fixest_with_its_clustered_error(answers: Any, mpdta_data: Any) -> None:
    frame = mpdta_data
    design = jp.Design.from_frame(
        frame, unit="countyreal", time="year", outcome="lemp", adoption="first.treat"
    )
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    att, se = answers["mpdta"]["twfe_mpdta"]["values"]
    assert estimate.att == pytest.approx(att, abs=1e-12)
    assert estimate.se == pytest.approx(se, abs=1e-12)


@pytest.mark.parametrize("dropped", [[], [4, 17, 30]], ids=["balanced", "unbalanced"])
@pytest.mark.parametrize("covariate", [False, True], ids=["alone", "with covariate"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_coefficients_equal_linearmodels(
    dropped: list[int], covariate: bool, weighted: bool
) -> None:
    frame = simulated_panel(adoption={0: 2003, 3: 2005, 5: 2005}, effect=1.0)
    frame["x"] = np.random.default_rng(7).normal(size=len(frame))
    frame["w"] = 1.0 + frame["unit"]
    frame = frame.drop(index=dropped)
    design = design_of(
        frame, covariates=["x"] if covariate else [], weights="w" if weighted else None
    )
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    reference = linearmodels_fit(
        frame, ["treated", *(["x"] if covariate else [])], "w" if weighted else None
    )
    assert estimate.att == pytest.approx(reference.params["treated"], abs=1e-12)
    if covariate:
        coefficients = estimate.details["regression"].coefficients
        assert coefficients[1] == pytest.approx(reference.params["x"], abs=1e-12)


def test_clustered_error_equals_statsmodels_with_dummies() -> None:
    import statsmodels.formula.api as smf

    frame = simulated_panel(adoption={0: 2003, 3: 2005}, effect=1.0)
    reference = smf.ols("y ~ treated + C(unit) + C(period)", frame).fit(
        cov_type="cluster", cov_kwds={"groups": frame["unit"], "use_correction": False}
    )
    estimate = jp.did.TwoWayFixedEffects().fit(design_of(frame))
    n, g, k = 48, 8, 1 + 6
    correction = np.sqrt(g / (g - 1) * (n - 1) / (n - k))
    assert estimate.se == pytest.approx(reference.bse["treated"] * correction, rel=1e-10)


def test_two_by_two_is_the_difference_of_differences() -> None:
    frame = simulated_panel(units=2, periods=2, adoption={0: 2002})
    y = frame.y.to_numpy()
    expected = (y[1] - y[0]) - (y[3] - y[2])
    estimate = jp.did.TwoWayFixedEffects().fit(design_of(frame))
    assert estimate.att == pytest.approx(expected, abs=1e-12)


@given(shift=st.floats(-100, 100), scale=st.floats(0.01, 100))
def test_shifts_change_nothing_and_scales_scale(shift: float, scale: float) -> None:
    frame = simulated_panel(adoption={0: 2003, 3: 2005}, effect=1.0)
    base = jp.did.TwoWayFixedEffects().fit(design_of(frame))
    moved = frame.assign(
        y=scale * (frame.y + shift * frame.unit + shift * (frame.period - 2000) ** 2)
    )
    estimate = jp.did.TwoWayFixedEffects().fit(design_of(moved))
    assert base.se is not None
    assert estimate.att == pytest.approx(scale * base.att, rel=1e-6)
    assert estimate.se == pytest.approx(scale * base.se, rel=1e-6)


@pytest.mark.parametrize("weights", [None, "w"])
def test_refits_of_many_assignments_equal_single_fits(weights: str | None) -> None:
    frame = simulated_panel(adoption={0: 2003, 3: 2005}).assign(w=lambda f: 1.0 + f["unit"] % 3)
    design = design_of(frame, weights=weights)
    rng = np.random.default_rng(0)
    adoptions = np.stack([rng.permutation(design.adoption) for _ in range(5)])
    many = jp.did.TwoWayFixedEffects().refit_many(design, adoptions)
    single = [jp.did.TwoWayFixedEffects().fit(design.reassigned(a)) for a in adoptions]
    assert many.att == pytest.approx([one.att for one in single], abs=1e-12)
    assert many.se == pytest.approx([one.se for one in single], rel=1e-10)


def test_collinear_covariates_are_named() -> None:
    frame = simulated_panel().assign(constant=1.0)
    with pytest.warns(jp.JJJPolicyWarning, match="constant"):
        estimate = jp.did.TwoWayFixedEffects().fit(design_of(frame, covariates=["constant"]))
    assert estimate.details["regression"].collinear == ("constant",)


def test_event_study_of_one_cohort_is_differences_of_means() -> None:
    frame = simulated_panel(adoption={0: 2004, 1: 2004})
    estimate = jp.did.EventStudy().fit(design_of(frame))
    wide = frame.pivot(index="unit", columns="period", values="y")
    difference = wide.iloc[:2].mean() - wide.iloc[2:].mean()
    expected = difference - difference[2003]
    assert estimate.effects["estimate"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-12)
    assert estimate.effects["event_time"].tolist() == [-3, -2, -1, 0, 1, 2]
    assert estimate.att == pytest.approx(expected.loc[2004:].mean(), abs=1e-12)


def test_event_study_equals_linearmodels_with_several_cohorts() -> None:
    frame = simulated_panel(adoption={0: 2003, 3: 2005, 4: 2005}).drop(index=[20])
    relative = np.where(np.isfinite(frame["first"]), frame["period"] - frame["first"], np.nan)
    names = []
    for time in (-4, -3, -2, 0, 1, 2, 3):
        names.append(f"e{time}")
        frame[names[-1]] = (relative == time).astype(float)
    estimate = jp.did.EventStudy().fit(design_of(frame))
    reference = linearmodels_fit(frame, names).params
    table = estimate.effects.set_index("event_time")["estimate"].drop(-1)
    assert table.to_numpy() == pytest.approx(reference.to_numpy(), abs=1e-11)


def test_event_study_bins_and_reference() -> None:
    design = design_of(simulated_panel(adoption={0: 2003, 3: 2005}))
    estimate = jp.did.EventStudy(reference=-2, bins=(-2, 1)).fit(design)
    assert estimate.effects["event_time"].tolist() == [-2, -1, 0, 1]
    with pytest.raises(jp.DesignError, match="-9 does not occur.*-4 to 3"):
        jp.did.EventStudy(reference=-9).fit(design)


def test_effects_of_the_pair_agree_and_lose_their_errors_under_other_inference() -> None:
    design = design_of(simulated_panel(units=12))
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    event_study = jp.did.EventStudy().fit(design)
    pd.testing.assert_frame_equal(estimate.effects, event_study.effects)
    placebo = estimate.with_inference(jp.inference.PlaceboUnits())
    assert placebo.effects["se"].isna().all()
