"""Penalised synthetic control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.synth.donor_regression import DonorFit, DonorRegression, Task
from jjjpolicy.synth.simplex_quadratic import simplex_quadratic

Floats = NDArray[np.float64]
GRID = np.concatenate([[1e-6], np.logspace(-4, 2, 19)])


@dataclass(frozen=True)
class PenalizedSyntheticControl(DonorRegression):
    r"""Synthetic control that prefers donors close to the treated unit.

    .. math:: \min_w \Bigl\|x_1 - \sum_j w_j x_j\Bigr\|^2 + \lambda \sum_j w_j \|x_1 - x_j\|^2

    over the simplex, with ``x`` the pre-treatment outcomes (Abadie and L'Hour 2021, equation 5).
    Any positive penalty makes the weights unique in general position, also where the treated unit
    lies inside the hull of many donors.

    Parameters
    ----------
    penalty : float, optional
        Chosen from data by default.
    choose_by : {"leave_one_out", "holdout"}
        Leave-one-out predicts every donor after treatment from the others; holdout fits the first
        part of the pre-treatment periods and predicts the rest (section 4 of the paper).
    holdout_share : float
        Share of the pre-treatment periods held out.
    """

    penalty: float | None = None
    choose_by: Literal["leave_one_out", "holdout"] = "leave_one_out"
    holdout_share: float = 0.25

    def weigh(self, task: Task) -> DonorFit:
        """Weights of one treated unit."""
        penalty = self._chosen(task) if self.penalty is None else self.penalty
        weights = penalized_weights(task.pool[task.before], task.path[task.before], penalty)
        return DonorFit(weights, facts={"penalty": penalty})

    def _chosen(self, task: Task) -> float:
        before = np.flatnonzero(task.before)
        if self.choose_by == "holdout":
            held = max(1, round(self.holdout_share * len(before)))
            early, late = before[:-held], before[-held:]
            errors = [
                _squared_error(task.pool, task.path, early, late, penalty) for penalty in GRID
            ]
        else:
            after = np.flatnonzero(~task.before)
            errors = [
                sum(
                    _squared_error(
                        np.delete(task.pool, j, axis=1), task.pool[:, j], before, after, penalty
                    )
                    for j in range(task.pool.shape[1])
                )
                for penalty in GRID
            ]
        return float(GRID[int(np.argmin(errors))])


def penalized_weights(pool: Floats, path: Floats, penalty: float) -> Floats:
    """Weights for pre-treatment outcomes ``pool`` (periods, donors) and ``path`` (periods,)."""
    difference = pool - path[:, None]
    return simplex_quadratic(difference.T @ difference, penalty * (difference**2).sum(axis=0))


def _squared_error(
    pool: Floats,
    path: Floats,
    fitted: NDArray[np.int64],
    predicted: NDArray[np.int64],
    penalty: float,
) -> float:
    weights = penalized_weights(pool[fitted], path[fitted], penalty)
    return float(((path[predicted] - pool[predicted] @ weights) ** 2).sum())
