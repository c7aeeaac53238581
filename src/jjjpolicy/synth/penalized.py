"""Penalised synthetic control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.errors import DesignError
from jjjpolicy.linalg.choice import first_smallest
from jjjpolicy.linalg.even_weights import most_even
from jjjpolicy.linalg.remembered import remembered
from jjjpolicy.linalg.types import Floats
from jjjpolicy.synth.counterfactual.requirements import require_penalty
from jjjpolicy.synth.weights.donor_regression import DonorFit, DonorRegression, Task
from jjjpolicy.synth.weights.quadratic import simplex_quadratic

GRID = np.concatenate([[1e-6], np.logspace(-4, 2, 19)])


@dataclass(frozen=True)
class PenalizedSyntheticControl(DonorRegression):
    r"""Synthetic control that prefers donors close to the treated unit.

    .. math:: \min_w \Bigl\|x_1 - \sum_j w_j x_j\Bigr\|^2 + \lambda \sum_j w_j \|x_1 - x_j\|^2

    over the simplex, with ``x`` the pre-treatment outcomes (Abadie and L'Hour 2021, equation 5).
    Any positive penalty makes the weights unique in general position, also where the treated unit
    lies inside the hull of many donors; where they are not (no penalty, donors that are alike) the
    most even ones are taken, and of penalties that predict equally well the smallest.

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

    takes_covariates: ClassVar[bool] = False

    penalty: float | None = None
    choose_by: Literal["leave_one_out", "holdout"] = "leave_one_out"
    holdout_share: float = 0.25
    averages_donors = True

    def __post_init__(self) -> None:
        require_penalty("penalty", self.penalty)
        if not 0 < self.holdout_share < 1:
            raise DesignError(f"holdout_share={self.holdout_share} must lie between 0 and 1.")

    @property
    def chosen_before_treatment(self) -> bool:
        """Unless donors after treatment choose the penalty."""
        return self.penalty is not None or self.choose_by == "holdout"

    def weigh(self, task: Task) -> DonorFit:
        """Weights of one treated unit."""
        return self.weigh_cohort([task])[0]

    def weigh_cohort(self, tasks: Sequence[Task]) -> list[DonorFit]:
        """Weights of the treated units of one adoption period; leave-one-out is theirs together."""
        fits = []
        for task, penalty in zip(tasks, self._chosen(tasks), strict=True):
            weights = penalized_weights(task.pool[task.before], task.path[task.before], penalty)
            fits.append(DonorFit(weights, facts={"penalty": penalty}))
        return fits

    def _chosen(self, tasks: Sequence[Task]) -> list[float]:
        if self.penalty is not None:
            return [self.penalty] * len(tasks)
        pool, before = tasks[0].pool, np.flatnonzero(tasks[0].before)
        if self.choose_by == "holdout":
            held = max(1, round(self.holdout_share * len(before)))
            early, late = before[:-held], before[-held:]
            return [_best(_squared_errors(pool, task.path, early, late)) for task in tasks]
        after = np.flatnonzero(~tasks[0].before)
        errors = [
            _squared_errors(np.delete(pool, j, axis=1), pool[:, j], before, after)
            for j in range(pool.shape[1])
        ]
        return [_best(np.sum(errors, axis=0))] * len(tasks)


def _best(errors: Floats) -> float:
    return float(GRID[first_smallest(errors)])


def penalized_weights(pool: Floats, path: Floats, penalty: float) -> Floats:
    """Weights for pre-treatment outcomes ``pool`` (periods, donors) and ``path`` (periods,)."""
    difference = pool - path[:, None]
    linear = penalty * (difference**2).sum(axis=0)
    return most_even(difference, simplex_quadratic(difference.T @ difference, linear), linear)


def _squared_errors(
    pool: Floats, path: Floats, fitted: NDArray[np.int64], predicted: NDArray[np.int64]
) -> Floats:
    """Sum of squared errors of prediction for each penalty, shape (penalties,)."""
    weights = _weights_by_penalty(pool[fitted] - path[fitted, None])
    misses = path[predicted] - weights @ pool[predicted].T
    errors: Floats = (misses**2).sum(axis=1)
    return errors


@remembered
def _weights_by_penalty(difference: Floats) -> Floats:
    """Weights for each penalty, shape (penalties, donors), from donors less the target."""
    gram = difference.T @ difference
    distances = np.diag(gram)
    weights = np.empty((len(GRID), len(gram)))
    start = None
    for k in range(len(GRID))[::-1]:
        linear = GRID[k] * distances
        start = simplex_quadratic(gram, linear, start=start)
        weights[k] = most_even(difference, start, linear)
    return weights
