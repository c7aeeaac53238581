"""Elastic-net synthetic control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from jjjpolicy.linalg.choice import first_smallest
from jjjpolicy.linalg.elastic_net import elastic_net
from jjjpolicy.linalg.remembered import remembered
from jjjpolicy.linalg.types import Floats
from jjjpolicy.synth.counterfactual.requirements import require_penalty
from jjjpolicy.synth.weights.donor_regression import DonorFit, DonorRegression, Task

PENALTIES = 12


_of_each_other = remembered(elastic_net)


@dataclass(frozen=True)
class ElasticNetSyntheticControl(DonorRegression):
    r"""Regression of the treated unit on its donors with an intercept and an elastic-net penalty.

    .. math:: \min_{\mu, w} \frac{1}{2 T_0} \sum_{t \le T_0} (y_{1t} - \mu - w'y_{0t})^2
              + \lambda \bigl(\alpha \|w\|_1 + \tfrac{1 - \alpha}{2} \|w\|^2\bigr)

    Weights may be negative and need not sum to one (Doudchenko and Imbens 2016, section 5). Penalty
    and mixing are those with which the donors, each treated in turn as if it were the treated unit,
    are best predicted after treatment (section 5.2). Of those that predict equally well the first
    value of ``mixing`` and the strongest penalty are taken. With ``mixing`` below 1 the weights are
    unique.

    Parameters
    ----------
    penalty : float, optional
    mixing : tuple of float
        Values of alpha to choose from; 1 is the lasso.
    """

    takes_covariates: ClassVar[bool] = False

    penalty: float | None = None
    mixing: tuple[float, ...] = (0.1, 0.5, 0.9)
    minimum_donors = 3

    def __post_init__(self) -> None:
        require_penalty("penalty", self.penalty, positive=True)

    @property
    def chosen_before_treatment(self) -> bool:
        """Unless donors after treatment choose the penalties."""
        return self.penalty is not None and len(self.mixing) == 1

    def weigh(self, task: Task) -> DonorFit:
        """Intercept and weights of one treated unit."""
        return self.weigh_cohort([task])[0]

    def weigh_cohort(self, tasks: Sequence[Task]) -> list[DonorFit]:
        """Fits of the treated units of one adoption period, whose donors are predicted together."""
        fits = []
        for task, (mixing, penalty) in zip(tasks, self._chosen(tasks), strict=True):
            pool, path = task.pool[task.before], task.path[task.before]
            weights = elastic_net(pool, path[:, None], np.array([penalty]), mixing)[0, 0]
            intercept = float(path.mean() - pool.mean(axis=0) @ weights)
            fits.append(DonorFit(weights, intercept, {"penalty": penalty, "mixing": mixing}))
        return fits

    def _chosen(self, tasks: Sequence[Task]) -> list[tuple[float, float]]:
        """Mixing and penalty of each treated unit."""
        if self.penalty is not None and len(self.mixing) == 1:
            return [(self.mixing[0], self.penalty)] * len(tasks)
        pool, before = tasks[0].pool, tasks[0].before
        donors = pool.shape[1]
        early, late = pool[before], pool[~before]
        centre = early.mean(axis=0)
        paths = np.stack([task.path[before] for task in tasks])
        largest = np.abs((paths - paths.mean(axis=1, keepdims=True)) @ (early - centre)).max(axis=1)
        # A path without variation has no use for donors, whatever the penalty.
        largest[largest == 0] = ((early - centre) ** 2).sum(axis=0).max() or 1.0
        others = np.tile(~np.eye(donors, dtype=bool), (len(tasks), 1))
        errors: list[Floats] = []
        options: list[tuple[float, Floats]] = []
        for mixing in self.mixing:
            grid = np.logspace(0, -3, PENALTIES)[:, None] * largest / (before.sum() * mixing)
            if self.penalty is not None:
                grid = np.full((1, len(tasks)), self.penalty)
            weights = _of_each_other(
                early, np.tile(early, len(tasks)), np.repeat(grid, donors, axis=1), mixing, others
            ).reshape(len(grid), len(tasks), donors, donors)
            misses = (late - centre).T - weights @ (late - centre).T
            errors.append((misses**2).sum(axis=(2, 3)))
            options.extend((mixing, penalties) for penalties in grid)
        best = [first_smallest(column) for column in np.concatenate(errors).T]
        return [(options[k][0], float(options[k][1][i])) for i, k in enumerate(best)]
