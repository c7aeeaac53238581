"""Treatment net of unit effects, period effects and covariates: what a regression weights by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.linalg.twoway import independent_columns, two_way_demean

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats


def design_of(source: Design | Estimate) -> Design:
    """The design behind an estimate, or one as given, without units that have no change."""
    design = source.design if isinstance(source, Estimate) else source
    return design.followed()


def residual_treatment(design: Design) -> Floats:
    """Residuals of treatment from unit effects, period effects and covariates.

    By the Frisch-Waugh-Lovell theorem the coefficient of treatment is the sum of residual times
    outcome over the sum of squared residuals, weighted like the regression.

    Returns
    -------
    ndarray, shape (units, periods)
        Zero in absent cells.

    Raises
    ------
    DesignError
        Nothing of treatment is left.
    """
    columns = [design.treatment.astype(float), *design.covariates.values()]
    stacked = np.stack(columns, axis=2)
    stacked[~design.observed] = np.nan
    demeaned = np.nan_to_num(two_way_demean(stacked, design.weights), nan=0.0)
    treatment, covariates = demeaned[:, :, 0], demeaned[:, :, 1:]
    weights = np.ones(design.n_units) if design.weights is None else design.weights
    before = float(weights @ (treatment**2).sum(axis=1))
    if covariates.shape[2]:
        weighted = covariates * weights[:, None, None]
        gram = np.einsum("itk,itl->kl", weighted, covariates)
        kept = independent_columns(gram)
        _warn_of_collinear(list(design.covariates), kept)
        slopes = np.linalg.solve(
            gram[np.ix_(kept, kept)], np.einsum("itk,it->k", weighted[:, :, kept], treatment)
        )
        treatment = treatment - covariates[:, :, kept] @ slopes
    if float(weights @ (treatment**2).sum(axis=1)) <= 1e-10 * max(before, 1e-300):
        raise DesignError(
            "treatment does not vary once unit effects, period effects and covariates are taken "
            "out: there is no coefficient to take apart."
        )
    return treatment


def _warn_of_collinear(names: list[str], kept: list[int]) -> None:
    dropped = [name for k, name in enumerate(names) if k not in kept]
    if dropped:
        warn_user(
            f"left out as collinear with the fixed effects and the covariates before them: "
            f"{', '.join(dropped)}",
        )
