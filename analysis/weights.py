"""Donor weights of the synthetic controls for log product."""

from __future__ import annotations

import pandas as pd
import study

from jjjpolicy.replication.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:weights", "table:weights")

OUTCOME = "log_gdp"
SMALLEST = 0.005


def main() -> None:
    """Estimate, save weights by donor and treated province."""
    groups = [name for name, members in study.GROUPS.items() if len(members) == 1]
    estimates = {name: study.estimates(study.design(OUTCOME, name))["sc"] for name in groups}
    weights = pd.DataFrame({name: e.weights.iloc[:, 0] for name, e in estimates.items()})
    weights = weights[(weights >= SMALLEST).any(axis=1)]
    weights = weights.loc[weights.max(axis=1).sort_values(ascending=False, kind="stable").index]
    donors = {
        name: float(e.unit_effects["effective_donors"].iloc[0]) for name, e in estimates.items()
    }
    labels = estimates[groups[0]].design.labels
    content = {"weight": weights.to_dict("index"), "effective_donors": donors, "smallest": SMALLEST}
    behind = {f"{key}/{name}": e for name, e in estimates.items() for key in ("effective_donors",)}
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("weights", content, behind)
        rows = [
            Row(
                Text(labels.unit_in(code, "en"), labels.unit_in(code, "zh")),
                tuple(numbers.number(f"weight/{code}/{name}", 2) for name in groups),
            )
            for code in weights.index
        ]
        effective = tuple(numbers.number(f"effective_donors/{name}", 1) for name in groups)
        table = Table(
            "weights",
            Text("Donor weights, log gross regional product", "对照省份权重（地区生产总值对数）"),
            tuple(Column(study.GROUP_NAMES[name]) for name in groups),
            (
                Panel("", tuple(rows)),
                Panel("", (Row(Text("Effective number of donors", "有效对照省份数"), effective),)),
            ),
            stub=Text("Donor", "对照省份"),
            notes=(
                Text(
                    f"Donors with a weight of at least {SMALLEST} in one column. The effective "
                    "number of donors is one over the sum of squared weights.",
                    f"仅列出至少在一列中权重不低于 {SMALLEST} 的省份。"
                    "有效对照省份数为权重平方和的倒数。",
                ),
            ),
        )
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
