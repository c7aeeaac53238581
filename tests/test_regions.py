"""Regions: codes, names in two languages, groups."""

from __future__ import annotations

import pytest

from jjjpolicy.errors import DataError
from jjjpolicy.registry.regions import NATION, ancestors, regions


def test_there_are_31_provinces_and_every_parent_exists() -> None:
    assert len(regions.provinces) == 31
    assert len(regions.at_level("county")) > 3200
    assert list(regions) == sorted(regions)
    for code, region in regions.items():
        assert code == region.code
        assert (region.parent in regions) == (code != NATION)


@pytest.mark.parametrize("name", ["河北", "河北省", "Hebei", "hebei", "130000", " Hebei "])
def test_a_region_is_found_by_any_of_its_names(name: str) -> None:
    assert regions.find(name).code == "130000"


def test_shanxi_and_shaanxi_are_told_apart() -> None:
    assert regions.find("Shanxi").name("zh") == "山西"
    assert regions.find("Shaanxi").name("zh") == "陕西"


def test_names_are_unambiguous() -> None:
    above = [region for region in regions.values() if region.level != "county"]
    for language in ("en", "zh"):
        assert len({region.name(language) for region in above}) == len(above)
    for region in above:
        assert all(regions.find(alias) is region for alias in region.aliases)
    named = [r.name_en for r in regions.values() if r.code[:2] in ("11", "12", "13")]
    assert len(set(named)) == len(named)


def test_a_county_is_found_by_its_name_where_only_one_has_it() -> None:
    assert regions.find("容城县").code == regions.find("Rongcheng").code == "130629"
    assert regions["130629"].parent == "130600"
    assert regions["110105"].parent == "110000"
    assert regions["130629"].coordinates == (39.042784, 115.861657)
    with pytest.raises(DataError, match=r"regions are called '桥西区': 130104 in 石家庄"):
        regions.find("桥西区")
    assert regions.find("朝阳市").level == "prefecture"


def test_levels() -> None:
    assert len(regions.at_level("province")) == 31
    cities = regions.at_level("city")
    assert {"110000", "130100", "429004"} <= set(cities)
    assert "130000" not in cities
    assert "130629" in regions.at_level("county")
    with pytest.raises(DataError, match="province, city, county"):
        regions.at_level("town")


def test_a_code_that_was_given_up_leads_to_its_successor() -> None:
    assert regions.successors("130182") == ("130109",)  # Gaocheng, city to district in 2014
    assert regions.successors("130629") == ()
    assert "given up in 2014 for 130109" in regions.instead_of("130182", ["130109"])
    assert "130629 lies in 130600" in regions.instead_of("130629", ["130600"])
    assert regions.instead_of("130629", ["110000"]) == ""


def test_changes_of_area_are_those_of_the_code_books() -> None:
    changes = regions.changes
    assert set(changes["area"]) == {"moved", "merged", "moved and merged", "not stated"}
    assert not changes.duplicated(["year", "old_code", "new_code"]).any()
    assert (changes[["old_code", "new_code"]] != "").any(axis=1).all()
    found = set(zip(regions.area_changes["unit"], regions.area_changes["time"], strict=True))
    # Jianyang went from Ziyang to Chengdu, Laiwu into Jinan, Chaohu was divided among three.
    assert {("510100", 2016), ("512000", 2016), ("370100", 2018), ("340100", 2011)} <= found
    assert {("340200", 2011), ("340500", 2011), ("220100", 2020)} <= found
    assert ("130402", 2016) in found  # Hanshan took in Handan county
    assert not any(unit.startswith("13") and unit.endswith("00") for unit, _ in found)


@pytest.mark.parametrize(
    ("wrong", "suggestion"), [("Hebai", "Hebei"), ("河地", "河北"), ("tianjing", "Tianjin")]
)
def test_an_unknown_name_gets_a_suggestion(wrong: str, suggestion: str) -> None:
    with pytest.raises(DataError, match=suggestion):
        regions.find(wrong)


def test_groups() -> None:
    assert regions.group("jing-jin-ji") == ("110000", "120000", "130000")
    assert regions.groups["jing-jin-ji"].name("zh") == "京津冀"
    four = [regions.group(name) for name in ("east", "central", "west", "northeast")]
    assert [len(codes) for codes in four] == [10, 6, 12, 3]
    assert sorted(sum(four, ())) == [region.code for region in regions.provinces]
    neighbours = {regions[code].name_en for code in regions.group("jing-jin-ji-neighbours")}
    assert neighbours == {"Shanxi", "Inner Mongolia", "Liaoning", "Shandong", "Henan"}
    with pytest.raises(DataError, match="jing-jin-ji"):
        regions.group("jingjinji")


def test_unknown_codes_and_languages_are_errors_and_mapping_methods_work() -> None:
    with pytest.raises(DataError, match="130000"):
        regions["13000"]
    assert regions.get("13000") is None
    assert "13000" not in regions
    with pytest.raises(DataError, match="en, zh"):
        regions["130000"].name("fr")


def test_ancestors() -> None:
    assert ancestors("130100") == ("130000",)
    assert ancestors("130102") == ("130100", "130000")
    assert ancestors("130000") == ancestors(NATION) == ancestors("California") == ()
