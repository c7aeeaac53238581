r"""Units that differ in nothing but their outcomes, summed up without loss.

Take the n units of one cohort that are observed in the same k periods. An estimator whose influence
functions are affine in the outcomes of a unit, :math:`\psi_i = a + B'y_i`, uses these units only
through

.. math:: \sum_i (1, y_i), \qquad \sum_i (1, y_i)(1, y_i)'.

With the QR decomposition :math:`(1, Y) = QR` the second is :math:`R'R`, so that the k + 1 rows of R
can stand for the n units. An orthogonal rotation of the rows leaves :math:`R'R` as it is; the one
that makes all entries of the first column equal turns them into k + 1 ordinary rows of outcomes,
each of which stands for n / (k + 1) units and whose mean and covariance are those of the n units.
R is updated batch by batch and outcomes are never squared (Demmel, Grigori, Hoemmen and Langou
2012, section 2).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats

BUFFER = 8
"""Factors are updated when this many times their own number of rows have come together."""


@dataclass
class Likes:
    """Units that differ in their outcomes only.

    Attributes
    ----------
    traits : ndarray
        What they have in common, as the caller packed it.
    present : ndarray of bool, shape (periods,)
        Periods in which they are observed.
    """

    traits: Floats
    present: Booleans
    number: int = 0
    labels: list[Hashable] = field(default_factory=list)
    _origin: Floats | None = None
    _rows: list[Floats] = field(default_factory=list)
    _waiting: int = 0

    @property
    def width(self) -> int:
        """Rows that can stand for any number of units."""
        return int(self.present.sum()) + 1

    @property
    def rows(self) -> int:
        """Rows that stand for the units so far."""
        return min(self.number, self.width)

    @one_thread
    def add(self, outcome: Floats, labels: list[Hashable]) -> None:
        """Add units; ``outcome`` has shape (units, observed periods)."""
        if self._origin is None:
            self._origin = outcome[0].copy()
        self._rows.append(np.column_stack([np.ones(len(outcome)), outcome - self._origin]))
        self._waiting += len(outcome)
        self.number += len(outcome)
        self.labels = self.labels + labels if self.number <= self.width else []
        if self._waiting > BUFFER * self.width:
            self._rows, self._waiting = [self._factor()], 0

    @one_thread
    def summary(self) -> tuple[Floats, Floats]:
        """Outcomes of the rows that stand for the units, and how many each stands for."""
        assert self._origin is not None
        if self.number <= self.width:
            return np.concatenate(self._rows)[:, 1:] + self._origin, np.ones(self.number)
        rotated = _to_equal_parts(self.width) @ self._factor()
        outcome = rotated[:, 1:] / rotated[:, :1] + self._origin
        return outcome, np.full(self.width, self.number / self.width)

    @one_thread
    def total(self) -> tuple[Floats, Floats]:
        """One row with the mean outcome, and the number of units."""
        assert self._origin is not None
        factor = self._factor()
        return factor[:1, 1:] / factor[0, 0] + self._origin, np.array([float(self.number)])

    def _factor(self) -> Floats:
        """R of the rows so far, with a diagonal that is not negative."""
        factor: Any = np.linalg.qr(np.concatenate(self._rows), mode="r")
        signed: Floats = factor * np.where(np.diag(factor) < 0, -1.0, 1.0)[:, None]
        return signed


def _to_equal_parts(size: int) -> Floats:
    """The reflection that takes the first unit vector to one with equal entries."""
    normal = np.full(size, -1 / np.sqrt(size))
    normal[0] += 1.0
    reflection: Floats = np.eye(size) - 2 * np.outer(normal, normal) / (normal @ normal)
    return reflection
