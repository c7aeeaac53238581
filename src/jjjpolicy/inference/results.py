"""From a covariance matrix to an inference result, with the effects it covers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference, InferenceResult
from jjjpolicy.estimation.variance import missing_note, t_interval, t_pvalue

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats


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


def covered_effects(estimate: Estimate, columns: int) -> pd.DataFrame:
    """The effects by event time behind the columns after the first, in their order."""
    if columns == 1:
        return pd.DataFrame({"event_time": np.empty(0, dtype=np.int64), "estimate": np.empty(0)})
    table = estimate.effects[["event_time", "estimate"]]
    if "event_times" not in estimate.details:
        return table
    return table[np.isin(table["event_time"], estimate.details["event_times"])]


def covariance_result(
    estimate: Estimate,
    method: Inference,
    name: str,
    covariance: Floats,
    df: float | Floats,
    *,
    cohorts: Callable[[float], pd.DataFrame] | None = None,
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
    errors = np.sqrt(np.where(variances < 0, np.nan, variances))
    freedom = np.broadcast_to(np.asarray(df, dtype=float), errors.shape)
    se = float(errors[0])

    def effects(level: float) -> pd.DataFrame:
        table = covered_effects(estimate, len(errors))
        bounds = [
            t_interval(float(point), float(error), float(n), level)
            for point, error, n in zip(table["estimate"], errors[1:], freedom[1:], strict=True)
        ]
        lower, upper = np.array(bounds).reshape(-1, 2).T
        return pd.DataFrame(
            {"event_time": table["event_time"], "se": errors[1:], "lower": lower, "upper": upper}
        )

    return estimate.with_result(
        InferenceResult(
            name=name,
            se=se,
            pvalue=lambda: t_pvalue(estimate.att, se, float(freedom[0])),
            bounds=lambda level: t_interval(estimate.att, se, float(freedom[0]), level),
            effects=effects,
            cohorts=cohorts,
            notes=(*missing_note(estimate.att, se), *notes),
            details={"covariance": covariance, "df": float(freedom[0]), **(details or {})},
            specification=method.specification(),
        )
    )
