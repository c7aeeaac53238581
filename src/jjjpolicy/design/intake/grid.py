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


@dataclass(frozen=True)
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
        matrix[self.unit_codes, self.period_codes] = values
        return matrix

    def locate(self, row: int) -> tuple[Hashable, int | str]:
        """Unit and name of the period of a row."""
        if self.unit_codes is None or self.period_codes is None:
            i, t = divmod(row, len(self.periods))
        else:
            i, t = int(self.unit_codes[row]), int(self.period_codes[row])
        return self.units[i], self.clock.name(self.periods[t])


def warn_of_packed_dates(periods: Integers, name: str) -> None:
    """Say so where periods look like 202001 for January 2020, and jump at New Year."""
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
    grid = _sorted_balanced_grid(frame[columns.unit], periods, clock)
    if whole is not None and grid is not None and not np.array_equal(grid.periods, whole):
        grid = None
    if grid is None:
        unit_codes, units = pd.factorize(frame[columns.unit], sort=True)
        distinct, period_codes = np.unique(periods, return_inverse=True)
        if whole is not None:
            distinct, period_codes = whole, np.searchsorted(whole, periods)
        keys = unit_codes.astype(np.int64) * len(distinct) + period_codes
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
        codes = unit_codes.astype(np.int64)
        grid = Grid(pd.Index(units), distinct, codes, period_codes, clock)
    require_periods(grid.periods, columns, clock)
    return grid


def require_periods(periods: Integers, columns: Columns, clock: Clock) -> None:
    if len(periods) < 2:
        raise DesignError(
            f"{columns.time!r} has one period only ({clock.name(periods[0])}); a comparison over "
            f"time needs at least two."
        )


def _sorted_balanced_grid(units: pd.Series[Any], periods: Integers, clock: Clock) -> Grid | None:
    """The grid of rows that are already sorted by unit and period without gaps, else None."""
    values = units.to_numpy()
    if values.dtype.kind not in "iuf":
        return None
    change = np.flatnonzero(values[1:] != values[:-1])
    width = int(change[0]) + 1 if len(change) else len(values)
    if len(values) % width:
        return None
    block, years = values.reshape(-1, width), periods.reshape(-1, width)
    first = block[:, 0]
    if (
        (np.diff(first) > 0).all()
        and (np.diff(years[0]) > 0).all()
        and (block == first[:, None]).all()
        and (years == years[0]).all()
    ):
        return Grid(pd.Index(first), years[0].copy(), None, None, clock)
    return None


def _rows(chosen: NDArray[np.bool_]) -> str:
    return f" (rows {', '.join(map(str, np.flatnonzero(chosen)[:5]))})"
