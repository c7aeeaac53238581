"""From kinds of units to a design whose rows stand for many units; see `summaries`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.design.arrays import Built, Labels
from jjjpolicy.design.clock import Clock
from jjjpolicy.design.intake.columns import Columns, quoted
from jjjpolicy.design.intake.grid import Grid
from jjjpolicy.design.intake.summaries import Kind
from jjjpolicy.design.intake.treatment import (
    LATE,
    always_treated,
    require_comparison,
    require_repeated,
)
from jjjpolicy.design.ledger import Ledger
from jjjpolicy.errors import DesignError, warn_user

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

LARGEST = 400_000
"""Rows of a design beyond which units are too different from one another to be summed up."""


def require_few(rows: int, kinds: int, columns: Columns) -> None:
    """Kinds of units must be few enough to be summed up."""
    if rows <= LARGEST:
        return
    what = [*columns.covariates, *([columns.weights] if columns.weights else [])]
    blame = f"the values of {', '.join(map(repr, what))} or in " if what else ""
    raise DesignError(
        f"{kinds:,} kinds of {columns.unit} differ in {blame}the periods in which they are "
        f"observed, too many to sum them up: use coarser values, or balance the panel with "
        f"window=(first, last)."
    )


def levels(columns: Columns) -> tuple[str, ...]:
    """Columns of groups that units of one kind have in common, the level of assignment first."""
    first = () if columns.assigned_at is None else (columns.assigned_at,)
    return first + tuple(name for name in columns.clusters if name not in first)


def in_order(labels: Iterable[Hashable]) -> list[Hashable]:
    """Labels of groups, increasing; text after numbers."""
    return sorted(labels, key=lambda label: (isinstance(label, str), label))


@dataclass(eq=False)
class Groups:
    """Codes of groups by level, counted as they come, until all are known and have a rank."""

    columns: Columns
    _known: dict[str, dict[Hashable, int]] = field(default_factory=dict)

    def codes(self, level: str, labels: Iterable[Hashable]) -> Floats:
        """The code of each label of a level."""
        known = self._known.setdefault(level, {})
        return np.array([known.setdefault(label, len(known)) for label in labels], dtype=float)

    def ranked(self, kinds: Iterable[Kind]) -> list[list[Hashable]]:
        """Labels of each level, increasing; their ranks take the place of codes in ``traits``."""
        groups = [in_order(self._known[level]) for level in levels(self.columns)]
        for k, (level, labels) in enumerate(zip(levels(self.columns), groups, strict=True)):
            ranks = {self._known[level][label]: rank for rank, label in enumerate(labels)}
            for each in kinds:
                each.traits[2 + k] = ranks[int(each.traits[2 + k])]
        return groups


@dataclass(eq=False)
class Summed:
    """All units of a table, summed up by kind.

    Attributes
    ----------
    columns : Columns
    periods : ndarray of int, shape (periods,)
    clock : Clock
    kinds : sequence of Kind
        Their ``traits`` are adoption, weight, a code for each level of :func:`levels`, whether each
        period is observed, and the path of each covariate, 0 where not observed.
    groups : sequence of lists of labels
        What the codes of each level stand for, increasing.
    later : Counter
        Number of units that adopt after the last period, by period.
    source : mapping
        Where the rows came from, for provenance.
    """

    columns: Columns
    periods: Integers
    clock: Clock
    kinds: Sequence[Kind]
    groups: Sequence[list[Hashable]]
    later: Counter[int] = field(default_factory=Counter)
    source: Mapping[str, Any] = field(default_factory=dict)

    def design(self, make: type[Built], ledger: Ledger) -> Built:
        """The design whose rows stand for the units."""
        columns = self.columns
        kinds = sorted(self.kinds, key=self._order)
        cross_sections = all(int(each.present.sum()) == 1 for each in kinds)
        if cross_sections:
            require_repeated(columns)
        kinds, late_kinds, ledger = self._with_pre_period(kinds, ledger, cross_sections)
        if not cross_sections:
            absent = np.sum([each.number * ~each.present for each in kinds], axis=0)
            for t in np.flatnonzero(absent):
                reason = f"{absent[t]:,} {columns.unit}s have no row: the panel is unbalanced"
                ledger = ledger.with_note(None, int(self.periods[t]), reason)
        together = columns.assigned_at is not None
        parts = [each.total() if together else each.summary() for each in kinds]
        sizes = [len(counts) for _, counts in parts]
        counts = np.concatenate([counts for _, counts in parts])
        outcome = np.full((len(counts), len(self.periods)), np.nan)
        traits = np.repeat([each.traits for each in kinds], sizes, axis=0)
        start = 0
        for each, (values, _) in zip(kinds, parts, strict=True):
            outcome[start : start + len(values), each.present] = values
            start += len(values)
        adoption, weights = traits[:, 0], traits[:, 1]
        codes = {name: traits[:, 2 + k].astype(np.int64) for k, name in enumerate(levels(columns))}
        units = pd.Index(self._labels(kinds, sizes), dtype=object)
        clock = self.clock
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
        if columns.assigned_at is not None:
            self._require_common_adoption(codes[columns.assigned_at], adoption)
            assignment = _dense(codes[columns.assigned_at])
        observed = ~np.isnan(outcome)
        first_path = 2 + len(codes) + len(self.periods)
        paths = traits[:, first_path:].reshape(len(units), -1, len(self.periods))
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
            clusters={name: _dense(codes[name]) for name in columns.clusters},
            stands_for=counts,
            late=np.repeat(late_kinds, sizes) if late_kinds.any() else None,
            left_out=ledger,
            source=self.source,
        )

    def _with_pre_period(
        self, kinds: list[Kind], ledger: Ledger, cross_sections: bool
    ) -> tuple[list[Kind], Booleans, Ledger]:
        """Without units that have nothing to compare with; which of the others enter treated."""
        columns = self.columns
        adoption = np.array([each.traits[0] for each in kinds])
        cells = np.where([each.present for each in kinds], 0.0, np.nan)
        clock = self.clock
        names = [
            f"{each.number:,} first treated in "
            f"{clock.name(each.traits[0]) if np.isfinite(each.traits[0]) else 'inf'}"
            for each in kinds
        ]
        grid = Grid(pd.Index(names), self.periods, None, None, clock)
        without, late = always_treated(cells, adoption, grid, columns, cross_sections)
        for cohort in np.unique(adoption[without]):
            gone = without & (adoption == cohort)
            number = sum(each.number for each, out in zip(kinds, gone, strict=True) if out)
            reason = (
                f"{number:,} {columns.unit}s first treated in {clock.name(cohort)} left out, no "
                f"pre-period: treated in every observed period"
            )
            ledger = ledger.with_note(None, None, reason)
            warn_user(
                f"{reason}. Begin earlier if there is data.",
            )
        for cohort in np.unique(adoption[late]):
            number = sum(each.number for each in np.array(kinds)[late & (adoption == cohort)])
            ledger = ledger.with_note(None, int(cohort), f"{number:,} {columns.unit}s {LATE}")
        kept = [each for each, out in zip(kinds, without, strict=True) if not out]
        return kept, late[~without], ledger

    def _order(self, kind: Kind) -> tuple[float, ...]:
        """Kinds by their groups, then by the other traits."""
        codes = slice(2, 2 + len(self.groups))
        return (*kind.traits[codes].tolist(), *np.delete(kind.traits, codes).tolist())

    def _labels(self, kinds: list[Kind], sizes: list[int]) -> list[Hashable]:
        columns, found = self.columns, list[Hashable]()
        if columns.assigned_at is not None:
            names = self.groups[0]
            parts = Counter(int(each.traits[2]) for each in kinds)
            seen = Counter[int]()
            for each in kinds:
                code = int(each.traits[2])
                seen[code] += 1
                whole = parts[code] == 1
                found.append(names[code] if whole else f"{names[code]} ({seen[code]})")
            return found
        for k, (each, size) in enumerate(zip(kinds, sizes, strict=True), start=1):
            what = f"{each.number:,} {columns.unit}s of kind {k}"
            found += each.labels or [f"{what} ({j}/{size})" for j in range(1, size + 1)]
        return found

    def _require_common_adoption(self, group: Integers, adoption: Floats) -> None:
        columns = self.columns
        for code in np.unique(group):
            own = np.unique(adoption[group == code])
            if len(own) > 1:
                name = self.clock.name
                when = " and ".join("never" if np.isinf(a) else str(name(a)) for a in own[:2])
                raise DesignError(
                    f"assigned_at={columns.assigned_at!r}, but the {columns.unit}s of "
                    f"{columns.assigned_at} {quoted(self.groups[0][int(code)])} are not treated "
                    f"from the same period on ({when}). Name the level at which treatment was "
                    f"assigned."
                )


def _dense(codes: Integers) -> Integers:
    """Codes without gaps, as kinds may have been left out."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
