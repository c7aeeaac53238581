"""What the estimates for the three provinces together rest on: timing, window, donors, dates."""

from __future__ import annotations

from typing import Any

import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.registry.policy import FirstFullYear
from jjjpolicy.registry.regions import regions
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:robustness", "table:robustness")

EAST = regions.group("east")
NOT_EAST = tuple(region.code for region in regions.provinces if region.code not in EAST)
PLACEBO_YEAR = 2011
VARIATIONS: dict[str, tuple[Text, dict[str, Any]]] = {
    "main": (Text("Main specification", "基准设定"), {}),
    "next_year": (
        Text("Treated from the first full year", "以首个完整年份为首个处理年份"),
        {"timing": FirstFullYear()},
    ),
    "no_neighbours": (
        Text("Without neighbouring provinces", "剔除周边省份"),
        {"exclude": regions.group("jing-jin-ji-neighbours")},
    ),
    "east": (Text("Eastern donors only", "仅以东部省份为对照"), {"exclude": NOT_EAST}),
    "from_2010": (Text("Window from 2010", "样本期始于 2010 年"), {"window": (2010, 2019)}),
    "to_2023": (Text("Window to 2023", "样本期延至 2023 年"), {"window": (2005, 2023)}),
}
PLACEBO_DATE = Text(f"Placebo date {PLACEBO_YEAR}, years to 2014", f"安慰剂时点 {PLACEBO_YEAR} 年")
CAPTION = Text(
    "Robustness: log gross regional product, the three provinces together",
    "稳健性：地区生产总值（对数），三地合并",
)


def designs() -> dict[str, tuple[Text, jp.Design]]:
    """Every variation, and the placebo date, with its name."""
    varied = {
        key: (label, study.design("log_gdp", "together", **options))
        for key, (label, options) in VARIATIONS.items()
    }
    panel = jp.load("provinces", vintage=study.VINTAGE)
    policy = jp.Policy("placebo", str(PLACEBO_YEAR), study.JING_JIN_JI)
    early = jp.Design.from_policy(panel, policy, outcome="log_gdp", window=(2005, 2014))
    return {**varied, "placebo_date": (PLACEBO_DATE, early)}


def left_out(estimate: jp.Estimate) -> Text:
    """Range of the estimate when donors are left out one at a time, as a note."""
    table = jp.sensitivity.leave_one_out(estimate)
    low, high = words.size(table["att"].min()), words.size(table["att"].max())
    return Text(
        "Leaving out one donor at a time, the synthetic-control estimate of the main specification "
        f"lies between {low} and {high}.",
        f"逐一剔除对照省份时，基准设定的合成控制估计值介于 {low} 与 {high} 之间。",
    )


def main() -> None:
    """Estimate every variation, save numbers and table."""
    labels = {key: label for key, (label, _) in designs().items()}
    nested: dict[str, Any] = {
        key: study.estimates(design) for key, (_, design) in designs().items()
    }
    behind = dict(study.flat(nested))
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("robustness", study.quoted(nested), behind)
        rows = []
        for key, label in labels.items():
            cells: list[Any] = []
            for path in (f"{key}/{method}" for method in words.MAIN_METHODS):
                cells += [numbers.number(f"{path}/att"), numbers.pvalue(f"{path}/pvalue")]
                cells.append(numbers.interval(f"{path}/interval", 2))
            rows.append(Row(label, tuple(cells)))
        headings = (words.ESTIMATE, words.PLACEBO_P, words.INTERVAL)
        columns = [Column(h, span) for span in words.MAIN_METHODS.values() for h in headings]
        notes = (words.PLACEBO, left_out(nested["main"]["sc"]), words.NOMINAL)
        stub = Text("Variation", "设定")
        panels = (Panel("", tuple(rows)),)
        table = Table("robustness", CAPTION, tuple(columns), panels, stub, notes)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
