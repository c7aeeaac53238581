"""Callaway and Sant'Anna: results of R did, agreement with a peer, algebra, ledger, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel, staggered_panel

import jjjpolicy as jp
from jjjpolicy.did import CallawaySantAnna, EventStudy

CASES = {
    "cs_mpdta_nev_dr": CallawaySantAnna(),
    "cs_mpdta_nyt_dr": CallawaySantAnna(control="not_yet"),
    "cs_mpdta_nev_ipw": CallawaySantAnna(method="ipw"),
}
AGGREGATIONS = {
    "simple": "simple",
    "group": "group",
    "calendar": "calendar",
    "event": "dynamic",
}


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def mpdta(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    return design_of(
        frame,
        **{"unit": "countyreal", "time": "year", "outcome": "lemp", "adoption": "first.treat"}
        | changes,
    )


@pytest.mark.parametrize("case", CASES)
def test_mpdta_equals_r_did(case: str, answers: Any, mpdta_data: Any) -> None:
    published = answers["mpdta"][case]
    estimate = CASES[case].fit(mpdta(mpdta_data))
    table = estimate.group_time.set_index(["group", "time"])
    assert len(table) == len(published["att_gt"])
    for key, (att, se) in published["att_gt"].items():
        row = table.loc[tuple(int(part) for part in key.split(","))]
        assert row["estimate"] == pytest.approx(att, abs=1e-12)
        assert row["se"] == pytest.approx(se, abs=1e-12)
    for kind, name in AGGREGATIONS.items():
        average = estimate.aggregate(kind)  # type: ignore[arg-type]
        overall, by_level = published["aggte"][name]["overall"], published["aggte"][name]["by"]
        assert average.att == pytest.approx(overall[0], abs=1e-12)
        assert average.se == pytest.approx(overall[1], abs=1e-12)
        levels = average.levels
        for label, (att, se) in by_level.items():
            row = levels[levels.iloc[:, 0] == int(label)].iloc[0]
            assert row["estimate"] == pytest.approx(att, abs=1e-12)
            assert row["se"] == pytest.approx(se, abs=1e-12)


def test_mpdta_pretests_equal_r_did(answers: Any, mpdta_data: Any) -> None:
    published = answers["mpdta"]["cs_pretest_W"]["values"]
    frame = mpdta_data
    cases = {
        "mpdta_nev_dr": (CallawaySantAnna(), []),
        "mpdta_nyt_dr": (CallawaySantAnna(control="not_yet"), []),
        "mpdta_nev_reg_cov": (CallawaySantAnna(method="or"), ["lpop"]),
        "mpdta_nev_ipw": (CallawaySantAnna(method="ipw"), []),
    }
    for name, (estimator, covariates) in cases.items():
        test = estimator.fit(mpdta(frame, covariates=covariates)).pretest()
        assert test.statistic == pytest.approx(published[name][0], rel=1e-10)
        assert test.pvalue == pytest.approx(published[name][1], abs=5e-6)


@pytest.mark.parametrize("control", ["never", "not_yet"])
@pytest.mark.parametrize("method", ["dr", "ipw", "or"])
@pytest.mark.parametrize("sample", ["balanced", "unbalanced", "cross-sections"])
def test_covariate_cases_equal_the_python_port_of_r_did(
    recorded: Any, control: Any, method: Any, sample: str
) -> None:
    frame = staggered_panel(units=240, missing=0.05 if sample == "unbalanced" else 0.0, seed=3)
    if sample == "cross-sections":
        frame = frame[frame["period"] == 2001 + frame["unit"] // 4 % 6]
    design = design_of(frame, covariates=["x", "z"])
    estimate = CallawaySantAnna(control=control, method=method).fit(design)

    def ask(_: Any) -> dict[str, Any]:
        from csdid.att_gt import ATTgt

        fit = ATTgt(
            yname="y",
            tname="period",
            idname="unit",
            gname="first",
            data=frame.assign(first=frame["first"].replace(np.inf, 0)),
            control_group=["nevertreated" if control == "never" else "notyettreated"],
            xformla="y~x+z",
            panel=sample != "cross-sections",
            allow_unbalanced_panel=sample == "unbalanced",
        ).fit(est_method="reg" if method == "or" else method, bstrap=False)
        return {name: np.array(fit.results[name]).tolist() for name in ("att", "se")}

    peer, table = recorded("csdid", ask), estimate.group_time
    assert table["estimate"].to_numpy() == pytest.approx(np.array(peer["att"]), abs=1e-9)
    assert table["se"].to_numpy() == pytest.approx(np.array(peer["se"]), abs=1e-9)


def test_without_covariates_effects_are_differences_of_cell_means() -> None:
    frame = staggered_panel(units=40)
    estimate = CallawaySantAnna().fit(design_of(frame))
    means = frame.groupby(["first", "period"])["y"].mean().unstack()
    for row in estimate.group_time.itertuples():
        base = min(row.time, row.group) - 1
        change = means[row.time] - means[base]
        assert row.estimate == pytest.approx(change[row.group] - change[np.inf], abs=1e-12)


def test_methods_coincide_without_covariates() -> None:
    design = design_of(staggered_panel(units=40))
    tables = [CallawaySantAnna(method=m).fit(design).group_time for m in ("dr", "ipw", "or")]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    pd.testing.assert_frame_equal(tables[0], tables[2])


def test_one_cohort_with_universal_base_is_the_event_study() -> None:
    design = design_of(simulated_panel(units=12, adoption={0: 2004, 1: 2004, 2: 2004}))
    effects = CallawaySantAnna(base="universal").fit(design).effects
    reference = EventStudy().fit(design).effects
    assert effects["event_time"].tolist() == reference["event_time"].tolist()
    assert effects["estimate"].to_numpy() == pytest.approx(
        reference["estimate"].to_numpy(), abs=1e-12
    )


def test_two_by_two_is_the_difference_of_differences() -> None:
    frame = simulated_panel(units=4, periods=2, adoption={0: 2002, 1: 2002})
    change = frame.pivot(index="unit", columns="period", values="y").diff(axis=1)[2002]
    estimate = CallawaySantAnna().fit(design_of(frame))
    assert estimate.att == pytest.approx(change[:2].mean() - change[2:].mean(), abs=1e-12)


def test_unit_and_period_constants_and_row_order_change_nothing_and_scales_scale() -> None:
    frame = staggered_panel(units=60)
    base = CallawaySantAnna().fit(design_of(frame, covariates=["x"]))
    moved = frame.assign(y=3 * (frame["y"] + 7 * frame["unit"] - 2 * frame["period"] ** 2))
    moved = CallawaySantAnna().fit(
        design_of(moved.sample(frac=1, random_state=0), covariates=["x"])
    )
    assert base.se is not None
    assert moved.att == pytest.approx(3 * base.att, rel=1e-7)
    assert moved.se == pytest.approx(3 * base.se, rel=1e-7)


@pytest.mark.parametrize("method", ["dr", "ipw", "or"])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_covariates_may_be_moved_and_scaled(method: Any, missing: float) -> None:
    frame = staggered_panel(units=60, effect=1.0, missing=missing)
    base = CallawaySantAnna(method=method).fit(design_of(frame, covariates=["x", "z"]))
    moved = frame.assign(x=1e3 + 1e-2 * frame["x"], z=frame["z"] - 2 * frame["x"])
    estimate = CallawaySantAnna(method=method).fit(design_of(moved, covariates=["x", "z"]))
    assert estimate.att == pytest.approx(base.att, rel=1e-6)
    assert estimate.se == pytest.approx(base.se, rel=1e-6)


@pytest.mark.parametrize("never", [0.0, np.nan])
def test_never_treated_coded_zero_nan_or_inf_is_the_same(never: float) -> None:
    frame = staggered_panel(units=40, missing=0.05)
    expected = CallawaySantAnna().fit(design_of(frame)).group_time
    recoded = frame.assign(first=frame["first"].replace(np.inf, never))
    pd.testing.assert_frame_equal(CallawaySantAnna().fit(design_of(recoded)).group_time, expected)


def test_repeated_cross_sections_are_differences_of_differences_of_means() -> None:
    frame = staggered_panel(units=300)
    frame = frame[frame["period"] == 2001 + frame["unit"] // 4 % 6]
    by_row = CallawaySantAnna().fit(design_of(frame, unit=None))
    assert by_row.design.repeated_cross_sections
    means = frame.groupby(["first", "period"])["y"].mean().unstack()
    change = means[2004] - means[2002]
    table = by_row.group_time.set_index(["group", "time"])
    assert table.loc[(2003, 2004), "estimate"] == pytest.approx(
        change[2003] - change[np.inf], abs=1e-12
    )
    by_unit = CallawaySantAnna().fit(design_of(frame))
    pd.testing.assert_frame_equal(by_row.group_time, by_unit.group_time)


def test_a_panel_read_as_cross_sections_has_the_same_estimates() -> None:
    frame = staggered_panel(units=60)
    panel = CallawaySantAnna().fit(design_of(frame)).group_time
    rows = CallawaySantAnna().fit(design_of(frame, unit=None)).group_time
    assert rows["estimate"].to_numpy() == pytest.approx(panel["estimate"].to_numpy(), abs=1e-12)
    assert (rows["se"] > panel["se"]).all()


def test_clusters_of_identical_units_have_the_error_of_single_units() -> None:
    frame = staggered_panel(units=40)
    twins = pd.concat([frame, frame.assign(unit=frame["unit"] + 1000)])
    twins["pair"] = twins["unit"] % 1000
    single = CallawaySantAnna().fit(design_of(frame))
    double = CallawaySantAnna().fit(design_of(twins, assigned_at="pair"))
    assert double.att == pytest.approx(single.att, abs=1e-12)
    assert double.se == pytest.approx(single.se, abs=1e-12)


def test_integer_weights_are_copies_of_units() -> None:
    frame = staggered_panel(units=40).assign(w=1.0)
    frame.loc[frame["unit"] % 2 == 0, "w"] = 2.0
    extra = frame[frame["w"] == 2].assign(unit=lambda f: f["unit"] + 1000)
    copies = pd.concat([frame, extra])
    for kind in ("simple", "group", "calendar", "event"):
        weighted = CallawaySantAnna().fit(design_of(frame, covariates=["x"], weights="w"))
        copied = CallawaySantAnna().fit(design_of(copies, covariates=["x"]))
        assert weighted.aggregate(kind).att == pytest.approx(copied.aggregate(kind).att, abs=1e-10)


def test_universal_base_reports_a_zero_without_error() -> None:
    table = CallawaySantAnna(base="universal").fit(design_of(staggered_panel(units=40))).group_time
    base = table[table["time"] == table["group"] - 1]
    assert (base["estimate"] == 0).all()
    assert base["se"].isna().all()


def test_balanced_event_window_keeps_the_same_cohorts() -> None:
    estimate = CallawaySantAnna().fit(design_of(staggered_panel(units=60)))
    average = estimate.aggregate("event", balance=2)
    assert average.levels["event_time"].max() == 2
    table = estimate.group_time
    kept = table[(table["group"] <= 2004) & (table["time"] - table["group"] == 1)]
    sizes = estimate.design.adoption
    weights = [np.sum(sizes == group) for group in kept["group"]]
    expected = np.average(kept["estimate"], weights=weights)
    levels = average.levels.set_index("event_time")
    assert levels.loc[1, "estimate"] == pytest.approx(expected, abs=1e-12)


def test_simultaneous_bands_contain_the_pointwise_intervals() -> None:
    estimate = CallawaySantAnna().fit(design_of(staggered_panel(units=60)))
    for kind in ("simple", "group", "event"):
        average = estimate.aggregate(kind)  # type: ignore[arg-type]
        bands, levels = average.bands(draws=400, seed=1), average.levels
        assert (bands["lower"] < levels["lower"]).all()
        assert (bands["upper"] > levels["upper"]).all()
        assert 1.96 < bands["critical_value"].iloc[0] < 4


def test_multiplier_bootstrap_follows_the_average() -> None:
    estimate = CallawaySantAnna().fit(design_of(staggered_panel(units=60)))
    average = estimate.aggregate("event", balance=1)
    boot = average.with_inference(jp.inference.MultiplierBootstrap(replications=200, seed=0))
    assert boot.se == pytest.approx(average.se, rel=1e-12)
    assert boot.effects["event_time"].tolist() == average.levels["event_time"].tolist()


def test_refits_follow_the_average_and_reassignment() -> None:
    design = design_of(staggered_panel(units=40))
    adoptions = np.stack([np.random.default_rng(s).permutation(design.adoption) for s in (0, 1)])
    for average in (
        CallawaySantAnna().fit(design),
        CallawaySantAnna().fit(design).aggregate("event", max_event=1),
    ):
        many = average.estimator.refit_many(design, adoptions)
        single = [average.estimator.fit(design.reassigned(a)) for a in adoptions]
        assert many.att == pytest.approx([e.att for e in single], abs=1e-12)
        assert many.se == pytest.approx([e.se for e in single], abs=1e-12)


def test_anticipation_moves_the_base_period() -> None:
    frame = staggered_panel(units=60)
    estimate = CallawaySantAnna(anticipation=1).fit(design_of(frame))
    means = frame.groupby(["first", "period"])["y"].mean().unstack()
    change = means[2005] - means[2002]
    table = estimate.group_time.set_index(["group", "time"])
    assert table.loc[(2004, 2005), "estimate"] == pytest.approx(
        change[2004] - change[np.inf], abs=1e-12
    )


def test_average_is_unbiased_and_its_interval_covers() -> None:
    hits, points = [], []
    for seed in range(120):
        frame = staggered_panel(units=80, effect=1.0, seed=seed)
        estimate = CallawaySantAnna().fit(design_of(frame))
        low, high = estimate.interval(0.95)
        points.append(estimate.att)
        hits.append(low <= 1.0 <= high)
    assert abs(np.mean(points) - 1.0) < 0.03
    assert 0.88 <= np.mean(hits) <= 0.99


# ---------------------------------------------------------------- ledger and errors
def test_cells_that_cannot_be_estimated_are_listed_with_reasons() -> None:
    frame = staggered_panel(units=40)
    frame = frame[(frame["first"] != 2003) | (frame["period"] != 2005)]
    with pytest.warns(jp.JJJPolicyWarning, match="cohort 2003 in 2005"):
        estimate = CallawaySantAnna().fit(design_of(frame))
    listed = estimate.details["not_estimable"]
    assert listed[["group", "time"]].to_numpy().tolist() == [[2003, 2005]]
    assert "no treated row is observed" in listed["reason"].iloc[0]
    assert "cohort 2003" in estimate.design.ledger.query("item == 'effect'")["reason"].item()
    assert any("unbalanced" in note for note in estimate.inference.notes)


def test_last_cohort_without_never_treated_serves_as_control() -> None:
    frame = staggered_panel(units=40)
    frame = frame[np.isfinite(frame["first"])]
    with pytest.raises(jp.DesignError, match="every unit is treated.*control='not_yet'"):
        CallawaySantAnna().fit(design_of(frame))
    with pytest.warns(jp.JJJPolicyWarning, match="cannot be estimated"):
        estimate = CallawaySantAnna(control="not_yet").fit(design_of(frame))
    assert estimate.group_time["time"].max() == 2004
    reasons = estimate.details["not_estimable"]["reason"]
    assert reasons.str.contains("serves as control only").any()
    assert reasons.str.contains("no unit is still untreated in 2005").any()


def test_base_period_outside_the_sample_is_named() -> None:
    design = design_of(simulated_panel(adoption={0: 2003}))
    with pytest.raises(jp.DesignError, match="cohort 2003 .its base period 2000 lies outside"):
        CallawaySantAnna(anticipation=2).fit(design)


def test_a_cohort_of_one_is_estimated_and_noted() -> None:
    frame = simulated_panel(units=10, adoption={0: 2003, 1: 2004, 2: 2004})
    notes = CallawaySantAnna().fit(design_of(frame)).inference.notes
    assert any("cohort 2003 is a single unit" in note for note in notes)


def test_singular_covariates_are_named() -> None:
    frame = staggered_panel(units=60)
    frame["double"] = 2 * frame["x"] - 1
    for method in ("dr", "ipw", "or"):
        with pytest.raises(jp.DesignError, match="covariate 'double'"):
            CallawaySantAnna(method=method).fit(design_of(frame, covariates=["x", "double"]))


def test_units_with_a_propensity_score_of_one_are_named() -> None:
    frame = staggered_panel(units=60)
    frame["apart"] = np.isfinite(frame["first"]) + 0.01 * frame["z"]
    for missing in (False, True):
        used = frame.iloc[1:] if missing else frame
        with pytest.raises(jp.DesignError, match=r"propensity score at 1\) for unit \d+"):
            CallawaySantAnna().fit(design_of(used, covariates=["apart"]))
    CallawaySantAnna(method="or").fit(design_of(frame, covariates=["apart"]))


def test_units_with_a_propensity_score_of_zero_are_named_and_causes_are_told_once() -> None:
    frame = staggered_panel(units=40)
    frame["apart"] = ((frame["first"] == 2003) | (frame["unit"] % 8 == 3)).astype(float)
    frame = frame[frame["first"].isin([2003, np.inf])]
    with pytest.raises(jp.DesignError, match=r"score at 0\) for unit 7, 15, 23 and 2") as caught:
        CallawaySantAnna().fit(design_of(frame, covariates=["apart"]))
    assert str(caught.value).count("propensity") == 1


def test_unknown_options_and_averages_are_refused() -> None:
    with pytest.raises(jp.DesignError, match="control='all'"):
        CallawaySantAnna(control="all")  # type: ignore[arg-type]
    with pytest.raises(jp.DesignError, match="anticipation=-1"):
        CallawaySantAnna(anticipation=-1)
    estimate = CallawaySantAnna().fit(design_of(staggered_panel(units=40)))
    with pytest.raises(jp.DesignError, match="'dynamic'.* unknown"):
        estimate.aggregate("dynamic")  # type: ignore[arg-type]
    with pytest.raises(jp.DesignError, match="balance= keeps the same cohorts"):
        estimate.aggregate("group", balance=1)
    with pytest.raises(jp.DesignError, match="event times run from"):
        estimate.aggregate("event", min_event=50)
    with pytest.raises(jp.InferenceError, match="alpha=2"):
        estimate.bands(alpha=2)
