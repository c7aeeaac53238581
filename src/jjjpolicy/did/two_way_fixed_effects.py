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

    from jjjpolicy.design import Design, Floats, Integers


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

        On a balanced panel without covariates and weights, coefficients and clustered standard
        errors follow in closed form from the sums of the demeaned outcome over groups that are
        always treated together; nothing of size units × periods is formed per assignment.
        """
        if not design.balanced or design.covariates or design.weights is not None:
            return super().refit_many(design, adoptions, jobs)
        return _closed_form(design, np.asarray(adoptions, dtype=float))


def _closed_form(design: Design, adoptions: Floats) -> Refits:
    n, periods = design.outcome.shape
    outcome = two_way_demean(design.outcome)
    codes = np.unique(design.assignment, return_inverse=True)[1]
    clusters = np.arange(codes.max() + 1)
    first = np.unique(codes, return_index=True)[1]
    grouped = adoptions[:, first]
    if len(clusters) < n and (grouped[:, codes] == adoptions).all():
        sizes = np.bincount(codes).astype(float)
        outcome = np.stack([outcome[codes == g].sum(axis=0) for g in clusters])
        codes = clusters
    else:
        grouped, sizes = adoptions, np.ones(n)
    tails = np.zeros((len(sizes), periods + 1))
    tails[:, :-1] = outcome[:, ::-1].cumsum(axis=1)[:, ::-1]
    batches = np.array_split(grouped, max(1, grouped.size // 500_000))
    groups = len(clusters)
    parameters = 1 + periods
    correction = groups / (groups - 1) * (n * periods - 1) / (n * periods - parameters)
    parts = [
        _closed_form_batch(design, batch, outcome, tails, sizes, codes, correction)
        for batch in batches
    ]
    return Refits.stack(parts)


def _closed_form_batch(
    design: Design,
    adoptions: Floats,
    outcome: Floats,
    tails: Floats,
    sizes: Floats,
    codes: Integers,
    correction: float,
) -> Refits:
    r"""With :math:`\tilde D_{gt} = D_{gt} - \bar D_g - (m_t - \bar m)`, m the treated share.

    Score of group g: :math:`\sum_t \tilde D_{gt}\tilde y_{gt} - \tau n_g \sum_t \tilde D_{gt}^2`.
    """
    n, periods = design.outcome.shape
    rows = len(adoptions)
    starts = np.searchsorted(design.periods, adoptions.ravel()).reshape(adoptions.shape)
    weights = np.broadcast_to(sizes, starts.shape).ravel()
    cells = (np.arange(rows)[:, None] * (periods + 1) + starts).ravel()
    begun = np.bincount(cells, weights, minlength=rows * (periods + 1))
    share = begun.reshape(rows, -1)[:, :-1].cumsum(axis=1) / n
    share -= share.mean(axis=1, keepdims=True)
    remaining = np.zeros((rows, periods + 1))
    remaining[:, :-1] = share[:, ::-1].cumsum(axis=1)[:, ::-1]

    own = tails[np.arange(len(sizes))[None, :], starts] - share @ outcome.T
    durations = (periods - starts).astype(float)
    squares = durations * (1 - durations / periods)
    squares -= 2 * np.take_along_axis(remaining, starts, axis=1)
    squares += (share**2).sum(axis=1, keepdims=True)
    squares *= sizes
    denominator = squares.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        att = own.sum(axis=1) / denominator
        scores = own - att[:, None] * squares
        if len(codes) > codes.max() + 1:
            together = np.zeros((len(codes), int(codes.max()) + 1))
            together[np.arange(len(codes)), codes] = 1.0
            scores = scores @ together
        se = np.sqrt(correction * (scores**2).sum(axis=1)) / denominator
    return Refits(att=att, se=se)


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
