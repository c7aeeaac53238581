"""The region as one unit beside its three parts, and designs for each."""

from __future__ import annotations

from functools import cache

import study

import jjjpolicy as jp
from jjjpolicy.registry.regions import regions

REGION = "jing-jin-ji"
UNITS = {**study.SINGLE, "region": (REGION,)}
BEFORE = 2015
FORMULAS = {"log_hightech_firms": "log(hightech_firms)"}
PUBLISHED = ("gdp", "log_gdp", "hightech_firms", "log_tech_contracts_bought")
NEIGHBOURS = regions.group("jing-jin-ji-neighbours")


@cache
def panel(unit: str) -> jp.Panel:
    """The provinces; for the region as one unit with its three parts joined.

    Product is also an index, one on average over the years of the sample before treatment.
    """
    found = jp.load("provinces", vintage=study.VINTAGE, variables=PUBLISHED)
    for name, formula in FORMULAS.items():
        found = found.with_variable(jp.Variable(name, formula=formula))
    if unit == "region":
        found = found.aggregate(study.JING_JIN_JI, REGION, "Jing-Jin-Ji", "京津冀")
    years = found.frame["year"].between(study.WINDOW[0], BEFORE - 1)
    base = found.frame[years].groupby("region_code")["gdp"].mean()
    index = found.frame["gdp"] / found.frame["region_code"].map(base)
    label = {"label_en": "Index of product", "label_zh": "地区生产总值指数"}
    return found.with_variable(jp.Variable("gdp_index", **label), index)


def design(outcome: str, unit: str, *, neighbours: bool = True) -> jp.Design:
    """The design for a part of the region, without the others, or for the region as one unit."""
    others = () if unit == "region" else set(study.JING_JIN_JI) - set(UNITS[unit])
    return jp.Design.from_policy(
        panel(unit),
        jp.policies[study.POLICY].treating(UNITS[unit]),
        outcome=outcome,
        window=study.WINDOW,
        exclude=(*sorted(others), *(() if neighbours else NEIGHBOURS)),
    )


def base(unit: str) -> float:
    """Mean product before treatment, 100 million yuan."""
    found = design("gdp", unit)
    return float(found.outcome[found.treated][:, found.periods < BEFORE].mean())
