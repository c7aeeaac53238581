"""Logistic regression by Newton's method, to machine precision and without randomness."""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.types import Floats

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
    Newton steps that move some index by more than one are halved while they lower the likelihood;
    shorter ones raise it. Convergence is quadratic, so that stopping after a step below 1e-9 leaves
    an error of the order of rounding.
    """
    coefficients, index = np.zeros(regressors.shape[1]), np.zeros(len(successes))
    sign = 1.0 - 2.0 * successes
    for _ in range(MAX_STEPS):
        fitted = probabilities(index)
        information = (regressors * (weights * fitted * (1.0 - fitted))[:, None]).T @ regressors
        score = (weights * (successes - fitted)) @ regressors
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return coefficients, False
        change = regressors @ step
        if not np.isfinite(change).all():
            return coefficients, False
        if np.abs(change).max() > 1.0:
            scale = _safe_scale(sign, index, change, weights)
            step, change = scale * step, scale * change
        coefficients, index = coefficients + step, index + change
        if np.abs(step).max() < 1e-9 * (1.0 + np.abs(coefficients).max()):
            return coefficients, True
    return coefficients, False


def _safe_scale(sign: Floats, index: Floats, change: Floats, weights: Floats) -> float:
    """Share of a step that does not lower the likelihood."""
    loss, scale = _loss(sign, index, weights), 1.0
    while scale > 1e-6 and not _loss(sign, index + scale * change, weights) <= loss * (1 + 1e-12):
        scale /= 2.0
    return scale


def probabilities(index: Floats) -> Floats:
    """The logistic function, without overflow."""
    from scipy.special import expit

    fitted: Floats = expit(index)
    return fitted


def _loss(sign: Floats, index: Floats, weights: Floats) -> float:
    return float(weights @ np.logaddexp(0.0, sign * index))
