"""Neighbours of the hosts of platforms, by distance, against far counties."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import below
import platforms_robustness as robustness
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:platforms-neighbours", "table:platforms-neighbours")

EDGES = (0.0, 25.0, 50.0, 100.0)
OF = {
    "all": Text("A. Neighbours of all hosts", "A. 全部承接地的邻近县区"),
    "xiongan": Text("B. Neighbours of Xiong'an", "B. 雄安的邻近县区"),
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
    robustness.LEVEL,
)


def ring(policy: jp.Policy, inner: float, outer: float) -> jp.Design:
    """Counties between two distances from the nearest of some hosts against far counties."""
    panel = below.lights("viirs_like")
    known, codes, distance = below.distances(panel.units, policy)
    _, _, to_any = below.distances(panel.units, below.documented())
    hosts = below.documented().treated
    treated = {
        unit: policy.treated[codes[int(row.argmin())]]
        for unit, row in zip(known, distance, strict=True)
        if unit[:2] in below.REGION and unit not in hosts and inner < row.min() <= outer
    }
    far = tuple(
        unit
        for unit, km in zip(known, to_any.min(axis=1), strict=True)
        if unit[:2] in below.NEIGHBOURS and km > EDGES[-1]
    )
    return below.design(policy.treating(treated), panel, controls=far)


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
    behind = dict(study.flat(nested))
    with Artefacts(__file__, MAKES) as artefacts:
        content = below.summaries(nested)
        numbers = artefacts.numbers("platforms-neighbours", content, behind)
        panels = []
        for group, heading in OF.items():
            rows = []
            for key in nested[group]:
                path = f"{group}/{key}"
                counties = numbers.number(f"{path}/cs/treated", 0)
                title = Text(f"{key.replace('-', ' to ')} km", f"{key.replace('-', '—')} 公里")
                rows.append(Row(title, (counties, *robustness.cells(numbers, path))))
            panels.append(Panel(heading, tuple(rows)))
        columns = [Column(Text("Counties", "县区数"))]
        columns += [
            Column(heading, name)
            for name, _ in robustness.METHODS.values()
            for heading in (words.ESTIMATE, words.PVALUE)
        ]
        stub = Text("Distance", "距离")
        table = Table("platforms-neighbours", CAPTION, tuple(columns), tuple(panels), stub, NOTES)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
