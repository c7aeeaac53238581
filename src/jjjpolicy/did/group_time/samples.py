"""The observations behind group-time cells: changes of units, or levels of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.did.group_time.cross_section_scores import cross_section_scores
from jjjpolicy.did.group_time.scores import (
    Method,
    NotEstimable,
    Scores,
    adjusted_scores,
    mean_scores,
)

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.group_time.comparisons import Comparison
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


class Sample(ABC):
    """Arrays of a design, and the scores of comparisons on them."""

    def __init__(self, design: Design, method: Method) -> None:
        self.design, self.method = design, method
        self.cohorts, self.codes = design.cohort_codes
        self.names = list(design.covariates)
        self.weights = np.ones(design.n_units) if design.weights is None else design.weights

    @abstractmethod
    def key(self, cell: Comparison) -> tuple[int, ...]:
        """Comparisons with equal keys can be handed to :meth:`scores` together."""

    @abstractmethod
    def scores(self, cells: Sequence[Comparison], rows: Integers, treated: Booleans) -> Scores:
        """Scores of comparisons with equal keys.

        Parameters
        ----------
        cells : sequence of Comparison
        rows : ndarray of int
            Units that take part.
        treated : ndarray of bool
            Which of them are treated.

        Returns
        -------
        Scores
            With ``influence`` of shape (rows, cells), scaled so that its sum over ``rows`` divided
            by the number of all units is estimate − estimand.

        Raises
        ------
        NotEstimable
        """

    def covariates_at(self, rows: Integers, periods: int | Integers) -> Floats | None:
        """Covariates of some units in one period or each in its own, shape (rows, covariates)."""
        if not self.names:
            return None
        return np.stack([v[rows, periods] for v in self.design.covariates.values()], axis=1)

    def named(self, failure: NotEstimable, rows: Integers) -> NotEstimable:
        """The failure with the names of the units that cause it."""
        at_fault = np.unique(rows[list(failure.positions)])
        if len(at_fault) == 0:
            return failure
        units = ", ".join(repr(unit) for unit in self.design.units[at_fault[:3]])
        more = f" and {len(at_fault) - 3} more" if len(at_fault) > 3 else ""
        return NotEstimable(
            f"{failure} for {self.design.labels.unit} {units}{more}: use fewer covariates, "
            f"method='or', or leave these units out"
        )


class PanelSample(Sample):
    """Changes of units of a balanced panel."""

    def __init__(self, design: Design, method: Method) -> None:
        super().__init__(design, method)
        self._fixed = all(_once(values) for values in design.covariates.values())

    def key(self, cell: Comparison) -> tuple[int, ...]:
        same = (cell.cohort, cell.first_control)
        return same if self._fixed else (*same, cell.earlier)

    def scores(self, cells: Sequence[Comparison], rows: Integers, treated: Booleans) -> Scores:
        outcome, weights = self.design.outcome.take(rows, axis=0), self.weights[rows]
        changes = np.empty((len(cells), len(rows))).T
        for change, cell in zip(changes.T, cells, strict=True):
            np.subtract(outcome[:, cell.period], outcome[:, cell.base], out=change)
        covariates = self.covariates_at(rows, cells[0].earlier)
        try:
            if covariates is None:
                found = mean_scores(changes, treated, weights)
            else:
                found = adjusted_scores(
                    changes, treated, covariates, weights, self.method, self.names
                )
        except NotEstimable as failure:
            raise self.named(failure, rows) from None
        return found.scaled(self.design.n_units / len(rows))


class CrossSectionSample(Sample):
    """Levels of the rows of repeated cross-sections, or of a panel with absent cells."""

    def key(self, cell: Comparison) -> tuple[int, ...]:
        return (cell.cohort, cell.period, cell.base)

    def scores(self, cells: Sequence[Comparison], rows: Integers, treated: Booleans) -> Scores:
        (cell,) = cells
        moments = (cell.period, cell.base)
        present = [np.flatnonzero(self.design.observed[rows, moment]) for moment in moments]
        members = np.concatenate(present)
        counts = [len(part) for part in present]
        columns = np.repeat(moments, counts)
        try:
            found = cross_section_scores(
                self.design.outcome[rows[members], columns],
                treated[members],
                np.repeat([True, False], counts),
                self.covariates_at(rows[members], columns),
                self.weights[rows[members]],
                self.method,
                self.names,
            )
        except NotEstimable as failure:
            raise self.named(failure, rows[members]) from None
        by_unit, by_row = np.zeros((len(rows), 1)), found.influence
        for start, part in zip((0, counts[0]), present, strict=True):
            by_unit[part] += by_row[start : start + len(part)]
        whole = Scores.of(found.att, by_unit, found.trimmed)
        return whole.scaled(self.design.n_units / len(members))


def _once(values: Floats) -> bool:
    """Whether each unit has the same value in every period."""
    return values.strides[1] == 0 or bool((values == values[:, :1]).all())


def sample_of(design: Design, method: Method) -> Sample:
    """The observations of a design, as they are compared."""
    return PanelSample(design, method) if design.balanced else CrossSectionSample(design, method)
