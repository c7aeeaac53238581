"""Event study with two-way fixed effects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from jjjpolicy.did.regressions.fitted import PanelRegression, columns_of
from jjjpolicy.did.regressions.fixed_effects import (
    FixedEffectsFit,
    fixed_effects_regression,
    regression_with_unit_trends,
)
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.variance import few_treated_note

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True)
class EventStudy(Estimator):
    r"""Leads and lags of treatment with unit and period effects.

    .. math:: y_{it} = \alpha_i + \lambda_t
              + \sum_{\ell \ne r} \beta_\ell 1\{t - a_i = \ell\} + \varepsilon_{it}

    with adoption period :math:`a_i` and reference event time :math:`r`. Event times are in units of
    the period. With several cohorts the coefficients mix effects of different cohorts (Sun and
    Abraham 2021, equation 11); with one cohort and a never-treated group they are differences of
    means from the reference period.

    Parameters
    ----------
    reference : int
        Event time to compare with.
    bins : (int, int), optional
        Event times at or below the first and at or above the second share one coefficient.
    unit_trends : bool
        A linear trend of its own for every unit, on balanced panels. A trend in event time is then
        no longer told from the trends of the units, so that without ``bins`` a second event time is
        set to zero: the earliest (the latest one before adoption, where ``reference`` is the
        earliest). Effects that grow over time are partly taken for trends.

    Notes
    -----
    ``att`` is the mean of the coefficients at event times from 0 on, each weighted by its number of
    treated observations. Standard errors are clustered at the level of assignment (CRV1 in the
    convention of fixest), with G - 1 degrees of freedom.
    """

    takes_sums: ClassVar[bool] = True
    reference: int = -1
    bins: tuple[int, int] | None = None
    unit_trends: bool = False

    def fit(self, design: Design) -> Estimate:
        """Estimate the coefficients.

        Raises
        ------
        DesignError
            The reference event time does not occur, or treatment switches off; with unit trends
            an unbalanced panel, or fewer than two event times before adoption.
        """
        design.require_absorbing(self.label)
        times, regressors, treated_cells = self._regressors(design)
        fit = self._least_squares(design, times, regressors)
        kept = [k for k, t in enumerate(times) if f"event time {t}" in fit.names]
        times, treated_cells = times[kept], treated_cells[kept]
        share = np.where(times >= 0, treated_cells, 0.0)
        if share.sum() == 0:
            raise DesignError("no event time from 0 on can be estimated in this panel.")
        combine = np.zeros((1 + len(times), len(fit.names)))
        combine[0, : len(times)] = share / share.sum()
        combine[1:, : len(times)] = np.eye(len(times))
        estimates = combine @ fit.coefficients
        effects = pd.DataFrame({"event_time": times, "estimate": estimates[1:]})
        reference = pd.DataFrame({"event_time": self._references(design), "estimate": 0.0})
        estimate = Estimate(
            estimator=self,
            design=design,
            att=float(estimates[0]),
            estimand="mean event-study coefficient from event time 0 on, weighted by observations",
            event_effects=pd.concat([effects, reference]).sort_values(
                "event_time", ignore_index=True
            ),
            influence=fit.influence_of(combine.T),
            details={
                "reference": self.reference,
                "event_times": times,
                # Variances that take the regression apart know of no unit trends.
                **(
                    {"small_sample": ((fit.observations, fit.parameters),)}
                    if self.unit_trends
                    else {"regression": fit, "contrasts": combine}
                ),
            },
        )
        return estimate.with_result(
            analytic_result(
                f"clustered by {design.assigned_at} (CRV1)",
                estimate.att,
                effects,
                combine @ fit.covariance(design.assignment) @ combine.T,
                df=design.count_clusters(design.assignment) - 1,
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=few_treated_note(design, design.assignment),
            )
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, effects by event time included."""
        estimate = self.fit(design)
        effects = estimate.effects["estimate"].to_numpy(dtype=float)
        return Refits(
            att=np.array([estimate.att]),
            se=np.array([float(estimate.se or np.nan)]),
            effects=effects[None, :],
        )

    def regression(self, estimate: Estimate) -> Any:
        """The regression, a column for each event time; see :meth:`Estimate.regression`.

        Trends of units are columns of their own; that of the last unit is among the period effects.
        """
        design = estimate.design
        times, regressors, _ = self._regressors(design)
        fit = self._least_squares(design, times, regressors)
        columns = columns_of(replace(fit, design=design, cohort_regressors=regressors))
        if self.unit_trends:
            time = design.periods - design.periods[0]
            own = np.eye(design.n_units)[:, :, None] * time
            columns |= {f"trend of {unit}": own[i] for i, unit in enumerate(design.units)}
        return PanelRegression.of(design, columns).fit()

    def _least_squares(
        self, design: Design, times: Integers, regressors: Floats
    ) -> FixedEffectsFit:
        regress = regression_with_unit_trends if self.unit_trends else fixed_effects_regression
        return regress(design, regressors, [f"event time {t}" for t in times])

    def _regressors(self, design: Design) -> tuple[Integers, Floats, Floats]:
        """Event times, (cohorts × periods × event times) indicators, treated cells of each."""
        values, codes = design.cohort_codes
        relative = self._event_times(design)
        finite = np.isfinite(values)
        present = np.unique(relative[finite])
        times = present[~np.isin(present, self._references(design))]
        indicators = (relative[:, :, None] == times).astype(float)
        indicators[~finite] = 0.0
        each = np.ones(design.n_units) if design.stands_for is None else design.stands_for
        seen = np.stack(
            [each[codes == c] @ design.observed[codes == c] for c in range(len(values))]
        )
        return times, indicators, np.einsum("ct,ctk->k", seen, indicators)

    def _event_times(self, design: Design) -> Integers:
        """Event times as binned, shape (cohorts, periods); zero for the never-treated."""
        values, _ = design.cohort_codes
        finite = np.isfinite(values)
        relative = np.zeros((len(values), design.n_periods), dtype=np.int64)
        relative[finite] = design.periods[None, :] - values[finite].astype(np.int64)[:, None]
        if self.bins is not None:
            low, high = self.bins
            if not low <= self.reference <= high or low >= high:
                raise DesignError(f"bins={self.bins} must enclose reference={self.reference}.")
            relative = np.clip(relative, low, high)
        return relative

    def _references(self, design: Design) -> list[int]:
        """Event times whose coefficients are zero."""
        present = np.unique(self._event_times(design)[np.isfinite(design.cohort_codes[0])])
        if self.reference not in present:
            raise DesignError(
                f"reference event time {self.reference} does not occur: event times run from "
                f"{present.min()} to {present.max()}. Choose reference= among them."
            )
        if not self.unit_trends or self.bins is not None:
            return [self.reference]
        before = present[present < 0]
        others = before[before != self.reference]
        if len(others) == 0:
            raise DesignError(
                "unit_trends=True needs two event times before adoption: one alone does not tell "
                "the trends of the treated units. Begin earlier."
            )
        return [self.reference, int(others[-1] if self.reference == before[0] else others[0])]
