"""From a covariance matrix, or from bootstrap draws, to an inference result."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.covered import covered_effects
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.repeated import RepeatedTests, refits_with_effect
from jjjpolicy.estimation.results import (
    InvertedTest,
    WaldTest,
    effect_bounds,
    missing_note,
)
from jjjpolicy.estimation.rounding import resolution, standing
from jjjpolicy.estimation.variance import t_pvalue
from jjjpolicy.inference.permutation.inversion import holding_zero
from jjjpolicy.inference.permutation.ranks import rank_pvalue

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.estimation.results import EffectsAt
    from jjjpolicy.linalg.types import Floats, Integers


def influence_by(
    estimate: Estimate, codes: Integers, level: str, method: str, instead: str
) -> tuple[Floats, tuple[str, ...]]:
    """As :func:`influence_of`, for clusters that are not those of the estimate, with notes.

    ``codes`` are those of the clusters, ``level`` what they are called.
    """
    own = influence_of(estimate, method, instead)
    compact = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    found, notes = estimate.estimator.influence_by(estimate, compact, level)
    if found is not None and found is not estimate.influence:
        return found, notes
    scale = estimate.design.influence_scale
    if scale is not None and level != estimate.design.labels.unit:
        own = own / scale[:, None]
    return own, notes


def influence_of(estimate: Estimate, method: str, instead: str) -> Floats:
    """Influence functions of the overall effect and the effects by event time.

    Raises
    ------
    InferenceError
        The estimator has none.
    """
    if estimate.influence is None:
        raise InferenceError(
            f"{estimate.estimator.label} has no influence function, so that {method} does not "
            f"exist for it; use {instead}."
        )
    return estimate.influence


def covariance_result(
    estimate: Estimate,
    method: Inference,
    name: str,
    covariance: Floats,
    df: float | Floats,
    *,
    cohorts: EffectsAt | None = None,
    notes: tuple[str, ...] = (),
    details: dict[str, Any] | None = None,
) -> Estimate:
    """The estimate with standard errors from a covariance of (overall effect, effects).

    Parameters
    ----------
    estimate : Estimate
    method : Inference
    name : str
    covariance : ndarray, shape (1 + effects, 1 + effects)
    df : float or ndarray, shape (1 + effects,)
        Degrees of freedom of the t distribution, infinite for the normal.
    cohorts : callable, optional
        From a level to columns adoption, se, lower and upper.

    Raises
    ------
    InferenceError
        The variance of the overall effect is negative, which kernels and two-way clustering can
        give.
    """
    variances = np.diag(covariance)
    if variances[0] < 0:
        raise InferenceError(
            f"{name} gives a negative variance for this estimate; use a Bartlett kernel, cluster "
            f"in one dimension, or RandomizationInference."
        )
    noise = resolution(estimate.design.outcome)
    errors = standing(np.sqrt(np.where(variances < 0, np.nan, variances)), noise)
    freedom = np.broadcast_to(np.asarray(df, dtype=float), errors.shape)
    centre, se = estimate.att, float(errors[0])

    def effects(level: float) -> pd.DataFrame:
        table = covered_effects(estimate, len(errors))
        return effect_bounds(table, errors[1:], freedom[1:], level)

    return estimate.with_result(
        WaldTest(
            name=name,
            centre=centre,
            se=se,
            df=float(freedom[0]),
            effects=effects,
            cohorts=cohorts,
            notes=(*missing_note(se, errors[1:]), *notes),
            details={"covariance": covariance, "df": float(freedom[0]), **(details or {})},
            specification=method.specification(),
        )
    )


def tests_of_refits(
    method: Inference,
    estimator: Estimator,
    design: Design,
    adoptions: Floats,
    effects: Sequence[float],
) -> RepeatedTests | None:
    """Wald tests under many assignments with the standard errors that refits carry.

    None where those are not the errors of the method, which two single estimates tell.
    """
    refits = estimator.refit_many(design, adoptions[[0, -1]])
    freedom = np.inf
    for row in (0, -1):
        single = method.infer(estimator.fit(design.reassigned(adoptions[row]))).inference
        if refits.se is None or not isinstance(single, WaldTest):
            return None
        if single.se is None or not np.isclose(refits.se[row], single.se, rtol=1e-9, atol=0.0):
            return None
        freedom = single.df
    noise = resolution(design.outcome)
    pvalues = np.empty((len(adoptions), len(effects)))
    for column, effect in enumerate(effects):
        moved = refits_with_effect(estimator, design, adoptions, effect)
        assert moved.se is not None
        errors = standing(moved.se, noise)
        if np.isnan(errors).any():
            return None
        pairs = zip(moved.att.tolist(), errors.tolist(), strict=True)
        pvalues[:, column] = [t_pvalue(att, se, freedom) for att, se in pairs]
    return RepeatedTests(pvalues, pvalues.size)


def bootstrap_result(
    estimate: Estimate,
    method: Inference,
    name: str,
    deviations: Floats,
    errors: Floats,
    *,
    notes: tuple[str, ...],
    cohorts: Floats | None = None,
) -> Estimate:
    """Inference from bootstrap deviations of (overall effect, effects by event time).

    Parameters
    ----------
    estimate, method, name, notes
        As in :func:`covariance_result`.
    deviations : ndarray, shape (draws, 1 + effects)
        Bootstrap estimates minus estimates.
    errors : ndarray, shape (1 + effects,)
        Standard errors.
    cohorts : ndarray, shape (draws, adoption cohorts), optional
        Bootstrap estimates minus estimates by cohort.
    """
    magnitudes = np.abs(deviations)
    noise = resolution(estimate.design.outcome)
    errors = standing(errors, noise)
    varies = not np.isnan(errors[0])
    pvalue = rank_pvalue(estimate.att, deviations[:, 0], noise=noise) if varies else np.nan

    def bounds(level: float) -> tuple[float, float]:
        if not varies:
            return np.nan, np.nan
        reach = float(_quantile(magnitudes[:, :1], level)[0])
        return holding_zero((estimate.att - reach, estimate.att + reach), pvalue, level)

    def effects(level: float) -> pd.DataFrame:
        table = covered_effects(estimate, deviations.shape[1])
        points, spread = table["estimate"].to_numpy(dtype=float), errors[1:]
        if len(points) == 0:
            return pd.DataFrame(columns=["event_time", "se", "lower", "upper"])
        reach = np.where(np.isnan(spread), np.nan, _quantile(magnitudes[:, 1:], level))
        ratios = np.zeros((len(magnitudes), len(spread)))
        np.divide(magnitudes[:, 1:], spread, out=ratios, where=spread > 0)
        largest = ratios.max(axis=1)
        band = _quantile(largest[:, None], level)[0] * spread
        return pd.DataFrame(
            {
                "event_time": table["event_time"],
                "se": spread,
                "lower": points - reach,
                "upper": points + reach,
                "uniform_lower": points - band,
                "uniform_upper": points + band,
            }
        )

    return estimate.with_result(
        InvertedTest(
            name=name,
            se=float(errors[0]),
            pvalue=pvalue,
            bounds=bounds,
            effects=effects,
            cohorts=None if cohorts is None else partial(_cohort_bounds, estimate, cohorts),
            reference=deviations[:, 0],
            smallest_pvalue=1 / (1 + len(deviations)),
            notes=(*missing_note(float(errors[0]), errors[1:]), *notes),
            details={"deviations": deviations},
            specification=method.specification(),
        )
    )


def _cohort_bounds(estimate: Estimate, deviations: Floats, level: float) -> pd.DataFrame:
    table = estimate.cohort_effects
    assert table is not None
    reach = _quantile(np.abs(deviations), level)
    return table.assign(
        se=np.nanstd(deviations, axis=0, ddof=1),
        lower=table["estimate"] - reach,
        upper=table["estimate"] + reach,
    )


def _quantile(values: Floats, level: float) -> Floats:
    found: Floats = np.nanquantile(values, level, axis=0, method="higher")
    return found
