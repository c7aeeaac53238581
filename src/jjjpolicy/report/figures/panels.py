"""Figures with a panel per treated unit: paths, and gaps over placebo gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jjjpolicy.report.figures import style
from jjjpolicy.report.figures.time import PLACEBOS, SYNTHETIC, YEAR
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OBSERVED = Text("Observed", "实际值")
TREATED = Text("Treated province", "处理省份")


@dataclass(frozen=True, eq=False)
class PathPanel:
    """Outcome of a treated unit and its counterfactual, indexed by period."""

    treated: pd.Series
    synthetic: pd.Series


@dataclass(frozen=True, eq=False)
class PlaceboPanel:
    """Gap of a treated unit, indexed by period, and the gaps of placebos, periods × placebos."""

    gap: pd.Series
    placebos: pd.DataFrame


def draw_path_panels(
    panels: Mapping[Label, PathPanel],
    *,
    policy: float,
    outcome: Label,
    language: Language = "en",
    width: float = style.FULL_WIDTH,
) -> Figure:
    """Draw treated and synthetic paths, a panel per treated unit, on a common scale.

    Parameters
    ----------
    panels : mapping from title to PathPanel
    policy : float
        Where the policy line stands, in periods.
    outcome : Text or str
    """
    with style.canvas(language, width=width, height=2.3, columns=len(panels)) as (figure, grid):
        handles = []
        for axes, (title, panel) in zip(grid, panels.items(), strict=True):
            (observed,) = axes.plot(panel.treated.index, panel.treated, color=style.BLUE)
            (synthetic,) = axes.plot(
                panel.synthetic.index,
                panel.synthetic,
                color=style.VERMILION,
                linestyle=(0, (5, 2)),
            )
            handles = [observed, synthetic]
            _dress(axes, title, policy, language)
        grid[0].set_ylabel(words(outcome, language))
        names = [words(OBSERVED, language), words(SYNTHETIC, language)]
        figure.legend(handles, names, loc="outside upper center", ncols=2)
    return figure


def draw_placebo_panels(
    panels: Mapping[Label, PlaceboPanel],
    *,
    policy: float,
    outcome: Label,
    placebo_name: Label = PLACEBOS,
    language: Language = "en",
    width: float = style.FULL_WIDTH,
) -> Figure:
    """Draw the gap of each treated unit over the gaps of placebos, on a common scale.

    Parameters
    ----------
    panels : mapping from title to PlaceboPanel
    policy : float
        Where the policy line stands, in periods.
    outcome : Text or str
        What the gap is measured in.
    """
    with style.canvas(language, width=width, height=2.3, columns=len(panels)) as (figure, grid):
        low = min(min(p.gap.min(), p.placebos.min().min()) for p in panels.values())
        high = max(max(p.gap.max(), p.placebos.max().max()) for p in panels.values())
        margin = 0.04 * (high - low)
        handles = []
        for axes, (title, panel) in zip(grid, panels.items(), strict=True):
            style.mark_zero(axes)
            others = axes.plot(
                panel.placebos.index, panel.placebos, color=style.PALE, linewidth=0.7
            )
            (treated,) = axes.plot(panel.gap.index, panel.gap, color=style.VERMILION, linewidth=1.8)
            handles = [treated, others[0]]
            axes.set_ylim(low - margin, high + margin)
            _dress(axes, title, policy, language)
        grid[0].set_ylabel(words(outcome, language))
        names = [words(TREATED, language), words(placebo_name, language)]
        figure.legend(handles, names, loc="outside upper center", ncols=2)
    return figure


def _dress(axes: Axes, title: Label, policy: float, language: Language) -> None:
    style.mark_policy(axes, policy)
    axes.set_title(words(title, language))
    axes.set_xlabel(words(YEAR, language))
    style.whole_years(axes)
