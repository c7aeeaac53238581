"""Honest difference-in-differences: effects when trends are allowed to differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.estimation.variance import t_interval
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.sensitivity.honest.coefficients import Target, from_arrays, from_estimate
from jjjpolicy.sensitivity.honest.methods import (
    ConfidenceSet,
    FixedLength,
    HybridFixedLength,
    HybridLeastFavorable,
)
from jjjpolicy.sensitivity.honest.restrictions import RelativeMagnitudes, Restriction, Smoothness
from jjjpolicy.sensitivity.honest.results import HonestIntervals

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@one_thread
def honest_did(
    estimates: Estimate | ArrayLike,
    covariance: ArrayLike | None = None,
    pre_periods: int | None = None,
    post_periods: int | None = None,
    *,
    restriction: Restriction | None = None,
    method: ConfidenceSet | None = None,
    target: Target = "first",
    level: float = 0.95,
) -> HonestIntervals:
    r"""Intervals of an effect that hold if trends differ by no more than a restriction says.

    The coefficients are :math:`\hat\beta \sim N(\tau + \delta, \Sigma)` with effects :math:`\tau`,
    zero before the policy, and a difference in trends :math:`\delta \in \Delta`. The interval holds
    :math:`l'\tau_{post}` with probability ``level`` for every :math:`\delta \in \Delta` (Rambachan
    and Roth 2023). It accounts for the sampling error of the pre-period coefficients; bounds that
    plug the estimates of these into the restriction do not, and are too narrow.

    Parameters
    ----------
    estimates : Estimate or array_like, shape (pre_periods + post_periods,)
        An estimate that has an event study with a covariance, or coefficients in order of time
        without the reference period.
    covariance : array_like, shape (pre_periods + post_periods, pre_periods + post_periods)
        Of the coefficients; not with an Estimate.
    pre_periods, post_periods : int
        Numbers of coefficients before and after the reference period; not with an Estimate.
    restriction : Restriction, optional
        :class:`RelativeMagnitudes` (the default, at 0.5, 1, 1.5 and 2), :class:`Smoothness` or
        :class:`SmoothnessRelative`, with the values of the bound to report.
    method : ConfidenceSet, optional
        By default what the authors recommend: :class:`HybridLeastFavorable` for relative
        restrictions, :class:`FixedLength` for smoothness, :class:`HybridFixedLength` for smoothness
        with a sign or direction.
    target : {"first", "average"}, sequence of float, or mapping of int to float
        The effect: at the first period from adoption on, the mean over all of these, weights of all
        periods after the reference, or weights by event time. With arrays the event times are 0,
        1, …. Periods between a reference before -1 and adoption (anticipation) are after the
        reference, and in no target unless weights name them.
    level : float

    Returns
    -------
    HonestIntervals

    Raises
    ------
    InferenceError
        No coefficient before or after the policy, sizes that do not fit, a covariance that is not
        positive semidefinite, an estimate without an event study, too few pre-periods for the
        restriction, or a method that does not exist for it.

    Notes
    -----
    Inequalities among pre-periods alone take no part in the tests, as in the authors' R package
    when there are several post-periods. Normal approximation throughout: with few treated clusters
    the covariance is too small and so are these intervals.
    """
    if not 0 < level < 1:
        raise InferenceError(f"level={level} must lie between 0 and 1, e.g. 0.95.")
    if isinstance(estimates, Estimate):
        if covariance is not None or pre_periods is not None or post_periods is not None:
            raise InferenceError(
                "an Estimate brings its covariance and periods; give these with arrays only."
            )
        coefficients = from_estimate(estimates)
    else:
        if covariance is None or pre_periods is None or post_periods is None:
            raise InferenceError(
                "coefficients need covariance=, pre_periods= and post_periods= beside them."
            )
        coefficients = from_arrays(estimates, covariance, pre_periods, post_periods)
    restriction = RelativeMagnitudes() if restriction is None else restriction
    if coefficients.pre < restriction.least_pre_periods:
        raise InferenceError(
            f"{restriction.label} needs {restriction.least_pre_periods} pre-periods to have a "
            f"change of slope to compare with, and there is {coefficients.pre}; use "
            f"RelativeMagnitudes or Smoothness."
        )
    if method is None:
        method = _recommended(restriction)
    weights = coefficients.target_weights(target)
    post = slice(coefficients.pre, None)
    point = float(weights @ coefficients.estimates[post])
    se = float(np.linalg.norm(weights @ coefficients.root[post]))
    interval = method.intervals(coefficients, restriction, weights, 1 - level)
    rows = [
        (restriction.label, method.label, value, point, *interval(value))
        for value in restriction.values
    ]
    return HonestIntervals(
        estimate=point,
        se=se,
        original=t_interval(point, se, np.inf, level),
        table=pd.DataFrame(
            rows, columns=["restriction", "method", "bound", "estimate", "lower", "upper"]
        ),
        restriction=restriction,
        method=method,
        target=pd.Series(weights, index=pd.Index(coefficients.times[post], name="event_time")),
        level=level,
        notes=coefficients.notes,
        _interval=interval,
    )


def _recommended(restriction: Restriction) -> ConfidenceSet:
    if not isinstance(restriction, Smoothness):
        return HybridLeastFavorable()
    return HybridFixedLength() if restriction.shaped else FixedLength()
