"""Tests of pre-trends: whether effects before treatment are zero, or shown to be small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.sensitivity.honest.event_coefficients import EventCoefficients

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate


@dataclass(frozen=True)
class PretrendTest:
    """Joint test that all effects before treatment are zero.

    Attributes
    ----------
    statistic : float
        Wald statistic divided by the number of effects.
    numerator_df : int
        Number of effects tested.
    denominator_df : float
        Infinite where the covariance counts as known.
    pvalue : float
    largest_t : float
        Largest absolute ratio of an effect to its standard error.
    """

    statistic: float
    numerator_df: int
    denominator_df: float
    pvalue: float
    largest_t: float


@one_thread
def pretrend_test(estimate: Estimate) -> PretrendTest:
    """Test that all effects before treatment are zero.

    An F test with the degrees of freedom of the attached covariance (clusters - 1). Passing it
    says little where the test has no power: see :func:`pretrend_power` and
    :func:`pretrend_equivalence`.

    Parameters
    ----------
    estimate : Estimate
        An event study with a covariance of its effects.

    Raises
    ------
    InferenceError
        No such covariance, no effect before treatment, or a singular covariance.
    """
    from scipy.special import fdtrc, gammaincc

    found = EventCoefficients.of(estimate, "pretrend_test")
    estimates, covariance = found.pre("pretrend_test")
    count = len(estimates)
    wald = float(estimates @ np.linalg.solve(covariance, estimates))
    pvalue = gammaincc(count / 2, wald / 2)
    if np.isfinite(found.df):
        pvalue = fdtrc(count, found.df, wald / count)
    return PretrendTest(
        statistic=wald / count,
        numerator_df=count,
        denominator_df=found.df,
        pvalue=float(pvalue),
        largest_t=float(np.abs(estimates / np.sqrt(np.diag(covariance))).max()),
    )


@dataclass(frozen=True, eq=False)
class PretrendEquivalence:
    """How small effects before treatment are shown to be.

    Attributes
    ----------
    largest_bound : float
        Smallest bound that all effects before treatment are shown to respect at ``level``.
    mean_bound : float
        The same for the absolute value of their mean.
    mean : float
        Mean effect before treatment.
    effects : DataFrame
        event_time, estimate, se, bound, two_one_sided_bound; where a bound was given also pvalue
        and two_one_sided_pvalue.
    level : float
    bound : float or None
        The bound tested.
    largest_pvalue, mean_pvalue : float or None
        Tests of the hypothesis that the bound is exceeded: small values show equivalence.
    """

    largest_bound: float
    mean_bound: float
    mean: float
    effects: pd.DataFrame
    level: float
    bound: float | None = None
    largest_pvalue: float | None = None
    mean_pvalue: float | None = None

    __repr__ = brief


@one_thread
def pretrend_equivalence(
    estimate: Estimate, bound: float | None = None, *, level: float = 0.05
) -> PretrendEquivalence:
    r"""Test that effects before treatment are smaller than a bound.

    The hypothesis is turned around: :math:`H_0: \max_t|\beta_t| \ge \tau`. It is rejected where
    every :math:`|\hat\beta_t|` lies below the ``level`` quantile of :math:`|N(\tau, \sigma_t^2)|`
    (Dette and Schumann 2024), and for the mean of the effects likewise. Two one-sided t tests of
    each effect (Hartman and Hidalgo 2018) stand beside; for their root mean square see
    :func:`pretrend_rms`. Smaller samples give larger bounds, whereas
    in a test of no pre-trends they pass more easily.

    Parameters
    ----------
    estimate : Estimate
        An event study with a covariance of its effects. Effects should be relative to one
        reference period.
    bound : float, optional
        In units of the outcome. Without it only the smallest bounds are reported.
    level : float

    Raises
    ------
    InferenceError
        No covariance of effects, no effect before treatment; a bound that is not positive; a level
        outside (0, 1/2).
    """
    if bound is not None and not bound > 0:
        raise InferenceError(f"bound={bound} must be positive, in units of the outcome.")
    if not 0 < level < 0.5:
        raise InferenceError(f"level={level} must lie between 0 and 0.5, e.g. 0.05.")
    from scipy.special import ndtri, stdtr, stdtrit

    found = EventCoefficients.of(estimate, "pretrend_equivalence")
    chosen = found.before
    estimates, errors = found.estimates[chosen], found.errors[chosen]
    share = np.full(len(estimates), 1 / len(estimates))
    mean = float(share @ estimates)
    mean_error = float(np.sqrt(share @ found.covariance[np.ix_(chosen, chosen)] @ share))
    df = found.df if np.isfinite(found.df) else 1e9
    quantile = stdtrit(df, 1 - level) if np.isfinite(found.df) else ndtri(1 - level)
    bounds = np.array([_shown(b, s, level) for b, s in zip(estimates, errors, strict=True)])
    table = pd.DataFrame(
        {
            "event_time": found.event_times[chosen],
            "estimate": estimates,
            "se": errors,
            "bound": bounds,
            "two_one_sided_bound": np.abs(estimates) + quantile * errors,
        }
    )
    largest_pvalue = mean_pvalue = None
    if bound is not None:
        table["pvalue"] = [_exceeding(b, s, bound) for b, s in zip(estimates, errors, strict=True)]
        table["two_one_sided_pvalue"] = stdtr(df, (np.abs(estimates) - bound) / errors)
        largest_pvalue = float(table["pvalue"].max())
        mean_pvalue = _exceeding(mean, mean_error, bound)
    return PretrendEquivalence(
        largest_bound=float(bounds.max()),
        mean_bound=_shown(mean, mean_error, level),
        mean=mean,
        effects=table,
        level=level,
        bound=bound,
        largest_pvalue=largest_pvalue,
        mean_pvalue=mean_pvalue,
    )


def _exceeding(estimate: float, error: float, bound: float) -> float:
    """Probability that the absolute value of N(bound, error²) is at most the estimate's."""
    from scipy.special import ndtr

    size = abs(estimate)
    return float(ndtr((size - bound) / error) - ndtr((-size - bound) / error))


def _shown(estimate: float, error: float, level: float) -> float:
    """The smallest bound with a probability of at most ``level``."""
    from scipy.optimize import brentq

    if _exceeding(estimate, error, 0.0) <= level:
        return 0.0
    high = abs(estimate) + 10 * error
    return float(
        brentq(lambda b: _exceeding(estimate, error, b) - level, 0.0, high, xtol=1e-14 * high)
    )
