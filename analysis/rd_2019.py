"""Research expenditure in 2019: the review article's table recomputed from the panel."""

from __future__ import annotations

from typing import Any

import pandas as pd
import study

import jjjpolicy as jp
from jjjpolicy.panels.datasets import facts
from jjjpolicy.registry.regions import regions
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.replication.artefacts.numbers import Numbers
from jjjpolicy.report import Cell, Column, Panel, Row, Table, Text

MAKES = ("numbers:rd-2019", "table:rd-2019")

UNITS = {
    "rd_expenditure": Text("R&D expenditure, 100 million yuan", "研发经费（亿元）"),
    "government_fund_share": Text("Government funds, %", "政府资金占比（%）"),
    "enterprise_fund_share": Text("Enterprise funds, %", "企业资金占比（%）"),
    "rd_intensity": Text("R&D intensity, %", "研发强度（%）"),
}
TWICE_ROUNDED = ("120000", "330000")
ARTICLE, OURS = Text("Article", "原文"), Text("Panel", "面板数据")


def compared() -> dict[str, dict[str, dict[str, Any]]]:
    """By region and variable: the article's figure, ours, and whether they agree as printed."""
    panel = jp.load("provinces", vintage=study.VINTAGE)
    ours = pd.concat([panel.frame, panel.national]).query("year == 2019").set_index("region_code")
    content: dict[str, dict[str, dict[str, Any]]] = {}
    for row in facts("review-table-1").to_dict("records"):
        value = float(ours.loc[row["region"], row["variable"]])
        content.setdefault(row["region"], {})[row["variable"]] = {
            "article": row["value"],
            "ours": value,
            "agrees": f"{value:.1f}" == f"{row['value']:.1f}",
        }
    return content


def cells(numbers: Numbers, code: str) -> tuple[Cell, ...]:
    """The article's figure and ours for every variable of a region."""
    return tuple(
        numbers.number(f"{code}/{variable}/{whose}", 1, grouping=True)
        for variable in UNITS
        for whose in ("article", "ours")
    )


def why(content: dict[str, dict[str, dict[str, Any]]], agree: int, total: int) -> Text:
    """What explains the cells that differ."""
    tianjin, zhejiang = (content[code]["enterprise_fund_share"]["ours"] for code in TWICE_ROUNDED)
    china = content["000000"]["government_fund_share"]["ours"]
    return Text(
        f"{agree} of {total} cells agree to the printed digit. The enterprise shares of Tianjin "
        f"({tianjin:.3f}) and Zhejiang ({zhejiang:.3f}) reach the article's figure if they are "
        f"rounded twice, to two digits and then to one. China's government share is {china:.2f} by "
        "the yearbook's funds by source; no rounding leads to the article's. Shares divide by "
        "internal expenditure of the yearbook; intensity is as published.",
        f"共 {total} 个数值，其中 {agree} 个与原文印刷位数一致。"
        f"天津（{tianjin:.3f}）和浙江（{zhejiang:.3f}）的企业资金占比若先保留两位、再保留一位小数，"
        f"即得原文数值。按年鉴分来源经费计算，全国政府资金占比为 {china:.2f}，"
        "任何舍入方式均得不到原文数值。占比以年鉴研发经费内部支出为分母；研发强度为公布值。",
    )


def main() -> None:
    """Compare, count, save."""
    content = compared()
    every = [cell for row in content.values() for cell in row.values()]
    agree = sum(cell["agrees"] for cell in every)
    with Artefacts(__file__, MAKES) as artefacts:
        count = {"cells": len(every), "agree": agree, "differ": len(every) - agree}
        numbers = artefacts.numbers("rd-2019", {**content, **count})
        names = {language: regions.names(language) for language in ("en", "zh")}
        rows = [
            Row(Text(names["en"][code], names["zh"][code]), cells(numbers, code))
            for code in content
        ]
        caption = Text(
            "Research and development in 2019, as printed and recomputed",
            "2019 年研发投入：原文数值与重新计算",
        )
        table = Table(
            "rd-2019",
            caption,
            tuple(Column(whose, unit) for unit in UNITS.values() for whose in (ARTICLE, OURS)),
            (Panel("", tuple(rows)),),
            stub=Text("Region", "地区"),
            notes=(why(content, agree, len(every)),),
        )
        artefacts.table(table)


if __name__ == "__main__":
    main()
