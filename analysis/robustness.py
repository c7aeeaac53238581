"""What the estimates for the three provinces together rest on: timing, window, donors, dates."""

from __future__ import annotations

from typing import Any

import study

import jjjpolicy as jp
from jjjpolicy.policy import FirstFullYear
from jjjpolicy.regions import regions
from jjjpolicy.replication.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text, format_number

MAKES = ("numbers:robustness", "table:robustness")

EAST = set(regions.group("east"))
NOT_EAST = tuple(region.code for region in regions.provinces if region.code not in EAST)
VARIATIONS: dict[str, tuple[Text, dict[str, Any]]] = {
    "main": (Text("Main specification", "基准设定"), {}),
    "next_year": (
        Text("First full year counts as the first treated", "以首个完整年份为首个处理年份"),
        {"timing": FirstFullYear()},
    ),
    "no_neighbours": (
        Text("Without neighbouring provinces", "剔除周边省份"),
        {"exclude": regions.group("jing-jin-ji-neighbours")},
    ),
    "east": (Text("Eastern donors only", "仅以东部省份为对照"), {"exclude": NOT_EAST}),
    "from_2010": (Text("Window from 2010", "样本期始于 2010 年"), {"window": (2010, 2019)}),
    "to_2023": (Text("Window to 2023", "样本期延至 2023 年"), {"window": (2005, 2023)}),
    "placebo_date": (
        Text(
            "Placebo date: years before 2015, treated from 2011",
            "安慰剂时点：仅用 2015 年前数据，设 2011 年为处理年",
        ),
        {"window": (2005, 2014)},
    ),
}
METHODS = {
    "did": Text("Difference-in-differences", "双重差分"),
    "sc": Text("Synthetic control", "合成控制"),
}
PLACEBO_YEAR = 2011


def design(name: str, options: dict[str, Any]) -> jp.Design:
    """The design of one variation; the placebo date replaces the policy's own."""
    if name != "placebo_date":
        return study.design("log_gdp", "together", **options)
    panel = jp.load("provinces", vintage=study.VINTAGE)
    policy = jp.Policy("placebo", str(PLACEBO_YEAR), study.JING_JIN_JI)
    return jp.Design.from_policy(panel, policy, outcome="log_gdp", window=options["window"])


def donors_left_out(estimate: jp.Estimate) -> dict[str, float]:
    """Smallest and largest estimate when donors are left out one at a time."""
    table = jp.sensitivity.leave_one_out(estimate)
    return {"low": float(table["att"].min()), "high": float(table["att"].max())}


def main() -> None:
    """Estimate every variation, save numbers and table."""
    nested = {
        name: study.estimates(design(name, options)) for name, (_, options) in VARIATIONS.items()
    }
    behind = dict(study.flat(nested))
    content: dict[str, Any] = study.quoted(nested)
    content["leave_one_out"] = donors_left_out(nested["main"]["sc"])
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("robustness", content, behind)
        rows = [
            Row(
                label,
                tuple(
                    cell
                    for method in METHODS
                    for cell in (
                        numbers.number(f"{name}/{method}/att"),
                        numbers.pvalue(f"{name}/{method}/pvalue"),
                        numbers.interval(f"{name}/{method}/interval", 2),
                    )
                ),
            )
            for name, (label, _) in VARIATIONS.items()
        ]
        parts = (
            Text("Estimate", "估计值"),
            Text("Placebo p", "安慰剂 p 值"),
            Text("95% interval", "95% 置信区间"),
        )
        low, high = (format_number(content["leave_one_out"][end]) for end in ("low", "high"))
        table = Table(
            "robustness",
            Text(
                "Robustness: log gross regional product, the three provinces together",
                "稳健性：地区生产总值（对数），三地合并",
            ),
            tuple(Column(part, span) for span in METHODS.values() for part in parts),
            (Panel("", tuple(rows)),),
            stub=Text("Variation", "设定"),
            notes=(
                study.PLACEBO,
                Text(
                    "Leaving out one donor at a time, the synthetic-control estimate of the main "
                    f"specification lies between {low} and {high}.",
                    f"逐一剔除对照省份时，基准设定的合成控制估计值介于 {low} 与 {high} 之间。",
                ),
                study.NOMINAL,
            ),
        )
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
