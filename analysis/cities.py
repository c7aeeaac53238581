"""The large cities: secondary share and log product, estimated like the provinces."""

from __future__ import annotations

from typing import Any

import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:cities", "table:cities")

GROUPS = {**study.CITIES, "together": tuple(code for (code,) in study.CITIES.values())}
LHASA = "540100"  # gaps before 2007 and in 2010
CORRECTED = ("210100", "210200", "150100")  # nominal product falls by more than a tenth
PLANS = {
    "share_secondary": (
        Text("A. Share of secondary industry, %", "A. 第二产业占比（%）"),
        2007,
        (),
    ),
    "log_gdp": (Text("B. Log gross regional product", "B. 地区生产总值（对数）"), 2005, ()),
    "log_gdp_uncorrected": (
        Text(
            "C. As B, without Shenyang, Dalian and Hohhot",
            "C. 同 B，剔除沈阳、大连和呼和浩特",
        ),
        2005,
        CORRECTED,
    ),
}
LAST = 2017
DID = (words.ESTIMATE, words.PLACEBO_P)
SC = (words.ESTIMATE, words.PLACEBO_P, words.RATIO_P, words.PRE_RMSPE)
CAPTION = Text("Effects in large cities", "大城市的效应")
SAMPLE = Text(
    "Secondary share 2007 to 2017, product 2005 to 2017; three years are treated. Lhasa is left "
    "out for its gaps. Shenyang, Dalian and Hohhot corrected their figures downwards in 2016 and "
    "2017.",
    "第二产业占比为 2007—2017 年，地区生产总值为 2005—2017 年，处理后仅三年。拉萨因数据缺失未纳入。"
    "沈阳、大连于 2016 年、呼和浩特于 2017 年下调数据。",
)


def design(plan: str, group: str) -> jp.Design:
    """The design for one group of cities; the other treated ones are left out."""
    _, first, exclude = PLANS[plan]
    others = set(GROUPS["together"]) - set(GROUPS[group])
    return jp.Design.from_policy(
        jp.load("major_cities"),
        jp.policies[study.POLICY].treating(GROUPS[group]),
        outcome=plan.removesuffix("_uncorrected"),
        window=(first, LAST),
        exclude=(*sorted(others), LHASA, *exclude),
    )


def main() -> None:
    """Estimate for every outcome and city, save numbers and table."""
    nested: dict[str, Any] = {
        plan: {group: study.estimates(design(plan, group)) for group in GROUPS} for plan in PLANS
    }
    behind = dict(study.flat(nested))
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("cities", study.quoted(nested), behind)
        panels = []
        for plan, (heading, *_) in PLANS.items():
            rows = []
            for group, name in words.CITIES.items():
                did, sc = f"{plan}/{group}/did", f"{plan}/{group}/sc"
                cells = [numbers.number(f"{did}/att"), numbers.pvalue(f"{did}/pvalue")]
                cells += [numbers.number(f"{sc}/att"), numbers.pvalue(f"{sc}/pvalue")]
                cells += [study.ratio_cell(numbers, sc), numbers.number(f"{sc}/pre_rmspe")]
                rows.append(Row(name, tuple(cells)))
            panels.append(Panel(heading, tuple(rows)))
        columns = [Column(heading, words.METHODS["did"]) for heading in DID]
        columns += [Column(heading, words.METHODS["sc"]) for heading in SC]
        exact = study.exact_fits(panels)
        notes = (words.OLD_CITIES, SAMPLE, words.PLACEBO_UNITS, *exact, words.NOMINAL)
        stub = words.TREATED
        artefacts.table(
            Table("cities", CAPTION, tuple(columns), tuple(panels), stub, notes), behind
        )


if __name__ == "__main__":
    main()
