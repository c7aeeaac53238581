"""What passing a test of pre-trends is worth: its power, and the bias that passing leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.normal_box import normal_box_probability
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.sensitivity.honest.event_coefficients import EventCoefficients

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True, eq=False)
class PretrendPower:
    """Power of the pre-test against a linear violation of parallel trends.

    Attributes
    ----------
    slopes : DataFrame
        power, slope: the linear trend, per period, that some individually significant effect
        before treatment reveals with this probability.
    slope : float
        The trend that the rest is about.
    power : float
        Probability that some effect before treatment is individually significant.
    joint_power : float
        Probability that a Wald test of all of them rejects.
    bayes_factor : float
        Probability of passing under the trend, relative to parallel trends. Near one: passing says
        nothing.
    likelihood_ratio : float
        Likelihood of the estimated effects before treatment under the trend, relative to parallel
        trends.
    effects : DataFrame
        event_time, estimate, se, trend (the hypothesised bias) and mean_after_passing (the bias to
        expect among samples that pass the pre-test), reference included.
    level : float
    """

    slopes: pd.DataFrame
    slope: float
    power: float
    joint_power: float
    bayes_factor: float
    likelihood_ratio: float
    effects: pd.DataFrame
    level: float

    __repr__ = brief


@one_thread
def pretrend_power(
    estimate: Estimate,
    *,
    slope: float | None = None,
    powers: Sequence[float] = (0.5, 0.8),
    level: float = 0.05,
) -> PretrendPower:
    r"""Power of the usual pre-test, and the bias left after passing it (Roth 2022).

    With :math:`\hat\beta \sim N(\delta, \Sigma)`, a trend
    :math:`\delta_t = \gamma(t - t_{ref})` and the pre-test that no effect before treatment is
    individually significant, :math:`B = \{|\hat\beta_s| \le z\sigma_s\}`, power is
    :math:`1 - P(\hat\beta_{pre} \in B)`, and the mean after passing is

    .. math:: \delta_{post} + \Sigma_{post,pre}\Sigma_{pre}^{-1}
        \{E[\hat\beta_{pre} \mid \hat\beta_{pre} \in B] - \delta_{pre}\}

    (his proposition 1), with truncated normal means after Manjunath and Wilhelm (2021).

    Parameters
    ----------
    estimate : Estimate
        An event study with a covariance of its effects, relative to one reference period.
    slope : float, optional
        Trend per period in units of the outcome; by default the one detected with the first of
        ``powers``.
    powers : sequence of float
        Powers for which the detected slope is wanted.
    level : float
        Of the individual tests.

    Raises
    ------
    InferenceError
        No covariance of effects, no effect before treatment, a singular covariance; effects without
        a common reference; powers not between ``level`` and 1.
    """
    from scipy.special import ndtri

    found = EventCoefficients.of(estimate, "pretrend_power")
    if found.reference is None:
        raise InferenceError(
            "pretrend_power needs effects relative to one reference period, so that a trend can be "
            "drawn through them; use EventStudy, or CallawaySantAnna(base='universal')."
        )
    if not 0 < level < 0.5:
        raise InferenceError(f"level={level} must lie between 0 and 0.5, e.g. 0.05.")
    estimates, covariance = found.pre("pretrend_power")
    limits = -float(ndtri(level / 2)) * np.sqrt(np.diag(covariance))
    distance = (found.event_times - found.reference).astype(float)
    direction = distance[found.before]
    passing = _inside(np.zeros(len(limits)), covariance, limits)
    if len(powers) == 0 or not all(1 - passing < power < 1 for power in powers):
        raise InferenceError(
            f"powers={tuple(powers)} must lie between the size of the pre-test, {1 - passing:.3f}, "
            f"and 1."
        )
    slopes = [_slope(power, direction, covariance, limits) for power in powers]
    used = slopes[0] if slope is None else float(slope)
    trend = used * direction
    passing_trend = _inside(trend, covariance, limits)
    precision = np.linalg.inv(covariance)
    ratio = float(np.exp(estimates @ precision @ trend - trend @ precision @ trend / 2))
    return PretrendPower(
        slopes=pd.DataFrame({"power": list(powers), "slope": slopes}),
        slope=used,
        power=1 - passing_trend,
        joint_power=_joint_power(float(trend @ precision @ trend), len(trend), level),
        bayes_factor=passing_trend / passing,
        likelihood_ratio=ratio,
        effects=_after_passing(found, used * distance, limits),
        level=level,
    )


def _after_passing(found: EventCoefficients, trend: Floats, limits: Floats) -> pd.DataFrame:
    before = found.before
    covariance = found.covariance[np.ix_(before, before)]
    shift = _truncated_mean(trend[before], covariance, limits) - trend[before]
    moved = trend + found.covariance[:, before] @ np.linalg.solve(covariance, shift)
    table = pd.DataFrame(
        {
            "event_time": found.event_times,
            "estimate": found.estimates,
            "se": found.errors,
            "trend": trend,
            "mean_after_passing": moved,
        }
    )
    reference = pd.DataFrame(
        {
            "event_time": [found.reference],
            "estimate": [0.0],
            "se": [0.0],
            "trend": [0.0],
            "mean_after_passing": [0.0],
        }
    )
    return pd.concat([table, reference]).sort_values("event_time", ignore_index=True)


def _joint_power(noncentrality: float, count: int, level: float) -> float:
    from scipy.special import chdtri, chndtr

    return float(1 - chndtr(chdtri(count, level), count, noncentrality))


def _slope(power: float, direction: Floats, covariance: Floats, limits: Floats) -> float:
    """Power rises with the size of the trend: the box is convex and symmetric (Anderson 1955)."""
    from scipy.optimize import brentq

    def excess(size: float) -> float:
        return 1 - _inside(size * direction, covariance, limits) - power

    high = float(np.min(limits / np.abs(direction)))
    while excess(high) < 0:
        high *= 2
    return float(brentq(excess, 0.0, high, xtol=1e-10 * high, rtol=1e-10))


def _inside(mean: Floats, covariance: Floats, limits: Floats) -> float:
    """Probability that a normal vector lies in the symmetric box."""
    return normal_box_probability(-limits - mean, limits - mean, covariance)


def _truncated_mean(mean: Floats, covariance: Floats, limits: Floats) -> Floats:
    r"""Mean of N(mean, covariance) given that it lies in the symmetric box.

    :math:`\mu + \Sigma\{F(a) - F(b)\}/P`, where :math:`F_k(x)` is the density of component k at x
    times the probability that the others lie in the box given that (Manjunath and Wilhelm 2021).
    """
    total = _inside(mean, covariance, limits)
    density = np.zeros(len(mean))
    for k in range(len(mean)):
        others = np.arange(len(mean)) != k
        variance = covariance[k, k]
        slopes = covariance[others, k] / variance
        rest = covariance[np.ix_(others, others)] - np.outer(slopes, covariance[k, others])
        for sign, end in ((1, -limits[k]), (-1, limits[k])):
            gap = end - mean[k]
            height = np.exp(-(gap**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
            centre = mean[others] + slopes * gap
            density[k] += sign * height * _inside(centre, rest, limits[others])
    result: Floats = mean + covariance @ density / total
    return result
