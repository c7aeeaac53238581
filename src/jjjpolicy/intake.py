"""From a tidy table to the arrays of a design: every check of input, in one place."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.errors import DesignError
from jjjpolicy.ledger import Ledger

if TYPE_CHECKING:
    from jjjpolicy.design import Booleans, Design, Floats, Integers
    from jjjpolicy.panel import Panel
    from jjjpolicy.policies import Policy, Timing


@dataclass(frozen=True)
class Columns:
    """The roles that columns of a table play."""

    unit: str
    time: str
    outcome: str
    treatment: str | None = None
    adoption: str | None = None
    covariates: tuple[str, ...] = ()
    weights: str | None = None
    clusters: tuple[str, ...] = ()
    coordinates: tuple[str, str] | None = None
    assigned_at: str | None = None

    def named(self) -> list[str]:
        single = [self.treatment, self.adoption, self.weights, self.assigned_at]
        return [
            self.unit,
            self.time,
            self.outcome,
            *(name for name in single if name is not None),
            *self.covariates,
            *self.clusters,
            *(self.coordinates or ()),
        ]


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


def design_from_frame(
    make: type[Design],
    frame: pd.DataFrame,
    columns: Columns,
    *,
    absorbing: bool,
    window: tuple[int, int] | None,
    exclude: tuple[Hashable, ...],
) -> Design:
    """See :meth:`jjjpolicy.Design.from_frame`."""
    from jjjpolicy.design import Labels

    _require_columns(frame, columns)
    if (columns.treatment is None) == (columns.adoption is None):
        raise DesignError(
            "give exactly one of treatment= (a 0/1 column) and adoption= (a column with the first "
            "treated period)."
        )
    ledger = Ledger()
    periods = _integer_periods(frame[columns.time], columns.time)
    frame, periods, ledger = _restrict(frame, periods, columns, window, exclude, ledger)
    grid = _grid(frame, periods, columns)

    outcome = grid.spread(_numbers(frame, columns.outcome, grid, columns))
    outcome = np.array(outcome, dtype=float, order="C")
    switching: Booleans | None = None
    if columns.treatment is not None:
        adoption, switching, ledger = _adoption_from_treatment(
            frame, columns.treatment, grid, columns, absorbing, ledger
        )
    else:
        if not absorbing:
            raise DesignError("absorbing=False needs treatment= (0/1 by period), not adoption=.")
        assert columns.adoption is not None
        adoption, ledger = _adoption_from_column(frame, columns.adoption, grid, columns, ledger)

    absent = np.isnan(outcome)
    if absent.any():
        cells = [(grid.units[i], int(grid.periods[t])) for i, t in np.argwhere(absent)]
        ledger = ledger.with_cells(cells, "no row in the table: the panel is unbalanced")
    _require_comparison(outcome, adoption, grid, columns, switching)

    weights = _weights(frame, grid, columns)
    assignment = np.arange(len(grid.units), dtype=np.int64)
    if columns.assigned_at is not None:
        assignment = _codes(frame, columns.assigned_at, grid, columns)
        _require_common_adoption(frame, assignment, adoption, grid, columns)
    coordinates = None
    if columns.coordinates is not None:
        pair = [_constant(frame, name, grid, columns) for name in columns.coordinates]
        coordinates = np.column_stack(pair)
        if (np.abs(coordinates[:, 0]) > 90).any() or (np.abs(coordinates[:, 1]) > 360).any():
            raise DesignError(
                f"coordinates={columns.coordinates!r} must be (latitude, longitude) in degrees; "
                f"a latitude lies outside [-90, 90] or a longitude outside [-360, 360]."
            )
    return make(
        outcome=outcome,
        units=grid.units,
        periods=grid.periods,
        adoption=adoption,
        labels=Labels(outcome=columns.outcome, unit=columns.unit, time=columns.time),
        assigned_at=columns.assigned_at or columns.unit,
        assignment=assignment,
        switching=switching,
        covariates={
            name: np.array(grid.spread(_numbers(frame, name, grid, columns)), dtype=float)
            for name in columns.covariates
        },
        weights=weights,
        clusters={name: _codes(frame, name, grid, columns) for name in columns.clusters},
        coordinates=coordinates,
        left_out=ledger,
    )


def design_from_policy(
    make: type[Design],
    panel: Panel,
    policy: Policy,
    outcome: str,
    window: tuple[int, int] | None,
    exclude: tuple[str, ...],
    covariates: tuple[str, ...],
    timing: Timing | None,
) -> Design:
    """See :meth:`jjjpolicy.Design.from_policy`."""
    from dataclasses import replace

    from jjjpolicy.design import Labels

    unit, time = panel.unit, panel.time
    wanted = [outcome, *covariates]
    unknown = [name for name in wanted if name not in panel.variables]
    if unknown:
        raise DesignError(_unknown("variable", unknown[0], list(panel.variables), "the panel"))
    frame = panel.frame[[unit, time, *wanted]]
    missing = frame[frame[wanted].isna().any(axis=1)]
    frame = frame.drop(missing.index)
    units = pd.Index(frame[unit].unique())
    adoption = (
        policy.adoption(list(units))
        if timing is None
        else policy.adoption(list(units), timing=timing)
    )
    absent = [
        region for region in policy.treated_regions if region not in set(units) | set(exclude)
    ]
    if absent and not np.isfinite(adoption).any():
        raise DesignError(
            f"policy {policy.id!r} treats {', '.join(absent)}, which the panel does not hold with a"
            f" value of {outcome!r}; choose another panel or outcome."
        )
    frame = frame.assign(__adoption=frame[unit].map(dict(zip(units, adoption, strict=True))))
    design = design_from_frame(
        make,
        frame,
        Columns(
            unit=unit, time=time, outcome=outcome, adoption="__adoption", covariates=covariates
        ),
        absorbing=True,
        window=window,
        exclude=exclude,
    )
    low, high = window or (int(design.periods[0]), int(design.periods[-1]))
    within = missing[missing[time].between(low, high) & ~missing[unit].isin(exclude)]
    gaps = sorted(set(within[time]) - set(design.periods.tolist()))
    ledger = design.left_out.with_periods(gaps, f"{outcome} is not published for this period")
    cells = within[within[time].isin(design.periods)]
    ledger = ledger.with_cells(
        zip(cells[unit], cells[time], strict=True), f"{outcome} is not published for this cell"
    )
    return replace(
        design,
        left_out=ledger,
        labels=Labels(
            outcome=outcome,
            unit=unit,
            time=time,
            outcome_en=panel.label(outcome, "en"),
            outcome_zh=panel.label(outcome, "zh"),
            unit_names_en=panel.unit_names("en"),
            unit_names_zh=panel.unit_names("zh"),
        ),
        source={
            "panel": panel.name,
            "vintage": panel.vintage,
            "policy": policy.id,
            "timing": type(timing).__name__ if timing is not None else "YearOfIssue",
        },
    )


# ---------------------------------------------------------------------- columns and periods
def quoted(label: object) -> str:
    """A unit's label as a reader would type it: text in quotes, numbers bare."""
    return repr(label) if isinstance(label, str) else str(label)


def _unknown(kind: str, name: object, known: list[Any], where: str) -> str:
    close = get_close_matches(str(name), [str(item) for item in known], n=3)
    hint = f"; did you mean {', '.join(map(repr, close))}?" if close else ""
    shown = ", ".join(map(quoted, known[:12])) + (", …" if len(known) > 12 else "")
    return f"{kind} {quoted(name)} is not in {where}{hint} It has: {shown}."


def _require_columns(frame: pd.DataFrame, columns: Columns) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise DesignError(f"expected a pandas DataFrame, got {type(frame).__name__}.")
    for name in columns.named():
        if name not in frame.columns:
            raise DesignError(_unknown("column", name, list(frame.columns), "the table"))
    doubled = frame.columns[frame.columns.duplicated()]
    for name in columns.named():
        if name in doubled:
            raise DesignError(f"the table has more than one column {name!r}; rename one.")
    if len(frame) == 0:
        raise DesignError("the table has no rows.")
    for role in (columns.unit, *columns.clusters, columns.assigned_at):
        if role is not None and frame[role].hasnans:
            row = int(np.flatnonzero(frame[role].isna().to_numpy())[0])
            raise DesignError(f"column {role!r} is missing in row {row}; fill it or drop the row.")


def _integer_periods(column: pd.Series[Any], name: str) -> Integers:
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
        first = column.iloc[0]
        raise DesignError(
            f"time column {name!r} holds text or objects (first value {first!r}); periods must be "
            f"integers, e.g. df[{name!r}] = df[{name!r}].astype(int)."
        )
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


def _restrict(
    frame: pd.DataFrame,
    periods: Integers,
    columns: Columns,
    window: tuple[int, int] | None,
    exclude: tuple[Hashable, ...],
    ledger: Ledger,
) -> tuple[pd.DataFrame, Integers, Ledger]:
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
                message = _unknown("unit", unit, list(known), f"column {columns.unit!r}")
                raise DesignError(f"exclude: {message}")
        out = frame[columns.unit].isin(list(exclude)).to_numpy()
        ledger = ledger.with_units(exclude, "left out by exclude=")
        frame, periods = frame[~out], periods[~out]
        if len(frame) == 0:
            raise DesignError("exclude= leaves no unit.")
    return frame, periods, ledger


def _grid(frame: pd.DataFrame, periods: Integers, columns: Columns) -> Grid:
    grid = _sorted_balanced_grid(frame[columns.unit], periods)
    if grid is None:
        unit_codes, units = pd.factorize(frame[columns.unit], sort=True)
        distinct, period_codes = np.unique(periods, return_inverse=True)
        keys = unit_codes.astype(np.int64) * len(distinct) + period_codes
        counts = np.bincount(keys, minlength=1)
        if (counts > 1).any():
            key = int(np.argmax(counts > 1))
            rows = np.flatnonzero(keys == key)
            raise DesignError(
                f"{int((counts > 1).sum())} (unit, period) pairs occur more than once, first "
                f"{columns.unit} {quoted(units[key // len(distinct)])} in {columns.time} "
                f"{distinct[key % len(distinct)]} ({len(rows)} rows, at positions "
                f"{rows[:5].tolist()}): keep one row each."
            )
        grid = Grid(pd.Index(units), distinct, unit_codes.astype(np.int64), period_codes)
    if len(grid.periods) < 2:
        raise DesignError(
            f"{columns.time!r} has one period only ({grid.periods[0]}); a comparison over time "
            f"needs at least two."
        )
    return grid


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


# ---------------------------------------------------------------------- values
def _numbers(frame: pd.DataFrame, name: str, grid: Grid, columns: Columns) -> Floats:
    """A column as finite floats, or an error that names the first bad cell."""
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
    bad = np.flatnonzero(~np.isfinite(values))
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


def _constant(frame: pd.DataFrame, name: str, grid: Grid, columns: Columns) -> Floats:
    """One value per unit of a column that must not vary within units."""
    matrix = grid.spread(_numbers(frame, name, grid, columns))
    low, high = np.nanmin(matrix, axis=1), np.nanmax(matrix, axis=1)
    if (low != high).any():
        unit = grid.units[int(np.argmax(low != high))]
        raise DesignError(
            f"column {name!r} varies over time within {columns.unit} {quoted(unit)}; it must be constant "
            f"within a unit."
        )
    values: Floats = low.astype(float)
    return values


def _weights(frame: pd.DataFrame, grid: Grid, columns: Columns) -> Floats | None:
    if columns.weights is None:
        return None
    weights = _constant(frame, columns.weights, grid, columns)
    if (weights <= 0).any():
        unit = grid.units[int(np.argmax(weights <= 0))]
        raise DesignError(
            f"weights column {columns.weights!r} is not positive for {columns.unit} {quoted(unit)}; "
            f"leave the unit out with exclude=[{quoted(unit)}] if it should not count."
        )
    return weights


def _codes(frame: pd.DataFrame, name: str, grid: Grid, columns: Columns) -> Integers:
    """Integer codes, one per unit, of a grouping column that is constant within units."""
    codes, values = pd.factorize(frame[name], sort=True)
    matrix = grid.spread(codes.astype(float))
    low, high = np.nanmin(matrix, axis=1), np.nanmax(matrix, axis=1)
    if (low != high).any():
        i = int(np.argmax(low != high))
        raise DesignError(
            f"{columns.unit} {quoted(grid.units[i])} belongs to more than one {name!r} "
            f"({quoted(values[int(low[i])])}, {quoted(values[int(high[i])])}); it must be constant in a unit."
        )
    return low.astype(np.int64)


# ---------------------------------------------------------------------- treatment
def _adoption_from_treatment(
    frame: pd.DataFrame,
    name: str,
    grid: Grid,
    columns: Columns,
    absorbing: bool,
    ledger: Ledger,
) -> tuple[Floats, Booleans | None, Ledger]:
    column = frame[name]
    values = (
        column.to_numpy(dtype=float)
        if pd.api.types.is_bool_dtype(column)
        else _numbers(frame, name, grid, columns)
    )
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        unit, period = grid.locate(row)
        raise DesignError(
            f"treatment column {name!r} is {values[row]:g} for {columns.unit} {quoted(unit)} in "
            f"{columns.time} {period}; it must be 0 or 1. A first treated period goes into "
            f"adoption=."
        )
    matrix = grid.spread(values)
    on = matrix == 1
    first = np.where(on.any(axis=1), on.argmax(axis=1), grid.shape[1])
    adoption = np.append(grid.periods.astype(float), np.inf)[first]
    off_again = (matrix == 0) & (np.arange(grid.shape[1])[None, :] > first[:, None])
    if not absorbing:
        return adoption, on, ledger
    if off_again.any():
        i, t = (int(k) for k in np.argwhere(off_again)[0])
        raise DesignError(
            f"treatment column {name!r} switches off: {columns.unit} {quoted(grid.units[i])} is treated "
            f"in {adoption[i]:.0f} and untreated in {grid.periods[t]}. Code it as staying on, or "
            f"pass absorbing=False and use an estimator that allows it."
        )
    return adoption, None, ledger


def _adoption_from_column(
    frame: pd.DataFrame, name: str, grid: Grid, columns: Columns, ledger: Ledger
) -> tuple[Floats, Ledger]:
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column):
        raise DesignError(
            f"adoption column {name!r} holds text or objects (first value {column.iloc[0]!r}); it "
            f"must hold the first treated period, or 0, NaN or inf for never treated."
        )
    values = column.to_numpy(dtype=float, na_value=np.nan)
    values = np.where(np.isnan(values) | (values == 0), np.inf, values)
    if np.isneginf(values).any():
        raise DesignError(f"adoption column {name!r} holds -inf; never treated is 0, NaN or inf.")
    matrix = grid.spread(values, absent=-np.inf)
    adoption: Floats = matrix.max(axis=1)
    varies = ((matrix != adoption[:, None]) & ~np.isneginf(matrix)).any(axis=1)
    if varies.any():
        i = int(np.argmax(varies))
        seen = sorted({float(v) for v in matrix[i] if not np.isneginf(v)})
        raise DesignError(
            f"adoption column {name!r} varies within {columns.unit} {quoted(grid.units[i])} "
            f"({', '.join(f'{v:g}' for v in seen[:4])}); it must be one first treated period."
        )
    fractional = np.isfinite(adoption) & (adoption != np.round(adoption))
    if fractional.any():
        i = int(np.argmax(fractional))
        raise DesignError(
            f"adoption column {name!r} is {adoption[i]} for {columns.unit} {quoted(grid.units[i])}; the "
            f"first treated period must be a whole number."
        )
    later = np.isfinite(adoption) & (adoption > grid.periods[-1])
    for i in np.flatnonzero(later):
        ledger = ledger.with_note(
            grid.units[i],
            int(adoption[i]),
            f"adopts after the last period {grid.periods[-1]}: counts as never treated here",
        )
    return np.where(later, np.inf, adoption), ledger


def _require_comparison(
    outcome: Floats,
    adoption: Floats,
    grid: Grid,
    columns: Columns,
    switching: Booleans | None,
) -> None:
    treated = np.isfinite(adoption)
    if not treated.any():
        raise DesignError(
            f"no {columns.unit} is treated within {columns.time} {grid.periods[0]}-"
            f"{grid.periods[-1]}: check the treatment column, window= and exclude=."
        )
    observed = ~np.isnan(outcome)
    on = switching if switching is not None else grid.periods[None, :] >= adoption[:, None]
    without = np.flatnonzero(treated & ~(observed & ~on).any(axis=1))
    if len(without) and switching is None:
        named = _shown(grid.units[without])
        raise DesignError(
            f"no pre-period for treated {columns.unit} {named}: it is treated in every observed "
            f"period. Begin earlier, or leave it out with exclude=[{named}]."
        )
    start = int(adoption.min())
    after = grid.periods >= start
    if (on | ~observed)[:, after].all():
        raise DesignError(
            f"no control unit: from {columns.time} {start} on every {columns.unit} is treated, so "
            f"that there is nothing to compare with. Keep untreated or later-treated units."
        )


def _require_common_adoption(
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
            f"assigned_at={columns.assigned_at!r}, but {columns.unit} {quoted(one)} and {quoted(other)} are in "
            f"the same {columns.assigned_at} and are not treated from the same period on. Name the "
            f"level at which treatment was assigned."
        )


def _shown(labels: Sequence[Hashable] | pd.Index) -> str:
    return ", ".join(map(quoted, list(labels)[:5])) + (", …" if len(labels) > 5 else "")
