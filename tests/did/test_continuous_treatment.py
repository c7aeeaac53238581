"""Effects by dose: other packages, least squares by hand, algebra, coverage, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.registry.policy import Treatment

ONE_DATE = dict.fromkeys(range(60), 2003)
STAGGERED = ONE_DATE | dict.fromkeys(range(60, 100), 2005)


def panel(adoption: dict[int, int], units: int = 200, seed: int = 1) -> pd.DataFrame:
    """Simulated: dose d has the effect d²/2."""
    frame = simulated_panel(units=units, adoption=adoption, seed=seed - 1)
    drawn = np.random.default_rng(seed).uniform(0.5, 3, units)
    frame["dose"] = np.where(np.isfinite(frame["first"]), drawn[frame["unit"]], 0)
    frame["y"] += frame["treated"] * frame["dose"] ** 2 / 2
    return frame.assign(since=frame["first"].replace(np.inf, 0).astype(int))


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments: dict[str, Any] = {
        "unit": "unit",
        "time": "period",
        "outcome": "y",
        "treatment": "treated",
        "covariates": ["dose"],
    }
    return jp.Design.from_frame(frame, **(arguments | changes))


@pytest.mark.parametrize(
    ("adoption", "control", "expected"),
    [
        (ONE_DATE, "never", (1.8992222648650134, 1.7856464037211088)),
        (STAGGERED, "never", (1.798963564621265, 1.7494766837031677)),
        (STAGGERED, "not_yet", (1.795860328916584, 1.7494766837031672)),
    ],
    ids=["one date", "staggered", "not yet treated"],
)
def test_numbers_of_diff_diff(
    adoption: dict[int, int], control: Any, expected: tuple[float, float]
) -> None:
    """diff-diff 3.13.0, ContinuousDiD(degree=3), in the conventions of the R package contdid."""
    design = design_of(panel(adoption))
    estimate = jp.did.ContinuousTreatment("dose", control=control, grid=(1, 1.5, 2)).fit(design)
    assert estimate.att == pytest.approx(expected[0], abs=1e-11)
    assert estimate.details["acrt"] == pytest.approx(expected[1], abs=1e-11)
    if adoption is ONE_DATE:
        assert estimate.se == pytest.approx(0.16934321896859528, abs=1e-11)
        curve = estimate.details["dose_response"]
        assert curve["att"].to_numpy() == pytest.approx([0.530811, 1.137119, 1.978763], abs=1e-6)
        assert curve["att_se"].to_numpy() == pytest.approx([0.103621, 0.075837, 0.072619], abs=1e-6)
        assert curve["acrt"].to_numpy() == pytest.approx([0.987609, 1.442787, 1.928956], abs=1e-6)


@pytest.mark.parametrize(("degree", "knots"), [(1, 0), (2, 1), (3, 2)])
def test_curves_agree_with_diff_diff(recorded: Any, degree: int, knots: int) -> None:
    frame, grid = panel(ONE_DATE), np.array([0.9, 1.7, 2.6])

    def ask(diff_diff: Any) -> dict[str, Any]:
        fit = diff_diff.ContinuousDiD(degree=degree, num_knots=knots, dvals=grid).fit(
            frame, outcome="y", unit="unit", time="period", first_treat="since", dose="dose"
        )
        curve = fit.to_dataframe("dose_response")[["att", "att_se", "acrt"]]
        return {**curve.to_dict("list"), "se": float(fit.overall_att_se)}

    theirs = recorded("diff_diff", ask)
    estimate = jp.did.ContinuousTreatment("dose", degree, knots, grid=grid).fit(design_of(frame))
    mine = estimate.details["dose_response"]
    for name in ("att", "att_se", "acrt"):
        assert mine[name].to_numpy() == pytest.approx(np.array(theirs[name]), abs=1e-10)
    assert estimate.se == pytest.approx(theirs["se"], abs=1e-10)


def test_overall_slope_and_its_error_agree_with_statspai(recorded: Any) -> None:
    frame = panel(ONE_DATE)

    def ask(statspai: Any) -> dict[str, float]:
        fit = statspai.cgs_continuous_did(
            frame, "y", dose="dose", time="period", unit="unit", cohort="since", degree=2
        )
        names = {"att": "overall_att", "acrt": "overall_acrt", "acrt_se": "overall_acrt_se"}
        return {short: float(getattr(fit, name)) for short, name in names.items()}

    reference = recorded("statspai", ask)
    estimate = jp.did.ContinuousTreatment("dose", degree=2).fit(design_of(frame))
    assert estimate.att == pytest.approx(reference["att"], abs=1e-10)
    assert estimate.details["acrt"] == pytest.approx(reference["acrt"], abs=1e-10)
    assert estimate.details["acrt_se"] == pytest.approx(reference["acrt_se"], rel=0.02)


def test_uniform_bands_have_the_critical_values_of_moderndid() -> None:
    """moderndid 0.2.0, cont_did(cband=True, boot=True, biters=20000), random_state 1 and 2.

    It divides by interquartile ranges of the draws instead of standard errors.
    """
    grid = np.linspace(0.6, 2.9, 24)
    estimate = jp.did.ContinuousTreatment("dose", grid=grid).fit(design_of(panel(ONE_DATE)))
    table = estimate.bands(draws=4_000, seed=1)
    assert table["att"].iloc[1] == pytest.approx(0.27354198, abs=1e-8)
    assert table["att_critical_value"].iloc[0] == pytest.approx(
        np.mean([2.613196651767541, 2.606226863763922]), rel=0.02
    )
    assert table["acrt_critical_value"].iloc[0] == pytest.approx(
        np.mean([2.5676245330764025, 2.565909007742356]), rel=0.02
    )


def test_uniform_bands_enclose_pointwise_intervals_and_repeat() -> None:
    estimate = jp.did.ContinuousTreatment("dose").fit(design_of(panel(STAGGERED)))
    table, pointwise = estimate.bands(draws=200), estimate.details["dose_response"]
    for name in ("att", "acrt"):
        assert (table[f"{name}_lower"] < pointwise[f"{name}_lower"]).all()
        width = (table[f"{name}_upper"] - table[name]) / table[f"{name}_se"]
        assert width.to_numpy() == pytest.approx(table[f"{name}_critical_value"].to_numpy())
    assert table.equals(estimate.bands(draws=200))
    with pytest.raises(jp.InferenceError, match="alpha=2"):
        estimate.bands(alpha=2)


def test_a_band_at_one_dose_is_the_interval() -> None:
    estimate = jp.did.ContinuousTreatment("dose", grid=(1.5,)).fit(design_of(panel(ONE_DATE)))
    critical = estimate.bands(draws=4_000)["att_critical_value"].item()
    assert critical == pytest.approx(1.96, rel=0.03)


def test_a_line_is_the_regression_of_changes_on_the_dose() -> None:
    frame = simulated_panel(units=30, periods=2, adoption=dict.fromkeys(range(12), 2002))
    drawn = np.random.default_rng(3).uniform(1, 4, 30)
    frame["dose"] = np.where(np.isfinite(frame["first"]), drawn[frame["unit"]], 0)
    design = design_of(frame)
    estimate = jp.did.ContinuousTreatment("dose", degree=1, grid=(2, 3)).fit(design)
    changes = design.outcome[:, 1] - design.outcome[:, 0]
    slope, constant = np.polyfit(drawn[:12], changes[:12], 1)
    curve = estimate.details["dose_response"]
    expected = constant + slope * np.array([2, 3]) - changes[12:].mean()
    assert curve["att"].to_numpy() == pytest.approx(expected, abs=1e-12)
    assert curve["acrt"].to_numpy() == pytest.approx([slope, slope], abs=1e-12)
    assert estimate.details["acrt"] == pytest.approx(slope, abs=1e-12)
    x = np.column_stack([np.ones(12), drawn[:12]])
    residuals = changes[:12] - x @ [constant, slope]
    bread = np.linalg.inv(x.T @ x)
    robust = bread @ (x * residuals[:, None] ** 2).T @ x @ bread
    assert estimate.details["acrt_se"] == pytest.approx(np.sqrt(robust[1, 1]), abs=1e-12)


def test_overall_effect_is_the_difference_in_differences_of_any_dose() -> None:
    design = design_of(panel(ONE_DATE))
    estimate = jp.did.ContinuousTreatment("dose", knots=1).fit(design)
    binary = jp.did.EventStudy().fit(design_of(panel(ONE_DATE), covariates=[]))
    assert estimate.effects["estimate"].to_numpy() == pytest.approx(
        binary.effects["estimate"].to_numpy(), abs=1e-11
    )


def test_effects_by_event_time_equal_callaway_santanna() -> None:
    frame = panel(STAGGERED)
    estimate = jp.did.ContinuousTreatment("dose").fit(design_of(frame))
    reference = jp.did.CallawaySantAnna(base="universal").fit(design_of(frame, covariates=[]))
    columns = ["event_time", "estimate"]
    mine = estimate.effects.set_index("event_time")
    theirs = reference.aggregate("event").effects[[*columns, "se"]].set_index("event_time")
    theirs = theirs.drop(-1).loc[[t for t in mine.index if t != -1]]
    mine = mine.loc[theirs.index]
    assert mine["estimate"].to_numpy() == pytest.approx(theirs["estimate"].to_numpy(), abs=1e-11)
    assert mine["se"].to_numpy() == pytest.approx(theirs["se"].to_numpy(), rel=1e-9)


def test_intervals_of_the_slope_cover() -> None:
    truth = 1.75  # the mean of the derivative d over doses uniform on [0.5, 3]
    covered = []
    for seed in range(1, 61):
        found = jp.did.ContinuousTreatment("dose", degree=2).fit(
            design_of(panel(dict.fromkeys(range(60), 2005), units=90, seed=seed))
        )
        low, high = found.details["acrt_interval"]
        covered.append(low <= truth <= high)
    assert 0.86 <= np.mean(covered) <= 1.0


def test_a_policy_can_carry_the_doses() -> None:
    policy = jp.policies["tax-sharing-2015"]
    codes = list(policy.treated_regions)
    frame = simulated_panel(units=9, adoption=dict.fromkeys(range(len(codes)), 2004))
    others = [
        code for code in ("31", "32", "33", "34", "35", "36", "37", "41") if code not in codes
    ]
    labels = np.array([*codes, *(f"{code}0000" for code in others)])[:9]
    frame["unit"] = labels[frame["unit"]]
    dosed = policy.treating(
        {code: Treatment(policy.treated[code].since, dose=1.0 + k) for k, code in enumerate(codes)}
    )
    design = design_of(frame, covariates=[])
    estimate = jp.did.ContinuousTreatment(dosed, degree=1).fit(design)
    doses = dosed.dose(list(design.units))
    by_column = design_of(
        frame.assign(dose=pd.Series(doses, design.units).loc[frame["unit"]].array)
    )
    same = jp.did.ContinuousTreatment("dose", degree=1).fit(by_column)
    assert estimate.details["acrt"] == pytest.approx(same.details["acrt"], abs=1e-12)
    assert estimate.provenance["estimator"]["dose"] == policy.id


def test_refuses_doses_it_cannot_use() -> None:
    frame = panel(ONE_DATE)
    dose = jp.did.ContinuousTreatment("dose")
    with pytest.raises(jp.DesignError, match="dose='platforms' is not a covariate"):
        jp.did.ContinuousTreatment("platforms").fit(design_of(frame))
    zero = frame.assign(dose=frame["dose"].where(frame["unit"] != 3, 0.0))
    with pytest.raises(jp.DesignError, match="is 0 for treated unit 3"):
        dose.fit(design_of(zero))
    varying = frame.assign(dose=frame["dose"] + frame["period"])
    with pytest.raises(jp.DesignError, match="varies over time within unit 0"):
        dose.fit(design_of(varying))
    whole = frame.assign(dose=np.ceil(frame["dose"]).clip(upper=2))
    with pytest.raises(jp.DesignError, match="2 distinct doses.*lower degree=3"):
        dose.fit(design_of(whole))
    with pytest.raises(jp.DesignError, match="grid= must lie within"):
        jp.did.ContinuousTreatment("dose", grid=(9.0,)).fit(design_of(frame))
    with pytest.raises(jp.DesignError, match="uses no covariates besides the dose"):
        dose.fit(design_of(frame.assign(x=1.0), covariates=["dose", "x"]))
    with pytest.raises(jp.DesignError, match="control='always'"):
        jp.did.ContinuousTreatment("dose", control="always")  # type: ignore[arg-type]
