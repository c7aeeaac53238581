"""From Parquet files to a design whose rows stand for many units; see `summaries`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.design.arrays import Built, Labels
from jjjpolicy.design.intake.columns import quoted, require_columns
from jjjpolicy.design.intake.grid import Grid, make_grid, restrict
from jjjpolicy.design.intake.parquet import NotSortedError, ParquetRows
from jjjpolicy.design.intake.periods import TimeColumn, read_periods
from jjjpolicy.design.intake.summaries import Likes
from jjjpolicy.design.intake.treatment import (
    LATE,
    adoption_from_treatment,
    always_treated,
    declared_adoption,
    require_comparison,
    require_repeated,
)
from jjjpolicy.design.intake.values import group_labels, numbers, unit_weights
from jjjpolicy.design.ledger import Ledger
from jjjpolicy.errors import DesignError, warn_user

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

LARGEST = 400_000
"""Rows of a design beyond which units are too different from one another to be summed up."""


def design_from_parquet(
    make: type[Built],
    rows: ParquetRows,
    window: tuple[Any, Any] | None,
    exclude: tuple[Hashable, ...],
) -> Built:
    """See :meth:`jjjpolicy.Design.from_parquet`."""
    columns = rows.columns
    if rows.batch < 1:
        raise DesignError(f"batch={rows.batch} must be a positive number of rows.")
    require_columns(rows.first(), columns)
    distinct = rows.periods()
    periods, time = read_periods(distinct, columns.time)
    frame, clock = distinct.to_frame(columns.time), time.clock
    frame, periods, ledger = restrict(
        frame, periods, columns, time.window(window), (), Ledger(), clock
    )
    if len(periods) < 2:
        raise DesignError(
            f"{columns.time!r} has one period only ({clock.name(periods[0])}); a comparison over "
            f"time needs at least two."
        )
    if window is not None:
        rows.within(frame[columns.time].tolist())
    periods = np.sort(periods)
    if exclude:
        rows.without(exclude)
        ledger = ledger.with_units(exclude, "left out by exclude=")
    try:
        panel = _read(rows, periods, time, ordered=False)
    except NotSortedError:
        panel = _read(rows, periods, time, ordered=True)
    return panel.design(make, ledger)


def _read(rows: ParquetRows, periods: Integers, time: TimeColumn, *, ordered: bool) -> _Panel:
    panel = _Panel(rows, periods, time)
    for frame in rows.frames(ordered=ordered):
        panel.add(frame)
    if not panel.likes:
        raise DesignError("exclude= leaves no unit.")
    return panel


@dataclass
class _Panel:
    """Units summed up so far."""

    source: ParquetRows
    periods: Integers
    time: TimeColumn
    likes: dict[bytes, Likes] = field(default_factory=dict)
    groups: dict[Hashable, int] = field(default_factory=dict)
    later: Counter[int] = field(default_factory=Counter)
    total: int = 0

    def add(self, frame: pd.DataFrame) -> None:
        """Check and sum up the units of a batch."""
        columns = self.source.columns
        require_columns(frame, columns)
        periods = self.time.read(frame[columns.time])
        grid = make_grid(frame, periods, columns, self.periods, self.time.clock)
        outcome = grid.spread(numbers(frame, columns.outcome, grid, columns))
        present = ~np.isnan(outcome)
        traits = np.column_stack(list(self._traits(frame, grid, present)))
        self.total += len(frame)
        for rows in _alike(traits):
            seen, own = present[rows[0]], traits[rows[0]]
            likes = self.likes.setdefault(own.tobytes(), Likes(own, seen))
            likes.add(outcome[np.ix_(rows, seen)], list(grid.units[rows[: likes.width]]))
        self._require_few()

    def _traits(self, frame: pd.DataFrame, grid: Grid, present: Floats) -> Iterator[Floats]:
        """All that may tell units apart but their outcomes."""
        columns = self.source.columns
        if columns.treatment is not None:
            adoption, _, _ = adoption_from_treatment(
                frame, columns.treatment, grid, columns, True, Ledger()
            )
        else:
            assert columns.adoption is not None
            adoption = declared_adoption(frame, columns.adoption, grid, columns, self.time)
            after = np.isfinite(adoption) & (adoption > self.periods[-1])
            self.later.update(adoption[after].astype(np.int64).tolist())
            adoption = np.where(after, np.inf, adoption)
        yield adoption
        weights = unit_weights(frame, grid, columns)
        yield np.ones(len(adoption)) if weights is None else weights
        if columns.assigned_at is None:
            yield np.zeros(len(adoption))
        else:
            codes, labels = group_labels(frame, columns.assigned_at, grid, columns)
            whole = [self.groups.setdefault(label, len(self.groups)) for label in labels]
            yield np.array(whole, dtype=float)[codes]
        yield present.astype(float)
        for name in columns.covariates:
            yield np.where(present, grid.spread(numbers(frame, name, grid, columns)), 0.0) + 0.0

    def _require_few(self) -> None:
        rows = sum(each.rows for each in self.likes.values())
        if rows > LARGEST:
            columns = self.source.columns
            what = [*columns.covariates, *([columns.weights] if columns.weights else [])]
            blame = f"the values of {', '.join(map(repr, what))} or in " if what else ""
            raise DesignError(
                f"{len(self.likes):,} kinds of {columns.unit} differ in {blame}the periods in "
                f"which they are observed, too many to sum them up: use coarser values, "
                f"or balance the panel with window=(first, last)."
            )

    def design(self, make: type[Built], ledger: Ledger) -> Built:
        """The design, once all units are in."""
        columns = self.source.columns
        likes = [self.likes[key] for key in sorted(self.likes, key=self._order)]
        cross_sections = all(int(each.present.sum()) == 1 for each in likes)
        if cross_sections:
            require_repeated(columns)
        likes, late_kinds, ledger = self._with_pre_period(likes, ledger, cross_sections)
        if not cross_sections:
            absent = np.sum([each.number * ~each.present for each in likes], axis=0)
            for t in np.flatnonzero(absent):
                reason = f"{absent[t]:,} {columns.unit}s have no row: the panel is unbalanced"
                ledger = ledger.with_note(None, int(self.periods[t]), reason)
        together = columns.assigned_at is not None
        parts = [each.total() if together else each.summary() for each in likes]
        sizes = [len(counts) for _, counts in parts]
        counts = np.concatenate([counts for _, counts in parts])
        outcome = np.full((len(counts), len(self.periods)), np.nan)
        traits = np.repeat([each.traits for each in likes], sizes, axis=0)
        start = 0
        for each, (values, _) in zip(likes, parts, strict=True):
            outcome[start : start + len(values), each.present] = values
            start += len(values)
        adoption, weights, group = traits[:, 0], traits[:, 1], traits[:, 2].astype(np.int64)
        units = pd.Index(self._labels(likes, sizes), dtype=object)
        clock = self.time.clock
        grid = Grid(units, self.periods, None, None, clock)
        for period, number in sorted(self.later.items()):
            ledger = ledger.with_note(
                None,
                period,
                f"{number:,} {columns.unit}s adopt after the last period "
                f"{clock.name(self.periods[-1])}: they count as never treated here",
            )
        require_comparison(outcome, adoption, grid, columns, None)
        assignment = np.arange(len(units), dtype=np.int64)
        if together:
            self._require_common_adoption(group, adoption)
            assignment = np.unique(group, return_inverse=True)[1].astype(np.int64)
        width = len(self.periods)
        observed = ~np.isnan(outcome)
        paths = traits[:, 3 + width :].reshape(len(units), -1, width)
        return make(
            outcome=outcome,
            units=units,
            periods=self.periods,
            adoption=adoption,
            labels=Labels(
                outcome=columns.outcome, unit=columns.unit, time=columns.time, clock=clock
            ),
            assigned_at=columns.assigned_at or columns.unit,
            assignment=assignment,
            covariates={
                name: np.where(observed, paths[:, k], np.nan)
                for k, name in enumerate(columns.covariates)
            },
            weights=weights * counts,
            stands_for=counts,
            late=np.repeat(late_kinds, sizes) if late_kinds.any() else None,
            left_out=ledger,
            source={"files": list(self.source.paths), "rows": self.total},
        )

    def _with_pre_period(
        self, likes: list[Likes], ledger: Ledger, cross_sections: bool
    ) -> tuple[list[Likes], Booleans, Ledger]:
        """Without units that have nothing to compare with; which of the others enter treated."""
        columns = self.source.columns
        adoption = np.array([each.traits[0] for each in likes])
        cells = np.where([each.present for each in likes], 0.0, np.nan)
        clock = self.time.clock
        names = [
            f"{each.number:,} first treated in "
            f"{clock.name(each.traits[0]) if np.isfinite(each.traits[0]) else 'inf'}"
            for each in likes
        ]
        grid = Grid(pd.Index(names), self.periods, None, None, clock)
        without, late = always_treated(cells, adoption, grid, columns, cross_sections)
        for cohort in np.unique(adoption[without]):
            gone = without & (adoption == cohort)
            number = sum(each.number for each, out in zip(likes, gone, strict=True) if out)
            reason = (
                f"{number:,} {columns.unit}s first treated in {clock.name(cohort)} left out, no "
                f"pre-period: treated in every observed period"
            )
            ledger = ledger.with_note(None, None, reason)
            warn_user(
                f"{reason}. Begin earlier if there is data.",
            )
        for cohort in np.unique(adoption[late]):
            number = sum(each.number for each in np.array(likes)[late & (adoption == cohort)])
            ledger = ledger.with_note(None, int(cohort), f"{number:,} {columns.unit}s {LATE}")
        kept = [each for each, out in zip(likes, without, strict=True) if not out]
        return kept, late[~without], ledger

    def _order(self, key: bytes) -> tuple[object, ...]:
        """Kinds by group and traits, whatever the order of the file."""
        traits = self.likes[key].traits
        return (self._ranks.get(int(traits[2]), 0), *np.delete(traits, 2).tolist())

    @cached_property
    def _group_labels(self) -> list[Hashable]:
        """Labels of groups, increasing; text after numbers."""
        return sorted(self.groups, key=lambda label: (isinstance(label, str), label))

    @cached_property
    def _ranks(self) -> dict[int, int]:
        return {self.groups[label]: rank for rank, label in enumerate(self._group_labels)}

    def _labels(self, likes: list[Likes], sizes: list[int]) -> list[Hashable]:
        columns, found = self.source.columns, list[Hashable]()
        if columns.assigned_at is not None:
            names = {code: label for label, code in self.groups.items()}
            parts = Counter(int(each.traits[2]) for each in likes)
            seen = Counter[int]()
            for each in likes:
                code = int(each.traits[2])
                seen[code] += 1
                whole = parts[code] == 1
                found.append(names[code] if whole else f"{names[code]} ({seen[code]})")
            return found
        for k, (each, size) in enumerate(zip(likes, sizes, strict=True), start=1):
            what = f"{each.number:,} {columns.unit}s of kind {k}"
            found += each.labels or [f"{what} ({j}/{size})" for j in range(1, size + 1)]
        return found

    def _require_common_adoption(self, group: Integers, adoption: Floats) -> None:
        columns = self.source.columns
        names = {code: label for label, code in self.groups.items()}
        for code in np.unique(group):
            own = np.unique(adoption[group == code])
            if len(own) > 1:
                name = self.time.clock.name
                when = " and ".join("never" if np.isinf(a) else str(name(a)) for a in own[:2])
                raise DesignError(
                    f"assigned_at={columns.assigned_at!r}, but the {columns.unit}s of "
                    f"{columns.assigned_at} {quoted(names[int(code)])} are not treated from the "
                    f"same period on ({when}). Name the level at which treatment was assigned."
                )


def _alike(traits: Floats) -> Iterator[Integers]:
    """Positions of the rows that are equal, one array for each distinct row."""
    varying = np.ascontiguousarray(traits[:, (traits != traits[0]).any(axis=0)])
    if not varying.shape[1]:
        yield np.arange(len(traits))
        return
    if varying.shape[1] == 1:
        codes = np.unique(varying[:, 0], return_inverse=True)[1]
    else:
        packed = varying.view(np.dtype((np.void, varying.dtype.itemsize * varying.shape[1])))
        codes = np.unique(packed.ravel(), return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
