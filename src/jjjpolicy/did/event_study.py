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
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import few_treated_note

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers


INSTEAD = (
    "SunAbraham, CallawaySantAnna(control='not_yet') and Imputation do without this assumption, "
    "and bins=(first, last) lets distant event times share a coefficient"
)


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
        Event time to compare with; where it does not occur, as on a biennial panel, the last one
        before it.
    bins : (int, int), optional
        Event times at or below the first and at or above the second share one coefficient.
    unit_trends : bool
        A linear trend of its own for every unit, on balanced panels. A trend in event time is then
        no longer told from the trends of the units, so that without ``bins`` another event time is
        set to zero: the earliest (the latest one before adoption, where ``reference`` is the
        earliest). Effects that grow over time are partly taken for trends.

    Notes
    -----
    Where every unit is treated in the end, leads and lags are determined up to a trend only, and
    with cohorts that are k periods apart up to a pattern of k periods beside it: the effect of
    time since adoption looks like unit and period effects. The earliest event times are then set
    to zero as well as the reference (Borusyak, Jaravel and Spiess 2024, section 2.3), with a
    warning that names them; coefficients rest on there being no effect in these, and those before
    adoption show departures from a trend only. SunAbraham (with the last cohort as control),
    CallawaySantAnna(control="not_yet") and Imputation need no such assumption.

    Event times are calendar distances from adoption in units of the time column, as in all
    estimators. ``att`` is the mean of the coefficients at event times from 0 on, each weighted by
    its number of treated observations. Standard errors are clustered at the level of assignment
    (CRV1 in the convention of fixest), with G - 1 degrees of freedom.
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
            No event time at the reference or before it, or treatment switches off; every unit is
            treated in the end and too few event times before adoption can be set to zero; with
            unit trends an unbalanced panel, or fewer than two event times before adoption.
        """
        design.require_absorbing(self.label)
        times, regressors, treated_cells = self._regressors(design)
        fit = self._least_squares(design, times, regressors)
        found = np.array([f"event time {t}" in fit.names for t in times])
        normalised = sorted(times[~found].tolist())
        self._tell(design, normalised)
        times, treated_cells = times[found], treated_cells[found]
        order = np.argsort(times)
        share = np.where(times >= 0, treated_cells, 0.0)
        if share.sum() == 0:
            raise DesignError("no event time from 0 on can be estimated in this panel.")
        combine = np.zeros((1 + len(times), len(fit.names)))
        combine[0, : len(times)] = share / share.sum()
        combine[1 + np.arange(len(times)), order] = 1.0
        times = times[order]
        estimates = combine @ fit.coefficients
        effects = pd.DataFrame({"event_time": times, "estimate": estimates[1:]})
        zero = [*self._references(design), *normalised]
        reference = pd.DataFrame({"event_time": zero, "estimate": 0.0})
        estimate = Estimate(
            estimator=self,
            design=design,
            att=float(estimates[0]),
            estimand="mean event-study coefficient from event time 0 on, weighted by observations",
            event_effects=pd.concat([effects, reference]).sort_values(
                "event_time", ignore_index=True
            ),
            influence=lambda: fit.influence_of(combine.T).values,
            details={
                "reference": self._references(design)[0],
                "normalised": normalised,
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
                noise=resolution(design.outcome),
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=(
                    *([_normalised(normalised)] if normalised else []),
                    *few_treated_note(design, design.assignment),
                ),
            )
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, effects by event time included."""
        estimate = self.fit(design)
        effects = estimate.effects
        return Refits(
            att=np.array([estimate.att]),
            se=np.array([float(estimate.se or np.nan)]),
            effects=effects["estimate"].to_numpy(dtype=float)[None, :],
            event_times=effects["event_time"].to_numpy()[None, :],
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
        names = [f"event time {t}" for t in times]
        return regress(design, regressors, names, names)

    def _regressors(self, design: Design) -> tuple[Integers, Floats, Floats]:
        """Event times, (cohorts × periods × event times) indicators, treated cells of each."""
        values, codes = design.cohort_codes
        relative = self._event_times(design)
        finite = np.isfinite(values)
        present = np.unique(relative[finite])
        free = present[~np.isin(present, self._references(design))]
        # Of collinear ones the later are left out: the earliest come last.
        times = np.concatenate([free[free >= 0], free[free < 0][::-1]])
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
        known = self.reference in present
        earlier = present[present <= (self.reference if known else min(self.reference, -1))]
        if len(earlier) == 0 or (self.reference >= 0 and not known):
            raise DesignError(
                f"reference event time {self.reference} does not occur: event times run from "
                f"{present.min()} to {present.max()}. Choose reference= among them."
            )
        reference = int(earlier[-1])
        if not self.unit_trends or self.bins is not None:
            return [reference]
        before = present[present < 0]
        others = before[before != reference]
        if len(others) == 0:
            raise DesignError(
                "unit_trends=True needs two event times before adoption: one alone does not tell "
                "the trends of the treated units. Begin earlier."
            )
        return [reference, int(others[-1] if reference == before[0] else others[0])]

    def _tell(self, design: Design, normalised: list[int]) -> None:
        """Warn of event times set to zero because the others could not be told from them."""
        if not normalised:
            return
        shown = ", ".join(map(str, normalised))
        if normalised[-1] >= 0:
            raise DesignError(
                f"{self.label} cannot tell effects at event times {shown} from unit and period "
                f"effects{_all_treated(design)}: too few event times before adoption are there to "
                f"be set to zero. {INSTEAD}."
            )
        warn_user(
            f"{self.label}{_all_treated(design)}: event times {shown} are set to zero beside the "
            f"reference {self._references(design)[0]}, since leads and lags are determined up to "
            f"a trend only; the other coefficients rest on that. {INSTEAD}."
        )


def _all_treated(design: Design) -> str:
    return ", with no never-treated unit" if design.treated.all() else ""


def _normalised(times: list[int]) -> str:
    return (
        f"Event times {', '.join(map(str, times))} are zero by assumption, as the reference is; "
        f"coefficients before adoption show departures from a trend only."
    )
