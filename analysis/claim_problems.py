"""What tests the problems that the article sees, and what numbers say on its recommendations."""

from __future__ import annotations

from typing import Any

import chains
import claim_estimates as estimates
import rd_2019
import sharing_rules
import study
from claim_checks import NEGLIGIBLE, STATED, Finding, tiers
from claim_estimates import found, said

import jjjpolicy as jp
from jjjpolicy.panels.datasets import facts
from jjjpolicy.registry.platform import platform_tiers
from jjjpolicy.report import Text

BOUGHT = "log_tech_contracts_bought"
TOP_TIERS = ("receiving-2", "strategic-4", "specialised-46", "tianjin-1", "tianjin-16")
HEBEI_TIERS = ("hebei-1", "hebei-5", "hebei-4", "hebei-33")


def small(values: dict[str, float]) -> bool | None:
    """Whether an effect is known to be small; None where the interval is too wide to tell."""
    return True if values["high"] < NEGLIGIBLE else STATED


def coordination() -> dict[str, dict[str, float]]:
    """Coordination of 2019 by formula: the three provinces and the median of the others."""
    table = chains.indicators().xs(2019, level="year")
    return {
        name: {
            **{key: float(table.loc[code, name]) for key, (code,) in study.SINGLE.items()},
            "median": float(table[name].drop(list(study.JING_JIN_JI)).median()),
        }
        for name in ("coordination", "coordination_wang")
    }


def researchers() -> dict[int, float]:
    """Beijing's part of the researchers of the three, percent."""
    frame = jp.load("provinces", vintage=study.VINTAGE).frame
    wide = frame[frame["region_code"].isin(study.JING_JIN_JI)].pivot(
        index="year", columns="region_code", values="rd_researchers_fte"
    )
    part = 100 * wide["110000"] / wide.sum(axis=1)
    return {year: float(part[year]) for year in (2014, 2019)}


def technology_nearby() -> dict[int, float]:
    """Part of the technology that Beijing sold which Tianjin and Hebei bought, percent."""
    sold = jp.load("provinces", variables=["tech_contracts_sold_value"]).frame
    beijing = sold[sold["region_code"] == "110000"].set_index("year")["tech_contracts_sold_value"]
    table = facts("relocation").set_index("fact_id")["value"]
    return {
        year: 100 * float(table[f"bj-tech-to-tianjin-hebei-{year}"]) / (beijing[year] / 1e4)
        for year in (2013, 2021, 2023)
    }


def invested() -> dict[str, float]:
    """Equity that Beijing invested in Tianjin and Hebei from 2012 to 2016, and the reverse."""
    table = facts("flows").query("measure == 'equity_investment'").astype({"year_from": int})
    table = table[(table["year_from"] == 2012)].set_index(["origin", "destination"])["value"]
    both = ";".join(code for code in study.JING_JIN_JI if code != "110000")
    return {"out": float(table["110000", both]), "back": float(table[both, "110000"])}


def problems() -> dict[str, Finding]:
    """Q1 to Q7."""
    alike = jp.indicators.structural_similarity(estimates.industries())
    with_hebei = {
        key: {year: float(alike.loc[year, code, "130000"]) for year in (2010, 2020)}
        for key, code in (("beijing", "110000"), ("tianjin", "120000"))
    }
    low = estimates.employment("wholesale_retail")
    high = estimates.employment("research_technical")
    came, capital = estimates.migrants(), invested()
    table = rd_2019.compared()
    printed = [table[code]["rd_intensity"]["agrees"] for code in (*study.JING_JIN_JI, "000000")]
    government = table["110000"]["government_fund_share"]
    degrees, near = coordination(), technology_nearby()
    apart = all(d[key] < d["median"] for d in degrees.values() for key in study.SINGLE)
    d = degrees["coordination"]
    receipts = sharing_rules.content()
    part = {rule: receipts[rule]["origin_percent"] for rule in receipts}
    staff = researchers()
    spill = {unit: estimates.province(BOUGHT, unit) for unit in ("tianjin", "hebei")}
    rule = jp.fiscal.RULE_2015
    tier = platform_tiers().set_index("tier")["number"]
    total = int(tier[[*TOP_TIERS, *HEBEI_TIERS]].sum())
    return {
        "Q1": Finding(
            (STATED,),
            Text("No public data on moves by kind.", "无分功能类型的转移公开数据。"),
            {},
        ),
        "Q2": Finding(
            (tiers(*TOP_TIERS[:3]), tiers(*TOP_TIERS[3:]), tiers(*HEBEI_TIERS), STATED, STATED),
            Text(
                f"The tiers stand in other sources and add up to {total}, some counted twice. The "
                "list of the 46 was not found: likeness and agglomeration cannot be measured.",
                f"各层级数量有其他来源佐证，合计 {total} 个（有重复）。"
                "46 个平台名单未查得，同质化与集聚效应无法测度。",
            ),
            {"platforms": total},
        ),
        "Q3": Finding(
            (STATED,),
            Text(
                "Fifteen industries cannot show what happens within one. Similarity of employment "
                f"with Hebei by census, 2010 and 2020: Beijing {with_hebei['beijing'][2010]:.2f} "
                f"and {with_hebei['beijing'][2020]:.2f}, Tianjin {with_hebei['tianjin'][2010]:.2f} "
                f"and {with_hebei['tianjin'][2020]:.2f}.",
                "十五个行业门类的数据无法反映行业内部分工。2010 年、2020 年人口普查就业结构与河北的"
                f"相似系数：北京 {with_hebei['beijing'][2010]:.2f}、"
                f"{with_hebei['beijing'][2020]:.2f}，天津 {with_hebei['tianjin'][2010]:.2f}、"
                f"{with_hebei['tianjin'][2020]:.2f}。",
            ),
            {"similarity_with_hebei": with_hebei},
        ),
        "Q4": Finding(
            (all(printed), government["agrees"], STATED, apart),
            Text(
                f"{sum(printed)} of {len(printed)} intensities agree, Beijing's government share "
                f"is {government['ours']:.1f}. Of the technology that Beijing sells, Tianjin and "
                f"Hebei bought {near[2013]:.1f}% in 2013, {near[2021]:.1f}% in 2021 and "
                f"{near[2023]:.1f}% in 2023; sales to the Yangtze belt were not found. "
                f"Coordination of the chains in 2019: {d['beijing']:.2f}, "
                f"{d['tianjin']:.2f}, {d['hebei']:.2f}; median of the others "
                f"{d['median']:.2f}: not below it throughout.",
                f"{len(printed)} 个研发强度数值中 {sum(printed)} 个一致；"
                f"北京政府资金占比为 {government['ours']:.1f}。"
                f"北京输出技术中流向津冀的比重：2013 年 {near[2013]:.1f}%、"
                f"2021 年 {near[2021]:.1f}%、2023 年 {near[2023]:.1f}%；"
                "流向长江经济带的数据未查得。"
                "2019 年两链耦合协调度："
                f"北京 {d['beijing']:.2f}、天津 {d['tianjin']:.2f}、河北 {d['hebei']:.2f}，"
                f"其他省份中位数 {d['median']:.2f}，三地并非均低于后者。",
            ),
            {"coordination": degrees, "technology_nearby": near},
        ),
        "Q5": Finding(
            (rule.shares["origin"] == 0.5 and rule.threshold > 0, STATED),
            Text(
                "One ratio, three taxes, a threshold and a cap, as the text says. Of an "
                f"illustrative firm's local tax the origin receives {part['rule_2015']:.0f}%, "
                f"without cap and end {part['no_cap']:.0f}%. Conflicts cannot be measured.",
                "办法原文确为单一比例、三个税种，并设门槛和上限。"
                f"示例企业的地方税收中，迁出地得 {part['rule_2015']:.0f}%，"
                f"若不设上限和期限则为 {part['no_cap']:.0f}%。利益矛盾无法测度。",
            ),
            {"origin_percent": part},
        ),
        "Q6": Finding(
            (staff[2019] >= staff[2014], STATED, found(low, -1) and found(high, 1)),
            Text(
                f"Beijing's share of the region's researchers: {staff[2014]:.1f}% in 2014, "
                f"{staff[2019]:.1f}% in 2019; of its in-migrants {came[2010]:.1f}% in 2010, "
                f"{came[2020]:.1f}% in 2020. Change of its employment from 2010 to 2020 against "
                f"other large cities, points: wholesale and retail {said(low, 2).en}, research "
                f"{said(high, 2).en}. Beijing invested {capital['out'] / 10:.0f} billion yuan of "
                f"equity in the other two from 2012 to 2016, and received "
                f"{capital['back'] / 10:.0f}. No prices for market segmentation.",
                f"北京占三地研究人员的比重：2014 年 {staff[2014]:.1f}%，"
                f"2019 年 {staff[2019]:.1f}%；占外省流入人口的比重：2010 年 {came[2010]:.1f}%，"
                f"2020 年 {came[2020]:.1f}%。2010—2020 年就业占比相对其他大城市的变化（百分点）："
                f"批发和零售业 {said(low, 2).zh}，科研技术服务业 {said(high, 2).zh}。"
                f"2012—2016 年北京对津冀股权投资 {capital['out']:.0f} 亿元，"
                f"津冀对北京 {capital['back']:.0f} 亿元。市场分割指数缺少价格数据。",
            ),
            {
                "researchers_percent": staff,
                "migrants_percent": came,
                "effect": {"wholesale": low, "research": high},
            },
        ),
        "Q7": Finding(
            (*map(small, spill.values()), STATED),
            Text(
                f"Effect on technology bought, logs: Tianjin {said(spill['tianjin']).en}, Hebei "
                f"{said(spill['hebei']).en}. The intervals reach "
                f"{spill['tianjin']['high']:.2f} and "
                f"{spill['hebei']['high']:.2f}: too wide to call the spillover small.",
                f"对吸纳技术合同额（对数）的效应：天津 {said(spill['tianjin']).zh}，"
                f"河北 {said(spill['hebei']).zh}。区间上限达 {spill['tianjin']['high']:.2f} 和 "
                f"{spill['hebei']['high']:.2f}，过宽，无法断定外溢有限。",
            ),
            {"effect": spill},
        ),
    }


def recommendations() -> dict[str, tuple[Text, dict[str, Any]]]:
    """R1 to R5: what the numbers say for or against each; no verdict, they are not facts."""
    product = {unit: estimates.province("log_gdp", unit) for unit in ("tianjin", "hebei")}
    hosts = estimates.lights("others")
    table = chains.indicators()["bought_over_sold"]
    hebei = {year: float(table["130000", year]) for year in (2014, 2019)}
    receipts = sharing_rules.content()
    tier = platform_tiers().set_index("tier").loc["specialised-46"]
    origin = {rule: receipts[rule]["origin_percent"] for rule in ("rule_2015", "joint_fund")}
    fund = 100 * jp.fiscal.HAIDIAN_QINHUANGDAO.shares["joint_fund"]
    return {
        "R1": (
            Text(
                f"No effect on product to build on: Tianjin {said(product['tianjin']).en}, Hebei "
                f"{said(product['hebei']).en}.",
                f"未见可资依据的产出效应：天津 {said(product['tianjin']).zh}，"
                f"河北 {said(product['hebei']).zh}。",
            ),
            {"effect": product},
        ),
        "R2": (
            Text(
                f"Cannot be judged: of {tier['number']} specialised platforms {tier['named']} are "
                f"named here, {tier['named_stated']} of them by a source; none has figures. The "
                f"lights of the host counties but Xiong'an do not stand out: {said(hosts, 2).en}.",
                f"无从判断：{tier['number']} 个专业平台中仅收录 {tier['named']} 个"
                f"（其中 {tier['named_stated']} 个有来源），且均无经营数据。"
                f"除雄安外，承接平台所在县区的夜间灯光并不突出：{said(hosts, 2).zh}。",
            ),
            {"lights": hosts},
        ),
        "R3": (
            Text(
                "Cannot be judged from three sectors and no firm records.",
                "仅有三次产业数据、缺少企业数据，无从判断。",
            ),
            {},
        ),
        "R4": (
            Text(
                "Hebei bought "
                f"{hebei[2014]:.1f} times what it sold in 2014 and {hebei[2019]:.1f} in 2019: it "
                "absorbs less than before, relative to its own sales.",
                f"河北技术合同吸纳额与输出额之比由 2014 年的 {hebei[2014]:.1f} "
                f"降至 2019 年的 {hebei[2019]:.1f}，相对自身输出，吸纳程度下降。",
            ),
            {"bought_over_sold": hebei},
        ),
        "R5": (
            Text(
                f"Who gains depends on the rule: the illustrative origin receives "
                f"{origin['rule_2015']:.0f}% under that of 2015 and {origin['joint_fund']:.0f}% "
                f"with a joint fund, which takes {fund:.0f}%.",
                f"得失取决于规则：示例中迁出地按 2015 年办法得 {origin['rule_2015']:.0f}%，"
                f"按共同发展基金模式得 {origin['joint_fund']:.0f}%，基金另得 {fund:.0f}%。",
            ),
            {"origin_percent": origin},
        ),
    }
