"""Innovation and industry chains of provinces: structure of research, technology, coordination."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:chains", "table:chains")

YEARS = (2014, 2019)
SYSTEMS = {
    "innovation": ("rd_expenditure", "invention_patents_granted", "tech_contracts_sold_value"),
    "industry": ("gdp", "hightech_firms", "hightech_revenue"),
}
IN_LOGS = ("bought_over_sold",)  # a ratio that reaches 1,839 where hardly anything is sold
TIBET = "540000"  # sells no technology before 2017: no logarithm
ROWS = {
    "rd_intensity_single_vintage": Text("R&D intensity, %", "研发经费投入强度（%）"),
    "government_share": Text("Government, % of R&D", "研发经费中政府资金占比（%）"),
    "enterprise_share": Text("Enterprises, % of R&D", "研发经费中企业资金占比（%）"),
    "basic_share": Text("Basic, % of R&D", "基础研究占比（%）"),
    "bought_over_sold": Text("Bought over sold", "技术合同吸纳与输出之比"),
    "innovation": Text("Innovation level", "创新链发展水平"),
    "industry": Text("Industry level", "产业链发展水平"),
    "coordination": Text("D, traditional", "耦合协调度（传统公式）"),
    "coordination_wang": Text("D, Wang et al.", "耦合协调度（修正公式）"),
}
CAPTION = Text("Research, technology and the two chains", "研发、技术交易与两链耦合协调")
NOTES = (
    Text(
        "Other provinces: the median of 28 (27 for levels and coordination, without Tibet). "
        "Levels: mean of the logs of three figures, each scaled from 0 to 1 over provinces and "
        "the years 2012 to 2019 without 2017. Innovation: R&D expenditure, invention patents "
        "granted, technology contracts sold. Industry: product, firms and revenue of "
        "high-technology manufacturing. They measure size, and depend on these choices. D is the "
        "coordination degree, the root of coupling times mean level, with the coupling degree in "
        "its correct traditional form or as modified by Wang et al. (2021). Last columns: "
        "difference-in-differences for the three provinces together over the years in which the "
        "figure is published, 2012 to 2019, and its placebo p-value (in logs for technology bought "
        "over sold).",
        "其他省份为 28 个省份的中位数（发展水平和耦合协调度不含西藏，为 27 个省份）。"
        "发展水平为三项指标对数的均值，各指标在全部省份及 2012—2019 年（缺 2017 年）"
        "范围内作极差标准化。创新链：研发经费、发明专利授权数、技术合同输出额；"
        "产业链：地区生产总值、高技术制造业企业数及营业收入。所得为规模水平，取决于指标选取。"
        "耦合协调度为耦合度与综合发展水平之积的平方根，耦合度分别采用传统公式（正确形式）"
        "和王淑佳等（2021）的修正公式。末两列为 2012—2019 年有数据年份三地合并的双重差分估计值"
        "及其安慰剂 p 值（技术合同吸纳与输出之比取对数）。",
    ),
    Text(
        "High-technology revenue changes its definition in 2018 (main-business revenue before).",
        "高技术制造业营业收入 2018 年起口径有变（此前为主营业务收入）。",
    ),
)


def levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Level of each system, from 0 to 1, by region and year."""
    found = {}
    for system, variables in SYSTEMS.items():
        logs = np.log(frame[list(variables)].drop(index=TIBET, level="region_code"))
        logs = logs.replace(-np.inf, np.nan)
        found[system] = ((logs - logs.min()) / (logs.max() - logs.min())).mean(axis=1, skipna=False)
    return pd.DataFrame(found)


def indicators() -> pd.DataFrame:
    """Every indicator by region and year, 2012 to 2019."""
    panel = jp.load("provinces", vintage=study.VINTAGE).select(periods=(2012, 2019))
    frame = panel.frame.set_index(["region_code", "year"])
    table = jp.indicators.rd_structure(frame)
    table["rd_intensity_single_vintage"] = frame["rd_intensity_single_vintage"]
    bought, sold = frame["tech_contracts_bought_value"], frame["tech_contracts_sold_value"]
    table["bought_over_sold"] = jp.indicators.leapfrogging_ratio(bought, sold)
    systems = levels(frame)
    wang = jp.indicators.coupling_degree_wang
    coordination = jp.indicators.coupling_coordination
    table = table.join(systems)
    table["coordination"] = coordination(systems)["coordination"]
    table["coordination_wang"] = coordination(systems, coupling=wang)["coordination"]
    return table[list(ROWS)]


def effect(table: pd.DataFrame, name: str) -> jp.Estimate:
    """Difference-in-differences for the three provinces together, with placebo inference."""
    values = np.log(table[name]) if name in IN_LOGS else table[name]
    rows = values.dropna().reset_index()
    complete = rows.groupby("region_code")[name].transform("size") == rows["year"].nunique()
    policy = jp.policies[study.POLICY]
    rows = rows[complete].assign(adopted=lambda r: policy.adoption(r["region_code"]))
    design = jp.Design.from_frame(
        rows, unit="region_code", time="year", outcome=name, adoption="adopted"
    )
    placebo = jp.inference.PlaceboUnits(replications=999, seed=1)
    return jp.did.TwoWayFixedEffects().fit(design).with_inference(placebo)


def main() -> None:
    """Measure, compare with other provinces, save numbers and table."""
    table = indicators()
    behind = {name: effect(table, name) for name in ROWS if name != "enterprise_share"}
    content: dict[str, Any] = {}
    for name in ROWS:
        wide = table[name].unstack("year")[list(YEARS)]
        values = {key: wide.loc[code] for key, (code,) in study.SINGLE.items()}
        values["median"] = wide.drop(list(study.JING_JIN_JI)).median()
        content[name] = {key: series.to_dict() for key, series in values.items()}
        if name in behind:
            content[name] |= {"did": behind[name].att, "pvalue": behind[name].pvalue}
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("chains", content, behind)
        names = {**words.SINGLE, "median": Text("Others", "其他省份")}
        rows = []
        for name, label in ROWS.items():
            digits = 1 if "%" in label.en else 2
            cells: list[Any] = [
                numbers.number(f"{name}/{key}/{year}", digits) for year in YEARS for key in names
            ]
            if name in behind:
                cells += [numbers.number(f"{name}/did"), numbers.pvalue(f"{name}/pvalue")]
            else:
                cells += [None, None]
            rows.append(Row(label, tuple(cells)))
        columns = [Column(name, str(year)) for year in YEARS for name in names.values()]
        columns += [Column(h, Text("DiD", "双重差分")) for h in (words.ESTIMATE, words.PLACEBO_P)]
        missing = Text("Beijing's figure of 2012 is missing.", "北京 2012 年数据缺失。")
        stub, panels = Text("Indicator", "指标"), (Panel("", tuple(rows)),)
        artefacts.table(
            Table("chains", CAPTION, tuple(columns), panels, stub, NOTES, missing=missing), behind
        )


if __name__ == "__main__":
    main()
