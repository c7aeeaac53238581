"""One comparison of a treated group with controls in a panel: its ATT and influence function.

The three estimators of Sant'Anna and Zhao (2020) differ in whether they subtract a regression of
the controls' changes on covariates, and in whether they reweight controls by the odds of treatment;
one formula covers them. All changes that share treated units, controls and covariates are handled
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from jjjpolicy.linalg.logit import fit_logit, probabilities
from jjjpolicy.linalg.twoway import independent_columns

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats

Method = Literal["dr", "ipw", "or"]

LARGEST_PROPENSITY = 0.999
TRIMMED_PROPENSITY = 0.995


class NotEstimable(Exception):
    """A comparison cannot be made; the message says why, and ``positions`` which rows cause it."""

    def __init__(self, reason: str, positions: Sequence[int] = ()) -> None:
        super().__init__(reason)
        self.positions = positions


@dataclass(frozen=True, eq=False)
class Scores:
    """Estimates of several comparisons on the same observations.

    Attributes
    ----------
    att : ndarray, shape (comparisons,)
    influence : ndarray, shape (observations, comparisons)
        Estimate − estimand ≈ mean over observations.
    trimmed : int
        Controls left without weight because their propensity score is above 0.995.
    """

    att: Floats
    influence: Floats
    trimmed: int = 0

    def scaled(self, factor: float) -> Scores:
        """The same estimates with the influence functions times a factor."""
        return Scores(self.att, self.influence * factor, self.trimmed)


def mean_scores(changes: Floats, treated: Booleans, weights: Floats) -> Scores:
    """Difference of mean changes between treated and control units.

    Parameters
    ----------
    changes : ndarray, shape (units, comparisons)
    treated : ndarray of bool, shape (units,)
    weights : ndarray, shape (units,)
    """
    for_treated, for_controls = _share(weights * treated), _share(weights * ~treated)
    n = len(treated)
    means = np.stack([for_controls @ changes, for_treated @ changes]) / n
    influence = changes - means[treated.astype(np.int64)]
    influence *= (for_treated - for_controls)[:, None]
    return Scores(att=means[1] - means[0], influence=influence)


def adjusted_scores(
    changes: Floats,
    treated: Booleans,
    covariates: Floats,
    weights: Floats,
    method: Method,
    names: Sequence[str],
) -> Scores:
    r"""Difference of mean changes, adjusted for covariates.

    With :math:`r = \Delta y - x'\hat\beta` (``or``, ``dr``; :math:`\hat\beta` from the controls) or
    :math:`r = \Delta y` (``ipw``), and :math:`\hat p` the logit propensity score,

    .. math:: \widehat{ATT} = \frac{\sum_i w_i D_i r_i}{\sum_i w_i D_i}
        - \frac{\sum_i v_i r_i}{\sum_i v_i}, \qquad
        v_i = w_i \frac{\hat p_i (1 - D_i)}{1 - \hat p_i},

    the second term being absent for ``or``. Influence functions account for the estimation of
    :math:`\hat\beta` and :math:`\hat p`; these are ``drdid_panel``, ``std_ipw_did_panel`` and
    ``reg_did_panel`` of the R package DRDID.

    Parameters
    ----------
    changes : ndarray, shape (units, comparisons)
    treated : ndarray of bool, shape (units,)
    covariates : ndarray, shape (units, covariates)
        Without a constant.
    weights : ndarray, shape (units,)
    method : {"dr", "ipw", "or"}
    names : sequence of str
        One per covariate, for messages.

    Raises
    ------
    NotEstimable
        Covariates that are collinear, or propensity scores at 1.
    """
    n = len(treated)
    x = standardized(covariates)
    for_treated = _share(weights * treated)
    direct = for_treated.copy()
    residuals = changes
    if method != "ipw":
        for_regression = weights * ~treated
        gram = checked_gram(x, for_regression, names, "among the controls")
        residuals = changes - x @ np.linalg.solve(gram, (x * for_regression[:, None]).T @ changes)
    treated_mean = for_treated @ residuals / n

    if method == "or":
        target = for_treated @ x
        direct -= for_regression * (x @ np.linalg.solve(gram, target))
        influence = direct[:, None] * residuals
        influence -= np.multiply.outer(for_treated, treated_mean)
        return Scores(att=treated_mean, influence=influence)

    propensity, information = propensity_scores(x, treated, weights, names)
    kept = treated | (propensity < TRIMMED_PROPENSITY)
    odds = np.where(treated, 0.0, propensity / (1.0 - propensity))
    if not (odds * kept).any():
        raise NotEstimable("every control has a propensity score above 0.995")
    for_controls = _share(weights * kept * odds)
    control_mean = for_controls @ residuals / n
    direct -= for_controls
    if method == "dr":
        target = (for_treated - for_controls) @ x
        direct -= for_regression * (x @ np.linalg.solve(gram, target))
    moments = x.T @ (for_controls[:, None] * (residuals - control_mean))
    influence = direct[:, None] * residuals
    influence -= np.multiply.outer(for_treated, treated_mean)
    influence += np.multiply.outer(for_controls, control_mean)
    surprise = weights * (treated - propensity)
    influence -= surprise[:, None] * (x @ np.linalg.solve(information, moments))
    return Scores(att=treated_mean - control_mean, influence=influence, trimmed=int((~kept).sum()))


def standardized(covariates: Floats) -> Floats:
    """A column of ones and the covariates, centred and scaled; the fit does not depend on it."""
    centred = covariates - covariates.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    size = np.abs(covariates).max(axis=0)
    varies = spread > 1e-12 * size
    centred = np.where(varies, centred / np.where(varies, spread, 1.0), 0.0)
    return np.column_stack([np.ones(len(centred)), centred])


def checked_gram(x: Floats, weights: Floats, names: Sequence[str], where: str) -> Floats:
    """X'WX, or `NotEstimable` naming the covariates that are collinear."""
    gram: Floats = (x * weights[:, None]).T @ x
    kept = independent_columns(gram)
    if len(kept) < len(gram):
        dependent = [name for j, name in enumerate(names, start=1) if j not in kept]
        raise NotEstimable(
            f"covariate {', '.join(map(repr, dependent))} is constant or a linear combination of "
            f"the other covariates {where}"
        )
    return gram


def propensity_scores(
    x: Floats, treated: Booleans, weights: Floats, names: Sequence[str]
) -> tuple[Floats, Floats]:
    """Fitted logit probabilities of treatment and the information matrix of the coefficients.

    Raises
    ------
    NotEstimable
        Covariates that are collinear, or a probability of at least 0.999.
    """
    checked_gram(x, weights, names, "among treated and controls")
    coefficients, converged = fit_logit(x, treated.astype(float), weights)
    propensity = probabilities(x @ coefficients)
    for score, extreme in (
        (1, propensity >= LARGEST_PROPENSITY),
        (0, (propensity <= 1 - LARGEST_PROPENSITY) & (not converged)),
    ):
        if extreme.any():
            raise NotEstimable(
                f"the covariates tell treated from control units (propensity score at {score})",
                np.flatnonzero(extreme).tolist(),
            )
    if not converged:
        raise NotEstimable("the propensity score has no maximum of its likelihood")
    information: Floats = (x * (weights * propensity * (1.0 - propensity))[:, None]).T @ x
    return propensity, information


def _share(weights: Floats) -> Floats:
    """Weights scaled to a mean of one."""
    share: Floats = weights * (len(weights) / weights.sum())
    return share
