"""Design: what is accepted, what is refused and with which words, what the ledger keeps."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import simulated_panel

import jjjpolicy as jp


def build(frame: pd.DataFrame, **changes: object) -> jp.Design:
    arguments: dict[str, object] = {
        "unit": "unit",
        "time": "period",
        "outcome": "y",
        "treatment": "treated",
    }
    return jp.Design.from_frame(frame, **(arguments | changes))  # type: ignore[arg-type]


def refuses(frame: pd.DataFrame, *words: str, **changes: object) -> None:
    with pytest.raises(jp.DesignError) as caught:
        build(frame, **changes)
    for word in words:
        assert re.search(word, str(caught.value)), f"{word!r} not in {caught.value}"


def test_arrays_hold_the_table() -> None:
    frame = simulated_panel()
    design = build(frame)
    assert design.outcome.shape == (8, 6)
    assert design.balanced
    assert design.periods.tolist() == list(range(2001, 2007))
    assert design.adoption[0] == 2004
    assert np.isinf(design.adoption[1:]).all()
    assert design.outcome[3, 2] == frame.query("unit == 3 and period == 2003").y.item()
    assert design.ledger.empty


@given(seed=st.integers(0, 1000))
def test_row_order_does_not_matter(seed: int) -> None:
    frame = simulated_panel(adoption={0: 2003, 4: 2005})
    shuffled = frame.sample(frac=1, random_state=seed)
    assert build(shuffled).fingerprint == build(frame).fingerprint


@pytest.mark.parametrize("never", [0, np.nan, np.inf])
def test_never_treated_may_be_coded_zero_nan_or_inf(never: float) -> None:
    frame = simulated_panel(adoption={0: 2003, 4: 2005})
    frame["first"] = frame["first"].replace(np.inf, never)
    assert (
        build(frame, treatment=None, adoption="first").fingerprint
        == build(simulated_panel(adoption={0: 2003, 4: 2005})).fingerprint
    )


def test_text_units_come_sorted_and_labelled() -> None:
    frame = simulated_panel(units=3)
    frame["unit"] = frame["unit"].map({0: "Hebei", 1: "Anhui", 2: "Zhejiang"})
    design = build(frame)
    assert design.units.tolist() == ["Anhui", "Hebei", "Zhejiang"]
    assert design.units[design.treated].tolist() == ["Hebei"]


def test_whole_float_periods_are_periods() -> None:
    frame = simulated_panel()
    frame["period"] = frame["period"].astype(float)
    assert build(frame).periods.dtype == np.int64


def test_absent_rows_make_an_unbalanced_panel_and_are_listed() -> None:
    frame = simulated_panel().drop(index=[7, 20])
    design = build(frame)
    assert not design.balanced
    assert design.n_observations == 46
    assert design.ledger[["item", "unit", "period"]].to_numpy().tolist() == [
        ["cell", 1, 2002],
        ["cell", 3, 2003],
    ]
    with pytest.raises(jp.DesignError, match="unit 1 in 2002"):
        jp.synth.SyntheticControl().fit(design)


def test_duplicate_rows_are_refused() -> None:
    frame = simulated_panel()
    doubled = pd.concat([frame, frame.iloc[[9, 14]]])
    refuses(doubled, "2 .* more than once", r"unit 1 in period 2004 \(rows 9, 48\)", "unit 2")


def test_missing_outcome_is_refused() -> None:
    frame = simulated_panel()
    frame.loc[10, "y"] = np.nan
    refuses(frame, "'y' is missing", "unit 1", "2005")


def test_infinite_outcome_is_refused() -> None:
    frame = simulated_panel()
    frame.loc[10, "y"] = -np.inf
    refuses(frame, "'y' is infinite", "unit 1", "2005", "logarithm")


def test_text_outcome_is_refused() -> None:
    frame = simulated_panel()
    refuses(frame.assign(y=frame.y.astype(str)), "'y' holds text", "to_numeric")


def test_always_treated_units_are_left_out_named_and_listed() -> None:
    frame = simulated_panel(adoption={0: 2004, 2: 2001, 3: 1995})
    for arguments in ({}, {"treatment": None, "adoption": "first"}):
        with pytest.warns(jp.JJJPolicyWarning, match=r"unit 2, 3 left out, no pre-period"):
            design = build(frame, **arguments)
        assert design.units.tolist() == [0, 1, 4, 5, 6, 7]
        assert design.ledger[["item", "unit"]].to_numpy().tolist() == [["unit", 2], ["unit", 3]]
        assert design.ledger["reason"].str.contains("no pre-period").all()
    assert design.fingerprint == build(frame, exclude=[2, 3]).fingerprint


def test_units_first_observed_under_treatment_are_always_treated() -> None:
    frame = simulated_panel(adoption={0: 2004, 2: 2003}).query("unit != 2 or period >= 2003")
    with pytest.warns(jp.JJJPolicyWarning, match="unit 2 left out"):
        design = build(frame)
    assert design.balanced
    assert "first treated 2003" in design.ledger["reason"].item()


def test_periods_in_which_only_always_treated_units_are_observed_go_with_them() -> None:
    frame = simulated_panel(adoption={0: 2004, 2: 2001}).query("unit == 2 or period > 2001")
    with pytest.warns(jp.JJJPolicyWarning, match="unit 2 left out"):
        design = build(frame)
    assert design.periods.tolist() == [2002, 2003, 2004, 2005, 2006]
    assert design.balanced


def test_a_panel_in_which_no_treated_unit_has_a_pre_period_is_refused() -> None:
    frame = simulated_panel(adoption={2: 2001, 3: 1990})
    refuses(frame, "no pre-period", "unit 2, 3", "begin|Begin", treatment=None, adoption="first")


def test_regressions_take_always_treated_units_as_never_treated_ones() -> None:
    frame = simulated_panel(adoption={0: 2004, 1: 2003, 2: 2001}, effect=1.0)
    unit, period = pd.get_dummies(frame["unit"]), pd.get_dummies(frame["period"]).iloc[:, 1:]
    x = np.column_stack([frame["treated"], unit, period]).astype(float)
    kept = np.linalg.lstsq(x, frame["y"].to_numpy(), rcond=None)[0][0]
    coded = frame.assign(first=frame["first"].replace(2001, 0))
    design = build(coded, treatment=None, adoption="first")
    assert jp.did.TwoWayFixedEffects().fit(design).att == pytest.approx(kept, abs=1e-12)


def test_a_negative_code_for_never_treated_is_refused() -> None:
    frame = simulated_panel()
    frame["first"] = frame["first"].replace(np.inf, -1)
    refuses(frame, "'first' holds -1", "0, NaN or inf", treatment=None, adoption="first")


def test_zero_as_never_treated_and_as_a_period_is_pointed_out() -> None:
    frame = simulated_panel().assign(first=lambda f: f["first"].replace(np.inf, 0))
    frame["period"] -= 2004
    frame["first"] = frame["first"].replace(2004, 1)
    with pytest.warns(jp.JJJPolicyWarning, match="0 in adoption column 'first'"):
        build(frame, treatment=None, adoption="first")


def test_panel_without_control_unit_is_refused() -> None:
    frame = simulated_panel(adoption=dict.fromkeys(range(8), 2004))
    refuses(frame, "no control unit", "2004")


def test_panel_without_treated_unit_is_refused() -> None:
    refuses(simulated_panel().assign(treated=0), "no unit is treated")


def test_treatment_that_switches_off_is_refused_unless_allowed() -> None:
    frame = simulated_panel()
    frame.loc[5, "treated"] = 0
    refuses(frame, "switches off", "unit 0", "2006")
    design = build(frame, absorbing=False)
    assert not design.absorbing
    assert design.treatment[0].tolist() == [False, False, False, True, True, False]


def test_treatment_other_than_zero_and_one_is_refused() -> None:
    frame = simulated_panel()
    frame.loc[4, "treated"] = 2005
    refuses(frame, "'treated' is 2005", "0 or 1", "adoption=")


def test_unknown_columns_are_refused_with_near_matches() -> None:
    refuses(simulated_panel(), "'treatd'", "did you mean 'treated'", treatment="treatd")


def test_one_period_is_refused() -> None:
    refuses(simulated_panel().query("period == 2005"), "one period only", "2005")


def test_text_periods_are_refused() -> None:
    frame = simulated_panel()
    refuses(frame.assign(period=frame.period.astype(str)), "holds text", r"astype\(int\)")


def test_categories_of_numbers_as_periods_are_refused() -> None:
    frame = simulated_panel()
    refuses(frame.assign(period=frame.period.astype("category")), "categorical")


def test_fractional_periods_are_refused() -> None:
    frame = simulated_panel()
    refuses(frame.assign(period=frame.period + 0.5), "whole numbers")


def test_missing_unit_is_refused() -> None:
    frame = simulated_panel()
    frame["unit"] = frame["unit"].astype(float)
    frame.loc[3, "unit"] = np.nan
    refuses(frame, "'unit' is missing in row 3")


def test_adoption_that_varies_within_a_unit_is_refused() -> None:
    frame = simulated_panel()
    frame.loc[2, "first"] = 2005
    refuses(frame, "varies within unit 0", treatment=None, adoption="first")


def test_treatment_and_adoption_together_are_refused() -> None:
    refuses(simulated_panel(), "exactly one", adoption="first")


def test_adoption_after_the_last_period_counts_as_never_treated_and_is_noted() -> None:
    frame = simulated_panel(adoption={0: 2004, 1: 2030})
    design = build(frame, treatment=None, adoption="first")
    assert np.isinf(design.adoption[1])
    assert design.ledger.iloc[0][["item", "unit", "period"]].tolist() == ["note", 1, 2030]


def test_window_and_exclude_are_listed_in_the_ledger() -> None:
    design = build(simulated_panel(), window=(2002, 2005), exclude=[5])
    assert design.periods.tolist() == [2002, 2003, 2004, 2005]
    assert 5 not in design.units
    assert set(design.ledger["item"]) == {"unit", "period"}
    assert len(design.ledger) == 3


def test_unknown_excluded_unit_is_refused() -> None:
    refuses(simulated_panel(), "exclude", "unit 99", exclude=[99])


def test_empty_window_is_refused() -> None:
    refuses(simulated_panel(), "holds no period", "2001", window=(1990, 1995))


def test_weights_must_be_positive_and_constant() -> None:
    frame = simulated_panel()
    refuses(frame.assign(w=np.arange(48) + 1.0), "varies over time within unit 0", weights="w")
    refuses(frame.assign(w=frame.unit * 1.0), "not positive for unit 0", weights="w")


def test_level_of_assignment_must_share_one_adoption() -> None:
    frame = simulated_panel(adoption={0: 2004, 1: 2004})
    frame["province"] = frame["unit"] // 2
    design = build(frame, assigned_at="province")
    assert design.assignment.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    frame["province"] = frame["unit"] // 3
    refuses(frame, "assigned_at='province'", "unit 1 and 2", assigned_at="province")


def test_cluster_levels_are_known_by_name() -> None:
    frame = simulated_panel()
    frame["region"] = frame["unit"] % 3
    design = build(frame, clusters="region")
    assert design.cluster_codes("region").tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert design.cluster_codes().tolist() == list(range(8))
    with pytest.raises(jp.DesignError, match="'state'"):
        design.cluster_codes("state")


def test_coordinates_must_be_degrees() -> None:
    frame = simulated_panel().assign(lat=4_000_000.0, lon=116.0)
    refuses(frame, "latitude", coordinates=("lat", "lon"))


def test_covariates_may_not_be_missing() -> None:
    frame = simulated_panel().assign(x=1.0)
    frame.loc[12, "x"] = np.nan
    refuses(frame, "'x' is missing", "unit 2", "2001", covariates=["x"])


def test_sorted_and_shuffled_tables_take_the_same_path_to_the_same_design() -> None:
    frame = simulated_panel(units=5, periods=4, adoption={2: 2003})
    shuffled = frame.sample(frac=1, random_state=1)
    for name in ("outcome", "periods", "adoption"):
        assert (getattr(build(frame), name) == getattr(build(shuffled), name)).all()


def cross_sections() -> pd.DataFrame:
    frame = simulated_panel(units=24, adoption=dict.fromkeys(range(12), 2004))
    return frame[frame["period"] == 2001 + frame["unit"] % 6]


def test_units_observed_once_are_repeated_cross_sections() -> None:
    design = build(cross_sections(), treatment=None, adoption="first")
    assert design.repeated_cross_sections
    assert design.n_observations == 24
    assert design.ledger.empty
    assert not build(simulated_panel()).repeated_cross_sections
    assert not build(simulated_panel().drop(index=[7])).repeated_cross_sections


def test_rows_are_units_where_none_is_named() -> None:
    frame = cross_sections().drop(columns="unit").assign(row=1)
    design = build(frame, unit=None, treatment=None, adoption="first", covariates=["row"])
    assert design.repeated_cross_sections
    assert design.units.tolist() == list(range(24))


def test_repeated_cross_sections_need_adoption() -> None:
    refuses(cross_sections(), "every unit occurs once", "'treated'", "adoption=")


def test_cross_sections_of_a_cohort_without_rows_before_adoption_are_left_out() -> None:
    frame = cross_sections()
    early = frame["unit"] == 11
    frame.loc[early, "first"] = 2001
    with pytest.warns(jp.JJJPolicyWarning, match="rows of cohort 2001 left out"):
        design = build(frame, treatment=None, adoption="first")
    assert design.n_units == 23
    assert "1 rows of cohort 2001" in design.ledger["reason"].item()
    frame = frame[~early & ((frame["first"] != 2004) | (frame["period"] >= 2004))]
    refuses(frame, "no row before adoption", "'first' 2004", treatment=None, adoption="first")


def test_late_adoption_in_cross_sections_is_noted_once() -> None:
    frame = cross_sections()
    frame.loc[frame["unit"] >= 20, "first"] = 2030
    ledger = build(frame, treatment=None, adoption="first").ledger
    assert len(ledger) == 1
    assert "4 rows" in ledger["reason"].item()


def test_from_policy_names_the_trail() -> None:
    panel = jp.load("provinces", vintage="nbs_2024")
    policy = jp.policies["tax-sharing-2015"]
    design = jp.Design.from_policy(panel, policy, outcome="log_gdp", window=(2005, 2020))
    assert design.outcome.shape == (31, 16)
    assert design.units[design.treated].tolist() == ["110000", "120000", "130000"]
    assert set(design.adoption[design.treated]) == {2015.0}
    assert design.source["vintage"] == "nbs_2024"
    assert design.labels.unit_in("120000", "zh") == "天津"


def test_from_policy_refuses_unknown_outcomes() -> None:
    panel = jp.load("provinces", vintage="nbs_2024")
    with pytest.raises(jp.DesignError, match="log_gpd.*log_gdp"):
        jp.Design.from_policy(panel, jp.policies["tax-sharing-2015"], outcome="log_gpd")


def test_from_policy_lists_unpublished_periods() -> None:
    panel = jp.load("provinces", vintage="nbs_2024")
    design = jp.Design.from_policy(
        panel,
        jp.policies["tax-sharing-2015"],
        outcome="tech_contracts_bought_value",
        window=(2010, 2020),
    )
    assert 2011 not in design.periods
    assert 2011 in design.ledger["period"].tolist()


def test_from_policy_names_treated_regions_that_the_panel_does_not_hold() -> None:
    panel = jp.load("provinces", vintage="nbs_2024").select(
        variables=["gdp"], units=["120000", "130000", "310000", "320000"]
    )
    policy = jp.policies["tax-sharing-2015"]
    with pytest.raises(jp.DesignError, match=r"treats 110000.*treating"):
        jp.Design.from_policy(panel, policy, outcome="gdp")
    policy = policy.treating(["120000", "130000"])
    design = jp.Design.from_policy(panel, policy, outcome="gdp")
    assert design.units[design.treated].tolist() == ["120000", "130000"]


def test_from_policy_treats_a_city_through_its_province() -> None:
    panel = jp.load("major_cities")
    design = jp.Design.from_policy(
        panel, jp.policies["tax-sharing-2015"], outcome="gdp", window=(2007, 2017)
    )
    assert design.units[design.treated].tolist() == ["110000", "120000", "130100"]


def test_leaving_units_out_counts_only_the_clusters_that_are_left() -> None:
    frame = simulated_panel()
    frame["province"] = frame["unit"] // 2
    design = build(frame, clusters="province")
    kept = design.keep_units(design.units > 3, "test")
    assert kept.assignment.tolist() == [0, 1, 2, 3]
    assert kept.clusters["province"].tolist() == [0, 0, 1, 1]
    smaller = jp.did.TwoWayFixedEffects().fit(build(frame, exclude=[3]))
    same = jp.did.TwoWayFixedEffects().fit(build(frame).keep_units(design.units != 3, "test"))
    assert same.se == pytest.approx(smaller.se, rel=1e-12)


def test_an_adoption_that_no_row_dates_is_told_and_listed() -> None:
    frame = simulated_panel(adoption={0: 2004, 1: 2004}).query("unit != 0 or period != 2004")
    with pytest.warns(jp.JJJPolicyWarning, match="unit 0 is untreated in 2003.*treated in 2005"):
        design = build(frame)
    assert design.adoption[:2].tolist() == [2005, 2004]
    notes = design.ledger.query("item == 'note'")
    assert notes["unit"].tolist() == [0]
    assert notes["reason"].str.contains("adoption is not known").all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert build(frame, treatment=None, adoption="first").adoption[0] == 2004
        build(simulated_panel(adoption={0: 2004}).query("unit != 0 or period != 2002"))


@pytest.mark.parametrize(
    ("per_year", "factor", "form"), [(12, 100, "year and month"), (4, 10, "year and quarter")]
)
def test_periods_that_pack_year_and_month_are_told(per_year: int, factor: int, form: str) -> None:
    frame = simulated_panel(periods=2 * per_year, adoption={0: 2001 + per_year})
    running = frame["period"] - 2001
    packed = factor * (2019 + running // per_year) + running % per_year + 1
    with pytest.warns(jp.JJJPolicyWarning, match=f"{form}.*// {factor}"):
        build(frame.assign(period=packed))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(frame)


def test_one_name_stands_for_a_list_of_one() -> None:
    frame = simulated_panel().assign(pop=1.0, x=lambda f: f["unit"] * 1.0, area=1)
    one = build(frame, covariates="pop", predictors="x", clusters="area", exclude=3)
    assert list(one.covariates) == ["pop"]
    assert list(one.predictors) == ["x"]
    assert list(one.clusters) == ["area"]
    assert 3 not in one.units


def test_options_of_another_shape_are_refused_by_name() -> None:
    frame = simulated_panel().assign(pop=1.0)
    refuses(frame, "covariates=", "must be a list of labels", covariates={"pop": "log"})
    refuses(frame, "weights= takes the name of one column", weights=["pop"])
    refuses(frame, "coordinates=", "two columns", coordinates=("pop",))


def test_designs_and_estimates_show_themselves_in_a_line() -> None:
    design = build(simulated_panel(adoption={0: 2004, 1: 2005}))
    assert repr(design).startswith("Design(y: 8 unit × 6 period 2001-2006, 2 treated")
    for estimator in (jp.did.TwoWayFixedEffects(), jp.did.CallawaySantAnna()):
        shown = repr(estimator.fit(design))
        assert "array(" not in shown
        assert shown.startswith(f"Estimate({estimator.label}: att=")
        assert len(shown) < 250
