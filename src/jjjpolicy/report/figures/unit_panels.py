"""Figures with a panel for each treated unit or adoption date."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jjjpolicy.report.figures import style
from jjjpolicy.report.figures.effects import RATIO, WEIGHT, draw_bars, draw_ranks
from jjjpolicy.report.figures.time import SYNTHETIC, YEAR, shade_interval
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Names = Mapping[Hashable, Label]
TREATED = Text("Treated", "处理单位")


def draw_gap_panels(
    gaps: pd.DataFrame,
    policies: Mapping[Hashable, float],
    *,
    outcome: Label,
    names: Names,
    bands: Mapping[Hashable, pd.DataFrame],
    time: Label = YEAR,
    language: Language = "en",
) -> Figure:
    """Draw treated minus counterfactual, a panel per treated unit, on one scale.

    Parameters
    ----------
    gaps : DataFrame, periods by treated units
    policies : mapping from unit to float
        Where its policy line stands, in periods.
    outcome : Text or str
        What the gap is measured in.
    names : mapping from unit to Text or str
    bands : mapping from unit to DataFrame, indexed by period
        Columns lower and upper; units may be missing.
    time : Text or str
        What the periods are.
    """
    with _panels(list(gaps.columns), names, policies, (time, outcome), language) as (figure, found):
        for unit, axes in found.items():
            style.mark_zero(axes)
            if unit in bands:
                shade_interval(axes, bands[unit], style.BLUE)
            axes.plot(gaps.index, gaps[unit], color=style.BLUE)
        limits = [end for axes in found.values() for end in axes.get_ylim()]
        for axes in found.values():
            axes.set_ylim(min(limits), max(limits))
    return figure


def draw_path_panels(
    observed: pd.DataFrame,
    synthetic: pd.DataFrame,
    policies: Mapping[Hashable, float],
    *,
    outcome: Label,
    names: Names,
    bands: Mapping[Hashable, pd.DataFrame],
    time: Label = YEAR,
    language: Language = "en",
) -> Figure:
    """Draw outcome and counterfactual, a panel per treated unit.

    Parameters
    ----------
    observed, synthetic : DataFrame, periods by treated units
    bands : mapping from unit to DataFrame, indexed by period
        Intervals of the effect, columns lower and upper.
    """
    with _panels(list(observed.columns), names, policies, (time, outcome), language) as (
        figure,
        found,
    ):
        for unit, axes in found.items():
            if unit in bands:
                band = bands[unit]
                actual = observed[unit].reindex(band.index)
                mirrored = band.assign(lower=actual - band["upper"], upper=actual - band["lower"])
                shade_interval(axes, mirrored, style.VERMILION)
            (line,) = axes.plot(observed.index, observed[unit], color=style.BLUE)
            (dashed,) = axes.plot(
                synthetic.index, synthetic[unit], color=style.VERMILION, linestyle=(0, (5, 2))
            )
        labels = [words(TREATED, language), words(SYNTHETIC, language)]
        figure.legend([line, dashed], labels, loc="outside upper center", ncols=2)
    return figure


def draw_rankings(
    ratios: Mapping[Label, pd.Series],
    treated: Collection[Hashable],
    *,
    names: Names,
    measure: Label = RATIO,
    language: Language = "en",
) -> Figure:
    """Draw rankings side by side, such as one for each adoption date.

    Parameters
    ----------
    ratios : mapping from title to Series, indexed by unit
    treated : collection of units
    """
    rows = max(len(series) for series in ratios.values())
    with style.canvas(
        language,
        width=style.FULL_WIDTH,
        height=0.8 + 0.135 * rows,
        columns=len(ratios),
    ) as (figure, grid):
        for axes, (title, series) in zip(grid, ratios.items(), strict=True):
            draw_ranks(axes, series, treated, names, language)
            axes.set_title(words(title, language))
        figure.supxlabel(words(measure, language), fontsize=8)
    return figure


def draw_weight_columns(
    weights: pd.DataFrame,
    *,
    names: Names,
    smallest: float = 0.005,
    language: Language = "en",
) -> Figure:
    """Draw donor weights, a column for each treated unit, donors in the order of their average.

    Parameters
    ----------
    weights : DataFrame, donors by treated units
    smallest : float
        Donors whose weights are all smaller in absolute value are left out; say so in the notes.
    """
    kept = weights[(weights.abs() >= smallest).any(axis=1)]
    kept = kept.loc[kept.mean(axis=1).sort_values(ascending=False).index]
    with style.canvas(
        language,
        width=style.FULL_WIDTH,
        height=0.9 + 0.17 * max(3, len(kept)),
        columns=kept.shape[1],
    ) as (figure, grid):
        low, high = min(0.0, float(kept.min().min())), float(kept.max().max())
        for number, (axes, unit) in enumerate(zip(grid, kept.columns, strict=True)):
            draw_bars(axes, kept[unit], names, smallest, language)
            axes.set_title(words(names[unit], language))
            axes.set_xlim(1.15 * low, 1.3 * high)
            if number:
                axes.set_yticklabels([])
        figure.supxlabel(words(WEIGHT, language), fontsize=8)
    return figure


@contextmanager
def _panels(
    units: list[Hashable],
    names: Names,
    policies: Mapping[Hashable, float],
    axis_labels: tuple[Label, Label],
    language: Language,
) -> Iterator[tuple[Figure, dict[Hashable, Axes]]]:
    """A grid with an axes for each unit, titled, with its policy line."""
    columns = min(3 if len(units) <= 9 else 4, len(units))
    rows = math.ceil(len(units) / columns)
    with style.canvas(
        language,
        width=style.FULL_WIDTH,
        height=1.75 * rows + 0.4,
        rows=rows,
        columns=columns,
    ) as (figure, grid):
        found = dict(zip(units, grid, strict=False))
        yield figure, found
        for unit, axes in found.items():
            style.mark_policy(axes, policies[unit])
            style.whole_years(axes, most=5 if columns < 4 else 3)
            axes.set_title(words(names[unit], language))
        for axes in grid[len(units) :]:
            axes.set_visible(False)
        time, outcome = axis_labels
        figure.supxlabel(words(time, language), fontsize=8)
        figure.supylabel(words(outcome, language), fontsize=8)
