r"""Units that differ in nothing but their outcomes, summed up without loss.

Take the n units of one cohort that are observed in the same k periods. An estimator whose influence
functions are affine in the outcomes of a unit, :math:`\psi_i = a + B'y_i`, uses these units only
through

.. math:: \sum_i (1, y_i), \qquad \sum_i (1, y_i)(1, y_i)'.

With the QR decomposition :math:`(1, Y) = QR` the second is :math:`R'R`, so that the k + 1 rows of R
can stand for the n units. An orthogonal rotation of the rows leaves :math:`R'R` as it is; the one
that makes all entries of the first column equal turns them into k + 1 ordinary rows of outcomes,
each of which stands for n / (k + 1) units and whose mean and covariance are those of the n units.
`Likes` updates R batch by batch and never squares outcomes (Demmel, Grigori, Hoemmen and Langou
2012, section 2). `Moments` takes it from centred cross-products, which an engine can sum in
parallel: those of the first observed outcome and of the changes from it, so that a level that
differs between units by many times what it changes over time costs no digits. Centred products of
two parts of a table add up to those of both with what their means differ by (Chan, Golub and
LeVeque 1983, equation 1.5), so that a table may be summed up in any number of parts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats

BUFFER = 8
"""Factors are updated when this many times their own number of rows have come together."""


@dataclass(eq=False)
class Kind(ABC):
    """Units that differ in their outcomes only.

    Attributes
    ----------
    traits : ndarray
        What they have in common, as the caller packed it.
    present : ndarray of bool, shape (periods,)
        Periods in which they are observed.
    number : int
        How many they are.
    labels : list
        Their own labels where they are few enough to stand for themselves, else empty.
    """

    traits: Floats
    present: Booleans
    number: int = 0
    labels: list[Hashable] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Rows that can stand for any number of units."""
        return int(self.present.sum()) + 1

    @property
    def rows(self) -> int:
        """Rows that stand for the units so far."""
        return min(self.number, self.width)

    def _parts(self) -> Floats:
        return np.full(self.width, self.number / self.width)

    @abstractmethod
    def summary(self) -> tuple[Floats, Floats]:
        """Outcomes of the rows that stand for the units, and how many each stands for."""

    @abstractmethod
    def total(self) -> tuple[Floats, Floats]:
        """One row with the mean outcome, and the number of units."""

    @abstractmethod
    def moments(self) -> Moments:
        """Mean and centred products of the outcomes."""

    def plus(self, other: Kind) -> Kind:
        """These units and others of the same kind."""
        return self.moments().with_others(other.moments())


@dataclass(eq=False)
class Likes(Kind):
    """Units of a kind whose outcomes come batch by batch."""

    _origin: Floats | None = None
    _rows: list[Floats] = field(default_factory=list)
    _waiting: int = 0

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
        assert self._origin is not None
        if self.number <= self.width:
            return np.concatenate(self._rows)[:, 1:] + self._origin, np.ones(self.number)
        return _in_equal_parts(self._factor()) + self._origin, self._parts()

    @one_thread
    def total(self) -> tuple[Floats, Floats]:
        assert self._origin is not None
        factor = self._factor()
        return factor[:1, 1:] / factor[0, 0] + self._origin, np.array([float(self.number)])

    @one_thread
    def moments(self) -> Moments:
        outcome, counts = self.summary()
        changes = outcome.copy()
        changes[:, 1:] -= outcome[:, :1]
        mean = changes.mean(axis=0)
        products = counts[0] * (changes - mean).T @ (changes - mean)
        return Moments(self.traits, self.present, self.number, mean=mean, products=products)

    def plus(self, other: Kind) -> Kind:
        if not isinstance(other, Likes) or self.number + other.number > self.width:
            return super().plus(other)
        joined = Likes(self.traits, self.present)
        for each in (self, other):
            joined.add(each.summary()[0], each.labels)
        return joined

    def _factor(self) -> Floats:
        """R of the rows so far."""
        return _triangle(np.concatenate(self._rows))


@dataclass(eq=False)
class Moments(Kind):
    """Units of a kind of which an engine has summed up the outcomes.

    Attributes
    ----------
    mean : ndarray, shape (observed periods,)
        Of the first observed outcome, and of the changes from it to each later period.
    products : ndarray, shape (observed periods, observed periods), optional
        Sums of products of the same after centring; not needed for :meth:`total`.
    """

    mean: Floats = field(default_factory=lambda: np.empty(0))
    products: Floats | None = None

    @one_thread
    def summary(self) -> tuple[Floats, Floats]:
        assert self.products is not None
        factor = np.zeros((self.width, self.width))
        factor[0, 0] = np.sqrt(self.number)
        factor[1:, 1:] = _triangle(_levels(_root(self.products)))
        return _in_equal_parts(factor) + _levels(self.mean), self._parts()

    def total(self) -> tuple[Floats, Floats]:
        return _levels(self.mean)[None, :], np.array([float(self.number)])

    def moments(self) -> Moments:
        return self

    def with_others(self, other: Moments) -> Moments:
        """These units and others of the same kind."""
        number = self.number + other.number
        share, off = other.number / number, other.mean - self.mean
        products = None
        if self.products is not None and other.products is not None:
            products = self.products + other.products + self.number * share * np.outer(off, off)
        mean = self.mean + share * off
        return Moments(self.traits, self.present, number, mean=mean, products=products)


def _levels(values: Floats) -> Floats:
    """Outcomes of all periods, from those of the first and changes from it (last axis)."""
    levels = values.copy()
    levels[..., 1:] += values[..., :1]
    return levels


def _root(products: Floats) -> Floats:
    """R with R'R equal to a matrix of products, each variable to its own scale."""
    scale = np.sqrt(np.diag(products))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(products / scale / scale[:, None])
    root: Floats = np.sqrt(values.clip(min=0.0))[:, None] * vectors.T * scale
    return root


def _triangle(rows: Floats) -> Floats:
    """R of the QR decomposition, with a diagonal that is not negative."""
    factor: Any = np.linalg.qr(rows, mode="r")
    signed: Floats = factor * np.where(np.diag(factor) < 0, -1.0, 1.0)[:, None]
    return signed


def _in_equal_parts(factor: Floats) -> Floats:
    """Outcomes of rows that stand for equally many units, from R of (1, Y)."""
    rotated = _to_equal_parts(len(factor)) @ factor
    outcome: Floats = rotated[:, 1:] / rotated[:, :1]
    return outcome


def _to_equal_parts(size: int) -> Floats:
    """The reflection that takes the first unit vector to one with equal entries."""
    normal = np.full(size, -1 / np.sqrt(size))
    normal[0] += 1.0
    reflection: Floats = np.eye(size) - 2 * np.outer(normal, normal) / (normal @ normal)
    return reflection
