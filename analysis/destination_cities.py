"""The destinations in cities: Tianjin and the cities of Hebei, together and one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import city_outcomes as outcomes
import numpy as np
import study
import wording as words
from city_outcomes import Outcome

import jjjpolicy as jp
from jjjpolicy.estimation.results import InvertedTest
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.permutation.ranks import rank_pvalue
from jjjpolicy.registry.regions import regions
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:destination-cities", "table:destination-cities")

PRODUCT = Text("Product (old vintage)", "地区生产总值（旧口径）")
SCIENCE = Text("Science spending", "科学技术支出")
LONG = (2007, 2019)
OUTCOMES = {
    "product": Outcome(
        "gdp", Text("Product (old vintage)", "地区生产总值（旧口径）"), (2009, 2018)
    ),
    "product_2017": Outcome(
        "gdp", Text("The same without 2018", "同上，剔除 2018 年"), (2009, 2017)
    ),
    "revenue": Outcome("budget_revenue", Text("Budget revenue", "一般公共预算收入"), (2007, 2019)),
    "investment": Outcome("fdi_used", Text("Foreign investment", "实际使用外资"), (2007, 2019)),
    "science": Outcome("science_expenditure", SCIENCE, LONG),
    "manufacturing": Outcome("employment_manufacturing", outcomes.MANUFACTURING, outcomes.WIDENED),
    "trade": Outcome("employment_wholesale_retail", outcomes.TRADE, outcomes.WIDENED),
    "enterprises": Outcome("industrial_enterprises", outcomes.ENTERPRISES, (2011, 2019)),
}
TIANJIN = ("120000",)
HEBEI = tuple(code for code in regions.at_level("city") if code[:2] == "13" and code[2:4] < "12")
LANGFANG = "131000"  # its employment of 2017 is flagged as a spike
CAPTION = Text("The destinations: Tianjin and the cities of Hebei", "迁入地：天津与河北各市")
NOTES = (
    outcomes.BREAKS,
    Text(
        "Synthetic difference-in-differences against the cities outside the region. Hebei: level "
        "of assignment is the province; p-values rank the estimate among those of all other "
        "provinces, each treated with all of its cities. Tianjin, a province and a city: among all "
        "cities, since an average over a province varies less than one city. Adjusted p-values "
        "(Holm) hold for these estimates of the table at once. City by city (Tianjin and the "
        "eleven of Hebei): each is ranked among all other cities; given are the smallest p-value "
        "and its adjusted value over the twelve cities (Holm).",
        "采用合成双重差分，对照组为区域外城市。河北的分配层级为省份，p 值为估计值在其他各省"
        "（全部城市同时受处理）估计值中的位次。天津兼为省级和城市，因省内均值波动小于单个城市，"
        "故在全部城市中排位。调整后 p 值（Holm）对表中上述估计同时成立。"
        "逐市估计含天津和河北十一市，各市在全部其他城市中排位，"
        "表中为最小 p 值及其在十二市间的调整值（Holm）。",
    ),
    Text(
        "Product of Hebei's cities sums to 0.978 of the province in 2018, and Baoding's of 2015 is "
        "without Dingzhou. Langfang's employment of 2017 is flagged: about twice its neighbouring "
        "years.",
        "2018 年河北各市地区生产总值之和为全省的 0.978，保定 2015 年数据不含定州。"
        "廊坊 2017 年从业人员数约为相邻年份的两倍，已加标记。",
    ),
)


def fitted(outcome: Outcome, treated: tuple[str, ...]) -> jp.Estimate:
    """Synthetic difference-in-differences for some cities."""
    return jp.synth.SyntheticDiD().fit(outcomes.design(outcome, treated))


def hebei(outcome: Outcome, treated: tuple[str, ...] = HEBEI) -> jp.Estimate:
    """Hebei's cities together, ranked among all other provinces."""
    design = outcomes.design(outcome, treated)
    codes = np.unique([unit[:2] for unit in design.units], return_inverse=True)[1]
    design = replace(design, assigned_at="province", assignment=codes.astype(np.int64))
    return jp.synth.SyntheticDiD().fit(design).with_inference(jp.inference.PlaceboUnits())


def one_by_one(outcome: Outcome, tianjin: jp.Estimate) -> dict[str, jp.Estimate]:
    """Every city on its own; its placebos are those of Tianjin, the same cities and years."""
    found = {TIANJIN[0]: tianjin}
    assert tianjin.inference is not None
    placebos = tianjin.inference.reference
    assert placebos is not None
    for city in HEBEI:
        estimate = fitted(outcome, (city,))
        pvalue = rank_pvalue(estimate.att, placebos, noise=resolution(estimate.design.outcome))
        result = InvertedTest(name="placebo over units", pvalue=pvalue, reference=placebos)
        found[city] = estimate.with_result(result)
    return found


def family(estimates: dict[str, jp.Estimate]) -> dict[str, Any]:
    """Estimates and p-values adjusted over the cities, and the city with the smallest."""
    table = jp.inference.holm(estimates).set_index("name")
    least = str(table["pvalue"].idxmin())
    cities = {str(city): row.astype(float).to_dict() for city, row in table.iterrows()}
    return {"cities": cities, "least": {"city": least, **cities[least]}}


def main() -> None:
    """Estimate, adjust, save numbers and table."""
    placebo = jp.inference.PlaceboUnits()
    pooled: dict[str, Any] = {
        name: {
            "hebei": hebei(outcome),
            "tianjin": fitted(outcome, TIANJIN).with_inference(placebo),
        }
        for name, outcome in OUTCOMES.items()
    }
    without = tuple(city for city in HEBEI if city != LANGFANG)
    flagged = {
        name: {"without_langfang": hebei(OUTCOMES[name], without)}
        for name in ("manufacturing", "trade")
    }
    behind = {**dict(study.flat(pooled)), **dict(study.flat(flagged))}
    adjusted = jp.inference.holm(dict(study.flat(pooled))).set_index("name")["adjusted"]
    content: dict[str, Any] = {}
    for path, estimate in behind.items():
        name, group = path.split("/")
        content.setdefault(name, {})[group] = study.numbers(estimate)
        if path in adjusted.index:
            content[name][group]["adjusted"] = float(adjusted[path])
    for name, outcome in OUTCOMES.items():
        content[name] |= family(one_by_one(outcome, pooled[name]["tianjin"]))
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("destination-cities", content, behind)
        rows = []
        for name, outcome in OUTCOMES.items():
            cells: list[Any] = []
            for group in ("hebei", "tianjin"):
                path = f"{name}/{group}"
                cells += [numbers.number(f"{path}/att"), numbers.pvalue(f"{path}/pvalue")]
                cells += [numbers.pvalue(f"{path}/adjusted")]
            least = regions[content[name]["least"]["city"]]
            cells += [Text(least.name_en, least.name_zh)]
            cells += [numbers.number(f"{name}/least/estimate")]
            cells += [numbers.pvalue(f"{name}/least/{key}") for key in ("pvalue", "adjusted")]
            rows.append(Row(outcome.title, tuple(cells)))
        heads = (words.ESTIMATE, words.PLACEBO_P, Text("Adjusted p", "调整后 p 值"))
        single = Text("The city with the smallest p", "p 值最小的城市")
        columns = (
            *(Column(h, Text("Hebei's eleven cities", "河北十一市")) for h in heads),
            *(Column(h, words.SINGLE["tianjin"]) for h in heads),
            *(Column(h, single) for h in (Text("City", "城市"), *heads)),
        )
        stub, panels = Text("Outcome", "被解释变量"), (Panel("", tuple(rows)),)
        table = Table("destination-cities", CAPTION, columns, panels, stub, NOTES)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
