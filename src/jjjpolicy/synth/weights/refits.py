"""Refits of simplex-weighted counterfactuals under many assignments, without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.linalg.simplex import simplex_weights
from jjjpolicy.synth.counterfactual.gaps import scale_of, stacked_refits
from jjjpolicy.synth.counterfactual.requirements import require_pre_periods

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


def simplex_refits(
    design: Design, adoptions: Floats, method: str, *, demeaned: bool, donors: int, before: int
) -> Refits:
    """Gaps of every assignment; each treated unit is matched on pre-treatment outcomes.

    Parameters
    ----------
    design : Design
        Balanced, absorbing, unweighted.
    adoptions : ndarray, shape (assignments, units)
        First treated periods, ``inf`` for never.
    method : str
        Name of the estimator, for messages.
    demeaned : bool
        Match outcomes less their pre-treatment average.
    donors, before : int
        Fewest donors and periods before treatment.
    """
    ever = np.isinf(adoptions).any(axis=0)
    matches = _Matches(np.ascontiguousarray(design.outcome.T), ever, demeaned)
    values, dates = [], []
    for adoption in adoptions:
        never = np.isinf(adoption)
        if never.sum() < donors:
            design.reassigned(adoption).require_never_treated(method, donors)
        treated = np.flatnonzero(~never)
        treated = treated[np.argsort(adoption[treated], kind="stable")]
        gaps = np.empty((len(treated), design.n_periods))
        for row, i in enumerate(treated):
            start = int(np.searchsorted(design.periods, adoption[i]))
            require_pre_periods(design, method, int(i), start, before)
            gaps[row] = matches.gap(int(i), start, never)
        values.append(gaps)
        dates.append(adoption[treated])
    return stacked_refits(values, dates, design.periods, scale_of(design))


class _Matches:
    """Weights of units on donors, found once for all sets of donors that share them.

    The best weights on some donors are the best on fewer of them as long as no donor with weight is
    left out. From the weights on all that are ever donors on, donors with weight that an assignment
    does not have are left out until none is left; other assignments begin with what was found on
    the way.

    Parameters
    ----------
    outcome : ndarray, shape (periods, units)
    ever : ndarray of bool, shape (units,)
        Donors in some assignment.
    demeaned : bool
        Match outcomes less their pre-treatment average.
    """

    def __init__(self, outcome: Floats, ever: Booleans, demeaned: bool) -> None:
        self.outcome, self.ever, self.demeaned = outcome, ever, demeaned
        self._known: dict[tuple[int, int, bytes], tuple[Integers, Floats]] = {}
        self._levels: dict[int, Floats] = {}

    def gap(self, unit: int, start: int, donors: Booleans) -> Floats:
        """Outcome of a unit less that of its synthetic control, shape (periods,).

        Parameters
        ----------
        unit : int
        start : int
            Number of periods before treatment.
        donors : ndarray of bool, shape (units,)
            Not the unit itself.
        """
        allowed = self.ever.copy()
        allowed[unit] = False
        while True:
            key = (unit, start, allowed.tobytes())
            if key not in self._known:
                self._known[key] = self._found(unit, start, allowed)
            support, path = self._known[key]
            absent = support[~donors[support]]
            if len(absent) == 0:
                return path
            allowed[absent] = False

    def _found(self, unit: int, start: int, allowed: Booleans) -> tuple[Integers, Floats]:
        """Donors with weight, and the gap."""
        difference = self.outcome[:, allowed] - self.outcome[:, unit, None]
        if self.demeaned:
            if start not in self._levels:
                self._levels[start] = self.outcome[:start].mean(axis=0)
            levels = self._levels[start]
            difference -= levels[allowed] - levels[unit]
        weights = simplex_weights(difference[:start])
        return np.flatnonzero(allowed)[weights > 0], -(difference @ weights)
