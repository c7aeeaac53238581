"""Difference-in-differences for log product under each data vintage, as a figure."""

from __future__ import annotations

from typing import Any

import pandas as pd
import study
import vintages
import wording as words

from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.effects import draw_estimates

MAKES = ("figure:vintages",)

OUTCOME = Text("DiD estimate, log points", "双重差分估计值（对数点）")
BAND = Text(
    "Lines: 95% intervals that invert the placebo test.",
    "横线：由安慰剂检验反推的 95% 置信区间。",
)


def main() -> None:
    """Estimate under each vintage, draw."""
    nested = {vintage: vintages.estimates(vintage) for vintage in words.VINTAGES}
    behind = {path: e for path, e in study.flat(nested) if path.endswith("/did")}
    rows = []
    for path, estimate in behind.items():
        vintage, group, _ = path.split("/")
        low, high = estimate.interval(0.95)
        rows.append((group, vintage, estimate.att, low, high))
    rows.sort(key=lambda row: list(words.GROUPS).index(row[0]))
    bars = pd.DataFrame(rows, columns=["group", "series", "estimate", "lower", "upper"])

    def draw(language: Language) -> Any:
        names: Any = {"group_names": words.GROUPS, "series_names": words.VINTAGES}
        return draw_estimates(bars, outcome=OUTCOME, language=language, width=5.0, **names)

    notes = (words.window(*vintages.WINDOW), BAND)
    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.figure(Figure("vintages", vintages.CAPTION, draw, notes), behind)


if __name__ == "__main__":
    main()
