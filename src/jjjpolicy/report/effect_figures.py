"""Figures of effects: event studies, estimates side by side, rankings, weights."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TYPE_CHECKING

from jjjpolicy.errors import DataError
from jjjpolicy.report import style
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EVENT_TIME = Text("Years since the policy", "距政策实施年数")
WEIGHT = Text("Weight", "权重")
RATIO = Text("Post/pre-policy RMSPE ratio", "政策后与政策前RMSPE之比")
UNIFORM = Text("Uniform band", "一致置信带")
POINTWISE = Text("Pointwise interval", "逐点置信区间")


def draw_event_study(
    effects: pd.DataFrame,
    *,
    outcome: Label,
    language: Language = "en",
    width: float = style.COLUMN_WIDTH,
) -> Figure:
    """Draw effects by event time with their intervals.

    Parameters
    ----------
    effects : DataFrame
        Columns ``event_time``, ``estimate``, ``lower`` and ``upper``; optionally
        ``uniform_lower`` and ``uniform_upper``. A period without an interval, such as the
        reference period, is drawn as a hollow point.
    outcome : Text or str
        What the effect is measured in.
    """
    _require(effects, ("event_time", "estimate", "lower", "upper"))
    with style.canvas(language, width=width) as (figure, (axes,)):
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
        known = effects[(effects["upper"] - effects["lower"]).fillna(0) > 0]
        fixed = effects.drop(index=known.index)
        _intervals(axes, known, style.BLUE, words(POINTWISE, language))
        axes.plot(
            fixed["event_time"],
            fixed["estimate"],
            "o",
            markerfacecolor="white",
            markeredgecolor=style.BLUE,
        )
        if uniform:
            axes.legend(loc="best", handlelength=1.4)
        axes.set_xlabel(words(EVENT_TIME, language))
        axes.set_ylabel(words(outcome, language))
        style.whole_years(axes)
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
        colours = [style.VERMILION if unit in treated else style.GREY for unit in ordered.index]
        axes.hlines(range(len(ordered)), 0, ordered, color=colours, linewidth=0.8)
        axes.scatter(ordered, range(len(ordered)), color=colours, s=14, zorder=3)
        _name_rows(axes, [words((names or {}).get(u, str(u)), language) for u in ordered.index])
        for label, colour in zip(axes.get_yticklabels(), colours, strict=True):
            label.set_fontsize(6.5)
            label.set_color(colour if colour != style.GREY else "#404040")
        axes.set_xlim(left=0)
        axes.set_xlabel(words(measure, language))
    return figure


def draw_weights(
    weights: pd.Series,
    *,
    names: Mapping[Hashable, Label] | None = None,
    smallest: float = 0.005,
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
        axes.barh(range(len(shown)), shown, color=style.BLUE, height=0.62)
        for row, weight in enumerate(shown):
            axes.annotate(
                f"{weight:.2f}".replace("-", "\N{MINUS SIGN}"),
                (max(weight, 0.0), row),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
        _name_rows(axes, [words((names or {}).get(u, str(u)), language) for u in shown.index])
        axes.margins(x=0.12)
        axes.set_xlabel(words(WEIGHT, language))
    return figure


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
