"""Assignments of treatment to groups of units: counted, enumerated or sampled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb, factorial, prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.design import Floats, Integers

ENUMERATION_LIMIT = 10_000


@dataclass(frozen=True)
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
        table = np.full((self.count, self.groups), np.inf)
        for row, chosen in enumerate(self._ordered_choices()):
            for date, members in chosen:
                table[row, list(members)] = date
        return table

    def _ordered_choices(self) -> Iterator[list[tuple[float, tuple[int, ...]]]]:
        counts = sorted(Counter(self.dates.tolist()).items())

        def place(k: int, free: tuple[int, ...]) -> Iterator[list[tuple[float, tuple[int, ...]]]]:
            if k == len(counts):
                yield []
                return
            date, size = counts[k]
            for members in combinations(free, size):
                rest = tuple(group for group in free if group not in members)
                for tail in place(k + 1, rest):
                    yield [(date, members), *tail]

        yield from place(0, tuple(range(self.groups)))

    def sample(self, replications: int, seed: int) -> Floats:
        """Independent random assignments, one random stream per replicate."""
        table = np.full((replications, self.groups), np.inf)
        for row, stream in zip(
            table, np.random.SeedSequence(seed).spawn(replications), strict=True
        ):
            chosen = np.random.default_rng(stream).permutation(self.groups)[: len(self.dates)]
            row[chosen] = self.dates
        return table


def group_adoption(adoption: Floats, assignment: Integers) -> tuple[Floats, Integers]:
    """Adoption of each assignment group, and the position of each unit's group among them."""
    _, first, positions = np.unique(assignment, return_index=True, return_inverse=True)
    return adoption[first], positions.astype(np.int64)
