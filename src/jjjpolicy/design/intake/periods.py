"""Columns of periods: years and other whole numbers, quarters, months, weeks and days."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.design.clock import Clock
from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

YEARS = "Y-DEC"
QUARTERS = "Q-DEC"
MONTHS = "M"
DAYS = "D"

_TEXTS = {
    YEARS: re.compile(r"(\d{4})年()"),
    QUARTERS: re.compile(r"(\d{4})年?[-/ ]?(?:[Qq]|第)?([1-4一二三四])(?:(?<=[Qq].)|季度|季)"),
    MONTHS: re.compile(r"(\d{4})[-/.年mM](\d{1,2})月?"),
}
"""How quarters and months are written, and years where they are no numbers."""
_CHINESE = dict(zip("一二三四", "1234", strict=True))
_NEVER = ("", "0")


@dataclass(frozen=True)
class TimeColumn:
    """How the periods of a table are written, so that other cells can be read in the same way.

    Attributes
    ----------
    name : str
        Of the time column.
    frequency : str, optional
        Of what it holds, as pandas writes it; None for whole numbers.
    day : str
        Where dates lie in their periods: ``"start"``, ``"end"``, or the day of the month.
    example : str
        The first period, by its name.
    """

    name: str
    frequency: str | None = None
    day: str = "start"
    example: str = ""

    @property
    def clock(self) -> Clock:
        """Years are their own numbers, however they are written."""
        return Clock(None if _is_yearly(self.frequency) else self.frequency)

    def read(self, column: pd.Series[Any]) -> Integers:
        """The periods of further rows of the time column."""
        if self.frequency is None:
            return _whole_numbers(column, self.name)
        return self.numbers(column, self.name).astype(np.int64)

    def numbers(self, column: pd.Series[Any], name: str) -> Floats:
        """Periods as numbers on the clock, ``nan`` where a cell is missing.

        Raises
        ------
        DesignError
            A cell that is not written as the periods of the time column are.
        """
        assert self.frequency is not None
        codes, cells = pd.factorize(column)
        distinct = [self._number(cell) for cell in cells]
        for code, cell in enumerate(cells):
            if distinct[code] is None:
                raise DesignError(self._unlike(name, int(np.argmax(codes == code)), cell))
        numbers: Floats = np.array([*distinct, np.nan], dtype=float)[codes]
        return numbers

    def never(self, column: pd.Series[Any]) -> Booleans:
        """Cells of an adoption column that stand for never treated."""
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(dtype=float, na_value=np.nan)
            return np.asarray(np.isnan(values) | (values == 0) | np.isposinf(values))
        cells = column.astype(object)
        empty = cells.map(lambda cell: str(cell).strip() in _NEVER).astype(bool)
        return np.asarray(cells.isna() | empty)

    def window(self, window: tuple[Any, Any] | None) -> tuple[int, int] | None:
        """First and last period of ``window=`` as numbers on the clock."""
        if window is None or self.frequency is None:
            return window and _numbers_of(window)
        low, high = self.numbers(pd.Series(list(window), dtype=object), "window=")
        return int(low), int(high)

    def _number(self, cell: object) -> float | None:
        """A period on the clock; None where it is written in another way."""
        assert self.frequency is not None
        yearly = _is_yearly(self.frequency)
        if isinstance(cell, int | float | np.number):
            return float(cell) if yearly and float(cell).is_integer() else None
        period = cell if isinstance(cell, pd.Period) else self._period(cell)
        if period is None or _base(period.freqstr) != self.frequency:
            return None
        return float(period.year if yearly else period.ordinal)

    def _period(self, cell: object) -> pd.Period | None:
        if isinstance(cell, str):
            return _written(cell, self.frequency)
        try:
            date = pd.Timestamp(cell).tz_localize(None)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return None
        assert self.frequency is not None
        period = pd.Period(date, freq=self.frequency)
        places = {"start", self.day}
        return period if places & _places(date, period) else None

    def _unlike(self, name: str, row: int, cell: object) -> str:
        where = name if name == "window=" else f"column {name!r}, row {row}:"
        advice = "; a day within a period does not say whether treatment begins in this or the next"
        dated = not isinstance(cell, str | int | float | np.number | pd.Period)
        return (
            f"{where} {_shown(cell)} is no period such as {self.example}, which time "
            f"column {self.name!r} holds{advice if dated else ''}. Write it as the "
            f"periods are written there"
            f"{'' if name == 'window=' else ', or leave it missing for never treated'}."
        )


def read_periods(column: pd.Series[Any], name: str) -> tuple[Integers, TimeColumn]:
    """The periods of a time column as whole numbers, and how they are written.

    Raises
    ------
    DesignError
        What the column holds are no periods; the message says how to make them so.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        if pd.api.types.is_numeric_dtype(column.cat.categories):
            raise DesignError(
                f"time column {name!r} is categorical; convert it to integers, "
                f"e.g. df[{name!r}] = df[{name!r}].astype(int)."
            )
        column = column.astype(object)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _whole_numbers(column, name), TimeColumn(name)
    time = _as_written(column, name)
    if time is None:
        raise DesignError(_not_periods(column, name))
    missing = np.flatnonzero(column.isna().to_numpy())
    if len(missing):
        raise DesignError(f"time column {name!r} is missing in row {missing[0]}; drop the row.")
    numbers = time.read(column)
    return numbers, replace(time, example=str(time.clock.name(numbers[0])))


def _as_written(column: pd.Series[Any], name: str) -> TimeColumn | None:
    """How the periods of a column that holds no numbers are written; None where they are none."""
    known = column.dropna()
    kind = "empty" if pd.api.types.is_bool_dtype(column) else pd.api.types.infer_dtype(known)
    if kind == "period":
        frequencies = {_base(period.freqstr) for period in known.unique()}
        return TimeColumn(name, frequencies.pop()) if len(frequencies) == 1 else None
    if kind in ("datetime64", "datetime", "date"):
        return _of_dates(pd.DatetimeIndex(pd.to_datetime(known).unique()).tz_localize(None), name)
    if kind == "string":
        texts = known.astype(str).unique()
        for frequency in _TEXTS:
            if all(_written(text, frequency) is not None for text in texts):
                return TimeColumn(name, frequency)
    return None


def _of_dates(dates: pd.DatetimeIndex, name: str) -> TimeColumn:
    """The longest of years, quarters, months, weeks and days of which each date names one."""
    if len(dates) and (dates != dates.normalize()).any():
        raise DesignError(
            f"time column {name!r} holds times of day; name the periods, e.g. "
            f"df[{name!r}] = df[{name!r}].dt.to_period('D')."
        )
    for frequency in (YEARS, QUARTERS, MONTHS):
        periods = dates.to_period(frequency)
        shared = set.intersection(
            *(_places(date, period) for date, period in zip(dates, periods, strict=True))
        )
        if shared and periods.is_unique:
            return TimeColumn(name, frequency, sorted(shared)[-1])
    gaps = np.diff(dates.sort_values().to_numpy()).astype("timedelta64[D]").astype(int)
    if (gaps % 7 == 0).all():
        ending = (dates[0] - pd.Timedelta(days=1)).strftime("%a").upper()
        return TimeColumn(name, f"W-{ending}")
    if gaps.min() < 7:
        return TimeColumn(name, DAYS)
    raise DesignError(
        f"time column {name!r} holds dates that are neither days nor weeks nor the same day of "
        f"each month ({dates[0].date()}, {dates[1].date()}, …); name the periods, e.g. "
        f"df[{name!r}] = df[{name!r}].dt.to_period('M')."
    )


def _places(date: pd.Timestamp, period: pd.Period) -> set[str]:
    """Where a date lies in a period, in the words of :class:`TimeColumn`."""
    places = set()
    if date == period.start_time:
        places.add("start")
    if date == period.end_time.normalize():
        places.add("end")
    if _is_yearly(period.freqstr):
        places.add(date.strftime("%m-%d"))
    elif period.freqstr == MONTHS:
        places.add(date.strftime("%d"))
    return places


def _written(text: str, frequency: str | None) -> pd.Period | None:
    """The quarter, month or year that a text names."""
    form = _TEXTS.get(frequency or "")
    found = None if form is None else form.fullmatch(text.strip())
    if found is None:
        return None
    year, part = int(found[1]), int(_CHINESE.get(found[2], found[2]) or 1)
    if frequency == QUARTERS:
        return pd.Period(year=year, quarter=part, freq=QUARTERS)
    return pd.Period(year=year, month=part, freq=frequency) if 1 <= part <= 12 else None


def _numbers_of(window: tuple[Any, Any]) -> tuple[int, int]:
    """A window in numbers; a command line writes them as text."""
    try:
        low, high = (int(each) if isinstance(each, str) else each for each in window)
    except ValueError as error:
        raise DesignError(f"window={window!r} must be two periods in numbers.") from error
    return low, high


def _base(frequency: str) -> str:
    """A frequency without its multiple: every second year counts years."""
    return frequency.lstrip("0123456789")


def _is_yearly(frequency: str | None) -> bool:
    return frequency is not None and frequency.startswith("Y")


def _shown(cell: object) -> str:
    if isinstance(cell, pd.Timestamp):
        return str(cell.date() if cell == cell.normalize() else cell)
    return repr(cell) if isinstance(cell, str) else str(cell)


def _whole_numbers(column: pd.Series[Any], name: str) -> Integers:
    if pd.api.types.is_integer_dtype(column) and not column.hasnans:
        return column.to_numpy(dtype=np.int64)
    values = column.to_numpy(dtype=float, na_value=np.nan)
    bad = ~np.isfinite(values) | (values != np.round(values))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DesignError(
            f"time column {name!r} is {values[row]} in row {row}; periods must be whole numbers."
        )
    return values.astype(np.int64)


def _not_periods(column: pd.Series[Any], name: str) -> str:
    """Where a time column holds no periods, and what to write so that it does."""
    texts = column.astype(str).str.strip()
    row, advice = 0, f"e.g. df[{name!r}] = df[{name!r}].astype(int)"
    if texts.str.fullmatch(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}.*").all():
        advice = (
            f"for years write df[{name!r}] = pd.to_datetime(df[{name!r}]).dt.year, for quarters or "
            f"months pd.to_datetime(df[{name!r}])"
        )
    else:
        wrong = np.flatnonzero(pd.to_numeric(texts, errors="coerce").isna().to_numpy())
        forms = [form for form in _TEXTS.values() if texts.str.fullmatch(form).any()]
        if forms:
            wrong = np.flatnonzero(~texts.str.fullmatch(forms[0]).to_numpy())
        row = int(wrong[0]) if len(wrong) else 0
        if len(wrong):
            advice = f"correct row {row}, or drop it"
    return (
        f"time column {name!r} holds text or objects (row {row}: {column.iloc[row]!r}); periods "
        f"must be integers, dates, or quarters and months such as 2019Q4 and 2019-11: {advice}."
    )
