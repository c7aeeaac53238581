"""Variances from influence functions, and intervals and p-values from variances."""

from __future__ import annotations

from math import erfc, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

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


def few_treated(design: Design, codes: Integers) -> bool:
    """Whether few clusters are treated, and others are not."""
    treated, total = _treated_clusters(design, codes)
    return _few(treated, total)


def few_treated_note(design: Design, codes: Integers) -> tuple[str, ...]:
    """What to say next to a clustered p-value when few clusters are treated; empty otherwise."""
    treated, total = _treated_clusters(design, codes)
    if _few(treated, total):
        verb = "is" if treated == 1 else "are"
        return (
            f"Only {treated} of {total} clusters {verb} treated: clustered errors are then too "
            f"small and this p-value rejects too often; use RandomizationInference for the "
            f"headline.",
        )
    if total < FEW_TREATED_CLUSTERS:
        return (
            f"Each of the {total} clusters has treated units: there is no untreated cluster, and "
            f"corrections for few treated ones do not apply.",
        )
    return ()


def _few(treated: int, total: int) -> bool:
    return treated < min(FEW_TREATED_CLUSTERS, total)


def _treated_clusters(design: Design, codes: Integers) -> tuple[int, int]:
    return design.count_clusters(codes, design.treated), design.count_clusters(codes)


def lone_cohorts_note(
    design: Design, codes: Integers, level: str, cohorts: Floats
) -> tuple[str, ...]:
    """What to say where cohorts whose effects are centred on their own mean are single clusters."""
    return tuple(
        f"cohort {design.labels.clock.name(cohort)} is a single {level}: its own variation "
        f"cannot be estimated, and standard errors with it are too small. Use randomisation "
        f"inference."
        for cohort in np.unique(cohorts)
        if np.isfinite(cohort) and _lone(design, codes, design.adoption == cohort)
    )


def _lone(design: Design, codes: Integers, rows: Booleans) -> bool:
    first, last = rows.argmax(), len(rows) - 1 - rows[::-1].argmax()
    return bool(codes[first] == codes[last]) and design.count_clusters(codes, rows) == 1


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
