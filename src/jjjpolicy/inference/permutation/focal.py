"""Which treatments may be exchanged while the outcomes of focal units stay what they are.

All is decided by places, before anybody looks at who is treated: groups are divided into blocks,
and treatments are exchanged within the block in which most assignments are possible. An exchange
leaves in every block the treatments that it had, so that each assignment reached leads to the same
block and the same focal units: the sets of assignments divide all there are, and within each the
chances are equal as before (Basse, Feller and Toulis 2019, theorem 1; Puelz et al. 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.pairs import distances_between
from jjjpolicy.inference.permutation.assignments import AssignmentSpace, group_adoption

if TYPE_CHECKING:
    import pandas as pd

    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


def distances_to_groups(
    design: Design, distances: pd.DataFrame | None, beyond: float, method: str
) -> Floats:
    """Distance of each unit to the nearest unit of each group of assignment.

    Shape (units, groups).

    Raises
    ------
    InferenceError
        Treatment switches off; ``beyond`` is negative.
    DesignError
        Distances are unknown; see :func:`~jjjpolicy.estimation.pairs.distances_between`.
    """
    if not design.absorbing:
        raise InferenceError(
            f"{method} hands the first treated period of a group to other groups, and in this "
            f"design (absorbing=False) treatment switches off again: study the first switch alone."
        )
    if not beyond >= 0:
        raise InferenceError(f"beyond={beyond} must be a distance, zero or more.")
    away = distances_between(design, distances, method)
    order = np.argsort(design.assignment, kind="stable")
    starts = np.flatnonzero(np.diff(design.assignment[order], prepend=-1))
    nearest: Floats = np.minimum.reduceat(away[:, order], starts, axis=1)
    return nearest


def between_groups(design: Design, away: Floats) -> Floats:
    """Shortest distances between groups from those of units to groups, shape (groups, groups)."""
    order = np.argsort(design.assignment, kind="stable")
    starts = np.flatnonzero(np.diff(design.assignment[order], prepend=-1))
    shortest: Floats = np.minimum.reduceat(away[order], starts, axis=0)
    return np.minimum(shortest, shortest.T)


def far_apart(away: Floats, beyond: float) -> list[Integers]:
    """Blocks whose groups lie farther than ``beyond`` from each other; each group is in one.

    Parameters
    ----------
    away : ndarray, shape (groups, groups)
    beyond : float
    """
    near = away <= beyond
    members: list[list[int]] = []
    barred: list[Booleans] = []
    for group in range(len(near)):
        block = next((k for k, bars in enumerate(barred) if not bars[group]), len(members))
        if block == len(members):
            members.append([])
            barred.append(np.zeros(len(near), dtype=bool))
        members[block].append(group)
        barred[block] |= near[group]
    return [np.array(each) for each in members]


def around_focal(away: Floats, beyond: float) -> list[Integers]:
    """Blocks that leave focal groups farther than ``beyond`` from all of their members.

    Groups are gone through in their order and made focal or members of the block in turns, where
    they lie farther than ``beyond`` from all of the other kind (a net of focal groups as in Athey,
    Eckles and Imbens 2018); the block then takes what else lies so far from the focal ones. Groups
    that remain are divided likewise, with focal groups from among those that have their block.
    Groups for which there are no focal ones are in no block.

    Parameters
    ----------
    away : ndarray, shape (groups, groups)
    beyond : float
    """
    near = away <= beyond
    left = np.ones(len(away), dtype=bool)
    blocks = []
    while left.any():
        first = int(left.argmax())
        placed = ~left & ~near[first]
        may_be_focal = placed if placed.any() else left
        by_block, by_focal = near[first].copy(), np.zeros(len(away), dtype=bool)
        ahead = 1  # members of the block less focal groups
        for group in range(len(away)):
            if ahead > 0 and may_be_focal[group] and not by_block[group]:
                by_focal |= near[group]
                ahead -= 1
            elif ahead <= 0 and left[group] and not by_focal[group]:
                by_block |= near[group]
                ahead += 1
        block = left & ~by_focal
        if by_focal.any():
            blocks.append(np.flatnonzero(block))
            left &= ~block
        left[first] = False
    return blocks


def most_assignments(design: Design, blocks: Sequence[Integers]) -> Integers | None:
    """The first block in which most assignments are possible; None where none has two."""
    dates, _ = group_adoption(design.adoption, design.assignment)
    counts = [_count(dates[block]) for block in blocks]
    if max(counts, default=1) < 2:
        return None
    return blocks[counts.index(max(counts))]


def _count(dates: Floats) -> int:
    return AssignmentSpace(dates[np.isfinite(dates)], len(dates)).count
