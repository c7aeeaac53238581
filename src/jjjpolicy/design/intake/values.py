"""Columns as checked numbers and codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake.columns import Columns, quoted
from jjjpolicy.design.intake.grid import Grid
from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats, Integers


def numbers(
    frame: pd.DataFrame, name: str, grid: Grid, columns: Columns, gaps: bool = False
) -> Floats:
    """A column as finite floats, or an error that names the first bad cell.

    With ``gaps`` missing cells stay ``nan``.
    """
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column):
        first = column.iloc[0]
        raise DesignError(
            f"column {name!r} holds text or objects (first value {first!r}); convert it with "
            f"pd.to_numeric and look at what does not convert."
        )
    values = column.to_numpy(dtype=float, na_value=np.nan)
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


def constant(frame: pd.DataFrame, name: str, grid: Grid, columns: Columns) -> Floats:
    """One value per unit of a column that must not vary within units."""
    matrix = grid.spread(numbers(frame, name, grid, columns))
    low, high = np.nanmin(matrix, axis=1), np.nanmax(matrix, axis=1)
    if (low != high).any():
        unit = grid.units[int(np.argmax(low != high))]
        raise DesignError(
            f"column {name!r} varies over time within {columns.unit} {quoted(unit)}; it must be "
            f"constant within a unit."
        )
    values: Floats = low.astype(float)
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
    codes, values = pd.factorize(frame[name], sort=True)
    matrix = grid.spread(codes.astype(float))
    low, high = np.nanmin(matrix, axis=1), np.nanmax(matrix, axis=1)
    if (low != high).any():
        i = int(np.argmax(low != high))
        raise DesignError(
            f"{columns.unit} {quoted(grid.units[i])} belongs to more than one {name!r} "
            f"({quoted(values[int(low[i])])}, {quoted(values[int(high[i])])}); it must be constant "
            f"in a unit."
        )
    group: Integers = low.astype(np.int64)
    return group, pd.Index(values)
