"""The same estimates for log product under each data vintage."""

from __future__ import annotations

from typing import Any

import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:vintages", "table:vintages")

WINDOW = (2005, 2018)  # the years that all vintages cover
CAPTION = Text(
    "Effects on log gross regional product under each data vintage",
    "不同数据口径下对地区生产总值（对数）的效应",
)


def revisions() -> dict[str, float]:
    """Product of 2018 after the revision over that before, less one, by treated province."""
    old, new = (
        jp.load("provinces", vintage=vintage).frame.query("year == 2018").set_index("region_code")
        for vintage in ("before_2018_census", "after_2018_census")
    )
    change = new["gdp"] / old["gdp"] - 1
    return {group: float(change[code]) for group, (code,) in study.SINGLE.items()}


def estimates(vintage: str) -> dict[str, Any]:
    """Estimates for every group of provinces under one vintage."""
    return {
        group: study.estimates(study.design("log_gdp", group, vintage=vintage, window=WINDOW))
        for group in study.GROUPS
    }


def main() -> None:
    """Estimate under each vintage, save numbers and table."""
    nested = {vintage: estimates(vintage) for vintage in words.VINTAGES}
    behind = dict(study.flat(nested))
    content = {**study.quoted(nested), "revision_2018": revisions(), "window": list(WINDOW)}
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("vintages", content, behind)
        panels = []
        for letter, (method, heading) in zip("AB", words.MAIN_METHODS.items(), strict=True):
            rows = []
            for group, name in words.GROUPS.items():
                paths = [f"{vintage}/{group}/{method}" for vintage in words.VINTAGES]
                pairs = [(numbers.number(f"{p}/att"), numbers.pvalue(f"{p}/pvalue")) for p in paths]
                rows.append(Row(name, tuple(cell for pair in pairs for cell in pair)))
            panels.append(Panel(words.lettered(letter, heading), tuple(rows)))
        spans = words.VINTAGES.values()
        columns = [Column(h, span) for span in spans for h in (words.ESTIMATE, words.PLACEBO_P)]
        notes = (words.window(*WINDOW), words.PLACEBO, words.NOMINAL)
        table = Table("vintages", CAPTION, tuple(columns), tuple(panels), words.TREATED, notes)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
