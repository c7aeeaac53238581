"""What a figure draws, as data: for interactive plots, and for readers who want the values."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from jjjpolicy.report.figures.effects import EVENT_TIME, UNIFORM
from jjjpolicy.report.figures.panels import OBSERVED, TREATED
from jjjpolicy.report.figures.time import SYNTHETIC, YEAR
from jjjpolicy.report.noise import NOISE
from jjjpolicy.report.text import Label, Text, words

if TYPE_CHECKING:
    import pandas as pd

    from jjjpolicy.report.figures.panels import PathPanel, PlaceboPanel

Role = Literal["treated", "counterfactual", "placebo", "estimate", "band"]
"""What a series is: it decides colour and stroke, and placebos can be hidden."""

DIGITS = 6
"""Significant digits kept, more than a screen can show."""

ESTIMATE = Text("Estimate", "估计值")


@dataclass(frozen=True, eq=False)
class PlotSeries:
    """A series of a panel.

    Attributes
    ----------
    name : Text or str
    role : "treated", "counterfactual", "placebo", "estimate" or "band"
    values : Series, indexed by position
        Missing values leave a gap.
    lower, upper : Series, indexed by position, optional
        Ends of intervals.
    """

    name: Label
    role: Role
    values: pd.Series
    lower: pd.Series | None = None
    upper: pd.Series | None = None


@dataclass(frozen=True, eq=False)
class PlotPanel:
    """A panel with its title."""

    title: Label
    series: tuple[PlotSeries, ...]


@dataclass(frozen=True)
class PlotData:
    """What a figure draws.

    Attributes
    ----------
    panels : tuple of PlotPanel
    horizontal, vertical : Text or str
        What the axes measure.
    policy : float, optional
        Where the policy line stands.
    common_scale : bool
        Whether all panels share the vertical scale.
    """

    panels: tuple[PlotPanel, ...]
    horizontal: Label
    vertical: Label
    policy: float | None = None
    common_scale: bool = True

    def content(self) -> dict[str, Any]:
        """The data as JSON values; all series of a panel share its positions."""
        return {
            "horizontal": _both(self.horizontal),
            "vertical": _both(self.vertical),
            "policy": self.policy,
            "common_scale": self.common_scale,
            "panels": [_panel(panel) for panel in self.panels],
        }


def placebo_plot(
    panels: Mapping[Label, PlaceboPanel],
    *,
    policy: float,
    outcome: Label,
    names: Mapping[Hashable, Label] | None = None,
) -> PlotData:
    """Data of :func:`~jjjpolicy.report.figures.panels.draw_placebo_panels`.

    Parameters
    ----------
    panels : mapping from title to PlaceboPanel
    policy : float
    outcome : Text or str
    names : mapping from column of the placebos to Text or str
    """
    known = names or {}
    return PlotData(
        tuple(
            PlotPanel(
                title,
                (
                    *(
                        PlotSeries(known.get(unit, str(unit)), "placebo", panel.placebos[unit])
                        for unit in panel.placebos.columns
                    ),
                    PlotSeries(TREATED if not str(title) else title, "treated", panel.gap),
                ),
            )
            for title, panel in panels.items()
        ),
        YEAR,
        outcome,
        policy,
    )


def path_plot(panels: Mapping[Label, PathPanel], *, policy: float, outcome: Label) -> PlotData:
    """Data of :func:`~jjjpolicy.report.figures.panels.draw_path_panels`."""
    return PlotData(
        tuple(
            PlotPanel(
                title,
                (
                    PlotSeries(SYNTHETIC, "counterfactual", panel.synthetic),
                    PlotSeries(OBSERVED, "treated", panel.treated),
                ),
            )
            for title, panel in panels.items()
        ),
        YEAR,
        outcome,
        policy,
        common_scale=False,
    )


def event_study_plot(panels: Mapping[Label, pd.DataFrame], *, outcome: Label) -> PlotData:
    """Data of :func:`~jjjpolicy.report.figures.effects.draw_event_study`.

    Parameters
    ----------
    panels : mapping from title to DataFrame
        Columns ``event_time``, ``estimate``, ``lower`` and ``upper``; optionally
        ``uniform_lower`` and ``uniform_upper``.
    outcome : Text or str
    """
    return PlotData(
        tuple(PlotPanel(title, _event_series(frame)) for title, frame in panels.items()),
        EVENT_TIME,
        outcome,
        -0.5,
    )


def _event_series(frame: pd.DataFrame) -> tuple[PlotSeries, ...]:
    table = frame.set_index("event_time")
    points = table["estimate"]
    estimates = PlotSeries(ESTIMATE, "estimate", points, table["lower"], table["upper"])
    if not {"uniform_lower", "uniform_upper"} <= set(table.columns):
        return (estimates,)
    ends = table["uniform_lower"], table["uniform_upper"]
    return (PlotSeries(UNIFORM, "band", points, *ends), estimates)


def _panel(panel: PlotPanel) -> dict[str, Any]:
    positions = sorted({position for series in panel.series for position in series.values.index})
    sizes = [series.values.abs().max() for series in panel.series]
    nothing = NOISE * max((size for size in sizes if math.isfinite(size)), default=0.0)
    made = []
    for series in panel.series:
        content: dict[str, Any] = {
            "name": _both(series.name),
            "role": series.role,
            "values": _numbers(series.values, positions, nothing),
        }
        if series.lower is not None and series.upper is not None:
            content["lower"] = _numbers(series.lower, positions, nothing)
            content["upper"] = _numbers(series.upper, positions, nothing)
        made.append(content)
    return {
        "title": _both(panel.title),
        "positions": [float(position) for position in positions],
        "series": made,
    }


def _numbers(values: pd.Series, positions: list[Any], nothing: float) -> list[float | None]:
    found = values.reindex(positions).to_numpy(dtype=float)
    return [_number(0.0 if abs(value) <= nothing else value) for value in found]


def _number(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _both(label: Label) -> dict[str, str]:
    return {"en": words(label, "en"), "zh": words(label, "zh")}
