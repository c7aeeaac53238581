"""Donor weights of the synthetic controls for log product."""

from __future__ import annotations

import pandas as pd
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:weights", "table:weights")

SMALLEST = 0.005
CAPTION = Text("Donor weights, log gross regional product", "对照省份权重（地区生产总值对数）")
NOTE = Text(
    f"Donors with a weight of at least {SMALLEST} in one column. The effective number of donors is "
    "one over the sum of squared weights.",
    f"仅列出至少在一列中权重不低于 {SMALLEST} 的省份。有效对照省份数为权重平方和的倒数。",
)


def main() -> None:
    """Estimate, save weights by donor and treated province."""
    estimates = {
        group: jp.synth.SyntheticControl().fit(study.design("log_gdp", group))
        for group in study.SINGLE
    }
    weights = pd.DataFrame({group: e.weights.iloc[:, 0] for group, e in estimates.items()})
    weights = weights[(weights >= SMALLEST).any(axis=1)]
    weights = weights.loc[weights.max(axis=1).sort_values(ascending=False, kind="stable").index]
    effective = {g: float(e.unit_effects["effective_donors"].iloc[0]) for g, e in estimates.items()}
    content = {"weight": weights.to_dict("index"), "effective_donors": effective}
    behind = {f"effective_donors/{group}": e for group, e in estimates.items()}
    labels = estimates["beijing"].design.labels
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("weights", content, behind)
        rows = [
            Row(
                Text(labels.unit_in(code, "en"), labels.unit_in(code, "zh")),
                tuple(numbers.number(f"weight/{code}/{group}", 2) for group in estimates),
            )
            for code in weights.index
        ]
        cells = tuple(numbers.number(f"effective_donors/{group}", 1) for group in estimates)
        rows.append(Row(Text("Effective number of donors", "有效对照省份数"), cells))
        columns = tuple(Column(words.GROUPS[group]) for group in estimates)
        stub = Text("Donor", "对照省份")
        table = Table("weights", CAPTION, columns, (Panel("", tuple(rows)),), stub, (NOTE,))
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
