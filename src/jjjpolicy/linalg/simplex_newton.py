r"""Penalised least squares on the simplex for many problems at once, by Newton's method.

For :math:`\min_w \tfrac12 \|D w\|^2 + \tfrac{r}{2} \|w\|^2` over the simplex the dual is

.. math:: \max_{\nu, \mu} \; \mu - \tfrac12 \|\nu\|^2
          - \tfrac1{2r} \sum_j \max(\mu - d_j'\nu, 0)^2,

concave, piecewise quadratic and of the dimension of the rows, with
:math:`w_j = \max(\mu - d_j'\nu, 0) / r`. A Newton step is exact as soon as the support is right, so
that a handful of steps solve the problem exactly (Qi and Sun 1993 on semismooth Newton methods).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.linalg.types import Floats

MAX_STEPS = 60


def ridge_weights(differences: Floats, ridge: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Minimise ``||D w||² + ridge ||w||²`` over ``w >= 0, sum(w) = 1`` for each problem.

    Parameters
    ----------
    differences : ndarray, shape (problems, rows, columns)
    ridge : ndarray, shape (problems,)
        Positive, and not negligible beside the squares of ``differences``.

    Returns
    -------
    weights : ndarray, shape (problems, columns)
    solved : ndarray of bool, shape (problems,)
        Whether the support came to rest, which makes the weights exact up to rounding.
    """
    problems, rows, columns = differences.shape
    scale = np.sqrt(ridge)[:, None, None]
    d = differences / scale
    weights = np.full((problems, columns), 1 / columns)
    solved = np.zeros(problems, dtype=bool)
    open_ = np.arange(problems)
    nu = np.matmul(d, weights[:, :, None])[:, :, 0]
    mu = np.full(problems, 1 / columns) + np.matmul(nu[:, None, :], d)[:, 0].mean(axis=1)
    slack = mu[:, None] - np.matmul(nu[:, None, :], d)[:, 0]
    value = _dual(nu, mu, slack)
    identity = np.eye(rows)
    for _ in range(MAX_STEPS):
        support = slack > 0
        part = d * support[:, None, :]
        total = part.sum(axis=2)
        inner = np.linalg.solve(
            identity + np.matmul(part, d.transpose(0, 2, 1)), total[:, :, None]
        )[:, :, 0]
        new_mu = 1 / (support.sum(axis=1) - (total * inner).sum(axis=1))
        new_nu = new_mu[:, None] * inner
        new_slack = new_mu[:, None] - np.matmul(new_nu[:, None, :], d)[:, 0]
        done = ((new_slack > 0) == support).all(axis=1)
        if done.any():
            found = np.maximum(new_slack[done], 0.0)
            weights[open_[done]] = found / found.sum(axis=1, keepdims=True)
            solved[open_[done]] = True
            keep = ~done
            if not keep.any():
                return weights, solved
            open_, d, nu, mu, slack, value = (
                array[keep] for array in (open_, d, nu, mu, slack, value)
            )
            new_nu, new_mu, new_slack = new_nu[keep], new_mu[keep], new_slack[keep]
        length = np.ones(len(open_))
        new_value = _dual(new_nu, new_mu, new_slack)
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
        share = length[:, None]
        nu, mu = nu + share * (new_nu - nu), mu + length * (new_mu - mu)
        slack, value = slack + share * (new_slack - slack), new_value
        # No support at all leaves nothing to solve for; the largest slack is let in.
        empty = ~(slack > 0).any(axis=1)
        if empty.any():
            mu[empty] += 1e-12 - slack[empty].max(axis=1)
            slack[empty] += (1e-12 - slack[empty].max(axis=1))[:, None]
            value = _dual(nu, mu, slack)
    return weights, solved


def _dual(nu: Floats, mu: Floats, slack: Floats) -> Floats:
    value: Floats = mu - ((nu**2).sum(axis=1) + (np.maximum(slack, 0.0) ** 2).sum(axis=1)) / 2
    return value
