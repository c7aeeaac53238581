"""Tables of regions and years: checks, shares, and rows of the same period or unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.errors import DataError

if TYPE_CHECKING:
    from pandas.api.typing import DataFrameGroupBy


def checked(values: pd.DataFrame, *, positive: bool = False) -> pd.DataFrame:
    """The table as floats; columns are numbers of at least 0 (or above 0), or missing.

    Raises
    ------
    DataError
        No column, repeated rows or columns, text, infinite or negative numbers; the message names
        the column and the row.
    """
    if not isinstance(values, pd.DataFrame) or values.shape[1] == 0:
        raise DataError("give a DataFrame with one column for each industry or variable.")
    for axis, labels in (("column", values.columns), ("row", values.index)):
        if labels.has_duplicates:
            raise DataError(
                f"the {axis} {labels[labels.duplicated()][0]!r} stands twice in a table."
            )
    for column in values.columns:
        if not pd.api.types.is_numeric_dtype(values[column]):
            raise DataError(f"column {column!r} holds {values[column].dtype}, not numbers.")
    table = values.astype(float)
    low = table <= 0 if positive else table < 0
    wrong = (low | np.isinf(table)).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        least = "above" if positive else "at least"
        raise DataError(
            f"column {table.columns[column]!r}, {row_name(table.index, row)}: "
            f"{table.to_numpy()[row, column]} must be {least} 0 and finite."
        )
    return table


def checked_series(values: pd.Series, *, positive: bool = False) -> pd.Series:
    """A named variable as floats, checked like a table of one column."""
    if not isinstance(values, pd.Series):
        raise DataError("give a Series indexed by region and year.")
    table = values.to_frame("value" if values.name is None else values.name)
    return checked(table, positive=positive).iloc[:, 0]


def row_name(index: pd.Index, row: int) -> str:
    """Words for a row: its level names and values."""
    labels = index[row] if isinstance(index, pd.MultiIndex) else (index[row],)
    names = [name if name is not None else "row" for name in index.names]
    return ", ".join(f"{name} {label}" for name, label in zip(names, map(str, labels), strict=True))


def shares(values: pd.DataFrame, *, positive: bool = False) -> pd.DataFrame:
    """Shares of the columns in each row; missing where one of them is.

    Raises
    ------
    DataError
        As :func:`checked`, or a row is zero in all columns.
    """
    table = checked(values, positive=positive)
    total = table.sum(axis=1, skipna=False)
    if (total == 0).any():
        row = int((total == 0).to_numpy().argmax())
        raise DataError(f"{row_name(table.index, row)}: all columns are 0; shares do not exist.")
    return table.div(total, axis=0)


def where_complete(result: pd.DataFrame, groups: DataFrameGroupBy[Any, Any]) -> pd.DataFrame:
    """A result by group, missing where a number of the group is."""
    return result.where(groups.count().eq(groups.size(), axis=0))


def totals(table: pd.DataFrame, of_row: pd.Index | pd.Series) -> pd.DataFrame:
    """For each row the sum of the rows of its group; missing where one of them is."""
    groups = table.groupby(of_row)
    return where_complete(groups.sum(), groups).loc[of_row].set_axis(table.index)


def periods(index: pd.Index, period: str) -> pd.Index:
    """Period of each row; all rows are of one period if the index has no such level."""
    if period in index.names:
        return index.get_level_values(period)
    return pd.Index(np.zeros(len(index), dtype=int), name=period)


def units(index: pd.Index, period: str) -> pd.Index:
    """Unit of each row: the index without the period.

    Raises
    ------
    DataError
        The index has no level for the period, or nothing besides it.
    """
    if period not in index.names:
        raise DataError(
            f"the index has no level {period!r} (levels: {', '.join(map(str, index.names))}); "
            f"set it, or name the level with period=…"
        )
    if index.nlevels < 2:
        raise DataError(f"the index has the level {period!r} alone; add the region.")
    return without_level(index, period)


def without_level(index: pd.Index, level: str) -> pd.Index:
    """The index without one of its levels."""
    kept = [at for at, name in enumerate(index.names) if name != level]
    if len(kept) == 1:
        return index.get_level_values(kept[0])
    return pd.MultiIndex.from_arrays([index.get_level_values(at) for at in kept])


def logarithms(table: pd.DataFrame) -> pd.DataFrame:
    """Natural logarithms, cell by cell."""
    return pd.DataFrame(np.log(table.to_numpy()), index=table.index, columns=table.columns)


def reference_shares(
    values: pd.DataFrame, reference: pd.DataFrame | pd.Series | None, period: str
) -> pd.DataFrame:
    """Shares of the reference economy for each row of ``values``.

    The reference is the sum of all rows of the period; or a row for each period; or a row for each
    row; or one row for all.

    Raises
    ------
    DataError
        The reference lacks a column, a period or a row.
    """
    table = checked(values)
    of_row = periods(table.index, period)
    if reference is None:
        return shares(totals(table, of_row))
    if isinstance(reference, pd.Series):
        reference = pd.DataFrame([reference] * len(table), index=table.index)
    missing = table.columns.difference(reference.columns)
    if len(missing):
        raise DataError(f"the reference has no column {missing[0]!r}.")
    reference = reference[table.columns]
    if reference.index.equals(table.index):
        return shares(reference)
    by_row = reference.index.nlevels == table.index.nlevels > 1
    wanted = table.index if by_row else of_row
    absent = ~wanted.isin(reference.index)
    if absent.any():
        row = int(np.asarray(absent).argmax())
        raise DataError(f"the reference has no row for {row_name(wanted, row)}.")
    found = shares(reference).reindex(wanted)
    return found.set_axis(table.index, axis=0)


def earlier(values: pd.DataFrame, span: int, period: str) -> pd.DataFrame:
    """Values of the same unit ``span`` periods before; missing where there is none.

    Raises
    ------
    DataError
        ``span`` is no positive whole number, or the index has no level for the period.
    """
    if span != int(span) or span < 1:
        raise DataError(f"span={span!r} must be a whole number of at least 1.")
    units(values.index, period)
    level = values.index.names.index(period)
    before = values.index.to_frame(index=False)
    before.iloc[:, level] = before.iloc[:, level] - int(span)
    return values.reindex(pd.MultiIndex.from_frame(before)).set_axis(values.index, axis=0)


def pairs_within(index: pd.Index, period: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of each pair in the same period: first, second, ordered by period."""
    codes, _ = pd.factorize(periods(index, period), sort=True)
    first, second = [], []
    for code in range(codes.max() + 1 if len(codes) else 0):
        rows = np.flatnonzero(codes == code)
        above, below = np.triu_indices(rows.size, k=1)
        first.append(rows[above])
        second.append(rows[below])
    nothing = np.empty(0, dtype=np.int64)
    return np.concatenate([nothing, *first]), np.concatenate([nothing, *second])


def cosine(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine of the angle between rows."""
    product = (first * second).sum(axis=1)
    norms = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    return np.asarray(np.clip(product / norms, -1.0, 1.0))
