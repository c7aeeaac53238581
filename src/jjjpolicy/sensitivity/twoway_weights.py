"""How a two-way fixed effects coefficient weights the effects of treated cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.sensitivity.residual_treatment import design_of, residual_treatment

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True, eq=False)
class TwoWayWeights:
    """Weights of treated cells in a two-way fixed effects coefficient.

    Attributes
    ----------
    coefficient : float
        The two-way fixed effects coefficient.
    weights : DataFrame
        unit, period, weight for every treated cell; the weights sum to one.
    positive, negative : int
        Number of cells with a positive and with a negative weight.
    share_negative : float
        Share of treated cells with a negative weight.
    sum_negative : float
        Sum of the negative weights.
    sigma_zero : float
        The smallest standard deviation of effects across treated cells at which the coefficient
        could arise although their average is zero. Small compared with plausible heterogeneity:
        the coefficient may mislead.
    sigma_opposite : float
        The same, for effects of the opposite sign in every treated cell; ``nan`` where no weight is
        negative, since that is then impossible.
    """

    coefficient: float
    weights: pd.DataFrame
    positive: int
    negative: int
    share_negative: float
    sum_negative: float
    sigma_zero: float
    sigma_opposite: float

    __repr__ = brief


@one_thread
def twoway_weights(source: Design | Estimate) -> TwoWayWeights:
    r"""Weights that two-way fixed effects put on the effects of treated cells.

    Under parallel trends the coefficient estimates
    :math:`\sum_{D_{it}=1} W_{it}\Delta_{it}` with
    :math:`W_{it} = \omega_i\tilde D_{it}/\sum_{D_{it}=1}\omega_i\tilde D_{it}`, where
    :math:`\tilde D` is treatment net of unit effects, period effects and covariates and
    :math:`\omega` are observation weights (de Chaisemartin and D'Haultfœuille 2020, theorem 1;
    the two standard deviations are their corollary 1).

    Parameters
    ----------
    source : Design or Estimate
        Absent cells, covariates, weights and treatment that switches off are allowed.

    Raises
    ------
    DesignError
        Treatment does not vary once fixed effects and covariates are taken out.
    """
    design = design_of(source)
    residuals = residual_treatment(design)
    sizes = np.ones(design.n_units) if design.weights is None else design.weights
    mass = np.where(design.observed, sizes[:, None], 0.0)
    outcome = np.where(design.observed, design.outcome, 0.0)
    coefficient = float((mass * residuals * outcome).sum() / (mass * residuals**2).sum())
    rows, columns = np.nonzero(design.treatment & design.observed)
    cells = mass[rows, columns] * residuals[rows, columns]
    weights = cells / cells.sum()
    share = mass[rows, columns] / mass[rows, columns].sum()
    # residuals of cells that cancel exactly come out as rounding error of either sign
    noise = 1e-12 * np.abs(weights).max()
    weights = np.where(np.abs(weights) <= noise, 0.0, weights)
    negative = weights < 0
    return TwoWayWeights(
        coefficient=coefficient,
        weights=design.labels.clock.named(
            pd.DataFrame(
                {"unit": design.units[rows], "period": design.periods[columns], "weight": weights}
            )
        ),
        positive=int((weights > 0).sum()),
        negative=int(negative.sum()),
        share_negative=float(negative.mean()),
        sum_negative=float(weights[negative].sum()),
        sigma_zero=_sigma_zero(coefficient, weights / share, share),
        sigma_opposite=_sigma_opposite(coefficient, weights / share, share),
    )


def _sigma_zero(coefficient: float, relative: Floats, share: Floats) -> float:
    spread = float(np.sqrt(share @ (relative - 1) ** 2))
    return abs(coefficient) / spread if spread > 1e-12 else float("inf")


def _sigma_opposite(coefficient: float, relative: Floats, share: Floats) -> float:
    """Corollary 1 (ii), with weights relative to the cell's share in decreasing order."""
    if not (relative < 0).any():
        return float("nan")
    order = np.argsort(-relative, kind="stable")
    w, p = relative[order], share[order]
    weighted = (p * w)[::-1].cumsum()[::-1]
    squared = (p * w**2)[::-1].cumsum()[::-1]
    ahead = p.cumsum() - p
    reached = np.zeros(len(w), dtype=bool)
    reached[1:] = w[1:] < -weighted[1:] / ahead[1:]
    first = int(np.argmax(reached))
    return float(abs(coefficient) / np.sqrt(squared[first] + weighted[first] ** 2 / ahead[first]))
