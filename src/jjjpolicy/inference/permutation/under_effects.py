"""Refits with hypothesised constant effects removed, and the intervals they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import JJJPolicyError
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.permutation.inversion import effects_kept, holding_zero, outermost
from jjjpolicy.inference.permutation.ranks import rank_pvalue

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.inference.permutation.assignments import Assignments
    from jjjpolicy.linalg.types import Floats

FITS_PER_INTERVAL = 80


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
    def linear(self) -> bool:
        """Whether removing a constant effect shifts the first few estimates by a fixed multiple."""
        few = replace(self.assigned, adoptions=self.assigned.adoptions[:4])
        outcome = self.estimate.design.outcome
        shift = float(np.nanstd(outcome)) or 1.0
        try:
            slopes = self._fits(self.treatment, few).att
        except (ArithmeticError, np.linalg.LinAlgError, JJJPolicyError):
            return False
        moved = self._fits(outcome - shift * self.treatment, few).att
        expected = self.refits.att[:4] - shift * slopes
        return bool(np.allclose(moved, expected, rtol=1e-7, atol=1e-7 * shift))

    @cached_property
    def slopes(self) -> Refits:
        """Refits with the actual treatment as the outcome."""
        return self._fits(self.treatment, self.assigned)

    @property
    def fits_per_interval(self) -> int:
        """How many fits an interval takes at most."""
        return len(self.refits.att) * (1 if self.linear else FITS_PER_INTERVAL)

    def at(self, effect: float) -> Refits:
        """Refits of the outcome less ``effect`` in treated cells."""
        if effect == 0:
            return self.refits
        if effect not in self.known:
            moved = self.estimate.design.outcome - effect * self.treatment
            self.known[effect] = self._fits(moved, self.assigned)
        return self.known[effect]

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

        def pvalue(effect: float) -> float:
            moved = statistic(self.at(effect))
            return rank_pvalue(float(moved[0]), moved[1:], noise=self.noise)

        if self.linear:
            ends = effects_kept(values, statistic(self.slopes), level, self.noise)
            return holding_zero(ends, pvalue(0.0), level)

        return outermost(pvalue, centre, float(values.std()) or 1.0, level, precision=1e-4)

    def _fits(self, outcome: Floats, assigned: Assignments) -> Refits:
        design = self.estimate.design.with_outcome(outcome)
        return assigned.refits(self.estimate.estimator, design, self.jobs)
