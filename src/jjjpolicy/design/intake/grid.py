"""Where each row of a table lies in the unit × period matrix."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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

    def locate(self, row: int) -> tuple[Hashable, int]:
        """Unit and period of a row."""
        if self.unit_codes is None or self.period_codes is None:
            i, t = divmod(row, len(self.periods))
        else:
            i, t = int(self.unit_codes[row]), int(self.period_codes[row])
        return self.units[i], int(self.periods[t])


def integer_periods(column: pd.Series[Any], name: str) -> Integers:
    """Periods as integers, or an error that says how to make them so."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        raise DesignError(
            f"time column {name!r} is categorical; convert it to integers, "
            f"e.g. df[{name!r}] = df[{name!r}].astype(int)."
        )
    if pd.api.types.is_datetime64_any_dtype(column) or isinstance(column.dtype, pd.PeriodDtype):
        raise DesignError(
            f"time column {name!r} holds dates; give integer periods, e.g. df[{name!r}].dt.year "
            f"for years or 4 * year + quarter for quarters."
        )
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        raise DesignError(_not_periods(column, name))
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


def _not_periods(column: pd.Series[Any], name: str) -> str:
    """Where a time column is no integer, and what to write so that it becomes one."""
    texts = column.astype(str).str.strip()
    year, quarter = r"(\d{4})", r"[-/ ]?[Qq](\d)"
    row, advice = 0, f"e.g. df[{name!r}] = df[{name!r}].astype(int)"
    if texts.str.fullmatch(year + quarter).all():
        advice = (
            f"for quarters write q = pd.PeriodIndex(df[{name!r}], freq='Q') and df[{name!r}] = "
            f"4 * q.year + q.quarter"
        )
    elif texts.str.fullmatch(year + r"[-/.年]\d{1,2}月?").all():
        advice = (
            f"for months write parts = df[{name!r}].str.extract(r'(\\d+)\\D(\\d+)').astype(int), "
            f"then df[{name!r}] = 12 * parts[0] + parts[1]"
        )
    elif texts.str.fullmatch(year + "年").all():
        advice = f"for years write df[{name!r}] = df[{name!r}].str.rstrip('年').astype(int)"
    elif texts.str.fullmatch(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}.*").all():
        advice = f"for years write df[{name!r}] = pd.to_datetime(df[{name!r}]).dt.year"
    else:
        wrong = np.flatnonzero(pd.to_numeric(texts, errors="coerce").isna().to_numpy())
        row = int(wrong[0]) if len(wrong) else 0
        if len(wrong):
            advice = f"correct row {row}, or drop it"
    return (
        f"time column {name!r} holds text or objects (row {row}: {column.iloc[row]!r}); periods "
        f"must be integers: {advice}."
    )


def restrict(
    frame: pd.DataFrame,
    periods: Integers,
    columns: Columns,
    window: tuple[int, int] | None,
    exclude: tuple[Hashable, ...],
    ledger: Ledger,
) -> tuple[pd.DataFrame, Integers, Ledger]:
    warn_of_packed_dates(periods, columns.time)
    if window is not None:
        low, high = window
        if low > high:
            raise DesignError(f"window={window!r} ends before it begins.")
        inside = (periods >= low) & (periods <= high)
        if not inside.any():
            raise DesignError(
                f"window={window!r} holds no period; {columns.time!r} runs from {periods.min()} "
                f"to {periods.max()}."
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
    frame: pd.DataFrame, periods: Integers, columns: Columns, whole: Integers | None = None
) -> Grid:
    """The grid of a table's rows; ``whole`` are all periods where the table is part of a larger."""
    grid = _sorted_balanced_grid(frame[columns.unit], periods)
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
                f"{distinct[key % len(distinct)]}"
                f"{_rows(keys == key) if whole is None else ''}"
                for key in twice[:5].tolist()
            )
            raise DesignError(
                f"{len(twice)} (unit, period) pairs occur more than once: {named}"
                f"{'; …' if len(twice) > 5 else ''}. Keep one row each; which of them is right the "
                f"data cannot tell."
            )
        grid = Grid(pd.Index(units), distinct, unit_codes.astype(np.int64), period_codes)
    require_periods(grid.periods, columns)
    return grid


def require_periods(periods: Integers, columns: Columns) -> None:
    if len(periods) < 2:
        raise DesignError(
            f"{columns.time!r} has one period only ({periods[0]}); a comparison over time needs at "
            f"least two."
        )


def _sorted_balanced_grid(units: pd.Series[Any], periods: Integers) -> Grid | None:
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
        return Grid(pd.Index(first), years[0].copy(), None, None)
    return None


def _rows(chosen: NDArray[np.bool_]) -> str:
    return f" (rows {', '.join(map(str, np.flatnonzero(chosen)[:5]))})"
