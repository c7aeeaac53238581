"""When treatment leaks: affected provinces left out of the donors, or kept and solved for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import city_outcomes as outcomes
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:leakage", "table:leakage")

BEFORE = 2015
HEBEI_CITIES = "hebei-cities"


@dataclass(frozen=True)
class Outcome:
    """A variable in levels of which the logarithm is the outcome, with its panel and units."""

    level: str
    title: Text
    units: dict[str, str]
    cities: bool = False

    @property
    def panel(self) -> jp.Panel:
        """Provinces, or large cities with Hebei's cities joined."""
        return large_cities(self.level) if self.cities else provinces(self.level)

    def design(self, treated: str, *, keep: bool) -> jp.Design:
        """One of the three treated, the other two among the donors or left out."""
        code = self.units[treated]
        others = () if keep else tuple(set(self.units.values()) - {code})
        return jp.Design.from_policy(
            self.panel,
            jp.policies[study.POLICY].treating([code]),
            outcome="outcome",
            window=study.WINDOW,
            exclude=others,
            across_breaks=self.cities,
        )

    def sizes(self) -> dict[str, float]:
        """Average level of each of the three before treatment."""
        frame = self.panel.frame
        early = frame[frame["year"].between(study.WINDOW[0], BEFORE - 1)]
        means = early.groupby(self.panel.unit)[self.level].mean()
        return {code: float(means.loc[code]) for code in self.units.values()}


PROVINCES = {name: codes[0] for name, codes in study.SINGLE.items()}
OUTCOMES = {
    "log_gdp": Outcome(
        "gdp", Text("Log gross regional product", "地区生产总值（对数）"), PROVINCES
    ),
    "manufacturing": Outcome(
        "employment_manufacturing",
        Text("Log manufacturing employment, large cities", "制造业从业人员（对数），大城市"),
        {**PROVINCES, "hebei": HEBEI_CITIES},
        cities=True,
    ),
    "log_tech_contracts_bought": Outcome(
        "tech_contracts_bought_value",
        Text("Log technology bought", "吸纳技术合同成交额（对数）"),
        PROVINCES,
    ),
}
METHODS = {
    "excluded": Text("The others left out", "剔除另外两地"),
    "inclusive": Text("Inclusive", "包容性合成控制"),
}
BLOCKS_P = Text("End-of-sample p", "样本末端检验 p 值")
CAPTION = Text("Affected donors left out, and kept", "剔除与保留受影响的对照单元")
NOTES = (
    Text(
        "Demeaned synthetic control without the two other parts of the region among the donors, "
        "and inclusive synthetic control with them, which solves for the effects on all three at "
        "once; all other units are taken as unaffected. Whichever of the three is called treated "
        "and which affected, the system and its effects are the same. The region is the sum of the "
        "three, weighted by their size before 2015. End-of-sample p-values rank an estimate among "
        "what the same estimator finds in blocks of years before 2015, itself included; they "
        "cannot be small with so few years. Placebo p-values of the inclusive method rank "
        "the estimate among those for units that are neither treated nor affected, with the "
        "effects on the affected solved for. Years 2005 to 2019; technology bought 2005, "
        "2010 and 2012 to 2019. Employment: large cities and the sum of Hebei's cities; the years "
        "cross the wider count of 2013.",
        "“剔除”为对照组不含区域内另外两地的去均值合成控制；“包容性”为保留另外两地、"
        "同时求解三地效应的合成控制，其余单元视为不受影响。三地中无论何者视为处理单元、"
        "何者视为受影响单元，方程组及其效应均相同。区域效应为三地效应按 2015 年前规模的加权和。"
        "样本末端检验 p 值为估计值在 2015 年前各时段同类估计值（含其自身）中的位次，"
        "年份较少时该 p 值不可能很小。包容性方法的安慰剂 p 值为估计值在既未受处理、也不受影响的"
        "单元的同类估计值中的位次，受影响单元的效应同时求解。"
        "样本期为 2005—2019 年，技术合同为 2005、2010 及 2012—2019 年。"
        "从业人员数据为大城市及河北各市合计，样本期跨越 2013 年统计口径的扩大。",
    ),
    words.PLACEBO_UNITS,
    words.NOMINAL,
)


@cache
def provinces(level: str) -> jp.Panel:
    """The provinces with the logarithm of a variable."""
    panel = jp.load("provinces", vintage=study.VINTAGE, variables=[level])
    return panel.with_variable(jp.Variable("outcome", formula=f"log({level})"))


@cache
def large_cities(level: str) -> jp.Panel:
    """Large cities with a figure in every year, and the cities of Hebei as one unit."""
    found = outcomes.cities(outcomes.Outcome(level, outcomes.MANUFACTURING, study.WINDOW))
    large = jp.load("major_cities").units
    hebei = [unit for unit in found.units if unit.startswith("13")]
    kept = [unit for unit in found.units if unit in large or unit in hebei]
    return found.select(units=kept).aggregate(hebei, HEBEI_CITIES, "Hebei", "河北")


def estimates(outcome: Outcome) -> dict[str, dict[str, jp.Estimate]]:
    """Each part with the others left out and kept, and the region."""
    demeaned = jp.synth.DemeanedSyntheticControl()
    found: dict[str, dict[str, jp.Estimate]] = {}
    for name, code in outcome.units.items():
        affected = [other for other in outcome.units.values() if other != code]
        system = jp.synth.InclusiveSyntheticControl(affected)
        found[name] = {
            "excluded": demeaned.fit(outcome.design(name, keep=False)),
            "inclusive": system.fit(outcome.design(name, keep=True)),
        }
    parties = {name: [code] for name, code in outcome.units.items()}
    account = jp.synth.region_account(
        found["beijing"]["inclusive"], parties, outcome.sizes(), whole="region"
    )
    return {**found, "region": {"inclusive": account["region"]}}


def inferred(estimate: jp.Estimate, *, placebos: bool) -> dict[str, jp.Estimate]:
    """The estimate under end-of-sample inference and, where it has placebos, under these."""
    methods: dict[str, Any] = {"blocks": jp.inference.EndOfSample()}
    if placebos:
        methods["placebo"] = jp.inference.PlaceboUnits()
    return {key: estimate.with_inference(method) for key, method in methods.items()}


def main() -> None:
    """Estimate with affected donors left out and kept; save numbers and table."""
    nested: dict[str, Any] = {
        name: {
            unit: {
                method: inferred(estimate, placebos=unit != "region")
                for method, estimate in both.items()
            }
            for unit, both in estimates(outcome).items()
        }
        for name, outcome in OUTCOMES.items()
    }
    behind = dict(study.flat(nested))
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("leakage", study.quoted(nested), behind)
        panels = []
        for letter, (name, outcome) in zip("ABC", OUTCOMES.items(), strict=True):
            rows = []
            for unit, label in {**words.SINGLE, "region": words.REGION}.items():
                cells: list[Any] = []
                for method in METHODS:
                    path = f"{name}/{unit}/{method}"
                    known = nested[name][unit].get(method, {})
                    cells += [
                        numbers.number(f"{path}/blocks/att") if known else "–",
                        numbers.pvalue(f"{path}/placebo/pvalue") if "placebo" in known else "–",
                        numbers.pvalue(f"{path}/blocks/pvalue") if known else "–",
                    ]
                rows.append(Row(label, tuple(cells)))
            panels.append(Panel(words.lettered(letter, outcome.title), tuple(rows)))
        heads = (words.ESTIMATE, words.PLACEBO_P, BLOCKS_P)
        columns = tuple(Column(heading, span) for span in METHODS.values() for heading in heads)
        table = Table("leakage", CAPTION, columns, tuple(panels), words.TREATED, NOTES)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
