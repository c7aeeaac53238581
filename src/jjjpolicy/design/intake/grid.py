"""Where each row of a table lies in the unit × period matrix."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.design.clock import NUMBERS, Clock
from jjjpolicy.design.intake.columns import Columns, quoted, unknown_name
from jjjpolicy.design.ledger import Ledger
from jjjpolicy.errors import DesignError, warn_user

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Integers


SMALLEST_PACKED = 17_001
"""The first quarter of 1700 as a year and a quarter in one number."""
FIRST = 100
"""Units looked at before all are, to see whether rows are in order."""
SPAN = 65_536
"""Integers as close together as this are looked up in a table, not sorted."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where each row of a table lies in the unit × period matrix."""

    units: pd.Index
    periods: Integers
    unit_codes: Integers | None
    period_codes: Integers | None
    clock: Clock = NUMBERS

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.units), len(self.periods)

    def spread(self, values: NDArray[Any], absent: Any = np.nan) -> NDArray[Any]:
        """Lay row values out as a matrix; cells without a row hold ``absent``."""
        if self.unit_codes is None or self.period_codes is None:
            return values.reshape(self.shape)
        matrix = np.full(self.shape, absent, dtype=np.result_type(values.dtype, type(absent)))
        cells = self.unit_codes * len(self.periods)
        cells += self.period_codes
        matrix.ravel()[cells] = values
        return matrix

    def constant(self, values: NDArray[Any]) -> tuple[NDArray[Any], bool]:
        """A value of each unit, and whether all its rows have the same."""
        if self.unit_codes is None:
            same = values[1:] == values[:-1]
            same[len(self.periods) - 1 :: len(self.periods)] = True
            return values[:: len(self.periods)].copy(), bool(same.all())
        own = np.empty(len(self.units), dtype=values.dtype)
        own[self.unit_codes] = values
        return own, bool((own[self.unit_codes] == values).all())

    def locate(self, row: int) -> tuple[Hashable, int | str]:
        """Unit and name of the period of a row."""
        if self.unit_codes is None or self.period_codes is None:
            i, t = divmod(row, len(self.periods))
        else:
            i, t = int(self.unit_codes[row]), int(self.period_codes[row])
        return self.units[i], self.clock.name(self.periods[t])


def warn_of_packed_dates(periods: Integers, name: str) -> None:
    """Say so where periods look like 202001 for January 2020, and jump at New Year."""
    if len(periods) == 0 or periods.max() < SMALLEST_PACKED:
        return
    distinct = np.unique(periods)
    for form, factor, low, high, advice in (
        ("year and month", 100, 1, 12, "12 * ({0} // 100) + {0} % 100"),
        ("year and quarter", 10, 1, 4, "4 * ({0} // 10) + {0} % 10"),
        ("year, month and day", 10_000, 101, 1231, "a running number of days, weeks or months"),
    ):
        years, within = np.divmod(distinct, factor)
        if (
            ((years >= 1700) & (years <= 2200) & (within >= low) & (within <= high)).all()
            and years[0] != years[-1]
            and (factor < 10_000 or (distinct % 100 <= 31).all())
        ):
            column = f"df[{name!r}]"
            warn_user(
                f"the numbers in time column {name!r} ({distinct[0]}, …, {distinct[-1]}) look like "
                f"{form}; taken as integers they jump at New Year, and so do event times. Number "
                f"the periods through, in {name!r} and in adoption= alike: "
                f"{advice.format(column)}."
            )
            return


def restrict(
    frame: pd.DataFrame,
    periods: Integers,
    columns: Columns,
    window: tuple[int, int] | None,
    exclude: tuple[Hashable, ...],
    ledger: Ledger,
    clock: Clock = NUMBERS,
) -> tuple[pd.DataFrame, Integers, Ledger]:
    if clock.frequency is None:
        warn_of_packed_dates(periods, columns.time)
    if window is not None:
        low, high = window
        if low > high:
            raise DesignError(f"window={(*clock.names(window),)!r} ends before it begins.")
        inside = (periods >= low) & (periods <= high)
        if not inside.any():
            raise DesignError(
                f"window={(*clock.names(window),)!r} holds no period; {columns.time!r} runs from "
                f"{clock.name(periods.min())} to {clock.name(periods.max())}."
            )
        if not inside.all():
            ledger = ledger.with_periods(np.unique(periods[~inside]), "outside window=")
            frame, periods = frame[inside], periods[inside]
    if exclude:
        known = pd.Index(frame[columns.unit].unique())
        for unit in exclude:
            if unit not in known:
                message = unknown_name("unit", unit, list(known), f"column {columns.unit!r}")
                raise DesignError(f"exclude: {message}")
        out = frame[columns.unit].isin(list(exclude)).to_numpy()
        ledger = ledger.with_units(exclude, "left out by exclude=")
        frame, periods = frame[~out], periods[~out]
        if len(frame) == 0:
            raise DesignError("exclude= leaves no unit.")
    return frame, periods, ledger


def make_grid(
    frame: pd.DataFrame,
    periods: Integers,
    columns: Columns,
    whole: Integers | None = None,
    clock: Clock = NUMBERS,
) -> Grid:
    """The grid of a table's rows; ``whole`` are all periods where the table is part of a larger."""
    starts, units = _blocks(frame[columns.unit])
    if units is not None and whole is None:
        shared = _shared_periods(starts, periods)
        if shared is not None:
            require_periods(shared, columns, clock)
            return Grid(units, shared, None, None, clock)
    if units is not None:
        unit_codes = np.repeat(np.arange(len(units)), np.diff(starts, append=len(periods)))
    else:
        unit_codes, units = _codes(frame[columns.unit])
    if whole is None:
        distinct, period_codes = _distinct(periods)
    else:
        distinct, period_codes = whole, np.searchsorted(whole, periods)
    keys = unit_codes * len(distinct) + period_codes
    if not (keys[1:] > keys[:-1]).all():
        counts = np.bincount(keys, minlength=1)
        if (counts > 1).any():
            twice = np.flatnonzero(counts > 1)
            named = "; ".join(
                f"{columns.unit} {quoted(units[key // len(distinct)])} in {columns.time} "
                f"{clock.name(distinct[key % len(distinct)])}"
                f"{_rows(keys == key) if whole is None else ''}"
                for key in twice[:5].tolist()
            )
            raise DesignError(
                f"{len(twice)} (unit, period) pairs occur more than once: {named}"
                f"{'; …' if len(twice) > 5 else ''}. Keep one row each; which of them is right the "
                f"data cannot tell."
            )
    require_periods(distinct, columns, clock)
    return Grid(units, distinct, unit_codes, period_codes, clock)


def require_periods(periods: Integers, columns: Columns, clock: Clock) -> None:
    if len(periods) < 2:
        raise DesignError(
            f"{columns.time!r} has one period only ({clock.name(periods[0])}); a comparison over "
            f"time needs at least two."
        )


def _blocks(units: pd.Series[Any]) -> tuple[Integers, pd.Index | None]:
    """First rows and labels of units whose rows lie together, in order; no labels otherwise."""
    values: Any = units.array if isinstance(units.dtype, pd.StringDtype) else units.to_numpy()
    starts = np.zeros(1, dtype=np.int64)
    if values.dtype.kind not in "iuf" and not isinstance(units.dtype, pd.StringDtype):
        return starts, None
    changed = np.asarray(values[1:] != values[:-1], dtype=bool)
    number = 1 + np.count_nonzero(changed)
    width = len(values) // number
    if width * number == len(values) and changed[width - 1 :: width].all():
        starts = np.arange(0, len(values), width)
    else:
        starts = np.append(starts, np.flatnonzero(changed) + 1)
    if not pd.Index(values[starts[:FIRST]]).is_monotonic_increasing:
        return starts, None
    labels = pd.Index(values[starts])
    in_order = labels.is_monotonic_increasing and labels.is_unique
    return starts, labels if in_order else None


def _shared_periods(starts: Integers, periods: Integers) -> Integers | None:
    """The periods of every block of rows where they are the same, increasing."""
    width = len(periods) // len(starts)
    if width * len(starts) != len(periods) or (starts != np.arange(0, len(periods), width)).any():
        return None
    shared: Integers = periods[:width].copy()
    if (np.diff(shared) > 0).all() and (periods[width:] == periods[:-width]).all():
        return shared
    return None


def _codes(units: pd.Series[Any]) -> tuple[Integers, pd.Index]:
    """A code for each row, and the labels that codes stand for, increasing."""
    if units.dtype.kind == "i" and isinstance(units.dtype, np.dtype):
        labels, codes = _distinct(units.to_numpy())
        return codes, pd.Index(labels)
    codes, found = pd.factorize(units, sort=True)
    return codes.astype(np.int64), pd.Index(found)


def _distinct(values: Integers) -> tuple[Integers, Integers]:
    """Distinct integers, increasing, and the position of each value among them."""
    low = int(values.min())
    span = int(values.max()) - low + 1
    if span > max(SPAN, 4 * len(values)):
        distinct, codes = np.unique(values, return_inverse=True)
        return distinct, codes.astype(np.int64)
    offsets = values.astype(np.int64) - low
    seen = np.zeros(span, dtype=bool)
    seen[offsets] = True
    places = np.cumsum(seen) - 1
    return (np.flatnonzero(seen) + low).astype(values.dtype), places[offsets]


def _rows(chosen: NDArray[np.bool_]) -> str:
    return f" (rows {', '.join(map(str, np.flatnonzero(chosen)[:5]))})"
