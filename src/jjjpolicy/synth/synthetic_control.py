"""Synthetic control on outcomes or predictors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits, refit_blocks
from jjjpolicy.linalg.simplex import SimplexSolution, simplex_least_squares
from jjjpolicy.synth.counterfactual.gaps import Gaps, estimate_from_counterfactual
from jjjpolicy.synth.counterfactual.requirements import look_at_hull, require_panel
from jjjpolicy.synth.weights.predictor_weights import (
    Matching,
    NestedSearch,
    PredictorWeights,
    donor_weights,
)
from jjjpolicy.synth.weights.predictors import Predictor
from jjjpolicy.synth.weights.refits import simplex_refits

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats
    from jjjpolicy.synth.weights.nested_search import VSearch


@dataclass(frozen=True)
class SyntheticControl(Estimator):
    r"""A weighted average of never-treated units that follows each treated unit before treatment.

    For treated unit :math:`i` with adoption period :math:`a_i` the weights solve

    .. math:: \min_w \sum_{t < a_i} \Bigl(y_{it} - \sum_j w_j y_{jt}\Bigr)^2
              \quad\text{subject to } w_j \ge 0,\ \sum_j w_j = 1

    and the effect is :math:`y_{it} - \sum_j w_j y_{jt}` for :math:`t \ge a_i` (Abadie, Diamond and
    Hainmueller 2010, section 2). With ``predictors`` they solve

    .. math:: \min_w \sum_k v_k \Bigl(x_{ik} - \sum_j w_j x_{jk}\Bigr)^2

    instead, :math:`x_k` being predictor k over its standard deviation across all units. Several
    treated units get weights of their own; ``att`` averages over all treated cells.

    Parameters
    ----------
    predictors : sequence of Predictor
        What to match on; every pre-treatment outcome by default. Their columns are named in
        ``predictors=[…]`` when the design is built.
    predictor_weights : PredictorWeights
        How :math:`v` is found: :class:`NestedSearch`, :class:`InverseVariance`,
        :class:`RegressionBased`, :class:`CrossValidated` or :class:`GivenWeights`.

    Notes
    -----
    ``details["optimality_gap"]`` bounds, for each treated unit, how far the sum of squares is from
    its minimum. With predictors ``details["predictors"]`` compares treated unit, synthetic control
    and donor average, with the weight of each predictor and the range of weights that lead to the
    same donors; ``details["search"]`` holds for each treated unit the loss, a lower bound on the
    loss of any predictor weights, whether the predictor weights are unique, and every local minimum
    met (``starts``) with its donor weights (``donors``). A treated unit far outside the hull of its
    donors gives a warning. There is no analytic variance: attach
    :class:`jjjpolicy.inference.PlaceboUnits` or another method.
    """

    predictors: Sequence[Predictor] = ()
    predictor_weights: PredictorWeights = field(default_factory=NestedSearch)

    def unused_covariates(self, design: Design) -> list[str]:
        """Covariates that are not among the predictors."""
        return [name for name in design.covariates if name not in self._read]

    def unused_predictors(self, design: Design) -> list[str]:
        """Predictors of the design that no :class:`Predictor` names."""
        return [name for name in design.predictors if name not in self._read]

    @property
    def _read(self) -> set[str]:
        """Variables that are matched or that predictor weights are learnt from."""
        read = (*self.predictors, *self.predictor_weights.trained_on) if self.predictors else ()
        return {predictor.variable for predictor in read}

    def fit(self, design: Design) -> Estimate:
        """Solve for the weights of each treated unit.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, no never-treated unit,
            donors that do not differ before treatment, a predictor without values (named).
        """
        donors = require_panel(design, self.label, 1)
        rows = list(_treated_rows(design))
        best = [_on_outcomes(design, donors, i, before) for i, before in rows]
        for (i, before), solution in zip(rows, best, strict=True):
            look_at_hull(design, donors, i, before, solution)
        details: dict[str, Any]
        if self.predictors:
            matched = [self._match(design, donors, i) for i, _ in rows]
            weights = np.column_stack([match.donors for match in matched])
            details = {
                "relative_gap": np.array([match.gap for match in matched]),
                "optimality_gap": np.array([match.gap for match in matched]),
                "predictors": pd.concat([match.balance() for match in matched], ignore_index=True),
                "search": {
                    design.units[i]: match.search
                    for (i, _), match in zip(rows, matched, strict=True)
                },
            }
        else:
            weights = np.column_stack([solution.weights for solution in best])
            squares = [float((design.outcome[i, before] ** 2).sum()) for i, before in rows]
            gaps = np.array([solution.gap for solution in best])
            details = {
                "optimality_gap": gaps,
                "relative_gap": gaps / np.where(np.array(squares) > 0, squares, 1.0),
            }
        return estimate_from_counterfactual(
            self,
            design,
            weights.T @ design.outcome[donors],
            weights=pd.DataFrame(
                weights,
                index=pd.Index(design.units[donors], name="donor"),
                columns=pd.Index(design.units[design.treated], name="unit"),
            ),
            details=details,
            unit_details={"effective_donors": 1 / (weights**2).sum(axis=0)},
        )

    @property
    def chosen_before_treatment(self) -> bool:
        """Weights are, unless they are fitted to predictors."""
        return not self.predictors

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        donors = require_panel(design, self.label, 1)
        if not self.predictors:
            return self.refit_many(design, design.adoption[None, :])
        weights = np.stack(
            [self._match(design, donors, i).donors for i, _ in _treated_rows(design)]
        )
        gaps = design.outcome[design.treated] - weights @ design.outcome[donors]
        return Gaps.of(design, gaps).refits()

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_many`."""
        if self.predictors:
            return super().refit_many(design, adoptions, jobs)
        require_panel(design, self.label, 0)
        return refit_blocks(self._refit_block, design, adoptions, jobs, self.label)

    def refit_among(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_among`."""
        if self.predictors:
            return super().refit_among(design, adoptions, jobs)
        require_panel(design, self.label, 0)
        return self._refit_block(design, adoptions)

    def _refit_block(self, design: Design, adoptions: Floats) -> Refits:
        return simplex_refits(design, adoptions, self.label, demeaned=False, donors=1, before=1)

    def _match(self, design: Design, donors: Booleans, treated: int) -> _Match:
        matching = Matching.of(design, treated, donors, tuple(self.predictors))
        search = self.predictor_weights.choose(matching)
        weights, gap = donor_weights(matching, search.weights)
        return _Match(matching, search, weights, gap)


@dataclass(frozen=True, eq=False)
class _Match:
    """Donor weights from predictors."""

    matching: Matching
    search: VSearch
    donors: Floats
    gap: float

    def balance(self) -> pd.DataFrame:
        """Treated unit, synthetic control and donor average by predictor."""
        design, table = self.matching.design, self.matching.table
        unit = design.units[self.matching.treated]
        pool = table.drop(columns=unit)
        return pd.DataFrame(
            {
                "unit": unit,
                "predictor": table.index,
                "treated": table[unit].to_numpy(),
                "synthetic": pool.to_numpy() @ self.donors,
                "donor_average": pool.mean(axis=1).to_numpy(),
                "weight": self.search.weights,
                "smallest": self.search.smallest,
                "largest": self.search.largest,
            }
        )


def _treated_rows(design: Design) -> Iterator[tuple[int, Booleans]]:
    """Position of each treated unit and the mask of its pre-treatment periods."""
    for i in np.flatnonzero(design.treated):
        yield int(i), design.periods < design.adoption[i]


def _on_outcomes(design: Design, donors: Booleans, i: int, before: Booleans) -> SimplexSolution:
    return simplex_least_squares(design.outcome[donors].T[before], design.outcome[i, before])
