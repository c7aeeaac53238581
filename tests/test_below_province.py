"""Cities, counties and night lights: vintages, breaks, changes of area, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import jjjpolicy as jp
from jjjpolicy.errors import DataError, DesignError, JJJPolicyWarning
from jjjpolicy.panels.datasets import DataNotice, facts, load, vintages
from jjjpolicy.panels.panel import Break, Panel, Variable
from jjjpolicy.registry.policy import PartialDate, Policy, Treatment
from jjjpolicy.registry.regions import regions

TREATED = {code: Treatment(PartialDate(2015)) for code in ("110000", "120000", "130000")}
POLICY = Policy("reform", PartialDate(2015), TREATED)


def cities(*variables: str, vintage: str = "before_2018_census") -> Panel:
    return load("cities", vintage=vintage, variables=variables or None)


def design(panel: Panel, outcome: str, **options: object) -> jp.Design:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", JJJPolicyWarning)
        return jp.Design.from_policy(panel, POLICY, outcome=outcome, **options)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- cities
def test_the_cities_of_the_yearbook() -> None:
    panel = cities()
    assert len(panel.units) == 298
    assert set(regions.group("municipalities")) <= set(panel.units)
    assert panel.periods == tuple(range(2000, 2024))
    assert panel.label("industrial_enterprises", "zh", with_unit=True) == "规模以上工业企业数（个）"
    assert panel.unit_names("en")["130600"] == "Baoding"


def test_product_has_two_vintages_that_never_meet() -> None:
    assert vintages("cities") == ("before_2018_census", "after_2018_census")
    old, new = (
        cities("gdp", vintage=v).frame.set_index(["region_code", "year"])["gdp"].dropna()
        for v in vintages("cities")
    )
    assert old.index.get_level_values("year").max() == 2018
    assert new.index.get_level_values("year").min() == 2019
    assert old["120000", 2018] == 18809.64
    assert new["120000", 2019] == 14104
    assert old["110000", 2017] == 28014.94  # not the 29883.0 of the revised series
    with pytest.warns(DataNotice, match="'after_2018_census', the newest"):
        load("cities", variables=["gdp"])


def test_shares_of_2017_come_from_value_added() -> None:
    frame = cities("share_secondary", "va_secondary").frame.set_index(["region_code", "year"])
    row = frame.loc[("130600", 2017)]
    assert row["share_secondary"] == pytest.approx(100 * row["compiled_va_secondary"] / row["gdp"])
    row = frame.loc[("130600", 2018)]
    assert row["share_secondary"] == row["printed_share_secondary"]
    assert row["va_secondary"] == pytest.approx(row["gdp"] * row["share_secondary"] / 100)


def test_a_variable_that_the_vintage_lacks_says_which_has_it() -> None:
    with pytest.raises(
        DataError, match="'compiled_va_primary' has no figures .*before_2018_census"
    ):
        cities("compiled_va_primary", vintage="after_2018_census")
    with pytest.raises(DataError, match=r"'share_primary' has no figures of vintage 'nbs_2024'"):
        load("provinces", vintage="nbs_2024", variables=["share_primary"])
    assert "va_primary" not in load("provinces", vintage="nbs_2024").variables


# ---------------------------------------------------------------------- breaks
def test_a_window_across_a_break_is_refused_with_the_windows_that_are_not() -> None:
    panel = cities("log_industrial_enterprises")
    message = (
        r"'log_industrial_enterprises' do not compare over 2005-2020: from 2007 on .*from 2011 on"
        r".*window=\(2005, 2006\) or \(2007, 2010\) or \(2011, 2020\)"
    )
    with pytest.raises(DesignError, match=message):
        design(panel, "log_industrial_enterprises", window=(2005, 2020))
    assert design(panel, "log_industrial_enterprises", window=(2011, 2020)).n_periods == 10


def test_a_break_that_is_crossed_on_purpose_is_in_the_ledger_and_the_source() -> None:
    built = design(
        cities("unit_employment"), "unit_employment", window=(2010, 2019), across_breaks=True
    )
    notes = built.ledger.query("item == 'note' and period == 2013")
    assert notes["reason"].tolist() == ["unit_employment: the coverage of urban units was widened"]
    assert built.source is not None
    assert built.source["across_breaks"] is True


def test_a_covariate_and_the_inputs_of_a_derived_variable_count_too() -> None:
    panel = cities("log_gdp", "manufacturing_employment_share")
    assert [each.year for each in panel.variables["manufacturing_employment_share"].breaks] == [
        2013
    ]
    with pytest.raises(DesignError, match="'manufacturing_employment_share' do not compare"):
        design(panel, "log_gdp", window=(2010, 2018), covariates=["manufacturing_employment_share"])


def test_breaks_of_a_panel_of_ones_own() -> None:
    rows = [(u, t, t) for u in ("A", "B") for t in range(2000, 2010)]
    frame = pd.DataFrame(rows, columns=["region_code", "year", "y"])
    own = Policy("p", PartialDate(2005), {"A": Treatment(PartialDate(2005))})
    panel = Panel(frame, {"y": Variable("y", breaks=(Break(2005, "counted anew", "重新统计"),))})
    with pytest.raises(DesignError, match=r"from 2005 on counted anew.*\(2000, 2004\) or \(2005, "):
        jp.Design.from_policy(panel, own, outcome="y")


# ---------------------------------------------------------------------- areas and flags
def test_cities_whose_area_changed_are_left_out_and_listed() -> None:
    panel = cities("log_gdp")
    built = design(panel, "log_gdp", window=(2009, 2018))
    reasons = built.ledger.query("item == 'unit'").set_index("unit")["reason"]
    assert "area changed in 2016: 简阳市 (512081) became 简阳市 (510185)" in reasons["510100"]
    assert {"510100", "512000", "340100"} <= set(reasons.index)
    assert not {"510100", "512000", "340100"} & set(built.units)
    kept = design(panel, "log_gdp", window=(2009, 2018), changed_areas=True)
    assert {"510100", "512000", "340100"} <= set(kept.units)
    assert kept.source is not None
    assert kept.source["changed_areas"] is True
    assert "510100" in design(panel, "log_gdp", window=(2009, 2015)).units


def test_a_treated_unit_that_is_left_out_is_announced() -> None:
    policy = Policy("p", PartialDate(2015), dict.fromkeys(("510100", "110000"), TREATED["110000"]))
    with pytest.warns(JJJPolicyWarning, match="treated region_code '510100' left out"):
        jp.Design.from_policy(cities("log_gdp"), policy, outcome="log_gdp", window=(2009, 2018))


def test_flagged_figures_stay_and_are_in_the_ledger() -> None:
    panel = cities("log_unit_employment")
    odd = panel.flags.query("unit == '131000' and time == 2017")
    assert set(odd["variable"]) == {"unit_employment"}
    built = design(panel, "log_unit_employment", window=(2013, 2019))
    flags = built.ledger.query("item == 'flag'")
    assert (
        "unit_employment is flagged (spike) and kept as published"
        in flags.query("unit == '131000' and period == 2017")["reason"].tolist()
    )
    assert "131000" in built.units
    assert built.left_out.left_out == len(built.ledger) - len(flags)


def test_growth_of_2013_is_not_there() -> None:
    growth = cities("gdp_real_growth").frame.set_index("year")["gdp_real_growth"]
    assert growth.loc[2012].notna().any()
    assert 2013 not in growth.dropna().index


def test_the_figure_of_baoding_without_dingzhou_is_flagged() -> None:
    panel = cities("gdp")
    assert ("130600", 2015, "gdp", "coverage") in set(
        panel.flags.itertuples(index=False, name=None)
    )
    dingzhou = load("counties", vintage="before_2018_census", variables=["gdp"]).frame
    dingzhou = dingzhou.query("region_code == '130682' and year == 2015")["gdp"].item()
    baoding = panel.frame.query("region_code == '130600' and year == 2015")["gdp"].item()
    assert baoding + dingzhou / 1e4 == pytest.approx(3300.56, abs=0.01)  # as published with it


# ---------------------------------------------------------------------- counties
def test_employment_of_the_censuses_as_shares() -> None:
    panel = load("counties", vintage="before_2018_census")
    row = panel.frame.set_index(["region_code", "year"]).loc[("110101", 2010)]
    assert row["employment_share_manufacturing"] == pytest.approx(100 * 1817 / 22605)
    assert row["in_migrant_share"] == pytest.approx(100 * 137155 / 573180)
    census = panel.frame[panel.frame["resident_population_census"].notna()]
    assert set(census["year"]) == {2010, 2020}
    assert census.groupby("year").size().tolist() == [2861, 2948]
    total = census[census["year"] == 2020]["resident_population_census"].sum()
    assert total == pytest.approx(1_409_778_724, rel=0.003)  # the published national figure


# ---------------------------------------------------------------------- lights
def test_each_satellite_product_is_a_vintage_of_its_own() -> None:
    assert vintages("lights")[-2:] == ("viirs_like", "viirs")
    viirs = load("lights", vintage="viirs", level="county")
    frame = viirs.frame.set_index(["region_code", "year"])["night_lights"]
    assert round(frame["130629", 2013]) == 1770
    assert round(frame["130629", 2021]) == 17376
    assert viirs.periods == tuple(range(2013, 2022))
    eight = ("11", "12", "13", "14", "15", "21", "37", "41")
    assert sum(unit[:2] in eight for unit in viirs.units) == 812
    assert viirs.area_changes.empty  # the boundaries are the same in all years
    assert "night_lights_urban" in load("lights", vintage="viirs_like").variables
    with pytest.raises(DataError, match="a series has one vintage"):
        load("lights", vintage=("viirs", "viirs_like"))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no region of level 'county'"):
        load("major_cities", level="county")


def test_one_product_is_not_continued_by_another() -> None:
    viirs, like = (load("lights", vintage=v, level="city") for v in ("viirs", "viirs_like"))
    keys = ["region_code", "year"]
    values = viirs.frame[keys].merge(like.frame, on=keys, how="left")["night_lights"]
    other = Variable("before", vintage="viirs_like")
    both = viirs.with_variable(other, values.tolist())
    with pytest.raises(DataError, match=r"joins figures of 2 vintages \(viirs, viirs_like\)"):
        both.with_variable(Variable("long", formula="otherwise(night_lights, before)"))


def test_a_region_beside_the_one_it_lies_in_is_refused() -> None:
    with pytest.raises(DesignError, match=r"lies in .*00, and the panel holds both"):
        design(load("lights", vintage="viirs"), "log_night_lights")
    assert design(load("lights", vintage="viirs", level="city"), "log_night_lights").n_periods == 9


# ---------------------------------------------------------------------- codes
def test_a_code_that_was_given_up_and_a_county_of_a_city_are_explained() -> None:
    lights = load("lights", vintage="viirs", level="county")
    with pytest.raises(DataError, match="130182 was given up in 2014 for 130109"):
        lights.select(units=["130182"])
    with pytest.raises(DataError, match=r"130629 lies in 130600 \(保定\), which is held"):
        cities("gdp").select(units=["130629"])
    policy = Policy("p", PartialDate(2015), {"130182": TREATED["110000"]})
    with pytest.raises(DesignError, match="130182 was given up in 2014 for 130109"):
        jp.Design.from_policy(lights, policy, outcome="log_night_lights")


# ---------------------------------------------------------------------- provinces
def test_real_product_is_deflated_within_one_vintage() -> None:
    panel = load("provinces", vintage="after_2023_census", variables=["real_gdp"])
    frame = panel.frame.set_index(["region_code", "year"])
    beijing = frame.loc["110000"]
    assert beijing.loc[2015, "real_gdp"] == pytest.approx(beijing.loc[2015, "gdp"])
    prices = beijing["consumer_prices"] / 100
    assert beijing.loc[2017, "real_gdp"] == pytest.approx(
        beijing.loc[2017, "gdp"] / (prices[2016] * prices[2017])
    )
    assert beijing.loc[2013, "real_gdp"] == pytest.approx(
        beijing.loc[2013, "gdp"] * prices[2014] * prices[2015]
    )
    assert np.isnan(beijing.loc[2024, "real_gdp"])  # consumer prices end in 2021


def test_the_vintage_after_the_census_of_2023() -> None:
    frame = load("provinces", vintage="after_2023_census", variables=["gdp"]).frame
    assert frame["year"].min() == 2006
    assert frame["year"].max() == 2024
    assert frame.groupby("year").size().eq(31).all()
    row = frame.query("region_code == '120000' and year == 2006")
    assert row["gdp"].item() == 3592.5


def test_technology_turnover_has_the_year_that_the_yearbook_lacks() -> None:
    names = ["technology_market_turnover", "tech_contracts_sold_value"]
    frame = load("provinces", variables=names).frame.set_index(["region_code", "year"])
    assert frame.loc[("110000", 2011), "technology_market_turnover"] > 0
    assert np.isnan(frame.loc[("110000", 2011), "tech_contracts_sold_value"])
    ratio = frame["technology_market_turnover"] * 1e4 / frame["tech_contracts_sold_value"]
    ratio = ratio.dropna().drop(("540000", 2017))
    assert ratio.between(0.985, 1.015).all()


def test_facts_of_flows_and_published_effects() -> None:
    flows = facts("flows")
    sold = flows.query("measure == 'technology_contracts_value' and kind != 'first quarter'")
    by_span = sold.set_index(["origin", "destination", "year_from", "year_to"])["value"]
    jin_ji = ("110000", "120000;130000")
    parts = by_span[(*jin_ji, "2014", "2020")] + by_span[(*jin_ji, "2021", "2021")]
    assert parts == pytest.approx(by_span[(*jin_ji, "2014", "2021")])
    assert not flows["kind"].str.contains("derived").any()
    assert len(facts("published-effects")) == 16
    evidence = facts("platform-evidence")
    named = {each for text in evidence["platform_id"] for each in text.split(";") if each}
    assert named <= set(jp.platforms()["platform_id"])
