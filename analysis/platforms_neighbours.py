"""Hosts of platforms and their neighbours, by distance, against far counties.

Ring by ring, each neighbour taken as if it were treated; and hosts and rings in one regression.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import below
import pandas as pd
import platforms_robustness as robustness
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.replication.artefacts.numbers import Numbers
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:platforms-neighbours", "table:platforms-neighbours")

EDGES = (0.0, 25.0, 50.0, 100.0)
OF = {
    "all": Text("A. All hosts and their neighbours", "A. 全部承接地及其邻近县区"),
    "xiongan": Text("B. Xiong'an and its neighbours", "B. 雄安及其邻近县区"),
}
CAPTION = Text("Night lights of the neighbours of hosts", "承接平台邻近县区的夜间灯光")
NOTES = (
    Text(
        "Log of VIIRS-like lights, 2003 to 2022. Counties of the region that are no hosts, by the "
        "distance of their seat from the nearest host, treated from its date on; eight counties of "
        "Hebei without coordinates are left out. Controls are counties of the neighbouring "
        "provinces more than 100 km from every host.",
        "2003—2022 年类 VIIRS 灯光的对数。处理组为区域内非承接地县区，按其驻地至最近承接地的距离"
        "分组，处理日期同该承接地；河北八个缺坐标的县区未纳入。"
        "对照组为周边省区距各承接地均超过 100 公里的县区。",
    ),
    Text(
        "One estimator: spillover rings on VIIRS lights, 2013 to 2021, in which hosts and the "
        "counties around them each have their effect, and unit and period effects rest on cells "
        "that are neither; a county counts from the first year in which a host within 100 km is "
        "treated. It compares with the average of all years before treatment, which is why it is "
        "not run on the long series, in which lights diverge early. There the p-value of hosts is "
        "a placebo rank as in the other columns, with neighbours of hosts set aside and rings "
        "drawn around each placebo; those of rings rest on spatial errors (Conley, 100 km), and "
        "there is none for fewer than ten counties.",
        "“同一估计”为溢出圈层估计，采用 2013—2021 年 VIIRS 灯光：承接地与各圈层县区的效应"
        "一并估计，县区与年份固定效应仅由既非承接地、也未进入圈层的观测拟合；"
        "县区自 100 公里内首个承接地受处理之年起计入。该估计以处理前全部年份的均值为基准，"
        "而长序列中灯光早已分化，故不用长序列。该列中承接地的 p 值与其他列相同，为安慰剂位次"
        "（剔除承接地的邻近县区，并对每次安慰剂重划圈层）；各圈层的 p 值依据空间相关标准误"
        "（Conley，100 公里），不足十个县区的圈层不报告 p 值。",
    ),
    robustness.LEVEL,
)
ONE = Text("One estimator", "同一估计")
HOSTS = Text("Hosts", "承接地")
SPATIAL = jp.inference.Conley(cutoff_km=100)
FEWEST = 10
"""Counties of a ring for which a spatial error says anything."""


def neighbours(policy: jp.Policy, inner: float, outer: float) -> dict[str, Any]:
    """Counties between two distances from the nearest of some hosts, with its treatment."""
    known, codes, distance = below.distances(below.lights("viirs_like").units, policy)
    hosts = below.documented().treated
    return {
        unit: policy.treated[codes[int(row.argmin())]]
        for unit, row in zip(known, distance, strict=True)
        if unit[:2] in below.REGION and unit not in hosts and inner < row.min() <= outer
    }


def far() -> tuple[str, ...]:
    """Counties of the neighbouring provinces beyond the last distance from every host."""
    known, _, distance = below.distances(below.lights("viirs_like").units, below.documented())
    return tuple(
        unit
        for unit, km in zip(known, distance.min(axis=1), strict=True)
        if unit[:2] in below.NEIGHBOURS and km > EDGES[-1]
    )


def ring(policy: jp.Policy, inner: float, outer: float) -> jp.Design:
    """Counties between two distances from the nearest of some hosts against far counties."""
    treated = neighbours(policy, inner, outer)
    return below.design(policy.treating(treated), below.lights("viirs_like"), controls=far())


def together(policy: jp.Policy) -> dict[str, jp.Estimate]:
    """Effects on hosts, with placebos, and on each ring, with spatial errors, from one fit.

    In the years of VIIRS: the fit compares with the average of all years before treatment, and
    lights diverged long before.
    """
    panel = below.lights("viirs")
    early = below.long_enough(policy)
    located = early.treating({c: early.treated[c] for c in below.distances(panel.units, early)[1]})
    others = (*neighbours(located, EDGES[0], EDGES[-1]), *far())
    design = below.design(located, panel, controls=others)
    _, places = below.located(design.units)
    fit = jp.did.SpilloverRings(rings=EDGES[1:]).fit(replace(design, coordinates=places))
    found = {"hosts": fit.with_inference(below.PLACEBO)}
    for k, row in enumerate(fit.details["rings"].itertuples()):
        effect = replace(
            fit,
            att=float(row.estimate),
            estimand="average effect over cells of the ring",
            event_effects=pd.DataFrame({"event_time": [], "estimate": []}),
            influence=fit.details["ring_influence"][:, [k]],
        )
        found[f"{row.inner:.0f}-{row.outer:.0f}"] = effect.with_inference(SPATIAL)
    return found


def in_one(numbers: Numbers, path: str, *, told: bool) -> list[Any]:
    """Estimate and, if it is to be told, p-value from the fit of hosts and rings together."""
    pvalue = numbers.pvalue(f"{path}/rings/pvalue") if told else "–"
    return [numbers.number(f"{path}/rings/att"), pvalue]


def main() -> None:
    """Estimate ring by ring, save numbers and table."""
    nested: dict[str, Any] = {
        group: {
            f"{inner:.0f}-{outer:.0f}": robustness.estimates(
                ring(robustness.GROUPS[group], inner, outer)
            )
            for inner, outer in pairwise(EDGES)
        }
        for group in OF
    }
    for group, rows in nested.items():
        for key, effect in together(robustness.GROUPS[group]).items():
            rows.setdefault(key, {})["rings"] = effect
    behind = dict(study.flat(nested))
    with Artefacts(__file__, MAKES) as artefacts:
        content = below.summaries(nested)
        numbers = artefacts.numbers("platforms-neighbours", content, behind)
        panels = []
        for group, heading in OF.items():
            path = f"{group}/hosts"
            own = [
                numbers.number(f"{path}/rings/treated", 0),
                *[""] * (2 * len(robustness.METHODS)),
            ]
            rows = [Row(HOSTS, (*own, *in_one(numbers, path, told=True)))]
            for key in list(nested[group])[:-1]:
                path = f"{group}/{key}"
                counties = int(nested[group][key]["cs"].design.treated.sum())
                title = Text(f"{key.replace('-', ' to ')} km", f"{key.replace('-', '—')} 公里")
                cells = [numbers.number(f"{path}/cs/treated", 0), *robustness.cells(numbers, path)]
                rows.append(Row(title, (*cells, *in_one(numbers, path, told=counties >= FEWEST))))
            panels.append(Panel(heading, tuple(rows)))
        columns = [Column(Text("Counties", "县区数"))]
        columns += [
            Column(heading, name)
            for name in (*(name for name, _ in robustness.METHODS.values()), ONE)
            for heading in (words.ESTIMATE, words.PVALUE)
        ]
        stub = Text("Distance", "距离")
        table = Table("platforms-neighbours", CAPTION, tuple(columns), tuple(panels), stub, NOTES)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
