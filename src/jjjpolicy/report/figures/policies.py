"""Figures of the policies: the timeline of dated policies, and rules of sharing tax compared."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING

from jjjpolicy.errors import DataError
from jjjpolicy.report.figures import style
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from jjjpolicy.registry.policy import PartialDate, Policy

KINDS = {
    "strategy": Text("Strategy", "战略"),
    "plan": Text("Plan", "规划"),
    "agreement": Text("Agreement", "协议"),
    "restriction": Text("Restriction in Beijing", "北京禁限与疏解"),
    "fiscal": Text("Tax sharing", "税收分享"),
    "new-area": Text("New area", "新区"),
    "platform": Text("Platforms", "承接平台"),
}
RECALLED = Text("Date not checked against a document", "日期未经文件核对")
OTHER = Text("Other", "其他")
MILLION_YUAN = Text("Million yuan", "百万元")
RECIPIENTS = {
    "origin": Text("Origin", "迁出地"),
    "destination": Text("Destination", "迁入地"),
    "joint_fund": Text("Joint fund", "共同发展基金"),
}


def draw_timeline(
    policies: Iterable[Policy],
    *,
    language: Language = "en",
    width: float = style.FULL_WIDTH,
) -> Figure:
    """Draw policies by date, one line each, coloured by kind.

    A date known to the month or year is drawn as a bar over that month or year, a day as a point.
    Marks are hollow where the date is only recalled.

    Parameters
    ----------
    policies : iterable of Policy
        For example ``policies.values()``.

    Raises
    ------
    DataError
        No policy is given.
    """
    shown = sorted(policies, key=lambda policy: policy.issued)
    if not shown:
        raise DataError("the timeline needs at least one policy.")
    kinds = [*KINDS, ""]
    colours = dict(zip(kinds, (*style.PALETTE, style.GREY), strict=False))
    present = {policy.kind if policy.kind in KINDS else "" for policy in shown}
    with style.canvas(language, width=width, height=0.27 * len(shown) + 0.9) as (figure, (axes,)):
        labels = []
        for row, policy in enumerate(shown):
            colour = colours[policy.kind if policy.kind in KINDS else ""]
            start, end = _span(policy.issued)
            face = "white" if policy.confidence == "recalled" else colour
            axes.axhline(row, color=style.PALE, linewidth=0.4, zorder=0)
            if policy.precision == "day":
                axes.plot([start], [row], "o", color=colour, markerfacecolor=face, markersize=5)
            else:
                axes.barh(row, end - start, left=start, height=0.34, color=face, edgecolor=colour)
            title = policy.title_zh if language == "zh" else policy.title_en
            lines = textwrap.wrap(title, 28 if language == "zh" else 58)
            labels.append(f"{chr(10).join(lines)}  {policy.issued}")
        axes.set_yticks(range(len(shown)), labels, fontsize=6.5)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        first, last = shown[0].issued.year, max(_span(policy.issued)[1] for policy in shown)
        axes.set_xlim(first - 0.1, max(last, first + 1) + 0.15)
        style.whole_years(axes)
        axes.spines["left"].set_visible(False)
        handles = [_mark(colours[kind], colours[kind]) for kind in kinds if kind in present]
        names = [words(KINDS.get(kind, OTHER), language) for kind in kinds if kind in present]
        if any(policy.confidence == "recalled" for policy in shown):
            handles.append(_mark("#404040", "white"))
            names.append(words(RECALLED, language))
        figure.legend(handles, names, loc="outside upper center", ncols=4, handletextpad=0.1)
    return figure


def draw_sharing_rules(
    comparison: pd.DataFrame,
    *,
    names: Mapping[Hashable, Label] | None = None,
    language: Language = "en",
    width: float = style.FULL_WIDTH,
    columns: int = 2,
) -> Figure:
    """Draw who receives how much under several sharing rules, a panel for each.

    Parameters
    ----------
    comparison : DataFrame
        Columns rule, year, recipient, amount (million yuan), as from ``fiscal.compare_rules``.
    names : mapping from rule to Text or str
        Titles of the panels.

    Raises
    ------
    DataError
        The comparison is empty.
    """
    rules = list(dict.fromkeys(comparison["rule"]))
    if not rules:
        raise DataError("there is no rule to draw.")
    recipients = list(dict.fromkeys(comparison["recipient"]))
    colours = dict(zip(recipients, (*style.PALETTE, style.GREY), strict=False))
    columns = min(columns, len(rules))
    rows = math.ceil(len(rules) / columns)
    sums = comparison.groupby(["rule", "year", "recipient"], sort=True)["amount"].sum()
    top = comparison.groupby(["rule", "year"])["amount"].sum().max()
    with style.canvas(
        language, width=width, height=1.75 * rows + 0.5, rows=rows, columns=columns
    ) as (figure, grid):
        for axes, rule in zip(grid, rules, strict=False):
            table = sums[rule].unstack("recipient", fill_value=0.0)
            floor = 0.0 * table.iloc[:, 0]
            for recipient in (name for name in recipients if name in table):
                axes.bar(
                    table.index, table[recipient], bottom=floor, color=colours[recipient], width=0.8
                )
                floor = floor + table[recipient]
            axes.set_title(words((names or {}).get(rule, str(rule)), language))
            axes.set_ylim(0, top * 1.05 if top > 0 else 1)
            axes.set_ylabel(words(MILLION_YUAN, language))
            style.whole_years(axes)
        for axes in grid[len(rules) :]:
            axes.set_visible(False)
        marks = [_mark(colours[name], colours[name]) for name in recipients]
        labels = [words(RECIPIENTS.get(name, name), language) for name in recipients]
        figure.legend(marks, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _span(date: PartialDate) -> tuple[float, float]:
    """First and last moment of a date in years; the parts of a year are taken as equal."""
    if date.month is None:
        return float(date.year), date.year + 1.0
    month = date.year + (date.month - 1) / 12
    if date.day is None:
        return month, month + 1 / 12
    day = month + (date.day - 1) / 365
    return day, day


def _mark(edge: str, face: str) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], marker="o", linestyle="", color=edge, markerfacecolor=face, markersize=5)
