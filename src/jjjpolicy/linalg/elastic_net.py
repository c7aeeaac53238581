r"""Elastic net for many outcomes and penalties at once, by Newton's method on the dual.

For :math:`\min_w \tfrac12 \|y - X w\|^2 + s \|w\|_1 + \tfrac{r}{2} \|w\|^2` the dual is

.. math:: \min_{\nu} \; \tfrac12 \|\nu\|^2 - y'\nu
          + \tfrac1{2r} \sum_j \max(|x_j'\nu| - s, 0)^2,

convex, piecewise quadratic and of the dimension of the rows. Its solution is the residual, and
:math:`w_j = \operatorname{sign}(x_j'\nu) \max(|x_j'\nu| - s, 0) / r`. A Newton step is exact as
soon as the signs are right (Li, Sun and Toh 2018 on semismooth Newton methods for the lasso).
"""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.lasso import lasso_path
from jjjpolicy.linalg.types import Booleans, Floats

MAX_STEPS = 100
BATCH = 2_000_000


def elastic_net(
    x: Floats, y: Floats, penalties: Floats, mixing: float, allowed: Booleans | None = None
) -> Floats:
    r"""Minimise :math:`\|y - x w\|^2 / 2n + \lambda (\alpha \|w\|_1 + (1 - \alpha) \|w\|^2 / 2)`.

    Both sides are taken as deviations from their means: there is an unpenalised intercept.

    Parameters
    ----------
    x : ndarray, shape (rows, columns)
    y : ndarray, shape (rows, outcomes)
    penalties : ndarray, shape (penalties,) or (penalties, outcomes)
        Positive; solutions are found faster where neighbours are close.
    mixing : float
        :math:`\alpha` between 0 and 1; the lasso's path is followed exactly at 1.
    allowed : ndarray of bool, shape (outcomes, columns), optional
        Columns that an outcome may use, by default all.

    Returns
    -------
    ndarray, shape (penalties, outcomes, columns)
    """
    outcomes = y.shape[1]
    usable = np.ones((outcomes, x.shape[1]), dtype=bool) if allowed is None else allowed
    steps = np.broadcast_to(penalties.reshape(len(penalties), -1), (len(penalties), outcomes))
    scale = np.sqrt(len(y))
    columns, target = (x - x.mean(axis=0)) / scale, (y - y.mean(axis=0)) / scale
    path = np.zeros((len(steps), outcomes, x.shape[1]))
    if mixing == 1:
        for i, use in enumerate(usable):
            path[:, i, use] = lasso_path(
                columns[:, use] * scale, target[:, i] * scale, np.ascontiguousarray(steps[:, i])
            )
        return path
    if len(y) > x.shape[1]:
        rotation, columns = np.linalg.qr(columns)
        target = rotation.T @ target
    residual = target.T.copy()
    size = max(1, BATCH // max(len(columns) ** 2, x.shape[1]))
    for first in range(0, outcomes, size):
        part = slice(first, first + size)
        for k, penalty in enumerate(steps[:, part]):
            path[k, part], residual[part] = _solve(
                columns,
                target.T[part],
                penalty * mixing,
                penalty * (1 - mixing),
                usable[part],
                residual[part],
            )
    return path


def _solve(
    x: Floats, y: Floats, soft: Floats, ridge: Floats, allowed: Booleans, start: Floats
) -> tuple[Floats, Floats]:
    """Coefficients and residuals, shapes (problems, columns) and (problems, rows)."""
    rows, columns = x.shape
    products = (x.T[:, :, None] * x.T[:, None, :]).reshape(columns, rows * rows)
    weights = np.zeros(allowed.shape)
    residuals = start.copy()
    limit = 1e-14 * np.sqrt((y**2).sum(axis=1))
    open_ = np.arange(len(y))
    nu = start
    signs, excess = _active(x, nu, soft, allowed)
    value = _dual(nu, y, excess, ridge)
    for _ in range(MAX_STEPS):
        curvature = (np.abs(signs) @ products).reshape(-1, rows, rows)
        goal = y + (soft / ridge)[:, None] * (signs @ x.T)
        new = _newton(curvature / ridge[:, None, None], goal)
        new_signs, new_excess = _active(x, new, soft, allowed)
        new_value = _dual(new, y, new_excess, ridge)
        same = (new_signs == signs).all(axis=1)
        done = same | (np.sqrt(((new - nu) ** 2).sum(axis=1)) <= limit)
        if done.any():
            finished = open_[done]
            weights[finished] = new_signs[done] * new_excess[done] / ridge[done, None]
            residuals[finished] = new[done]
            if done.all():
                return weights, residuals
            keep = ~done
            open_, y, soft, ridge, allowed, limit = (
                part[keep] for part in (open_, y, soft, ridge, allowed, limit)
            )
            nu, value, new, new_value = nu[keep], value[keep], new[keep], new_value[keep]
            new_signs, new_excess = new_signs[keep], new_excess[keep]
        length = np.ones(len(open_))
        for _ in range(30):
            short = new_value > value
            if not short.any():
                break
            length[short] /= 2
            tried = nu[short] + length[short, None] * (new[short] - nu[short])
            new_signs[short], new_excess[short] = _active(x, tried, soft[short], allowed[short])
            new_value[short] = _dual(tried, y[short], new_excess[short], ridge[short])
        nu = nu + length[:, None] * (new - nu)
        signs, excess, value = new_signs, new_excess, new_value
    weights[open_], residuals[open_] = signs * excess / ridge[:, None], nu
    return weights, residuals


def _newton(curvature: Floats, goal: Floats) -> Floats:
    """Solutions of (1 + curvature) ν = goal; curvature is positive semidefinite."""
    try:
        system = np.eye(goal.shape[1]) + curvature
        return np.asarray(np.linalg.solve(system, goal[:, :, None])[..., 0], dtype=np.float64)
    except np.linalg.LinAlgError:  # penalties far below the rounding of the products
        values, vectors = np.linalg.eigh(curvature)
        shares = np.einsum("pij,pi->pj", vectors, goal) / (1 + np.maximum(values, 0.0))
        found: Floats = np.einsum("pij,pj->pi", vectors, shares)
        return found


def _active(x: Floats, nu: Floats, soft: Floats, allowed: Booleans) -> tuple[Floats, Floats]:
    """Signs of the coefficients, zero where they vanish, and by how much the bound is exceeded."""
    correlation = nu @ x
    excess = np.where(allowed, np.maximum(np.abs(correlation) - soft[:, None], 0.0), 0.0)
    return np.sign(correlation) * (excess > 0), excess


def _dual(nu: Floats, y: Floats, excess: Floats, ridge: Floats) -> Floats:
    value: Floats = (nu * (nu / 2 - y)).sum(axis=1) + (excess**2).sum(axis=1) / (2 * ridge)
    return value
