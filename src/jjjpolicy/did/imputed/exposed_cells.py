"""Treated cells, cells exposed to the treatment of others, and what untreated, unexposed ones say.

Unit and period effects are fitted to the cells that are neither treated nor exposed, and the rest
of the outcome is averaged over treated cells and projected on the exposure of the others (the
two-stage estimator of Butts for staggered adoption, after Gardner 2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.did.imputed.untreated_outcome import UntreatedOutcome
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import (
    clustered_covariance,
    few_treated_note,
    t_interval,
    t_pvalue,
)

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False)
class ExposedCells:
    """Disjoint sets of cells, and what is fitted to the rest.

    Attributes
    ----------
    model : UntreatedOutcome
    treated : ndarray of bool, shape (units, periods)
    exposures : list of ndarray, shape (units, periods)
        Exposures of untreated cells, zero elsewhere; true and false for belonging to a ring.
    adoption, first : ndarray, shape (units,)
        First treated and first exposed period, ``inf`` for never.
    far : int
        Number of units that are never treated or exposed.
    """

    model: UntreatedOutcome
    treated: Booleans
    exposures: list[Floats | Booleans]
    adoption: Floats
    first: Floats
    far: int

    @classmethod
    def of(
        cls,
        design: Design,
        exposures: Sequence[Floats | Booleans],
        method: str,
        exposed: str,
        remedy: str,
    ) -> ExposedCells:
        """Fit what is neither treated nor exposed.

        Parameters
        ----------
        design : Design
        exposures : sequence of ndarray, shape (units, periods)
            Zero or more; a unit that is exposed in a period is so in all later ones.
        method, exposed, remedy : str
            For messages: the estimator, what it is to be exposed, and what makes fewer units so.

        Raises
        ------
        DesignError
            Treatment switches off; every unit is treated or exposed; no treated cell can be
            estimated.
        """
        design.require_absorbing(method)
        some = np.any([each > 0 for each in exposures], axis=0)
        first = np.where(some.any(axis=1), design.periods[some.argmax(axis=1)], np.inf)
        touched = np.minimum(design.adoption, first)
        far = int(np.isinf(touched).sum())
        if far == 0:
            raise DesignError(
                f"every {design.labels.unit} is treated or {exposed}: no control is left. {remedy} "
                f"or more units."
            )
        model = UntreatedOutcome(design.reassigned(touched))
        model.require_estimable(method)
        treated = design.treatment & model.estimable
        if not treated.any():
            raise DesignError(
                f"{method} can estimate no treated cell; treated units need periods in which they "
                f"are neither treated nor {exposed}. {remedy}."
            )
        untreated = ~design.treatment & model.estimable
        return cls(
            model, treated, [each * untreated for each in exposures], design.adoption, first, far
        )

    @cached_property
    def event_times(self) -> Integers:
        """Periods since adoption of the treated cells, increasing."""
        return np.unique(self._since(self.adoption)[self.treated])

    @property
    def treated_by_time(self) -> list[Booleans]:
        """Treated cells of each event time."""
        since = self._since(self.adoption)
        return [self.treated & (since == time) for time in self.event_times]

    def by_time(self, exposure: Floats | Booleans) -> dict[int, Floats | Booleans]:
        """An exposure by periods since the unit was first exposed, increasing."""
        since = self._since(self.first)
        return {int(time): exposure * (since == time) for time in np.unique(since[exposure > 0])}

    def _since(self, start: Floats) -> Integers:
        """Periods since a start; negative without one."""
        known = np.where(np.isfinite(start), start, self.model.design.periods[-1] + 1)
        return self.model.design.periods - known.astype(np.int64)[:, None]

    def effects(self, exposures: Sequence[Floats | Booleans]) -> tuple[Floats, Floats]:
        r"""Effect per unit of each exposure, and influence functions.

        :math:`\hat\delta = \sum_{it}\omega_i S_{it}\hat\tau_{it} / \sum_{it}\omega_i S_{it}^2`, the
        regression of imputed effects on exposure without a constant; over a set of cells
        (S is 0 or 1) the average. ``nan`` where nothing is exposed.

        Returns
        -------
        estimates : ndarray, shape (exposures,)
        influence : ndarray, shape (units, exposures)
        """
        estimates = np.full(len(exposures), np.nan)
        influence = np.zeros((self.model.design.n_units, len(exposures)))
        for k, exposure in enumerate(exposures):
            if exposure.any():
                estimates[k], influence[:, k] = _projected(self.model, exposure)
        return estimates, influence

    def table(self, exposures: Sequence[Floats | Booleans]) -> tuple[pd.DataFrame, Floats]:
        """Effects with standard errors, and their influence functions.

        Columns estimate, se, pvalue, lower, upper (95%), units (exposed in some period), cells.
        """
        estimates, influence = self.effects(exposures)
        errors = np.sqrt(np.diag(clustered_covariance(influence, self.model.design.assignment)))
        errors = np.where([each.any() for each in exposures], errors, np.nan)
        low, high = t_interval(estimates, errors, np.inf, 0.95)
        table = pd.DataFrame(
            {
                "estimate": estimates,
                "se": errors,
                "pvalue": [
                    t_pvalue(float(point), float(error), np.inf)
                    for point, error in zip(estimates, errors, strict=True)
                ],
                "lower": low,
                "upper": high,
                "units": [int((each > 0).any(axis=1).sum()) for each in exposures],
                "cells": [int((each > 0).sum()) for each in exposures],
            }
        )
        return table, influence

    def estimate(
        self, estimator: Estimator, design: Design, details: Mapping[str, Any], controls: str
    ) -> Estimate:
        """The effect on the treated with its labels and standard errors.

        Parameters
        ----------
        estimator : Estimator
        design : Design
            With a ledger that lists what cannot be estimated.
        details : mapping
            What the estimator says of the exposed.
        controls : str
            Who the controls are, for the notes.
        """
        self.model.warn()
        times = self.event_times
        estimates, influence = self.effects([self.treated, *self.treated_by_time])
        effects = pd.DataFrame({"event_time": times, "estimate": estimates[1:]})
        estimate = Estimate(
            estimator=estimator,
            design=design,
            att=float(estimates[0]),
            estimand="average effect over treated cells, with neighbours set aside",
            event_effects=effects,
            influence=influence,
            details={
                **details,
                "event_times": times,
                "not_estimable": self.model.not_estimable,
                "far_controls": self.far,
            },
        )
        return estimate.with_result(
            analytic_result(
                f"two-stage GMM, clustered by {design.assigned_at}",
                estimate.att,
                effects,
                clustered_covariance(influence, design.assignment),
                noise=resolution(design.outcome),
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=(controls, *few_treated_note(design, design.assignment)),
            )
        )

    def refit(self) -> Refits:
        """Overall effect and its standard error, without labels."""
        estimates, influence = self.effects([self.treated])
        variance = clustered_covariance(influence, self.model.design.assignment)[0]
        return Refits(att=estimates, se=np.sqrt(variance))


def _projected(model: UntreatedOutcome, exposure: Floats | Booleans) -> tuple[float, Floats]:
    """Effect per unit of exposure, and its influence function."""
    design = model.design
    weights = np.ones(design.n_units) if design.weights is None else design.weights
    total = float(weights @ (exposure.astype(float) ** 2).sum(axis=1))
    estimate = float(weights @ (model.residuals * exposure).sum(axis=1)) / total
    table = np.full((len(model.cohort_units), design.n_periods, 1), 1 / total)
    first_stage = model.first_stage_influence(model.functional(table, exposure))[:, 0]
    own = weights * ((model.residuals - estimate * exposure) * exposure).sum(axis=1) / total
    influence: Floats = design.n_units * (first_stage + own)
    return estimate, influence
