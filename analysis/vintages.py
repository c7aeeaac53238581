"""The same estimates for log product under each data vintage."""

from __future__ import annotations

from typing import Any

import pandas as pd
import study

import jjjpolicy as jp
from jjjpolicy.replication.artefacts import Artefacts
from jjjpolicy.report import Column, Figure, Language, Panel, Row, Table, Text
from jjjpolicy.report.effect_figures import draw_estimates

MAKES = ("numbers:vintages", "table:vintages", "figure:vintages")

WINDOW = (2005, 2018)
OLD, NEW = "before_2018_census", "after_2018_census"
NAMES = {
    OLD: Text("Before the 2018 census", "四经普修订前"),
    NEW: Text("After the 2018 census", "四经普修订后"),
    "nbs_2024": Text("Held in 2024", "2024 年口径"),
}
METHODS = {
    "did": Text("Difference-in-differences", "双重差分"),
    "sc": Text("Synthetic control", "合成控制"),
}


def revisions() -> dict[str, float]:
    """Product of 2018 after the revision over that before, less one, by treated province."""
    old, new = (
        jp.load("provinces", vintage=vintage).frame.query("year == 2018").set_index("region_code")
        for vintage in (OLD, NEW)
    )
    change = new["gdp"] / old["gdp"] - 1
    return {
        name: float(change[codes[0]]) for name, codes in study.GROUPS.items() if len(codes) == 1
    }


def main() -> None:
    """Estimate under each vintage, save numbers, table and figure."""
    nested: dict[str, Any] = {
        vintage: {
            group: study.estimates(study.design("log_gdp", group, vintage=vintage, window=WINDOW))
            for group in study.GROUPS
        }
        for vintage in NAMES
    }
    behind = dict(study.flat(nested))
    content = {**study.quoted(nested), "revision_2018": revisions(), "window": list(WINDOW)}
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("vintages", content, behind)
        panels = []
        for letter, (method, heading) in zip("AB", METHODS.items(), strict=True):
            rows = []
            for group, name in study.GROUP_NAMES.items():
                paths = [f"{vintage}/{group}/{method}" for vintage in NAMES]
                cells = [
                    cell
                    for path in paths
                    for cell in (numbers.number(f"{path}/att"), numbers.pvalue(f"{path}/pvalue"))
                ]
                rows.append(Row(name, tuple(cells)))
            panels.append(
                Panel(Text(f"{letter}. {heading.en}", f"{letter}. {heading.zh}"), tuple(rows))
            )
        pair = (Text("Estimate", "估计值"), Text("Placebo p", "安慰剂 p 值"))
        caption = Text(
            "Effects on log gross regional product under each data vintage",
            "不同数据口径下对地区生产总值（对数）的效应",
        )
        window = Text(
            f"Window {WINDOW[0]} to {WINDOW[1]}, the years that all vintages cover.",
            f"样本期为 {WINDOW[0]} 至 {WINDOW[1]} 年，即各口径共有的年份。",
        )
        table = Table(
            "vintages",
            caption,
            tuple(Column(heading, span) for span in NAMES.values() for heading in pair),
            tuple(panels),
            stub=Text("Treated", "处理组"),
            notes=(window, study.PLACEBO, study.NOMINAL),
        )
        artefacts.table(table, behind)
        bars = pd.DataFrame(
            {
                "group": group,
                "series": vintage,
                "estimate": content[vintage][group]["did"]["att"],
                "lower": content[vintage][group]["did"]["interval"]["low"],
                "upper": content[vintage][group]["did"]["interval"]["high"],
            }
            for group in study.GROUPS
            for vintage in NAMES
        )

        def draw(language: Language) -> Any:
            return draw_estimates(
                bars,
                outcome=Text("DiD estimate, log points", "双重差分估计值（对数点）"),
                group_names=dict(study.GROUP_NAMES),
                series_names=dict(NAMES),
                language=language,
                width=5.0,
            )

        band = Text(
            "Lines: 95% intervals that invert the placebo test.",
            "横线：由安慰剂检验反推的 95% 置信区间。",
        )
        artefacts.figure(Figure("vintages", caption, draw, (window, band)), behind)


if __name__ == "__main__":
    main()
