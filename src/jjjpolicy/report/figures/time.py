"""Figures over calendar time: gaps, treated and synthetic paths, placebos, many regions."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING

from jjjpolicy.report.figures import style
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

YEAR = Text("Year", "年份")
POLICY = Text("Policy", "政策实施")
SYNTHETIC = Text("Synthetic", "合成对照")
PLACEBOS = Text("Placebo provinces", "安慰剂省份")
OTHERS = Text("Other provinces", "其他省份")


def draw_paths(
    treated: pd.Series,
    synthetic: pd.Series,
    *,
    policy: float,
    outcome: Label,
    treated_name: Label,
    synthetic_name: Label = SYNTHETIC,
    band: pd.DataFrame | None = None,
    time: Label = YEAR,
    language: Language = "en",
    width: float = style.COLUMN_WIDTH,
) -> Figure:
    """Draw the outcome of a treated unit and its counterfactual.

    Parameters
    ----------
    treated, synthetic : Series, indexed by period
    policy : float
        Where the policy line stands, in periods; 2014.5 puts it between 2014 and 2015.
    outcome, treated_name, synthetic_name : Text or str
    band : DataFrame, indexed by period, optional
        Columns lower and upper: intervals of the counterfactual.
    time : Text or str
        What the periods are.
    """
    with style.canvas(language, width=width) as (figure, (axes,)):
        if band is not None:
            shade_interval(axes, band, style.VERMILION)
        axes.plot(treated.index, treated, color=style.BLUE)
        axes.plot(synthetic.index, synthetic, color=style.VERMILION, linestyle=(0, (5, 2)))
        _finish(axes, policy, outcome, language, time)
        ends = [
            (treated.index[-1], treated.iloc[-1], words(treated_name, language), style.BLUE),
            (
                synthetic.index[-1],
                synthetic.iloc[-1],
                words(synthetic_name, language),
                style.VERMILION,
            ),
        ]
        style.label_ends(axes, ends)
    return figure


def draw_gaps(
    gaps: pd.DataFrame,
    *,
    policy: float,
    outcome: Label,
    names: Mapping[Hashable, Label] | None = None,
    bands: Mapping[Hashable, pd.DataFrame] | None = None,
    time: Label = YEAR,
    language: Language = "en",
    width: float = style.COLUMN_WIDTH,
) -> Figure:
    """Draw treated minus counterfactual, a line per treated unit.

    Parameters
    ----------
    gaps : DataFrame, periods by treated units
    policy : float
        Where the policy line stands, in periods.
    outcome : Text or str
        What the gap is measured in.
    names : mapping from column to Text or str
    bands : mapping from column to DataFrame, indexed by period, optional
        Columns lower and upper: intervals of the effect.
    time : Text or str
        What the periods are.
    """
    with style.canvas(language, width=width) as (figure, (axes,)):
        style.mark_zero(axes)
        ends = []
        for colour, unit in zip(cycle(style.PALETTE), gaps.columns, strict=False):
            if bands is not None and unit in bands:
                shade_interval(axes, bands[unit], colour)
            axes.plot(gaps.index, gaps[unit], color=colour)
            name = words((names or {}).get(unit, str(unit)), language)
            ends.append((gaps.index[-1], gaps[unit].iloc[-1], name, colour))
        _finish(axes, policy, outcome, language, time)
        style.label_ends(axes, ends)
    return figure


def draw_placebos(
    gaps: pd.DataFrame,
    treated: Hashable,
    *,
    policy: float,
    outcome: Label,
    treated_name: Label,
    placebo_name: Label = PLACEBOS,
    time: Label = YEAR,
    language: Language = "en",
    width: float = style.COLUMN_WIDTH,
) -> Figure:
    """Draw the gap of the treated unit over the placebo gaps of all others.

    Parameters
    ----------
    gaps : DataFrame, periods by units, the treated one among them
    treated : column of ``gaps``
    time : Text or str
        What the index of ``gaps`` is.
    """
    with style.canvas(language, width=width) as (figure, (axes,)):
        style.mark_zero(axes)
        others = gaps.drop(columns=[treated])
        # Hundreds of lines would be one grey area: where they lie densest must stay visible.
        opacity = min(1.0, max(0.08, 60 / others.shape[1]))
        axes.plot(
            others.index,
            others,
            color=style.GREY if opacity < 1 else style.PALE,
            linewidth=0.7,
            alpha=opacity,
        )
        (line,) = axes.plot(gaps.index, gaps[treated], color=style.VERMILION, linewidth=1.8)
        _finish(axes, policy, outcome, language, time)
        axes.legend(
            [line, _line(style.PALE, 0.7)],
            [words(treated_name, language), words(placebo_name, language)],
            loc="best",
            handlelength=1.4,
            borderaxespad=0.2,
        )
    return figure


def draw_small_multiples(
    panels: Mapping[Label, pd.DataFrame],
    highlighted: Mapping[Hashable, Label],
    *,
    policy: float | None = None,
    others_name: Label = OTHERS,
    language: Language = "en",
    width: float = style.FULL_WIDTH,
    columns: int = 3,
) -> Figure:
    """Draw several series, some regions in colour over all others in grey.

    Parameters
    ----------
    panels : mapping from title to DataFrame, periods by regions
        Gaps in a series stay gaps.
    highlighted : mapping from region to its name
    policy : float, optional
        Where the policy line stands, in periods.
    """
    rows = math.ceil(len(panels) / columns)
    with style.canvas(
        language, width=width, height=1.75 * rows + 0.35, rows=rows, columns=columns
    ) as (figure, grid):
        colours = dict(zip(highlighted, style.PALETTE, strict=False))
        for axes, (title, frame) in zip(grid, panels.items(), strict=False):
            others = [unit for unit in frame.columns if unit not in highlighted]
            axes.plot(frame.index, frame[others], color=style.PALE, linewidth=0.6)
            for unit in highlighted:
                if unit in frame.columns:
                    axes.plot(frame.index, frame[unit], color=colours[unit])
            if policy is not None:
                style.mark_policy(axes, policy)
            axes.set_title(words(title, language))
            style.whole_years(axes)
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        handles = [
            *(_line(colours[unit], 1.5) for unit in highlighted),
            _line(style.PALE, 1.0),
        ]
        labels = [words(name, language) for name in (*highlighted.values(), others_name)]
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def shade_interval(axes: Axes, band: pd.DataFrame, colour: str) -> None:
    """An interval in every period; a stroke where there is only one."""
    known = band[["lower", "upper"]].astype(float)
    known = known[(known.abs() < float("inf")).all(axis=1)]
    if known.empty:
        return
    axes.fill_between(
        known.index, known["lower"], known["upper"], color=colour, alpha=0.18, linewidth=0
    )
    axes.vlines(
        known.index, known["lower"], known["upper"], color=colour, alpha=0.35, linewidth=0.6
    )


def _line(colour: str, width: float) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linewidth=width)


def _finish(axes: Axes, policy: float, outcome: Label, language: Language, time: Label) -> None:
    style.mark_policy(axes, policy, words(POLICY, language))
    axes.set_xlabel(words(time, language))
    axes.set_ylabel(words(outcome, language))
    style.whole_years(axes)
