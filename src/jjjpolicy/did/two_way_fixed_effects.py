"""Two-way fixed effects difference-in-differences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.did.event_study import EventStudy
from jjjpolicy.did.regression import fixed_effects_regression
from jjjpolicy.estimate import Estimate
from jjjpolicy.estimator import Estimator, Refits
from jjjpolicy.linalg.twoway import two_way_demean
from jjjpolicy.variance import analytic_result, few_treated_note

if TYPE_CHECKING:
    import pandas as pd

    from jjjpolicy.design import Design, Floats


@dataclass(frozen=True)
class TwoWayFixedEffects(Estimator):
    r"""Regression on treatment with unit and period effects.

    .. math:: y_{it} = \alpha_i + \lambda_t + \tau D_{it} + x_{it}'\gamma + \varepsilon_{it}

    With one adoption period and no covariates :math:`\hat\tau` is the difference between treated
    and never-treated units of their changes in means from before to after. With several adoption
    periods it is a weighted sum of 2×2 comparisons, some between units that are both treated
    (Goodman-Bacon 2021, theorem 1).

    Notes
    -----
    Computed in closed form from the (units × periods) matrix; absent cells and covariates go
    through the exact two-way projection of :func:`jjjpolicy.linalg.two_way_demean`. Standard errors
    are clustered at the level of assignment (CRV1), in the convention of fixest:
    G/(G-1) · (N-1)/(N-K) with the unit effects not counted in K, and a t distribution with G - 1
    degrees of freedom.
    """

    def fit(self, design: Design) -> Estimate:
        """Estimate the coefficient of treatment.

        Raises
        ------
        DesignError
            Treatment does not vary once unit and period effects are taken out, or switches off.
        """
        design.require_absorbing(self.label)
        values, _ = design.cohort_codes
        treatment = (design.periods[None, :] >= values[:, None]).astype(float)[:, :, None]
        fit = fixed_effects_regression(design, treatment, ["treatment"])
        event_study = _EventStudyOnDemand(design)
        estimate = Estimate(
            estimator=self,
            design=design,
            att=float(fit.coefficients[0]),
            estimand="two-way fixed effects coefficient of treatment",
            event_effects=event_study.estimates,
            influence=fit.influence[:, :1],
            details={"regression": fit},
        )
        return estimate.with_result(
            analytic_result(
                f"clustered by {design.assigned_at} (CRV1)",
                estimate.att,
                event_study.bounds,
                fit.covariance(design.assignment)[:1, :1],
                df=int(design.assignment.max()),
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=few_treated_note(design, design.assignment),
            )
        )

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_many`.

        On a balanced panel without covariates all assignments share one demeaned outcome matrix,
        and each coefficient is a sum over units of its tail sums.
        """
        if not design.balanced or design.covariates or design.weights is not None:
            return super().refit_many(design, adoptions, jobs)
        n, periods = design.outcome.shape
        demeaned = two_way_demean(design.outcome)
        tails = np.zeros((n, periods + 1))
        tails[:, :-1] = demeaned[:, ::-1].cumsum(axis=1)[:, ::-1]
        starts = np.searchsorted(design.periods, adoptions)
        numerator = tails[np.arange(n)[None, :], starts].sum(axis=1)
        durations = periods - starts
        counts = np.stack([np.bincount(row, minlength=periods + 1) for row in starts])
        treated_by_period = counts[:, :-1].cumsum(axis=1)
        total = durations.sum(axis=1).astype(float)
        denominator = (
            total
            - (durations.astype(float) ** 2).sum(axis=1) / periods
            - (treated_by_period.astype(float) ** 2).sum(axis=1) / n
            + total**2 / (n * periods)
        )
        return Refits(att=numerator / denominator)


class _EventStudyOnDemand:
    """The event study of the same design, estimated when its effects are first asked for."""

    def __init__(self, design: Design) -> None:
        self._design = design

    @cached_property
    def _table(self) -> pd.DataFrame:
        return EventStudy().fit(self._design).effects

    def estimates(self) -> pd.DataFrame:
        return self._table[["event_time", "estimate"]]

    def bounds(self) -> pd.DataFrame:
        return self._table.drop(columns="estimate")
