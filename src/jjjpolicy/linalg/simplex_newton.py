r"""Penalised least squares on the simplex for many problems at once, by Newton's method.

For :math:`\min_w \tfrac12 \|D w\|^2 + \tfrac{r}{2} \|w\|^2` over the simplex the dual is

.. math:: \max_{\nu, \mu} \; \mu - \tfrac12 \|\nu\|^2
          - \tfrac1{2r} \sum_j \max(\mu - d_j'\nu, 0)^2,

concave, piecewise quadratic and of the dimension of the rows, with
:math:`w_j = \max(\mu - d_j'\nu, 0) / r`. A Newton step is exact as soon as the support is right, so
that a handful of steps solve the problem exactly (Qi and Sun 1993 on semismooth Newton methods).
The problems have their columns in common but for the target, :math:`d_j = p_j - b`, so that a step
of all of them is a few products of matrices.
"""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.moments import sums_of_products
from jjjpolicy.linalg.types import Booleans, Floats

MAX_STEPS = 60
BATCH_CELLS = 130_000
"""Problems times points that are worked on at once."""

NOT_ALLOWED = -1e300


def ridge_weights(
    points: Floats, targets: Floats, ridge: Floats, allowed: Booleans | None = None
) -> tuple[Floats, Booleans]:
    """Minimise ``||sum_j w_j p_j - b||² + ridge ||w||²`` over ``w >= 0, sum(w) = 1``.

    Parameters
    ----------
    points : ndarray, shape (points, coordinates)
        With the origin among them, or digits are lost.
    targets : ndarray, shape (problems, coordinates)
    ridge : ndarray, shape (problems,)
        Positive, and not negligible beside the squared distances of points and target.
    allowed : ndarray of bool, shape (problems, points), optional
        Points that may have weight; all by default.

    Returns
    -------
    weights : ndarray, shape (problems, points)
    solved : ndarray of bool, shape (problems,)
        Whether the support came to rest, which makes the weights exact up to rounding.
    """
    if allowed is None:
        allowed = np.ones((len(targets), len(points)), dtype=bool)
    weights = np.zeros(allowed.shape)
    solved = np.zeros(len(targets), dtype=bool)
    step = max(1, BATCH_CELLS // len(points))
    for start in range(0, len(targets), step):
        part = slice(start, start + step)
        weights[part], solved[part] = _newton(points, targets[part], ridge[part], allowed[part])
    return weights, solved


def _newton(
    points: Floats, targets: Floats, ridge: Floats, allowed: Booleans
) -> tuple[Floats, Booleans]:
    scale = np.sqrt(ridge)[:, None]
    weights = allowed / allowed.sum(axis=1, keepdims=True)
    solved = np.zeros(len(targets), dtype=bool)
    open_ = np.arange(len(targets))
    nu = (weights @ points - targets) / scale
    mu = (weights**2).sum(axis=1) + (nu * nu).sum(axis=1)
    slack = _slack(points, targets, scale, allowed, nu, mu)
    value = _dual(nu, mu, slack)
    identity = np.eye(points.shape[1])
    for _ in range(MAX_STEPS):
        support = slack > 0
        chosen = support.astype(float)
        count = chosen.sum(axis=1)
        sums = chosen @ points
        rest = sums - count[:, None] * targets
        total = rest / scale
        outer = sums_of_products(points, chosen)
        outer -= sums[:, :, None] * targets[:, None, :] + targets[:, :, None] * rest[:, None, :]
        matrix = identity + outer / (scale**2)[:, :, None]
        inner = np.linalg.solve(matrix, total[:, :, None])[:, :, 0]
        new_mu = 1 / (count - (total * inner).sum(axis=1))
        new_nu = new_mu[:, None] * inner
        new_slack = _slack(points, targets, scale, allowed, new_nu, new_mu)
        done = ((new_slack > 0) == support).all(axis=1)
        if done.any():
            found = np.maximum(new_slack[done], 0.0)
            weights[open_[done]] = found / found.sum(axis=1, keepdims=True)
            solved[open_[done]] = True
            keep = ~done
            if not keep.any():
                break
            open_, targets, scale, allowed, nu, mu, slack, value, new_nu, new_mu, new_slack = (
                array[keep]
                for array in (
                    open_, targets, scale, allowed, nu, mu, slack, value, new_nu, new_mu, new_slack
                )
            )  # fmt: skip
        new_value = _dual(new_nu, new_mu, new_slack)
        length = np.ones(len(open_))
        for _ in range(30):
            short = new_value <= value
            if not short.any():
                break
            length[short] /= 2
            share = length[:, None]
            tried = _dual(
                nu + share * (new_nu - nu),
                mu + length * (new_mu - mu),
                slack + share * (new_slack - slack),
            )
            new_value = np.where(short, tried, new_value)
        if (length < 1).any():
            share = length[:, None]
            new_nu, new_mu = nu + share * (new_nu - nu), mu + length * (new_mu - mu)
            new_slack = slack + share * (new_slack - slack)
        nu, mu, slack, value = new_nu, new_mu, new_slack, new_value
        # No support at all leaves nothing to solve for; the largest slack is let in.
        empty = ~(slack > 0).any(axis=1)
        if empty.any():
            mu[empty] += 1e-12 - slack[empty].max(axis=1)
            slack[empty] += (1e-12 - slack[empty].max(axis=1))[:, None]
            value = _dual(nu, mu, slack)
    return weights, solved


def _slack(
    points: Floats, targets: Floats, scale: Floats, allowed: Booleans, nu: Floats, mu: Floats
) -> Floats:
    """``mu - d_j' nu``, of a value that is never positive where a point is not allowed."""
    direction = nu / scale
    slack: Floats = (mu + (direction * targets).sum(axis=1))[:, None] - direction @ points.T
    slack[~allowed] = NOT_ALLOWED
    return slack


def _dual(nu: Floats, mu: Floats, slack: Floats) -> Floats:
    value: Floats = mu - ((nu**2).sum(axis=1) + (np.maximum(slack, 0.0) ** 2).sum(axis=1)) / 2
    return value
