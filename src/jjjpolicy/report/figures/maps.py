"""Maps of points: no boundaries are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.report.figures import style
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

EAST = Text("Longitude, degrees east", "东经（度）")
NORTH = Text("Latitude, degrees north", "北纬（度）")
KM_PER_DEGREE = 111.195
"""Length of a degree of latitude on a sphere of the earth's mean radius."""


def draw_points(
    points: pd.DataFrame,
    places: pd.DataFrame,
    *,
    measure: Label,
    names: Mapping[str, Label],
    radius: float,
    language: Language = "en",
    width: float = style.FULL_WIDTH,
) -> Figure:
    """Draw a value at each point, and named places with a circle around each.

    Parameters
    ----------
    points : DataFrame
        Columns ``latitude``, ``longitude`` (degrees) and ``value``. Colours end at the 2nd and
        98th percentile of the values.
    places : DataFrame
        Columns ``latitude``, ``longitude`` and ``name``, a key of ``names``; a name stands at the
        mean of its places.
    measure : Text or str
        What the value is.
    names : mapping from str to Text or str
    radius : float
        Of the circles, in km.
    """
    middle = float(np.radians(points["latitude"].mean()))
    shrunk = float(np.cos(middle))
    with style.canvas(language, width=width, height=width) as (figure, (axes,)):
        low, high = (round(float(points["value"].quantile(q)), 6) for q in (0.02, 0.98))
        drawn = axes.scatter(
            points["longitude"],
            points["latitude"],
            c=points["value"].clip(low, high),
            cmap="viridis",
            s=14,
            linewidths=0,
        )
        angle = np.linspace(0, 2 * np.pi, 90)
        for latitude, longitude in places[["latitude", "longitude"]].to_numpy():
            axes.plot(
                longitude + radius / KM_PER_DEGREE / shrunk * np.cos(angle),
                latitude + radius / KM_PER_DEGREE * np.sin(angle),
                color=style.GREY,
                linewidth=0.6,
            )
        axes.plot(
            places["longitude"],
            places["latitude"],
            "o",
            markerfacecolor="none",
            markeredgecolor=style.VERMILION,
            markersize=6,
        )
        above: list[tuple[float, float]] = []
        for name, place in places.groupby("name", sort=True):
            x, y = float(place["longitude"].mean()), float(place["latitude"].max())
            crowded = any(abs(x - u) < 0.6 and abs(y - v) < 0.25 for u, v in above)
            if not crowded:
                above.append((x, y))
            axes.annotate(
                words(names[str(name)], language),
                (x, y),
                xytext=(0, -13 if crowded else 6),
                textcoords="offset points",
                ha="center",
                fontsize=7,
                color=style.BLACK,
            )
        axes.set_aspect(1 / shrunk, adjustable="datalim")
        axes.set_xlabel(words(EAST, language))
        axes.set_ylabel(words(NORTH, language))
        bar = figure.colorbar(drawn, ax=axes, shrink=0.6, extend="both")
        bar.set_label(words(measure, language))
        bar.outline.set_linewidth(0.5)
    return figure
