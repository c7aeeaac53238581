"""What stands along the axes of an estimate's figures: periods by their names, values by digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jjjpolicy.report.figures.effects import EVENT_TIME
from jjjpolicy.report.figures.style import style, whole_years
from jjjpolicy.report.figures.time import YEAR
from jjjpolicy.report.tables.cells import format_number
from jjjpolicy.report.text import Language, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from jjjpolicy.design.arrays import Labels
    from jjjpolicy.design.clock import Clock

YEARS = ("year", "年份", "年")
"""Names of a time column that have a word in both languages."""
PERIODS = {
    "Q": Text("Quarter", "季度"),
    "M": Text("Month", "月份"),
    "W": Text("Week", "周"),
    "D": Text("Date", "日期"),
}
_STEPS = {"Q": (1, 2, 4, 8, 12, 20, 40), "M": (1, 2, 3, 6, 12, 24, 36, 60, 120)}
"""Quarters and months between ticks, so that these stand at the beginning of a year."""


def time_word(labels: Labels) -> Text:
    """What the periods are: the user's own word, unless it is a part of the calendar."""
    if labels.time.casefold() in YEARS:
        return YEAR
    named = PERIODS.get((labels.clock.frequency or "")[:1])
    return named or Text(labels.time, labels.time)


def event_time_word(labels: Labels) -> Text:
    """What event time is counted in."""
    word = time_word(labels)
    if word is YEAR:
        return EVENT_TIME
    english = word.en if word.en == labels.time else word.en.casefold()
    return Text(f"Event time ({english})", f"事件时间（{word.zh}）")


def name_periods(figure: Figure, clock: Clock, language: Language) -> None:
    """Tick periods by their names along the horizontal axes of a figure."""
    if clock.frequency is None:
        return
    shown = [axes for axes in figure.axes if axes.get_visible()]
    with style(language):
        for axes in shown:
            _name(axes, clock, 5 if len(shown) == 1 else 3)


def _name(axes: Axes, clock: Clock, most: int) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    low, high = axes.get_xlim()
    steps = _STEPS.get((clock.frequency or "")[:1])
    if steps:
        fitting = [step for step in steps if (high - low) / step <= most]
        axes.xaxis.set_major_locator(MultipleLocator(fitting[0] if fitting else steps[-1]))
    else:
        whole_years(axes, most)
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda at, _: str(clock.name(at)) if float(at).is_integer() else "")
    )


def round_values(figure: Figure, digits: int | None) -> None:
    """Print the values along the axes of a figure with so many decimals."""
    if digits is None:
        return
    for axes in figure.axes:
        axis = axes.xaxis if _is_of_rows(axes) else axes.yaxis
        _round(axis, digits)


def _is_of_rows(axes: Axes) -> bool:
    """Whether rows have names, so that values run from left to right."""
    return not axes.spines["left"].get_visible()


def _round(axis: Axis, digits: int) -> None:
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    if isinstance(axis.get_major_formatter(), ScalarFormatter):
        axis.set_major_formatter(FuncFormatter(lambda at, _: format_number(at, digits)))
