"""Variance from influence functions: the analytic inference that estimators attach themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import erfc, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.estimation.estimate import InferenceResult

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers

FEW_TREATED_CLUSTERS = 10
SINGULAR = 1e-10
"""Share of the largest eigenvalue of a covariance below which an eigenvalue is rounding."""

Number = TypeVar("Number", float, NDArray[np.float64])


def cluster_sums(values: Floats, codes: Integers) -> Floats:
    """Sum rows within clusters; shape (clusters, columns)."""
    n_clusters = int(codes.max()) + 1
    if len(codes) == n_clusters and (codes == np.arange(n_clusters)).all():
        return values
    sums = np.empty((n_clusters, values.shape[1]))
    for k, column in enumerate(values.T):
        sums[:, k] = np.bincount(codes, weights=column, minlength=n_clusters)
    return sums


def clustered_covariance(influence: Floats, codes: Integers, correction: float = 1.0) -> Floats:
    """Covariance of estimates from their influence functions, clustered (CRV1).

    Parameters
    ----------
    influence : ndarray, shape (units, estimates)
        Estimate − estimand ≈ mean of ``influence`` over units.
    codes : ndarray of int, shape (units,)
        Clusters.
    correction : float
        Small-sample factor.

    Returns
    -------
    ndarray, shape (estimates, estimates)
    """
    sums = cluster_sums(influence, codes) / len(influence)
    covariance: Floats = correction * (sums.T @ sums)
    return covariance


def covariance_rank(covariance: Floats) -> int:
    """Rank of a covariance matrix, judged by its correlations and so whatever the units.

    Parameters
    ----------
    covariance : ndarray, shape (estimates, estimates)
    """
    deviations = np.sqrt(np.diag(covariance))
    scale = np.where(deviations > 0, deviations, 1.0)
    correlation = covariance / scale / scale[:, None]
    return int(np.linalg.matrix_rank(correlation, rtol=SINGULAR, hermitian=True))


def small_sample_factor(groups: int, observations: int, parameters: int) -> float:
    r""":math:`\frac{G}{G-1}\frac{N-1}{N-K}` with G clusters, N observations and K parameters.

    ``nan`` where there are as many parameters as observations: no variance is left to estimate.
    """
    if observations <= parameters:
        return float("nan")
    return groups / (groups - 1) * (observations - 1) / (observations - parameters)


def few_treated_note(design: Design, codes: Integers) -> tuple[str, ...]:
    """What to say next to a clustered p-value when few clusters are treated; empty otherwise."""
    treated = design.count_clusters(codes, design.treated)
    total = design.count_clusters(codes)
    if treated >= FEW_TREATED_CLUSTERS:
        return ()
    verb = "is" if treated == 1 else "are"
    return (
        f"Only {treated} of {total} clusters {verb} treated: clustered errors are then too small "
        f"and this p-value rejects too often; use RandomizationInference for the headline.",
    )


def t_interval(estimate: Number, se: Number, df: float, level: float) -> tuple[Number, Number]:
    """Interval from the t distribution; normal where ``df`` is infinite."""
    quantile = _t_quantile(0.5 + level / 2, df)
    return estimate - quantile * se, estimate + quantile * se


def t_pvalue(estimate: float, se: float, df: float) -> float:
    """Two-sided p-value from the t distribution; normal where ``df`` is infinite."""
    if se == 0:
        return float("nan") if estimate == 0 else 0.0
    ratio = abs(estimate / se)
    if np.isinf(df):
        return erfc(ratio / sqrt(2))
    from scipy.special import stdtr

    return 2 * float(stdtr(df, -ratio))


def _t_quantile(probability: float, df: float) -> float:
    if np.isinf(df):
        return NormalDist().inv_cdf(probability)
    from scipy.special import stdtrit

    return float(stdtrit(df, probability))


def missing_note(estimate: float, se: float, further: Floats | None = None) -> tuple[str, ...]:
    """Why there is no standard error or no p-value; empty where there are both.

    ``further`` are the standard errors of effects beside the overall one.
    """
    if np.isnan(se):
        return ("No standard error: there are as many parameters as observations.",)
    if further is not None and np.isnan(further).any():
        return (
            "No standard error for some effects by event time: they take as many parameters as "
            "there are observations.",
        )
    if se == 0 and estimate == 0:
        return (
            "No p-value: estimate and standard error are both 0, since the outcome does not vary "
            "beyond what the model takes out.",
        )
    return ()


def effect_bounds(effects: pd.DataFrame, errors: Floats, df: float, level: float) -> pd.DataFrame:
    """Columns event_time, se, lower and upper from standard errors of the effects."""
    points = effects["estimate"].to_numpy(dtype=float)
    low, high = t_interval(points, errors, df, level)
    return pd.DataFrame(
        {"event_time": effects["event_time"], "se": errors, "lower": low, "upper": high}
    )


def analytic_result(
    name: str,
    estimate: float,
    effects: pd.DataFrame | Callable[[float], pd.DataFrame],
    covariance: Floats,
    *,
    df: float = np.inf,
    specification: Mapping[str, Any],
    notes: tuple[str, ...] = (),
    details: Mapping[str, Any] | None = None,
) -> InferenceResult:
    """Inference from a covariance matrix of (att, effects).

    Parameters
    ----------
    name : str
    estimate : float
        The overall effect.
    effects : DataFrame or callable
        Columns event_time and estimate, in the order of ``covariance``; or a function that gives
        the finished table (event_time, se, lower, upper) at a level.
    covariance : ndarray, shape (1 + effects, 1 + effects)
        Order: overall effect, then the rows of ``effects``.
    df : float
        Degrees of freedom of the t distribution; infinite for the normal.
    """
    errors = np.sqrt(np.clip(np.diag(covariance), 0, None))
    se = float(errors[0])
    return InferenceResult(
        name=name,
        se=se,
        pvalue=lambda: t_pvalue(estimate, se, df),
        bounds=lambda level: t_interval(estimate, se, df, level),
        effects=effects
        if callable(effects)
        else lambda level: effect_bounds(effects, errors[1:], df, level),
        notes=(*missing_note(estimate, se, errors[1:]), *notes),
        details={"covariance": covariance, "df": df, **(details or {})},
        specification=specification,
    )
