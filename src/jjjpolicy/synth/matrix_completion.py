"""Matrix completion with nuclear-norm regularisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.draws import streams
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits, refit_blocks
from jjjpolicy.linalg.completion import complete, two_way_and_low_rank
from jjjpolicy.synth.counterfactual.gaps import Gaps, estimate_from_counterfactual
from jjjpolicy.synth.counterfactual.requirements import require_penalty

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


CELLS_AT_ONCE = 20_000
"""Cells of the matrices that are completed together; more no longer fit into a fast cache."""


@dataclass(frozen=True)
class MatrixCompletion(Estimator):
    r"""Untreated outcomes as unit effects, period effects and a matrix of low nuclear norm.

    .. math:: \min_{\alpha, \xi, L} \tfrac12 \sum_{(i,t)\ \text{untreated}}
              (y_{it} - \alpha_i - \xi_t - L_{it})^2 + \lambda \|L\|_*

    (Athey et al. 2021, equation 4.1 with both effects unpenalised, up to the scale of the penalty).
    All untreated cells are used, those of later adopters included.

    Parameters
    ----------
    penalty : float, optional
        In units of a singular value of the outcome; cross-validated by default.
    folds : int
        Random subsets of untreated cells, of the same share as in the data (section 4.2). They are
        drawn for the units in the order of their outcomes (unit and period effects taken out), so
        that neither the penalty nor the estimate depends on how the units are ordered or named.
        Of penalties that predict equally well the largest is taken.
    seed : int
    """

    takes_covariates: ClassVar[bool] = False

    penalty: float | None = None
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        require_penalty("penalty", self.penalty)

    def fit(self, design: Design) -> Estimate:
        """Complete the matrix.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, no never-treated unit.
        """
        fitted, low_rank, penalty = self._completed(design)
        values = np.linalg.svd(low_rank, compute_uv=False)
        return estimate_from_counterfactual(
            self,
            design,
            fitted[design.treated],
            details={"penalty": penalty, "rank": int((values > 1e-9 * np.abs(fitted).max()).sum())},
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        return self._refit_block(design, design.adoption[None])

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment, several at once; see :meth:`Estimator.refit_many`."""
        copies = self.folds if self.penalty is None else 1
        size = max(1, CELLS_AT_ONCE // (copies * design.outcome.size))
        return refit_blocks(self._refit_block, design, adoptions, jobs, self.label, size)

    def gaps(self, design: Design) -> Floats:
        """Outcomes of the treated units less their counterfactual, shape (units, periods)."""
        treated = design.treated
        return np.asarray(design.outcome[treated] - self._completed(design)[0][treated])

    def held(self, estimate: Estimate) -> MatrixCompletion:
        """The estimator with the penalty of an estimate."""
        return replace(self, penalty=float(estimate.details["penalty"]))

    @property
    def unit_parameters(self) -> int:
        """Unpenalised parameters of a unit: its effect."""
        return 1

    def left_out_errors(self, design: Design) -> Floats:
        """Errors of predicting each pre-treatment period of the treated units from the others.

        The periods as far before adoption are hidden together.

        Returns
        -------
        ndarray, shape (treated units, periods)
            ``nan`` from adoption on, and where a unit has no other period.
        """
        fitted, _, penalty = self._completed(design)
        rows = np.flatnonzero(design.treated)
        starts = np.searchsorted(design.periods, design.adoption[rows])
        errors = np.full((len(rows), design.n_periods), np.nan)
        distances = np.arange(1, int(starts.max()) + 1)
        observed = np.repeat(~design.treatment[None], len(distances), axis=0)
        which, place = np.nonzero((starts >= distances[:, None]) & (starts > 1))
        units, columns = rows[place], starts[place] - distances[which]
        observed[which, units, columns] = False
        penalties = np.full(len(distances), penalty)
        found = complete(design.outcome, observed, penalties, fitted, tolerance=1e-8)
        errors[place, columns] = (design.outcome - found)[which, units, columns]
        return errors

    def _refit_block(self, design: Design, adoptions: Floats) -> Refits:
        assigned = [design.reassigned(adoption) for adoption in adoptions]
        for each in assigned:
            self._require(each)
        untreated = np.stack([~each.treatment for each in assigned])
        fitted, _, _ = self._completions(design.outcome, untreated)
        gaps = design.outcome - fitted
        return Refits.stack(
            Gaps.of(each, own[each.treated]).refits()
            for each, own in zip(assigned, gaps, strict=True)
        )

    def _completed(self, design: Design) -> tuple[Floats, Floats, float]:
        """Fit, its low-rank part, and the penalty."""
        self._require(design)
        fitted, low_rank, penalties = self._completions(design.outcome, ~design.treatment[None])
        return fitted[0], low_rank[0], float(penalties[0])

    def _require(self, design: Design) -> None:
        design.require_absorbing(self.label)
        design.require_balanced(self.label)
        design.require_unweighted(self.label)
        design.require_never_treated(self.label, 2)
        if not 2 <= self.folds <= 1000:
            raise DesignError(f"folds={self.folds:,} must lie between 2 and 1,000.")

    def _completions(self, outcome: Floats, untreated: Booleans) -> tuple[Floats, Floats, Floats]:
        """Fits, low-rank parts and penalties of several assignments.

        Parameters
        ----------
        outcome : ndarray, shape (units, periods)
        untreated : ndarray of bool, shape (assignments, units, periods)
        """
        if self.penalty is None:
            penalties = self._chosen(outcome, untreated)
        else:
            penalties = np.full(len(untreated), float(self.penalty))
        filled = complete(outcome, untreated, penalties)
        return *two_way_and_low_rank(filled, penalties), penalties

    def _chosen(self, outcome: Floats, untreated: Booleans) -> Floats:
        """Penalties by cross-validation, shape (assignments,)."""
        infinite = np.full(len(untreated), np.inf)
        additive, _ = two_way_and_low_rank(complete(outcome, untreated, infinite), infinite)
        residual = np.where(untreated, outcome - additive, 0.0)
        sizes = np.linalg.norm(residual, 2, axis=(1, 2))
        grid = np.column_stack([infinite, sizes[:, None] * np.logspace(0, -2, 10)])
        kept = np.concatenate([self._kept(*each) for each in zip(untreated, residual, strict=True)])
        held = np.repeat(untreated, self.folds, axis=0) & ~kept
        errors = np.empty_like(grid)
        start: Floats | None = None
        for k, penalties in enumerate(np.repeat(grid, self.folds, axis=0).T):
            start = complete(outcome, kept, penalties, start, tolerance=1e-6)
            squares = np.where(held, (outcome - start) ** 2, 0.0)
            errors[:, k] = squares.reshape(len(untreated), -1).sum(axis=1)
        # Without shrinkage of the rank absent cells do not depend on the penalty: a tie.
        least = errors.min(axis=1, keepdims=True) * (1 + 1e-6)
        chosen: Floats = grid[np.arange(len(grid)), np.argmax(errors <= least, axis=1)]
        return chosen

    def _kept(self, untreated: Booleans, residual: Floats) -> Booleans:
        """Cells that each fold predicts the others from, shape (folds, units, periods)."""
        place, share = _places(residual), untreated.mean()
        folds = []
        for stream in streams(self.seed, self.folds):
            drawn = np.random.default_rng(stream).random(untreated.shape)[place]
            kept = untreated & (drawn < share)
            kept |= untreated & ~kept.any(axis=1, keepdims=True)
            kept |= untreated & ~kept.any(axis=0, keepdims=True)
            folds.append(kept)
        return np.stack(folds)


def _places(residual: Floats) -> Integers:
    """Place of each unit in the order of the residuals, in which rounding counts for nothing."""
    scale = float(np.abs(residual).max()) or 1.0
    order = np.lexsort(np.round(residual / scale, 8).T[::-1])
    return np.argsort(order)
