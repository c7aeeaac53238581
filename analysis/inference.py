"""One estimate under every inference method: what few treated provinces do to p-values."""

from __future__ import annotations

from typing import Any

import study

import jjjpolicy as jp
from jjjpolicy.replication.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text, format_number

MAKES = ("numbers:inference", "table:inference")

HONEST = Text("A. Suited to few treated provinces", "A. 适用于处理省份很少的情形")
LARGE = Text("B. Relying on many treated clusters", "B. 依赖大量处理聚类")
METHODS: dict[str, tuple[Text, Text, jp.estimate.Inference]] = {
    "randomization": (
        HONEST,
        Text("Randomisation inference, all assignments", "随机化推断（全部分配方案）"),
        jp.inference.RandomizationInference(),
    ),
    "placebo": (
        HONEST,
        Text("Placebo over untreated provinces", "未处理省份安慰剂检验"),
        jp.inference.PlaceboUnits(),
    ),
    "conley_taber": (
        HONEST,
        Text("Conley and Taber", "Conley–Taber 方法"),
        jp.inference.ConleyTaber(),
    ),
    "crv1": (
        LARGE,
        Text("Clustered by province, CRV1", "省级聚类，CRV1"),
        jp.inference.Clustered(),
    ),
    "crv2": (
        LARGE,
        Text(
            "Clustered, CRV2 with Bell-McCaffrey degrees of freedom",
            "省级聚类，CRV2（Bell–McCaffrey 自由度）",
        ),
        jp.inference.Clustered(kind="CRV2"),
    ),
    "crv3": (
        LARGE,
        Text("Clustered, CRV3 jackknife", "省级聚类，CRV3（刀切法）"),
        jp.inference.Clustered(kind="CRV3"),
    ),
    "wild_restricted": (
        LARGE,
        Text("Wild cluster bootstrap, restricted", "野蛮聚类自助法（施加原假设）"),
        jp.inference.WildClusterBootstrap(seed=1),
    ),
}


def main() -> None:
    """Estimate once, infer with each method, save numbers and table."""
    estimate = jp.did.TwoWayFixedEffects().fit(study.design("log_gdp", "together"))
    inferred = {name: estimate.with_inference(method) for name, (_, _, method) in METHODS.items()}
    content: dict[str, Any] = {"att": estimate.att}
    for name, result in inferred.items():
        low, high = result.interval(0.95)
        assert result.inference is not None
        content[name] = {
            "se": result.se,
            "pvalue": result.pvalue,
            "interval": {"low": low, "high": high},
            "smallest_pvalue": result.inference.smallest_pvalue,
        }
    size = format_number(estimate.att)
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("inference", content, inferred)
        panels = []
        for heading in (HONEST, LARGE):
            rows = []
            for name, (group, label, _) in METHODS.items():
                if group is heading:
                    cells = (
                        numbers.standard_error(f"{name}/se"),
                        numbers.pvalue(f"{name}/pvalue"),
                        numbers.interval(f"{name}/interval"),
                    )
                    rows.append(Row(label, cells))
            panels.append(Panel(heading, tuple(rows)))
        table = Table(
            "inference",
            Text(
                "One estimate, several inferences: difference-in-differences for log product",
                "同一估计、不同推断：地区生产总值（对数）双重差分",
            ),
            (
                Column(Text("Std. error", "标准误")),
                Column(Text("p-value", "p 值")),
                Column(Text("95% interval", "95% 置信区间")),
            ),
            tuple(panels),
            stub=Text("Inference", "推断方法"),
            notes=(
                Text(
                    f"The three provinces together; the estimate is {size} throughout.",
                    f"三地合并；各行估计值均为 {size}。",
                ),
                study.NOMINAL,
            ),
            missing=Text("the method works without a standard error.", "该方法不使用标准误。"),
        )
        artefacts.table(table, inferred)


if __name__ == "__main__":
    main()
