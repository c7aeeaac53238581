"""Effects of cohorts in periods, as arrays: what estimators produce and averages consume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.did.regressions.fixed_effects import FixedEffectsFit
from jjjpolicy.estimation.variance import small_sample_factor
from jjjpolicy.linalg.brief import brief

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.cohorts.influence import Influence
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

Skipped = tuple[float, int | None, str]
"""A cohort, a period (None: all of them), and why there is no estimate."""


@dataclass(frozen=True)
class RegressionVariance:
    """What turns influence functions of a regression into the clustered variance of fixest.

    Attributes
    ----------
    observations, parameters : int
        Parameters as the small-sample factor counts them.
    fit : FixedEffectsFit, optional
        The regression, where its coefficients are the effects in their order.
    """

    observations: int
    parameters: int
    fit: FixedEffectsFit | None = None


@dataclass(frozen=True, eq=False)
class GroupTimeEffects:
    """Effects ATT(g, t) of cohorts g in periods t.

    Attributes
    ----------
    groups : ndarray, shape (effects,)
        First treated period of the cohort.
    periods : ndarray of int, shape (effects,)
    estimates : ndarray, shape (effects,)
    influence_of : callable
        :class:`Influence` of combinations: from weights of the effects (effects × combinations)
        and derivatives with respect to the cohorts' shares (cohorts × combinations).
    reference : ndarray of bool, shape (effects,)
        Effects that are zero by definition: the base period itself.
    cohorts : ndarray, shape (cohorts,)
        Distinct adoption periods, ``inf`` last.
    cohort_codes : ndarray of int, shape (units,)
    weights, influence_scale : ndarray, shape (units,), optional
        Of the design.
    observations : ndarray, shape (effects,), optional
        Weighted number of observations of the cohort in the period. Averages then weigh effects by
        it and take it as fixed; without it they weigh by the cohorts' shares of units, whose
        estimation is part of the variance.
    regression : RegressionVariance, optional
        For effects that are coefficients of one regression.
    anticipation : int
        Periods before adoption in which units may already respond.
    not_estimable : tuple of (group, period or None, reason)
    notes : tuple of str
    """

    groups: Floats
    periods: Integers
    estimates: Floats
    influence_of: Callable[[Floats, Floats], Influence]
    reference: Booleans
    cohorts: Floats
    cohort_codes: Integers
    weights: Floats | None = None
    influence_scale: Floats | None = None
    observations: Floats | None = None
    regression: RegressionVariance | None = None
    anticipation: int = 0
    not_estimable: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    __repr__ = brief

    @cached_property
    def influence(self) -> Floats:
        """Effect − estimand ≈ mean over units; shape (units, effects)."""
        return self.influence_at().values

    def influence_at(self, chosen: Booleans | slice = slice(None)) -> Influence:
        """Influence functions of all or some of the effects."""
        weights = np.eye(len(self.estimates))[:, chosen]
        return self.influence_of(weights, np.zeros((len(self.cohorts), weights.shape[1])))

    @property
    def event_times(self) -> Floats:
        """Periods since adoption."""
        return self.periods - self.groups

    @cached_property
    def positions(self) -> Integers:
        """Position of each effect's cohort in ``cohorts``."""
        return np.searchsorted(self.cohorts, self.groups).astype(np.int64)

    @cached_property
    def shares(self) -> Floats:
        """Weighted share of units in each cohort."""
        totals = np.bincount(self.cohort_codes, self.weights, minlength=len(self.cohorts))
        shares: Floats = totals / len(self.cohort_codes)
        return shares

    @property
    def sizes(self) -> Floats:
        """What averages weigh the effects by."""
        return self.shares[self.positions] if self.observations is None else self.observations

    def covariance(self, influence: Influence, design: Design) -> Floats:
        """Covariance of combinations of the effects with these influence functions.

        Clustered at the level of assignment.
        """
        sums = self._scaled_sums(influence, design)
        covariance: Floats = sums.T @ sums
        return covariance

    def errors(self, influence: Influence, design: Design) -> Floats:
        """Clustered standard errors; as ``covariance``, without the covariances."""
        sums = self._scaled_sums(influence, design)
        errors: Floats = np.sqrt(np.einsum("gk,gk->k", sums, sums))
        return errors

    def _scaled_sums(self, influence: Influence, design: Design) -> Floats:
        codes, factor = design.assignment, 1.0
        if self.regression is not None:
            factor = small_sample_factor(
                design.count_clusters(codes),
                self.regression.observations,
                self.regression.parameters,
            )
        scaled: Floats = influence.sums(codes) * (np.sqrt(factor) / len(codes))
        return scaled

    def degrees_of_freedom(self, design: Design) -> float:
        """Of the t distribution; infinite (normal) but for regressions."""
        if self.regression is None:
            return np.inf
        return float(design.count_clusters(design.assignment) - 1)

    @cached_property
    def not_estimable_table(self) -> pd.DataFrame:
        """Columns group, time (None: all periods) and reason."""
        table = {
            "group": [int(group) for group, _, _ in self.not_estimable],
            "time": [time for _, time, _ in self.not_estimable],
            "reason": [reason for _, _, reason in self.not_estimable],
        }
        return pd.DataFrame(table, dtype=object)
