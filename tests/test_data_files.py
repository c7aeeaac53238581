"""The CSV files: figures as received, formatting, and a dictionary that describes them."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from jjjpolicy.panels.datasets import data_directory, dictionary
from jjjpolicy.panels.formulas import Formula
from jjjpolicy.registry.regions import regions

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def figures(path: Path) -> dict[tuple[str, ...], tuple[float, str]]:
    keys = ("region_code", "year", "variable", "vintage")
    found = rows(path)
    kept = {tuple(row[k] for k in keys): (float(row["value"]), row["unit"]) for row in found}
    assert len(kept) == len(found)
    return kept


@pytest.mark.parametrize("name", ["provinces.csv", "major_cities.csv"])
def test_every_figure_is_the_one_received(name: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("the source figures are not beside the repository")
    assert figures(data_directory() / name) == figures(SHARED / name)


def test_policies_and_flags_are_those_received() -> None:
    if not SHARED.is_dir():
        pytest.skip("the source figures are not beside the repository")
    received = {row["policy_id"]: row for row in rows(SHARED / "policies.csv")}
    treated: dict[str, list[str]] = {}
    for row in rows(data_directory() / "policy_regions.csv"):
        treated.setdefault(row["policy_id"], []).append(row["region_code"])
    for row in rows(data_directory() / "policies.csv"):
        if row["policy_id"] not in received:
            continue  # found elsewhere, with a source of its own
        source = received.pop(row["policy_id"])
        assert row["issued"].startswith(source["issued"])  # or more precise
        assert row["title_zh"] == source["title_zh"]
        assert treated[row["policy_id"]] == source["treated_regions"].split(";")
    assert not received
    kept = {
        (row["region_code"], row["year"], row["variable"])
        for row in rows(data_directory() / "flags.csv")
        if (row["dataset"], row["check"]) == ("provinces", "jump")
    }
    assert kept == {
        (regions.find(row["region_en"]).code, row["year"], row["variable"])
        for row in rows(SHARED / "flags.csv")
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
    for row in rows(data_directory() / "flags.csv"):
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
            assert row["source"] in sources
            assert row["vintage"] in known
            assert row["aggregation"] in ("sum", "none")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in row["label_zh"])
    labels = table.groupby("variable")[["label_en", "label_zh", "unit"]].nunique()
    assert (labels == 1).all(axis=None)


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
    facts = ("relocation_facts", "structure_facts", "review_article_table1")
    registry = ("policies", "platforms", "platform_tiers", "relocation_models")
    for name in (*facts, *registry):
        for row in rows(data_directory() / f"{name}.csv"):
            assert row.get("region", row.get("region_code", "110000")) in {
                *regions,
                *regions.groups,
            }
            cited = [row["source"], *filter(None, [row.get("tier_source")])]
            for part in "; ".join(cited).split("; "):
                assert part.split(" ")[0] in sources
            assert name not in registry or row["confidence"]
            assert math.isfinite(float(row.get("value", "0")))
    for row in rows(data_directory() / "policy_regions.csv"):
        assert not row["dose_source"] or row["dose_source"] in sources
        assert (row["dose"] == "1") == (row["dose_meaning"] == "")
