"""Units that adopt together and are observed in the same periods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Integers

BITS = 30
"""Periods that are packed into one number at a time."""


@dataclass(frozen=True, eq=False)
class UnitKinds:
    """What units have in common but for their outcomes and covariates.

    Attributes
    ----------
    codes : ndarray of int, shape (units,)
        The kind of each unit.
    cohorts : ndarray of int, shape (kinds,)
        Position of its adoption period among the distinct ones.
    observed : ndarray of bool, shape (kinds, periods)
    """

    codes: Integers
    cohorts: Integers
    observed: Booleans

    @classmethod
    def of(cls, design: Design) -> Self:
        """The kinds of the units of a design."""
        values, cohorts = design.cohort_codes
        if design.balanced:
            seen = np.ones((len(values), design.n_periods), dtype=bool)
            return cls(cohorts, np.arange(len(values)), seen)
        first, codes = np.arange(0), cohorts
        for start in range(0, design.n_periods, BITS):
            block = design.observed[:, start : start + BITS]
            bits = (block @ 2.0 ** np.arange(block.shape[1])).astype(np.int64)
            _, first, codes = np.unique(
                codes * 2**BITS + bits, return_index=True, return_inverse=True
            )
        return cls(codes.astype(np.int64), cohorts[first], design.observed[first])
