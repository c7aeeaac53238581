"""The CSV files: figures as received, formatting, and a dictionary that describes them."""

from __future__ import annotations

import csv
import hashlib
import math
from pathlib import Path

import pytest
import reference

from jjjpolicy.panels.datasets import data_directory, dictionary
from jjjpolicy.panels.formulas import Formula
from jjjpolicy.registry.regions import regions

RECEIVED = reference.answers("source_figures")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def figures(path: Path) -> dict[tuple[str, ...], tuple[float, str]]:
    keys = ("region_code", "year", "variable", "vintage")
    found = rows(path)
    kept = {tuple(row[k] for k in keys): (float(row["value"]), row["unit"]) for row in found}
    assert len(kept) == len(found)
    return kept


@pytest.mark.parametrize("name", ["provinces", "major_cities"])
def test_every_series_is_the_one_received(name: str) -> None:
    series: dict[str, list[str]] = {}
    for row in rows(data_directory() / f"{name}.csv"):
        line = f"{row['region_code']},{row['year']},{float(row['value'])!r},{row['unit']}"
        series.setdefault(f"{row['variable']}|{row['vintage']}", []).append(line)
    found = {
        key: [len(lines), hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]]
        for key, lines in series.items()
    }
    assert {key: found[key] for key in RECEIVED[name]} == RECEIVED[name]
    assert name == "provinces" or set(found) == set(RECEIVED[name])


def wide(name: str) -> dict[tuple[str, str], dict[str, str]]:
    found = rows(data_directory() / f"{name}.csv")
    kept = {(row["region_code"], row["year"]): row for row in found}
    assert len(kept) == len(found)
    return kept


@pytest.mark.parametrize(
    ("name", "code", "year", "column", "printed"),
    [
        ("cities", "120000", "2018", "gdp:before_2018_census", "18809.64"),
        ("cities", "120000", "2019", "gdp:after_2018_census", "14104"),
        ("cities", "110000", "2000", "gdp:before_2018_census", "2478.76"),
        ("cities", "130600", "2015", "gdp:before_2018_census", "3000.34"),
        ("cities", "130100", "2017", "gdp:before_2018_census", "6460.88"),  # the compilation
        ("cities", "130600", "2012", "industrial_enterprises", "1613"),
        ("cities", "110000", "2001", "average_population", "1114.1"),
        ("counties", "130682", "2015", "gdp:before_2018_census", "3002185"),
        ("counties", "130682", "2015", "budget_revenue", "16083"),  # a digit is lost, and kept so
        ("counties", "110101", "2010", "resident_population_census", "573180"),
        ("lights", "130629", "2013", "night_lights:viirs", "1770.135"),
        ("lights", "130629", "2021", "night_lights:viirs", "17375.619"),
        ("lights", "110000", "2013", "night_lights:viirs", "400625.6922473725"),
    ],
)
def test_figures_are_those_of_the_source_cells(
    name: str, code: str, year: str, column: str, printed: str
) -> None:
    assert wide(name)[code, year][column] == printed


@pytest.mark.parametrize("name", ["cities", "counties", "lights"])
def test_wide_files_are_sorted_and_numbers_plain(name: str) -> None:
    found = rows(data_directory() / f"{name}.csv")
    keys = [(row["region_code"], int(row["year"])) for row in found]
    assert keys == sorted(keys)
    for row in found:
        values = list(row.values())[2:]
        assert any(values)
        assert all(v == repr(float(v)).removesuffix(".0") for v in values if v)


def test_every_variable_of_the_yearbook_has_its_column_in_each_edition() -> None:
    printed: dict[str, set[str]] = {}
    for (_, year), row in wide("cities").items():
        for column, value in row.items():
            if value and column not in ("region_code", "year"):
                printed.setdefault(column.partition(":")[0], set()).add(str(int(year) + 1))
    columns = {
        row.pop("variable"): row for row in rows(data_directory() / "city_yearbook_columns.csv")
    }
    for variable, editions in printed.items():
        if variable.startswith("compiled"):
            continue
        given = {edition for edition, column in columns.pop(variable).items() if column}
        assert editions - {"2018"} <= given  # product of 2017 is from a compilation
        assert given - editions <= {"2014"}  # growth of 2013 is left out
    assert not columns


def test_the_cities_of_hebei_sum_to_their_province() -> None:
    """Within a few per cent in the old vintage and two in the new one."""
    provinces = figures(data_directory() / "provinces.csv")
    releases = ("va_primary", "va_secondary", "va_tertiary")
    found = wide("cities")
    cities = sorted({code for code, _ in found if code[:2] == "13"})
    assert len(cities) == 11
    for year in (2000, *range(2002, 2024)):  # 2001 lacks Hengshui
        vintage = "before_2018_census" if year < 2019 else "after_2018_census"
        total = sum(float(found[code, str(year)][f"gdp:{vintage}"]) for code in cities)
        if year < 2019:
            whole = provinces["130000", str(year), "gdp", vintage][0]
            assert 0.97 < total / whole < 1.07
        elif year < 2023:
            parts = (provinces["130000", str(year), v, "releases_2019_2022"][0] for v in releases)
            assert 0.995 < total / sum(parts) < 1.02


def test_where_the_large_cities_differ_from_the_older_file_the_reason_is_known() -> None:
    """Of more than half a per cent; the older file holds series that were revised back."""
    older, found = figures(data_directory() / "major_cities.csv"), wide("cities")
    differ = set()
    for (code, year, variable, vintage), (value, _) in older.items():
        cell = found.get((code, year), {}).get(f"gdp:{vintage}", "")
        if variable == "gdp" and cell and abs(float(cell) / value - 1) > 0.005:
            differ.add((code, int(year)))
    municipalities = set(regions.group("municipalities"))
    # First releases here, revised after the economic censuses of 2004, 2008 and 2013 there.
    first_releases = {
        (code, year) for code in municipalities for year in (*range(2000, 2009), 2013)
    }
    # Corrected downwards after the printing (Shenyang, Dalian, Changchun), or revised (the others).
    corrected = {(code, 2016) for code in ("210100", "210200", "220100", "410100", "430100")}
    assert differ - first_releases - corrected == {("130100", 2004)}
    assert corrected <= differ


def test_counties_and_cities_sum_to_the_lights_of_their_province() -> None:
    found = wide("lights")
    for year in ("2013", "2021"):
        lights = {c: float(r["night_lights:viirs"]) for (c, y), r in found.items() if y == year}
        for province in ("130000", "140000", "370000"):
            for level in ("city", "county"):
                inside = set(regions.at_level(level)) - {province}
                total = sum(v for c, v in lights.items() if c in inside and c[:2] == province[:2])
                assert total / lights[province] == pytest.approx(1, abs=0.001)


def test_policies_and_flags_are_those_received() -> None:
    received = dict(RECEIVED["policies"])
    treated: dict[str, list[str]] = {}
    for row in rows(data_directory() / "policy_regions.csv"):
        treated.setdefault(row["policy_id"], []).append(row["region_code"])
    for row in rows(data_directory() / "policies.csv"):
        if row["policy_id"] not in received:
            continue  # found elsewhere, with a source of its own
        issued, title, regions_treated = received.pop(row["policy_id"])
        assert row["issued"].startswith(issued)  # or more precise
        assert row["title_zh"] == title
        assert treated[row["policy_id"]] == regions_treated.split(";")
    assert not received
    kept = {
        (row["region_code"], row["year"], row["variable"])
        for row in rows(data_directory() / "flags.csv")
        if (row["dataset"], row["check"]) == ("provinces", "jump")
    }
    assert kept == {
        (regions.find(region).code, year, variable) for region, year, variable in RECEIVED["flags"]
    }


@pytest.mark.parametrize("name", ["provinces.csv", "major_cities.csv"])
def test_rows_are_sorted_and_numbers_plain(name: str) -> None:
    found = rows(data_directory() / name)
    keys = [(r["variable"], r["vintage"], r["region_code"], int(r["year"])) for r in found]
    assert keys == sorted(keys)
    for row in found:
        text = repr(float(row["value"]))
        assert row["value"] == text.removesuffix(".0")


def test_flagged_values_are_those_published() -> None:
    published = {
        name: figures(data_directory() / f"{name}.csv") for name in ("provinces", "major_cities")
    }
    by_row = {name: wide(name) for name in ("cities", "counties", "lights")}
    for row in rows(data_directory() / "flags.csv"):
        if row["dataset"] in by_row:
            cells = by_row[row["dataset"]][row["region_code"], row["year"]]
            column = f"{row['variable']}:{row['vintage']}"
            assert cells.get(column, cells.get(row["variable"])) == row["value"]
            continue
        key = (row["region_code"], row["year"], row["variable"], row["vintage"])
        assert published[row["dataset"]][key][0] == float(row["value"])


def test_the_dictionary_is_complete_and_consistent() -> None:
    table = dictionary()
    assert not table.duplicated(["dataset", "variable", "vintage"]).any()
    required = ["label_en", "label_zh", "unit", "unit_en", "unit_zh", "definition", "aggregation"]
    assert (table[required] != "").all(axis=None)
    sources = {row["source"] for row in rows(data_directory() / "sources.csv")}
    known = {row["vintage"] for row in rows(data_directory() / "vintages.csv")}
    for row in table.to_dict("records"):
        if row["formula"]:
            inputs = Formula(row["formula"]).inputs
            assert set(inputs) <= set(table.loc[table["dataset"] == row["dataset"], "variable"])
            assert row["aggregation"] in ("formula", "sum")
        else:
            assert set(row["source"].split("; ")) <= sources
            assert row["vintage"] in known
            assert row["aggregation"] in ("sum", "none")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in row["label_zh"])
    labels = table.groupby("variable")[["label_en", "label_zh"]].nunique()
    units = table.groupby(["dataset", "variable"])[["unit"]].nunique()
    assert (labels == 1).all(axis=None)
    assert (units == 1).all(axis=None)


def test_breaks_are_of_known_variables_and_lie_within_their_years() -> None:
    rules = dictionary().set_index(["dataset", "variable"])
    for row in rows(data_directory() / "breaks.csv"):
        rule = rules.loc[[(row["dataset"], row["variable"])]].iloc[0]
        assert rule["first_year"] < int(row["year"]) <= rule["last_year"]
        assert row["reason_en"]
        assert row["reason_zh"]


def test_the_dictionary_gives_the_years_of_the_data() -> None:
    table = dictionary()
    for name in ("provinces", "major_cities"):
        years: dict[tuple[str, str], set[int]] = {}
        for row in rows(data_directory() / f"{name}.csv"):
            years.setdefault((row["variable"], row["vintage"]), set()).add(int(row["year"]))
        for rule in table[(table["dataset"] == name) & (table["formula"] == "")].itertuples():
            found = years.pop((rule.variable, rule.vintage))
            if rule.variable.startswith("budget"):
                continue  # the nation is published for some years only
            assert (min(found), max(found)) == (rule.first_year, rule.last_year)
        assert not years


def test_facts_name_known_regions_and_sources() -> None:
    sources = {row["source"] for row in rows(data_directory() / "sources.csv")}
    facts = (
        "relocation_facts",
        "structure_facts",
        "review_article_table1",
        "flow_facts",
        "published_effects",
        "platform_evidence",
    )
    registry = ("policies", "platforms", "platform_tiers", "relocation_models")
    for name in (*facts, *registry):
        for row in rows(data_directory() / f"{name}.csv"):
            places = [row.get("region", row.get("region_code", "110000"))]
            places += [row[end] for end in ("origin", "destination") if end in row]
            known = {*regions, *regions.groups, "all"}
            assert {place for each in places for place in each.split(";")} <= known
            cited = [row["source"], *filter(None, [row.get("tier_source")])]
            for part in "; ".join(cited).split("; "):
                assert part.split(" ")[0] in sources
            assert name not in registry or row["confidence"]
            assert math.isfinite(float(row.get("value", "0")))
    for row in rows(data_directory() / "policy_regions.csv"):
        assert not row["dose_source"] or row["dose_source"] in sources
        assert (row["dose"] == "1") == (row["dose_meaning"] == "")
