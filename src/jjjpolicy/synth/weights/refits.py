"""Refits of simplex-weighted counterfactuals under many assignments, without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.linalg.positions import equal_rows
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
        First treated periods, ``inf`` for never, ``nan`` for units that are left out.
    method : str
        Name of the estimator, for messages.
    demeaned : bool
        Match outcomes less their pre-treatment average.
    donors, before : int
        Fewest donors and periods before treatment.
    """
    never = np.isinf(adoptions)
    few = np.flatnonzero(never.sum(axis=1) < donors)
    if len(few):
        one = adoptions[few[0]]
        sample = design.reassigned(one).keep_units(~np.isnan(one), "left out of the sample")
        sample.require_never_treated(method, donors)
    row, unit = np.nonzero(np.isfinite(adoptions))
    date = adoptions[row, unit]
    by_adoption = np.lexsort((date, row))
    row, unit, date = row[by_adoption], unit[by_adoption], date[by_adoption]
    starts = np.searchsorted(design.periods, date)
    for early in np.flatnonzero(starts < before)[:1]:
        require_pre_periods(design, method, int(unit[early]), int(starts[early]), before)
    ever: Booleans = np.asarray(never.any(axis=0))
    matches = _Matches(np.ascontiguousarray(design.outcome.T), ever, demeaned)
    gaps = np.empty((len(row), design.n_periods))
    of_pair = unit * (design.n_periods + 1) + starts
    order = np.argsort(of_pair, kind="stable")
    for alike in np.split(order, np.flatnonzero(np.diff(of_pair[order])) + 1):
        first = alike[0]
        gaps[alike] = matches.gaps(int(unit[first]), int(starts[first]), never[row[alike]])
    ends = np.cumsum(np.bincount(row, minlength=len(adoptions)))[:-1]
    return stacked_refits(
        np.split(gaps, ends), np.split(date, ends), design.periods, scale_of(design)
    )


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
        self._levels: dict[int, Floats] = {}

    def gaps(self, unit: int, start: int, donors: Booleans) -> Floats:
        """Outcome of a unit less those of its synthetic controls, shape (assignments, periods).

        Parameters
        ----------
        unit : int
        start : int
            Number of periods before treatment.
        donors : ndarray of bool, shape (assignments, units)
            Never the unit itself.
        """
        paths = np.empty((len(donors), len(self.outcome)))
        allowed = self.ever.copy()
        allowed[unit] = False
        known: dict[bytes, tuple[Integers, Floats]] = {}
        waiting = [(allowed, np.arange(len(donors)))]
        while waiting:
            allowed, rows = waiting.pop()
            key = allowed.tobytes()
            if key not in known:
                known[key] = self._found(unit, start, allowed)
            support, path = known[key]
            absent = ~donors[rows[:, None], support]
            settled = ~absent.any(axis=1)
            paths[rows[settled]] = path
            open_ = np.flatnonzero(~settled)
            for alike in equal_rows(absent[open_]):
                fewer = allowed.copy()
                fewer[support[absent[open_[alike[0]]]]] = False
                waiting.append((fewer, rows[open_[alike]]))
        return paths

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
