"""The figure of a calibration: size of every method, and power curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import DataError
from jjjpolicy.report.figures import style
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATE = Text("Rejection rate without effect", "无效应时的拒绝率")
POWER = Text("Rejection rate", "拒绝率")
TREATED = Text("{count} treated", "{count} 个处理单位")
MARKERS = ("o", "D", "s", "^", "v", "P", "X")


def draw_calibration(
    size: pd.DataFrame,
    power: pd.DataFrame,
    *,
    methods: Mapping[str, Label],
    curves: Mapping[str, Label],
    effect: Label,
    level: float = 0.05,
    language: Language = "en",
    width: float = style.FULL_WIDTH,
) -> Figure:
    """Draw rejection rates without effect by method, and rejection rates over effects.

    Parameters
    ----------
    size : DataFrame
        Columns method, treated, rejection, at one level. Rates that are missing are not drawn.
    power : DataFrame
        Columns method, effect, rejection, for one number of treated units; the smallest effect may
        be zero.
    methods : mapping from method to its name
        Rows of the left panel, from above.
    curves : mapping from method to its name
        Curves of the right panel.
    effect : Text or str
        What effects are measured in.
    level : float
        The nominal level, marked by a line.
    language : "en" or "zh"

    Raises
    ------
    DataError
        A method is in no row.
    """
    for named, frame in ((methods, size), (curves, power)):
        unknown = [method for method in named if method not in set(frame["method"])]
        if unknown:
            raise DataError(f"No rejection rate of {unknown[0]!r} is in the table.")
    height = max(2.6, 0.22 * len(methods) + 0.9)
    with style.canvas(language, width=width, height=height, columns=2) as (figure, (left, right)):
        _sizes(left, size, methods, level, language)
        _curves(right, power, curves, level, language)
        right.set_xlabel(words(effect, language))
        # Long labels of methods would otherwise touch the edge.
        figure.set_layout_engine("constrained", rect=(0.015, 0, 0.985, 1))
    return figure


def _sizes(
    axes: Axes, size: pd.DataFrame, methods: Mapping[str, Label], level: float, language: Language
) -> None:
    places = {method: place for place, method in enumerate(methods)}
    axes.axvline(level, color="#404040", linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    for place in places.values():
        axes.axhline(place, color="#EFEFEF", linewidth=0.6, zorder=0)
    counts = sorted(size["treated"].unique())
    shifts = np.linspace(-0.14, 0.14, len(counts)) if len(counts) > 1 else np.zeros(1)
    for k, count in enumerate(counts):
        rows = size[(size["treated"] == count) & size["method"].isin(places)]
        axes.plot(
            rows["rejection"],
            rows["method"].map(places) + shifts[k],
            linestyle="none",
            marker=MARKERS[k % len(MARKERS)],
            color=style.PALETTE[k % len(style.PALETTE)],
            label=words(TREATED, language).format(count=count),
            clip_on=False,
        )
    axes.set_yticks(range(len(places)), [words(name, language) for name in methods.values()])
    axes.set_ylim(len(places) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, None)
    axes.set_xlabel(words(RATE, language))
    axes.legend(loc="lower right")


def _curves(
    axes: Axes, power: pd.DataFrame, curves: Mapping[str, Label], level: float, language: Language
) -> None:
    axes.axhline(level, color="#404040", linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    for k, (method, name) in enumerate(curves.items()):
        rows = power[power["method"] == method].sort_values("effect")
        axes.plot(
            rows["effect"],
            rows["rejection"],
            marker=MARKERS[k % len(MARKERS)],
            color=style.PALETTE[k % len(style.PALETTE)],
            label=words(name, language),
        )
    axes.set_ylim(0, 1.02)
    axes.set_ylabel(words(POWER, language))
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, columnspacing=1.2)
