"""The origin in cities: what Beijing was to shed, against other large cities."""

from __future__ import annotations

from typing import Any

import city_outcomes as outcomes
import study
import wording as words
from city_outcomes import Outcome

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:origin-cities", "table:origin-cities")

BEIJING = ("110000",)
OUTCOMES = {
    "manufacturing": Outcome("employment_manufacturing", outcomes.MANUFACTURING, outcomes.WIDENED),
    "manufacturing_long": Outcome(
        "employment_manufacturing", outcomes.MANUFACTURING, outcomes.CROSSING, True
    ),
    "trade": Outcome("employment_wholesale_retail", outcomes.TRADE, outcomes.WIDENED),
    "trade_long": Outcome("employment_wholesale_retail", outcomes.TRADE, outcomes.CROSSING, True),
    "research": Outcome("employment_research_technical", outcomes.RESEARCH, outcomes.WIDENED),
    "research_long": Outcome(
        "employment_research_technical", outcomes.RESEARCH, outcomes.CROSSING, True
    ),
    "enterprises": Outcome("industrial_enterprises", outcomes.ENTERPRISES, (2011, 2019)),
    "sulphur": Outcome("so2_industrial", outcomes.SULPHUR, (2006, 2017)),
}
METHODS = {
    "sc": (words.METHODS["sc"], jp.synth.SyntheticControl()),
    "dsc": (words.METHODS["dsc"], jp.synth.DemeanedSyntheticControl()),
    "sdid": (words.METHODS["sdid"], jp.synth.SyntheticDiD()),
}
CAPTION = Text("The origin: Beijing against other large cities", "迁出地：北京与其他大城市比较")
NOTES = (
    outcomes.BREAKS,
    Text(
        "The longer windows cross the break of 2013, which year effects absorb as far as it was "
        "the same everywhere.",
        "长样本跨越 2013 年的口径变动，年份固定效应仅能吸收各地相同的部分。",
    ),
    Text(
        "Beijing against the large cities outside the region with figures in every year. Level of "
        "assignment: the city. p-values rank the estimate among those of all of these cities; "
        "adjusted p-values (Holm) hold for all rows and methods of the table at once. Plain "
        "synthetic control has no answer where Beijing is larger than every other city. Sulphur "
        "fell everywhere with the clean-air campaign that began in this region in 2013, and its "
        "estimate is not one of relocation.",
        "对照组为区域外各年数据齐全的大城市，处理的分配层级为城市。"
        "p 值为估计值在全部城市估计值中的位次；调整后 p 值（Holm）对全表各行各方法同时成立。"
        "北京规模大于所有其他城市时，普通合成控制无法给出答案。二氧化硫排放随 2013 年起首先在"
        "本区域开展的大气污染防治行动普遍下降，其估计值不能归因于产业转移。",
    ),
)


def estimates(outcome: Outcome) -> dict[str, jp.Estimate]:
    """Every estimator with placebo inference over cities."""
    large = jp.load("major_cities").units
    design = outcomes.design(outcome, BEIJING, tuple(large))
    placebo = jp.inference.PlaceboUnits()
    return {k: m.fit(design).with_inference(placebo) for k, (_, m) in METHODS.items()}


def summary(estimate: jp.Estimate, adjusted: float) -> dict[str, Any]:
    """What the paper quotes."""
    return {
        **study.numbers(estimate),
        "adjusted": adjusted,
        "controls": int((~estimate.design.treated).sum()),
        "before": int((estimate.design.periods < estimate.design.cohorts[0]).sum()),
    }


def main() -> None:
    """Estimate, adjust over the table, save numbers and table."""
    nested: dict[str, Any] = {name: estimates(outcome) for name, outcome in OUTCOMES.items()}
    behind = dict(study.flat(nested))
    adjusted = jp.inference.holm(behind).set_index("name")["adjusted"]
    content: dict[str, Any] = {}
    for path, estimate in behind.items():
        name, method = path.split("/")
        content.setdefault(name, {})[method] = summary(estimate, float(adjusted[path]))
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("origin-cities", content, behind)
        rows = []
        for name, outcome in OUTCOMES.items():
            cells: list[Any] = [numbers.number(f"{name}/sdid/controls", 0)]
            for method in METHODS:
                path = f"{name}/{method}"
                cells += [numbers.number(f"{path}/att"), numbers.pvalue(f"{path}/pvalue")]
                cells += [numbers.pvalue(f"{path}/adjusted")]
            rows.append(Row(outcome.title, tuple(cells)))
        heads = (words.ESTIMATE, words.PLACEBO_P, Text("Adjusted p", "调整后 p 值"))
        columns = (
            Column(Text("Controls", "对照城市数")),
            *(Column(heading, name) for name, _ in METHODS.values() for heading in heads),
        )
        stub, panels = Text("Outcome", "被解释变量"), (Panel("", tuple(rows)),)
        table = Table("origin-cities", CAPTION, columns, panels, stub, NOTES)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
