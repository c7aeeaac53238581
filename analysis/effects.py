"""Effects of the policies of 2015 on three outcomes: two estimators, honest p-values."""

from __future__ import annotations

import study

import jjjpolicy as jp
from jjjpolicy.replication.artefacts import Artefacts
from jjjpolicy.replication.numbers import Numbers
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:effects", "table:effects")

DID, SC = Text("Difference-in-differences", "双重差分"), Text("Synthetic control", "合成控制")
ESTIMATE, PLACEBO_P = Text("Estimate", "估计值"), Text("Placebo p", "安慰剂 p 值")
COLUMNS = (
    Column(ESTIMATE, DID),
    Column(PLACEBO_P, DID),
    Column(Text("Clustered p", "聚类 p 值"), DID),
    Column(ESTIMATE, SC),
    Column(PLACEBO_P, SC),
    Column(Text("RMSPE-ratio p", "RMSPE 比 p 值"), SC),
    Column(Text("Pre-RMSPE", "政策前 RMSPE"), SC),
)
RMSPE = Text(
    "RMSPE is the root mean squared prediction error; the ratio divides that after treatment by "
    "that before. Where the error before treatment is large, as for R&D intensity in Beijing, no "
    "weighted average of provinces comes near the treated one and the placebo p-value says "
    "nothing; the RMSPE-ratio p-value allows for it. Clustered p-values (by province) are shown "
    "for comparison only: with so few treated clusters they are far too small.",
    "RMSPE 为均方根预测误差，RMSPE 比为政策后与政策前之比。政策前误差较大时（如北京的研发强度），"
    "任何省份加权均无法拟合处理省份，安慰剂 p 值不具参考意义，应以 RMSPE 比 p 值为准。"
    "聚类 p 值（按省份聚类）仅供对照：处理组聚类数过少时，该 p 值严重偏小。",
)


def panel(numbers: Numbers, outcome: str, heading: Text) -> Panel:
    """One panel of the table: an outcome, a row per group."""
    rows = []
    for group, name in study.GROUP_NAMES.items():
        did, sc = f"{outcome}/{group}/did", f"{outcome}/{group}/sc"
        cells = (
            numbers.number(f"{did}/att"),
            numbers.pvalue(f"{did}/pvalue"),
            numbers.pvalue(f"{did}/clustered_pvalue"),
            numbers.number(f"{sc}/att"),
            numbers.pvalue(f"{sc}/pvalue"),
            numbers.pvalue(f"{sc}/rmspe_pvalue"),
            numbers.number(f"{sc}/pre_rmspe"),
        )
        rows.append(Row(name, cells))
    return Panel(heading, tuple(rows))


def main() -> None:
    """Estimate, save the numbers, save the table."""
    nested = {
        outcome: {group: study.estimates(study.design(outcome, group)) for group in study.GROUPS}
        for outcome in study.OUTCOMES
    }
    together = nested["log_gdp"]["together"]["sc"].design
    sample = {
        "provinces": len(jp.load("provinces", vintage=study.VINTAGE).units),
        "donors": int((~together.treated).sum()),
        "first_treated": int(together.cohorts[0]),
        "first_year": int(together.periods[0]),
        "last_year": int(together.periods[-1]),
        "relative_gap_below_1e-10": all(
            bool((estimate.details["relative_gap"] < 1e-10).all())
            for path, estimate in study.flat(nested)
            if path.endswith("/sc")
        ),
    }
    with Artefacts(__file__, MAKES) as artefacts:
        content = {**study.quoted(nested), "sample": sample}
        numbers = artefacts.numbers("effects", content, dict(study.flat(nested)))
        panels = []
        for letter, outcome in zip("ABC", study.OUTCOMES, strict=True):
            name = study.label(outcome)
            heading = Text(f"{letter}. {name.en}", f"{letter}. {name.zh}")
            panels.append(panel(numbers, outcome, heading))
        table = Table(
            "effects",
            Text("Effects of the policies of 2015", "2015 年政策的效应"),
            COLUMNS,
            tuple(panels),
            stub=Text("Treated", "处理组"),
            notes=(study.PLACEBO, RMSPE, study.NOMINAL),
        )
        artefacts.table(table, dict(study.flat(nested)))


if __name__ == "__main__":
    main()
