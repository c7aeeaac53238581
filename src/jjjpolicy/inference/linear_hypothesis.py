"""Linear hypotheses on the effects on treated and affected units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.inference.permutation.ranks import rank_pvalue, rank_pvalues, reach_of
from jjjpolicy.linalg.brief import brief

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True, eq=False)
class LinearHypothesis:
    r"""Test of :math:`C \alpha = d` by the periods before treatment.

    Attributes
    ----------
    combinations : DataFrame
        C, hypotheses × units.
    equals : float
    weighting : ndarray, shape (hypotheses, hypotheses)
    periods : ndarray of int
        Treated ones.
    paths : ndarray, shape (hypotheses, treated periods)
        :math:`C \hat\alpha_t`.
    reference : ndarray, shape (blocks, hypotheses)
        What :math:`C \hat\alpha`, averaged over as many periods, is without effects.
    single : ndarray, shape (periods before treatment, hypotheses)
        The same for one period.
    noise : float
        Distance below which two averages are alike.
    """

    combinations: pd.DataFrame
    equals: float
    weighting: Floats
    periods: Integers
    paths: Floats
    reference: Floats
    single: Floats
    noise: float

    __repr__ = brief

    @cached_property
    def estimate(self) -> pd.Series:
        """:math:`C \\hat\\alpha`, averaged over the treated periods, by hypothesis."""
        return pd.Series(self.paths.mean(axis=1), index=self.combinations.index)

    @cached_property
    def pvalue(self) -> float:
        """Of the average over the treated periods, the smallest being 1 / (blocks + 1)."""
        own = self._statistic(self.estimate.to_numpy()[None] - self.equals)[0]
        return rank_pvalue(float(own), self._statistic(self.reference), "greater", self._noise)

    @cached_property
    def by_period(self) -> pd.DataFrame:
        """Columns period, statistic and pvalue."""
        own = self._statistic(self.paths.T - self.equals)
        reference = np.repeat(self._statistic(self.single)[:, None], len(own), axis=1)
        return pd.DataFrame(
            {
                "period": self.periods,
                "statistic": own,
                "pvalue": rank_pvalues(own, reference, "greater", self._noise),
            }
        )

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Values d of one combination that the average does not reject.

        Raises
        ------
        InferenceError
            Several combinations, or a level that is none.
        """
        if len(self.paths) != 1 or not 0 < level < 1:
            raise InferenceError(
                f"an interval needs one combination and a level between 0 and 1; there are "
                f"{len(self.paths)} combinations, level={level}."
            )
        centre, reach = float(self.estimate.iloc[0]), reach_of(self.reference[:, 0], level)
        return centre - reach, centre + reach

    @property
    def _noise(self) -> float:
        return self.noise * float(np.sqrt(np.linalg.norm(self.weighting, 2)))

    def _statistic(self, rows: Floats) -> Floats:
        """Length of each row in the metric of the weighting, in the unit of the outcome."""
        squares = np.einsum("sq,qp,sp->s", rows, self.weighting, rows)
        found: Floats = np.sqrt(np.maximum(squares, 0.0))
        return found
