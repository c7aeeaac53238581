"""Bands that hold all effects by event time at once, from the attached covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.covered import covered_effects
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats


def uniform_bands(
    estimate: Estimate, level: float = 0.95, *, draws: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    r"""Effects by event time with a band that holds all of them with probability ``level``.

    The band is :math:`\hat\tau_e \pm c\,\widehat{se}_e` with c the quantile of
    :math:`\max_e |t_e|` for a vector t that is multivariate t (normal where the degrees of freedom
    are infinite) with the correlation of the estimates (the sup-t band of Montiel Olea and
    Plagborg-Møller 2019). It rests on the attached covariance, whatever made it, and shares its
    faults with few treated clusters. :class:`MultiplierBootstrap` simulates the same from influence
    functions.

    Parameters
    ----------
    estimate : Estimate
        With a covariance of its effects, such as those that EventStudy or CallawaySantAnna attach.
    level : float
    draws : int
    seed : int

    Returns
    -------
    DataFrame
        ``estimate.effects`` with uniform_lower, uniform_upper and critical_value.

    Raises
    ------
    InferenceError
        No covariance of effects by event time, or no effect with a standard error; ``level``
        outside (0, 1).
    """
    if not 0 < level < 1:
        raise InferenceError(f"level={level} must lie between 0 and 1, e.g. 0.95.")
    result = estimate.inference
    covariance = None if result is None else result.details.get("covariance")
    if result is None or covariance is None or len(covariance) < 2:
        raise InferenceError(
            "uniform_bands needs effects by event time with their covariance; use an event study "
            "with its own standard errors or with Clustered(), or MultiplierBootstrap()."
        )
    variances = np.diag(covariance)[1:]
    known = np.flatnonzero(variances > resolution(estimate.design.outcome) ** 2)
    if len(known) == 0:
        raise InferenceError(
            "no effect by event time has a standard error, so that there is no band: each is "
            "fitted exactly, or the outcome does not vary."
        )
    table = estimate.effects
    times = covered_effects(estimate, len(covariance))["event_time"].to_numpy()[known]
    errors = np.sqrt(variances[known])
    correlation = covariance[1:, 1:][np.ix_(known, known)] / np.outer(errors, errors)
    freedom = float(np.min(np.asarray(result.details.get("df", np.inf), dtype=float)))
    critical = _sup_t(correlation, freedom, level, draws, seed)
    rows = np.isin(table["event_time"], times)
    half = np.full(len(table), np.nan)
    half[rows] = critical * table.loc[rows, "se"].to_numpy(dtype=float)
    return table.assign(
        uniform_lower=table["estimate"] - half,
        uniform_upper=table["estimate"] + half,
        critical_value=critical,
    )


@one_thread
def _sup_t(correlation: Floats, freedom: float, level: float, draws: int, seed: int) -> float:
    """Quantile of the largest absolute element of a multivariate t vector."""
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    largest = np.abs(rng.standard_normal((draws, len(correlation))) @ root.T).max(axis=1)
    if np.isfinite(freedom):
        largest /= np.sqrt(rng.chisquare(freedom, draws) / freedom)
    return float(np.quantile(largest, level))
