"""From an Ibis table to a design whose rows stand for many units; see `queries` and `parts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy._extras import load
from jjjpolicy.design.arrays import Built
from jjjpolicy.design.intake.columns import Columns, quoted, require_columns
from jjjpolicy.design.intake.grid import require_periods, restrict
from jjjpolicy.design.intake.parts import engine, in_parts
from jjjpolicy.design.intake.periods import TimeColumn, read_periods
from jjjpolicy.design.intake.queries import Queries, fetched
from jjjpolicy.design.intake.summaries import Kind
from jjjpolicy.design.intake.summed import Groups, Summed, levels, require_few
from jjjpolicy.design.intake.treatment import warn_of_period_zero
from jjjpolicy.design.ledger import Ledger
from jjjpolicy.errors import DesignError, warn_user

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Integers


def design_from_table(
    make: type[Built],
    table: Any,
    columns: Columns,
    window: tuple[Any, Any] | None,
    exclude: tuple[Hashable, ...],
) -> Built:
    """See :meth:`jjjpolicy.Design.from_table`."""
    if not isinstance(table, load("ibis").Table):
        raise DesignError(
            f"expected an Ibis table, got {type(table).__name__}: ibis.memtable or a connection's "
            f".table and .read_parquet give one; a DataFrame goes into Design.from_frame."
        )
    require_columns(pd.DataFrame(0, index=[0], columns=table.columns), columns)
    ledger = Ledger()
    if exclude:
        table = _without(table, columns, exclude)
        ledger = ledger.with_units(exclude, "left out by exclude=")
    counts = _by_period(table, columns)
    if counts.empty:
        raise DesignError("exclude= leaves no unit." if exclude else "the table has no rows.")
    numbers, time = read_periods(counts["period"], columns.time)
    counts, numbers, ledger = restrict(
        counts, numbers, columns, time.window(window), (), ledger, time.clock
    )
    periods = np.unique(numbers)
    require_periods(periods, columns, time.clock)
    if window is not None:
        table = table.filter(table[columns.time].isin(counts["period"].tolist()))
    counted = _counted(table, columns, counts["period"], numbers, time)
    rows = int(counts["rows"].sum())
    kinds, later, groups = dict[bytes, Kind](), Counter[int](), Groups(columns)
    parts = in_parts(_with_numbers(counted, columns), columns, rows, len(periods))
    for part in parts:
        with ExitStack() as stack:
            whole = len(parts) == 1
            queries = Queries(part, table, columns, periods, time, groups, whole, stack)
            found, after = queries.summed()
        for kind in found:
            key = kind.traits.tobytes()
            kinds[key] = kinds[key].plus(kind) if key in kinds else kind
        require_few(sum(each.rows for each in kinds.values()), len(kinds), columns)
        later.update(after)
    ranked = groups.ranked(kinds.values())
    source = {"engine": engine(table).name, "rows": rows}
    summed = Summed(columns, periods, time.clock, list(kinds.values()), ranked, later, source)
    return summed.design(make, _with_unknown_dates(summed, ledger))


def _without(table: Any, columns: Columns, units: tuple[Hashable, ...]) -> Any:
    column = table[columns.unit]
    found = fetched(table.filter(column.isin(units)).select(columns.unit).distinct())
    known = set(found[columns.unit])
    for unit in units:
        if unit not in known:
            raise DesignError(f"exclude: unit {quoted(unit)} is not in column {columns.unit!r}.")
    return table.filter(column.notin(units))


def _counted(
    table: Any, columns: Columns, cells: pd.Series[Any], numbers: Integers, time: TimeColumn
) -> Any:
    """The table with periods and adoption as numbers on the clock."""
    adoption = columns.adoption
    if time.frequency is None:
        if adoption is not None and numbers.min() < 0 <= numbers.max():
            zeros = table.filter(table[adoption] == 0)
            if len(fetched(zeros.select(adoption).limit(1))):
                warn_of_period_zero(np.unique(numbers), columns)
        return table
    pairs = zip(cells, numbers.tolist(), strict=True)
    counted = {columns.time: table[columns.time].cases(*pairs)}
    if adoption is not None:
        distinct = fetched(table.select(adoption).distinct())[adoption]
        never = time.never(distinct)
        dates = time.numbers(distinct.mask(never), adoption)
        pairs = zip(distinct[~never], dates[~never].tolist(), strict=True)
        counted[adoption] = table[adoption].cases(*pairs)
    return table.mutate(**counted)


def _with_numbers(table: Any, columns: Columns) -> Any:
    """The table with decimals as floats, once columns of numbers are known to be numbers."""
    single = (columns.outcome, columns.treatment, columns.adoption, columns.weights)
    for name in (*(name for name in single if name is not None), *columns.covariates):
        column = table[name]
        kind = column.type()
        if kind.is_decimal():
            table = table.mutate(**{name: column.cast("float64")})
        elif not kind.is_numeric() and not kind.is_boolean():
            cell = fetched(table.filter(column.notnull()).select(name).limit(1))
            shown = f" (such as {cell.iloc[0, 0]!r})" if len(cell) else ""
            raise DesignError(
                f"column {name!r} is of type {kind}{shown}, which is no number; write "
                f"table.mutate({name}=table[{name!r}].cast('float64')) if it holds numbers."
            )
    return table


def _by_period(table: Any, columns: Columns) -> pd.DataFrame:
    """Number of rows of each period, once what must not be missing is known to be there."""
    time, groupings = columns.time, (columns.unit, *levels(columns))
    sums = {f"missing{k}": table[name].isnull().sum() for k, name in enumerate(groupings)}
    grouped = table.group_by(period=table[time]).agg(rows=table.count(), **sums)
    counts = fetched(grouped.order_by("period"))
    absent = {name: int(counts[f"missing{k}"].sum()) for k, name in enumerate(groupings)}
    absent[time] = int(counts.loc[counts["period"].isna(), "rows"].sum())
    for name, number in absent.items():
        if number:
            raise DesignError(
                f"column {name!r} is missing in {number:,} rows; fill it or drop them."
            )
    periods = counts["period"]
    if periods.dtype.kind == "f" and (periods % 1 != 0).any():
        broken = counts[periods % 1 != 0].iloc[0]
        raise DesignError(
            f"time column {time!r} is {broken['period']} in {int(broken['rows']):,} rows; periods "
            f"must be whole numbers."
        )
    return counts


def _with_unknown_dates(found: Summed, ledger: Ledger) -> Ledger:
    """The ledger with units without a row just before the first treated one, after a warning."""
    columns, periods, name = found.columns, found.periods, found.clock.name
    if columns.treatment is None:
        return ledger
    gaps = Counter[tuple[int, int]]()
    for kind in found.kinds:
        before = np.flatnonzero(kind.present & (periods < kind.traits[0]))
        if np.isfinite(kind.traits[0]) and len(before):
            first = int(np.searchsorted(periods, kind.traits[0]))
            if before[-1] < first - 1:
                gaps[int(periods[before[-1]]), int(periods[first])] += kind.number
    for (last, first), number in sorted(gaps.items()):
        ledger = ledger.with_note(
            None,
            first,
            f"{number:,} {columns.unit}s are untreated in {name(last)} and next seen treated in "
            f"{name(first)}: the period of adoption is not known, and {name(first)} is taken",
        )
    if gaps:
        (last, first), number = min(gaps.items())
        warn_user(
            f"{sum(gaps.values()):,} {columns.unit}s have no row just before their first treated "
            f"one ({number:,} are untreated in {name(last)} and next seen treated in "
            f"{name(first)}): the period of adoption is not known, and the later one is taken. "
            f"Give adoption= with the first treated period where it is known, or leave these units "
            f"out. design.ledger lists the periods."
        )
    return ledger
