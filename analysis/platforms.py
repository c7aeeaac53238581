"""Platforms that receive what leaves Beijing: night lights of host counties against others."""

from __future__ import annotations

from typing import Any

import below
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Figure, Language, Panel, Row, Table, Text
from jjjpolicy.report.figures.data import event_study_plot
from jjjpolicy.report.figures.effects import draw_event_panels

MAKES = ("numbers:platforms", "table:platforms", "figure:platforms-event-study")

METHODS = {
    "cs": (Text("Callaway–Sant'Anna", "Callaway–Sant'Anna"), jp.did.CallawaySantAnna()),
    "imputation": (Text("Imputation", "插补法"), jp.did.Imputation()),
    "sdid": (words.METHODS["sdid"], jp.synth.SyntheticDiD()),
    "pooled": (
        Text("Partially pooled SC", "部分合并合成控制"),
        jp.synth.PartiallyPooledSyntheticControl(),
    ),
}
FEWER = jp.inference.PlaceboUnits(replications=99, seed=1)
PRODUCTS = {"viirs_like": Text("VIIRS-like", "类 VIIRS"), "viirs": Text("VIIRS", "VIIRS")}
SHOWN = {"xiongan": below.NAMES["xiongan"], "others": below.NAMES["others"]}
CAPTION = Text("Night lights of the hosts of platforms", "承接平台所在县区的夜间灯光")
FIGURE = Text(
    "Night lights of host counties by year since designation (synthetic DiD)",
    "承接平台所在县区夜间灯光的事件研究（合成双重差分）",
)
NOTES = (
    Text(
        "Outcome: log of the sum of lights in a county. A host is treated from the first full year "
        "after the first document that names it; hosts and dates are those of the platform "
        "registry for which a source gives county and year. Controls: counties of Shanxi, Inner "
        "Mongolia, Liaoning, Shandong and Henan; no other county of the region is a control.",
        "被解释变量为县区灯光总量的对数。处理自首个列名文件之后的首个完整年度起；"
        "承接地及日期取自平台登记表，仅保留县区和年份均有文献依据者。对照组为山西、内蒙古、辽宁、"
        "山东、河南的县区，区域内其他县区一律不作对照。",
    ),
    Text(
        "Level of assignment: the county. p-values rank the estimate among 199 draws of as many "
        "control counties with the same dates (seed 1), itself included; 0.005 is the smallest "
        "possible (99 draws and 0.01 for the partially pooled synthetic control).",
        "处理的分配层级为县区。p 值为估计值在 199 次随机抽取同等数量、相同日期的对照县区所得估计值"
        "（含其自身）中的位次，最小可能值为 0.005"
        "（部分合并合成控制为 99 次，最小可能值 0.01）。",
    ),
    Text(
        "VIIRS-like lights before 2013 are modelled from another satellite. In the years of VIIRS "
        "Baodi has one year before treatment and is left out, Caofeidian and Zhengding have two.",
        "2013 年以前的类 VIIRS 灯光由另一卫星的数据推算。VIIRS 样本期内，宝坻处理前仅一年，已剔除；"
        "曹妃甸和正定处理前仅两年。",
    ),
    Text(
        "Zhangjiakou and Chengde are an ecological area, and both cities are treated as wholes; "
        "they are not among all hosts.",
        "张家口、承德为生态功能区，全市作为处理单元，未计入“全部承接地”。",
    ),
)
BANDS = Text(
    "Lines: 95% intervals from 199 draws of control counties. Effects are differences from the "
    "weighted average before designation. Lights record street lamps and building sites, not "
    "firms.",
    "竖线为由 199 次随机抽取的对照县区得到的 95% 置信区间；效应为与政策前加权平均之差。"
    "灯光反映的是路灯与施工，而非企业。",
)


def estimates(group: str, vintage: str) -> dict[str, jp.Estimate]:
    """Every estimator with placebo inference over counties."""
    policy, panel = below.groups()[group], below.lights(vintage)
    if vintage == "viirs":
        policy = below.long_enough(policy)
    design, found = below.design(policy, panel), {}
    for key, (_, method) in METHODS.items():
        if key == "pooled" and group == "ecological":
            continue  # two whole cities, whose 27 counties take minutes of placebos
        placebo = FEWER if key == "pooled" else below.PLACEBO
        found[key] = method.fit(design).with_inference(placebo)
    return found


def main() -> None:
    """Estimate for every satellite product and group of hosts; save numbers, table and figure."""
    nested: dict[str, Any] = {
        vintage: {group: estimates(group, vintage) for group in below.groups()}
        for vintage in below.PRODUCTS
    }
    behind = dict(study.flat(nested))
    shown = {
        Text(f"{name.en}, {product.en}", f"{name.zh}，{product.zh}"): nested[vintage][group]["sdid"]
        for vintage, product in PRODUCTS.items()
        for group, name in SHOWN.items()
    }
    effects = {title: estimate.effects for title, estimate in shown.items()}

    def draw(language: Language) -> Any:
        return draw_event_panels(effects, outcome=below.LOG_LIGHTS, language=language)

    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("platforms", below.summaries(nested), behind)
        panels = []
        for letter, (vintage, title) in zip("AB", below.PRODUCTS.items(), strict=True):
            rows = []
            for group in below.groups():
                cells: list[Any] = [numbers.number(f"{vintage}/{group}/cs/treated", 0)]
                for key in METHODS:
                    path = f"{vintage}/{group}/{key}"
                    here = key in nested[vintage][group]
                    cells += [numbers.number(f"{path}/att")] if here else [None]
                    cells += [numbers.pvalue(f"{path}/pvalue")] if here else [None]
                rows.append(Row(below.NAMES[group], tuple(cells)))
            panels.append(Panel(words.lettered(letter, title), tuple(rows)))
        columns = [Column(Text("Counties", "县区数"))]
        columns += [
            Column(h, n) for n, _ in METHODS.values() for h in (words.ESTIMATE, words.PLACEBO_P)
        ]
        missing = Text("Not estimated for whole cities.", "整市不作估计。")
        stub = Text("Hosts", "承接地")
        table = Table(
            "platforms", CAPTION, tuple(columns), tuple(panels), stub, NOTES, missing=missing
        )
        artefacts.table(table, behind)
        data = event_study_plot(effects, outcome=below.LOG_LIGHTS)
        artefacts.figure(Figure("platforms-event-study", FIGURE, draw, (BANDS,), data), behind)


if __name__ == "__main__":
    main()
