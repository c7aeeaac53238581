"""Counterfactuals that are linear in the donors: an intercept plus weighted donor outcomes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.linalg.simplex import simplex_least_squares
from jjjpolicy.synth.counterfactual.gaps import Gaps, estimate_from_counterfactual
from jjjpolicy.synth.counterfactual.requirements import (
    look_at_hull,
    require_panel,
    require_pre_periods,
)

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats


@dataclass(frozen=True, eq=False)
class Task:
    """One treated unit and its donors.

    Attributes
    ----------
    pool : ndarray, shape (periods, donors)
    path : ndarray, shape (periods,)
    before : ndarray of bool, shape (periods,)
        Pre-treatment periods.
    pool_covariates : ndarray, shape (donors, covariates)
        Pre-treatment means.
    covariates : ndarray, shape (covariates,)
    """

    pool: Floats
    path: Floats
    before: Booleans
    pool_covariates: Floats
    covariates: Floats


@dataclass(frozen=True, eq=False)
class DonorFit:
    """Intercept and weights of one treated unit, and what the method says about them."""

    weights: Floats
    intercept: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)


class DonorRegression(Estimator):
    """Base of estimators that find an intercept and donor weights for each treated unit in turn."""

    minimum_donors = 2
    minimum_pre_periods = 2
    # Weights that average donors cannot reach a treated unit outside their hull.
    averages_donors = False

    @abstractmethod
    def weigh(self, task: Task) -> DonorFit:
        """Intercept and weights of one treated unit."""

    def weigh_cohort(self, tasks: Sequence[Task]) -> list[DonorFit]:
        """Fits of the treated units of one adoption period; overridden where they share work."""
        return [self.weigh(task) for task in tasks]

    def fit(self, design: Design) -> Estimate:
        """Weights and gaps of each treated unit.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, too few donors or too
            few pre-treatment periods.
        """
        donors = self._donors(design)
        fits = self._fits(design, donors)
        if self.averages_donors:
            for i in np.flatnonzero(design.treated):
                before = design.periods < design.adoption[i]
                pool, path = design.outcome[donors].T[before], design.outcome[i, before]
                best = simplex_least_squares(pool, path)
                look_at_hull(design, donors, int(i), before, best)
        weights = np.column_stack([fit.weights for fit in fits])
        intercepts = np.array([fit.intercept for fit in fits])
        facts = {name: [fit.facts[name] for fit in fits] for name in fits[0].facts}
        return estimate_from_counterfactual(
            self,
            design,
            intercepts[:, None] + weights.T @ design.outcome[donors],
            weights=pd.DataFrame(
                weights,
                index=pd.Index(design.units[donors], name="donor"),
                columns=pd.Index(design.units[design.treated], name="unit"),
            ),
            unit_details={"intercept": intercepts, **facts},
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        donors = self._donors(design)
        pool = design.outcome[donors]
        paths = np.stack([f.intercept + f.weights @ pool for f in self._fits(design, donors)])
        return Gaps.of(design, design.outcome[design.treated] - paths).refits()

    def _donors(self, design: Design) -> Booleans:
        return require_panel(design, self.label, self.minimum_donors)

    def _fits(self, design: Design, donors: Booleans) -> list[DonorFit]:
        treated = np.flatnonzero(design.treated)
        fits: dict[int, DonorFit] = {}
        for date in design.cohorts:
            members = treated[design.adoption[treated] == date]
            tasks = [self.task(design, donors, int(i)) for i in members]
            fits.update(zip(members.tolist(), self.weigh_cohort(tasks), strict=True))
        return [fits[i] for i in treated.tolist()]

    def task(self, design: Design, donors: Booleans, i: int) -> Task:
        """What is asked for one treated unit, in row ``i``."""
        before = design.periods < design.adoption[i]
        require_pre_periods(design, self.label, i, int(before.sum()), self.minimum_pre_periods)
        means = [values[:, before].mean(axis=1) for values in design.covariates.values()]
        table = np.column_stack(means) if means else np.empty((design.n_units, 0))
        return Task(design.outcome[donors].T, design.outcome[i], before, table[donors], table[i])
