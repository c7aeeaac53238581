"""An estimate in words: what a referee looks for, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.results import fits_ahead
from jjjpolicy.report.estimates.attained import Attained, attained, percent
from jjjpolicy.report.estimates.chinese import in_chinese, method_in_chinese
from jjjpolicy.report.estimates.digest import DIGITS, Digest, Line, table_of
from jjjpolicy.report.estimates.ranks import rank_lines
from jjjpolicy.report.estimates.sample import sample_lines
from jjjpolicy.report.estimates.search import search_lines
from jjjpolicy.report.tables.cells import decimals, format_number, format_pvalue
from jjjpolicy.report.text import Language, Text, chosen, words
from jjjpolicy.sensitivity.effect_range import undecided_range
from jjjpolicy.sensitivity.pretrends import pretrend_test

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.report.tables.content import Content

MOST_GROUPS, MOST_EFFECTS = 15, 40
"""Treated units or cohorts, and event times, up to which a summary lists effects."""


def summary(
    estimate: Estimate,
    *,
    level: float = 0.95,
    digits: int | None = None,
    language: Language | None = None,
) -> str:
    """Estimand, effect, inference, sample and effects by event time, as text for a terminal.

    Parameters
    ----------
    estimate : Estimate
    level : float
        Of the intervals. Where so few assignments are possible that no interval of this level has
        ends, the widest that has is given with its own level.
    digits : int, optional
        Decimals; by default four, and more where the numbers are too small for them.
    language : "en" or "zh", optional
        By default the one that is set (:func:`jjjpolicy.set_language`).

    Raises
    ------
    DataError
        Another language.
    InferenceError
        ``level`` is not between 0 and 1.
    """
    return digest(estimate, level, digits, chosen(language)).text()


def digest(estimate: Estimate, level: float, digits: int | None, language: Language) -> Digest:
    """What the summary says, to be shown as text or as HTML."""
    label = estimate.estimator.label
    outcome = estimate.design.labels.outcome_in(language)
    title = Text(f"{label}: effect on {outcome}", f"{method_in_chinese(label)}：对{outcome}的影响")
    result = estimate.inference
    waiting = 0 if result is None else fits_ahead(result.bounds, level)
    interval = None if waiting else attained(estimate, level)
    shown = level if interval is None else interval.level
    return Digest(
        words(title, language),
        label,
        tuple(_lines(estimate, interval, waiting, digits, language)),
        tuple(_tables(estimate, shown, digits, language)),
        language,
    )


def _lines(
    estimate: Estimate,
    interval: Attained | None,
    waiting: int,
    digits: int | None,
    language: Language,
) -> Iterator[Line]:
    def line(en: str, zh: str, *texts: Text) -> Line:
        label = words(Text(en, zh), language)
        return Line(label, tuple(words(text, language) for text in texts))

    def same(text: str) -> Text:
        return Text(text, in_chinese(text))

    result, design = estimate.inference, estimate.design
    ends = () if interval is None else (interval.low, interval.high)
    places = decimals([estimate.att, estimate.se, *ends], DIGITS) if digits is None else digits
    att = format_number(estimate.att, places)
    estimand = estimate.estimand
    yield line(
        "ATT",
        "平均处理效应",
        Text(f"{att}   ({estimand})", f"{att}   （{in_chinese(estimand)}）"),
    )
    if result is None:
        yield line(
            "inference",
            "推断方法",
            Text("none attached; use .with_inference(…)", "未附推断；使用 .with_inference(…)"),
        )
    else:
        if result.se is not None:
            yield line("std. error", "标准误", same(format_number(result.se, places)))
        if result.pvalue is not None:
            pvalue, least = format_pvalue(result.pvalue), result.smallest_pvalue
            known = None if least is None else format_pvalue(least)
            yield line(
                "p-value",
                "p 值",
                same(pvalue)
                if known is None
                else Text(
                    f"{pvalue}   (smallest attainable {known})",
                    f"{pvalue}   （可达到的最小值 {known}）",
                ),
            )
        if interval is not None:
            low, high = (format_number(end, places) for end in ends)
            at = percent(interval.level)
            told = Text(f"[{low}, {high}]", f"[{low}, {high}]")
            if interval.widest:
                told = Text(
                    f"{told.en}   (the highest level that so few assignments allow)",
                    f"{told.zh}   （分配方案如此之少时所能达到的最高水平）",
                )
            yield line(f"{at} interval", f"{at} 区间", told)
        elif waiting:
            told = Text(
                f"takes about {waiting:,} fits: ask for it with .interval()",
                f"约需 {waiting:,} 次估计，请以 .interval() 另行计算",
            )
            yield line("interval", "区间", told)
        yield from rank_lines(estimate, language)
        yield line("inference", "推断方法", same(result.name), *map(same, result.notes))
    yield from _pretrends(estimate, language)
    yield from _weights_undecided(estimate, digits, language)
    yield from search_lines(estimate, language)
    yield from sample_lines(
        design, language, estimate.estimator.unused_covariates(design), _options(estimate)
    )


def _tables(
    estimate: Estimate, level: float, digits: int | None, language: Language
) -> Iterator[Content]:
    """Effects by treated unit, by cohort and by event time; their intervals have one level."""
    at = "" if level == 0.95 else percent(level)

    def titled(en: str, zh: str, intervals: bool) -> str:
        level_en, level_zh = (
            (f" ({at} intervals)", f"（{at} 区间）") if at and intervals else ("", "")
        )
        return words(Text(en + level_en, zh + level_zh), language)

    def table(en: str, zh: str, frame: pd.DataFrame) -> Content:
        known = frame.dropna(axis=1, how="all")
        return table_of(titled(en, zh, "lower" in known), known, language, digits)

    result = estimate.inference
    units, cohorts, clock = (
        estimate.unit_effects,
        estimate.cohort_effects,
        estimate.design.labels.clock,
    )
    if units is not None and 0 < len(units) <= MOST_GROUPS:
        yield table_of(titled("By treated unit", "按处理组地区", False), units, language, digits)
    if cohorts is not None and 1 < len(cohorts) <= MOST_GROUPS:
        if result is not None and fits_ahead(result.cohorts, level):
            shown = cohorts
        else:
            shown = estimate.by_cohort if level == 0.95 else estimate.by_cohort_at(level)
        yield table("By adoption cohort", "按首次处理批次", shown)
    waits = result is not None and fits_ahead(result.effects, level) > 0
    effects = (estimate.with_result(None) if waits else estimate).effects
    if 0 < len(effects) <= MOST_EFFECTS:
        shown = effects if level == 0.95 or waits else estimate.effects_at(level)
        if clock.frequency is not None and len(estimate.design.cohorts) == 1:
            periods = clock.names(shown["event_time"] + estimate.design.cohorts[0])
            shown = shown.copy()
            shown.insert(1, "period", periods)
        if waits:
            yield table(
                "By event time (intervals with .effects)", "按事件时间（区间见 .effects）", shown
            )
        else:
            yield table("By event time", "按事件时间", shown)


def _pretrends(estimate: Estimate, language: Language) -> Iterator[Line]:
    """The joint test of effects before treatment, where the attached covariance allows one."""
    try:
        found = pretrend_test(estimate)
    except InferenceError:
        return
    pvalue = format_pvalue(found.pvalue)
    df = "∞" if np.isinf(found.denominator_df) else f"{found.denominator_df:.0f}"
    test = (
        f"F({found.numerator_df}, {df}) = {format_number(found.statistic, 2)}, "
        f"p {pvalue if pvalue.startswith('<') else f'= {pvalue}'}"
    )
    text = Text(
        f"all {found.numerator_df} effects before treatment zero: {test}",
        f"处理前 {found.numerator_df} 个效应均为零：{test}",
    )
    yield Line(words(Text("pre-trends", "事前趋势"), language), (words(text, language),))


def _options(estimate: Estimate) -> str:
    """Options of the estimator that are plain values."""
    return ", ".join(
        f"{name}={value!r}"
        for name, value in estimate.estimator.specification().items()
        if name != "name" and isinstance(value, str | int | float | tuple)
    )


def _weights_undecided(
    estimate: Estimate, digits: int | None, language: Language
) -> Iterator[Line]:
    """The range of effects under weights that fit alike, where the data leave a choice."""
    found = undecided_range(estimate)
    if found is None:
        return
    values = (found.lower, found.upper, found.closest)
    places = decimals(values, DIGITS) if digits is None else digits
    low, high, closest = (format_number(value, places) for value in values)
    perfect = bool(found.units["perfect_fit"].all())
    larger = f"{found.tolerance:.0%}"
    texts = (
        Text(
            f"effects from {low} to {high} fit the periods before treatment",
            f"其他权重下效应为 {low} 至 {high}，对处理前各期的拟合",
        ),
        Text("just as perfectly;", "同样完全；")
        if perfect
        else Text(
            f"about as well (RMSPE at most {larger} larger);",
            f"大致相当（RMSPE 最多高 {larger}）；",
        ),
        Text(
            f"on the closest donors, as a tie-break: {closest}",
            f"若优先取最接近的对照地区：{closest}",
        ),
    )
    label = words(Text("other weights", "其他权重"), language)
    yield Line(label, tuple(words(text, language) for text in texts))
