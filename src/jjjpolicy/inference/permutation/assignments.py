"""Assignments of treatment to groups of units: counted, enumerated or sampled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from math import comb, factorial, prod
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.estimation.draws import require_few, streams
from jjjpolicy.linalg.remembered import remembered

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Floats, Integers

ENUMERATION_LIMIT = 10_000


@dataclass(frozen=True, eq=False)
class AssignmentSpace:
    """All ways to give the treated groups' adoption periods to a set of groups.

    Attributes
    ----------
    dates : ndarray, shape (treated groups,)
        Adoption periods to hand out; a group that gets none is never treated.
    groups : int
        Number of groups that can receive one.
    """

    dates: Floats
    groups: int

    @property
    def count(self) -> int:
        """Number of distinct assignments."""
        repeats = prod(factorial(n) for n in Counter(self.dates.tolist()).values())
        return comb(self.groups, len(self.dates)) * factorial(len(self.dates)) // repeats

    def enumerate(self) -> Floats:
        """Every distinct assignment; shape (count, groups), ``inf`` for never treated."""
        require_few("assignments", self.count)
        table = np.full((1, self.groups), np.inf)
        free = np.arange(self.groups)[None, :]
        for date, size in sorted(Counter(self.dates.tolist()).items()):
            available = free.shape[1]
            chosen = np.array(list(combinations(range(available), size)))
            left = np.ones((len(chosen), available), dtype=bool)
            left[np.arange(len(chosen))[:, None], chosen] = False
            rest = np.nonzero(left)[1].reshape(len(chosen), available - size)
            table = np.repeat(table, len(chosen), axis=0)
            table[np.arange(len(table))[:, None], free[:, chosen].reshape(-1, size)] = date
            free = free[:, rest].reshape(-1, available - size)
        return table

    def with_actual(self, actual: Floats, most: int, draws: int, seed: int) -> tuple[Floats, bool]:
        """The actual assignment first, then all others, or a sample where there are too many.

        Parameters
        ----------
        actual : ndarray, shape (groups,)
        most : int
            All are listed where there are no more than this.
        draws, seed : int
            Of the sample.

        Returns
        -------
        assignments : ndarray, shape (assignments, groups)
        exact : bool
            Whether they are all there are.
        """
        exact = self.count <= most
        if exact:
            table = self.enumerate()
            table = table[(table != actual).any(axis=1)]
        else:
            table = self.sample(draws, seed)
        return np.concatenate([actual[None], table]), exact

    def sample(self, replications: int, seed: int) -> Floats:
        """Independent random assignments, one random stream per replicate."""
        chosen = _drawn(self.groups, len(self.dates), replications, seed)
        table = np.full((replications, self.groups), np.inf)
        table[np.arange(replications)[:, None], chosen] = self.dates
        return table


@remembered
def _drawn(groups: int, size: int, replications: int, seed: int) -> Integers:
    """Groups drawn for each replicate, shape (replications, size)."""
    drawn = [
        np.random.default_rng(stream).permutation(groups)[:size]
        for stream in streams(seed, replications)
    ]
    return np.array(drawn, dtype=np.int64).reshape(replications, size)


@dataclass(frozen=True, eq=False)
class Assignments:
    """Assignments that could have been, the actual one first.

    Attributes
    ----------
    adoptions : ndarray, shape (assignments, groups)
        First treated periods, ``inf`` for never.
    groups : ndarray of int, shape (units,)
        Position of each unit's group.
    exact : bool
        Whether these are all there are.
    how : str
        In words.
    """

    adoptions: Floats
    groups: Integers
    exact: bool
    how: str

    def refits(self, estimator: Estimator, design: Design, jobs: int = 1) -> Refits:
        return estimator.refit_groups(design, self.adoptions, self.groups, jobs)


def group_adoption(adoption: Floats, assignment: Integers) -> tuple[Floats, Integers]:
    """Adoption of each assignment group, and the position of each unit's group among them."""
    _, first, positions = np.unique(assignment, return_index=True, return_inverse=True)
    return adoption[first], positions.astype(np.int64)
