"""Two-way fixed effects difference-in-differences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from jjjpolicy.did.event_study import EventStudy
from jjjpolicy.did.regressions.fitted import PanelRegression, columns_of
from jjjpolicy.did.regressions.fixed_effects import fixed_effects_regression
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import cluster_sums, few_treated_note, small_sample_factor
from jjjpolicy.linalg.twoway import two_way_demean

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers

BATCH_CELLS = 60_000
"""Assignments × groups that are worked on at a time: what stays in the processor's cache."""


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

    takes_sums: ClassVar[bool] = True

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
        event_study = _EventStudyOnDemand(replace(design, predictors={}))
        att = float(fit.coefficients[0])
        return Estimate(
            estimator=self,
            design=design,
            att=att,
            estimand="two-way fixed effects coefficient of treatment",
            event_effects=event_study.estimates,
            influence=lambda: fit.influence[:, :1],
            details={"regression": fit},
            inference=analytic_result(
                f"clustered by {design.assigned_at} (CRV1)",
                att,
                event_study.bounds,
                fit.covariance(design.assignment)[:1, :1],
                df=design.count_clusters(design.assignment) - 1,
                noise=resolution(design.outcome),
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=few_treated_note(design, design.assignment),
            ),
        )

    def regression(self, estimate: Estimate) -> Any:
        """The regression with column ``treated``; see :meth:`Estimate.regression`."""
        fit = estimate.details["regression"]
        return PanelRegression.of(fit.design, columns_of(fit)).fit()

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_many`."""
        if not _has_closed_form(design):
            return super().refit_many(design, adoptions, jobs)
        return _closed_form(design, adoptions, np.arange(design.n_units))

    def refit_groups(
        self, design: Design, adoptions: Floats, groups: Integers, jobs: int = 1
    ) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_groups`.

        On a balanced panel without covariates, coefficients and clustered standard
        errors follow in closed form from the sums of the demeaned outcome over groups; nothing of
        size units is formed per assignment.
        """
        nested = (design.assignment == groups).all()
        if not nested or not _has_closed_form(design):
            return super().refit_groups(design, adoptions, groups, jobs)
        return _closed_form(design, adoptions, groups)

    def refit_among(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_among`."""
        if not _has_closed_form(design):
            return super().refit_among(design, adoptions, jobs)
        batches = np.array_split(adoptions, max(1, adoptions.size // BATCH_CELLS))
        return Refits(att=np.concatenate([_coefficients(design, batch) for batch in batches]))


def _has_closed_form(design: Design) -> bool:
    return design.balanced and not design.covariates and design.influence_scale is None


def _closed_form(design: Design, adoptions: Floats, groups: Integers) -> Refits:
    """Coefficients and standard errors; units of a group are treated together."""
    periods, weights = design.n_periods, design.weights
    sizes = np.bincount(groups, weights).astype(float)
    demeaned = two_way_demean(design.outcome, weights)
    outcome = cluster_sums(demeaned if weights is None else demeaned * weights[:, None], groups)
    tails = np.zeros((len(sizes), periods + 1))
    tails[:, :-1] = outcome[:, ::-1].cumsum(axis=1)[:, ::-1]
    clusters = int(design.assignment.max()) + 1
    parameters = 1 + periods
    correction = small_sample_factor(clusters, design.n_observations, parameters)
    together = None if len(sizes) == clusters else np.eye(clusters)[design.assignment]
    return Refits.stack(
        _closed_form_batch(design.periods, batch, outcome, tails, sizes, together, correction)
        for batch in np.array_split(adoptions, max(1, adoptions.size // BATCH_CELLS))
    )


def _closed_form_batch(
    calendar: Integers,
    adoptions: Floats,
    outcome: Floats,
    tails: Floats,
    sizes: Floats,
    together: Floats | None,
    correction: float,
) -> Refits:
    r"""With :math:`\tilde D_{gt} = D_{gt} - \bar D_g - (m_t - \bar m)`, m the treated share.

    Score of group g: :math:`\sum_t \tilde D_{gt}\tilde y_{gt} - \tau n_g \sum_t \tilde D_{gt}^2`.
    Groups that are never treated share all terms but their outcomes; the others are added to these.
    """
    rows, periods = len(adoptions), len(calendar)
    row, group = np.nonzero(np.isfinite(adoptions))
    start = np.searchsorted(calendar, adoptions[row, group])
    size = sizes[group]
    begun = np.bincount(row * (periods + 1) + start, size, minlength=rows * (periods + 1))
    share = begun.reshape(rows, -1)[:, :-1].cumsum(axis=1) / sizes.sum()
    share -= share.mean(axis=1, keepdims=True)
    remaining = np.zeros((rows, periods + 1))
    remaining[:, :-1] = share[:, ::-1].cumsum(axis=1)[:, ::-1]

    own = -(share @ outcome.T)
    own[row, group] += tails[group, start]
    duration = periods - start
    own_squares = size * (duration * (1 - duration / periods) - 2 * remaining[row, start])
    squares = np.einsum("rt,rt->r", share, share)[:, None] * sizes
    squares[row, group] += own_squares
    denominator = squares.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        att = own.sum(axis=1) / denominator
        scores = own - att[:, None] * squares
        if together is not None:
            scores = scores @ together
        se = np.sqrt(correction * np.einsum("rg,rg->r", scores, scores)) / denominator
    return Refits(att=att, se=se)


def _coefficients(design: Design, adoptions: Floats) -> Floats:
    """Coefficients alone, among the units with an adoption period or ``inf``; shape (assignments,).

    In the notation of :func:`_closed_form_batch` the numerator takes the demeaned outcome of the
    treated after adoption and of those left out, since the sum over all units is zero.
    """
    rows, periods = len(adoptions), design.n_periods
    weights = np.ones(design.n_units) if design.weights is None else design.weights
    outcome = two_way_demean(design.outcome, design.weights) * weights[:, None]
    tails = outcome[:, ::-1].cumsum(axis=1)[:, ::-1]
    row, unit = np.nonzero(np.isfinite(adoptions))
    aside, absent = np.nonzero(np.isnan(adoptions))
    start = np.searchsorted(design.periods, adoptions[row, unit])
    size = weights[unit]
    total = weights.sum() - np.bincount(aside, weights[absent], minlength=rows)
    begun = np.bincount(row * (periods + 1) + start, size, minlength=rows * (periods + 1))
    share = begun.reshape(rows, -1)[:, :-1].cumsum(axis=1) / total[:, None]
    share -= share.mean(axis=1, keepdims=True)
    remaining = share[:, ::-1].cumsum(axis=1)[:, ::-1]
    duration = periods - start
    squares = size * (duration * (1 - duration / periods) - 2 * remaining[row, start])
    denominator = np.einsum("rt,rt->r", share, share) * total
    denominator += np.bincount(row, squares, minlength=rows)
    numerator = np.bincount(row, tails[unit, start], minlength=rows)
    numerator += np.bincount(
        aside, np.einsum("at,at->a", share[aside], outcome[absent]), minlength=rows
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        coefficients: Floats = numerator / denominator
    return coefficients


class _EventStudyOnDemand:
    """The event study of the same design, estimated when its effects are first asked for.

    The reference is the last event time before adoption. Without an event study that can be
    estimated the table is empty, and a warning says why.
    """

    def __init__(self, design: Design) -> None:
        self._design = design

    @cached_property
    def _estimate(self) -> Estimate | None:
        design = self._design
        times = (design.periods[:, None] - design.cohorts).astype(np.int64)
        try:
            return EventStudy(reference=int(times[times < 0].max())).fit(design)
        except DesignError as error:
            warn_user(
                f"no effects by event time beside the coefficient of treatment: {error}",
            )
            return None

    def estimates(self) -> pd.DataFrame:
        return self._table(0.95)[["event_time", "estimate"]]

    def bounds(self, level: float) -> pd.DataFrame:
        return self._table(level).drop(columns="estimate")

    def _table(self, level: float) -> pd.DataFrame:
        if self._estimate is None:
            return pd.DataFrame(
                columns=["event_time", "estimate", "se", "lower", "upper"], dtype=float
            )
        return self._estimate.effects_at(level)
