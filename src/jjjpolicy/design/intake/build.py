"""From a tidy table, or a panel and a policy, to a design."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import jjjpolicy.design.intake.comparability as comparability
from jjjpolicy.design.arrays import Built, Labels
from jjjpolicy.design.clock import Clock
from jjjpolicy.design.intake.columns import Columns, require_columns, shown_labels, unknown_name
from jjjpolicy.design.intake.grid import Grid, make_grid, restrict
from jjjpolicy.design.intake.periods import read_periods
from jjjpolicy.design.intake.treatment import (
    LATE,
    adoption_from_column,
    adoption_from_treatment,
    always_treated,
    require_common_adoption,
    require_comparison,
    require_repeated,
)
from jjjpolicy.design.intake.values import constant, group_codes, numbers, unit_weights
from jjjpolicy.design.ledger import Ledger
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.registry.regions import ancestors, regions

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats
    from jjjpolicy.panels.panel import Panel
    from jjjpolicy.registry.policy import Policy, Timing


def design_from_frame(
    make: type[Built],
    frame: pd.DataFrame,
    columns: Columns,
    *,
    absorbing: bool,
    window: tuple[Any, Any] | None,
    exclude: tuple[Hashable, ...],
) -> Built:
    """See :meth:`jjjpolicy.Design.from_frame`."""
    require_columns(frame, columns)
    ledger = Ledger()
    periods, time = read_periods(frame[columns.time], columns.time)
    clock, span = time.clock, time.window(window)
    frame, periods, ledger = restrict(frame, periods, columns, span, exclude, ledger, clock)
    grid = make_grid(frame, periods, columns, clock=clock)

    outcome = _matrix(frame, columns.outcome, grid, columns)
    complete = grid.unit_codes is None or not np.isnan(outcome.min())
    cross_sections = not complete and int((~np.isnan(outcome)).sum(axis=1).max()) == 1
    switching: Booleans | None = None
    if cross_sections:
        require_repeated(columns)
    if columns.treatment is not None:
        adoption, switching, ledger = adoption_from_treatment(
            frame, columns.treatment, grid, columns, absorbing, ledger
        )
    else:
        if not absorbing:
            raise DesignError("absorbing=False needs treatment= (0/1 by period), not adoption=.")
        assert columns.adoption is not None
        adoption, ledger = adoption_from_column(
            frame, columns.adoption, grid, columns, ledger, cross_sections, time
        )

    late = np.zeros(len(grid.units), dtype=bool)
    if switching is None:
        without, late = always_treated(outcome, adoption, grid, columns, cross_sections)
        if without.any():
            ledger = _always_treated_listed(
                ledger, grid.units[without], adoption[without], columns, cross_sections, clock
            )
            kept = ~frame[columns.unit].isin(grid.units[without]).to_numpy()
            frame, periods, adoption = frame[kept], periods[kept], adoption[~without]
            late = late[~without]
            grid = make_grid(frame, periods, columns, clock=clock)
            outcome = _matrix(frame, columns.outcome, grid, columns)
    if not complete and not cross_sections:
        rows, at = np.nonzero(np.isnan(outcome))
        cells = zip(grid.units.to_numpy()[rows], grid.periods[at].tolist(), strict=True)
        ledger = ledger.with_cells(cells, "no row in the table: the panel is unbalanced")
    entering = zip(grid.units[late], adoption[late], strict=True)
    ledger = ledger.with_notes((unit, int(since), LATE) for unit, since in entering)
    require_comparison(outcome, adoption, grid, columns, switching)

    weights = unit_weights(frame, grid, columns)
    assignment = np.arange(len(grid.units), dtype=np.int64)
    if columns.assigned_at is not None:
        assignment = group_codes(frame, columns.assigned_at, grid, columns)
        require_common_adoption(frame, assignment, adoption, grid, columns)
    coordinates = None
    if columns.coordinates is not None:
        pair = [constant(frame, name, grid, columns) for name in columns.coordinates]
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
        labels=Labels(outcome=columns.outcome, unit=columns.unit, time=columns.time, clock=clock),
        assigned_at=columns.assigned_at or columns.unit,
        assignment=assignment,
        switching=switching,
        covariates={name: _covariate(frame, name, grid, columns) for name in columns.covariates},
        predictors={
            name: _matrix(frame, name, grid, columns, gaps=True) for name in columns.predictors
        },
        weights=weights,
        clusters={name: group_codes(frame, name, grid, columns) for name in columns.clusters},
        coordinates=coordinates,
        late=late if late.any() else None,
        left_out=ledger,
    )


def _matrix(
    frame: pd.DataFrame, name: str, grid: Grid, columns: Columns, gaps: bool = False
) -> Floats:
    values = grid.spread(numbers(frame, name, grid, columns, gaps))
    if grid.unit_codes is None:  # a view of the column, which is the user's
        return np.array(values, dtype=float, order="C")
    return np.asarray(values, dtype=float, order="C")


def _covariate(frame: pd.DataFrame, name: str, grid: Grid, columns: Columns) -> Floats:
    """A covariate; each unit's value is stored once where it is the same in every period."""
    values = numbers(frame, name, grid, columns)
    if len(values) == len(grid.units) * len(grid.periods):
        once, constant = grid.constant(values)
        if constant:
            return np.broadcast_to(once[:, None], grid.shape)
    return _matrix(frame, name, grid, columns)


def _always_treated_listed(
    ledger: Ledger,
    units: pd.Index,
    adoption: Floats,
    columns: Columns,
    cross_sections: bool,
    clock: Clock,
) -> Ledger:
    """The ledger with the always-treated, about whom a warning is given as well."""
    why = "no pre-period: treated in every observed period"
    if cross_sections:
        cohorts, rows = np.unique(adoption, return_counts=True)
        for cohort, number in zip(clock.names(cohorts), rows, strict=True):
            ledger = ledger.with_note(
                None, None, f"{number} rows of cohort {cohort} left out, {why}"
            )
        named = "rows of cohort " + ", ".join(map(str, clock.names(cohorts)))
    else:
        for unit, since in zip(units, clock.names(adoption), strict=True):
            ledger = ledger.with_units([unit], f"{why} (first treated {since})")
        named = f"{columns.unit} {shown_labels(units)}"
    warn_user(
        f"{named} left out, {why}. design.ledger lists them. Begin earlier if there is data.",
    )
    return ledger


def design_from_policy(
    make: type[Built],
    panel: Panel,
    policy: Policy,
    columns: Columns,
    *,
    window: tuple[int, int] | None,
    exclude: tuple[str, ...],
    timing: Timing | None,
    across_breaks: bool,
    changed_areas: bool,
) -> Built:
    """See :meth:`jjjpolicy.Design.from_policy`."""
    unit, time, outcome = columns.unit, columns.time, columns.outcome
    wanted = [outcome, *columns.covariates]
    unknown = [name for name in (*wanted, *columns.predictors) if name not in panel.variables]
    if unknown:
        raise DesignError(unknown_name("variable", unknown[0], list(panel.variables), "the panel"))
    further = [name for name in columns.predictors if name not in wanted]
    frame = panel.frame[[unit, time, *wanted, *further]]
    missing = frame[frame[wanted].isna().any(axis=1)]
    frame = frame.drop(missing.index)
    units = pd.Index(frame[unit].unique())
    adoption = (
        policy.adoption(list(units))
        if timing is None
        else policy.adoption(list(units), timing=timing)
    )
    covered = {region for unit in units for region in (unit, *ancestors(unit))}
    absent = [r for r in policy.treated_regions if r not in covered and r not in exclude]
    if absent:
        hints = filter(None, (regions.instead_of(region, covered) for region in absent))
        raise DesignError(
            f"policy {policy.id!r} treats {', '.join(absent)}, which the panel does not hold with a"
            f" value of {outcome!r}; choose another panel or outcome, or name those that "
            f"it holds with policy.treating([…]).{''.join(f' {hint}' for hint in hints)}"
        )
    used = frame[~frame[unit].isin(exclude)]
    if window is not None:
        used = used[used[time].between(*window)]
    comparability.require_one_level(used[unit].unique())
    ledger, reasons = Ledger(), {}
    if len(used):
        span = int(used[time].min()), int(used[time].max())
        names = [*wanted, *further]
        ledger = comparability.across_breaks(panel, names, *span, across_breaks, ledger)
        if not changed_areas:
            treated = units[np.isfinite(adoption)]
            reasons = comparability.changed_areas(panel, used[unit].unique(), treated, *span)
            frame = frame[~frame[unit].isin(reasons)]
    dated = replace(columns, adoption="__adoption")
    frame = frame.assign(**{"__adoption": frame[unit].map(dict(zip(units, adoption, strict=True)))})
    design = design_from_frame(make, frame, dated, absorbing=True, window=window, exclude=exclude)
    for entry in reasons.items():
        ledger = ledger.with_units(entry[:1], entry[1])
    design = replace(design, left_out=design.left_out.joined(ledger))
    low, high = window or (int(design.periods[0]), int(design.periods[-1]))
    within = missing[missing[time].between(low, high) & ~missing[unit].isin(exclude)]
    gaps = sorted(set(within[time]) - set(design.periods.tolist()))
    ledger = design.left_out.with_periods(gaps, f"{outcome} is not published for this period")
    cells = within[within[time].isin(design.periods)]
    ledger = ledger.with_cells(
        zip(cells[unit], cells[time], strict=True), f"{outcome} is not published for this cell"
    )
    odd = comparability.flagged(panel, [*wanted, *further])
    inside = set(design.units), set(design.periods.tolist())
    ledger = ledger.with_flags(
        each for each in odd if each[0] in inside[0] and each[1] in inside[1]
    )
    kept = {"across_breaks": across_breaks, "changed_areas": changed_areas}
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
            "window": None if window is None else list(window),
            "exclude": sorted(exclude),
            "covariates": list(columns.covariates),
            "predictors": list(columns.predictors),
            **{name: True for name, asked in kept.items() if asked},
            "first_treated": {
                str(each): int(year)
                for each, year in zip(design.units, design.adoption, strict=True)
                if np.isfinite(year)
            },
        },
    )
