"""The ledger: what a design left out, and why."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import pandas as pd

from jjjpolicy.design.clock import NUMBERS, Clock
from jjjpolicy.linalg.brief import brief

COLUMNS = ["item", "unit", "period", "reason"]


@dataclass(frozen=True, repr=False)
class Ledger:
    """Immutable list of entries (item, unit, period, reason).

    ``item`` is ``"unit"``, ``"period"``, ``"cell"``, ``"effect"`` (of a cohort, not estimable),
    ``"note"`` or ``"flag"`` (a figure that looks odd and is in the design); ``unit`` and ``period``
    are None where the entry concerns all of them.
    """

    entries: tuple[tuple[str, Hashable, int | None, str], ...] = ()

    __repr__ = brief

    def with_units(self, units: Iterable[Hashable], reason: str) -> Ledger:
        return self._with(("unit", unit, None, reason) for unit in units)

    def with_periods(self, periods: Iterable[int], reason: str) -> Ledger:
        return self._with(("period", None, int(period), reason) for period in periods)

    def with_cells(self, cells: Iterable[tuple[Hashable, int]], reason: str) -> Ledger:
        return self._with(("cell", unit, int(period), reason) for unit, period in cells)

    def with_effects(self, effects: Iterable[tuple[int | None, str]]) -> Ledger:
        return self._with(("effect", None, period, reason) for period, reason in effects)

    def with_flags(self, cells: Iterable[tuple[Hashable, int, str]]) -> Ledger:
        return self._with(("flag", unit, int(period), reason) for unit, period, reason in cells)

    def with_note(self, unit: Hashable, period: int | None, reason: str) -> Ledger:
        return self.with_notes([(unit, period, reason)])

    def with_notes(self, notes: Iterable[tuple[Hashable, int | None, str]]) -> Ledger:
        return self._with(("note", unit, period, reason) for unit, period, reason in notes)

    def joined(self, other: Ledger) -> Ledger:
        return self._with(other.entries)

    def _with(self, entries: Iterable[tuple[str, Hashable, int | None, str]]) -> Ledger:
        known = set(self.entries)
        added = tuple(entry for entry in entries if entry not in known)
        return Ledger(self.entries + added) if added else self

    @property
    def left_out(self) -> int:
        """Number of entries other than flags."""
        return sum(item != "flag" for item, *_ in self.entries)

    def frame(self, clock: Clock = NUMBERS) -> pd.DataFrame:
        """One row per entry, in the order in which they arose; periods by their names."""
        rows = [
            (item, unit, None if period is None else clock.name(period), reason)
            for item, unit, period, reason in self.entries
        ]
        return pd.DataFrame(rows, columns=COLUMNS, dtype=object)
