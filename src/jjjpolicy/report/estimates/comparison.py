"""Estimates side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import DataError
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.estimation.names import Named, by_name
from jjjpolicy.report.estimates.attained import Attained, attained, percent
from jjjpolicy.report.estimates.chinese import in_chinese
from jjjpolicy.report.tables.cells import (
    Cell,
    Interval,
    Number,
    PValue,
    StandardError,
    WidestInterval,
    decimals,
)
from jjjpolicy.report.tables.content import Column, Panel, Row
from jjjpolicy.report.tables.table import Table
from jjjpolicy.report.text import Label, Language, Text, chosen

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design


def compare(
    estimates: Named[Estimate],
    *,
    id: str = "comparison",
    caption: Label = Text("Estimates side by side", "估计结果对比"),
    digits: int | None = None,
    level: float = 0.95,
    language: Language | None = None,
) -> Table:
    """Lay estimates side by side, one column each.

    Parameters
    ----------
    estimates : mapping of str to Estimate, or list of Estimate
        Column headings and estimates. Those of a list are called after their estimators and, where
        need be, their outcome, inference method, options or number.
    id, caption
        Of the table.
    digits : int, optional
        Decimals of estimates, standard errors and intervals; by default three, and more where the
        numbers of an estimate are too small for them.
    level : float
        Of the intervals. Where so few assignments are possible that no interval of this level has
        ends, the widest that has is printed behind its own level (``94.1%: […]``).
    language : "en" or "zh", optional
        In which the table prints where no other language is asked for; by default the one that is
        set (:func:`jjjpolicy.set_language`).

    Returns
    -------
    Table
        With ``to_latex()``, ``to_markdown()``, ``to_html()``, ``to_docx(path)``, ``to_frame()`` and
        ``to_excel(path)``.

    Raises
    ------
    DataError
        ``estimates`` is empty or holds something else, or the language is another.
    InferenceError
        ``level`` is not between 0 and 1.
    """
    estimates = by_name(estimates, Estimate, "compare()", DataError)
    columns = list(estimates.values())
    intervals = [attained(e, level) for e in columns]
    shown = [
        _decimals(e, found) if digits is None else digits
        for e, found in zip(columns, intervals, strict=True)
    ]

    def row(en: str, zh: str, cells: list[Cell]) -> Row:
        return Row(Text(en, zh), tuple(cells))

    def whole(en: str, zh: str, number: Callable[[Design], int]) -> Row:
        return row(en, zh, [Number(number(e.design), 0) for e in columns])

    percents = percent(level)
    ratios = [_ratio_pvalue(e) for e in columns]
    results = Panel(
        "",
        (
            row(
                "ATT",
                "平均处理效应",
                [Number(e.att, d) for e, d in zip(columns, shown, strict=True)],
            ),
            row(
                "Standard error",
                "标准误",
                [StandardError(e.se, d) for e, d in zip(columns, shown, strict=True)],
            ),
            row("p-value", "p 值", [PValue(e.pvalue) for e in columns]),
            row(
                "Smallest attainable p-value",
                "可达最小 p 值",
                [
                    PValue(None if e.inference is None else e.inference.smallest_pvalue)
                    for e in columns
                ],
            ),
            *(
                [
                    row(
                        "p-value of the RMSPE ratio",
                        "RMSPE 比的 p 值",
                        ["" if value is None else PValue(value) for value in ratios],
                    )
                ]
                if any(value is not None for value in ratios)
                else []
            ),
            row(
                f"{percents} interval",
                f"{percents} 置信区间",
                [_interval(found, d) for found, d in zip(intervals, shown, strict=True)],
            ),
        ),
    )
    sample = Panel(
        "",
        (
            whole("Units", "地区数", lambda design: design.count()),
            whole("Treated units", "处理组地区数", lambda design: design.count(design.treated)),
            row("First treated", "首次处理", [_first_treated(e.design) for e in columns]),
            row("Sample", "样本期", ["–".join(_ends(e.design)) for e in columns]),
            whole("Periods", "期数", lambda design: design.n_periods),
            whole("Observations", "观测值", lambda design: design.n_observations),
        ),
    )
    notes = [_note(name, e) for name, e in estimates.items()]
    if any(found is not None and found.widest for found in intervals):
        notes.append(
            Text(
                "An interval behind a level of its own is the widest that has ends: so few "
                "assignments are possible.",
                "标有自身水平的区间是分配方案如此之少时能给出端点的最宽区间。",
            )
        )
    if any(value is not None for value in ratios):
        notes.append(
            Text(
                "Beside a p-value of the RMSPE ratio, which ranks the effect relative to the fit "
                "before treatment (Abadie 2021), the p-value ranks the effect itself among placebo "
                "effects.",
                "给出 RMSPE 比的 p 值时，该值为效应相对于处理前拟合误差的位次（Abadie 2021），"
                "p 值则为效应本身在安慰剂效应中的位次。",
            )
        )
    return Table(
        id,
        caption,
        tuple(Column(name) for name in estimates),
        (results, sample),
        notes=tuple(notes),
        missing=Text("the inference method does not supply this number.", "该推断方法不提供此数。"),
        language=None if language is None else chosen(language),
    )


def _note(name: str, estimate: Estimate) -> Text:
    """What a column estimates, how it is inferred, and what it does not use."""
    estimator, design, result = estimate.estimator, estimate.design, estimate.inference
    unused = [*estimator.unused_covariates(design), *estimator.unused_predictors(design)]
    method = "none attached" if result is None else result.name
    chinese = "未附" if result is None else in_chinese(result.name)
    left = Text("", "")
    if unused:
        left = Text(
            f" Given and not used: {', '.join(unused)}.", f"给出而未使用：{'、'.join(unused)}。"
        )
    return Text(
        f"{name}: {estimate.estimand}; inference: {method}.{left.en}",
        f"{name}：{in_chinese(estimate.estimand)}；推断方法：{chinese}。{left.zh}",
    )


def _ratio_pvalue(estimate: Estimate) -> float | None:
    """Rank of the RMSPE ratio of one treated unit; None where there is none."""
    design, result = estimate.design, estimate.inference
    if result is None or design.count(design.treated) != 1:
        return None
    if not np.isfinite(result.details.get("rmspe_ratio", np.inf)):
        return None
    return float(result.details["rmspe_pvalue"])


def _first_treated(design: Design) -> str:
    """The first and the last adoption period."""
    ends = design.labels.clock.names(design.cohorts[[0, -1]])
    return "–".join(dict.fromkeys(map(str, ends)))


def _ends(design: Design) -> tuple[str, str]:
    return str(design.period_names[0]), str(design.period_names[-1])


def _decimals(estimate: Estimate, found: Attained | None) -> int:
    ends = () if found is None else (found.low, found.high)
    return decimals([estimate.att, estimate.se, *ends])


def _interval(found: Attained | None, digits: int) -> Interval | None:
    if found is None:
        return None
    if found.widest:
        return WidestInterval(found.low, found.high, digits, level=percent(found.level))
    return Interval(found.low, found.high, digits)
