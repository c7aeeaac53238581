"""Every claim of the review article as a measurement, with a verdict by rule."""

from __future__ import annotations

from typing import Any

import claim_checks
import claim_estimates
import claim_problems
from claim_words import PROBLEMS, PROGRESS, RECOMMENDATIONS

from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = (
    "numbers:claims",
    "table:claims-progress",
    "table:claims-problems",
    "table:claims-recommendations",
)

REPRODUCED = Text("Reproduced", "可复现")
PARTLY = Text("In part", "部分可复现")
REFUTED = Text("Not reproduced", "未能复现")
UNTESTABLE = Text("Cannot be measured", "公开数据无法检验")
RULES = Text(
    "Each claim has parts. A part counts as reproduced if a source other than the article (or the "
    "document itself) says so, or if a number computed here meets its rule: an effect has the "
    f"claimed sign and placebo p-values (of the estimate and of the RMSPE ratio, the larger is "
    f"shown) of at most {claim_estimates.LEVEL}; a share, rank or "
    "dispersion lies where the claim puts it. Printed figures are rounded: percentages agree "
    f"within {claim_checks.ROUNDING} points, counts within {100 * claim_checks.NEAR:.0f}%. What "
    "the article alone states is not testable. "
    "Verdicts: all parts, some (with their number), none although some are testable, none "
    "testable. Stages follow thresholds that were recalled and not verified.",
    "每项论断分为若干部分。若有该文以外的来源（或文件原文）佐证，或本文计算结果满足相应判据"
    f"（效应符号与论断一致，且安慰剂 p 值（估计值与 RMSPE 比两者取大，即表中所列）"
    f"不高于 {claim_estimates.LEVEL}；"
    "占比、位次、离散度符合论断），则该部分视为可复现。因原文数字经四舍五入，百分数相差不足 "
    f"{claim_checks.ROUNDING} 个百分点、数量相差不超过 {100 * claim_checks.NEAR:.0f}% 视为一致。"
    "仅见于该文的事实不可检验。"
    "判定依次为：全部可复现、部分可复现（附数目）、可检验部分均未能复现、均不可检验。"
    "工业化阶段的划分标准凭记忆引用，未经核对。",
)


def verdict(parts: tuple[bool | None, ...]) -> Text:
    """Reproduced, in part (with how many parts), not reproduced, or cannot be measured."""
    right, total = sum(part is True for part in parts), len(parts)
    if right == total:
        return REPRODUCED
    if right:
        return Text(f"{PARTLY.en} ({right}/{total})", f"{PARTLY.zh}（{right}/{total}）")
    return REFUTED if False in parts else UNTESTABLE


def table(id: str, caption: Text, rows: list[Row], *, judged: bool) -> Table:
    """Claims, what was measured, and the verdicts where there are any."""
    columns = [
        Column(Text("Claim", "论断") if judged else Text("Recommendation", "建议"), width=0.34),
        Column(Text("Measured", "检验结果"), width=0.44),
    ]
    columns += [Column(Text("Verdict", "判定"), width=0.14)] if judged else []
    notes = (RULES,) if judged else ()
    return Table(id, caption, tuple(columns), (Panel("", tuple(rows)),), "", notes)


def main() -> None:
    """Check, judge, save numbers and tables."""
    progress = {**claim_checks.policies(), **claim_checks.outcomes()}
    problems, advice = claim_problems.problems(), claim_problems.recommendations()
    content: dict[str, Any] = {
        key: {
            "verdict": verdict(finding.parts).en,
            "parts": list(finding.parts),
            **finding.values,
        }
        for key, finding in (progress | problems).items()
    }
    verdicts = [verdict(finding.parts) for finding in (progress | problems).values()]
    counts = {
        "claims": len(verdicts),
        "reproduced": sum(each == REPRODUCED for each in verdicts),
        "partly": sum(each.en.startswith(PARTLY.en) for each in verdicts),
        "refuted": sum(each == REFUTED for each in verdicts),
        "untestable": sum(each == UNTESTABLE for each in verdicts),
    }
    content |= {key: values for key, (_, values) in advice.items()} | {"verdicts": counts}
    tables = {
        "progress": (Text("Progress: claims and measurements", "进展：论断与检验"), PROGRESS),
        "problems": (Text("Problems: claims and measurements", "问题：论断与检验"), PROBLEMS),
    }
    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.numbers("claims", content)
        for id, findings in {"progress": progress, "problems": problems}.items():
            caption, substance = tables[id]
            rows = [
                Row(key, (substance[key], finding.measured, verdict(finding.parts)))
                for key, finding in findings.items()
            ]
            artefacts.table(table(f"claims-{id}", caption, rows, judged=True))
        rows = [Row(key, (RECOMMENDATIONS[key], said)) for key, (said, _) in advice.items()]
        caption = Text("Recommendations and what the numbers say", "建议与数据证据")
        artefacts.table(table("claims-recommendations", caption, rows, judged=False))


if __name__ == "__main__":
    main()
