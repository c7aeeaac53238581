"""Figure of sector structures: which shares are computed, which are stated, which are missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jjjpolicy.errors import DataError
from jjjpolicy.report.figures import style
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

SECTORS = {
    "primary": Text("Primary", "第一产业"),
    "secondary": Text("Secondary", "第二产业"),
    "tertiary": Text("Tertiary", "第三产业"),
}
COMPUTED = Text("Computed from value added", "由增加值计算")
STATED = Text("Stated share", "公布的占比")
MISSING = Text("Not available", "缺失")
PERCENT = Text("Share of product, %", "占地区生产总值比重（%）")
_COLOURS = dict(zip(SECTORS, (style.GREEN, style.ORANGE, style.BLUE), strict=True))
_WIDTH = 0.8


def draw_structure(
    panels: Mapping[Label, pd.DataFrame],
    *,
    years: tuple[int, int],
    break_at: float | None = None,
    break_name: Label = "",
    language: Language = "en",
    width: float = style.FULL_WIDTH,
    columns: int = 2,
) -> Figure:
    """Draw shares of the three sectors by year, a panel for each region.

    Parameters
    ----------
    panels : mapping from title to DataFrame
        Columns year, sector (``primary``, ``secondary``, ``tertiary``), share (percent), stated (a
        published share, drawn hatched, in place of one computed from value added).
    years : (int, int)
        First and last year of the axis. Years, and parts of years, without a share are outlined.
    break_at : float, optional
        Where the accounts change, in years; a dashed line with the name ``break_name``.

    Raises
    ------
    DataError
        No panel; an unknown sector; a sector twice in a year; shares of a year above 100 percent.
    """
    if not panels:
        raise DataError("there is no region to draw.")
    rows = math.ceil(len(panels) / columns)
    with style.canvas(
        language, width=width, height=1.9 * rows + 0.6, rows=rows, columns=columns
    ) as (figure, grid):
        for axes, (title, shares) in zip(grid, panels.items(), strict=False):
            _draw(axes, _checked(shares, title), years)
            if break_at is not None:
                style.mark_policy(axes, break_at)
            axes.set_title(words(title, language))
            axes.set_xlim(years[0] - 0.6, years[1] + 0.6)
            axes.set_ylim(0, 100)
            style.whole_years(axes)
        for axes in grid[: len(panels) : columns]:
            axes.set_ylabel(words(PERCENT, language))
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        handles, names = _legend(panels.values(), years, language)
        if break_at is not None:
            handles.append(_dashed())
            names.append(words(break_name, language))
        figure.legend(handles, names, loc="outside upper center", ncols=4)
    return figure


def _checked(shares: pd.DataFrame, title: Label) -> pd.DataFrame:
    unknown = set(shares["sector"]) - set(SECTORS)
    if unknown:
        raise DataError(f"{title}: sector {min(unknown)!r} is none of {', '.join(SECTORS)}.")
    twice = shares.duplicated(["year", "sector"])
    if twice.any():
        row = shares[twice].iloc[0]
        raise DataError(f"{title}: {row['sector']} stands twice in {row['year']}.")
    sums = shares.groupby("year")["share"].sum()
    if (sums > 100.5).any():
        raise DataError(f"{title}: the shares of {sums.idxmax()} sum to {sums.max():.1f} percent.")
    return shares


def _draw(axes: Axes, shares: pd.DataFrame, years: tuple[int, int]) -> None:
    for year in range(years[0], years[1] + 1):
        rows = shares[shares["year"] == year]
        known: dict[str, float] = dict(
            zip(rows["sector"], rows["share"].astype(float), strict=True)
        )
        stated = set(rows.loc[rows["stated"].astype(bool), "sector"])
        axes.bar(
            year,
            100,
            width=_WIDTH,
            facecolor="none",
            edgecolor=style.PALE,
            linestyle=":",
            linewidth=0.6,
            zorder=0,
        )
        whole = len(known) == len(SECTORS)
        floor = 0.0
        for sector in SECTORS:
            if sector not in known:
                continue
            share = known[sector]
            # Of a year with gaps, primary stands on the axis and tertiary hangs from the top.
            if not whole:
                above = {"secondary": known.get("primary", 0.0), "tertiary": 100 - share}
                floor = above.get(sector, 0.0)
            axes.bar(
                year,
                share,
                bottom=floor,
                width=_WIDTH,
                color=_COLOURS[sector],
                edgecolor="white",
                linewidth=0.4,
                hatch="////" if sector in stated else None,
            )
            floor += share


def _legend(
    panels: Iterable[pd.DataFrame], years: tuple[int, int], language: Language
) -> tuple[list[Any], list[str]]:
    """Handles and names of the sectors, and of the kinds of share where there are several."""
    from matplotlib.patches import Patch

    def patch(**options: Any) -> Patch:
        return Patch(linewidth=0.6, **options)

    tables = list(panels)
    cells = (years[1] - years[0] + 1) * len(SECTORS)
    handles: list[Any] = [patch(color=_COLOURS[sector]) for sector in SECTORS]
    labels: list[Label] = list(SECTORS.values())
    if any(table["stated"].any() for table in tables):
        handles.append(patch(facecolor=style.GREY, edgecolor="white"))
        handles.append(patch(facecolor=style.GREY, edgecolor="white", hatch="////"))
        labels += [COMPUTED, STATED]
    if any(table["year"].between(*years).sum() < cells for table in tables):
        handles.append(patch(facecolor="none", edgecolor=style.GREY, linestyle=":"))
        labels.append(MISSING)
    return handles, [words(label, language) for label in labels]


def _dashed() -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color="#404040", linewidth=0.8, linestyle=(0, (4, 3)))
