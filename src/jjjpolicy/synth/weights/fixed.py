"""Gaps under given weights, with some units left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.linalg.positions import positions_in
from jjjpolicy.synth.counterfactual.gaps import Gaps

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False)
class FixedWeights:
    """Weights of an estimate whose gaps are differences of weighted differences.

    Attributes
    ----------
    design : Design
    donors : ndarray of int
        Positions of the donors.
    omega : ndarray, shape (donors, treated units)
        Summing to one.
    lambda_ : ndarray, shape (treated units, periods)
        Weights on pre-treatment periods from which gaps are measured, zero where there are none.
    """

    design: Design
    donors: Integers
    omega: Floats
    lambda_: Floats

    @classmethod
    def of(cls, estimate: Estimate, instead: str) -> FixedWeights:
        """Find the weights behind the gaps of an estimate.

        Parameters
        ----------
        estimate : Estimate
        instead : str
            What to do where there are none, for the message.

        Raises
        ------
        InferenceError
            The gaps are not differences of weighted differences.
        """
        design, weights, paths = estimate.design, estimate.weights, estimate.counterfactual
        if weights is None or paths is None:
            raise InferenceError(
                f"{estimate.estimator.label} has no donor weights to hold fixed; {instead}."
            )
        omega = weights.to_numpy()
        donors = positions_in(design.units, weights.index)
        adoption = design.adoption[design.treated]
        before = design.periods[None, :] < adoption[:, None]
        candidates = [np.zeros(before.shape), before / before.sum(axis=1, keepdims=True)]
        if "lambda" in estimate.details:
            table = estimate.details["lambda"]
            cohorts = design.labels.clock.names(adoption)
            candidates.insert(0, np.stack([table[cohort].to_numpy() for cohort in cohorts]))
        target = design.outcome[design.treated] - paths.to_numpy()
        for lambda_ in candidates:
            found = cls(design, donors, omega, lambda_)
            gaps = found.without(np.zeros(design.n_units, dtype=bool)).values
            scale = float(np.abs(design.outcome).max())
            if np.abs(gaps - target).max() <= 1e-7 * scale:
                return found
        raise InferenceError(
            f"the counterfactual of {estimate.estimator.label} is not made of weights on donors "
            f"and periods that sum to one; {instead}."
        )

    def without(self, left_out: Booleans) -> Gaps:
        """Gaps of the treated units that are left, donor weights scaled to sum to one.

        Raises
        ------
        InferenceError
            A treated unit has no weight on the donors that are left, or no treated unit is left.
        """
        design = self.design
        omega = np.where(left_out[self.donors][:, None], 0.0, self.omega)
        stay = ~left_out[design.treated]
        totals = omega.sum(axis=0)
        if not stay.any() or (totals[stay] <= 1e-9).any():
            named = ", ".join(map(str, design.units[left_out]))
            raise InferenceError(
                f"weights cannot be held fixed without {named}: no treated unit or no donor with "
                f"weight is left. Use fixed_weights=False or PlaceboUnits."
            )
        with np.errstate(divide="ignore", invalid="ignore"):
            omega = (omega / totals)[:, stay]
        raw = design.outcome[design.treated][stay] - omega.T @ design.outcome[self.donors]
        lambda_ = self.lambda_[stay]
        gaps = raw - (raw * lambda_).sum(axis=1, keepdims=True)
        return replace(Gaps.of(design, gaps), adoption=design.adoption[design.treated][stay])
