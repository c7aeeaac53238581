"""The clock of event time, and windows that every cohort fills.

Event time is the calendar distance from adoption, in units of the time column, in every estimator.
Windows are counted in periods of the panel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True)
class EventClock:
    """Positions of adoption among the periods of a panel.

    Attributes
    ----------
    design : Design
    """

    design: Design

    @cached_property
    def starts(self) -> Integers:
        """Position of each unit's first treated period; the number of periods for never."""
        found: Integers = np.searchsorted(self.design.periods, self.design.adoption)
        return found

    @cached_property
    def cohorts(self) -> Integers:
        """Distinct positions of adoption, increasing."""
        return np.unique(self.starts[self.design.treated])

    def event_times(self, start: int) -> Integers:
        """Event time of every period for units that adopt at a position, shape (periods,)."""
        return self.design.periods - self.adoption(start)

    def adoption(self, start: int) -> int:
        """First treated period at a position: as dated, where it lies between two periods."""
        period = int(self.design.periods[start])
        dated = np.unique(self.design.adoption[self.starts == start])
        return int(dated[0]) if len(dated) == 1 else period

    @cached_property
    def reference(self) -> int:
        """Event time of the last period before adoption; the latest, where cohorts differ."""
        starts = self.cohorts[self.cohorts > 0]
        return max(int(self.event_times(start)[start - 1]) for start in starts)

    @cached_property
    def alike(self) -> bool:
        """Whether the n-th period after adoption is equally far from it for every cohort."""
        even = len(np.unique(np.diff(self.design.periods))) == 1
        return even and all(self.event_times(start)[start] == 0 for start in self.cohorts)

    def widest_common(self) -> tuple[int, int]:
        """Periods before and after adoption that every cohort with clean controls has.

        Without never-treated units the last cohort serves as control only, until it adopts.
        """
        last = self.design.n_periods - 1
        cohorts = self.cohorts
        if self.design.treated.all() and len(cohorts) > 1:
            last, cohorts = int(cohorts[-1]) - 1, cohorts[:-1]
        return int(cohorts.min()), int(last - cohorts.max())


def observation_weights(design: Design) -> Floats:
    """Observation weights, one where none were given; shape (units,)."""
    return np.ones(design.n_units) if design.weights is None else design.weights
