"""Refits of simplex-weighted counterfactuals under many assignments, without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.linalg.even_weights import most_even_exact
from jjjpolicy.linalg.positions import equal_rows
from jjjpolicy.linalg.simplex import simplex_weights
from jjjpolicy.synth.counterfactual.gaps import EXACT, scale_of, stacked_refits
from jjjpolicy.synth.counterfactual.requirements import require_pre_periods

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

BATCH_CELLS = 500_000
"""Cells of problems that are solved at once."""


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
    gaps = matches.gaps(unit, starts, never[row])
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
        self._known: dict[tuple[int, int, bytes], _Match] = {}
        self._levels: dict[int, Floats] = {}

    def gaps(self, units: Integers, starts: Integers, donors: Booleans) -> Floats:
        """Outcomes of units less those of their synthetic controls, shape (queries, periods).

        Parameters
        ----------
        units : ndarray of int, shape (queries,)
        starts : ndarray of int, shape (queries,)
            Number of periods before treatment.
        donors : ndarray of bool, shape (queries, units)
            Never the unit itself.
        """
        paths = np.empty((len(units), len(self.outcome)))
        waiting = []
        for rows in equal_rows(np.column_stack([units, starts])):
            allowed = self.ever.copy()
            allowed[units[rows[0]]] = False
            waiting.append(_Asked(int(units[rows[0]]), int(starts[rows[0]]), allowed, rows))
        while waiting:
            self._find(waiting)
            fewer = []
            for asked in waiting:
                found = self._known[asked.key]
                absent = ~donors[asked.rows[:, None], found.support]
                settled = ~absent.any(axis=1)
                paths[asked.rows[settled]] = found.path
                open_ = np.flatnonzero(~settled)
                for alike in equal_rows(absent[open_]):
                    allowed = asked.allowed.copy()
                    allowed[found.support[absent[open_[alike[0]]]]] = False
                    rows = asked.rows[open_[alike]]
                    fewer.append(_Asked(asked.unit, asked.start, allowed, rows, found.exact))
            waiting = fewer
        return paths

    def _find(self, waiting: list[_Asked]) -> None:
        """Solve what is not known yet; where an exact fit may be left, many at once."""
        new = {asked.key: asked for asked in waiting if asked.key not in self._known}
        for start in {asked.start for asked in new.values() if asked.exact}:
            exact = [asked for asked in new.values() if asked.exact and asked.start == start]
            step = max(1, BATCH_CELLS // (self.outcome.size + 1))
            for first in range(0, len(exact), step):
                self._find_exact(exact[first : first + step])
        for key, asked in new.items():
            if key not in self._known:
                difference = self._difference(asked)[:, asked.allowed]
                weights = np.zeros(len(self.ever))
                weights[asked.allowed] = simplex_weights(difference[: asked.start])
                self._known[key] = _Match.of(self._difference(asked), weights, asked)

    def _find_exact(self, exact: list[_Asked]) -> None:
        differences = np.stack([self._difference(asked) for asked in exact])
        allowed = np.stack([asked.allowed for asked in exact])
        weights, solved = most_even_exact(differences[:, : exact[0].start], allowed)
        for row in np.flatnonzero(solved):
            found = _Match.of(differences[row], weights[row], exact[row])
            self._known[exact[row].key] = found

    def _difference(self, asked: _Asked) -> Floats:
        """All units less one, (periods, units), as they are compared."""
        difference: Floats = self.outcome - self.outcome[:, asked.unit, None]
        if self.demeaned:
            if asked.start not in self._levels:
                self._levels[asked.start] = self.outcome[: asked.start].mean(axis=0)
            levels = self._levels[asked.start]
            difference -= levels - levels[asked.unit]
        return difference


@dataclass(frozen=True, eq=False)
class _Asked:
    """A unit to be matched on some donors, for some queries; whether the fit may be exact."""

    unit: int
    start: int
    allowed: Booleans
    rows: Integers
    exact: bool = False

    @property
    def key(self) -> tuple[int, int, bytes]:
        return self.unit, self.start, self.allowed.tobytes()


@dataclass(frozen=True, eq=False)
class _Match:
    """Donors with weight, the gap in every period, and whether it is none before treatment."""

    support: Integers
    path: Floats
    exact: bool

    @classmethod
    def of(cls, difference: Floats, weights: Floats, asked: _Asked) -> _Match:
        path = -(difference @ weights)
        before = float(np.abs(path[: asked.start]).max())
        exact = before <= EXACT * float(np.abs(difference).max())
        return cls(np.flatnonzero(weights > 0), path, exact)
