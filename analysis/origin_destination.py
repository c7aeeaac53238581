"""Effects on origin, destinations and the region as one unit; neighbours as donors or not."""

from __future__ import annotations

from typing import Any

import regional_accounts as accounts
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:origin-destination", "table:origin-destination")

OUTCOMES = {
    "log_gdp": Text("Log gross regional product", "地区生产总值（对数）"),
    "log_hightech_firms": Text("Log high-technology firms", "高技术企业数（对数）"),
    "log_tech_contracts_bought": Text("Log technology bought", "吸纳技术合同成交额（对数）"),
}
UNITS = {
    "beijing": Text("Beijing (origin)", "北京（迁出地）"),
    "tianjin": Text("Tianjin (destination)", "天津（迁入地）"),
    "hebei": Text("Hebei (destination)", "河北（迁入地）"),
    "region": Text("The region as one unit", "京津冀整体"),
}
POOLS = {
    "all": Text("Donors: all other provinces", "对照组：全部其他省份"),
    "far": Text("Donors: without neighbours", "对照组：剔除周边省份"),
}
METHODS = {
    "did": (Text("DiD", "双重差分"), jp.did.TwoWayFixedEffects()),
    "dsc": (Text("Demeaned SC", "去均值合成控制"), jp.synth.DemeanedSyntheticControl()),
}
CAPTION = Text("Effects on origin and destinations", "对迁出地与迁入地的效应")
NOTES = (
    Text(
        "The region as one unit is treated alone, with its three parts joined and taken off the "
        "panel; its placebos are single provinces, which vary more than an aggregate. Demeaned "
        "synthetic control lets the treated unit differ from its donors in level, as the region, "
        "larger than all of them, does. Neighbours: Shanxi, Inner Mongolia, Liaoning, Shandong, "
        "Henan. Years 2005 to 2019; firms 2010 to 2019 without 2017; technology bought 2005, 2010 "
        "and 2012 to 2019.",
        "“京津冀整体”将三地加总为单一处理单元，原三地不再出现在面板中；其安慰剂为单个省份，"
        "波动大于加总单元。去均值合成控制允许处理单元与对照组存在水平差异，"
        "三地加总后的规模大于所有对照省份，故采用该方法。"
        "周边省份：山西、内蒙古、辽宁、山东、河南。样本期为 2005—2019 年；"
        "企业数为 2010—2019 年（缺 2017 年），技术合同为 2005、2010 及 2012—2019 年。",
    ),
    words.PLACEBO_UNITS,
    words.NOMINAL,
)


def estimates(outcome: str, unit: str, pool: str) -> dict[str, jp.Estimate]:
    """Both estimators with placebo inference."""
    design = accounts.design(outcome, unit, neighbours=pool == "all")
    placebo = jp.inference.PlaceboUnits()
    return {key: method.fit(design).with_inference(placebo) for key, (_, method) in METHODS.items()}


def main() -> None:
    """Estimate for every outcome, unit and donor pool; save numbers and table."""
    nested: dict[str, Any] = {
        outcome: {unit: {pool: estimates(outcome, unit, pool) for pool in POOLS} for unit in UNITS}
        for outcome in OUTCOMES
    }
    behind = dict(study.flat(nested))
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("origin-destination", study.quoted(nested), behind)
        panels = []
        for letter, (outcome, title) in zip("ABC", OUTCOMES.items(), strict=True):
            rows = []
            for unit, name in UNITS.items():
                paths = [f"{outcome}/{unit}/{pool}/{key}" for pool in POOLS for key in METHODS]
                pairs = [(numbers.number(f"{p}/att"), numbers.pvalue(f"{p}/pvalue")) for p in paths]
                rows.append(Row(name, tuple(cell for pair in pairs for cell in pair)))
            panels.append(Panel(words.lettered(letter, title), tuple(rows)))
        columns = [
            Column(heading, span)
            for span in POOLS.values()
            for name, _ in METHODS.values()
            for heading in (name, words.PVALUE)
        ]
        stub = words.TREATED
        table = Table("origin-destination", CAPTION, tuple(columns), tuple(panels), stub, NOTES)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
