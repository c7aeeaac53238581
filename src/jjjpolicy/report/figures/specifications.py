"""The figure of a specification curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import DataError
from jjjpolicy.report.figures import style
from jjjpolicy.report.noise import NOISE
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SPECIFICATIONS = Text("Specifications, sorted by effect", "各设定（按效应排序）")
SMALL = Text("p ≤ {alpha:g}", "p ≤ {alpha:g}")
LARGE = Text("p > {alpha:g}", "p > {alpha:g}")
UNTESTED = Text("Without a p-value", "未作检验")
EFFECT = Text("Estimate", "估计值")
BASELINE = Text("Main specification", "基准设定")
FAILED = Text("{count} of {total} could not be estimated", "{total}个设定中有{count}个无法估计")


def draw_specification_curve(
    curve: pd.DataFrame,
    dimensions: Mapping[str, Label] | Sequence[str],
    *,
    outcome: Label,
    option_names: Mapping[str, Label] | None = None,
    baseline: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    language: Language = "en",
    width: float = style.FULL_WIDTH,
) -> Figure:
    """Draw the effects of all specifications in order, and below which choices made them.

    Parameters
    ----------
    curve : DataFrame
        From :func:`jjjpolicy.sensitivity.specification_curve`. Finite intervals are drawn; effects
        with a p-value of at most ``alpha`` are filled triangles that point away from zero, others
        hollow circles, grey where only others have a p-value.
    dimensions : mapping from column to its name, or sequence of columns
        Rows of the matrix of choices, in this order.
    outcome : Text or str
        What the effect is measured in.
    option_names : mapping from option to Text or str
    baseline : mapping from column to option
        The main specification, marked by a line.
    alpha : float
    language : "en" or "zh"

    Raises
    ------
    DataError
        A column is missing; no specification was estimated; the baseline is none of them.
    """
    titles = dict(dimensions) if isinstance(dimensions, Mapping) else {d: d for d in dimensions}
    for column in (*titles, "att", "failure"):
        if column not in curve.columns:
            raise DataError(f"The figure needs a column {column!r}; there are {[*curve.columns]}.")
    done = curve[curve["failure"] == ""].sort_values("att", kind="stable", key=_without_noise)
    done = done.reset_index(drop=True)
    if done.empty:
        raise DataError("No specification was estimated; see the column 'failure'.")
    options = {d: list(dict.fromkeys(curve[d])) for d in titles}
    lines = sum(len(listed) for listed in options.values()) + 0.9 * len(titles)
    with style.canvas(
        language, width=width, height=2.5 + 0.135 * lines, rows=2, heights=(2.1, 0.135 * lines)
    ) as (figure, (upper, lower)):
        _effects(upper, done, alpha, language)
        upper.set_ylabel(words(outcome, language))
        _matrix(lower, done, options, titles, option_names or {}, language)
        if baseline is not None:
            place = _position(done, baseline)
            for axes in (upper, lower):
                axes.axvline(place, color=style.ORANGE, linewidth=1.0, zorder=0)
            upper.plot([], [], color=style.ORANGE, linewidth=1.0, label=words(BASELINE, language))
        upper.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=4, handlelength=1.2, columnspacing=1.2
        )
        for axes in (upper, lower):
            axes.set_xlim(-1, len(done))
            axes.set_xticks([])
        caption = words(SPECIFICATIONS, language)
        failed = len(curve) - len(done)
        if failed:
            said = words(FAILED, language).format(count=failed, total=len(curve))
            caption += f" ({said})" if language == "en" else f"（{said}）"
        lower.set_xlabel(caption)
    return figure


def _without_noise(effects: pd.Series) -> pd.Series:
    """Effects on a grid so coarse that those which differ by rounding noise alone are ties."""
    values = effects.astype(float)
    step = 100 * NOISE * values.abs().max()
    return (values / step).round() if step > 0 else values


def _effects(axes: Axes, done: pd.DataFrame, alpha: float, language: Language) -> None:
    style.mark_zero(axes)
    place, att = np.arange(len(done)), done["att"].to_numpy(dtype=float)
    size = float(np.clip(900 / len(done), 3, 22))
    if {"lower", "upper"} <= set(done.columns):
        ends = done[["lower", "upper"]].to_numpy(dtype=float)
        known = np.isfinite(ends).all(axis=1)
        axes.vlines(
            place[known], *ends[known].T, color=style.PALE, linewidth=min(1.2, 250 / len(done))
        )
    values = done["pvalue"].to_numpy(dtype=float) if "pvalue" in done.columns else np.nan * att
    small = values <= alpha
    for chosen, marker in ((small & (att >= 0), "^"), (small & (att < 0), "v")):
        if chosen.any():
            axes.scatter(
                place[chosen], att[chosen], s=1.4 * size, marker=marker, color=style.BLUE, zorder=3
            )
    if small.any():
        label = words(SMALL, language).format(alpha=alpha)
        marker = "v" if (att[small] < 0).mean() > 0.5 else "^"
        axes.scatter([], [], s=20, marker=marker, color=style.BLUE, label=label)
    unknown = np.isnan(values)
    hollow = [(~small & ~unknown, style.BLUE, words(LARGE, language).format(alpha=alpha))]
    label = words(EFFECT if unknown.all() else UNTESTED, language)
    hollow.append((unknown, style.BLUE if unknown.all() else style.GREY, label))
    for chosen, colour, label in hollow:
        if chosen.any():
            axes.scatter(
                place[chosen],
                att[chosen],
                s=size,
                marker="o",
                facecolors="white",
                edgecolors=colour,
                linewidths=0.6,
                zorder=3,
                label=label,
            )
    axes.margins(y=0.16)


def _matrix(
    axes: Axes,
    done: pd.DataFrame,
    options: Mapping[str, list[str]],
    titles: Mapping[str, Label],
    names: Mapping[str, Label],
    language: Language,
) -> None:
    """A row for each option with a stroke at each specification that has it."""
    rows, labels, headings = [], [], []
    level = 0.0
    width = float(np.clip(420 / len(done), 0.35, 2.5))
    for dimension, listed in options.items():
        headings.append((level, words(titles[dimension], language)))
        level += 0.9
        for option in listed:
            places = np.flatnonzero((done[dimension] == option).to_numpy())
            axes.axhline(level, color="#EFEFEF", linewidth=0.6, zorder=0)
            axes.vlines(places, level - 0.34, level + 0.34, color="#404040", linewidth=width)
            rows.append(level)
            labels.append(words(names.get(option, str(option)), language))
            level += 1
    axes.set_yticks(rows, labels, fontsize=6.5)
    for height, heading in headings:
        axes.annotate(
            heading,
            (0, height),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=6.5,
            fontweight="bold" if language == "en" else "normal",
            color=style.VERMILION if language == "zh" else "#000000",
            annotation_clip=False,
        )
    axes.set_ylim(level - 0.4, -0.5)
    axes.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _position(done: pd.DataFrame, baseline: Mapping[str, str]) -> int:
    chosen = np.ones(len(done), dtype=bool)
    for column, option in baseline.items():
        if column not in done.columns:
            raise DataError(f"The baseline names a column {column!r} that is not there.")
        chosen &= (done[column] == option).to_numpy()
    if chosen.sum() != 1:
        raise DataError(
            f"The baseline {dict(baseline)} is {int(chosen.sum())} of the estimated specifications;"
            f" it must be exactly one. Name an option for every dimension."
        )
    return int(np.flatnonzero(chosen)[0])
