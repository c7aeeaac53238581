"""Event time counted in periods of the panel, and windows that every cohort fills."""

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

    @cached_property
    def step(self) -> int:
        """Length of a period where all are equal, so that event times are in units of time."""
        gaps = np.unique(np.diff(self.design.periods))
        return int(gaps[0]) if len(gaps) == 1 else 1

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
