"""What the estimates for platforms rest on: lights, years, controls, dates, single counties."""

from __future__ import annotations

from typing import Any

import below
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Inference
from jjjpolicy.registry.policy import PartialDate, Treatment, YearOfIssue
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.replication.artefacts.numbers import Numbers
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:platforms-robustness", "table:platforms-robustness")

RONGCHENG = "130629"
PRETENDED = Treatment(PartialDate(2008, 12))
METHODS = {
    "cs": (Text("Callaway–Sant'Anna", "Callaway–Sant'Anna"), jp.did.CallawaySantAnna()),
    "sdid": (words.METHODS["sdid"], jp.synth.SyntheticDiD()),
}
GROUPS = {"all": below.documented(), "xiongan": below.hosts("xiongan")}
ROWS = {
    "main": Text("As in the table of hosts", "基准设定"),
    "issue": Text("Treated from the year of the document", "处理始于文件当年"),
    "until_2021": Text("Without 2022", "剔除 2022 年"),
    "viirs": Text("VIIRS, 2013 to 2021", "VIIRS，2013—2021 年"),
    "urban": Text("Lights of built-up areas", "建成区灯光"),
    "index": Text("Index instead of logs", "以指数代替对数"),
    "similar": Text("Similar controls", "相似对照组"),
    "hebei": Text("Controls: counties of Hebei", "对照组：河北县区"),
    "adjacent": Text("Against sets of adjacent counties", "与相邻县区组合比较"),
    "without_rongcheng": Text("Xiong'an without Rongcheng", "雄安剔除容城"),
    "recalled": Text("With Daxing", "加入大兴"),
    "pretended": Text("Pretended date 2009", "虚拟日期（2009 年）"),
}
CAPTION = Text("What the estimates for host counties rest on", "承接地县区估计的稳健性")
LEVEL = Text(
    "Level of assignment: the county. p-values rank the estimate among 199 draws of as many "
    "control counties (seed 1), itself included.",
    "处理的分配层级为县区。p 值为估计值在 199 次随机抽取同等数量对照县区所得估计值"
    "（含其自身）中的位次。",
)
NOTES = (
    Text(
        "Similar controls: the ten nearest to each host in their path of log lights before 2014. "
        "Counties of Hebei: more than 50 km from every host. Index: lights over their own average "
        "of 2003 to 2013, so that the estimate is in parts of that average. Adjacent counties: "
        "the rank among all sets of a control county and its two nearest neighbours, as a zone of "
        "three counties is one decision. Daxing: a part of the airport zone lies in Beijing, and "
        "no document at hand names its district. Pretended date: all hosts treated from 2009 on, "
        "in 2003 to 2013.",
        "相似对照组为 2014 年前灯光（对数）路径与各承接地最接近的十个县区。河北县区指距各承接地均"
        "超过 50 公里者。指数为灯光与其 2003—2013 年均值之比，估计值以该均值为单位。"
        "相邻县区：雄安三县属同一决策，故取每一对照县区及其最近两县为一组，在全部组合中排位。"
        "大兴：临空经济区部分位于北京，但所据文件未写明所在区。"
        "虚拟日期：以 2003—2013 年为样本，假设全部承接地自 2009 年起受处理。",
    ),
    LEVEL,
)


def hebei(panel: jp.Panel) -> tuple[str, ...]:
    """Counties of Hebei that are far from every host."""
    known, _, distance = below.distances(panel.units, below.documented())
    far = zip(known, distance.min(axis=1), strict=True)
    return tuple(unit for unit, km in far if unit[:2] == "13" and km > 50)


def indexed(panel: jp.Panel) -> jp.Panel:
    """Lights over their own average before any host was designated."""
    frame = panel.frame
    early = frame[frame["year"] < 2014].groupby("region_code")["night_lights"].mean()
    values = frame["night_lights"] / frame["region_code"].map(early)
    return panel.with_variable(jp.Variable("lights_index"), values.tolist())


def designs(group: str) -> dict[str, jp.Design]:
    """The design of each row; rows that concern the other group alone are left out."""
    policy, like = GROUPS[group], below.lights("viirs_like")
    first, last = below.WINDOWS["viirs_like"]
    pretended = policy.treating(dict.fromkeys(policy.treated, PRETENDED))
    urban = below.lights("viirs_like", "night_lights_urban")
    found = {
        "main": below.design(policy, like),
        "issue": below.design(policy, like, timing=YearOfIssue()),
        "until_2021": below.design(policy, like, window=(first, last - 1)),
        "viirs": below.design(below.long_enough(policy), below.lights("viirs")),
        "urban": below.design(policy, urban),
        "index": below.design(policy, indexed(like), "lights_index"),
        "similar": below.design(policy, like, controls=below.similar(policy, like, 10)),
        "hebei": below.design(policy, like, controls=hebei(like)),
        "pretended": below.design(pretended, like, window=(first, 2013)),
    }
    if group == "all":
        documented = (name for zone in below.ZONES.values() for name in zone)
        return {**found, "recalled": below.design(below.hosts(*documented, *below.RECALLED), like)}
    others = {code: t for code, t in policy.treated.items() if code != RONGCHENG}
    return {**found, "without_rongcheng": below.design(policy.treating(others), like)}


def estimates(design: jp.Design, inference: Inference = below.PLACEBO) -> dict[str, jp.Estimate]:
    """Both estimators with placebo inference over counties."""
    return {k: m.fit(design).with_inference(inference) for k, (_, m) in METHODS.items()}


def cells(numbers: Numbers, path: str) -> list[Any]:
    """Estimate and p-value of each estimator."""
    found = []
    for key in METHODS:
        found += [numbers.number(f"{path}/{key}/att"), numbers.pvalue(f"{path}/{key}/pvalue")]
    return found


def main() -> None:
    """Estimate every row, save numbers and table."""
    nested: dict[str, Any] = {
        group: {name: estimates(design) for name, design in designs(group).items()}
        for group in GROUPS
    }
    main_design = nested["xiongan"]["main"]["cs"].design
    sets = jp.inference.RandomizationInference(mechanism=below.adjacent_sets(main_design, 3))
    nested["xiongan"]["adjacent"] = estimates(main_design, sets)
    behind = dict(study.flat(nested))
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("platforms-robustness", below.summaries(nested), behind)
        blank = [""] * (2 * len(METHODS))
        rows = []
        for name, title in ROWS.items():
            parts = [cells(numbers, f"{g}/{name}") if name in nested[g] else blank for g in GROUPS]
            rows.append(Row(title, (*parts[0], *parts[1])))
        columns = tuple(
            Column(heading, Text(f"{below.NAMES[g].en}: {n.en}", f"{below.NAMES[g].zh}：{n.zh}"))
            for g in GROUPS
            for n, _ in METHODS.values()
            for heading in (words.ESTIMATE, words.PVALUE)
        )
        stub, panels = Text("Variation", "设定"), (Panel("", tuple(rows)),)
        table = Table("platforms-robustness", CAPTION, columns, panels, stub, NOTES)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
