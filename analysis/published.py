"""What published studies of these policies find, beside the nearest estimate of this paper."""

from __future__ import annotations

from typing import Any

import destination_cities as destinations
import origin_cities as origin
import published_words as beside
import regional_accounts as accounts
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.panels.datasets import facts
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:published", "table:published")

CAPTION = Text(
    "Published findings and the nearest estimates here", "已有研究结论与本文最接近的估计"
)
NOTES = (
    Text(
        "Findings as the abstracts state them. p-values rank our estimate among untreated "
        "provinces; for Beijing's sulphur among large cities, for Hebei's cities among provinces "
        "treated with all of their cities. Logs, and points for shares.",
        "已有结论以摘要所述为准。p 值为本文估计值在未处理省份中的位次；北京二氧化硫为在大城市中的"
        "位次，河北各市为在各省（全部城市同时受处理）中的位次。估计值为对数点，占比为百分点。",
    ),
)


def tertiary() -> jp.Estimate:
    """Tertiary share of Hebei, 2009 to 2018, from the sectors before the census."""
    design = jp.Design.from_policy(
        jp.load("provinces", vintage="before_2018_census"),
        jp.policies[study.POLICY],
        outcome="share_tertiary",
        window=(2009, 2018),
        exclude=("110000", "120000"),
    )
    return placed(jp.synth.DemeanedSyntheticControl(), design)


def placed(method: Any, design: jp.Design) -> jp.Estimate:
    """An estimate with placebo inference."""
    estimate: jp.Estimate = method.fit(design).with_inference(jp.inference.PlaceboUnits())
    return estimate


def nearest() -> dict[str, jp.Estimate]:
    """Our estimates by key."""
    control = jp.synth.SyntheticControl()
    demeaned = jp.synth.DemeanedSyntheticControl()
    region = accounts.design("log_gdp", "region")
    cities = destinations.OUTCOMES
    return {
        "tertiary_hebei": tertiary(),
        "product_beijing": placed(control, study.design("log_gdp", "beijing")),
        "product_hebei": placed(control, study.design("log_gdp", "hebei")),
        "product_region": placed(demeaned, region),
        "sulphur_beijing": origin.estimates(origin.OUTCOMES["sulphur"])["sdid"],
        "product_cities": destinations.hebei(cities["product"]),
        "investment_cities": destinations.hebei(cities["investment"]),
        "technology": placed(control, study.design("log_tech_contracts_bought", "together")),
    }


def main() -> None:
    """Set each finding beside our nearest estimate; save numbers and table."""
    estimates = nearest()
    content = {
        "findings": len(facts("published-effects")),
        "compared": sum(bool(each.nearest) for each in beside.COMPARISONS),
        "nearest": {k: {"att": e.att, "pvalue": e.pvalue} for k, e in estimates.items()},
    }
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("published", content, estimates)
        rows = []
        published = facts("published-effects").to_dict("records")
        for found, each in zip(published, beside.COMPARISONS, strict=True):
            finding = Text(
                f"{found['place']}, {found['outcome']}: {found['finding_as_stated']}",
                f"{each.place}：{each.finding}",
            )
            ours: list[Any] = ["", "", ""]
            if each.nearest:
                path = f"nearest/{each.nearest}"
                ours = [beside.NEAREST[each.nearest]]
                ours += [numbers.number(f"{path}/att"), numbers.pvalue(f"{path}/pvalue")]
            rows.append(Row(found["study"], (finding, *ours, each.reason)))
        columns = (
            Column(Text("Finding as stated", "原文结论"), width=0.28),
            Column(Text("Nearest here", "本文最接近的估计"), width=0.16),
            Column(words.ESTIMATE),
            Column(words.PLACEBO_P),
            Column(Text("Why they differ", "差异原因"), width=0.22),
        )
        stub, panels = Text("Study", "研究"), (Panel("", tuple(rows)),)
        artefacts.table(Table("published", CAPTION, columns, panels, stub, NOTES), estimates)


if __name__ == "__main__":
    main()
