"""Who is treated from when on, and whether there is anything to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.design.intake.columns import Columns, integers, quoted, shown_labels
from jjjpolicy.design.intake.grid import Grid
from jjjpolicy.design.intake.periods import TimeColumn
from jjjpolicy.design.intake.values import numbers, yes_or_no
from jjjpolicy.design.ledger import Ledger
from jjjpolicy.errors import DesignError, warn_user

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


LATE = "observed only from adoption on: used where levels are compared, not where changes are"


def adoption_from_treatment(
    frame: pd.DataFrame,
    name: str,
    grid: Grid,
    columns: Columns,
    absorbing: bool,
    ledger: Ledger,
) -> tuple[Floats, Booleans | None, Ledger]:
    values: NDArray[Any] | None = integers(frame[name])
    if values is None:
        values = yes_or_no(frame[name])
    if values is None:
        values = numbers(frame, name, grid, columns)
    treated = values == 1
    if np.count_nonzero(values) != np.count_nonzero(treated):
        row = int(np.argmax(values != treated))
        unit, period = grid.locate(row)
        raise DesignError(
            f"treatment column {name!r} is {values[row]:g} for {columns.unit} {quoted(unit)} in "
            f"{columns.time} {period}; it must be 0 or 1. A first treated period goes into "
            f"adoption=."
        )
    matrix = grid.spread(treated.view(np.int8), absent=np.int8(-1))
    on = matrix == 1
    starts = _starts(on) if absorbing and (matrix >= 0).all() else None
    if starts is not None:
        return np.append(grid.periods.astype(float), np.inf)[starts], None, ledger
    first = np.where(on.any(axis=1), on.argmax(axis=1), grid.shape[1])
    adoption = np.append(grid.periods.astype(float), np.inf)[first]
    off_again = (matrix == 0) & (np.arange(grid.shape[1])[None, :] > first[:, None])
    if not absorbing:
        return adoption, on, ledger
    if off_again.any():
        i, t = (int(k) for k in np.argwhere(off_again)[0])
        raise DesignError(
            f"treatment column {name!r} switches off: {columns.unit} {quoted(grid.units[i])} is "
            f"treated in {grid.clock.name(adoption[i])} and untreated in "
            f"{grid.clock.name(grid.periods[t])}. Code it as staying on, or "
            f"pass absorbing=False and use an estimator that allows it."
        )
    return adoption, None, _unknown_dates_listed(matrix, first, adoption, grid, columns, ledger)


def _starts(on: Booleans) -> Integers | None:
    """First treated column of each row, the width for never; None where treatment ends in some."""
    width = on.shape[1]
    cells = on.ravel()
    moved = cells[1:] != cells[:-1]
    moved[width - 1 :: width] = False
    first, last = on[:, 0], on[:, -1]
    if (first > last).any() or np.count_nonzero(moved) != np.count_nonzero(first != last):
        return None
    treated = on.astype(np.float32) @ np.ones(width, dtype=np.float32)
    starts: Integers = width - treated.astype(np.int64)
    return starts


def _unknown_dates_listed(
    matrix: NDArray[np.int8],
    first: Integers,
    adoption: Floats,
    grid: Grid,
    columns: Columns,
    ledger: Ledger,
) -> Ledger:
    """The ledger with units without a row just before the first treated one, after a warning."""
    width = matrix.shape[1]
    position = np.arange(width, dtype=np.int32)[None, :]
    last = np.where((matrix == 0) & (position < first[:, None]), position, np.int32(-1)).max(axis=1)
    unknown = np.flatnonzero((first < width) & (last >= 0) & (last < first - 1)).tolist()
    name = grid.clock.name
    said = [
        f"untreated in {name(grid.periods[last[i]])} and next seen treated in {name(adoption[i])}: "
        f"the period of adoption is not known"
        for i in unknown
    ]
    ledger = ledger.with_notes(
        (grid.units[i], int(adoption[i]), f"{what}, and {name(adoption[i])} is taken")
        for i, what in zip(unknown, said, strict=True)
    )
    if said:
        more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
        warn_user(
            f"{columns.unit} {quoted(grid.units[unknown[0]])} is {said[0]}{more}; the later one is "
            f"taken. Give adoption= with the first treated period where it is known, or leave "
            f"these units out. design.ledger lists them."
        )
    return ledger


def declared_adoption(
    frame: pd.DataFrame, name: str, grid: Grid, columns: Columns, time: TimeColumn
) -> Floats:
    """First treated period of each unit, ``inf`` for never; it may lie after the last period."""
    column = frame[name]
    if time.frequency is None:
        values = _numeric_adoption(column, name)
        own, same = grid.constant(values)
        adoption = _with_never(own if same else values, name, grid, columns)
    else:
        never = time.never(column)
        adoption, same = np.where(never, np.inf, time.numbers(column.mask(never), name)), False
    if not same:
        adoption = _same_in_unit(adoption, name, grid, columns)
    fractional = np.isfinite(adoption) & (adoption != np.round(adoption))
    if fractional.any():
        i = int(np.argmax(fractional))
        raise DesignError(
            f"adoption column {name!r} is {adoption[i]} for {columns.unit} "
            f"{quoted(grid.units[i])}; the first treated period must be a whole number."
        )
    return adoption


def _same_in_unit(values: Floats, name: str, grid: Grid, columns: Columns) -> Floats:
    """The first treated period of each unit, from that of each row."""
    matrix = grid.spread(values, absent=-np.inf)
    adoption: Floats = matrix.max(axis=1)
    varies = ((matrix != adoption[:, None]) & ~np.isneginf(matrix)).any(axis=1)
    if varies.any():
        i = int(np.argmax(varies))
        seen = sorted({float(v) for v in matrix[i] if not np.isneginf(v)})[:4]
        shown = [
            str(grid.clock.name(v)) if np.isfinite(v) and float(v).is_integer() else f"{v:g}"
            for v in seen
        ]
        raise DesignError(
            f"adoption column {name!r} varies within {columns.unit} {quoted(grid.units[i])} "
            f"({', '.join(shown)}); it must be one first treated period."
        )
    return adoption


def _numeric_adoption(column: pd.Series[Any], name: str) -> NDArray[Any]:
    """An adoption column as numbers, ``inf`` where it is missing."""
    if not pd.api.types.is_numeric_dtype(column):
        raise DesignError(
            f"adoption column {name!r} holds text or objects ({_first_text(column)}); it must hold "
            f"the first treated period, or 0, NaN or inf for never treated: write "
            f"df[{name!r}] = pd.to_numeric(df[{name!r}], errors='coerce') where what is no number "
            f"means never."
        )
    stored = integers(column)
    if stored is not None:
        return stored
    values = column.to_numpy(dtype=float, na_value=np.nan)
    missing = np.isnan(values)
    return np.where(missing, np.inf, values) if missing.any() else values


def _with_never(values: NDArray[Any], name: str, grid: Grid, columns: Columns) -> Floats:
    """First treated periods, of rows or of units, ``inf`` for never."""
    never = values == 0
    if never.any():
        warn_of_period_zero(grid.periods, columns)
    values = np.where(never, np.inf, values)
    if np.isneginf(values).any():
        raise DesignError(f"adoption column {name!r} holds -inf; never treated is 0, NaN or inf.")
    if grid.periods[0] > 0 and (values < 0).any():
        raise DesignError(
            f"adoption column {name!r} holds {values.min():g}, and all periods are positive: if it "
            f"stands for never treated, code that as 0, NaN or inf."
        )
    return values


def warn_of_period_zero(periods: Integers, columns: Columns) -> None:
    """Say that 0 in the adoption column means never, where it is a period as well."""
    if periods[0] < 0 <= periods[-1]:
        warn_user(
            f"0 in adoption column {columns.adoption!r} is read as never treated, although 0 is a "
            f"period: where it is meant as the first treated period, shift {columns.time!r} and "
            f"{columns.adoption!r} by a constant so that all periods are positive.",
        )


def _first_text(column: pd.Series[Any]) -> str:
    """The first cell of a column that is no number."""
    cells = column.astype(object)
    wrong = np.flatnonzero(
        (pd.to_numeric(cells, errors="coerce").isna() & cells.notna()).to_numpy()
    )
    row = int(wrong[0]) if len(wrong) else 0
    return f"row {row}: {cells.iloc[row]!r}"


def adoption_from_column(
    frame: pd.DataFrame,
    name: str,
    grid: Grid,
    columns: Columns,
    ledger: Ledger,
    cross_sections: bool,
    time: TimeColumn,
) -> tuple[Floats, Ledger]:
    adoption = declared_adoption(frame, name, grid, columns, time)
    later = np.isfinite(adoption) & (adoption > grid.periods[-1])
    last = grid.clock.name(grid.periods[-1])
    after = f"after the last period {last}: counts as never treated here"
    if cross_sections:
        for period, rows in zip(*np.unique(adoption[later], return_counts=True), strict=True):
            ledger = ledger.with_note(None, int(period), f"adoption of {rows} rows lies {after}")
    else:
        ledger = ledger.with_notes(
            (unit, int(period), f"adopts {after}")
            for unit, period in zip(grid.units[later], adoption[later], strict=True)
        )
    return np.where(later, np.inf, adoption), ledger


def always_treated(
    outcome: Floats, adoption: Floats, grid: Grid, columns: Columns, cross_sections: bool
) -> tuple[Booleans, Booleans]:
    """Treated units that are not observed before adoption, shape (units,).

    Returns
    -------
    without, late : ndarray of bool, shape (units,)
        Those with nothing to compare with, and those whose cohort is observed before adoption in
        others of its units. A cohort is known where ``adoption=`` is given; with ``treatment=``
        a unit that enters treated may have adopted long before. In repeated cross-sections no
        unit is late.

    Raises
    ------
    DesignError
        These are all treated units.
    """
    treated = np.isfinite(adoption)
    earliest: Any = grid.periods[0]
    if np.isnan(outcome.min()):
        earliest = grid.periods[(~np.isnan(outcome)).argmax(axis=1)]
    followed = np.asarray(earliest < adoption)
    seen_before = followed
    if columns.adoption is not None:
        seen_before = np.isin(adoption, np.unique(adoption[treated & followed]))
    without: Booleans = treated & ~seen_before
    if without.any() and not (treated & seen_before).any():
        if cross_sections:
            cohorts = ", ".join(map(str, grid.clock.names(np.unique(adoption[without]))))
            raise DesignError(
                f"no row before adoption for the rows with {columns.adoption!r} {cohorts}, and no "
                f"other rows are treated: begin earlier, or check {columns.adoption!r}."
            )
        raise DesignError(
            f"no pre-period for treated {columns.unit} {shown_labels(grid.units[without])}: "
            f"treated in every observed period, and no other {columns.unit} is treated. Begin "
            f"earlier, or check the treatment column."
        )
    late: Booleans = treated & seen_before & ~followed & (not cross_sections)
    return without, late


def require_repeated(columns: Columns) -> None:
    """Where every unit occurs once, a 0/1 treatment does not say who is going to be treated."""
    if columns.treatment is not None:
        raise DesignError(
            f"every {columns.unit} occurs once, so that {columns.treatment!r} does not say "
            f"which rows before treatment belong to the treated; give adoption=, the first "
            f"treated period of each row's group."
        )


def require_comparison(
    outcome: Floats,
    adoption: Floats,
    grid: Grid,
    columns: Columns,
    switching: Booleans | None,
) -> None:
    if not np.isfinite(adoption).any():
        first, last = grid.clock.names(grid.periods[[0, -1]])
        raise DesignError(
            f"no {columns.unit} is treated within {columns.time} {first}-{last}: check the "
            f"treatment column, window= and exclude=."
        )
    start = int(adoption.min())
    after = grid.periods >= start
    if not any(
        _untreated_after(outcome, adoption, switching, grid.periods, after, rows)
        for rows in (slice(1_000), slice(1_000, None))
    ):
        raise DesignError(
            f"no control unit: from {columns.time} {grid.clock.name(start)} on every "
            f"{columns.unit} is treated, so that there is nothing to compare with. Keep untreated "
            f"or later-treated units."
        )


def _untreated_after(
    outcome: Floats,
    adoption: Floats,
    switching: Booleans | None,
    periods: Integers,
    after: Booleans,
    rows: slice,
) -> bool:
    """Whether some of the units are observed untreated in some of the periods."""
    on = periods[after] >= adoption[rows, None] if switching is None else switching[rows, after]
    return bool((~on & ~np.isnan(outcome[rows, after])).any())


def require_common_adoption(
    frame: pd.DataFrame,
    assignment: Integers,
    adoption: Floats,
    grid: Grid,
    columns: Columns,
) -> None:
    """Treatment assigned at a coarser level must be the same within each of its groups."""
    order = np.argsort(assignment, kind="stable")
    same_group = assignment[order][1:] == assignment[order][:-1]
    differs = same_group & (adoption[order][1:] != adoption[order][:-1])
    if differs.any():
        k = int(np.argmax(differs))
        one, other = grid.units[order[k]], grid.units[order[k + 1]]
        raise DesignError(
            f"assigned_at={columns.assigned_at!r}, but {columns.unit} {quoted(one)} and "
            f"{quoted(other)} are in the same {columns.assigned_at} and are not treated "
            f"from the same period on. Name the "
            f"level at which treatment was assigned."
        )
