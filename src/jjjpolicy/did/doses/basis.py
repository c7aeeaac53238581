"""B-splines of a dose and their derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True, eq=False)
class DoseBasis:
    """B-splines between the smallest and the largest dose; they sum to one, so hold a constant.

    Attributes
    ----------
    degree : int
    breaks : ndarray
        Smallest dose, interior knots, largest dose; strictly increasing.
    """

    degree: int
    breaks: Floats

    @classmethod
    def at_quantiles(cls, doses: Floats, degree: int, knots: int) -> DoseBasis:
        """Interior knots at equally spaced quantiles of the doses."""
        shares = np.linspace(0, 1, knots + 2)
        return cls(degree, np.unique(np.quantile(doses, shares)))

    @property
    def size(self) -> int:
        """Number of splines."""
        return self.degree + max(len(self.breaks) - 1, 1)

    def values(self, doses: Floats) -> Floats:
        """Splines at some doses; shape (doses, splines)."""
        return self._evaluate(doses, 0)

    def slopes(self, doses: Floats) -> Floats:
        """First derivatives of the splines at some doses; shape (doses, splines)."""
        return self._evaluate(doses, 1)

    def _evaluate(self, doses: Floats, derivative: int) -> Floats:
        from scipy.interpolate import BSpline

        ends = self.breaks[[0, -1]]
        padding = np.repeat(ends, self.degree)
        knots = np.sort(np.concatenate([padding, self.breaks]))
        splines = BSpline(knots, np.eye(self.size), self.degree)
        found: Floats = splines(np.clip(doses, *ends), nu=derivative)
        return found
