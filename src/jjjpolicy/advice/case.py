"""What a design has: treated groups, dates, periods before, donors, assignments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.design.clock import NUMBERS, Clock
from jjjpolicy.estimation.variance import FEW_TREATED_CLUSTERS
from jjjpolicy.inference.few_treated import ENUMERATED as COMBINED
from jjjpolicy.inference.few_treated import ConleyTaber
from jjjpolicy.inference.permutation.assignments import (
    ENUMERATION_LIMIT,
    AssignmentSpace,
    group_adoption,
)
from jjjpolicy.inference.placebo_units import SAMPLED as PLACEBOS
from jjjpolicy.inference.randomization import ENUMERATED, SAMPLED

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design


@dataclass(frozen=True)
class Case:
    """The numbers of a design that decide what inference can do.

    Attributes
    ----------
    outcome, unit, level : str
        Columns of the outcome, of the unit and of the level at which treatment was assigned.
    units, donors : int
        All units, and those never treated.
    groups, treated, never : int
        Groups at the level of assignment: all, treated, never treated.
    dates : tuple of int
        Adoption periods of the treated groups, repeated as often as they occur, increasing.
    periods : int
    before : (int, int)
        Smallest and largest number of periods before adoption among the cohorts.
    after : int
        Smallest number of periods from adoption on.
    balanced, absorbing : bool
        Whether every unit is observed in every period, and whether treatment stays on.
    clock : Clock
        What periods are called.
    """

    outcome: str
    unit: str
    level: str
    units: int
    donors: int
    groups: int
    treated: int
    never: int
    dates: tuple[int, ...]
    periods: int
    before: tuple[int, int]
    after: int
    balanced: bool
    absorbing: bool
    clock: Clock = NUMBERS

    @classmethod
    def of(cls, design: Design) -> Case:
        """The case of a design.

        Raises
        ------
        DesignError
            Rows of the design stand for many units.
        """
        design.require_units("advise")
        adoption, _ = group_adoption(design.adoption, design.assignment)
        dates = np.sort(adoption[np.isfinite(adoption)])
        before = [int((design.periods < date).sum()) for date in design.cohorts]
        return cls(
            outcome=design.labels.outcome,
            unit=design.labels.unit,
            level=design.assigned_at,
            units=design.n_units,
            donors=int((~design.treated).sum()),
            groups=len(adoption),
            treated=len(dates),
            never=int(np.isinf(adoption).sum()),
            dates=tuple(int(date) for date in dates),
            periods=design.n_periods,
            before=(min(before), max(before)),
            after=design.n_periods - max(before),
            balanced=design.balanced,
            absorbing=design.absorbing,
            clock=design.labels.clock,
        )

    @property
    def few(self) -> bool:
        """Whether few groups are treated, and others are not."""
        return self.treated < min(FEW_TREATED_CLUSTERS, self.groups)

    @property
    def staggered(self) -> bool:
        """Whether groups adopt at different dates."""
        return len(set(self.dates)) > 1

    @cached_property
    def randomisations(self) -> int:
        """Assignments that randomisation over groups tells apart, the actual one included.

        All of them, or as many as are sampled; 1 where there is no other one.
        """
        return self._assignments(self.groups, ENUMERATED, SAMPLED)

    @cached_property
    def placebos(self) -> int:
        """As :attr:`randomisations` for placebos over groups that were never treated."""
        if self.never <= self.treated:
            return 1
        return self._assignments(self.never, ENUMERATION_LIMIT, PLACEBOS) + 1

    @cached_property
    def combinations(self) -> int:
        """Combinations of control groups' residuals, one for each treated group, and the actual."""
        if self.never < 1 or not self.absorbing:
            return 1
        count = self.never**self.treated
        return (count if count <= COMBINED else ConleyTaber.replications) + 1

    def _assignments(self, groups: int, limit: int, sampled: int) -> int:
        if not self.absorbing or (self.never == 0 and not self.staggered):
            return 1
        count = AssignmentSpace(np.array(self.dates, dtype=float), groups).count
        return count if count <= limit else sampled
