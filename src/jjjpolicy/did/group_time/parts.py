"""Influence functions of averages of effects, from comparisons that share their units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.did.cohorts.influence import FEW, Influence, own_clusters, root_of

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.group_time.scores import Scores
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True, eq=False)
class Part:
    """Comparisons that share treated units and controls.

    Attributes
    ----------
    rows : ndarray of int
        Positions of the units.
    cells : ndarray of int
        Positions of the comparisons among all of them.
    scores : Scores
        Of the units in this order.
    """

    rows: Integers
    cells: Integers
    scores: Scores


@dataclass(frozen=True, eq=False)
class InfluenceInParts(Influence):
    """Influence functions of combinations of effects, added up over the parts.

    Attributes
    ----------
    design : Design
    parts : sequence of Part
    weights : ndarray, shape (comparisons, combinations)
    shares : ndarray, shape (cohorts, combinations)
        Derivatives with respect to the cohorts' shares of units.
    cohort_codes : ndarray of int, shape (units,)
        Cohorts as the averages weigh them.
    """

    design: Design
    parts: Sequence[Part]
    weights: Floats
    shares: Floats
    cohort_codes: Integers

    @cached_property
    def values(self) -> Floats:
        """Shape (units, combinations)."""
        everybody = np.arange(self.design.n_units)
        values = np.zeros((self.weights.shape[1], len(everybody)))
        for part in self.parts:
            own, found = self._of(part, slice(None))
            for column, effect in zip(own, found, strict=True):
                values[column][part.rows] += effect
        return self._completed(values, everybody).T

    def sums(self, codes: Integers) -> Floats:
        """As of every influence function, cohort by cohort where each unit is a cluster."""
        spans = [_spans(self.cohort_codes[part.rows]) for part in self.parts]
        if len(codes) <= FEW or not own_clusters(codes) or None in spans:
            return super().sums(codes)
        products = np.zeros((self.weights.shape[1],) * 2)
        for c in range(len(self.shares)):
            units = np.flatnonzero(self.cohort_codes == c)
            block = np.zeros((len(products), len(units)))
            for part, span in zip(self.parts, spans, strict=True):
                if span is not None and c in span:
                    own, found = self._of(part, span[c])
                    block[own] += found
            block = self._completed(block, units)
            products += block @ block.T
        return root_of(products)

    def _of(self, part: Part, rows: slice) -> tuple[Integers, Floats]:
        """Combinations that a part bears on, and its contribution for some of its rows."""
        weights = self.weights[part.cells]
        own = np.flatnonzero(weights.any(axis=0))
        return own, part.scores.influence_of(weights[:, own], rows).T

    def _completed(self, values: Floats, units: Integers) -> Floats:
        """With the derivatives for the shares of cohorts; shape (combinations, units)."""
        scale, weights = self.design.influence_scale, self.design.weights
        if self.shares.any():
            of_shares = self.shares.T.take(self.cohort_codes[units], axis=1)
            values += of_shares if weights is None else of_shares * weights[units]
        if scale is not None:
            values *= scale[units]
        return values


def _spans(codes: Integers) -> dict[int, slice] | None:
    """Where the rows of each cohort are, in order of the units; None where they lie apart."""
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    ends = np.append(starts[1:], len(codes))
    spans = {int(codes[a]): slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)}
    return spans if len(spans) == len(starts) else None
