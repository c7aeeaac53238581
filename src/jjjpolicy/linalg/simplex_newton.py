r"""Penalised least squares on the simplex for many problems at once, by Newton's method.

For :math:`\min_w \tfrac12 \|D w\|^2 + \tfrac{r}{2} \|w\|^2` over the simplex the dual is

.. math:: \max_{\nu, \mu} \; \mu - \tfrac12 \|\nu\|^2
          - \tfrac1{2r} \sum_j \max(\mu - d_j'\nu, 0)^2,

concave, piecewise quadratic and of the dimension of the rows, with
:math:`w_j = \max(\mu - d_j'\nu, 0) / r`. A Newton step is exact as soon as the support is right, so
that a handful of steps solve the problem exactly (Qi and Sun 1993 on semismooth Newton methods).

The problems share their columns and differ in their targets, :math:`d_j = a_j - b`, and in the
columns that may have weight, so that sums over supports are products of matrices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.linalg.types import Floats

MAX_STEPS = 60
BATCH_CELLS = 130_000
"""Problems × columns that are worked on at a time: what stays in the processor's cache."""

Booleans = NDArray[np.bool_]


def ridge_weights(
    columns: Floats, targets: Floats, allowed: Booleans, ridge: Floats
) -> tuple[Floats, Booleans]:
    """Minimise ``||A w - b||² + ridge ||w||²`` over ``w >= 0, sum(w) = 1`` for each problem.

    Parameters
    ----------
    columns : ndarray, shape (columns, rows)
        The columns of ``A``.
    targets : ndarray, shape (problems, rows)
    allowed : ndarray of bool, shape (problems, columns)
        Columns that may have weight; at least one in each problem.
    ridge : ndarray, shape (problems,)
        Positive, and not negligible beside the squared distances of the columns to the targets.

    Returns
    -------
    weights : ndarray, shape (problems, columns)
    solved : ndarray of bool, shape (problems,)
        Whether the support came to rest, which makes the weights exact up to rounding.
    """
    rows = columns.shape[1]
    upper = np.triu_indices(rows)
    moments = np.column_stack(
        [columns[:, upper[0]] * columns[:, upper[1]], columns, np.ones(len(columns))]
    )
    weights, solved = np.zeros(allowed.shape), np.zeros(len(allowed), dtype=bool)
    step = max(1, BATCH_CELLS // len(columns))
    for start in range(0, len(allowed), step):
        part = slice(start, start + step)
        _solve_batch(
            columns, moments, targets[part], allowed[part], ridge[part], weights[part], solved[part]
        )
    return weights, solved


def _solve_batch(
    columns: Floats,
    moments: Floats,
    targets: Floats,
    allowed: Booleans,
    ridge: Floats,
    weights: Floats,
    solved: Booleans,
) -> None:
    """Fill in weights and whether they are solved; in units in which the penalty is one."""
    rows = columns.shape[1]
    upper = np.triu_indices(rows)
    open_, root = np.arange(len(allowed)), np.sqrt(ridge)
    target = targets / root[:, None]

    def sums(support: Booleans) -> tuple[Floats, Floats, Floats]:
        """Number, sum and products of the differences in the support."""
        added = support.astype(float) @ moments
        count, scale = added[:, -1], root[:, None]
        plain = added[:, -1 - rows : -1] / scale
        products = np.empty((len(added), rows, rows))
        products[:, upper[0], upper[1]] = added[:, : -1 - rows] / scale**2
        products[:, upper[1], upper[0]] = products[:, upper[0], upper[1]]
        crossed = plain[:, :, None] * target[:, None, :]
        products -= crossed + crossed.transpose(0, 2, 1)
        products += count[:, None, None] * target[:, :, None] * target[:, None, :]
        return count, plain - count[:, None] * target, products

    def slacks(nu: Floats, mu: Floats) -> Floats:
        """Weights where positive; below zero for columns that may have none."""
        found = (mu + np.einsum("pr,pr->p", target, nu))[:, None] - (nu / root[:, None]) @ columns.T
        return np.where(allowed, found, -1.0)

    count = allowed.sum(axis=1)
    nu = (allowed @ columns) / (count * root)[:, None] - target
    mu = 1 / count + np.einsum("pr,pr->p", nu, nu)
    slack = slacks(nu, mu)
    value = _dual(nu, mu, slack)
    identity = np.eye(rows)
    for _ in range(MAX_STEPS):
        support = slack > 0
        count, total, products = sums(support)
        inner = np.linalg.solve(identity + products, total[:, :, None])[:, :, 0]
        new_mu = 1 / (count - (total * inner).sum(axis=1))
        new_nu = new_mu[:, None] * inner
        new_slack = slacks(new_nu, new_mu)
        done = ((new_slack > 0) == support).all(axis=1)
        if done.any():
            found = np.maximum(new_slack[done], 0.0)
            weights[open_[done]] = found / found.sum(axis=1, keepdims=True)
            solved[open_[done]] = True
            keep = ~done
            if not keep.any():
                return
            open_, root, target, allowed, nu, mu, slack, value = (
                array[keep] for array in (open_, root, target, allowed, nu, mu, slack, value)
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
            most = np.where(allowed[empty], slack[empty], -np.inf).max(axis=1)
            mu[empty] += 1e-12 - most
            slack[empty] = slacks(nu, mu)[empty]
            value = _dual(nu, mu, slack)


def _dual(nu: Floats, mu: Floats, slack: Floats) -> Floats:
    positive = np.maximum(slack, 0.0)
    value: Floats = mu - ((nu**2).sum(axis=1) + np.einsum("pc,pc->p", positive, positive)) / 2
    return value
