"""Who receives the tax of a firm that moves, under the rule of 2015 and its variations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

import jjjpolicy as jp
from jjjpolicy.fiscal import HAIDIAN_QINHUANGDAO, LOCAL_SHARES, RULE_2015, LocalShare
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Figure, Language, Panel, Row, Table, Text
from jjjpolicy.report.figures.policies import draw_sharing_rules

MAKES = ("numbers:sharing-rules", "table:sharing-rules", "figure:sharing-rules")

MOVED, LAST, GROWTH = 2020, 2029, 0.2
PAID = {"value_added_tax": 40.0, "enterprise_income_tax": 20.0, "other": 4.0}
OTHER_IS_LOCAL = LocalShare("other", 1994, 9999, 1.0, "an assumption of the illustration")
RULES = {
    "rule_2015": (Text("Rule of 2015", "2015 年办法"), RULE_2015),
    "local_cap": (
        Text("Rule of 2015, cap on local tax", "2015 年办法（上限按地方留成计算）"),
        replace(RULE_2015, measured_on_local_part=True),
    ),
    "no_cap": (
        Text("50:50 without cap or end", "五五分成，不设上限和期限"),
        replace(RULE_2015, cap=None, years=None, extension=0, subsidised_shortfall=0.0),
    ),
    "less_for_origin": (
        Text("Rule of 2015 with shares 30:70", "2015 年办法，改为三七分成"),
        replace(RULE_2015, shares={"origin": 0.3, "destination": 0.7}),
    ),
    "joint_fund": (Text("Joint fund, 40/40/20", "共同发展基金，4∶4∶2"), HAIDIAN_QINHUANGDAO),
    "unshared": (
        Text("No sharing", "不分享"),
        replace(HAIDIAN_QINHUANGDAO, shares={"origin": 0.0, "destination": 1.0}),
    ),
}
CAPTION = Text(
    "Local tax of an illustrative firm under six sharing rules",
    "六种分享规则下示例企业地方税收的归属",
)
ILLUSTRATION = Text(
    f"The firm is an illustration, not an observation. It moves and starts production in {MOVED}; "
    f"until then it pays {PAID['value_added_tax']:.0f} million yuan of value-added tax, "
    f"{PAID['enterprise_income_tax']:.0f} of enterprise income tax and {PAID['other']:.0f} of "
    f"other taxes a year, and {100 * GROWTH:.0f} per cent more each year from then on. The local "
    "part is 50 per cent of value-added tax, 40 of enterprise income tax and all of the others. "
    "The text of 2015 does not say whether the cap counts all tax paid or its local part: both are "
    "shown. Of the joint fund only the shares are known; here it takes all local taxes and has no "
    "end. Subsidies of the centre, whose size is not stated, are left out.",
    f"该企业为虚构示例，并非实际观测。假定企业于 {MOVED} 年迁移并投产；"
    f"此前每年缴纳增值税 {PAID['value_added_tax']:.0f} 百万元、"
    f"企业所得税 {PAID['enterprise_income_tax']:.0f} 百万元、其他税 {PAID['other']:.0f} 百万元，"
    f"此后逐年增长 {100 * GROWTH:.0f}%。地方留成为增值税的 50%、企业所得税的 40% 和其他税的全部。"
    "2015 年办法未说明上限按全部税额还是按地方留成计算，故两种情形均列出。"
    "共同发展基金仅知分成比例，此处假定覆盖全部地方税收且不设期限。中央财政补助数额未定，未计入。",
)

BRIEF = Text(
    "The firm is an illustration, not an observation; the notes of the table give its tax path.",
    "该企业为虚构示例，并非实际观测；其税收路径见相应表注。",
)


def comparison() -> pd.DataFrame:
    """Receipts of the illustrative firm's tax by rule, year and recipient, million yuan."""
    paths = [
        (tax, year, paid * (1 + GROWTH) ** max(0, year - MOVED))
        for tax, paid in PAID.items()
        for year in range(MOVED - 3, LAST + 1)
    ]
    taxes = pd.DataFrame(paths, columns=["tax", "year", "paid"]).assign(firm="illustration")
    taxes = jp.fiscal.add_local_part(taxes, shares=(*LOCAL_SHARES, OTHER_IS_LOCAL))
    move = {"firm": "illustration", "origin": "110000", "destination": "130000", "moved": MOVED}
    move |= {"started": MOVED, "origin_led": True, "fits_plan": True}
    rules = {key: rule for key, (_, rule) in RULES.items()}
    return jp.fiscal.compare_rules(taxes, pd.DataFrame([move]), rules)


def content() -> dict[str, Any]:
    """Receipts over all years by rule, and the last year in which the origin receives."""
    flows = comparison()
    sums = flows.groupby(["rule", "recipient"])["amount"].sum()
    found: dict[str, Any] = {}
    for rule in RULES:
        receipts = {"joint_fund": 0.0, **sums[rule].to_dict()}
        paid = flows[(flows["rule"] == rule) & (flows["recipient"] == "origin")]
        years = paid.loc[paid["amount"] > 0, "year"]
        part = 100 * receipts["origin"] / sum(receipts.values())
        last = int(years.max()) if len(years) else None
        found[rule] = {**receipts, "origin_percent": part, "last_year": last}
    return found


def main() -> None:
    """Divide the tax, save numbers, table and figure."""
    titles = {key: title for key, (title, _) in RULES.items()}

    def draw(language: Language) -> Any:
        return draw_sharing_rules(comparison(), names=titles, language=language)

    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("sharing-rules", content())
        rows = []
        for key, title in titles.items():
            amounts = [
                numbers.number(f"{key}/{recipient}", 1)
                for recipient in ("origin", "destination", "joint_fund")
            ]
            share, last = (
                numbers.number(f"{key}/origin_percent", 1),
                numbers.number(f"{key}/last_year", 0),
            )
            rows.append(Row(title, (*amounts, share, last)))
        total = Text(f"Million yuan, {MOVED} to {LAST}", f"{MOVED}—{LAST} 年合计（百万元）")
        columns = (
            Column(Text("Origin", "迁出地"), total),
            Column(Text("Destination", "迁入地"), total),
            Column(Text("Joint fund", "共同发展基金"), total),
            Column(Text("Origin, %", "迁出地占比（%）")),
            Column(Text("Last year of sharing", "末次分享年份")),
        )
        stub, missing = Text("Rule", "规则"), Text("nothing is shared.", "不分享。")
        panels = (Panel("", tuple(rows)),)
        table = Table(
            "sharing-rules", CAPTION, columns, panels, stub, (ILLUSTRATION,), missing=missing
        )
        artefacts.table(table)
        artefacts.figure(Figure("sharing-rules", CAPTION, draw, (BRIEF,)))


if __name__ == "__main__":
    main()
