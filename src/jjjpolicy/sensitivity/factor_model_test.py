"""Whether a model of untreated outcomes predicts treated units before they are treated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.inference.permutation.assignments import group_adoption
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.completion import complete, two_way_and_low_rank
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@runtime_checkable
class OutcomeModel(Protocol):
    """An estimator that models untreated outcomes and can predict cells left out of its fit."""

    @property
    def unit_parameters(self) -> int:
        """Parameters of a unit that its own periods determine."""

    def held(self, estimate: Estimate) -> OutcomeModel:
        """The estimator with what it chose on the data held fixed."""

    def gaps(self, design: Design) -> Floats:
        """Outcomes less counterfactual, shape (treated units, periods)."""

    def left_out_errors(self, design: Design) -> Floats:
        """Errors of predicting each pre-treatment period, shape (treated units, periods)."""


@dataclass(frozen=True, eq=False)
class FactorModelTest:
    """Tests of the errors with which a model predicts treated units before treatment.

    Attributes
    ----------
    effects : DataFrame
        event_time, estimate (the average error of predicting the treated units), se, and
        equivalence_pvalue: of the hypothesis that the error is at least ``bound`` in size.
    statistic : float
        F statistic of the hypothesis that all errors are zero on average.
    numerator_df, denominator_df : int
    pvalue : float
        Small where the model fails.
    f_equivalence_pvalue : float
        Of the hypothesis that errors are large (``f_bound``): small where the model is shown to do.
    equivalence_pvalue : float
        The largest of the periods': small where every period is shown to be within ``bound``.
    bound : float
        In units of the outcome.
    placebo : Series
        estimate, se, pvalue and equivalence_pvalue of the average effect in the last periods before
        treatment, all hidden from the fit together.
    """

    effects: pd.DataFrame
    statistic: float
    numerator_df: int
    denominator_df: int
    pvalue: float
    f_equivalence_pvalue: float
    equivalence_pvalue: float
    bound: float
    placebo: pd.Series

    __repr__ = brief


@one_thread
def factor_model_test(
    estimate: Estimate,
    bound: float | None = None,
    *,
    periods: int | None = None,
    hidden: int | None = None,
    f_bound: float = 0.5,
    from_treated: bool = False,
) -> FactorModelTest:
    r"""F test, equivalence tests and placebo test of a model of untreated outcomes.

    With :math:`D_s` the average error of predicting the treated units s periods from adoption, each
    period left out of the fit in turn, and :math:`\hat\Sigma` its covariance with n degrees of
    freedom, :math:`F = \frac{n - m + 1}{n m} D'\hat\Sigma^{-1}D` is compared with
    :math:`F_{m, n - m + 1}`, and for equivalence with the non-central one of non-centrality
    ``f_bound`` per treated unit. Two one-sided t tests set each :math:`|D_s|` against ``bound``
    (Liu, Wang and Xu 2024, section 4). The placebo test hides the last periods before treatment
    together.

    The covariance is that of never-treated groups, each predicted from the others as if it had been
    treated at the same date, times one over the number of treated plus one over that of
    never-treated groups: it exists with one treated unit, and rests on errors that are alike in
    both (Xu 2017, algorithm 2). Without factors this is Hotelling's test of two samples. With
    ``from_treated`` it is the covariance of the treated groups among themselves, which the authors'
    bootstrap estimates.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~jjjpolicy.synth.GeneralizedSyntheticControl` or
        :class:`~jjjpolicy.synth.MatrixCompletion`. Its rank or penalty is held.
    bound : float, optional
        By default 0.36 standard deviations of the residuals of an additive model on the untreated
        cells, as the authors propose.
    periods : int, optional
        The last pre-treatment periods to test; by default all that every treated unit has, less
        those that the unit's own parameters use up.
    hidden : int, optional
        Periods that the placebo test hides, by default three or as many as there can be.
    f_bound : float
        Non-centrality for each treated unit: their average errors in standard deviations, squared.
    from_treated : bool
        Estimate the covariance from treated units.

    Raises
    ------
    InferenceError
        The estimator models no untreated outcomes; too few pre-treatment periods or units; a bound
        that is not positive; one treated unit and ``from_treated``.
    """
    model = estimate.estimator
    if not isinstance(model, OutcomeModel):
        raise InferenceError(
            f"factor_model_test needs a model of untreated outcomes, which {model.label} is not; "
            f"use GeneralizedSyntheticControl or MatrixCompletion, or PlaceboPeriods for any."
        )
    if bound is not None and not bound > 0:
        raise InferenceError(f"bound={bound} must be positive, in units of the outcome.")
    design, held = estimate.design, model.held(estimate)
    starts = np.searchsorted(design.periods, design.adoption[design.treated])
    common = int(starts.min()) - held.unit_parameters
    count = common if periods is None else periods
    if not 1 <= count <= common:
        raise InferenceError(
            f"periods={count} is not possible: treated units have {int(starts.min())} periods "
            f"before treatment, of which a model with {held.unit_parameters} parameters a unit "
            f"leaves {common} to test. Begin earlier or lower rank=."
        )
    last = min(3, common) if hidden is None else hidden
    if not 1 <= last <= common:
        raise InferenceError(f"hidden={hidden} must lie between 1 and {common}.")
    errors = _Errors.of(design, held.left_out_errors, np.arange(-count, 0), from_treated)
    placebo = _Errors.of(design, _hiding(held, last), np.arange(-last, 0), from_treated)
    limit = 0.36 * _additive_deviation(design) if bound is None else bound
    denominator = errors.df - count + 1
    if denominator < 1:
        raise InferenceError(
            f"{errors.df + 1} units give no covariance of {count} periods; set periods= to at most "
            f"{errors.df}."
        )
    from scipy.special import fdtrc
    from scipy.stats import ncf

    wald = float(errors.mean @ np.linalg.solve(errors.covariance, errors.mean))
    statistic = wald * denominator / (errors.df * count)
    shift = f_bound * len(starts)
    se = np.sqrt(np.diag(errors.covariance))
    effects = pd.DataFrame(
        {
            "event_time": np.arange(-count, 0),
            "estimate": errors.mean,
            "se": se,
            "equivalence_pvalue": _within(errors.mean, se, limit, errors.df),
        }
    )
    return FactorModelTest(
        effects=effects,
        statistic=statistic,
        numerator_df=count,
        denominator_df=denominator,
        pvalue=float(fdtrc(count, denominator, statistic)),
        f_equivalence_pvalue=float(ncf.cdf(statistic, count, denominator, shift)),
        equivalence_pvalue=float(effects["equivalence_pvalue"].max()),
        bound=limit,
        placebo=_average(placebo, limit),
    )


@dataclass(frozen=True, eq=False)
class _Errors:
    """Average errors by event time and their covariance with its degrees of freedom."""

    mean: Floats
    covariance: Floats
    df: int

    @classmethod
    def of(
        cls,
        design: Design,
        predict: Callable[[Design], Floats],
        times: Integers,
        from_treated: bool,
    ) -> _Errors:
        dates, positions = group_adoption(design.adoption, design.assignment)
        own = _aligned(predict(design), design, times)
        owners = positions[design.treated]
        shares = np.array([(owners == g).mean() for g in np.unique(owners)])
        if from_treated:
            averages = np.stack([own[owners == g].mean(axis=0) for g in np.unique(owners)])
            if len(averages) < 2:
                raise InferenceError(
                    "from_treated=True needs two treated groups or more; there is one."
                )
            spread = np.atleast_2d(np.cov(averages.T))
            return cls(own.mean(axis=0), spread * float((shares**2).sum()), len(averages) - 1)
        treated_dates = dates[np.unique(owners)]
        total = np.zeros((len(times), len(times)))
        never = np.flatnonzero(np.isinf(dates))
        for date in np.unique(treated_dates):
            averages = _control_errors(design, predict, times, never, positions, float(date))
            own_part = float((shares[treated_dates == date] ** 2).sum())
            common = float(shares[treated_dates == date].sum()) / len(never)
            total += (own_part + common) * np.atleast_2d(np.cov(averages.T))
        # An error of a never-treated group holds n / (n - 1) times its own deviation.
        return cls(own.mean(axis=0), total * (1 - 1 / len(never)) ** 2, len(never) - 1)


def _control_errors(
    design: Design,
    predict: Callable[[Design], Floats],
    times: Integers,
    never: Integers,
    positions: Integers,
    date: float,
) -> Floats:
    """Average errors of each never-treated group, predicted from the others as if treated."""
    if len(never) < 3:
        raise InferenceError(
            f"factor_model_test needs three never-treated groups at the level "
            f"{design.assigned_at!r}, there are {len(never)}."
        )
    controls = design.keep_units(~design.treated, "set aside by the test of the factor model")
    owners = positions[~design.treated]
    rows = []
    for g in never:
        part = controls.reassigned(np.where(owners == g, date, np.inf))
        rows.append(_aligned(predict(part), part, times).mean(axis=0))
    return np.stack(rows)


def _hiding(model: OutcomeModel, hidden: int) -> Callable[[Design], Floats]:
    """Gaps of a fit from which the last periods before treatment are hidden."""

    def gaps(design: Design) -> Floats:
        treated = design.treated
        starts = np.searchsorted(design.periods, design.adoption[treated])
        adoption = design.adoption.copy()
        adoption[treated] = design.periods[starts - hidden]
        return model.gaps(design.reassigned(adoption))

    return gaps


def _aligned(errors: Floats, design: Design, times: Integers) -> Floats:
    """Errors at event times, shape (treated units, times)."""
    starts = np.searchsorted(design.periods, design.adoption[design.treated])
    return np.asarray(np.take_along_axis(errors, starts[:, None] + times[None, :], axis=1))


def _average(errors: _Errors, limit: float) -> pd.Series:
    from scipy.special import stdtr

    mean, se = errors.mean.mean(), np.sqrt(errors.covariance.mean())
    numbers = {
        "estimate": float(mean),
        "se": float(se),
        "pvalue": 2 * float(stdtr(errors.df, -abs(mean) / se)),
        "equivalence_pvalue": float(_within(mean, se, limit, errors.df)),
    }
    return pd.Series(numbers)


def _within(estimates: Floats, errors: Floats, limit: float, df: int) -> Floats:
    """Two one-sided t tests: p-values of the hypothesis that the size is at least the limit."""
    from scipy.special import stdtr

    return np.asarray(stdtr(df, (np.abs(estimates) - limit) / errors))


def _additive_deviation(design: Design) -> float:
    """Standard deviation of untreated outcomes less unit and period effects."""
    untreated: Booleans = ~design.treatment
    effects_only = np.array([np.inf])
    filled = complete(design.outcome, untreated[None], effects_only)
    (fitted,), _ = two_way_and_low_rank(filled, effects_only)
    left = int(untreated.sum()) - design.n_units - design.n_periods + 1
    return float(np.sqrt(((design.outcome - fitted)[untreated] ** 2).sum() / left))
