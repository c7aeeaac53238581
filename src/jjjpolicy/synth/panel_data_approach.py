"""The panel data approach: regression of the treated unit on chosen donors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice
from math import comb
from typing import ClassVar

import numpy as np

from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.options import Options
from jjjpolicy.linalg.choice import first_smallest
from jjjpolicy.linalg.lasso import lasso_path
from jjjpolicy.linalg.types import Floats, Integers
from jjjpolicy.synth.weights.donor_regression import DonorFit, DonorRegression, Task

SUBSET_LIMIT = 2_000_000
BATCH = 50_000
PERFECT = 1e-11
"""Residual sum of squares, relative to the total, that is rounding."""


class DonorSelection(Options, ABC):
    """Base class of the ways to choose donors and coefficients; subclasses are dataclasses."""

    @abstractmethod
    def coefficients(self, pool: Floats, path: Floats) -> tuple[Floats, dict[str, object]]:
        """Coefficients of the donors, and what the method says about them.

        Parameters
        ----------
        pool : ndarray, shape (pre-treatment periods, donors)
            Less the average of each donor.
        path : ndarray, shape (pre-treatment periods,)
            Less its average.
        """


@dataclass(frozen=True)
class BestSubset(DonorSelection):
    r"""Least squares on the subset of donors with the smallest corrected Akaike criterion.

    Among subsets of p donors the one with the smallest residual sum of squares ``e'e`` is kept;
    among sizes the one with the smallest

    .. math:: T_0 \ln\frac{e'e}{T_0} + 2(p + 2) + \frac{2 (p + 2)(p + 3)}{T_0 - p - 3}

    (Hsiao, Ching and Wan 2012, section 5, AICC). All subsets are compared. Of subsets that fit
    equally well the first in the order of the donors is taken, and of sizes that fit perfectly the
    smallest; that says nothing in favour of these donors.

    Parameters
    ----------
    largest : int, optional
        Largest number of donors; by default 4, or fewer where the pre-period is short.
    """

    largest: int | None = None

    def coefficients(self, pool: Floats, path: Floats) -> tuple[Floats, dict[str, object]]:
        """Coefficients of the best subset, zero elsewhere.

        Raises
        ------
        DesignError
            ``largest`` does not fit the panel, or there are too many subsets to compare.
        """
        periods, donors = pool.shape
        limit = min(donors, periods - 4)
        largest = min(4, limit) if self.largest is None else self.largest
        if not 1 <= largest <= limit:
            raise DesignError(
                f"BestSubset(largest={largest}): with {periods} periods before treatment and "
                f"{donors} donors it must lie between 1 and {limit}."
            )
        total = sum(comb(donors, size) for size in range(1, largest + 1))
        if total > SUBSET_LIMIT:
            raise DesignError(
                f"BestSubset(largest={largest}) would compare {total:,} subsets of {donors} donors;"
                f" lower largest=, leave donors out with exclude=[…], or use Lasso()."
            )
        gram, cross, square = pool.T @ pool, pool.T @ path, float(path @ path)
        criteria, chosen = np.empty(largest), []
        for size in range(1, largest + 1):
            subset, residual = _best_of_size(gram, cross, square, size)
            chosen.append(subset)
            criteria[size - 1] = aicc(residual, periods, size)
        subset = chosen[int(np.argmin(criteria))]
        weights = np.zeros(donors)
        weights[subset] = np.linalg.lstsq(pool[:, subset], path, rcond=None)[0]
        return weights, {"donors_used": len(subset), "aicc": float(criteria.min())}


@dataclass(frozen=True)
class Lasso(DonorSelection):
    """Lasso coefficients, the penalty cross-validated over pre-treatment periods.

    One period is left out at a time (Li and Bell 2017, section 3).

    Parameters
    ----------
    penalty : float, optional
        On the scale of half the mean squared error; cross-validated by default.
    """

    penalty: float | None = None

    def coefficients(self, pool: Floats, path: Floats) -> tuple[Floats, dict[str, object]]:
        """Lasso coefficients."""
        penalty = self._chosen(pool, path) if self.penalty is None else self.penalty
        weights = lasso_path(pool, path, np.array([penalty]))[0]
        return weights, {"donors_used": int((weights != 0).sum()), "penalty": penalty}

    @staticmethod
    def _chosen(pool: Floats, path: Floats) -> float:
        periods = len(path)
        grid = float(np.abs(pool.T @ path).max() / periods) * np.logspace(0, -3, 20)
        errors = np.zeros(len(grid))
        for t in range(periods):
            rest = np.arange(periods) != t
            centre, level = pool[rest].mean(axis=0), path[rest].mean()
            weights = lasso_path(pool[rest] - centre, path[rest] - level, grid)
            predicted = level + weights @ (pool[t] - centre)
            errors += (path[t] - predicted) ** 2
        return float(grid[first_smallest(errors)])


@dataclass(frozen=True)
class PanelDataApproach(DonorRegression):
    r"""Regression of the treated unit on donors before treatment, extrapolated after it.

    .. math:: y_{1t} = \mu + \sum_{j \in S} w_j y_{jt} + u_t, \qquad t \le T_0

    Coefficients are free: they need not be positive nor sum to one, because common factors are
    replaced by the donors' outcomes (Hsiao, Ching and Wan 2012, equations 12 and 13). With few
    periods before treatment the choice of donors matters more than anything else.

    Parameters
    ----------
    selection : DonorSelection
        :class:`BestSubset` or :class:`Lasso`.
    """

    takes_covariates: ClassVar[bool] = False

    selection: DonorSelection = field(default_factory=BestSubset)
    minimum_pre_periods = 6

    @property
    def chosen_before_treatment(self) -> bool:
        """Donors and coefficients are."""
        return True

    def weigh(self, task: Task) -> DonorFit:
        """Intercept and coefficients of one treated unit.

        Raises
        ------
        DesignError
            No donor changes before treatment.
        """
        pool, path = task.pool[task.before], task.path[task.before]
        centre, level = pool.mean(axis=0), float(path.mean())
        if (pool == pool[0]).all():
            raise DesignError(
                f"no donor changes over the {len(pool)} periods before treatment, so that "
                f"{self.label} has nothing to regress on; look at the outcome column."
            )
        weights, facts = self.selection.coefficients(pool - centre, path - level)
        return DonorFit(weights, level - float(centre @ weights), facts)


def aicc(residual: float, periods: int, donors: int) -> float:
    """Corrected Akaike criterion of a regression on an intercept and ``donors`` donors."""
    if residual <= 0:
        return -np.inf
    parameters = donors + 2
    correction = 2 * parameters * (parameters + 1) / (periods - parameters - 1)
    return float(periods * np.log(residual / periods) + 2 * parameters + correction)


def _best_of_size(gram: Floats, cross: Floats, square: float, size: int) -> tuple[Integers, float]:
    best, smallest = np.arange(size), np.inf
    ridge = 1e-12 * float(np.trace(gram)) / len(gram) * np.eye(size)
    for subsets in _batches(len(gram), size):
        blocks = gram[subsets[:, :, None], subsets[:, None, :]] + ridge
        targets = cross[subsets]
        solved = np.linalg.solve(blocks, targets[:, :, None])[:, :, 0]
        residuals = square - (solved * targets).sum(axis=1)
        residuals[residuals <= PERFECT * square] = 0.0
        k = first_smallest(np.append(smallest, residuals)) - 1
        if k >= 0:
            best, smallest = subsets[k], float(residuals[k])
    return best, smallest


def _batches(donors: int, size: int) -> Iterator[Integers]:
    subsets = combinations(range(donors), size)
    while batch := list(islice(subsets, BATCH)):
        yield np.array(batch, dtype=np.int64)
