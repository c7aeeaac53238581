"""Equivalence of pre-trends in their root mean square, without a covariance matrix."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, InferenceError, JJJPolicyWarning
from jjjpolicy.estimation.draws import seeded
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.sensitivity.honest.event_coefficients import EventCoefficients

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

SHARES = (0.2, 0.4, 0.6, 0.8)
"""Of the units, in the subsamples; those of the paper."""


@dataclass(frozen=True, eq=False)
class PretrendRms:
    """How small the root mean square of effects before treatment is shown to be.

    Attributes
    ----------
    rms : float
        Of the estimated effects before treatment.
    smallest_bound : float
        Smallest bound that it is shown to respect at ``level``.
    interval : (float, float)
        Two-sided confidence interval at 1 - ``level``.
    shares : DataFrame
        share (of the groups), groups, rms: the estimates in the subsamples.
    level : float
    bound : float or None
        The bound tested.
    pvalue : float or None
        Of the hypothesis that the bound is exceeded: small values show equivalence.
    """

    rms: float
    smallest_bound: float
    interval: tuple[float, float]
    shares: pd.DataFrame
    level: float
    bound: float | None = None
    pvalue: float | None = None

    __repr__ = brief


@one_thread
def pretrend_rms(
    estimate: Estimate, bound: float | None = None, *, level: float = 0.05, seed: int = 0
) -> PretrendRms:
    r"""Test that the root mean square of effects before treatment is smaller than a bound.

    With :math:`\hat\beta^2(\lambda)` the mean square of the effects before treatment in the first
    share :math:`\lambda` of the units, in random order, and their spread

    .. math:: \hat V = \Bigl(\tfrac14 \sum_{\lambda = 0.2, 0.4, 0.6, 0.8}
              \bigl(\hat\beta^2(\lambda) - \hat\beta^2(1)\bigr)^2\Bigr)^{1/2}

    :math:`H_0: \beta_{RMS} \ge \zeta` is rejected where
    :math:`\hat\beta^2(1) < \zeta^2 + Q_W(\alpha)\hat V` (Dette and Schumann 2024, section 4.2.3),
    with the quantile of :math:`W = B(1) / (\tfrac14\sum(B(\lambda)/\lambda - B(1))^2)^{1/2}` for a
    Brownian motion B. W is a normal over the root of an independent quadratic form in normals, so
    that its distribution is an integral and any ``level`` can be asked for. No standard error
    enters: the test does not inherit doubts about them.

    Parameters
    ----------
    estimate : Estimate
        An event study. It is estimated again in four subsamples.
    bound : float, optional
        In units of the outcome. Without it only the smallest bound is reported.
    level : float
    seed : int
        Of the random order. Another order gives another answer; report the seed.

    Notes
    -----
    Groups at the level of assignment are drawn, treated and never-treated ones each in their
    proportion.

    Raises
    ------
    InferenceError
        No effect before treatment; fewer than five treated or five other groups; an event time that
        a subsample does not estimate; a bound that is not positive; a level outside (0, 1/2).
    """
    if bound is not None and not bound > 0:
        raise InferenceError(f"bound={bound} must be positive, in units of the outcome.")
    if not 0 < level < 0.5:
        raise InferenceError(f"level={level} must lie between 0 and 0.5, e.g. 0.05.")
    estimate.design.require_units("pretrend_rms")
    found = EventCoefficients.of(estimate, "pretrend_rms")
    times = found.event_times[found.before]
    whole = float(np.mean(found.estimates[found.before] ** 2))
    rows = []
    for share, keep in _subsamples(estimate.design, seed):
        square = _mean_square(estimate, keep, times)
        groups = len(np.unique(estimate.design.assignment[keep]))
        rows.append((share, groups, float(np.sqrt(square))))
    table = pd.DataFrame(rows, columns=["share", "groups", "rms"])
    spread = float(np.sqrt(np.mean((table["rms"] ** 2 - whole) ** 2)))
    low, high = (whole + _quantile(p) * spread for p in (level / 2, 1 - level / 2))
    return PretrendRms(
        rms=float(np.sqrt(whole)),
        smallest_bound=float(np.sqrt(whole - _quantile(level) * spread)),
        interval=(float(np.sqrt(max(low, 0.0))), float(np.sqrt(high))),
        shares=table,
        level=level,
        bound=bound,
        pvalue=None if bound is None else _probability((whole - bound**2) / spread),
    )


def _subsamples(design: Design, seed: int) -> list[tuple[float, Booleans]]:
    """Nested random subsets of the units: their share of the groups, and a mask."""
    generator = np.random.default_rng(seeded(seed))
    codes = design.assignment
    treated = np.unique(codes[design.treated])
    strata = {"treated": treated, "never-treated": np.setdiff1d(codes, treated)}
    for kind, groups in strata.items():
        if len(groups) < 5:
            raise InferenceError(
                f"pretrend_rms draws fifths of the {kind} {design.assigned_at}s, and there are "
                f"{len(groups)}: it needs five at least. Use pretrend_equivalence, or placebo "
                f"periods where few are treated."
            )
    orders = [generator.permutation(groups) for groups in strata.values()]
    return [
        (share, np.isin(codes, np.concatenate([o[: int(share * len(o) + 1e-9)] for o in orders])))
        for share in SHARES
    ]


def _mean_square(estimate: Estimate, keep: Booleans, times: Integers) -> float:
    """Mean square of the effects before treatment among some units."""
    part = estimate.design.keep_units(keep, "not in the subsample")
    lacking = "no effects"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", JJJPolicyWarning)
            effects = estimate.estimator.fit(part).effects.set_index("event_time")["estimate"]
        values = effects.reindex(times).to_numpy(dtype=float)
        lacking = f"no effect at event time {times[np.argmax(np.isnan(values))]}"
    except DesignError as error:
        values, lacking = np.array([np.nan]), str(error)
    if np.isnan(values).any():
        raise InferenceError(
            f"pretrend_rms: the subsample of {part.n_units} {part.labels.unit}s does not give all "
            f"effects before treatment ({lacking}). Try another seed=, or a shorter window."
        )
    return float(np.mean(values**2))


def _probability(value: float) -> float:
    """P(W ≤ value), with Craig's (1991) form of the normal tail averaged over the spread."""
    from scipy.integrate import quad

    scale = value**2 * _spread_weights()

    def integrand(angle: float) -> float:
        sine = np.sin(angle) ** 2
        return float(np.sqrt(np.prod(sine / (sine + scale))))

    tail = quad(integrand, 0, np.pi / 2, epsabs=1e-13)[0] / np.pi if value else 0.5
    return float(tail if value <= 0 else 1 - tail)


@cache
def _quantile(level: float) -> float:
    """The value that W does not exceed with probability ``level``."""
    from scipy.optimize import brentq

    return float(brentq(lambda value: _probability(value) - level, -1e3, 1e3, xtol=1e-10))


def _spread_weights() -> Floats:
    """Eigenvalues of the quadratic form: a quarter of 1 / max(λ, μ) - 1."""
    shares = np.array(SHARES)
    covariance = 1 / np.maximum.outer(shares, shares) - 1
    weights: Floats = np.linalg.eigvalsh(covariance) / len(shares)
    return weights
