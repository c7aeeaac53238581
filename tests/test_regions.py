"""Regions: codes, names in two languages, groups."""

from __future__ import annotations

import pytest

from jjjpolicy.errors import DataError
from jjjpolicy.registry.regions import NATION, ancestors, regions


def test_there_are_31_provinces_and_every_parent_exists() -> None:
    assert len(regions.provinces) == 31
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
    for language in ("en", "zh"):
        names = regions.names(language)
        assert len(set(names.values())) == len(names)
    for region in regions.values():
        assert all(regions.find(alias) is region for alias in region.aliases)


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
