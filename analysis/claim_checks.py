"""What tests each claim: parts that were confirmed, refuted or cannot be tested, and the numbers.

A part is confirmed by a source other than the article, or by a number computed here under the rule
beside it. A fact that only the article states is not testable, and never confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import claim_estimates as estimates
import convergence
import numpy as np
import sectors
import structural_change
import study
from claim_estimates import found, said

import jjjpolicy as jp
from jjjpolicy.panels.datasets import facts
from jjjpolicy.registry.platform import platform_tiers, platforms, relocation_models
from jjjpolicy.report import Text

NEGLIGIBLE = 0.1  # log points: an effect is small if its interval ends below
NEAR = 0.1  # a count of "nearly" or "about" so many may differ by this share from another source
ROUNDING = 0.1  # points: printed shares are adjusted so that they sum to 100
STATED = None  # a part that only the article states


@dataclass(frozen=True)
class Finding:
    """Parts of a claim (True, False or None: not testable), the sentence, the numbers behind it."""

    parts: tuple[bool | None, ...]
    measured: Text
    values: dict[str, Any]


def confirmed(source: str, confidence: str = "") -> bool | None:
    """Whether a source other than the article (or the document itself) says so; None if not."""
    others = [part.strip() for part in source.split(";")]
    known = [p for p in others if not p.startswith(("review_article", "recollection"))]
    return True if confidence == "read" or known else STATED


def near(stated: float, other: float) -> bool:
    """Whether a rounded count agrees with that of another source."""
    return bool(abs(other / stated - 1) <= NEAR)


def same(stated: Any, computed: Any) -> bool:
    """Whether printed percentages agree with those computed or from another source."""
    return bool(np.all(abs(computed - stated) < ROUNDING))


def dated(*ids: str) -> tuple[bool | None, ...]:
    """Whether the date of each policy stands in another source."""
    return tuple(confirmed(jp.policies[i].source, jp.policies[i].confidence) for i in ids)


def tiers(*names: str) -> bool | None:
    """Whether another source gives the number of platforms of every tier."""
    rows = platform_tiers().set_index("tier").loc[list(names)]
    return True if all(map(confirmed, rows["source"], rows["confidence"])) else STATED


def policies() -> dict[str, Finding]:
    """P1 to P7: policies, counts of moved firms, platforms."""
    firms = estimates.province("log_hightech_firms", "beijing")
    enterprises = estimates.origin("enterprises")
    stock = {
        "share": estimates.share("secondary", "110000"),
        "manufacturing": estimates.origin("manufacturing"),
        "wholesale": estimates.employment("wholesale_retail"),
    }
    bought = estimates.province("log_tech_contracts_bought", "hebei")
    intensity = estimates.intensity()
    received = {key: estimates.destination(key) for key in ("investment", "manufacturing")}
    built = estimates.lights("xiongan")
    table = facts("relocation").set_index("fact_id")["value"]
    moved = {key: table[f"bj-manufacturing-exit-{key}"] for key in ("2017", "2020")}
    markets, refused = (
        {"stated": table[stated], "other": table[other]}
        for stated, other in (
            ("bj-markets-2020", "bj-markets-by-2021-02"),
            ("bj-refused-2014-2020", "bj-refused-by-2020-12"),
        )
    )
    left = table["bj-manufacturing-exit-by-2021-02"]
    counts = {
        key: int(table[f"bj-manufacturing-exit-{key}"]) for key in ("2014-2018", "by-2019-01")
    }
    least, most = min(counts.values()), max(counts.values())
    pace = [(moved["2020"] - each) / 2 for each in (most, least)]
    half = jp.fiscal.RULE_2015.shares["origin"] == 0.5
    p1 = dated("outline-2015", "tax-sharing-2015", "industrial-transfer-plan-2015")
    p2 = dated(
        *(f"{name}-agreement-2014" for name in ("airport-zone", "caofeidian")),
        *(f"{name}-agreement-2014" for name in ("binhai-zhongguancun", "future-science-city")),
        "key-platforms-2017",
        "science-cooperation-2018",
    )
    p3 = dated(*(f"restricted-industries-{year}" for year in (2014, 2015, 2018)))
    return {
        "P1": Finding(
            (*p1, half, STATED),
            Text(
                "The tax rule was read: 3 June 2015, 50:50. Months of Outline and plan stand in "
                "the article alone; news give the five districts to a guide of June 2016.",
                "税收分享办法原文已核对：2015 年 6 月 3 日，五五分成。纲要和规划的月份仅见于该文；"
                "“五区五带五链”另有报道称出自 2016 年 6 月的产业转移指南。",
            ),
            {},
        ),
        "P2": Finding(
            p2,
            Text(
                f"{sum(p is True for p in p2)} of {len(p2)} have a date in another source.",
                f"{len(p2)} 项中有 {sum(p is True for p in p2)} 项的日期有其他来源佐证。",
            ),
            {"dated": sum(p is True for p in p2), "all": len(p2)},
        ),
        "P3": Finding(
            (
                *p3,
                near(refused["stated"], refused["other"]),
                found(firms, -1),
                found(enterprises, -1),
            ),
            Text(
                f"{sum(p is True for p in p3)} of {len(p3)} catalogues are dated in news; the city "
                f"counts {refused['other']:,.0f} refusals by the end of 2020. Effects on "
                f"Beijing, logs: high-technology firms {said(firms).en}, industrial enterprises "
                f"{said(enterprises).en}.",
                f"{len(p3)} 版目录中 {sum(p is True for p in p3)} 版有报道佐证；"
                f"北京市通报截至 2020 年底不予办理 {refused['other'] / 1e4:.2f} 万件。"
                f"对北京的效应（对数）：高技术企业数 {said(firms).zh}，"
                f"规模以上工业企业数 {said(enterprises).zh}。",
            ),
            {"effect": {"hightech": firms, "enterprises": enterprises}, "refused": refused},
        ),
        "P4": Finding(
            (
                *dated("relief-campaign-2017"),
                near(moved["2020"], left),
                near(markets["stated"], markets["other"]),
                *(found(effect, -1) for effect in stock.values()),
            ),
            Text(
                f"In February 2021 the city counts over {left:,.0f} manufacturers and polluting "
                f"firms and over {markets['other']:,.0f} markets and logistics centres since 2014. "
                f"By 2018 sources count {least:,} or over {most:,} firms; {moved['2020']:,.0f} by "
                f"2020 needs {pace[0]:.0f} to {pace[1]:.0f} a year after {moved['2017']:.0f} in "
                f"2017. Effects on Beijing: secondary share, 2015 to 2018, points, "
                f"{said(stock['share'], 2).en}; manufacturing employment, logs, "
                f"{said(stock['manufacturing']).en}; wholesale and retail in employment, 2010 to "
                f"2020, points, {said(stock['wholesale'], 2).en}.",
                f"北京市 2021 年 2 月通报：2014 年以来退出一般制造和污染企业 {left:.0f} 余家，"
                f"疏解提升市场和物流中心 {markets['other']:.0f} 余个。"
                f"截至 2018 年，其他来源分别为 {least} 家和超过 {most} 家，口径不一；"
                f"若 2020 年达 {moved['2020']:.0f} 家，"
                f"则此后年均 {pace[0]:.0f} 至 {pace[1]:.0f} 家，"
                f"而 2017 年为 {moved['2017']:.0f} 家。"
                "对北京的效应：2015—2018 年第二产业占比（百分点）"
                f"{said(stock['share'], 2).zh}，制造业从业人员（对数）"
                f"{said(stock['manufacturing']).zh}，2010—2020 年批发和零售业就业占比（百分点）"
                f"{said(stock['wholesale'], 2).zh}。",
            ),
            {"by_2018": counts, "by_2021": left, "markets": markets, "effect": stock},
        ),
        "P5": Finding(
            (tiers("tianjin-1", "tianjin-16"), STATED),
            Text(
                "The platforms stand in other sources, the investment of the quarter in the "
                f"article alone; {table['tj-inward-2021'] / 10:.0f} billion yuan arrived in all of "
                "2021.",
                "平台数量有其他来源佐证；一季度投资额仅见于该文，"
                f"2021 年全年到位 {table['tj-inward-2021']:.1f} 亿元。",
            ),
            {"inward_2021": table["tj-inward-2021"]},
        ),
        "P6": Finding(
            (
                tiers("hebei-1", "hebei-5", "hebei-4", "hebei-33"),
                *[STATED] * 3,
                found(bought, 1),
                found(intensity, 1),
                *(found(effect, 1) for effect in received.values()),
            ),
            Text(
                "The platforms stand in another source, the counts in the article alone (2021: "
                f"{table['he-received-2021']:,.0f} legal entities by another source). Effects "
                f"on Hebei: technology bought, logs, {said(bought).en}; R&D intensity, points, "
                f"{said(intensity).en}; in its eleven cities, logs, foreign investment "
                f"{said(received['investment']).en}, manufacturing employment "
                f"{said(received['manufacturing']).en}.",
                "平台数量有其他来源佐证；各项数量仅见于该文"
                f"（2021 年当年另有来源称转入法人单位 {table['he-received-2021']:.0f} 个）。"
                "对河北的效应：吸纳技术合同额（对数）"
                f"{said(bought).zh}，研发强度（百分点）{said(intensity).zh}；"
                f"十一市合计（对数）：实际利用外资 {said(received['investment']).zh}，"
                f"制造业从业人员 {said(received['manufacturing']).zh}。",
            ),
            {"effect": {"technology": bought, "intensity": intensity, **received}},
        ),
        "P7": Finding(
            (STATED,) * 4,
            Text(
                "Stated by the article alone. Langfang and Tongzhou: over "
                f"{table['north-three-projects-2023']:.0f} projects, "
                f"{table['north-three-investment-2023'] / 10:.0f} billion by September 2023. "
                f"The lights of Xiong'an rise by {said(built, 2).en} log points, which shows "
                "building and no count of firms.",
                "仅见于该文。北三县与通州：截至 2023 年 9 月签约 "
                f"{table['north-three-projects-2023']:.0f} 余个、"
                f"意向投资超 {table['north-three-investment-2023']:.0f} 亿元。"
                f"雄安夜间灯光上升 {said(built, 2).zh} 个对数点，反映的是建设而非企业数量。",
            ),
            {"lights": built},
        ),
    }


def outcomes() -> dict[str, Finding]:
    """P8 to P11: layout, structure, models."""
    sigma = convergence.content()["sigma"]["jing-jin-ji"]
    cities = estimates.dispersion()
    wings = {key: estimates.lights(key) for key in ("xiongan", "sub_centre")}
    region, pace = structural_change.region(), structural_change.moved()["after"]
    shares, stated = sectors.computed(), sectors.stated()
    alike = {
        (code, year): same(
            stated.loc[(code, year)].dropna(),
            shares.loc[(code, year), stated.loc[(code, year)].dropna().index],
        )
        for code, year in (
            (sectors.REGION, 2014),
            (sectors.REGION, 2020),
            ("110000", 2020),
            ("130000", 2020),
        )
    }
    faster = estimates.share("tertiary", sectors.REGION)
    structure = {
        (code, year): ":".join(f"{share:.1f}" for share in shares.loc[(code, year)])
        for code, year in alike
    }
    table = facts("relocation").set_index("fact_id")["value"]
    grew = {key: float(table[f"tj-hightech-{key}-2020"]) for key in ("growth", "lead")}
    branches = {key: table[f"zgc-branches-{key}"] for key in ("2020", "by-2020-12")}
    late = region["stage"][2014] in ("middle industrial", "late industrial")
    within, step = region["gain_within"], region["revision_2018"]
    rank = {key: int(pace[key]["rank"]) for key in ("region", *study.SINGLE)}
    rows = platforms()
    models = [
        confirmed("; ".join(rows.loc[rows["model"] == name, "source"]))
        for name in relocation_models()["model"]
    ]
    seen = sum(each is True for each in models)
    return {
        "P8": Finding(
            (
                STATED,
                sigma[2019] < sigma[2014],
                cities[2018] < cities[2014],
                *(found(effect, 1) for effect in wings.values()),
            ),
            Text(
                f"Dispersion of log product over the three: {sigma[2014]:.3f} in 2014, "
                f"{sigma[2019]:.3f} in 2019; over their cities {cities[2014]:.3f} in 2014 and "
                f"{cities[2018]:.3f} in 2018 in the old accounts, {cities[2019]:.3f} in 2019 and "
                f"{cities[2023]:.3f} in 2023 in the new. Effects on the lights of the wings, logs: "
                f"Xiong'an {said(wings['xiongan']).en}, Tongzhou {said(wings['sub_centre']).en}.",
                f"三地生产总值对数的标准差：2014 年 {sigma[2014]:.3f}，2019 年 {sigma[2019]:.3f}。"
                f"区域内各市：旧口径 2014 年 {cities[2014]:.3f}、2018 年 {cities[2018]:.3f}，"
                f"新口径 2019 年 {cities[2019]:.3f}、2023 年 {cities[2023]:.3f}。"
                f"对“两翼”夜间灯光（对数）的效应：雄安 {said(wings['xiongan']).zh}，"
                f"通州 {said(wings['sub_centre']).zh}。",
            ),
            {"sigma": sigma, "cities": cities, "lights": wings},
        ),
        "P9": Finding(
            (
                alike[sectors.REGION, 2014],
                alike[sectors.REGION, 2020],
                late,
                found(faster, 1),
            ),
            Text(
                f"Value added gives {structure[sectors.REGION, 2014]} for 2014 and "
                f"{structure[sectors.REGION, 2020]} for 2020, on two sides of the census revision. "
                f"Of the {region['printed_gain']:.1f} points that the tertiary share gains, "
                f"{within['old']:.1f} fall in 2014 to 2018 within the old accounts, "
                f"{within['new']:.1f} in 2019 to 2020 within the new. The revision alone adds "
                f"{step['beijing']['step']:.1f} points in Beijing and {step['hebei']['step']:.1f} "
                f"in Hebei in 2018. By sector shares 2014 is {region['stage'][2014]} already. "
                f"The gain of 2014 to 2018 ranks {rank['region']} of {pace['others'] + 1}; effect, "
                f"points: {said(faster, 2).en}.",
                f"由增加值计算，2014 年为 {structure[sectors.REGION, 2014].replace(':', '∶')}，"
                f"2020 年为 {structure[sectors.REGION, 2020].replace(':', '∶')}，"
                "分处普查修订前后。"
                f"第三产业占比提高的 {region['printed_gain']:.1f} 个百分点中，"
                f"旧口径内 2014—2018 年为 {within['old']:.1f}，"
                f"新口径内 2019—2020 年为 {within['new']:.1f}。"
                f"仅修订一项即使 2018 年北京提高 {step['beijing']['step']:.1f} 个百分点、"
                f"河北提高 {step['hebei']['step']:.1f} 个百分点。"
                "按产业结构标准，2014 年已属后工业化阶段。"
                f"2014—2018 年提高幅度在 {pace['others'] + 1} 个地区中列第 {rank['region']} 位，"
                f"效应（百分点）为 {said(faster, 2).zh}。",
            ),
            {"rank": rank, "effect": {"tertiary": faster}},
        ),
        "P10": Finding(
            (
                alike["110000", 2020],
                STATED,
                STATED,
                same(table["tj-hightech-growth-2020-article"], grew["growth"]),
                alike["130000", 2020],
            ),
            Text(
                f"From value added: Beijing {shares.loc[('110000', 2020), 'tertiary']:.1f}% "
                f"tertiary, Hebei {structure['130000', 2020]}. Tianjin's statistics office gives "
                f"+{grew['growth']:.1f}%, {grew['lead']:.1f} points above all industry. High-tech "
                "and strategic shares of Beijing stand in the article alone.",
                f"由增加值计算：北京第三产业占 {shares.loc[('110000', 2020), 'tertiary']:.1f}%，"
                f"河北为 {structure['130000', 2020].replace(':', '∶')}。天津市统计局公布增速为 "
                f"{grew['growth']:.1f}%，快于规上工业 {grew['lead']:.1f} 个百分点。"
                "北京高技术、战略性新兴产业占比仅见于该文。",
            ),
            {
                "tertiary_beijing": float(shares.loc[("110000", 2020), "tertiary"]),
                "tianjin": grew,
            },
        ),
        "P11": Finding(
            (*models, near(branches["2020"], branches["by-2020-12"]), STATED, STATED),
            Text(
                f"{seen} of {len(models)} models have a platform in another source, which is also "
                f"there for {branches['by-2020-12']:,.0f} branches by 2020; other numbers of firms "
                "stand in the article alone.",
                f"{len(models)} 种模式中有 {seen} 种的平台有其他来源佐证；"
                f"截至 2020 年分支机构 {branches['by-2020-12']:.0f} 家亦有佐证；"
                "其他企业数仅见于该文。",
            ),
            {"models": seen, "all": len(models), "branches": branches["by-2020-12"]},
        ),
    }
