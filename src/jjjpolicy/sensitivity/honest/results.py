"""What a sensitivity analysis returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.linalg.brief import brief

if TYPE_CHECKING:
    from jjjpolicy.sensitivity.honest.methods import ConfidenceSet
    from jjjpolicy.sensitivity.honest.restrictions import Restriction

COLUMNS = ["restriction", "method", "bound", "estimate", "lower", "upper"]
HALVINGS = 20


@dataclass(frozen=True, eq=False)
class HonestIntervals:
    """Intervals of one effect for several bounds on the difference in trends.

    Attributes
    ----------
    estimate, se : float
        Of the target, if trends are parallel.
    original : (float, float)
        Its interval if trends are parallel.
    table : DataFrame
        Columns restriction, method, bound (M or Mbar), estimate, lower, upper. Ends are infinite
        where the interval does not close, and missing where every value is rejected: the data then
        contradict the restriction.
    restriction : Restriction
    method : ConfidenceSet
    target : Series
        Weight of each post-period, indexed by event time.
    level : float
    notes : tuple of str
    """

    estimate: float
    se: float
    original: tuple[float, float]
    table: pd.DataFrame
    restriction: Restriction
    method: ConfidenceSet
    target: pd.Series
    level: float
    notes: tuple[str, ...] = ()
    _interval: Callable[[float], tuple[float, float]] = field(
        repr=False, default=lambda value: (np.nan, np.nan)
    )

    __repr__ = brief

    @cached_property
    def breakdown(self) -> float:
        """The largest bound under which the interval still excludes zero.

        Zero where the interval holds zero at a bound of zero already; infinite where it excludes
        zero up to a bound so large that the search ends. Computed when first asked for, to about
        six digits.
        """
        if not self._excludes_zero(0.0):
            return 0.0
        high = 1.0 if self.restriction.symbol == "Mbar" else self.se
        low = 0.0
        for _ in range(2 * HALVINGS):
            if not self._excludes_zero(high):
                break
            low, high = high, 2 * high
        else:
            return float("inf")
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._excludes_zero(middle) else (low, middle)
        return low

    def _excludes_zero(self, bound: float) -> bool:
        low, high = self._interval(bound)
        return low > 0 or high < 0

    def to_frame(self) -> pd.DataFrame:
        """The table below a first row with the original interval, whose bound is missing."""
        first = {
            "restriction": "parallel trends",
            "method": "original",
            "bound": np.nan,
            "estimate": self.estimate,
            "lower": self.original[0],
            "upper": self.original[1],
        }
        return pd.concat([pd.DataFrame([first]), self.table], ignore_index=True)[COLUMNS]

    def summary(self) -> str:
        """The table, the breakdown value and the notes as text for a terminal."""
        symbol = self.restriction.symbol
        weights = ", ".join(f"{t}: {w:g}" for t, w in self.target.items() if w != 0)
        lines = [
            f"Sensitivity to differences in trends: {self.restriction.label}",
            f"Effect at event time (weight) {weights}: {self.estimate:.6g} (se {self.se:.4g})",
            f"{100 * self.level:g}% intervals, {self.method.label}",
            "",
            f"{symbol:>12}{'lower':>14}{'upper':>14}",
            f"{'original':>12}{self.original[0]:>14.6g}{self.original[1]:>14.6g}",
        ]
        for row in self.table.itertuples():
            lines.append(f"{row.bound:>12.6g}{row.lower:>14.6g}{row.upper:>14.6g}")
        lines += ["", f"Breakdown {symbol}: {self.breakdown:.4g}", *self.notes]
        return "\n".join(lines)
