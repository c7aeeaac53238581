"""Influence functions of estimates: a matrix, or what stands for it where cohorts share it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.estimation.variance import cluster_sums

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers

FEW = 5_000
"""Up to so many units are squared one by one, which leaves an exact fit exact."""
BLOCK = 32_000
"""Cells of larger panels that are worked on at a time: what stays in the processor's cache."""


class Influence(ABC):
    """Influence functions of several estimates: estimate − estimand ≈ mean over units."""

    @property
    @abstractmethod
    def values(self) -> Floats:
        """Shape (units, estimates)."""

    def sums(self, codes: Integers) -> Floats:
        """Rows with the cross products of the sums over the units of each cluster."""
        return cluster_sums(self.values, codes)

    def covariance(self, codes: Integers, correction: float = 1.0) -> Floats:
        """Covariance of the estimates, clustered (CRV1), times a small-sample factor."""
        sums = self.sums(codes) / len(codes)
        covariance: Floats = correction * (sums.T @ sums)
        return covariance


@dataclass(frozen=True, eq=False)
class InfluenceMatrix(Influence):
    """Influence functions unit by unit; ``matrix`` has shape (units, estimates)."""

    matrix: Floats

    @property
    def values(self) -> Floats:
        """The matrix."""
        return self.matrix


class CohortOutcomes:
    r"""Outcomes of a balanced panel, read once: what estimates and their variances need of them.

    Attributes
    ----------
    sizes : ndarray, shape (cohorts,)
        Number of units, or sum of their weights.
    means : ndarray, shape (cohorts, periods)
        Weighted means :math:`m_c` of :math:`y_i - \bar y_i`.
    roots : list of ndarray, shape (any, periods)
        For each cohort a matrix with the cross products of its :meth:`rows`: these themselves where
        units are few. With :math:`\tilde y_i = y_i - \bar y_i - m_c`, and :math:`s_i` the product
        of weights and ``influence_scale``, a row is :math:`s_i \tilde y_i`, in which :math:`s_i`
        takes the place of the last period, since the others imply that one.
    """

    def __init__(self, design: Design) -> None:
        cohorts, codes = design.cohort_codes
        order = np.argsort(codes.astype(np.min_scalar_type(len(cohorts))), kind="stable")
        self.design = design
        self.units = np.split(order, np.bincount(codes).cumsum()[:-1])
        self.sizes = np.bincount(codes, design.weights).astype(float)
        self.means = np.empty((len(cohorts), design.n_periods))
        self.roots: list[Floats] = []
        read = self._one_by_one if design.n_units <= FEW else self._in_blocks
        for c in range(len(cohorts)):
            self.means[c], root = read(c)
            self.roots.append(root)

    def rows(self, c: int) -> Floats:
        """The rows of the units of a cohort, shape (units, periods)."""
        units = self.units[c]
        return self._rows(units, self._changes(units) - self.means[c])

    def _one_by_one(self, c: int) -> tuple[Floats, Floats]:
        """Means of a cohort and its rows."""
        units = self.units[c]
        changes = self._changes(units)
        means = self._mass(units) @ changes / self.sizes[c]
        return means, self._rows(units, changes - means)

    def _in_blocks(self, c: int) -> tuple[Floats, Floats]:
        r"""Means of a cohort and a square matrix with the cross products of its rows, in one pass.

        Rows are taken about the mean of the first block, :math:`r^0`, and moved at the end:
        :math:`r_t = r^0_t - d_t r^0_T` with d the distance of the two means and T the last period.
        """
        periods = self.design.n_periods
        centre: Floats | None = None
        totals, products = np.zeros(periods), np.zeros((periods, periods))
        for units in np.array_split(self.units[c], 1 + self.units[c].size * periods // BLOCK):
            changes, mass = self._changes(units), self._mass(units)
            if centre is None:
                centre = mass @ changes / mass.sum()
            changes -= centre
            totals += mass @ changes
            rows = self._rows(units, changes)
            products += rows.T @ rows
        assert centre is not None
        distance = totals / self.sizes[c]
        moved = np.eye(periods)
        moved[-1, :-1] = -distance[:-1]
        return centre + distance, root_of(moved.T @ products @ moved)

    def _mass(self, units: Integers) -> Floats:
        weights = self.design.weights
        return np.ones(len(units)) if weights is None else weights[units]

    def _changes(self, units: Integers) -> Floats:
        changes = self.design.outcome.take(units, axis=0)
        changes -= (changes @ np.full(changes.shape[1], 1 / changes.shape[1]))[:, None]
        return changes

    def _rows(self, units: Integers, changes: Floats) -> Floats:
        changes[:, -1] = 1.0
        for factor in (self.design.weights, self.design.influence_scale):
            if factor is not None:
                changes *= factor[units, None]
        return changes


@dataclass(frozen=True, eq=False)
class AffineInfluence(Influence):
    r"""Influence functions that are affine in a unit's outcomes, alike for units of a cohort.

    .. math:: \psi_{ik} = s_i (b_{ck} + \tilde y_i' a_{ck}), \qquad \sum_t a_{ckt} = 0

    Attributes
    ----------
    outcomes : CohortOutcomes
    coefficients : callable
        From the position of a cohort to :math:`b_{ck}`, shape (estimates,), and :math:`a_{ck}`,
        shape (periods, estimates).
    """

    outcomes: CohortOutcomes
    coefficients: Callable[[int], tuple[Floats, Floats]]

    @cached_property
    def values(self) -> Floats:
        """Shape (units, estimates); formed when first asked for."""
        cohorts = range(len(self.outcomes.units))
        place = np.argsort(np.concatenate(self.outcomes.units))
        values: Floats = self._applied(map(self.outcomes.rows, cohorts)).take(place, axis=0)
        return values

    def sums(self, codes: Integers) -> Floats:
        """As of every influence function, without forming it where each unit is a cluster."""
        if not own_clusters(codes):
            return super().sums(codes)
        return self._applied(self.outcomes.roots)

    def _applied(self, rows: Iterable[Floats]) -> Floats:
        """What the coefficients make of the rows of each cohort."""
        found = []
        for c, mine in enumerate(rows):
            intercepts, slopes = self.coefficients(c)
            found.append(mine @ np.vstack([slopes[:-1] - slopes[-1], intercepts]))
        return np.concatenate(found)


def own_clusters(codes: Integers) -> bool:
    """Whether each unit is a cluster."""
    return np.array_equal(codes, np.arange(len(codes)))


def root_of(products: Floats) -> Floats:
    """A square matrix with these cross products."""
    squares, vectors = np.linalg.eigh(products)
    root: Floats = (vectors * np.sqrt(np.clip(squares, 0, None))).T
    return root
