"""What tests each claim: parts that were confirmed, refuted or cannot be tested, and the numbers.

A part is confirmed by a source other than the article, or by a number computed here under the rule
beside it. A fact that only the article states is not testable, and never confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cities
import convergence
import origin_destination
import structural_change
import study

import jjjpolicy as jp
from jjjpolicy.datasets import facts
from jjjpolicy.platform import platform_tiers, platforms, relocation_models
from jjjpolicy.report import Text, format_number, format_pvalue

LEVEL = 0.1  # with one treated province and 28 placebos a p-value cannot be below 0.034
NEGLIGIBLE = 0.1  # log points: an effect is small if its interval ends below
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


def dated(*ids: str) -> tuple[bool | None, ...]:
    """Whether the date of each policy stands in another source."""
    return tuple(confirmed(jp.policies[i].source, jp.policies[i].confidence) for i in ids)


def tiers(*names: str) -> bool | None:
    """Whether another source gives the number of platforms of every tier."""
    rows = platform_tiers().set_index("tier").loc[list(names)]
    return True if all(map(confirmed, rows["source"], rows["confidence"])) else STATED


@cache
def effect(outcome: str, unit: str) -> jp.Estimate:
    """Demeaned synthetic control for one province, all others as donors."""
    return origin_destination.estimates(outcome, unit, "all")["dsc"]


def summary(estimate: jp.Estimate) -> dict[str, float]:
    """Estimate, the larger of its placebo p-values, and the upper end of the interval."""
    assert estimate.inference is not None
    ratio = estimate.inference.details.get("rmspe_pvalue", 0.0)
    low, high = estimate.interval(0.95)
    return {"att": estimate.att, "p": max(estimate.pvalue, ratio), "low": low, "high": high}


def found(values: dict[str, float], sign: int) -> bool:
    """Whether an effect has the claimed sign and is rare among placebos."""
    return values["att"] * sign > 0 and values["p"] <= LEVEL


def said(values: dict[str, float], digits: int = 3) -> Text:
    """An estimate with its p-value, for a sentence."""
    size, pvalue = format_number(values["att"], digits), format_pvalue(values["p"], 2)
    return Text(f"{size} (p {pvalue})", f"{size}（p = {pvalue}）")


def policies() -> dict[str, Finding]:
    """P1 to P7: policies, counts of moved firms, platforms."""
    firms = summary(effect("log_hightech_firms", "beijing"))
    share = summary(study.estimates(cities.design("share_secondary", "beijing"))["sc"])
    bought = summary(effect("log_tech_contracts_bought", "hebei"))
    intensity = summary(study.estimates(study.design("rd_intensity_single_vintage", "hebei"))["sc"])
    table = facts("relocation").set_index("fact_id")["value"]
    moved = {key: table[f"bj-manufacturing-exit-{key}"] for key in ("2017", "2020")}
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
            (*p3, STATED, found(firms, -1)),
            Text(
                f"{sum(p is True for p in p3)} of {len(p3)} catalogues are dated in news; "
                "refusals are not published. Effect on "
                f"Beijing's high-technology firms, logs: {said(firms).en}.",
                f"{len(p3)} 版目录中 {sum(p is True for p in p3)} 版有报道佐证；"
                "不予办理件数无公开数据。"
                f"对北京高技术企业数（对数）的效应为 {said(firms).zh}。",
            ),
            {"effect": firms},
        ),
        "P4": Finding(
            (*dated("relief-campaign-2017"), STATED, STATED, found(share, -1)),
            Text(
                f"By 2018 other sources count {least:,} or over {most:,}; {moved['2020']:,.0f} by "
                f"2020 needs {pace[0]:.0f} to {pace[1]:.0f} a year after {moved['2017']:.0f} in "
                f"2017. Effect on Beijing's secondary share to 2017, points: {said(share, 2).en}.",
                f"截至 2018 年，其他来源分别为 {least} 家和超过 {most} 家，口径不一；"
                f"若 2020 年达 {moved['2020']:.0f} 家，"
                f"则此后年均 {pace[0]:.0f} 至 {pace[1]:.0f} 家，"
                f"而 2017 年为 {moved['2017']:.0f} 家。"
                f"至 2017 年对北京第二产业占比（百分点）的效应为 {said(share, 2).zh}。",
            ),
            {"by_2018": counts, "effect": share},
        ),
        "P5": Finding(
            (tiers("tianjin-1", "tianjin-16"), STATED),
            Text(
                "The platforms stand in other sources, the investment in the article alone.",
                "平台数量有其他来源佐证；投资额仅见于该文。",
            ),
            {},
        ),
        "P6": Finding(
            (
                tiers("hebei-1", "hebei-5", "hebei-4", "hebei-33"),
                *[STATED] * 3,
                found(bought, 1),
                found(intensity, 1),
            ),
            Text(
                "The platforms stand in another source, the counts in the article alone. Effects "
                f"on Hebei: technology bought, logs, {said(bought).en}; R&D intensity, points, "
                f"{said(intensity).en}.",
                "平台数量有其他来源佐证；各项数量仅见于该文。对河北的效应：吸纳技术合同额（对数）"
                f"{said(bought).zh}，研发强度（百分点）{said(intensity).zh}。",
            ),
            {"technology": bought, "intensity": intensity},
        ),
        "P7": Finding(
            (STATED,) * 4,
            Text("Stated by the article alone.", "仅见于该文。"),
            {},
        ),
    }


def outcomes() -> dict[str, Finding]:
    """P8 to P11: layout, structure, models."""
    sigma = convergence.content()["sigma"]["jing-jin-ji"]
    region, pace = structural_change.region(), structural_change.moved()["after"]
    shares, own = region["computed"][2019], region["shares"]
    ranks = {key: int(pace[key]["rank"]) for key in study.CITIES}
    between = own[2014]["tertiary"] < shares["tertiary"] < own[2020]["tertiary"]
    late = region["stage"][2014] in ("middle industrial", "late industrial")
    step = region["beijing_revision"]
    rows = platforms()
    models = [
        confirmed("; ".join(rows.loc[rows["model"] == name, "source"]))
        for name in relocation_models()["model"]
    ]
    seen = sum(each is True for each in models)
    return {
        "P8": Finding(
            (STATED, sigma[2019] < sigma[2014]),
            Text(
                f"Dispersion of log product over the three: {sigma[2014]:.3f} in 2014, "
                f"{sigma[2019]:.3f} in 2019. No figures below the province for the wings.",
                f"三地生产总值对数的标准差：2014 年 {sigma[2014]:.3f}，2019 年 {sigma[2019]:.3f}。"
                "“两翼”无省以下数据。",
            ),
            {"sigma": sigma},
        ),
        "P9": Finding(
            (between, late, max(ranks.values()) <= pace["cities"] / 2),
            Text(
                f"2019 from three communiqués: tertiary {shares['tertiary']:.1f}, on the way. The "
                f"article also prints {region['tertiary_2014_also_stated']:.1f} for 2014. "
                "Its years straddle the census revision: "
                f"Beijing's share rose {step['step']:.1f} points from 2017 (old) to 2018 (new), "
                f"{step['yearly_gain_2014_2017']:.1f} a year before. By sector shares 2014 is "
                f"{region['stage'][2014]} already. Gain 2014-2017 ranks {ranks['beijing']}, "
                f"{ranks['tianjin']} and {ranks['shijiazhuang']} of {pace['cities']} cities "
                "(Beijing, Tianjin, Shijiazhuang).",
                f"由三地统计公报计算，2019 年第三产业占比 {shares['tertiary']:.1f}%，介于二者之间。"
                f"该文 2014 年另作 {region['tertiary_2014_also_stated']:.1f}%。"
                "所比年份跨越普查修订："
                f"北京由 2017 年（修订前）到 2018 年（修订后）提高 {step['step']:.1f} 个百分点，"
                f"此前年均仅 {step['yearly_gain_2014_2017']:.1f}。"
                "按产业结构标准，2014 年已属后工业化阶段。"
                f"2014—2017 年提高幅度在 {pace['cities']} 个城市中，"
                f"北京、天津、石家庄分列第 {ranks['beijing']}、{ranks['tianjin']}、"
                f"{ranks['shijiazhuang']} 位。",
            ),
            {"rank": ranks, "tertiary_2019": shares["tertiary"]},
        ),
        "P10": Finding(
            (STATED,) * 5,
            Text(
                "Stated by the article alone; no sector figures of 2020 from elsewhere.",
                "仅见于该文；2020 年分产业数据无其他来源。",
            ),
            {},
        ),
        "P11": Finding(
            (*models, STATED, STATED, STATED),
            Text(
                f"{seen} of {len(models)} models have a platform in another source; numbers of "
                "firms stand in the article alone.",
                f"{len(models)} 种模式中有 {seen} 种的平台有其他来源佐证；企业数仅见于该文。",
            ),
            {"models": seen, "all": len(models)},
        ),
    }
