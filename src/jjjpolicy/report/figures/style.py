"""How figures look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jjjpolicy.report.text import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN_WIDTH = 3.4
FULL_WIDTH = 7.0
"""Widths of figures in inches."""

TICK_SIZE = 7.5
"""Of the labels of ticks, in points."""

# Okabe and Ito (2008), distinguishable under the common forms of colour blindness.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY_BLUE, BLACK)
GREY = "#8C8C8C"
PALE = "#C9C9C9"


@contextmanager
def style(language: Language) -> Iterator[None]:
    """Apply the publication style to the figures created inside.

    Raises
    ------
    DataError
        Chinese is asked for and the font is not installed.
    """
    import matplotlib
    from cycler import cycler

    families = ["DejaVu Sans"]
    if language == "zh":
        from jjjpolicy.report.figures.fonts import register_chinese

        families = [register_chinese(), *families]
    settings: dict[Any, Any] = {
        "font.family": families,
        "font.size": 8,
        "axes.titlesize": 8.5,
        "axes.labelsize": 8,
        "xtick.labelsize": TICK_SIZE,
        "ytick.labelsize": TICK_SIZE,
        "legend.fontsize": 7.5,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
        "axes.edgecolor": "#404040",
        "axes.unicode_minus": True,
        "axes.prop_cycle": cycler(color=PALETTE),
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "lines.linewidth": 1.5,
        "lines.markersize": 4,
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "text.parse_math": False,  # names are data: a dollar sign in one is a dollar sign
    }
    with matplotlib.rc_context(settings):
        yield


@contextmanager
def canvas(
    language: Language,
    *,
    width: float = COLUMN_WIDTH,
    height: float = 2.4,
    rows: int = 1,
    columns: int = 1,
    heights: Sequence[float] | None = None,
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Open a figure in the publication style and lay it out when the block ends.

    Parameters
    ----------
    language : "en" or "zh"
    width, height : float
        Inches.
    rows, columns : int
        Grid of axes, listed row by row.
    heights : sequence of float, optional
        Relative heights of the rows.
    """
    from matplotlib import pyplot

    with style(language):
        figure, grid = pyplot.subplots(
            rows, columns, figsize=(width, height), squeeze=False, height_ratios=heights
        )
        for axes in grid.flat:
            # Kept by the axes: how many ticks there are follows from it, outside of the style too.
            axes.tick_params(labelsize=TICK_SIZE)
        yield figure, list(grid.flat)
        _settle_layout(figure)


def _settle_layout(figure: Figure) -> None:
    """Lay out a figure once, not again for every file format, and forget the last bits.

    The solver behind the layout may differ in the last bits from run to run, and names inside SVG
    files are made from all bits of the positions.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(part, 6) for part in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


def mark_policy(axes: Axes, position: float, label: str = "") -> None:
    """Draw a dashed vertical line where the policy begins."""
    axes.axvline(position, color="#404040", linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    if label:
        axes.annotate(
            label,
            (position, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-3, -1),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=7,
            color="#404040",
        )


def mark_zero(axes: Axes) -> None:
    """Draw the horizontal line at zero."""
    axes.axhline(0, color="#404040", linewidth=0.7, zorder=1)


def label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write labels right of line ends, moved apart where they would overlap.

    Parameters
    ----------
    ends : sequence of (x, y, label, colour)
    """
    low, high = axes.get_ylim()
    inches = axes.get_window_extent().height / axes.figure.dpi
    step = (high - low) * 0.135 / max(inches, 0.5)
    placed: list[float] = []
    for x, y, label, colour in sorted(ends, key=lambda end: end[1]):
        level = max(y, placed[-1] + step) if placed else y
        placed.append(level)
        axes.annotate(
            label,
            (x, level),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=7.5,
            annotation_clip=False,
        )


def whole_years(axes: Axes, most: int = 6) -> None:
    """Tick only whole numbers on the horizontal axis, in at most so many steps."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=most, integer=True))
