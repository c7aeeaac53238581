"""Synthetic control on outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.estimator import Estimator, Refits
from jjjpolicy.linalg.simplex import SimplexSolution, simplex_least_squares
from jjjpolicy.synth.gaps import Gaps, estimate_from_counterfactual

if TYPE_CHECKING:
    from jjjpolicy.design import Booleans, Design, Floats
    from jjjpolicy.estimate import Estimate


@dataclass(frozen=True)
class SyntheticControl(Estimator):
    r"""A weighted average of never-treated units that follows each treated unit before treatment.

    For treated unit :math:`i` with adoption period :math:`a_i` the weights solve

    .. math:: \min_w \sum_{t < a_i} \Bigl(y_{it} - \sum_j w_j y_{jt}\Bigr)^2
              \quad\text{subject to } w_j \ge 0,\ \sum_j w_j = 1

    and the effect is :math:`y_{it} - \sum_j w_j y_{jt}` for :math:`t \ge a_i` (Abadie, Diamond and
    Hainmueller 2010, section 2, with every pre-treatment outcome as a predictor). Several treated
    units get weights of their own; ``att`` averages over all treated cells.

    Notes
    -----
    ``details["optimality_gap"]`` bounds, for each treated unit, how far the pre-treatment sum of
    squares is from its minimum. The estimator has no analytic variance: attach
    :class:`jjjpolicy.inference.PlaceboUnits` or another method.
    """

    def fit(self, design: Design) -> Estimate:
        """Solve for the weights of each treated unit.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, no never-treated unit.
        """
        donors = self._donors(design)
        solutions = self._solve(design, donors)
        weights = np.column_stack([solution.weights for solution in solutions])
        counterfactual = weights.T @ design.outcome[donors]
        squares = [float((design.outcome[i, pre] ** 2).sum()) for i, pre in _treated_rows(design)]
        return estimate_from_counterfactual(
            self,
            design,
            counterfactual,
            weights=pd.DataFrame(
                weights,
                index=pd.Index(design.units[donors], name="donor"),
                columns=pd.Index(design.units[design.treated], name="unit"),
            ),
            details={
                "optimality_gap": np.array([solution.gap for solution in solutions]),
                "relative_gap": np.array(
                    [
                        solution.gap / total if total > 0 else 0.0
                        for solution, total in zip(solutions, squares, strict=True)
                    ]
                ),
            },
            unit_details={"effective_donors": 1 / (weights**2).sum(axis=0)},
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        donors = self._donors(design)
        counterfactual = np.stack(
            [solution.weights @ design.outcome[donors] for solution in self._solve(design, donors)]
        )
        treated = design.treated
        gaps = design.outcome[treated] - counterfactual
        return Gaps(gaps, design.periods, design.adoption[treated]).refits()

    def _donors(self, design: Design) -> Booleans:
        design.require_absorbing(self.label)
        design.require_balanced(self.label)
        design.require_unweighted(self.label)
        return design.require_never_treated(self.label)

    @staticmethod
    def _solve(design: Design, donors: Booleans) -> list[SimplexSolution]:
        pool: Floats = design.outcome[donors].T
        return [
            simplex_least_squares(pool[pre], design.outcome[i, pre])
            for i, pre in _treated_rows(design)
        ]


def _treated_rows(design: Design) -> list[tuple[int, Booleans]]:
    """Position of each treated unit and the mask of its pre-treatment periods."""
    return [(int(i), design.periods < design.adoption[i]) for i in np.flatnonzero(design.treated)]
