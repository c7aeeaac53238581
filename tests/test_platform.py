"""Platforms: sources and confidence of every row, tiers, and a staggered policy over cities."""

from __future__ import annotations

import pytest

import jjjpolicy as jp
from jjjpolicy.errors import DataError
from jjjpolicy.panels.datasets import facts
from jjjpolicy.registry.platform import designation_policy, platform_tiers, relocation_models
from jjjpolicy.registry.policy import PartialDate, policies
from jjjpolicy.registry.regions import regions


def test_every_platform_has_a_place_a_source_and_a_readable_date() -> None:
    table = jp.platforms()
    assert table["platform_id"].is_unique
    assert set(table["region_code"]) <= set(regions)
    assert (table[["name_en", "name_zh", "source", "confidence"]] != "").all(axis=None)
    assert set(table["confidence"]) <= {"read", "stated", "recalled"}
    dated = table[table["designated"] != ""]
    for text in dated["designated"]:
        assert 2013 <= PartialDate.parse(text).year <= 2019
    assert (dated[["event_en", "event_zh"]] != "").all(axis=None)
    assert (table.loc[table["designated"] == "", "event_en"] == "").all()


def test_hosts_at_county_level_lie_in_the_city_of_the_platform() -> None:
    table = jp.platforms().set_index("platform_id")
    hosted = table[table["county_code"] != ""]
    assert len(hosted) > 20
    for row in hosted.itertuples():
        for code in row.county_code.split(";"):
            assert regions[code].level == "county"
            assert row.region_code in (regions[code].parent, "133100")  # Xiong'an has no own code
    assert set(hosted["county_confidence"]) == {"stated", "recalled"}
    assert (table.loc[table["county_code"] == "", "county_confidence"] == "").all()
    assert table.loc["xiongan", "county_code"] == "130638;130629;130632"
    assert table.loc["airport-zone-beijing", "county_confidence"] == "recalled"


def test_what_is_only_recalled_is_marked_so() -> None:
    table = jp.platforms()
    from_memory = table["source"].str.contains("recollection")
    assert (table.loc[from_memory, "confidence"] == "recalled").all()
    tier_from_memory = table["tier_source"].str.contains("recollection")
    assert (table.loc[tier_from_memory, "tier_confidence"] == "recalled").all()
    purely = table["source"] == "recollection"
    assert purely.any()
    assert (table.loc[purely, "designated"] == "").all()


def test_tiers_count_no_more_platforms_than_are_stated() -> None:
    tiers = platform_tiers().set_index("tier")
    table = jp.platforms()
    assert {tier for each in table["tiers"] for tier in each.split(";") if tier} <= set(tiers.index)
    assert (tiers["named"] <= tiers["number"]).all()
    assert (tiers["named_stated"] <= tiers["named"]).all()
    assert tiers.loc[["receiving-2", "strategic-4"], "named_stated"].tolist() == [2, 4]
    assert tiers.loc[tiers["part_of"] == "specialised-46", "number"].sum() == 46
    hebei = tiers.index.str.startswith("hebei")
    assert tiers.loc[hebei, "number"].sum() == 43  # the figure of the province in 2019
    assert {policy for policy in tiers["policy_id"] if policy} <= set(policies)


def test_the_four_models_point_to_platforms_and_facts() -> None:
    models = relocation_models()
    assert len(models) == 4
    assert {model for model in jp.platforms()["model"] if model} == set(models["model"])
    named = {fact for fact in models["fact_id"] if fact}
    assert named <= set(facts("relocation")["fact_id"])


def test_cities_are_treated_from_their_first_dated_platform() -> None:
    policy = designation_policy()
    assert policy.adoption(["130300", "130200", "130500"]).tolist() == [2014, 2014, float("inf")]
    assert policy.dose(["130200"]).tolist() == [2]
    assert "133100" not in policy.treated
    assert "133100" in designation_policy(recalled=True).treated
    assert set(designation_policy(["strategic-4"]).treated) == {
        "110000",
        "120000",
        "130200",
        "130700",
        "130800",
        "131000",
    }


def test_bad_tiers_are_refused() -> None:
    with pytest.raises(DataError, match="Did you mean 'strategic-4'"):
        designation_policy(["strategic-5"])
    with pytest.raises(DataError, match="has a date"):
        designation_policy(["agriculture-3"])
