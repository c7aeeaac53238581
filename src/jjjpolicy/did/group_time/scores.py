"""One comparison of a treated group with controls in a panel: its ATT and influence function.

The three estimators of Sant'Anna and Zhao (2020) differ in whether they subtract a regression of
the controls' changes on covariates, and in whether they reweight controls by the odds of treatment;
one formula covers them. All changes that share treated units, controls and covariates are handled
at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    influence_of : callable
        Influence functions of combinations of the estimates, from (comparisons × combinations) and
        a slice of the observations to (observations × combinations): estimate − estimand ≈ mean
        over observations.
    trimmed : int
        Controls left without weight because their propensity score is above 0.995.
    """

    att: Floats
    influence_of: Callable[[Floats, slice], Floats]
    trimmed: int = 0

    @classmethod
    def of(cls, att: Floats, influence: Floats, trimmed: int = 0) -> Scores:
        """From the influence functions of the estimates, shape (observations, comparisons)."""
        return cls(att, lambda weights, rows: influence[rows] @ weights, trimmed)

    @property
    def influence(self) -> Floats:
        """Of the estimates themselves, shape (observations, comparisons)."""
        return self.influence_of(np.eye(len(self.att)), slice(None))

    def scaled(self, factor: float) -> Scores:
        """The same estimates with the influence functions times a factor."""
        return Scores(
            self.att,
            lambda weights, rows: self.influence_of(factor * weights, rows),
            self.trimmed,
        )


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
    return Scores.of(means[1] - means[0], influence)


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
    slopes: Floats = np.zeros((x.shape[1], changes.shape[1]))
    if method != "ipw":
        for_regression = weights * ~treated
        gram = checked_gram(x, for_regression, names, "among the controls")
        slopes[:] = np.linalg.solve(gram, (x * for_regression[:, None]).T @ changes)
    treated_mean = (for_treated @ changes - for_treated @ x @ slopes) / n
    if method == "or":
        target = for_treated @ x
        direct -= for_regression * (x @ np.linalg.solve(gram, target))
        influence_of = _influence(changes, x, slopes, direct, for_treated[None], treated_mean[None])
        return Scores(treated_mean, influence_of)

    propensity, information = propensity_scores(x, treated, weights, names)
    kept = treated | (propensity < TRIMMED_PROPENSITY)
    odds = np.where(treated, 0.0, propensity / (1.0 - propensity))
    if not (odds * kept).any():
        raise NotEstimable("every control has a propensity score above 0.995")
    for_controls = _share(weights * kept * odds)
    reweighted = x * for_controls[:, None]
    control_mean = (for_controls @ changes - for_controls @ x @ slopes) / n
    direct -= for_controls
    if method == "dr":
        target = (for_treated - for_controls) @ x
        direct -= for_regression * (x @ np.linalg.solve(gram, target))
    moments = reweighted.T @ changes - reweighted.T @ x @ slopes
    moments -= np.multiply.outer(reweighted.sum(axis=0), control_mean)
    surprise = weights * (treated - propensity)
    parts = np.vstack([for_treated, -for_controls, surprise * x.T])
    shifts = np.vstack([treated_mean, control_mean, np.linalg.solve(information, moments)])
    return Scores(
        treated_mean - control_mean,
        _influence(changes, x, slopes, direct, parts, shifts),
        trimmed=int((~kept).sum()),
    )


def _influence(
    changes: Floats, x: Floats, slopes: Floats, direct: Floats, parts: Floats, shifts: Floats
) -> Callable[[Floats, slice], Floats]:
    r"""Influence functions :math:`d_i (\Delta y_i - x_i'b) - p_i's`, p of shape (parts, units)."""

    def influence_of(weights: Floats, rows: slice) -> Floats:
        influence: Floats = weights.T @ changes.T[:, rows]
        influence -= (slopes @ weights).T @ x.T[:, rows]
        influence *= direct[rows]
        influence -= (shifts @ weights).T @ parts[:, rows]
        return influence.T

    return influence_of


def standardized(covariates: Floats) -> Floats:
    """A column of ones and the covariates, centred and scaled; the fit does not depend on it."""
    x = np.ones((1 + covariates.shape[1], len(covariates))).T
    for column, values in zip(x.T[1:], covariates.T, strict=True):
        np.subtract(values, values.mean(), out=column)
        spread = np.sqrt(column @ column / len(column))
        varies = spread > 1e-12 * np.abs(values).max()
        column *= 1 / spread if varies else 0.0
    return x


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
