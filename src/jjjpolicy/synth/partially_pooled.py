"""Partially pooled synthetic control for staggered adoption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.linalg.even_weights import most_even, most_even_together
from jjjpolicy.linalg.simplex import a_minimiser, simplex_weights
from jjjpolicy.synth.counterfactual.gaps import EXACT, Gaps, estimate_from_counterfactual, scale_of

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats


# Duality gap at which the weights are good, relative to the objective at the separate fits.
TOLERANCE = 1e-9
# The default pooling at most: at one a unit's own fit would count for nothing.
MOST_POOLED = 0.999


@dataclass(frozen=True)
class PartiallyPooledSyntheticControl(Estimator):
    r"""Synthetic controls that fit each treated unit and the average of all of them.

    With :math:`g_{jl}` the gap of treated unit j in the l-th period before its own adoption, of
    which it has :math:`L_j`, and L the largest of these, the weights minimise

    .. math:: \nu\, \frac{q_{pool}^2}{\hat q_{pool}^2}
              + (1 - \nu)\, \frac{q_{sep}^2}{\hat q_{sep}^2}, \qquad
              q_{pool}^2 = \frac1L \sum_{l=1}^{L}
              \Bigl(\frac1J \sum_{j: L_j \ge l} g_{jl}\Bigr)^2, \quad
              q_{sep}^2 = \frac1J \sum_j \frac1{L_j} \sum_{l=1}^{L_j} g_{jl}^2,

    where hats are the values at the separate fits (:math:`\nu = 0`; Ben-Michael, Feller and
    Rothstein 2022, section 3). Donors are the never-treated units.

    Parameters
    ----------
    pooling : float, optional
        :math:`\nu` between 0 and 1; by default
        :math:`\sqrt L\, \hat q_{pool} / (J^{-1} \sum_j \sqrt{L_j}\, \hat q_j)`, with
        :math:`\hat q_j` the root mean squared gap of unit j.
    intercept : bool
        Fit outcomes less their pre-treatment average (section 4.1).

    Notes
    -----
    With ``pooling=1, intercept=False`` and one adoption date the effect is that of one synthetic
    control for the average of the treated units. ``details["relative_gap"]`` bounds the distance to
    the optimum, relative to the objective at the separate fits. Where several weights of a unit fit
    equally well, the most even ones are taken; with ``pooling=1`` only the fit of the average over
    the treated units is determined, and effects of single units are not to be read.
    """

    takes_covariates: ClassVar[bool] = False

    pooling: float | None = None
    intercept: bool = True

    def fit(self, design: Design) -> Estimate:
        """Weights of all treated units together.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, no never-treated unit,
            ``pooling`` outside [0, 1].
        """
        paths, weights, pooling, gap = self._solve(design)
        return estimate_from_counterfactual(
            self,
            design,
            paths,
            weights=pd.DataFrame(
                weights.T,
                index=pd.Index(design.units[~design.treated], name="donor"),
                columns=pd.Index(design.units[design.treated], name="unit"),
            ),
            details={"pooling": pooling, "relative_gap": gap},
        )

    @property
    def chosen_before_treatment(self) -> bool:
        """Weights are fitted to outcomes before adoption."""
        return True

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        return Gaps.of(design, design.outcome[design.treated] - self._solve(design)[0]).refits()

    def _solve(self, design: Design) -> tuple[Floats, Floats, float, float]:
        design.require_absorbing(self.label)
        design.require_balanced(self.label)
        design.require_unweighted(self.label)
        donors = design.require_never_treated(self.label, 2)
        if self.pooling is not None and not 0 <= self.pooling <= 1:
            raise DesignError(f"pooling={self.pooling} must lie between 0 and 1.")
        starts = np.searchsorted(design.periods, design.adoption[design.treated])
        outcomes, pool = design.outcome[design.treated], design.outcome[donors]
        levels = np.zeros(len(outcomes))
        pool_levels = np.zeros((len(outcomes), len(pool)))
        if self.intercept:
            levels = np.array([y[:s].mean() for y, s in zip(outcomes, starts, strict=True)])
            pool_levels = np.stack([pool[:, :s].mean(axis=1) for s in starts])
        # Aligned at adoption; zero where a unit has no period as early.
        longest = int(starts.max())
        differences = np.zeros((len(outcomes), longest, len(pool)))
        for j, s in enumerate(starts):
            early = pool[:, :s] - pool_levels[j][:, None] - (outcomes[j, :s] - levels[j])
            differences[j, longest - s :] = early.T
        weights = np.stack([simplex_weights(rows) for rows in differences])
        gaps = _gaps(differences, weights)
        exact = np.sqrt((gaps**2).sum(axis=1) / starts) <= EXACT * scale_of(design)
        gaps[exact] = 0.0
        lengths, pooled = np.linalg.norm(gaps, axis=1), gaps.mean(axis=0)
        ratio = float(np.linalg.norm(pooled) / lengths.mean()) if lengths.any() else 0.0
        pooling = min(ratio, MOST_POOLED) if self.pooling is None else self.pooling
        separate_misfit, pooled_misfit = (lengths**2 / starts).mean(), (pooled**2).mean()
        gap = 0.0
        if pooling > 0 and pooled_misfit > 0 and len(starts) > 1:
            own = (1 - pooling) / (len(starts) * starts * separate_misfit)
            common = pooling / (len(starts) ** 2 * longest * pooled_misfit)
            weights, gap = _descend(differences, weights, own, float(common))
        paths = np.stack(
            [
                a + w @ (pool - b[:, None])
                for w, a, b in zip(weights, levels, pool_levels, strict=True)
            ]
        )
        return paths, weights, pooling, gap


def _gaps(differences: Floats, weights: Floats) -> Floats:
    """Gaps of the treated units, shape (treated units, periods), the sign changed."""
    return np.asarray(np.einsum("jtd,jd->jt", differences, weights))


def _descend(
    differences: Floats, weights: Floats, own: Floats, common: float
) -> tuple[Floats, float]:
    """Solve for one treated unit's weights at a time; weights and duality gap.

    Parameters
    ----------
    differences : ndarray, shape (treated units, periods, donors)
        Donors less the treated unit.
    weights : ndarray, shape (treated units, donors)
        Of the separate fits, at which the objective is one.
    own : ndarray, shape (treated units,)
        Factor of each unit's sum of squared gaps.
    common : float
        Factor of the square of the summed gaps.
    """
    rows = np.sqrt(own)[:, None, None] * differences
    pooled_rows = np.sqrt(common) * differences
    alike = simplex_weights(np.concatenate([*rows, pooled_rows.sum(axis=0)]))
    start = np.broadcast_to(alike, weights.shape)
    if _objective(_gaps(differences, start), own, common) < 1.0:
        weights = start
    weights = weights.copy()
    gaps = _gaps(differences, weights)
    both = np.sqrt(own + common)
    share = common / (own + common)
    for _ in range(1000):
        pull = own[:, None] * gaps + common * gaps.sum(axis=0)
        gradient = 2 * np.einsum("jtd,jt->jd", differences, pull)
        gap = float((gradient * weights).sum() - gradient.min(axis=1).sum())
        if gap <= TOLERANCE:
            break
        for j, block in enumerate(differences):
            others = gaps.sum(axis=0) - gaps[j]
            weights[j] = a_minimiser(both[j] * (block + share[j] * others[:, None]))
            gaps[j] = block @ weights[j]
        weights = _together(rows, pooled_rows, weights)
        gaps = _gaps(differences, weights)
    if not own.any():
        return most_even_together(differences, weights), gap
    for j, block in enumerate(differences):
        weights[j] = most_even(_own_problem(rows[j], block, gaps, j, common), weights[j])
    return weights, gap


def _together(own: Floats, pooled: Floats, weights: Floats) -> Floats:
    """The best weights of all treated units at once on the donors that have some, or on fewer.

    A donor whose weight would fall below zero is left out, as in Lawson and Hanson's method.

    Parameters
    ----------
    own : ndarray, shape (treated units, periods, donors)
        Rows of each unit's own least-squares problem.
    pooled : ndarray, shape (treated units, periods, donors)
        Rows that they have in common.
    weights : ndarray, shape (treated units, donors)
    """
    while True:
        target = _on_support(own, pooled, weights)
        falling = (weights > 0) & (target <= 0)
        if not falling.any():
            return target
        share = np.full(weights.shape, np.inf)
        share[falling] = weights[falling] / (weights[falling] - target[falling])
        lost = np.unravel_index(share.argmin(), share.shape)
        moved = weights + share[lost] * (target - weights)
        moved[lost] = 0.0
        weights = np.maximum(moved, 0.0)


def _on_support(own: Floats, pooled: Floats, weights: Floats) -> Floats:
    """Least squares over the donors that have weight, sums of weights kept, signs free."""
    units = np.arange(len(weights))
    largest = weights.argmax(axis=1)
    free = weights > 0
    free[units, largest] = False
    unit, donor = np.nonzero(free)
    moves = np.zeros((len(unit), len(units) + 1, own.shape[1]))
    moves[np.arange(len(unit)), unit] = own[unit, :, donor] - own[unit, :, largest[unit]]
    moves[:, -1] = pooled[unit, :, donor] - pooled[unit, :, largest[unit]]
    start = np.concatenate([own[units, :, largest], pooled[units, :, largest].sum(axis=0)[None]])
    columns = moves.reshape(len(unit), start.size).T
    found = np.linalg.lstsq(columns, -start.ravel(), rcond=None)[0]
    solved = np.zeros_like(weights)
    solved[unit, donor] = found
    solved[units, largest] = 1 - solved.sum(axis=1)
    return solved


def _own_problem(own: Floats, block: Floats, gaps: Floats, j: int, common: float) -> Floats:
    """Least squares for the weights of one treated unit, the others' gaps given."""
    others = gaps.sum(axis=0) - gaps[j]
    return np.concatenate([own, np.sqrt(common) * (block + others[:, None])])


def _objective(gaps: Floats, own: Floats, common: float) -> float:
    return float(own @ (gaps**2).sum(axis=1) + common * (gaps.sum(axis=0) ** 2).sum())
