"""Elastic-net synthetic control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.synth.donor_regression import DonorFit, DonorRegression, Task

Floats = NDArray[np.float64]
PENALTIES = 12


@dataclass(frozen=True)
class ElasticNetSyntheticControl(DonorRegression):
    r"""Regression of the treated unit on its donors with an intercept and an elastic-net penalty.

    .. math:: \min_{\mu, w} \frac{1}{2 T_0} \sum_{t \le T_0} (y_{1t} - \mu - w'y_{0t})^2
              + \lambda \bigl(\alpha \|w\|_1 + \tfrac{1 - \alpha}{2} \|w\|^2\bigr)

    Weights may be negative and need not sum to one (Doudchenko and Imbens 2016, section 5). Penalty
    and mixing are those with which the donors, each treated in turn as if it were the treated unit,
    are best predicted after treatment (section 5.2).

    Parameters
    ----------
    penalty : float, optional
    mixing : tuple of float
        Values of alpha to choose from; 1 is the lasso.
    """

    penalty: float | None = None
    mixing: tuple[float, ...] = (0.1, 0.5, 0.9)
    minimum_donors = 3

    def weigh(self, task: Task) -> DonorFit:
        """Intercept and weights of one treated unit."""
        pool, path = task.pool[task.before], task.path[task.before]
        mixing, penalty = self._chosen(task)
        weights = elastic_net(pool, path, np.array([penalty]), mixing)[0]
        intercept = float(path.mean() - pool.mean(axis=0) @ weights)
        return DonorFit(weights, intercept, {"penalty": penalty, "mixing": mixing})

    def _chosen(self, task: Task) -> tuple[float, float]:
        if self.penalty is not None and len(self.mixing) == 1:
            return self.mixing[0], self.penalty
        before, after = task.before, ~task.before
        pool = task.pool
        centred = pool[before] - pool[before].mean(axis=0)
        target = task.path[before] - task.path[before].mean()
        largest = float(np.abs(centred.T @ target).max() / before.sum())
        itself = np.eye(pool.shape[1], dtype=bool)
        errors: dict[tuple[float, float], float] = {}
        for alpha in self.mixing:
            grid = largest / alpha * np.logspace(0, -3, PENALTIES)
            if self.penalty is not None:
                grid = np.array([self.penalty])
            paths = elastic_net_paths(pool[before], pool[before], grid, alpha, itself, 1e-3)
            for penalty, weights in zip(grid, paths, strict=True):
                level = pool[before].mean(axis=0) - weights @ pool[before].mean(axis=0)
                misses = pool[after] - level - pool[after] @ weights.T
                errors[alpha, float(penalty)] = float((misses**2).sum())
        return min(errors, key=lambda pair: errors[pair])


def elastic_net(
    x: Floats, y: Floats, penalties: Floats, mixing: float, tolerance: float = 1e-7
) -> Floats:
    """Coefficients of one outcome ``y`` (rows,), shape (penalties, columns)."""
    free = np.zeros((1, x.shape[1]), dtype=bool)
    return elastic_net_paths(x, y[:, None], penalties, mixing, free, tolerance)[:, 0]


def elastic_net_paths(
    x: Floats,
    y: Floats,
    penalties: Floats,
    mixing: float,
    excluded: NDArray[np.bool_],
    tolerance: float,
) -> Floats:
    """Coefficients of several outcomes by cyclic coordinate descent on the shared Gram matrix.

    Parameters
    ----------
    x : ndarray, shape (rows, columns)
    y : ndarray, shape (rows, outcomes)
    penalties : ndarray, shape (penalties,)
        Decreasing; each starts from the coefficients of the one before.
    mixing : float
    excluded : ndarray of bool, shape (outcomes, columns)
        Columns that an outcome may not use.
    tolerance : float
        Largest change of a fitted value in a sweep, relative to the standard deviation of ``y``.

    Returns
    -------
    ndarray, shape (penalties, outcomes, columns)
    """
    rows = len(y)
    centred, target = x - x.mean(axis=0), y - y.mean(axis=0)
    gram = centred.T @ centred / rows
    gradient = target.T @ centred / rows
    allowed = ~excluded
    diagonal = np.diag(gram)
    limit = tolerance * target.std(axis=0).max()
    weights = np.zeros((y.shape[1], x.shape[1]))
    path = np.empty((len(penalties), *weights.shape))
    for k, penalty in enumerate(penalties):
        soft, ridge = penalty * mixing, penalty * (1 - mixing)
        for _ in range(5000):
            largest = 0.0
            active = ((weights != 0) | (np.abs(gradient) > soft)) & allowed
            for j in np.flatnonzero(active.any(axis=0)):
                old = weights[:, j].copy()
                raw = gradient[:, j] + diagonal[j] * old
                shrunk = np.sign(raw) * np.maximum(np.abs(raw) - soft, 0.0)
                new = np.where(allowed[:, j], shrunk / (diagonal[j] + ridge), 0.0)
                change = new - old
                weights[:, j] = new
                gradient -= change[:, None] * gram[j]
                largest = max(largest, float(np.abs(change).max() * np.sqrt(diagonal[j])))
            if largest <= limit:
                break
        path[k] = weights
    return path
