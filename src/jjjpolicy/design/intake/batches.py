"""Whole units in batches of rows, checked and summed up by kind; see `summaries`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.design.intake.columns import Columns, require_columns
from jjjpolicy.design.intake.grid import Grid, make_grid
from jjjpolicy.design.intake.periods import TimeColumn
from jjjpolicy.design.intake.summaries import Likes
from jjjpolicy.design.intake.summed import Groups, Summed, levels, require_few
from jjjpolicy.design.intake.treatment import adoption_from_treatment, declared_adoption
from jjjpolicy.design.intake.values import group_labels, numbers, unit_weights
from jjjpolicy.design.ledger import Ledger

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(eq=False)
class Batches:
    """Units summed up so far."""

    columns: Columns
    periods: Integers
    time: TimeColumn
    likes: dict[bytes, Likes] = field(default_factory=dict)
    later: Counter[int] = field(default_factory=Counter)
    total: int = 0
    groups: Groups = field(init=False)

    def __post_init__(self) -> None:
        self.groups = Groups(self.columns)

    def add(self, frame: pd.DataFrame) -> None:
        """Check and sum up the units of a batch."""
        columns = self.columns
        require_columns(frame, columns)
        periods = self.time.read(frame[columns.time])
        grid = make_grid(frame, periods, columns, self.periods, self.time.clock)
        outcome = grid.spread(numbers(frame, columns.outcome, grid, columns))
        present = ~np.isnan(outcome)
        traits = np.column_stack(list(self._traits(frame, grid, present)))
        self.total += len(frame)
        for rows in _alike(traits):
            seen, own = present[rows[0]], traits[rows[0]].copy()
            likes = self.likes.setdefault(own.tobytes(), Likes(own, seen))
            likes.add(outcome[np.ix_(rows, seen)], list(grid.units[rows[: likes.width]]))
        require_few(sum(each.rows for each in self.likes.values()), len(self.likes), columns)

    def _traits(self, frame: pd.DataFrame, grid: Grid, present: Floats) -> Iterator[Floats]:
        """All that may tell units apart but their outcomes."""
        columns = self.columns
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
        for level in levels(columns):
            codes, labels = group_labels(frame, level, grid, columns)
            yield self.groups.codes(level, labels)[codes]
        yield present.astype(float)
        for name in columns.covariates:
            yield np.where(present, grid.spread(numbers(frame, name, grid, columns)), 0.0) + 0.0

    def summed(self, source: Mapping[str, Any]) -> Summed:
        """All units, once they are in."""
        kinds = list(self.likes.values())
        groups, clock = self.groups.ranked(kinds), self.time.clock
        return Summed(self.columns, self.periods, clock, kinds, groups, self.later, source)


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
