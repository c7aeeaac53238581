r"""Restrictions on how far trends may differ: sets of :math:`\delta` as unions of polyhedra.

:math:`\delta` is the difference in trends behind the coefficients of an event study, zero in the
reference period. Every restriction bounds its first or second differences after the reference
period (Rambachan and Roth 2023, section 2.3), and may add a sign or a direction (section 2.3,
:math:`\Delta^{PB}`, :math:`\Delta^{I}`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from jjjpolicy.errors import InferenceError

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats

Sign = Literal["positive", "negative"]
Direction = Literal["increasing", "decreasing"]
ORIENTATION = {"positive": 1.0, "negative": -1.0, "increasing": 1.0, "decreasing": -1.0}
IMPLIED = (("positive", "increasing"), ("negative", "decreasing"))


@dataclass(frozen=True, eq=False)
class Polyhedron:
    r"""The set :math:`\{\delta : A\delta \le b\}`.

    Attributes
    ----------
    matrix : ndarray, shape (inequalities, periods)
        Columns: pre-periods in order of time, then post-periods; the reference period is left out.
    bound : ndarray, shape (inequalities,)
    """

    matrix: Floats
    bound: Floats


@dataclass(frozen=True, kw_only=True)
class Restriction(ABC):
    """Base class of restrictions; a restriction holds the values of its bound to report.

    Attributes
    ----------
    name : str
    symbol : str
        Name of the bound as in the paper, M or Mbar.
    least_pre_periods : int
        Number of pre-periods that the restriction needs.
    """

    name: ClassVar[str]
    symbol: ClassVar[str]
    least_pre_periods: ClassVar[int] = 1

    sign: Sign | None = None
    monotone: Direction | None = None

    def __post_init__(self) -> None:
        if self.sign not in (None, "positive", "negative"):
            raise InferenceError(f"sign={self.sign!r} must be 'positive', 'negative' or None.")
        if self.monotone not in (None, "increasing", "decreasing"):
            raise InferenceError(
                f"monotone={self.monotone!r} must be 'increasing', 'decreasing' or None."
            )

    @property
    @abstractmethod
    def values(self) -> tuple[float, ...]:
        """The values of the bound."""

    @abstractmethod
    def _bounded(self, value: float, pre: int, post: int) -> list[Polyhedron]:
        """The set without sign and direction."""

    @property
    def shaped(self) -> bool:
        """Whether there is a sign or a direction."""
        return self.sign is not None or self.monotone is not None

    @property
    def label(self) -> str:
        """Name of the restriction with its sign and direction."""
        parts = [self.name, *(f"{word} bias" for word in (self.sign, self.monotone) if word)]
        return ", ".join(parts)

    def polyhedra(self, value: float, pre: int, post: int) -> list[Polyhedron]:
        """Polyhedra whose union is the set at one value of the bound.

        Inequalities between pre-periods alone are left out: they say nothing on the effect once
        the coefficients of the pre-periods are given, and for the relative restrictions the union
        is the same without them.

        Parameters
        ----------
        value : float
        pre, post : int
            Numbers of pre- and post-periods.
        """
        rows = [np.empty((0, pre + post))]
        # A trend that moves one way from zero has that sign: no need to say it twice.
        implied = (self.sign, self.monotone) in IMPLIED
        if self.sign is not None and not implied:
            rows.append(-ORIENTATION[self.sign] * np.eye(pre + post)[pre:])
        if self.monotone is not None:
            rows.append(-ORIENTATION[self.monotone] * differences(1, pre, post)[-post:])
        shape = np.concatenate(rows)
        return [
            Polyhedron(
                np.concatenate([part.matrix, shape]),
                np.concatenate([part.bound, np.zeros(len(shape))]),
            )
            for part in self._bounded(value, pre, post)
        ]


@dataclass(frozen=True)
class Smoothness(Restriction):
    r"""The slope of the difference in trends changes by at most M from one period to the next.

    .. math:: \Delta^{SD}(M) = \{\delta : |(\delta_{t+1}-\delta_t)-(\delta_t-\delta_{t-1})| \le M\}

    At M = 0 the difference in trends is linear.

    Parameters
    ----------
    m : float or sequence of float
        In units of the outcome.
    sign : {"positive", "negative"}, optional
        Sign of :math:`\delta` in the post-periods.
    monotone : {"increasing", "decreasing"}, optional
        Direction of :math:`\delta` over time.
    """

    name: ClassVar[str] = "smoothness"
    symbol: ClassVar[str] = "M"

    m: float | Sequence[float]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "m", self.values)

    @property
    def values(self) -> tuple[float, ...]:
        """The values of M."""
        return _as_bounds(self.m, "m")

    def _bounded(self, value: float, pre: int, post: int) -> list[Polyhedron]:
        after = differences(2, pre, post)[-post:]
        return [Polyhedron(np.concatenate([after, -after]), np.full(2 * post, value))]


@dataclass(frozen=True)
class RelativeMagnitudes(Restriction):
    r"""Trends differ between consecutive post-periods by at most Mbar times the largest such
    difference before.

    .. math:: \Delta^{RM}(\bar M) = \{\delta : |\delta_{t+1}-\delta_t| \le
              \bar M \max_{s<0} |\delta_{s+1}-\delta_s| \text{ for } t \ge 0\}

    with t = 0 the reference period.

    Parameters
    ----------
    mbar : float or sequence of float
    sign : {"positive", "negative"}, optional
        Sign of :math:`\delta` in the post-periods.
    monotone : {"increasing", "decreasing"}, optional
        Direction of :math:`\delta` over time.
    """

    name: ClassVar[str] = "relative magnitudes"
    symbol: ClassVar[str] = "Mbar"
    order: ClassVar[int] = 1

    mbar: float | Sequence[float] = (0.5, 1.0, 1.5, 2.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "mbar", self.values)

    @property
    def values(self) -> tuple[float, ...]:
        """The values of Mbar."""
        return _as_bounds(self.mbar, "mbar")

    def _bounded(self, value: float, pre: int, post: int) -> list[Polyhedron]:
        """One polyhedron for each pre-period that may hold the maximum, and its sign."""
        every = differences(self.order, pre, post)
        before, after = every[:-post], every[-post:]
        candidates = np.concatenate([before, -before]) if value > 0 else before[:1]
        return [
            Polyhedron(
                np.concatenate([after - value * largest, -after - value * largest]),
                np.zeros(2 * post),
            )
            for largest in candidates
        ]


@dataclass(frozen=True)
class SmoothnessRelative(RelativeMagnitudes):
    r"""The slope changes from the reference period on by at most Mbar times the largest change
    before.

    .. math:: \Delta^{SDRM}(\bar M) = \{\delta : |\Delta^2\delta_t| \le
              \bar M \max_{s<0} |\Delta^2\delta_s| \text{ for } t \ge 0\},\quad
              \Delta^2\delta_t = (\delta_{t+1}-\delta_t)-(\delta_t-\delta_{t-1})

    with t = 0 the reference period: the largest non-linearity of the pre-periods bounds the later
    ones. Needs two pre-periods.

    Parameters
    ----------
    mbar : float or sequence of float
    sign : {"positive", "negative"}, optional
        Sign of :math:`\delta` in the post-periods.
    monotone : {"increasing", "decreasing"}, optional
        Direction of :math:`\delta` over time.
    """

    name: ClassVar[str] = "smoothness relative to the pre-periods"
    order: ClassVar[int] = 2
    least_pre_periods: ClassVar[int] = 2


def _as_bounds(values: float | Sequence[float], symbol: str) -> tuple[float, ...]:
    given = np.atleast_1d(np.asarray(values, dtype=float))
    if given.ndim != 1 or len(given) == 0 or not np.isfinite(given).all() or (given < 0).any():
        raise InferenceError(f"{symbol}={values!r} must be one or more numbers of 0 or more.")
    return tuple(float(value) for value in given)


def differences(order: int, pre: int, post: int) -> Floats:
    r"""First or second differences of :math:`\delta` in order of time.

    Returns
    -------
    ndarray, shape (pre + post + 1 - order, pre + post)
        The last ``post`` rows are those that involve a post-period. The reference period, where
        :math:`\delta = 0`, has no column.
    """
    every: Floats = np.diff(np.eye(pre + post + 1), n=order, axis=0)
    return np.delete(every, pre, axis=1)
