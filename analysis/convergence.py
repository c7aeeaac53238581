"""Do the three provinces converge? Dispersion of product, growth on the initial level, Theil."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.registry.regions import regions
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:convergence", "table:convergence")

YEARS = (2005, 2014, 2019)
SETS = {
    "jing-jin-ji": (words.REGION, study.JING_JIN_JI),
    "yangtze-delta": (Text("Yangtze River Delta", "长三角"), regions.group("yangtze-delta")),
    "others": (
        Text("The 28 other provinces", "其他 28 个省份"),
        tuple(r.code for r in regions.provinces if r.code not in study.JING_JIN_JI),
    ),
}
QUARTERS = ("east", "central", "west", "northeast")
CAPTION = Text("Convergence of product", "地区生产总值的收敛性")
NOTES = (
    Text(
        "Sigma: standard deviation over provinces of log product, of vintage nbs_2024; it rises "
        "where provinces diverge. Product is total, not per person: the series of residents breaks "
        "in 2010 and 2020, where the censuses corrected it. Growth on the initial level, over all "
        "31 provinces: slope of least squares with HC1 standard errors.",
        "σ 收敛：各省份地区生产总值对数的标准差（nbs_2024 口径），上升表示差距扩大。"
        "地区生产总值为总量而非人均值："
        "常住人口序列在 2010 年和 2020 年因人口普查修正而中断。"
        "β 收敛：31 个省份增长率对初始水平的最小二乘回归斜率（HC1 稳健标准误）。",
    ),
    words.NOMINAL,
)


def content() -> dict[str, Any]:
    """Dispersion by set of provinces and year, slopes, and the Theil index of 2020."""
    panel = jp.load("provinces", vintage=study.VINTAGE)
    frame = panel.frame.set_index(["region_code", "year"])
    product = frame["gdp"].dropna()
    found: dict[str, Any] = {"sigma": {}, "beta": {}}
    for key, (_, codes) in SETS.items():
        chosen = product[product.index.get_level_values(0).isin(codes)]
        found["sigma"][key] = jp.indicators.sigma_convergence(chosen)["sd_log"][list(YEARS)]
        found["sigma"][key] = found["sigma"][key].to_dict()
    for first, last in pairwise(YEARS):
        result = jp.indicators.beta_convergence(product, first=first, last=last)
        figures = {"slope": result.slope, "se": result.slope_se, "pvalue": result.pvalue}
        found["beta"][f"{first}-{last}"] = figures
    census = frame.xs(2020, level="year")
    group = pd.Series(
        [
            "jing-jin-ji"
            if code in study.JING_JIN_JI
            else next(name for name in QUARTERS if code in regions.group(name))
            for code in census.index
        ],
        census.index,
    )
    theil = jp.indicators.theil_decomposition(
        census["gdp"], census["population_census"], groups=group
    )
    return {**found, "theil_2020": theil.iloc[0].to_dict()}


def main() -> None:
    """Measure, save numbers and table."""
    found = content()
    theil = found["theil_2020"]
    per_person = Text(
        f"Theil index of product per person in 2020: {words.size(theil['theil'])}, of which "
        f"{words.size(theil['between'])} between and {words.size(theil['within'])} within groups "
        "(Jing-Jin-Ji and the other provinces of the east, the centre, the west and the "
        f"north-east); Jing-Jin-Ji adds {words.size(theil['within_jing-jin-ji'])}.",
        f"2020 年人均地区生产总值的泰尔指数为 {words.size(theil['theil'])}，"
        f"其中组间 {words.size(theil['between'])}，组内 {words.size(theil['within'])}"
        "（分组为京津冀及东部、中部、西部、东北其他省份）；"
        f"组内部分中京津冀贡献 {words.size(theil['within_jing-jin-ji'])}。",
    )
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("convergence", found)
        sigma = [
            Row(label, tuple(numbers.number(f"sigma/{key}/{year}") for year in YEARS))
            for key, (label, _) in SETS.items()
        ]
        spans = [f"{first}-{last}" for first, last in pairwise(YEARS)]
        slope = ["", *(numbers.number(f"beta/{span}/slope", 4) for span in spans)]
        pvalue = ["", *(numbers.pvalue(f"beta/{span}/pvalue") for span in spans)]
        beta = [
            Row(Text("Slope, since the column before", "斜率（自前一列年份起）"), tuple(slope)),
            Row(words.PVALUE, tuple(pvalue)),
        ]
        panels = (
            Panel(Text("A. Sigma", "A. σ 收敛"), tuple(sigma)),
            Panel(Text("B. Growth on the initial level", "B. β 收敛"), tuple(beta)),
        )
        columns = tuple(Column(str(year)) for year in YEARS)
        stub, notes = Text("Provinces", "省份"), (NOTES[0], per_person, NOTES[1])
        artefacts.table(Table("convergence", CAPTION, columns, panels, stub, notes))


if __name__ == "__main__":
    main()
