"""What stands below a notebook's cell: objects as tables in three-line style."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import pandas as pd

from jjjpolicy.design.design import Design
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.panels.panel import Panel
from jjjpolicy.registry.policy import Policy
from jjjpolicy.registry.regions import regions
from jjjpolicy.report.estimates.digest import Digest, Line, table_of
from jjjpolicy.report.estimates.sample import design_digest
from jjjpolicy.report.estimates.summary import digest
from jjjpolicy.report.text import Language, Text, chosen, words

MOST_VARIABLES = 40
MOST_REGIONS = 10
"""Variables of a panel, and regions of a policy, that are listed."""


def html(thing: Any) -> str:
    """An estimate, a design, a panel or a policy as HTML, in the language that is set."""
    return _digest(thing, chosen(None)).html()


@singledispatch
def _digest(thing: Any, language: Language) -> Digest:
    raise TypeError(f"{type(thing).__name__} has no HTML form.")


@_digest.register
def _(thing: Estimate, language: Language) -> Digest:
    return digest(thing, 0.95, None, language)


@_digest.register
def _(thing: Design, language: Language) -> Digest:
    return design_digest(thing, language)


@_digest.register
def _(thing: Panel, language: Language) -> Digest:
    def line(en: str, zh: str, text: str) -> Line:
        return Line(words(Text(en, zh), language), (text,))

    periods = thing.periods
    span = f"{periods[0]}–{periods[-1]} ({len(periods)})" if periods else "–"
    listed = list(thing.variables)[:MOST_VARIABLES]
    rows = [
        {
            words(Text("variable", "变量"), language): name,
            words(Text("label", "名称"), language): thing.label(name, language),
            words(Text("unit of measure", "单位"), language): (
                thing.variables[name].unit_zh if language == "zh" else thing.variables[name].unit_en
            ),
            words(Text("values", "取值数"), language): int(thing.frame[name].notna().sum()),
        }
        for name in listed
    ]
    more = len(thing.variables) - len(listed)
    lines = [
        line("vintage", "数据版本", thing.vintage),
        line("units", "地区数", str(len(thing.units))),
        line("periods", "时期", span),
        line(
            "variables",
            "变量数",
            f"{len(thing.variables)}{f' (+{more})' if more else ''}",
        ),
    ]
    title = words(Text(f"Panel {thing.name}", f"面板数据 {thing.name}"), language).strip()
    return Digest(
        title,
        thing.name,
        tuple(each for each in lines if each.texts[0]),
        (table_of(words(Text("Variables", "变量"), language), pd.DataFrame(rows), language),),
        language,
    )


@_digest.register
def _(thing: Policy, language: Language) -> Digest:
    def line(en: str, zh: str, *texts: str) -> Line:
        return Line(words(Text(en, zh), language), texts)

    treated = [
        {
            words(Text("region", "地区"), language): f"{code} {_region(code, language)}".strip(),
            words(Text("since", "起始"), language): str(treatment.since),
            words(Text("dose", "强度"), language): f"{treatment.dose:g}",
        }
        for code, treatment in list(thing.treated.items())[:MOST_REGIONS]
    ]
    lines = [
        line("issued", "发布日期", str(thing.issued)),
        line("issuer", "发布机构", words(Text(thing.issuer_en, thing.issuer_zh), language)),
        line("document", "文号", thing.document),
        line("treated", "处理地区", str(len(thing.treated))),
        line("source", "来源", thing.source),
    ]
    return Digest(
        words(Text(thing.title_en, thing.title_zh), language),
        thing.id,
        tuple(each for each in lines if each.texts[0]),
        (
            table_of(
                words(Text("Treated regions", "处理地区"), language),
                pd.DataFrame(treated),
                language,
            ),
        ),
        language,
    )


def _region(code: str, language: Language) -> str:
    """The name of a region, where it is one of the bundled data."""
    return regions[code].name(language) if code in set(regions) else ""
