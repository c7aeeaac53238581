"""The regression behind an estimate: what several variance estimators take apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError

if TYPE_CHECKING:
    from jjjpolicy.did.regressions.fixed_effects import FixedEffectsFit
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats


def regression_of(estimate: Estimate, method: str, instead: str) -> tuple[FixedEffectsFit, Floats]:
    """The regression behind an estimate, and the rows that turn coefficients into estimates.

    Parameters
    ----------
    estimate : Estimate
    method, instead : str
        For the message: who needs the regression, and what works without.

    Raises
    ------
    InferenceError
        The estimate is not a regression with unit and period effects.
    """
    fit = estimate.details.get("regression")
    if fit is None:
        raise InferenceError(
            f"{method} needs the residuals and regressors of one regression with unit and period "
            f"effects, which {estimate.estimator.label} is not; use {instead}."
        )
    contrasts = estimate.details.get("contrasts")
    if contrasts is None:
        contrasts = np.eye(1, len(fit.coefficients))
    if not np.isclose(contrasts[0] @ fit.coefficients, estimate.att):
        raise InferenceError(
            f"the overall effect of {estimate.estimator.label} is not a combination of the "
            f"coefficients of its regression, which {method} needs; use {instead}."
        )
    return fit, contrasts


def cell_terms(fit: FixedEffectsFit, contrasts: Floats) -> Floats:
    """Contribution of every cell: estimate - estimand ≈ sum over cells.

    Shape (units, periods, estimates).
    """
    x, weights = fit.cells.regressors, fit.design.weights
    weighted = x if weights is None else x * weights[:, None, None]
    rows = np.linalg.solve(np.einsum("itk,itl->kl", weighted, x), contrasts.T)
    terms: Floats = (weighted * fit.cells.residuals[:, :, None]) @ rows
    return terms
