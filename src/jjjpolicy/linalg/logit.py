"""Logistic regression by Newton's method, to machine precision and without randomness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_STEPS = 60


def fit_logit(regressors: Floats, successes: Floats, weights: Floats) -> tuple[Floats, bool]:
    r"""Maximum likelihood fit of :math:`P(y = 1 | x) = 1 / (1 + e^{-x'\beta})`.

    Parameters
    ----------
    regressors : ndarray, shape (observations, coefficients)
        With a column of ones if an intercept is wanted; of full column rank.
    successes : ndarray, shape (observations,)
        Zeros and ones.
    weights : ndarray, shape (observations,)

    Returns
    -------
    coefficients : ndarray, shape (coefficients,)
    converged : bool
        False where no maximum exists, because the regressors separate zeros from ones.

    Notes
    -----
    Newton steps are halved while they lower the likelihood. Convergence is quadratic, so that
    stopping after a step below 1e-9 leaves an error of the order of rounding.
    """
    coefficients = np.zeros(regressors.shape[1])
    sign = 1.0 - 2.0 * successes
    loss = _loss(sign, np.zeros(len(successes)), weights)
    for _ in range(MAX_STEPS):
        fitted = probabilities(regressors @ coefficients)
        information = (regressors * (weights * fitted * (1.0 - fitted))[:, None]).T @ regressors
        score = (weights * (successes - fitted)) @ regressors
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return coefficients, False
        scale = 1.0
        while scale > 1e-6:
            trial = coefficients + scale * step
            new_loss = _loss(sign, regressors @ trial, weights)
            if new_loss <= loss + 1e-12 * abs(loss):
                break
            scale /= 2.0
        coefficients, loss = trial, new_loss
        if np.abs(step).max() < 1e-9 * (1.0 + np.abs(coefficients).max()):
            return coefficients, True
        if not np.isfinite(loss) or loss < 1e-9 * float(weights.sum()):
            return coefficients, False
    return coefficients, False


def probabilities(index: Floats) -> Floats:
    """The logistic function, without overflow."""
    from scipy.special import expit

    fitted: Floats = expit(index)
    return fitted


def _loss(sign: Floats, index: Floats, weights: Floats) -> float:
    return float(weights @ np.logaddexp(0.0, sign * index))
