"""Gaps to a path without treatment, fitted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jjjpolicy.errors import InferenceError

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.linalg.types import Floats


def gaps(estimator: Estimator, design: Design, method: str) -> Floats:
    """Average gap of the treated units in each period of a design, shape (periods,).

    Raises
    ------
    InferenceError
        The estimator fits no path without treatment: its effects before treatment, if it has any,
        are no residuals of a fit.
    """
    refits = estimator.refit(design)
    if refits.effects is None or refits.pre_rmspe is None:
        raise InferenceError(
            f"{estimator.label} fits no path of the outcome without treatment, whose residuals "
            f"{method} needs; use RandomizationInference or PlaceboUnits, or a synthetic control."
        )
    if refits.effects.shape[1] != design.n_periods:
        raise InferenceError(
            f"{estimator.label} has no gap for every period, as {method} needs; use "
            f"RandomizationInference or PlaceboUnits."
        )
    found: Floats = refits.effects[0]
    return found
