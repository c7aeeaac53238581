"""How figures look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jjjpolicy.report.text import Language

COLUMN_WIDTH = 3.4
FULL_WIDTH = 7.0
"""Widths of figures in inches."""

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

    families = ["DejaVu Sans"]
    if language == "zh":
        from jjjpolicy.report.fonts import register_chinese

        families = [register_chinese(), *families]
    settings = {
        "font.family": families,
        "font.size": 8,
        "axes.titlesize": 8.5,
        "axes.labelsize": 8,
        "xtick.labelsize": 7.5,
        "ytick.labelsize": 7.5,
        "legend.fontsize": 7.5,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
        "axes.edgecolor": "#404040",
        "axes.unicode_minus": True,
        "axes.prop_cycle": matplotlib.cycler(color=PALETTE),
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "lines.linewidth": 1.5,
        "lines.markersize": 4,
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "mathtext.fontset": "dejavusans",
    }
    with matplotlib.rc_context(settings):
        yield
