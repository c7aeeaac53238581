"""Employment by industry and in-migrants, 2010 to 2020: long differences from the censuses."""

from __future__ import annotations

from typing import Any

import below
import numpy as np
import pandas as pd
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.registry.regions import city_of, regions
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:census", "table:census")

YEARS = (2010, 2020)
OUTCOMES = {
    "employment_share_manufacturing": Text("Manufacturing, % of employment", "制造业就业占比（%）"),
    "employment_share_wholesale_retail": Text(
        "Wholesale and retail, % of employment", "批发和零售业就业占比（%）"
    ),
    "employment_share_research_technical": Text(
        "Research and technical services, % of employment", "科学研究和技术服务业就业占比（%）"
    ),
    "in_migrant_share": Text(
        "In-migrants from other provinces, % of residents", "外省流入人口占常住人口比重（%）"
    ),
}
GROUPS = {
    "hosts": Text(
        "A. Hosts of platforms, against counties of the neighbouring provinces",
        "A. 承接平台所在县区，对照组为周边省区县区",
    ),
    "districts": Text(
        "B. Hosts that are districts of Beijing and Tianjin, against districts of large cities",
        "B. 京津两市承接区，对照组为其他大城市市辖区",
    ),
    "beijing": Text(
        "C. Beijing's districts, against districts of other large cities",
        "C. 北京市辖区，对照组为其他大城市市辖区",
    ),
}
METHODS = {
    "did": (words.METHODS["did"], jp.did.TwoWayFixedEffects(), ()),
    "given": (
        Text("Given the share of 2010", "控制 2010 年占比"),
        jp.did.CallawaySantAnna(method="or"),
        ("initial",),
    ),
}
CAPTION = Text("Changes between the censuses of 2010 and 2020", "2010—2020 年两次人口普查间的变化")
NOTES = (
    Text(
        "Change in percentage points, and its difference from the change of the controls; given "
        "the share of 2010, from that of controls with the same share (linear regression). "
        "Employment is that of the census long form, a sample: shares alone are used. Caofeidian "
        "and Jinghai changed their code between the censuses and are left out, as is every county "
        "without figures in both years or with another area.",
        "表中为百分点变化及其与对照组变化之差；“控制 2010 年占比”指与 2010 年占比相同的对照组相比"
        "（线性回归）。就业数据来自普查长表抽样，故只使用占比。曹妃甸和静海在两次普查间代码变更，"
        "未纳入；缺任一年数据或辖区范围有变的县区同样剔除。",
    ),
    Text(
        "Level of assignment: in A and B the county, with p-values from 999 draws of control "
        "counties (seed 1); in C the city, with one treated city among all, so that no p-value can "
        "be smaller than one over their number. Adjusted: family-wise over the four outcomes "
        "(Romano and Wolf), for the estimates given the share of 2010. Large cities: Shanghai, "
        "Chongqing and the provincial capitals outside the region.",
        "处理的分配层级：A、B 为县区，p 值基于对照县区的 999 次随机抽取（种子为 1）；"
        "C 为城市，仅一个城市受处理，p 值不小于城市数的倒数。"
        "调整后 p 值为“控制 2010 年占比”估计值在四个结果间的族错误率校正（Romano–Wolf）。"
        "大城市为上海、重庆及区域外各省会（首府）。",
    ),
)


def shares() -> pd.DataFrame:
    """Shares of both censuses for counties with the same area and no gap."""
    panel = jp.load("counties", vintage="before_2018_census", variables=list(OUTCOMES))
    moved = panel.area_changes
    moved = set(moved.loc[moved["time"].between(YEARS[0] + 1, YEARS[1]), "unit"])
    frame = panel.frame[panel.frame["year"].isin(YEARS)].dropna(subset=list(OUTCOMES))
    complete = frame.groupby("region_code")["year"].transform("size") == len(YEARS)
    return frame[complete & ~frame["region_code"].isin(moved)].reset_index(drop=True)


def sample(group: str) -> pd.DataFrame:
    """Treated and control counties of a group with their adoption and level of assignment."""
    frame, unit = shares(), "region_code"
    codes = frame[unit].astype(str)
    hosts = np.isfinite(below.documented().adoption(codes))
    level, treated, control = codes, hosts, codes.str[:2].isin(below.NEIGHBOURS)
    if group != "hosts":
        city = codes.map(city_of)
        large = {"310000", "500000", *(region.code[:2] + "0100" for region in regions.provinces)}
        district = (codes.str[2:4] == "01") & (codes.str[4:].astype(int) <= 20)
        control = city.isin(large) & district & ~codes.str[:2].isin(below.REGION)
        treated = hosts & district.to_numpy()
    if group == "beijing":
        level, treated = city, (city == "110000").to_numpy()
    frame = frame.assign(adopted=np.where(treated, YEARS[1], 0), level=level)
    return frame[treated | control]


def estimates(group: str) -> dict[str, dict[str, jp.Estimate]]:
    """Both estimators for every outcome, with placebo inference at the level of assignment."""
    frame = sample(group)
    placebo = jp.inference.PlaceboUnits(replications=999, seed=1)
    found: dict[str, dict[str, jp.Estimate]] = {}
    for outcome in OUTCOMES:
        first = frame[frame["year"] == YEARS[0]].set_index("region_code")[outcome]
        rows = frame.assign(initial=frame["region_code"].map(first))
        for key, (_, method, covariates) in METHODS.items():
            design = jp.Design.from_frame(
                rows,
                unit="region_code",
                time="year",
                outcome=outcome,
                adoption="adopted",
                covariates=covariates,
                assigned_at="level",
            )
            found.setdefault(outcome, {})[key] = method.fit(design).with_inference(placebo)
    return found


def summary(estimates: dict[str, jp.Estimate], adjusted: float) -> dict[str, Any]:
    """Changes of both groups, estimates and p-values of an outcome."""
    design = estimates["did"].design
    change = design.outcome[:, 1] - design.outcome[:, 0]
    return {
        "treated": change[design.treated].mean(),
        "controls": change[~design.treated].mean(),
        "counties": int(design.treated.sum()),
        "control_counties": int((~design.treated).sum()),
        "adjusted": adjusted,
        **{
            key: {"att": e.att, "pvalue": e.pvalue, "smallest": e.inference.smallest_pvalue}
            for key, e in estimates.items()
            if e.inference is not None
        },
    }


def main() -> None:
    """Estimate, adjust for four outcomes, save numbers and table."""
    nested = {group: estimates(group) for group in GROUPS}
    behind = dict(study.flat(nested))
    content: dict[str, Any] = {}
    for group, by_outcome in nested.items():
        family = jp.inference.romano_wolf({o: each["given"] for o, each in by_outcome.items()})
        adjusted = family.set_index("name")["adjusted"]
        content[group] = {o: summary(e, float(adjusted[o])) for o, e in by_outcome.items()}
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("census", content, behind)
        panels = []
        for group, heading in GROUPS.items():
            rows = []
            for outcome, title in OUTCOMES.items():
                path = f"{group}/{outcome}"
                cells: list[Any] = [
                    numbers.number(f"{path}/{k}", 1) for k in ("treated", "controls")
                ]
                for key in METHODS:
                    cells += [numbers.number(f"{path}/{key}/att", 1)]
                    cells += [numbers.pvalue(f"{path}/{key}/pvalue")]
                rows.append(Row(title, (*cells, numbers.pvalue(f"{path}/adjusted"))))
            panels.append(Panel(heading, tuple(rows)))
        change = Text("Change", "变化")
        given = METHODS["given"][0]
        columns = (
            Column(words.TREATED, change),
            Column(Text("Controls", "对照组"), change),
            *(
                Column(h, n)
                for n, *_ in METHODS.values()
                for h in (words.ESTIMATE, words.PLACEBO_P)
            ),
            Column(Text("Adjusted p", "调整后 p 值"), given),
        )
        table = Table("census", CAPTION, columns, tuple(panels), Text("Share", "占比"), NOTES)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
