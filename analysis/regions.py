"""The three treated provinces against all others, in the levels of the published figures."""

from __future__ import annotations

from typing import Any

import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.time import draw_small_multiples

MAKES = ("figure:regions",)

PANELS = {
    "gdp_national_share": Text("Share of national product, %", "占全国生产总值比重（%）"),
    "rd_intensity_single_vintage": Text("R&D intensity, %", "研发强度（%）"),
    "government_fund_share": Text("Government share of R&D, %", "研发经费中政府资金占比（%）"),
    "log_tech_contracts_bought": Text("Technology bought, log", "技术合同买入额（对数）"),
    "log_tech_contracts_sold": Text("Technology sold, log", "技术合同卖出额（对数）"),
    "log_hightech_firms": Text("High-technology firms, log", "高技术企业数（对数）"),
}
LOGS = {
    "log_tech_contracts_sold": "log(tech_contracts_sold_value)",
    "log_hightech_firms": "log(hightech_firms)",
}


def main() -> None:
    """Draw every variable over the years in which it is published."""
    panel = jp.load("provinces", vintage=study.VINTAGE).select(periods=(2010, 2023))
    wide = {}
    for name, title in PANELS.items():
        if name in LOGS:
            panel = panel.with_variable(jp.Variable(name, formula=LOGS[name]))
        wide[title] = panel.frame.pivot(index="year", columns="region_code", values=name)
    regions = {code: words.GROUPS[name] for name, (code,) in study.SINGLE.items()}
    policy = float(jp.policies[study.POLICY].issued.year) - 0.5

    def draw(language: Language) -> Any:
        frames: Any = {title: frame.dropna(how="all") for title, frame in wide.items()}
        return draw_small_multiples(frames, regions, policy=policy, language=language)

    notes = (
        Text(
            "Product of vintage nbs_2024. Technology-market flows are those of all contracts; 2011 "
            "was not published, nor were high-technology firms in 2017. The dashed line stands "
            "before the first treated year.",
            "生产总值采用 nbs_2024 口径。技术市场流向为全部合同；"
            "2011 年技术合同、2017 年高技术企业数未公布。"
            "虚线位于首个处理年份之前。",
        ),
    )
    caption = Text(
        "Beijing, Tianjin and Hebei against the other provinces", "北京、天津、河北与其他省份的比较"
    )
    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.figure(Figure("regions", caption, draw, notes))


if __name__ == "__main__":
    main()
