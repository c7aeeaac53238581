"""Bundled data: loading by vintage, derived variables, and a schema that names the row."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jjjpolicy.errors import DataError
from jjjpolicy.panels import datasets
from jjjpolicy.panels.datasets import DataNotice, dictionary, facts, flags, load, vintages
from jjjpolicy.panels.variable import with_inputs
from jjjpolicy.registry import lookup

Corrupt = Callable[[str, Callable[[list[str]], list[str]]], None]


def test_the_newest_vintage_is_taken_and_announced() -> None:
    with pytest.warns(DataNotice, match="after_2023_census"):
        panel = load("provinces")
    assert panel.vintage == "after_2023_census"
    assert len(panel.units) == 31
    assert "000000" not in panel.units
    assert set(panel.national["region_code"]) == {"000000"}


def test_an_explicit_vintage_is_silent_and_so_is_what_needs_none() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load("provinces", vintage="after_2018_census")
        assert load("provinces", variables="technology_balance").vintage == "as_published"
        load("major_cities")


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("110000", 30319.98, 33106.0),
        ("120000", 18809.64, 13362.9),
        ("130000", 36010.27, 32494.6),
    ],
)
def test_the_census_revision_of_2018(code: str, before: float, after: float) -> None:
    for vintage, value in (("before_2018_census", before), ("after_2018_census", after)):
        frame = load("provinces", vintage=vintage, variables=["gdp"]).frame
        row = frame[(frame["region_code"] == code) & (frame["year"] == 2018)]
        assert row["gdp"].item() == value


def test_vintages_are_not_mixed() -> None:
    assert vintages("provinces") == (
        "before_2018_census",
        "after_2018_census",
        "releases_2019_2022",
        "nbs_2024",
        "after_2023_census",
    )
    assert vintages("major_cities") == ("before_2018_census",)
    with pytest.raises(DataError, match="a series has one vintage"):
        load("provinces", vintage=["nbs_2024", "after_2018_census"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "province"}, "Did you mean 'provinces'"),
        ({"name": "provinces", "vintage": "nbs2024"}, "Did you mean 'nbs_2024'"),
        ({"name": "major_cities", "vintage": "nbs_2024"}, "Choices: before_2018_census"),
        ({"name": "provinces", "vintage": "nbs_2024", "variables": ["loggdp"]}, "log_gdp"),
    ],
)
def test_unknown_names_list_the_choices(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(**arguments)  # type: ignore[arg-type]


def test_derived_variables_equal_hand_calculation() -> None:
    panel = load("provinces", vintage="nbs_2024")
    row = panel.frame.set_index(["region_code", "year"]).loc[("120000", 2019)]
    assert row["rd_intensity_single_vintage"] == pytest.approx(100 * 463.0 / row["gdp"])
    assert row["log_gdp"] == pytest.approx(np.log(row["gdp"]))
    assert row["technology_balance"] == pytest.approx(
        row["tech_contracts_bought_value"] / row["tech_contracts_sold_value"]
    )
    shares = panel.frame.groupby("year")["gdp_national_share"].sum(min_count=31)
    np.testing.assert_allclose(shares.loc[2004:2023], 100)


def test_fund_shares_of_2019_round_to_the_published_ones() -> None:
    panel = load("provinces", variables=["government_fund_share", "enterprise_fund_share"])
    found = panel.frame[panel.frame["year"] == 2019].set_index("region_code")
    shares = found.loc[["110000", "120000", "130000"]].round(1)
    assert shares["government_fund_share"].tolist() == [47.9, 16.5, 12.0]
    assert shares["enterprise_fund_share"].tolist() == [44.2, 78.2, 86.0]
    china = panel.national.set_index("year")
    assert round(china.loc[2019, "government_fund_share"], 1) == 20.5


def test_derived_values_lie_in_their_plausible_range() -> None:
    """But for those that rest on a flagged figure."""
    rules = dictionary()
    for name in datasets._DATASETS:
        for vintage in vintages(name):
            panel = load(name, vintage=vintage)
            flagged = panel.flags.set_index(["unit", "time"])["variable"]
            for rule in rules[(rules["dataset"] == name) & (rules["formula"] != "")].itertuples():
                if rule.variable not in panel.variables:
                    continue
                values = panel.frame.set_index(["region_code", "year"])[rule.variable].dropna()
                odd = values[~values.between(rule.plausible_low, rule.plausible_high)]
                behind = with_inputs([rule.variable], panel.variables)
                for cell in odd.index:
                    assert set(flagged.get([cell], pd.Series(dtype=str))) & behind, rule.variable


def test_the_three_regions_together() -> None:
    panel = load("provinces", vintage="nbs_2024", variables=["log_gdp", "gdp_national_share"])
    joined = panel.aggregate(["110000", "120000", "130000"], "JJJ", "Jing-Jin-Ji", "京津冀")
    row = joined.frame.set_index(["region_code", "year"]).loc[("JJJ", 2019)]
    frame = panel.frame[panel.frame["region_code"].isin(["110000", "120000", "130000"])]
    parts = frame[frame["year"] == 2019]
    assert row["log_gdp"] == pytest.approx(np.log(parts["gdp"].sum()))
    assert row["gdp_national_share"] == pytest.approx(parts["gdp_national_share"].sum())


def test_cities_hold_the_treated_ones() -> None:
    panel = load("major_cities")
    assert len(panel.units) == 36
    assert {"110000", "120000", "130100"} <= set(panel.units)


def test_facts_and_flags() -> None:
    assert {"relocation", "structure"} <= set(datasets._FACTS)
    assert facts("relocation").set_index("fact_id").loc["bj-refused-2014-2020", "value"] == 23400
    assert "jing-jin-ji" in set(facts("structure")["region"])
    assert len(flags("provinces")) > 60
    with pytest.raises(DataError, match="relocation, structure"):
        facts("reloc")


# ---------------------------------------------------------------- the schema
@pytest.fixture
def corrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Corrupt]:
    """Change the lines of a file in a temporary copy of the data."""
    copy = tmp_path / "data"
    shutil.copytree(lookup.data_directory(), copy)
    monkeypatch.setattr(datasets, "data_directory", lambda: copy)

    def change(name: str, edit: Callable[[list[str]], list[str]]) -> None:
        path = copy / name
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(edit(lines)) + "\n", encoding="utf-8")

    yield change
    for cached in (datasets._cells, datasets._dictionary, datasets._flags, datasets._breaks):
        cached.cache_clear()


LINE = "110000,2015,gdp,nbs_2024,"


def _replace_row(start: str, new: Callable[[list[str]], list[str]]) -> Callable[..., list[str]]:
    def edit(lines: list[str]) -> list[str]:
        index = next(i for i, line in enumerate(lines) if line.startswith(start))
        return [*lines[:index], *new(lines[index].split(",")), *lines[index + 1 :]]

    return edit


def _cell(position: int, text: str) -> Callable[[list[str]], list[str]]:
    return lambda cells: [",".join([*cells[:position], text, *cells[position + 1 :]])]


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (_cell(0, "990000"), r"line \d+ \('990000', 2015, gdp.*unknown region code"),
        (_cell(1, "1915"), r"1915, gdp.*year is outside"),
        (_cell(1, "soon"), r"provinces.csv line \d+: year 'soon' is not a number"),
        (_cell(2, "gpd"), r"gpd.*not in variables.csv"),
        (_cell(3, "nbs_2025"), r"nbs_2025.*not in variables.csv"),
        (_cell(4, "x12"), r"provinces.csv line \d+: value 'x12' is not a number"),
        (_cell(4, "inf"), r"110000 Beijing, 2015, gdp, nbs_2024, inf\): value is not a finite"),
        (_cell(4, "-3"), r"value is outside the plausible range"),
        (_cell(4, ""), r"value '' is not a number"),
        (_cell(5, "10k_yuan"), r"unit is not that of variables.csv"),
        (_cell(6, "hearsay"), r"source is not in sources.csv"),
        (lambda cells: [",".join(cells)] * 2, r"110000 Beijing, 2015, gdp.*second row"),
        (lambda cells: [], r"no row for 110000 Beijing, 2015, gdp, nbs_2024"),
    ],
)
def test_a_broken_row_is_named(
    corrupt: Corrupt, new: Callable[[list[str]], list[str]], message: str
) -> None:
    corrupt("provinces.csv", _replace_row(LINE, new))
    with pytest.raises(DataError, match=message):
        load("provinces", vintage="nbs_2024")


def test_the_line_number_is_that_of_the_file(corrupt: Corrupt) -> None:
    lines = (lookup.data_directory() / "provinces.csv").read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, start=1) if line.startswith(LINE))
    corrupt("provinces.csv", _replace_row(LINE, _cell(4, "-3")))
    with pytest.raises(DataError, match=f"line {number} "):
        load("provinces", vintage="nbs_2024")


def test_national_totals_are_checked(corrupt: Corrupt) -> None:
    edit = _replace_row("440000,2019,rd_expenditure,", _cell(4, "3398.5"))
    corrupt("provinces.csv", edit)
    with pytest.raises(DataError, match=r"sum to 1\.0\d+ of the national figure for 2019, rd_exp"):
        load("provinces", vintage="nbs_2024")


def test_parts_are_checked_against_their_whole(corrupt: Corrupt) -> None:
    corrupt("major_cities.csv", _replace_row("130100,2015,va_tertiary,", _cell(4, "2000")))
    with pytest.raises(DataError, match=r"va_tertiary sum to .* for 130100 Shijiazhuang, 2015"):
        load("major_cities")


def test_a_gap_that_is_filled_must_leave_the_dictionary(corrupt: Corrupt) -> None:
    row = "110000,2012,rd_funds_enterprise,as_published,3686342,10k_yuan,tech_yearbook:RDSource"
    corrupt("provinces.csv", lambda lines: [*lines, row])
    with pytest.raises(DataError, match="listed as a gap, but has a row"):
        load("provinces", vintage="nbs_2024")


def test_missing_columns_and_data_are_errors(
    corrupt: Corrupt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    corrupt("provinces.csv", lambda lines: [line.rsplit(",", 1)[0] for line in lines])
    with pytest.raises(DataError, match="the columns must be"):
        load("provinces", vintage="nbs_2024")
    monkeypatch.setattr(lookup, "__file__", str(tmp_path / "1" / "2" / "3" / "4" / "5.py"))
    with pytest.raises(DataError, match="bundled data are missing"):
        lookup.data_directory()


def test_the_caller_cannot_change_the_bundled_data() -> None:
    first = dictionary()
    first.loc[:, "unit"] = "x"
    assert "x" not in set(dictionary()["unit"])
    panel = load("provinces", vintage="nbs_2024")
    panel.frame.loc[:, "gdp"] = 0.0
    assert (load("provinces", vintage="nbs_2024").frame["gdp"] != 0).all()
    assert isinstance(panel.frame, pd.DataFrame)
