"""Differences between units whose treatment switches and units whose treatment stays.

A comparison has switchers of one cohort, controls of the same earlier treatment, and a change of
the outcome for both. Estimates are weighted sums of comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.did.cohorts.event_window import observation_weights
from jjjpolicy.linalg.brief import brief

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False)
class Comparison:
    """Switchers and controls of one period.

    Attributes
    ----------
    switchers, controls : ndarray of int
        Positions of units.
    sign : int
        1 where treatment goes up, -1 where it goes down.
    change : ndarray, shape (units,)
        Change of the outcome; used for switchers and controls only.
    dose, cumulative_dose : float
        Weighted sums over switchers of the change of treatment in the last period, and up to it.
    """

    switchers: Integers
    controls: Integers
    sign: int
    change: Floats
    dose: float
    cumulative_dose: float


@dataclass(frozen=True, eq=False)
class SwitchingEffect:
    """A weighted average of comparisons.

    Attributes
    ----------
    estimate : float
    influence : ndarray, shape (units,)
        Estimate − estimand ≈ mean over units.
    switchers : float
        Sum of the weights of switchers.
    dose, cumulative_dose : float
        Weighted means over switchers of the change of treatment, in its direction.
    """

    estimate: float
    influence: Floats
    switchers: float
    dose: float
    cumulative_dose: float

    __repr__ = brief


def average(design: Design, comparisons: list[Comparison]) -> SwitchingEffect:
    r"""The average over switchers of the comparisons.

    In influence functions a change stands against the mean of its cohort, and is multiplied by
    :math:`\sqrt{n/(n-1)}`, n the number of clusters in the cohort; a cohort of one stands against
    the mean of switchers and controls together (de Chaisemartin and D'Haultfœuille 2024, section
    1.9 of the web appendix, as in their programs).
    """
    weights = observation_weights(design)
    total = sum(float(weights[c.switchers].sum()) for c in comparisons)
    influence = np.zeros(design.n_units)
    estimate = 0.0
    for c in comparisons:
        size = float(weights[c.switchers].sum())
        both = np.concatenate([c.switchers, c.controls])
        parts = (
            (c.switchers, weights[c.switchers] * c.sign),
            (c.controls, -weights[c.controls] * c.sign * size / weights[c.controls].sum()),
        )
        for units, signed in parts:
            estimate += float(signed @ c.change[units]) / total
            clusters = len(np.unique(design.assignment[units]))
            similar = units if clusters > 1 else both
            number = clusters if clusters > 1 else len(np.unique(design.assignment[both]))
            centre = np.average(c.change[similar], weights=weights[similar])
            factor = np.sqrt(number / (number - 1)) if number > 1 else 1.0
            influence[units] += signed / total * factor * (c.change[units] - centre)
    return SwitchingEffect(
        estimate=estimate,
        influence=design.n_units * influence,
        switchers=total,
        dose=sum(c.dose for c in comparisons) / total,
        cumulative_dose=sum(c.cumulative_dose for c in comparisons) / total,
    )


class TreatmentPaths:
    """Earlier treatment and first switch of every unit.

    Attributes
    ----------
    treatment : ndarray of float, shape (units, periods)
        ``nan`` where the unit is not observed.
    baseline : ndarray of bool, shape (units,)
        Treatment in the first observed period.
    first_switch : ndarray of int, shape (units,)
        Position of the first observed period with another treatment; the number of periods for
        units that never switch.
    """

    def __init__(self, design: Design) -> None:
        self.design = design
        self.treatment = np.where(design.observed, design.treatment.astype(float), np.nan)
        rows = np.arange(design.n_units)
        self.baseline: Booleans = self.treatment[rows, design.observed.argmax(axis=1)] == 1
        other = np.where(self.baseline, 0.0, 1.0)
        differs = self.treatment == other[:, None]
        self.first_switch: Integers = np.where(
            differs.any(axis=1), differs.argmax(axis=1), design.n_periods
        )

    @cached_property
    def carried(self) -> Floats:
        """Treatment, in periods without an observation that of the last one with."""
        columns = np.where(self.design.observed, np.arange(self.design.n_periods), -1)
        last = np.maximum.accumulate(columns, axis=1)
        carried = np.take_along_axis(self.treatment, np.maximum(last, 0), axis=1)
        return np.where(last >= 0, carried, self.baseline[:, None])

    def event_times(self, start: int) -> Integers:
        """Calendar distance of every period from a switch at a position, shape (periods,)."""
        periods = self.design.periods
        dated = np.unique(self.design.adoption[self.first_switch == start])
        between = len(dated) == 1 and periods[start - 1] < dated[0] <= periods[start]
        return periods - (int(dated[0]) if between else periods[start])

    @cached_property
    def starts(self) -> Integers:
        """Positions of first switches, increasing."""
        found = np.unique(self.first_switch)
        return found[(found > 0) & (found < self.design.n_periods)]

    def times(self, placebo: bool) -> list[int]:
        """Event times of effects, or of placebos, from the switch on outwards."""
        sides = [
            self.event_times(start)[: start - 1] if placebo else self.event_times(start)[start:]
            for start in self.starts
        ]
        found: list[int] = np.unique(np.concatenate(sides)).tolist() if sides else []
        return found[::-1] if placebo else found

    @cached_property
    def reference(self) -> int:
        """Event time of the last period before the switch; the latest, where cohorts differ."""
        return max(int(self.event_times(start)[start - 1]) for start in self.starts)

    @cached_property
    def alike(self) -> bool:
        """Whether the n-th period after the switch is equally far from it for every cohort."""
        even = len(np.unique(np.diff(self.design.periods))) == 1
        return even and all(self.event_times(start)[start] == 0 for start in self.starts)

    def dynamic(
        self, time: int, placebo: bool
    ) -> tuple[list[Comparison], list[tuple[int, int, int]]]:
        """Comparisons at an event time with the last period before the switch.

        Parameters
        ----------
        time : int
            Not negative for effects, negative for placebos.
        placebo : bool
            A change before the switch, for switchers and controls that are also observed as many
            periods after.

        Returns
        -------
        comparisons : list of Comparison
        lost : list of (int, int, int)
            Positions of the switch and of the effect, number of switchers without a control.
        """
        design = self.design
        found, lost = [], []
        for baseline in (False, True):
            same = self.baseline == baseline
            for start in np.unique(self.first_switch[same]):
                last = int(start) - 1
                if last < 0 or start >= design.n_periods:
                    continue
                at = np.flatnonzero(self.event_times(int(start)) == time)
                if len(at) == 0 or (at[0] < last) != placebo or at[0] == last:
                    continue
                begin = int(at[0])
                end = 2 * last - begin if placebo else begin
                if end >= design.n_periods:
                    continue
                change = design.outcome[:, begin] - design.outcome[:, last]
                usable = same & ~np.isnan(change) & design.observed[:, end]
                switchers = np.flatnonzero(usable & (self.first_switch == start))
                controls = np.flatnonzero(usable & (self.first_switch > end))
                if len(switchers) == 0:
                    continue
                if len(controls) == 0:
                    lost.append((int(start), end, len(switchers)))
                    continue
                found.append(self._comparison(switchers, controls, change, int(start), end))
        return found, lost

    def adjacent(self) -> tuple[list[Comparison], list[tuple[int, int]]]:
        """Comparisons of every two adjacent periods, whatever happened before them."""
        design = self.design
        found, lost = [], []
        for t in range(1, design.n_periods):
            change = design.outcome[:, t] - design.outcome[:, t - 1]
            before, now = self.treatment[:, t - 1], self.treatment[:, t]
            for earlier in (0.0, 1.0):
                same = (before == earlier) & ~np.isnan(change)
                switchers = np.flatnonzero(same & (now == 1 - earlier))
                controls = np.flatnonzero(same & (now == earlier))
                if len(switchers) == 0:
                    continue
                if len(controls) == 0:
                    lost.append((t, len(switchers)))
                    continue
                sign = 1 if earlier == 0 else -1
                weight = float(observation_weights(design)[switchers].sum())
                found.append(Comparison(switchers, controls, sign, change, weight, weight))
        return found, lost

    def _comparison(
        self, switchers: Integers, controls: Integers, change: Floats, start: int, end: int
    ) -> Comparison:
        sign = -1 if self.baseline[switchers[0]] else 1
        weights = observation_weights(self.design)[switchers]
        path = sign * (self.carried[switchers, start : end + 1] - self.baseline[switchers, None])
        return Comparison(
            switchers,
            controls,
            sign,
            change,
            dose=float(weights @ path[:, -1]),
            cumulative_dose=float(weights @ path.sum(axis=1)),
        )
