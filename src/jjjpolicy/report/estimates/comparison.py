"""Estimates side by side."""

from __future__ import annotations

from jjjpolicy.errors import DataError
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.estimation.names import Named, by_name
from jjjpolicy.report.tables.cells import (
    Interval,
    Number,
    PValue,
    StandardError,
    decimals,
)
from jjjpolicy.report.tables.content import Column, Panel, Row
from jjjpolicy.report.tables.table import Table
from jjjpolicy.report.text import Label, Text


def compare(
    estimates: Named[Estimate],
    *,
    id: str = "comparison",
    caption: Label = Text("Estimates side by side", "估计结果对比"),
    digits: int | None = None,
    level: float = 0.95,
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
        Of the intervals.

    Returns
    -------
    Table
        With ``to_latex()``, ``to_markdown()``, ``to_html()``, ``to_docx(path)``, ``to_frame()`` and
        ``to_excel(path)``.

    Raises
    ------
    DataError
        ``estimates`` is empty, or holds something else.
    """
    estimates = by_name(estimates, Estimate, "compare()", DataError)
    columns = list(estimates.values())
    shown = [_decimals(e, level) if digits is None else digits for e in columns]

    def row(en: str, zh: str, cells: list[object]) -> Row:
        return Row(Text(en, zh), tuple(cells))  # type: ignore[arg-type]

    percent = f"{100 * level:g}%"
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
            row(
                f"{percent} interval",
                f"{percent} 置信区间",
                [_interval(e, level, d) for e, d in zip(columns, shown, strict=True)],
            ),
        ),
    )
    sample = Panel(
        "",
        (
            row("Units", "地区数", [Number(e.design.count(), 0) for e in columns]),
            row(
                "Treated units",
                "处理组地区数",
                [Number(e.design.count(e.design.treated), 0) for e in columns],
            ),
            row("Periods", "期数", [Number(e.design.n_periods, 0) for e in columns]),
            row("Observations", "观测值", [Number(e.design.n_observations, 0) for e in columns]),
        ),
    )
    notes = tuple(
        f"{name}: {e.estimand}; inference: "
        f"{'none attached' if e.inference is None else e.inference.name}.{_unused(e)}"
        for name, e in estimates.items()
    )
    return Table(
        id,
        caption,
        tuple(Column(name) for name in estimates),
        (results, sample),
        notes=notes,
        missing=Text("the inference method does not supply this number.", "该推断方法不提供此数。"),
    )


def _decimals(estimate: Estimate, level: float) -> int:
    interval = _interval(estimate, level, 0)
    return decimals([estimate.att, estimate.se, *(interval.values if interval else ())])


def _unused(estimate: Estimate) -> str:
    estimator, design = estimate.estimator, estimate.design
    names = [*estimator.unused_covariates(design), *estimator.unused_predictors(design)]
    return f" Given and not used: {', '.join(names)}." if names else ""


def _interval(estimate: Estimate, level: float, digits: int) -> Interval | None:
    if estimate.inference is None or estimate.inference.bounds is None:
        return None
    return Interval(*estimate.interval(level), digits)
