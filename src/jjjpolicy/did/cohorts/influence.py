"""Influence functions of estimates: a matrix, or what stands for it where cohorts share it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
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
    roots : list of ndarray, shape (any, 1 + periods)
        For each cohort a matrix with the cross products of the rows
        :math:`s_i (1, \tilde y_i')`, where :math:`\tilde y_i = y_i - \bar y_i - m_c` and
        :math:`s_i` is the product of weights and ``influence_scale``: the rows themselves where
        units are few.
    """

    def __init__(self, design: Design) -> None:
        cohorts, codes = design.cohort_codes
        order = np.argsort(codes.astype(np.min_scalar_type(len(cohorts))), kind="stable")
        self.design = design
        self.units = np.split(order, np.bincount(codes).cumsum()[:-1])
        self.sizes = np.bincount(codes, design.weights).astype(float)
        self.means = np.empty((len(cohorts), design.n_periods))
        self.roots: list[Floats] = []
        for c, units in enumerate(self.units):
            rows = self._deviations(c)
            mass = np.ones(len(units)) if design.weights is None else design.weights[units]
            self.means[c] = mass @ rows[:, 1:] / self.sizes[c]
            rows = self._scaled(c, rows)
            self.roots.append(rows if design.n_units <= FEW else _root(rows))

    def rows(self, c: int) -> Floats:
        """The rows of the units of a cohort, shape (units, 1 + periods)."""
        return self._scaled(c, self._deviations(c))

    def _deviations(self, c: int) -> Floats:
        outcome = self.design.outcome.take(self.units[c], axis=0)
        average = outcome @ np.full(outcome.shape[1], 1 / outcome.shape[1])
        rows = np.empty((len(outcome), 1 + outcome.shape[1]))
        rows[:, 0] = 1.0
        np.subtract(outcome, average[:, None], out=rows[:, 1:])
        return rows

    def _scaled(self, c: int, rows: Floats) -> Floats:
        rows[:, 1:] -= self.means[c]
        for factor in (self.design.weights, self.design.influence_scale):
            if factor is not None:
                rows *= factor[self.units[c], None]
        return rows


@dataclass(frozen=True, eq=False)
class AffineInfluence(Influence):
    r"""Influence functions that are affine in a unit's outcomes, alike for units of a cohort.

    .. math:: \psi_{ik} = s_i (b_{ck} + \tilde y_i' a_{ck}), \qquad \sum_t a_{ckt} = 0

    Attributes
    ----------
    outcomes : CohortOutcomes
    coefficients : callable
        From the position of a cohort to :math:`(b_{ck}, a_{ck}')'`, shape (1 + periods, estimates).
    """

    outcomes: CohortOutcomes
    coefficients: Callable[[int], Floats]

    @cached_property
    def values(self) -> Floats:
        """Shape (units, estimates); formed when first asked for."""
        found = [
            self.outcomes.rows(c) @ self.coefficients(c) for c in range(len(self.outcomes.units))
        ]
        place = np.argsort(np.concatenate(self.outcomes.units))
        values: Floats = np.concatenate(found).take(place, axis=0)
        return values

    def sums(self, codes: Integers) -> Floats:
        """As of every influence function, without forming it where each unit is a cluster."""
        if not np.array_equal(codes, np.arange(len(codes))):
            return super().sums(codes)
        scores = [root @ self.coefficients(c) for c, root in enumerate(self.outcomes.roots)]
        return np.concatenate(scores)


def _root(rows: Floats) -> Floats:
    """A square matrix with the same cross products."""
    squares, vectors = np.linalg.eigh(rows.T @ rows)
    root: Floats = (vectors * np.sqrt(np.clip(squares, 0, None))).T
    return root
