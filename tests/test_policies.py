"""Policies: dates and their precision, who is treated since when, the registry."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jjjpolicy.errors import DataError
from jjjpolicy.registry.policy import (
    FirstFullYear,
    PartialDate,
    Policy,
    Treatment,
    YearOfIssue,
    policies,
)
from jjjpolicy.registry.regions import regions


def test_the_registry_is_ordered_by_date() -> None:
    issued = [policy.issued for policy in policies.values()]
    assert issued == sorted(issued)
    assert len(policies) == 17
    assert all(code in regions for policy in policies.values() for code in policy.treated)
    assert {policy.confidence for policy in policies.values()} == {"read", "stated", "recalled"}
    assert all(policy.source for policy in policies.values())


def test_the_catalogues_are_dosed_by_the_share_of_classes_they_restrict() -> None:
    doses = [policies[f"restricted-industries-{year}"].dose(["110000"])[0] for year in (2014, 2015)]
    assert doses == [0.32, 0.55]


def test_the_tax_sharing_rule() -> None:
    policy = policies["tax-sharing-2015"]
    assert (str(policy.issued), policy.precision) == ("2015-06-03", "day")
    assert policy.treated_regions == ("110000", "120000", "130000")
    assert policy.document == "财预〔2015〕92号"
    assert policy.confidence == "read"
    assert policy.adoption(["110000", "310000"]).tolist() == [2015, np.inf]
    assert policy.adoption(["110000"], timing=FirstFullYear()).tolist() == [2016]


def test_unknown_policies_get_suggestions() -> None:
    with pytest.raises(DataError, match="Did you mean 'tax-sharing-2015'"):
        policies["tax-sharing"]
    assert policies.get("tax-sharing") is None
    assert "tax-sharing-2015" in repr(policies)


def test_cities_follow_their_province_and_not_the_reverse() -> None:
    policy = policies["tax-sharing-2015"]
    cities = ["110000", "120000", "130100", "310000", "140100"]
    assert np.isfinite(policy.adoption(cities)).tolist() == [True, True, True, False, False]
    of_a_city = Policy("city", "2015", ["130100"])
    assert of_a_city.adoption(["130000", "130100", "130200"]).tolist() == [np.inf, 2015, np.inf]


def test_the_nearest_treated_region_counts() -> None:
    treated = {
        "130000": Treatment(PartialDate(2015), 0.5),
        "130100": Treatment(PartialDate(2018), 2.0),
    }
    policy = Policy("staggered", "2015", treated)
    assert policy.adoption(["130100", "130200"]).tolist() == [2018, 2015]
    assert policy.dose(["130100", "130200", "310000"]).tolist() == [2.0, 0.5, 0.0]


def test_the_same_policy_for_an_aggregate() -> None:
    policy = policies["tax-sharing-2015"].treating(["JJJ"])
    assert policy.adoption(["JJJ", "110000"]).tolist() == [2015, np.inf]
    assert policy.title_zh == policies["tax-sharing-2015"].title_zh


@pytest.mark.parametrize(
    ("text", "year_of_issue", "first_full_year"),
    [
        ("2015-06-03", 2015, 2016),
        ("2015-01-01", 2015, 2015),
        ("2015-01-02", 2015, 2016),
        ("2015-01", 2015, 2016),
        ("2015", 2015, 2016),
    ],
)
def test_timing(text: str, year_of_issue: int, first_full_year: int) -> None:
    date = PartialDate.parse(text)
    assert YearOfIssue().first_treated_year(date) == year_of_issue
    assert FirstFullYear().first_treated_year(date) == first_full_year


@given(st.dates(), st.sampled_from([4, 7, 10]))
def test_a_date_survives_writing_and_reading(day: object, length: int) -> None:
    text = str(day)[:length]
    assert str(PartialDate.parse(text)) == text


@pytest.mark.parametrize("text", ["2015-02-30", "2015-13", "June 2015", "2015/06/03", "", "15"])
def test_impossible_dates_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="2015-06-03"):
        Policy("mine", text, ["110000"])


def test_bad_policies_are_refused() -> None:
    with pytest.raises(DataError, match="treats no region"):
        Policy("mine", "2015", [])
    with pytest.raises(DataError, match="must be text, such as '110000'"):
        policies["outline-2015"].adoption([110000])  # type: ignore[list-item]
    for dose in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(DataError, match="dose"):
            Treatment(PartialDate(2015), dose)


def test_policies_are_values() -> None:
    policy = policies["tax-sharing-2015"]
    assert copy.deepcopy(policy) == policy
    assert hash(policy.treating(policy.treated)) == hash(policy)
