"""One estimate under every inference method: what few treated provinces do to p-values."""

from __future__ import annotations

from typing import Any

import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:inference", "table:inference")

RandomizationInference, PlaceboUnits = (
    jp.inference.RandomizationInference,
    jp.inference.PlaceboUnits,
)
SUITED = {
    Text("Randomisation, all assignments", "随机化推断（全部分配方案）"): RandomizationInference(),
    Text("Placebo over untreated provinces", "未处理省份安慰剂检验"): PlaceboUnits(),
    Text("Conley and Taber", "Conley–Taber 方法"): jp.inference.ConleyTaber(),
}
RELYING = {
    Text("Clustered, CRV1", "省级聚类，CRV1"): jp.inference.Clustered(),
    Text("Clustered, CRV2, Bell-McCaffrey df", "省级聚类，CRV2（Bell–McCaffrey 自由度）"): (
        jp.inference.Clustered(kind="CRV2")
    ),
    Text("Clustered, CRV3 jackknife", "省级聚类，CRV3（刀切法）"): (
        jp.inference.Clustered(kind="CRV3")
    ),
    Text("Wild cluster bootstrap, restricted", "野蛮聚类自助法（施加原假设）"): (
        jp.inference.WildClusterBootstrap(seed=1)
    ),
}
PANELS = {
    Text("A. Suited to few treated provinces", "A. 适用于处理省份很少的情形"): SUITED,
    Text("B. Relying on many treated clusters", "B. 依赖大量处理聚类"): RELYING,
}
CAPTION = Text(
    "One estimate, several inferences: difference-in-differences for log product",
    "同一估计、不同推断：地区生产总值（对数）双重差分",
)
MISSING = Text("the method works without a standard error.", "该方法不使用标准误。")


def main() -> None:
    """Estimate once, infer with each method, save numbers and table."""
    estimate = jp.did.TwoWayFixedEffects().fit(study.design("log_gdp", "together"))
    methods: dict[Text, Any] = SUITED | RELYING
    inferred = {label.en: estimate.with_inference(method) for label, method in methods.items()}
    content: dict[str, Any] = {"att": estimate.att}
    for name, result in inferred.items():
        interval = dict(zip(("low", "high"), result.interval(0.95), strict=True))
        content[name] = {"se": result.se, "pvalue": result.pvalue, "interval": interval}
    size = words.size(estimate.att)
    note = Text(
        f"The three provinces together; the estimate is {size} throughout.",
        f"三地合并；各行估计值均为 {size}。",
    )
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("inference", content, inferred)

        def row(label: Text) -> Row:
            cells = (
                numbers.standard_error(f"{label.en}/se"),
                numbers.pvalue(f"{label.en}/pvalue"),
                numbers.interval(f"{label.en}/interval"),
            )
            return Row(label, cells)

        columns = tuple(map(Column, (words.STANDARD_ERROR, words.PVALUE, words.INTERVAL)))
        panels = tuple(Panel(heading, tuple(map(row, part))) for heading, part in PANELS.items())
        stub, notes = Text("Inference", "推断方法"), (note, words.NOMINAL)
        table = Table("inference", CAPTION, columns, panels, stub, notes, missing=MISSING)
        artefacts.table(table, inferred)


if __name__ == "__main__":
    main()
