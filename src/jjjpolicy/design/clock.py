"""The clock of a design: periods as whole numbers, and the names under which users know them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from jjjpolicy.errors import DesignError

PERIODS = ("period", "time", "group", "adoption")
"""Columns of the tables of an estimate that hold periods."""


@dataclass(frozen=True)
class Clock:
    """How periods are counted, and what they are called.

    Estimators see whole numbers, whose differences are event times. Years and other numbers are
    their own names; quarters, months, weeks and days are counted from 1970 on and called 2019Q4,
    2019-11 or 2019-11-04 (the first day, of a week).

    Attributes
    ----------
    frequency : str, optional
        As pandas writes it (``"Q-DEC"``, ``"M"``, ``"W-SUN"``, ``"D"``); None for numbers.

    Examples
    --------
    >>> Clock("Q-DEC").name(199), Clock().name(2019.0)
    ('2019Q4', 2019)
    """

    frequency: str | None = None

    def name(self, number: float) -> int | str:
        """What a period is called; it need not be one of the table."""
        return int(number) if self.frequency is None else _name(self.frequency, int(number))

    def number(self, name: Any) -> int:
        """Which period a name means: a number, or a period as pandas reads it.

        Raises
        ------
        DesignError
            It names no period.
        """
        if self.frequency is None or isinstance(name, int):
            return int(name)
        try:
            return int(pd.Period(name, freq=self.frequency).ordinal)
        except ValueError as error:
            raise DesignError(f"{name!r} is no period such as {self.name(200)}.") from error

    def names(self, numbers: Iterable[float]) -> list[int | str]:
        """What several periods are called."""
        return [self.name(number) for number in numbers]

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table with names in place of the numbers in its columns of periods."""
        if self.frequency is None:
            return table
        numbers = [name for name in PERIODS if name in table.columns and _countable(table[name])]
        named: dict[str, Any] = {
            name: [None if pd.isna(at) else self.name(at) for at in table[name]] for name in numbers
        }
        return table.assign(**named)

    def headed(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table with names in place of the numbers of the periods above its columns."""
        if self.frequency is None or not pd.api.types.is_numeric_dtype(table.columns):
            return table
        return table.set_axis(self.names(table.columns.to_numpy(dtype=float)), axis=1)


NUMBERS = Clock()
"""Periods that are their own names."""


@cache
def _name(frequency: str, number: int) -> str:
    period = pd.Period(ordinal=number, freq=frequency)
    return str(period.start_time.date() if frequency.startswith("W") else period)


def _countable(column: pd.Series[Any]) -> bool:
    return pd.api.types.infer_dtype(column, skipna=True) in ("integer", "floating", "empty")
