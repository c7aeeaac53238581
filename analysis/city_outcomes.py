"""Outcomes of cities with the years that their definitions allow, and designs on them."""

from __future__ import annotations

from dataclasses import dataclass

import study

import jjjpolicy as jp
from jjjpolicy.report import Text

REGION = ("11", "12", "13")


@dataclass(frozen=True)
class Outcome:
    """A variable in logs, with the years that its definition allows."""

    variable: str
    name: Text
    window: tuple[int, int]
    across_breaks: bool = False

    @property
    def title(self) -> Text:
        """Name and years."""
        first, last = self.window
        return Text(f"{self.name.en}, {first} to {last}", f"{self.name.zh}，{first}—{last} 年")


MANUFACTURING = Text("Manufacturing employment", "制造业从业人员")
TRADE = Text("Wholesale and retail employment", "批发和零售业从业人员")
RESEARCH = Text("Research employment", "科研技术服务业从业人员")
ENTERPRISES = Text("Industrial enterprises", "规模以上工业企业数")
SULPHUR = Text("Industrial SO2", "工业二氧化硫排放")
WIDENED = (2013, 2019)
CROSSING = (2004, 2019)
BREAKS = Text(
    "All outcomes in logs. Employment in urban units was counted more widely from 2013 on, so that "
    "its years with one definition hold two before the policy. Industrial enterprises begin at the "
    "threshold of 2011.",
    "被解释变量均取对数。城镇单位从业人员统计范围自 2013 年起扩大，同一口径下政策前仅有两年。"
    "规模以上工业企业自 2011 年新标准起算。",
)


def cities(outcome: Outcome) -> jp.Panel:
    """Cities that have a positive figure in every year."""
    name = outcome.variable
    panel = jp.load("cities", vintage="before_2018_census", variables=[name])
    panel = panel.select(periods=outcome.window)
    wide = panel.frame.pivot(index=panel.unit, columns=panel.time, values=name)
    full = wide.index[(wide > 0).all(axis=1)]
    panel = panel.select(units=[unit for unit in panel.units if unit in full])
    return panel.with_variable(jp.Variable("outcome", formula=f"log({name})"))


def design(outcome: Outcome, treated: tuple[str, ...], donors: tuple[str, ...] = ()) -> jp.Design:
    """Treated cities against cities outside the region, all of them unless some are named."""
    panel = cities(outcome)
    here = [unit for unit in treated if unit in panel.units]
    out = [
        unit
        for unit in panel.units
        if unit not in here and (unit[:2] in REGION or (donors and unit not in donors))
    ]
    return jp.Design.from_policy(
        panel,
        jp.policies[study.POLICY].treating(here),
        outcome="outcome",
        exclude=out,
        across_breaks=outcome.across_breaks,
    )
