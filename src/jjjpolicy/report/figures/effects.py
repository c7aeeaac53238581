"""Figures of effects: event studies, estimates side by side, rankings, weights."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import DataError
from jjjpolicy.report.figures import style
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EVENT_TIME = Text("Years since the policy", "距政策实施年数")
WEIGHT = Text("Weight", "权重")
AVERAGE_WEIGHT = Text("Weight, average over treated units", "权重（各处理单位均值）")
EXACT_FIT = Text("exact fit", "完全拟合")
RATIO = Text("Post/pre-policy RMSPE ratio", "政策后与政策前RMSPE之比")
UNIFORM = Text("Uniform band", "一致置信带")
POINTWISE = Text("Pointwise interval", "逐点置信区间")
PARALLEL = Text("Parallel\ntrends", "平行\n趋势")
RELATIVE_BOUND = Text("Multiple of the largest pre-policy difference", "政策前最大差异的倍数")
SLOPE_BOUND = Text("Largest change of slope per period", "每期斜率的最大变化")


def draw_event_study(
    effects: pd.DataFrame,
    *,
    outcome: Label,
    time: Label = EVENT_TIME,
    language: Language = "en",
    width: float = style.COLUMN_WIDTH,
) -> Figure:
    """Draw effects by event time with their intervals.

    Parameters
    ----------
    effects : DataFrame
        Columns ``event_time``, ``estimate``, ``lower`` and ``upper``; optionally
        ``uniform_lower`` and ``uniform_upper``. A period without an interval that has ends, such
        as the reference period, is drawn as a hollow point; where no period has one, a line joins
        them.
    outcome, time : Text or str
        What the effect and the event time are measured in.
    """
    _require(effects, ("event_time", "estimate", "lower", "upper"))
    with style.canvas(language, width=width) as (figure, (axes,)):
        _draw_event_study(axes, effects, language)
        axes.set_xlabel(words(time, language))
        axes.set_ylabel(words(outcome, language))
    return figure


def draw_event_panels(
    panels: Mapping[Label, pd.DataFrame],
    *,
    outcome: Label,
    columns: int = 2,
    language: Language = "en",
    width: float = style.FULL_WIDTH,
) -> Figure:
    """Draw several event studies side by side, on one scale.

    Parameters
    ----------
    panels : mapping from title to DataFrame
        Columns as in :func:`draw_event_study`.
    outcome : Text or str
        What the effects are measured in.
    columns : int
        Panels in a row.
    """
    rows = -(-len(panels) // columns)
    with style.canvas(language, width=width, height=2.0 * rows, rows=rows, columns=columns) as (
        figure,
        grid,
    ):
        for axes, (title, effects) in zip(grid, panels.items(), strict=False):
            _require(effects, ("event_time", "estimate", "lower", "upper"))
            _draw_event_study(axes, effects, language)
            axes.set_title(words(title, language))
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        used = grid[: len(panels)]
        limits = [end for axes in used for end in axes.get_ylim()]
        for position, axes in enumerate(used):
            axes.set_ylim(min(limits), max(limits))
            if position % columns == 0:
                axes.set_ylabel(words(outcome, language))
            if position >= len(panels) - columns:
                axes.set_xlabel(words(EVENT_TIME, language))
    return figure


def draw_estimates(
    estimates: pd.DataFrame,
    *,
    outcome: Label,
    group_names: Mapping[Hashable, Label] | None = None,
    series_names: Mapping[Hashable, Label] | None = None,
    language: Language = "en",
    width: float = style.COLUMN_WIDTH,
) -> Figure:
    """Draw estimates and intervals by group, one colour per series.

    Parameters
    ----------
    estimates : DataFrame
        Columns ``group``, ``estimate``, ``lower`` and ``upper``, and ``series`` where a group has
        several. Groups run from top to bottom in the order of the rows.
    outcome : Text or str
    group_names, series_names : mapping from value to Text or str
    """
    _require(estimates, ("group", "estimate", "lower", "upper"))
    frame = estimates if "series" in estimates.columns else estimates.assign(series="")
    groups, series = list(dict.fromkeys(frame["group"])), list(dict.fromkeys(frame["series"]))
    markers = "osD^vP"
    height = 0.75 + max(0.24, 0.17 * len(series)) * len(groups) + 0.2 * (len(series) > 1)
    with style.canvas(language, width=width, height=height) as (figure, (axes,)):
        axes.axvline(0, color="#404040", linewidth=0.7, zorder=1)
        for number, name in enumerate(series):
            part = frame[frame["series"] == name]
            offset = (number - (len(series) - 1) / 2) * 0.7 / len(series)
            rows = [groups.index(group) + offset for group in part["group"]]
            axes.errorbar(
                part["estimate"],
                rows,
                xerr=[part["estimate"] - part["lower"], part["upper"] - part["estimate"]],
                fmt=markers[number % len(markers)],
                color=style.PALETTE[number % len(style.PALETTE)],
                elinewidth=1.2,
                label=words((series_names or {}).get(name, str(name)), language),
            )
        _name_rows(axes, [words((group_names or {}).get(g, str(g)), language) for g in groups])
        if len(series) > 1:
            figure.legend(loc="outside upper center", ncols=min(3, len(series)))
        axes.set_xlabel(words(outcome, language))
    return figure


def draw_sensitivity(
    intervals: pd.DataFrame,
    *,
    outcome: Label,
    bound: Label = RELATIVE_BOUND,
    names: Mapping[Hashable, Label] | None = None,
    language: Language = "en",
    width: float = style.COLUMN_WIDTH,
) -> Figure:
    """Draw intervals by the bound on the difference in trends, the original interval first.

    Parameters
    ----------
    intervals : DataFrame
        What ``honest_did(...).to_frame()`` gives, or several of these below one another: columns
        ``restriction``, ``bound``, ``estimate``, ``lower`` and ``upper``. A row without a bound
        holds the original interval. Ends that are infinite run out of the figure with an arrow.
    outcome : Text or str
    bound : Text or str
        What the bound is measured in, such as ``RELATIVE_BOUND`` or ``SLOPE_BOUND``.
    names : mapping from restriction to Text or str
    """
    _require(intervals, ("restriction", "bound", "estimate", "lower", "upper"))
    own = intervals["bound"].isna()
    original, rows = intervals[own].head(1), intervals[~own].dropna(subset=["lower", "upper"])
    bounds = sorted(set(intervals.loc[~own, "bound"]))
    if not bounds:
        raise DataError("The figure needs at least one row with a bound.")
    series = list(dict.fromkeys(intervals.loc[~own, "restriction"]))
    height = 2.4 + 0.17 * len(series) * (len(series) > 1)
    with style.canvas(language, width=width, height=height) as (figure, (axes,)):
        style.mark_zero(axes)
        finite = intervals[["lower", "upper"]].replace([np.inf, -np.inf], np.nan)
        low, high = min(0.0, finite.min().min()), max(0.0, finite.max().max())
        low, high = low - 0.08 * (high - low), high + 0.08 * (high - low)
        estimate, lower, upper = original[["estimate", "lower", "upper"]].to_numpy().T
        axes.errorbar(
            [0] * len(original),
            estimate,
            yerr=[estimate - lower, upper - estimate],
            fmt="o",
            color=style.BLACK,
            elinewidth=1.2,
        )
        for number, name in enumerate(series):
            part = rows[rows["restriction"] == name]
            offset = (number - (len(series) - 1) / 2) * 0.5 / len(series)
            colour = style.PALETTE[number % len(style.PALETTE)]
            places = [1 + bounds.index(value) + offset for value in part["bound"]]
            axes.vlines(
                places,
                part["lower"].clip(lower=low),
                part["upper"].clip(upper=high),
                color=colour,
                linewidth=1.8,
                label=words((names or {}).get(name, str(name)), language),
            )
            for ends, marker, edge in ((part["lower"], "v", low), (part["upper"], "^", high)):
                open_ended = [
                    place for place, end in zip(places, ends, strict=True) if np.isinf(end)
                ]
                if open_ended:
                    axes.scatter(
                        open_ended,
                        [edge] * len(open_ended),
                        marker=marker,
                        color=colour,
                        clip_on=False,
                    )
        axes.axvline(0.5, color=style.PALE, linewidth=0.7)
        axes.set_ylim(low, high)
        axes.set_xlim(-0.6, len(bounds) + 0.6)
        ticks = [words(PARALLEL, language), *(f"{value:g}" for value in bounds)]
        axes.set_xticks(range(len(ticks)), ticks)
        if len(series) > 1:
            figure.legend(loc="outside upper center", ncols=1)
        axes.set_xlabel(words(bound, language))
        axes.set_ylabel(words(outcome, language))
    return figure


def draw_ranking(
    ratios: pd.Series,
    treated: Collection[Hashable],
    *,
    names: Mapping[Hashable, Label] | None = None,
    measure: Label = RATIO,
    language: Language = "en",
    width: float = style.COLUMN_WIDTH,
) -> Figure:
    """Draw a measure of every unit, largest on top, with the treated units highlighted.

    Parameters
    ----------
    ratios : Series, indexed by unit
    treated : collection of units
    names : mapping from unit to Text or str
    """
    ordered = ratios.sort_values(ascending=False)
    with style.canvas(language, width=width, height=0.6 + 0.135 * len(ordered)) as (
        figure,
        (axes,),
    ):
        draw_ranks(axes, ordered, treated, names or {}, language)
        axes.set_xlabel(words(measure, language))
    return figure


def draw_weights(
    weights: pd.Series,
    *,
    names: Mapping[Hashable, Label] | None = None,
    smallest: float = 0.005,
    measure: Label = WEIGHT,
    language: Language = "en",
    width: float = style.COLUMN_WIDTH,
) -> Figure:
    """Draw donor weights, largest on top.

    Parameters
    ----------
    weights : Series, indexed by donor
    names : mapping from donor to Text or str
    smallest : float
        Donors with a smaller weight in absolute value are left out; say so in the notes.
    """
    shown = weights[weights.abs() >= smallest].sort_values(ascending=False)
    with style.canvas(language, width=width, height=0.6 + 0.2 * max(3, len(shown))) as (
        figure,
        (axes,),
    ):
        draw_bars(axes, shown, names or {}, smallest, language)
        axes.margins(x=0.12)
        axes.set_xlabel(words(measure, language))
    return figure


def draw_ranks(
    axes: Axes,
    ratios: pd.Series,
    treated: Collection[Hashable],
    names: Mapping[Hashable, Label],
    language: Language,
) -> None:
    """Draw a measure of every unit into axes, largest on top; an infinite ratio in words."""
    ordered = ratios.sort_values(ascending=False, kind="stable")
    exact = np.isinf(ordered.to_numpy(dtype=float))
    shown = ordered.where(~exact, 1.0 if exact.all() else 1.08 * ordered[~exact].max())
    colours = np.where(ordered.index.isin(list(treated)), style.VERMILION, style.GREY)
    axes.hlines(range(len(ordered)), 0, shown, color=colours, linewidth=0.8)
    axes.scatter(shown[~exact], np.flatnonzero(~exact), color=colours[~exact], s=14, zorder=3)
    for row in np.flatnonzero(exact):
        axes.annotate(
            words(EXACT_FIT, language),
            (shown.iloc[row], row),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=6,
            color=colours[row],
        )
    _name_rows(axes, [words(names.get(u, str(u)), language) for u in ordered.index])
    for label, colour in zip(axes.get_yticklabels(), colours, strict=True):
        label.set_fontsize(6.5)
        label.set_color(colour if colour != style.GREY else "#404040")
    axes.set_xlim(left=0)


def draw_bars(
    axes: Axes,
    weights: pd.Series,
    names: Mapping[Hashable, Label],
    smallest: float,
    language: Language,
) -> None:
    """Draw weights into axes in their order, with their values; none where they are too small."""
    shown = weights.where(weights.abs() >= smallest, 0.0)
    axes.barh(range(len(shown)), shown, color=style.BLUE, height=0.62)
    for row, weight in enumerate(shown):
        if weight == 0:
            continue
        axes.annotate(
            f"{weight:.2f}".replace("-", "\N{MINUS SIGN}"),
            (max(weight, 0.0), row),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    _name_rows(axes, [words(names.get(u, str(u)), language) for u in weights.index])


def _draw_event_study(axes: Axes, effects: pd.DataFrame, language: Language) -> None:
    """Effects with their intervals and, where there is one, their uniform band."""
    style.mark_zero(axes)
    style.mark_policy(axes, -0.5)
    uniform = {"uniform_lower", "uniform_upper"} <= set(effects.columns)
    if uniform:
        axes.fill_between(
            effects["event_time"],
            effects["uniform_lower"].astype(float),
            effects["uniform_upper"].astype(float),
            color=style.SKY_BLUE,
            alpha=0.35,
            linewidth=0,
            label=words(UNIFORM, language),
        )
    known = effects[(effects["upper"] - effects["lower"]).between(0, np.inf, inclusive="neither")]
    fixed = effects.drop(index=known.index)
    _intervals(axes, known, style.BLUE, words(POINTWISE, language))
    axes.plot(
        fixed["event_time"],
        fixed["estimate"],
        "o" if len(known) else "o-",
        color=style.BLUE,
        markerfacecolor="white",
        markeredgecolor=style.BLUE,
    )
    if uniform:
        axes.legend(loc="best", handlelength=1.4)
    style.whole_years(axes)


def _require(frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(f"The figure needs a column {missing[0]!r}; there are {[*frame.columns]}.")


def _intervals(axes: Axes, effects: pd.DataFrame, colour: str, label: str) -> None:
    axes.errorbar(
        effects["event_time"],
        effects["estimate"],
        yerr=[effects["estimate"] - effects["lower"], effects["upper"] - effects["estimate"]],
        fmt="o",
        color=colour,
        elinewidth=1.1,
        label=label,
    )


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
