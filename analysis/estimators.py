"""The same effects by nine estimators: three provinces together, three outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import study
import wording as words

import jjjpolicy as jp
from jjjpolicy import synth
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:estimators", "table:estimators")

REPLICATIONS = 200
ESTIMATORS: dict[str, Estimator] = {
    "did": jp.did.TwoWayFixedEffects(),
    "sdid": synth.SyntheticDiD(),
    "sc": synth.SyntheticControl(),
    "dsc": synth.DemeanedSyntheticControl(),
    "asc": synth.AugmentedSyntheticControl(),
    "psc": synth.PenalizedSyntheticControl(),
    "elastic": synth.ElasticNetSyntheticControl(),
    "gsc": synth.GeneralizedSyntheticControl(),
    "mc": synth.MatrixCompletion(),
}
CAPTION = Text("Three provinces together by estimator", "三地合并：不同估计方法")
NOTES = (
    Text(
        f"Placebo p-values from {REPLICATIONS} sets of three untreated provinces, drawn with a "
        "seed, for every estimator the same; none can be below "
        f"{1 / (REPLICATIONS + 1):.3f}. The penalties of penalized synthetic control and of matrix "
        "completion are chosen once, on the data, and held in the placebos. Weights that must sum "
        "to one and may not be negative cannot reach Beijing's R&D intensity: there, plain and "
        "penalized synthetic control measure a distance in levels. Research intensity has four "
        "years before treatment, on which the factors of generalized synthetic control rest.",
        f"安慰剂 p 值基于随机抽取的 {REPLICATIONS} 组未处理省份"
        "（每组三个，固定随机种子，各方法相同），"
        f"最小可能值为 {1 / (REPLICATIONS + 1):.3f}。"
        "惩罚合成控制与矩阵补全的惩罚参数仅在原数据上选定一次，安慰剂检验中保持不变。"
        "在权重非负且和为一的约束下无法拟合北京的研发强度，"
        "此时普通合成控制与惩罚合成控制的估计值反映的只是水平差距。"
        "研发强度在政策前仅有四年数据，广义合成控制的因子估计即以此为据。",
    ),
    words.NOMINAL,
)


def held(estimator: Estimator, estimate: jp.Estimate) -> Estimator:
    """The estimator with the penalty that it has chosen, where it chooses one."""
    if isinstance(estimator, synth.MatrixCompletion):
        return estimator.held(estimate)
    if isinstance(estimator, synth.PenalizedSyntheticControl):
        assert estimate.unit_effects is not None
        return replace(estimator, penalty=float(estimate.unit_effects["penalty"].iloc[0]))
    return estimator


def estimate(key: str, outcome: str) -> jp.Estimate:
    """One estimator's effect on one outcome, with placebo inference."""
    design, estimator = study.design(outcome, "together"), ESTIMATORS[key]
    placebo = jp.inference.PlaceboUnits(replications=REPLICATIONS, seed=1, jobs=2)
    return held(estimator, estimator.fit(design)).fit(design).with_inference(placebo)


def main() -> None:
    """Estimate by every method, save numbers and table."""
    nested = {key: {o: estimate(key, o) for o in study.OUTCOMES} for key in ESTIMATORS}
    content: dict[str, Any] = {
        key: {o: {"att": e.att, "pvalue": e.pvalue} for o, e in by_outcome.items()}
        for key, by_outcome in nested.items()
    }
    behind = dict(study.flat(nested))
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("estimators", content, behind)
        rows = []
        for key in ESTIMATORS:
            paths = [f"{key}/{outcome}" for outcome in study.OUTCOMES]
            pairs = [(numbers.number(f"{p}/att"), numbers.pvalue(f"{p}/pvalue")) for p in paths]
            rows.append(Row(words.METHODS[key], tuple(cell for pair in pairs for cell in pair)))
        columns = [
            Column(heading, study.label(outcome, with_unit=False))
            for outcome in study.OUTCOMES
            for heading in (words.ESTIMATE, words.PLACEBO_P)
        ]
        panels, stub = (Panel("", tuple(rows)),), Text("Estimator", "估计方法")
        table = Table("estimators", CAPTION, tuple(columns), panels, stub, NOTES)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
