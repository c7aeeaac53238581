"""Tax sharing: the rule of 2015 by hand, its edges, variations, and money conservation."""

from __future__ import annotations

import doctest
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jjjpolicy import fiscal
from jjjpolicy.errors import DataError, JJJPolicyWarning
from jjjpolicy.fiscal import (
    HAIDIAN_QINHUANGDAO,
    RULE_2015,
    SharingRule,
    add_local_part,
    break_even,
    compare_rules,
    share,
)


def path(
    amounts: Sequence[float],
    *,
    firm: str = "A",
    first: int = 2013,
    tax: str = "value_added_tax",
    local: float = 1.0,
) -> pd.DataFrame:
    """Taxes of one firm, one tax a year; ``local`` is the local part of what it pays."""
    paid = np.asarray(amounts, dtype=float)
    years = np.arange(first, first + paid.size)
    return pd.DataFrame(
        {"firm": firm, "year": years, "tax": tax, "local": local * paid, "paid": paid}
    )


def move(firm: str = "A", **changes: Any) -> pd.DataFrame:
    values = {
        "firm": firm,
        "origin": "110000",
        "destination": "130000",
        "moved": 2016,
        "started": 2016,
        "origin_led": True,
        "fits_plan": True,
    }
    return pd.DataFrame([{**values, **changes}])


def by_year(result: fiscal.Sharing, column: str) -> list[float]:
    amounts: list[float] = result.flows.set_index("year")[column].tolist()
    return amounts


def test_half_goes_to_the_origin_for_three_and_two_years() -> None:
    result = share(path([30] * 9), move(), RULE_2015)
    assert by_year(result, "origin") == [30] * 3 + [15] * 5 + [0]
    assert by_year(result, "destination") == [0] * 3 + [15] * 5 + [30]
    firm = result.firms.iloc[0]
    assert (firm["base_average"], firm["cap"], firm["origin_shared"]) == (30, 90, 75)
    assert (firm["outcome"], firm["shortfall"], firm["subsidy_year"]) == ("years over", 15, 2021)
    assert np.isnan(firm["central_subsidy"])


def test_the_cap_ends_sharing_within_a_year() -> None:
    # Cap 60; 25 + 25 leave 10, which 20 of the 80 paid in 2018 bring.
    result = share(path([20, 20, 20, 50, 50, 80, 80]), move(), RULE_2015)
    assert by_year(result, "origin")[3:] == [25, 25, 10, 0]
    assert by_year(result, "destination")[3:] == [25, 25, 70, 80]
    firm = result.firms.iloc[0]
    assert (firm["cap_year"], firm["cap_moment"]) == (2018, 0.25)
    assert (firm["outcome"], firm["central_subsidy"]) == ("cap reached", 0)


def test_the_cap_may_be_reached_in_the_extension_and_at_a_year_end() -> None:
    result = share(path([20, 20, 20, 30, 30, 30, 30, 30, 30]), move(), RULE_2015)
    assert by_year(result, "origin")[3:] == [15, 15, 15, 15, 0, 0]
    firm = result.firms.iloc[0]
    assert (firm["cap_year"], firm["cap_moment"], firm["outcome"]) == (2019, 1, "cap reached")


@pytest.mark.parametrize(
    ("base", "eligible"), [([20, 20, 20], True), ([30, 30, 0], True), ([20, 20, 19.99], False)]
)
def test_the_threshold_is_an_average_and_included(base: list[float], eligible: bool) -> None:
    result = share(path([*base, 40]), move(), RULE_2015)
    assert result.firms["eligible"].tolist() == [eligible]
    assert by_year(result, "origin")[-1] == (20 if eligible else 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"origin_led": False}, "moved on market grounds"),
        ({"fits_plan": False}, "not in the destination's plan"),
    ],
)
def test_other_moves_are_not_shared(changes: dict[str, Any], reason: str) -> None:
    result = share(path([50] * 6), move(**changes), RULE_2015)
    assert by_year(result, "origin") == [50] * 3 + [0] * 3
    assert result.firms["reason"].tolist() == [reason]
    assert result.firms["central_subsidy"].tolist() == [0]
    assert set(result.flows["phase"]) == {"before move", "not shared"}


def test_market_moves_are_shared_where_a_rule_says_so() -> None:
    rule = replace(RULE_2015, market_moves=True)
    assert by_year(share(path([50] * 4), move(origin_led=False), rule), "origin")[-1] == 25


def test_sharing_starts_with_production_and_not_with_the_move() -> None:
    result = share(path([30] * 10), move(started=2018), RULE_2015)
    assert by_year(result, "origin") == [30] * 3 + [0] * 2 + [15] * 5
    assert by_year(result, "destination")[3:5] == [30, 30]
    assert result.firms["cap"].tolist() == [90]  # the years before the move, not before production


def test_business_tax_becomes_value_added_tax() -> None:
    amounts = [30.0] * 8
    one_name = path(amounts)
    two_names = one_name.assign(tax=["business_tax"] * 3 + ["value_added_tax"] * 5)
    both_in_2016 = pd.concat(
        [
            two_names[two_names["year"] != 2016],
            path([10.0], first=2016, tax="business_tax"),
            path([20.0], first=2016),
        ]
    )
    expected = share(one_name, move(), RULE_2015).flows
    for taxes in (two_names, both_in_2016):
        pd.testing.assert_frame_equal(share(taxes, move(), RULE_2015).flows, expected)
    with pytest.warns(JJJPolicyWarning, match="May 2016"):
        share(two_names, move(), replace(RULE_2015, taxes=("value_added_tax",), threshold=0))


def test_taxes_out_of_scope_stay_where_the_firm_is() -> None:
    taxes = pd.concat([path([30] * 5), path([7] * 5, tax="property_tax")])
    result = share(taxes, move(), RULE_2015)
    assert by_year(result, "origin") == [37] * 3 + [15] * 2
    assert by_year(result, "destination") == [0] * 3 + [22] * 2
    assert result.firms["cap"].tolist() == [90]


def test_threshold_and_cap_look_at_tax_paid_unless_told_otherwise() -> None:
    taxes = path([40] * 9, local=0.5)
    paid = share(taxes, move(), RULE_2015).firms.iloc[0]
    local = share(taxes, move(), replace(RULE_2015, measured_on_local_part=True)).firms.iloc[0]
    assert (paid["base_average"], paid["cap"], paid["origin_shared"]) == (40, 120, 50)
    assert (local["base_average"], local["cap"], local["origin_shared"]) == (20, 60, 50)
    low = path([30] * 4, local=0.5)
    assert share(low, move(), RULE_2015).firms["eligible"].all()
    assert (
        not share(low, move(), replace(RULE_2015, measured_on_local_part=True))
        .firms["eligible"]
        .any()
    )
    with pytest.raises(DataError, match="measured_on_local_part"):
        share(taxes.drop(columns="paid"), move(), RULE_2015)


def test_a_joint_fund_takes_its_part() -> None:
    result = share(path([10] * 6), move(origin_led=False), HAIDIAN_QINHUANGDAO)
    assert by_year(result, "origin")[3:] == [4, 4, 4]
    assert by_year(result, "destination")[3:] == [4, 4, 4]
    assert by_year(result, "joint_fund") == [0] * 3 + [2] * 3
    totals = result.totals().set_index(["region", "year", "role"])["amount"]
    assert totals["110000+130000", 2017, "joint_fund"] == 2
    capped = replace(HAIDIAN_QINHUANGDAO, cap=0.2)  # 6 million: 4, then 2 of 4
    result = share(path([10] * 6), move(), capped)
    assert by_year(result, "origin")[3:] == [4, 2, 0]
    assert by_year(result, "joint_fund")[3:] == [2, 1, 0]
    assert by_year(result, "destination")[3:] == [4, 7, 10]


def test_totals_of_many_firms_by_region() -> None:
    taxes = pd.concat([path([30] * 4), path([50] * 4, firm="B"), path([5] * 4, firm="C")])
    moves = pd.concat([move(), move("B", destination="120000"), move("C")])
    totals = share(taxes, moves, RULE_2015).totals().set_index(["region", "year", "role"])["amount"]
    assert totals["110000", 2015, "origin"] == 85
    assert totals["110000", 2016, "origin"] == 40
    assert totals["120000", 2016, "destination"] == 25
    assert totals["130000", 2016, "destination"] == 20


def test_a_subsidy_is_unknown_unless_its_size_is_given() -> None:
    taxes = pd.concat([path([30] * 9), path([30] * 9, firm="B")])
    moves = pd.concat([move(), move("B")])
    key = ("110000", 2021, "central_subsidy")
    unknown = share(taxes, moves, RULE_2015).totals()
    assert np.isnan(unknown.set_index(["region", "year", "role"])["amount"][key])
    rule = replace(RULE_2015, subsidised_shortfall=0.5)
    known = share(taxes, moves, rule).totals()
    assert known.set_index(["region", "year", "role"])["amount"][key] == 15
    going_on = share(path([30] * 5), move(), RULE_2015).firms.iloc[0]
    assert going_on["outcome"] == "data end"
    assert np.isnan(going_on["central_subsidy"])
    assert np.isnan(going_on["subsidy_year"])


def test_the_local_part_follows_the_division_of_revenue() -> None:
    taxes = pd.DataFrame(
        {
            "year": [2015, 2017, 2016, 2016],
            "tax": ["value_added_tax", "value_added_tax", "business_tax", "enterprise_income_tax"],
            "paid": [100.0, 100.0, 100.0, 100.0],
        }
    )
    assert add_local_part(taxes)["local"].tolist() == [25, 50, 100, 40]
    mixed = pd.DataFrame({"year": [2016], "tax": ["value_added_tax"], "paid": [90.0]})
    with pytest.raises(DataError, match="1 May 2016"):
        add_local_part(mixed)
    assert add_local_part(mixed, vat_before_may_2016=1 / 3)["local"].tolist() == pytest.approx(
        [37.5]
    )
    with pytest.raises(DataError, match="'business_tax' in 2018"):
        add_local_part(pd.DataFrame({"year": [2018], "tax": ["business_tax"], "paid": [1.0]}))


def test_break_even_by_hand() -> None:
    staying = pd.DataFrame({"firm": "A", "year": range(2016, 2022), "local": 20.0})
    table = break_even(path([30] * 9), move(), RULE_2015, staying=staying, destination_cost=50).loc[
        "A"
    ]
    assert table["origin_received"] == 75
    assert table["origin_over_staying"] == -45
    assert table["subsidy_to_break_even"] == 45
    assert table["destination_received"] == 105
    assert table["destination_over_no_move"] == 55
    assert table["destination_over_unshared"] == -75
    assert np.isnan(table["origin_share_to_break_even"])  # 120 lie beyond the cap of 90
    assert np.isnan(table["origin_year"])
    assert table["destination_year"] == 2019
    reachable = break_even(
        path([30] * 9), move(), RULE_2015, staying=staying.assign(local=14.0)
    ).loc["A"]
    assert reachable["origin_share_to_break_even"] == pytest.approx(84 / 150)
    assert reachable["origin_year"] == 2016


def test_the_break_even_share_breaks_even_under_discounting_and_caps() -> None:
    staying = pd.DataFrame({"firm": "A", "year": range(2016, 2021), "local": 14.0})
    options: dict[str, Any] = {"staying": staying, "discount": 0.08}
    taxes = path([30, 25, 28, 30, 60, 10, 45, 40])
    part = break_even(taxes, move(), RULE_2015, **options)["origin_share_to_break_even"].iloc[0]
    rule = replace(RULE_2015, shares={"origin": part, "destination": 1 - part})
    again = break_even(taxes, move(), rule, **options).loc["A"]
    assert again["origin_over_staying"] == pytest.approx(0, abs=1e-6)


def test_rules_are_compared_on_the_same_firms() -> None:
    rules = {"2015": RULE_2015, "fund": HAIDIAN_QINHUANGDAO}
    table = compare_rules(path([30] * 9), move(), rules)
    sums = table.groupby("rule")["amount"].sum()
    assert sums.to_dict() == {"2015": 180, "fund": 180}
    assert table["year"].min() == 2016
    with pytest.raises(DataError, match="no rule"):
        compare_rules(path([30] * 9), move(), {})


@st.composite
def situations(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame, SharingRule]:
    taxes, moves = [], []
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    for firm in ("A", "B", "C"):
        length = draw(st.integers(4, 12))
        for tax in ("value_added_tax", "property_tax"):
            amounts = random.choice([0.0, 5.0, 20.0, 60.0, 200.0], length) * random.random(length)
            part = draw(st.sampled_from([0.25, 0.5, 1.0]))
            taxes.append(path(amounts, firm=firm, tax=tax, local=part))
        moves.append(
            move(firm, started=2016 + draw(st.integers(0, 3)), origin_led=draw(st.booleans()))
        )
    origin = draw(st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    fund = draw(st.sampled_from([0.0, 0.2])) * (1 - origin)
    rule = SharingRule(
        shares={"origin": origin, "destination": 1 - origin - fund, "joint_fund": fund},
        threshold=draw(st.sampled_from([0.0, 20.0])),
        cap=draw(st.sampled_from([None, 0.5, 1.0])),
        years=draw(st.sampled_from([None, 1, 3])),
        extension=draw(st.integers(0, 2)),
        market_moves=draw(st.booleans()),
        subsidised_shortfall=draw(st.sampled_from([None, 0.0, 1.0])),
        measured_on_local_part=draw(st.booleans()),
    )
    return pd.concat(taxes), pd.concat(moves), rule


@settings(max_examples=15)
@given(situations())
def test_money_is_neither_made_nor_lost(
    situation: tuple[pd.DataFrame, pd.DataFrame, SharingRule],
) -> None:
    taxes, moves, rule = situation
    result = share(taxes, moves, rule)
    local = taxes.groupby(["firm", "year"])["local"].sum()
    flows = result.flows.set_index(["firm", "year"])
    recipients = flows[list(rule.recipients)]
    np.testing.assert_allclose(recipients.sum(axis=1), local.reindex(flows.index), atol=1e-9)
    assert len(flows) == len(local)
    assert (recipients >= -1e-9).all(axis=None)
    totals = result.totals()
    taxed = totals[totals["role"] != "central_subsidy"]["amount"].sum()
    assert taxed == pytest.approx(local.sum(), abs=1e-6)


def by_the_text(base: list[float], after: list[float]) -> list[float]:
    """Receipts of the origin under the rule of 2015, year by year as the text puts it."""
    if sum(base) / 3 < 20:
        return [0.0] * len(after)
    received: list[float] = []
    for year, tax in enumerate(after):
        capped = sum(received) >= sum(base)
        over = year >= 5 or (year >= 3 and capped)
        received.append(0.0 if capped or over else min(tax / 2, sum(base) - sum(received)))
    return received


@given(
    st.lists(st.integers(10, 40), min_size=3, max_size=3),
    st.lists(st.integers(0, 150), min_size=1, max_size=8),
)
def test_the_rule_of_2015_is_its_text_read_year_by_year(base: list[int], after: list[int]) -> None:
    result = share(path([*base, *after]), move(), RULE_2015)
    expected = by_the_text([float(tax) for tax in base], [float(tax) for tax in after])
    assert by_year(result, "origin")[3:] == pytest.approx(expected)


@settings(max_examples=15)
@given(situations())
def test_the_origin_never_receives_more_than_the_cap(
    situation: tuple[pd.DataFrame, pd.DataFrame, SharingRule],
) -> None:
    taxes, moves, rule = situation
    firms = share(taxes, moves, rule).firms
    capped = firms[firms["cap"].notna() & firms["eligible"]]
    assert (capped["origin_shared"] <= capped["cap"] * (1 + 1e-9) + 1e-9).all()
    reached = capped[capped["outcome"] == "cap reached"]
    if rule.shares["origin"] > 0:
        np.testing.assert_allclose(reached["origin_shared"], reached["cap"], rtol=1e-8, atol=1e-9)
    assert ((reached["cap_moment"] >= 0) & (reached["cap_moment"] <= 1 + 1e-9)).all()
    assert (firms.loc[~firms["eligible"], "origin_shared"] == 0).all()


@settings(max_examples=8)
@given(situations(), st.sampled_from([0.1, 3.0]))
def test_receipts_scale_with_the_unit_of_money(
    situation: tuple[pd.DataFrame, pd.DataFrame, SharingRule], scale: float
) -> None:
    taxes, moves, rule = situation
    scaled = taxes.assign(local=taxes["local"] * scale, paid=taxes["paid"] * scale)
    rule_scaled = replace(rule, threshold=rule.threshold * scale)
    recipients = list(rule.recipients)
    np.testing.assert_allclose(
        share(scaled, moves, rule_scaled).flows[recipients],
        scale * share(taxes, moves, rule).flows[recipients],
        rtol=1e-7,
        atol=1e-7,
    )


@pytest.mark.parametrize(
    ("taxes", "moves", "message"),
    [
        (path([30] * 5).drop(columns="local"), move(), "'local'"),
        (path([30] * 5).drop(columns="year"), move(), "'year'"),
        (path([30, 30, -1, 30]), move(), "firm 'A', 2015, 'value_added_tax': local is .*-1"),
        (path([30, 30, np.nan, 30]), move(), "2015"),
        (path([30] * 5, tax="vat"), move(), "unknown tax 'vat'"),
        (pd.concat([path([30] * 5)] * 2), move(), "twice in 2013"),
        (path([30] * 4, first=2014), move(), "no taxes in 2013 \\(one of the 3 years before"),
        (path([30] * 9).query("year != 2018"), move(), "no taxes in 2018 \\(a gap\\)"),
        (path([30] * 5), move("B"), "firm 'A' has taxes and no row in moves"),
        (path([30] * 5), pd.concat([move(), move("B")]), "firm 'B' has a row in moves"),
        (path([30] * 5), pd.concat([move(), move()]), "moves twice"),
        (path([30] * 5), move(started=2015), "before its move in 2016"),
        (path([30] * 5), move(moved="2016a"), "moved is '2016a', not a year"),
        (path([30] * 5), move(origin_led="yes"), "not true or false"),
        (path([30] * 5), move(destination="110000"), "to itself"),
        (path([30] * 5), move(origin=110000), "write it as text"),
        (path([30] * 5), move().drop(columns="fits_plan"), "'fits_plan'"),
    ],
)
def test_bad_data_are_named(taxes: pd.DataFrame, moves: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        share(taxes, moves, RULE_2015)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shares": {"origin": 0.5, "destination": 0.6}}, "sum to one"),
        ({"shares": {"origin": 1.0}}, "lack destination"),
        ({"taxes": ("vat",)}, "unknown tax"),
        ({"cap": -1.0}, "cap"),
        ({"years": 0}, "years"),
        ({"threshold": float("nan")}, "threshold"),
        ({"subsidised_shortfall": -0.1}, "subsidised_shortfall"),
    ],
)
def test_bad_rules_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(RULE_2015, **changes)


def test_bad_comparisons_with_staying_are_refused() -> None:
    staying = pd.DataFrame({"firm": "A", "year": range(2016, 2018), "local": 20.0})
    with pytest.raises(DataError, match="firm 'A' in 2018"):
        break_even(path([30] * 6), move(), RULE_2015, staying=staying)
    with pytest.raises(DataError, match="destination_cost of firm 'A'"):
        break_even(path([30] * 5), move(), RULE_2015, staying=staying, destination_cost=-1)


def test_the_examples_run() -> None:
    for module in (fiscal.sharing, fiscal.balance, fiscal.local_part, fiscal.rule):
        assert doctest.testmod(module).failed == 0
