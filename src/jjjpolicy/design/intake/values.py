"""Columns as checked numbers and codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.design.intake.columns import Columns, integers, quoted
from jjjpolicy.design.intake.grid import Grid
from jjjpolicy.design.intake.text import STATA_MISSING
from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats, Integers

YES_OR_NO = {
    "yes": "no",
    "y": "n",
    "true": "false",
    "t": "f",
    "treated": "control",
    "on": "off",
    "是": "否",
    "有": "无",
    "处理": "对照",
    "处理组": "对照组",
}
"""Words for treated, and for untreated beside them."""


def yes_or_no(column: pd.Series[Any]) -> Floats | None:
    """A column of false and true, or of a word for no and one for yes, as 0 and 1; else None.

    Only pairs of words that can mean one thing are read, and no column with missing cells.
    """
    if pd.api.types.is_bool_dtype(column) and not column.hasnans:
        return column.to_numpy(dtype=float)
    if pd.api.types.is_numeric_dtype(column) or column.hasnans:
        return None
    codes, cells = pd.factorize(column)
    words = [str(cell).strip().casefold() for cell in cells]
    for yes, no in YES_OR_NO.items():
        if set(words) == {yes, no}:
            return np.array([float(word == yes) for word in words])[codes]
    return None


def numbers(
    frame: pd.DataFrame, name: str, grid: Grid, columns: Columns, gaps: bool = False
) -> Floats:
    """A column as finite floats, or an error that names the first bad cell.

    With ``gaps`` missing cells stay ``nan``.
    """
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column):
        raise DesignError(_not_numbers(column, name, grid, columns))
    plain = column.dtype == np.dtype(float)
    values = column.to_numpy() if plain else column.to_numpy(dtype=float, na_value=np.nan)
    if np.isfinite(values.sum()):
        return values
    bad = np.flatnonzero(np.isinf(values) if gaps else ~np.isfinite(values))
    if len(bad) == 0:
        return values
    unit, period = grid.locate(int(bad[0]))
    kind = "missing" if np.isnan(values[bad[0]]) else "infinite"
    advice = (
        "drop these rows yourself if an unbalanced panel is what you want"
        if kind == "missing"
        else "a logarithm of zero, perhaps: transform or drop these rows"
    )
    raise DesignError(
        f"column {name!r} is {kind} for {columns.unit} {quoted(unit)} in {columns.time} {period}"
        f"{f' (and {len(bad) - 1} more missing or infinite cells)' if len(bad) > 1 else ''}; "
        f"{advice}."
    )


def _not_numbers(column: pd.Series[Any], name: str, grid: Grid, columns: Columns) -> str:
    """Where a column is no number, and what to write so that it becomes one."""
    cells = column.astype(object)
    wrong = np.flatnonzero(
        (pd.to_numeric(cells, errors="coerce").isna() & cells.notna()).to_numpy()
    )
    if len(wrong) == 0:
        return (
            f"column {name!r} holds text, all of it numbers (first value {cells.iloc[0]!r}); write "
            f"df[{name!r}] = pd.to_numeric(df[{name!r}])."
        )
    value = cells.iloc[int(wrong[0])]
    unit, period = grid.locate(int(wrong[0]))
    more = f" (and {len(wrong) - 1} more cells)" if len(wrong) > 1 else ""
    return (
        f"column {name!r} is {value!r} for {columns.unit} {quoted(unit)} in {columns.time} "
        f"{period}{more}, which is no number; {_advice(cells, value, name)}"
    )


def _advice(cells: pd.Series[Any], value: object, name: str) -> str:
    """How a column with such a cell becomes numbers."""
    text = str(value).strip()
    distinct = cells.dropna().unique()
    if len(distinct) == 2 and all(isinstance(item, str) for item in distinct):
        on = next(
            (item for item in distinct if item.strip().casefold() in YES_OR_NO), max(distinct)
        )
        return f"write df[{name!r}] = (df[{name!r}] == {on!r}).astype(int)."
    if text in STATA_MISSING:
        return (
            f"if it stands for missing, write df[{name!r}].replace({text!r}, np.nan).astype(float)."
        )
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", text):
        return (
            f"if commas group thousands, write df[{name!r}].str.replace(',', '').astype(float), if "
            f"they are decimal, .str.replace(',', '.')."
        )
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        return f"for decimal commas write df[{name!r}].str.replace(',', '.').astype(float)."
    return f"correct it, or write df[{name!r}] = pd.to_numeric(df[{name!r}], errors='coerce')."


def constant(frame: pd.DataFrame, name: str, grid: Grid, columns: Columns) -> Floats:
    """One value per unit of a column that must not vary within units."""
    rows = numbers(frame, name, grid, columns)
    values, same = grid.constant(rows)
    if not same:
        matrix = grid.spread(rows)
        differs = np.nanmin(matrix, axis=1) != np.nanmax(matrix, axis=1)
        unit = grid.units[int(np.argmax(differs))]
        raise DesignError(
            f"column {name!r} varies over time within {columns.unit} {quoted(unit)}; it must be "
            f"constant within a unit."
        )
    return values


def unit_weights(frame: pd.DataFrame, grid: Grid, columns: Columns) -> Floats | None:
    if columns.weights is None:
        return None
    weights = constant(frame, columns.weights, grid, columns)
    if (weights <= 0).any():
        unit = grid.units[int(np.argmax(weights <= 0))]
        raise DesignError(
            f"weights column {columns.weights!r} is not positive for {columns.unit} "
            f"{quoted(unit)}; leave the unit out with exclude=[{quoted(unit)}] if it should "
            f"not count."
        )
    return weights


def group_codes(frame: pd.DataFrame, name: str, grid: Grid, columns: Columns) -> Integers:
    """Integer codes, one per unit, of a grouping column that is constant within units."""
    return group_labels(frame, name, grid, columns)[0]


def group_labels(
    frame: pd.DataFrame, name: str, grid: Grid, columns: Columns
) -> tuple[Integers, pd.Index]:
    """As :func:`group_codes`, and the labels that the codes stand for."""
    column = frame[name]
    stored = integers(column)
    if stored is not None:
        own, same = grid.constant(stored)
        if same:
            labels, codes = np.unique(own, return_inverse=True)
            return codes.astype(np.int64), pd.Index(labels)
    codes, values = pd.factorize(column, sort=True)
    group, same = grid.constant(codes.astype(np.int64))
    if not same:
        matrix = grid.spread(codes.astype(float))
        low, high = np.nanmin(matrix, axis=1), np.nanmax(matrix, axis=1)
        i = int(np.argmax(low != high))
        raise DesignError(
            f"{columns.unit} {quoted(grid.units[i])} belongs to more than one {name!r} "
            f"({quoted(values[int(low[i])])}, {quoted(values[int(high[i])])}); it must be constant "
            f"in a unit."
        )
    return group, pd.Index(values)
