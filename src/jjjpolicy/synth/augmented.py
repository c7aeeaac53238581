"""Augmented synthetic control with ridge regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jjjpolicy.linalg.choice import first_smallest
from jjjpolicy.linalg.simplex import simplex_least_squares
from jjjpolicy.linalg.types import Floats
from jjjpolicy.synth.counterfactual.requirements import require_penalty
from jjjpolicy.synth.weights.donor_regression import DonorFit, DonorRegression, Task


@dataclass(frozen=True)
class AugmentedSyntheticControl(DonorRegression):
    r"""Synthetic control whose remaining imbalance a ridge regression removes.

    With :math:`X_0` the donors' pre-treatment outcomes less their average and :math:`w` the
    simplex weights, the weights become

    .. math:: w + X_0 (X_0'X_0 + \lambda I)^{-1} (x_1 - X_0'w)

    (Ben-Michael, Feller and Rothstein 2021, lemma 1). They sum to one and may be negative.
    Covariates (pre-treatment means) are regressed out of the outcomes first and then balanced
    exactly (section 6.1).

    Parameters
    ----------
    penalty : float, optional
        Ridge penalty; by default cross-validated, leaving out one pre-treatment period at a time.
    one_standard_error : bool
        Take the largest penalty within one standard error of the smallest error, or the smallest.
    """

    penalty: float | None = None
    one_standard_error: bool = True
    minimum_pre_periods = 3

    def __post_init__(self) -> None:
        require_penalty("penalty", self.penalty)

    @property
    def chosen_before_treatment(self) -> bool:
        """Weights and penalty are."""
        return True

    def weigh(self, task: Task) -> DonorFit:
        """Weights of one treated unit."""
        pool = task.pool[task.before].T
        centre = pool.mean(axis=0)
        x0, x1 = pool - centre, task.path[task.before] - centre
        middle, spread = task.pool_covariates.mean(axis=0), task.pool_covariates.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        z0, z1 = (task.pool_covariates - middle) / scale, (task.covariates - middle) / scale
        projection = np.linalg.pinv(z0)
        coefficients = projection @ x0
        x0, x1 = x0 - z0 @ coefficients, x1 - z1 @ coefficients
        penalty = self._chosen(x0, x1) if self.penalty is None else self.penalty
        base = simplex_least_squares(x0.T, x1).weights
        weights = base + ridge_corrections(x0, x1 - base @ x0, np.array([penalty]))[0]
        weights = weights + (z1 - weights @ z0) @ projection
        return DonorFit(weights, facts={"penalty": penalty})

    def _chosen(self, x0: Floats, x1: Floats) -> float:
        largest = float(np.linalg.norm(x0, 2) ** 2)
        grid = largest * np.logspace(0, -8, 21)
        errors = np.empty((x0.shape[1], len(grid)))
        for t in range(x0.shape[1]):
            rest = np.delete(x0, t, axis=1)
            target = np.delete(x1, t)
            base = simplex_least_squares(rest.T, target).weights
            weights = base + ridge_corrections(rest, target - base @ rest, grid)
            errors[t] = (x1[t] - weights @ x0[:, t]) ** 2
        mean = errors.mean(axis=0)
        best = first_smallest(mean)
        if not self.one_standard_error:
            return float(grid[best])
        bound = mean[best] + errors[:, best].std(ddof=1) / np.sqrt(len(errors))
        return float(grid[mean <= bound].max())


def ridge_corrections(x0: Floats, imbalance: Floats, penalties: Floats) -> Floats:
    """Changes of the weights that ridge regression makes for an imbalance.

    Directions in which the donors do not differ beyond rounding are left alone, so that a penalty
    of zero gives the smallest of the changes that remove the imbalance as far as possible.

    Parameters
    ----------
    x0 : ndarray, shape (donors, periods)
    imbalance : ndarray, shape (periods,)
    penalties : ndarray, shape (penalties,)

    Returns
    -------
    ndarray, shape (penalties, donors)
    """
    left, values, right = np.linalg.svd(x0, full_matrices=False)
    some = values > 1e-12 * values.max(initial=0.0)
    shares = values[some] / (values[some] ** 2 + penalties[:, None])
    corrections: Floats = (shares * (right[some] @ imbalance)) @ left[:, some].T
    return corrections
