"""Refits with hypothesised constant effects removed, and the intervals they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import JJJPolicyError
from jjjpolicy.estimation.progress import track
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.rounding import TIE, resolution
from jjjpolicy.inference.permutation.inversion import effects_kept, holding_zero, searched
from jjjpolicy.inference.permutation.ranks import critical_count, rank_pvalue

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.inference.permutation.assignments import Assignments
    from jjjpolicy.linalg.types import Booleans, Floats

FITS_PER_INTERVAL = 40
PRECISION = 1e-4
"""Width of the last bracket of a search, in standard deviations of the reference distribution."""


@dataclass(frozen=True, eq=False)
class UnderEffects:
    """Every assignment under hypothesised constant effects of the actual treatment.

    Attributes
    ----------
    estimate : Estimate
    assigned : Assignments
    refits : Refits
        Of the outcome as it is.
    jobs : int
    """

    estimate: Estimate
    assigned: Assignments
    refits: Refits
    jobs: int
    known: dict[float, Refits] = field(default_factory=dict)

    @property
    def inverted(self) -> bool:
        """Whether an effect on the treated alone is what the estimator takes treatment to have."""
        return not self.estimate.estimator.leaks

    @cached_property
    def treatment(self) -> Floats:
        """1 in treated cells, ``nan`` where there is no observation."""
        design = self.estimate.design
        return np.where(design.observed, design.treatment.astype(float), np.nan)

    @cached_property
    def noise(self) -> float:
        """Distance within which estimates tie."""
        return resolution(self.estimate.design.outcome)

    @cached_property
    def moved_alone(self) -> Booleans:
        """Assignments whose fit an effect of the actual treatment does not touch.

        All that they fit rests on cells before the actual treatment; the effect then moves their
        estimates by a fixed multiple. Shape (assignments,).
        """
        design = self.estimate.design
        adoptions = self.assigned.adoptions[:, self.assigned.groups]
        if not self.estimate.estimator.chosen_before_treatment:
            return np.zeros(len(adoptions), dtype=bool)
        last = np.where(np.isfinite(adoptions), adoptions, -np.inf).max(axis=1, keepdims=True)
        until = np.where(np.isfinite(adoptions), adoptions, last)  # donors serve all cohorts
        untouched = (design.adoption >= until)[:, design.treated]
        return np.asarray(untouched.all(axis=1))

    @cached_property
    def linear(self) -> bool:
        """Whether removing a constant effect shifts all estimates by a fixed multiple."""
        return bool(self.moved_alone.all()) or self._first_few_linear()

    def _first_few_linear(self) -> bool:
        few = replace(self.assigned, adoptions=self.assigned.adoptions[:4])
        outcome = self.estimate.design.outcome
        try:
            slopes = self._fits(self.treatment, few).att
        except (ArithmeticError, np.linalg.LinAlgError, JJJPolicyError):
            return False
        moved = self._fits(outcome - self.unit * self.treatment, few).att
        expected = self.refits.att[:4] - self.unit * slopes
        return bool(np.allclose(moved, expected, rtol=1e-7, atol=1e-7 * self.unit))

    @cached_property
    def unit(self) -> float:
        """An effect of the size of the outcome."""
        return float(np.nanstd(self.estimate.design.outcome)) or 1.0

    @cached_property
    def slopes(self) -> Refits:
        """Refits with the actual treatment as the outcome, all that is fitted held as it is."""
        if self.moved_alone.all():
            return self._own_slopes
        return self._fits(self.treatment, self.assigned)

    @cached_property
    def _own_slopes(self) -> Refits:
        """Those of the assignments whose fit an effect does not touch."""
        rows = self.moved_alone
        moved = self._fits(self._outcome_less(self.unit), self._only(rows))
        return self.refits.at(rows).mapped(lambda y, z: (y - z) / self.unit, moved)

    @property
    def fits_per_interval(self) -> int:
        """About how many fits an interval takes."""
        alone = int(self.moved_alone.sum())
        if self.linear:
            return len(self.refits.att)
        return alone + FITS_PER_INTERVAL * (len(self.refits.att) - alone)

    def at(self, effect: float) -> Refits:
        """Refits of the outcome less ``effect`` in treated cells."""
        if effect == 0:
            return self.refits
        if effect not in self.known:
            self.known[effect] = self._computed(effect)
        return self.known[effect]

    def _computed(self, effect: float) -> Refits:
        outcome, alone = self._outcome_less(effect), self.moved_alone
        if not alone.any():
            return self._fits(outcome, self.assigned)
        moved = self.refits.at(alone).mapped(lambda y, d: y - effect * d, self._own_slopes)
        if alone.all():
            return moved
        again = self._fits(outcome, self._only(~alone))
        places = np.argsort(np.concatenate([np.flatnonzero(alone), np.flatnonzero(~alone)]))
        return Refits.stack([moved, again]).at(places)

    def bounds(
        self, statistic: Callable[[Refits], Floats], centre: float, level: float
    ) -> tuple[float, float]:
        """Ends of the set of constant effects that the rank of a statistic does not reject.

        Parameters
        ----------
        statistic : callable
            From refits to one number per assignment.
        centre : float
            The statistic of the estimate.
        level : float
        """
        values = statistic(self.refits)
        pvalue = rank_pvalue(float(values[0]), values[1:], noise=self.noise)
        if self.linear:
            ends = effects_kept(values, statistic(self.slopes), level, self.noise)
            return holding_zero(ends, pvalue, level)
        needed = critical_count(len(values), level)
        if not 1 <= needed < len(values):
            return -np.inf, np.inf

        def margin(effect: float) -> float:
            sizes = np.abs(statistic(self.at(effect)))
            others = np.where(np.isnan(sizes), np.inf, sizes)[1:]  # undefined ones tie with all
            own = sizes[0] - max(TIE * sizes[0], self.noise)
            return float(np.fmax(np.partition(others, -needed)[-needed] - own, -np.inf))

        scale = max(float(values.std()) or 1.0, float(np.spacing(4 * abs(centre))))
        label = f"interval of {self.estimate.estimator.label}"
        found = [centre, centre]
        for k, step in enumerate((-scale, scale)):
            for end in track(searched(margin, centre, step, PRECISION), label):
                found[k] = end
        return holding_zero((found[0], found[1]), pvalue, level)

    def _outcome_less(self, effect: float) -> Floats:
        return self.estimate.design.outcome - effect * self.treatment

    def _only(self, rows: Booleans) -> Assignments:
        return replace(self.assigned, adoptions=self.assigned.adoptions[rows])

    def _fits(self, outcome: Floats, assigned: Assignments) -> Refits:
        design = self.estimate.design.with_outcome(outcome)
        return assigned.refits(self.estimate.estimator, design, self.jobs)
