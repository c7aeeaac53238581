"""Matrix completion with nuclear-norm regularisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.draws import streams
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.synth.counterfactual.gaps import Gaps, estimate_from_counterfactual
from jjjpolicy.synth.counterfactual.requirements import require_penalty

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


MOST_STEPS = 20_000


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
        fitted, penalty, low_rank = self._complete(design)
        values = np.linalg.svd(low_rank, compute_uv=False)
        return estimate_from_counterfactual(
            self,
            design,
            fitted[design.treated],
            details={"penalty": penalty, "rank": int((values > 1e-9 * np.abs(fitted).max()).sum())},
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        return Gaps.of(design, self.gaps(design)).refits()

    def gaps(self, design: Design) -> Floats:
        """Outcomes of the treated units less their counterfactual, shape (units, periods)."""
        treated = design.treated
        return np.asarray(design.outcome[treated] - self._complete(design)[0][treated])

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
        fitted, penalty, _ = self._complete(design)
        rows = np.flatnonzero(design.treated)
        starts = np.searchsorted(design.periods, design.adoption[rows])
        errors = np.full((len(rows), design.n_periods), np.nan)
        for distance in range(1, int(starts.max()) + 1):
            some = (starts >= distance) & (starts > 1)
            units, columns = rows[some], starts[some] - distance
            observed = ~design.treatment
            observed[units, columns] = False
            found, _ = complete(design.outcome, observed, penalty, fitted, tolerance=1e-8)
            gaps = design.outcome[units, columns] - found[units, columns]
            errors[np.flatnonzero(some), columns] = gaps
        return errors

    def _complete(self, design: Design) -> tuple[Floats, float, Floats]:
        design.require_absorbing(self.label)
        design.require_balanced(self.label)
        design.require_unweighted(self.label)
        design.require_never_treated(self.label, 2)
        if not 2 <= self.folds <= 1000:
            raise DesignError(f"folds={self.folds:,} must lie between 2 and 1,000.")
        untreated = ~design.treatment
        penalty = self._chosen(design.outcome, untreated) if self.penalty is None else self.penalty
        fitted, low_rank = complete(design.outcome, untreated, penalty)
        return fitted, penalty, low_rank

    def _chosen(self, outcome: Floats, untreated: Booleans) -> float:
        additive, _ = complete(outcome, untreated, np.inf)
        residual = np.where(untreated, outcome - additive, 0.0)
        grid = np.append(np.inf, float(np.linalg.norm(residual, 2)) * np.logspace(0, -2, 10))
        share = untreated.mean()
        errors = np.zeros(len(grid))
        place = _places(residual)
        for stream in streams(self.seed, self.folds):
            rng = np.random.default_rng(stream)
            kept = untreated & (rng.random(outcome.shape)[place] < share)
            kept |= untreated & ~kept.any(axis=1, keepdims=True)
            kept |= untreated & ~kept.any(axis=0, keepdims=True)
            held = untreated & ~kept
            start = None
            for k, penalty in enumerate(grid):
                start, _ = complete(outcome, kept, float(penalty), start, tolerance=1e-6)
                errors[k] += float(((outcome - start)[held] ** 2).sum())
        # Without shrinkage of the rank absent cells do not depend on the penalty: a tie.
        return float(grid[int(np.argmax(errors <= errors.min() * (1 + 1e-6)))])


def _places(residual: Floats) -> Integers:
    """Place of each unit in the order of the residuals, in which rounding counts for nothing."""
    scale = float(np.abs(residual).max()) or 1.0
    order = np.lexsort(np.round(residual / scale, 8).T[::-1])
    return np.argsort(order)


def complete(
    outcome: Floats,
    observed: Booleans,
    penalty: float,
    start: Floats | None = None,
    tolerance: float = 1e-10,
) -> tuple[Floats, Floats]:
    """Fit and low-rank part, both effects concentrated out.

    Repeated imputation (Mazumder, Hastie and Tibshirani 2010) is a proximal gradient method; it is
    accelerated by extrapolation that starts anew whenever it points uphill (Beck and Teboulle 2009;
    O'Donoghue and Candès 2015, section 3.2).

    Parameters
    ----------
    outcome : ndarray, shape (units, periods)
    observed : ndarray of bool, shape (units, periods)
    penalty : float
        Infinite: effects only.
    start : ndarray, shape (units, periods), optional
    tolerance : float
        Largest change of a fitted value, relative to the standard deviation of the outcome.

    Warns
    -----
    JJJPolicyWarning
        The steps did not suffice.
    """
    limit = tolerance * float(outcome[observed].std())
    fitted = np.full_like(outcome, outcome[observed].mean()) if start is None else start
    point, momentum = fitted, 1.0
    for _ in range(MOST_STEPS):
        filled = np.where(observed, outcome, point)
        rows, columns = filled.mean(axis=1, keepdims=True), filled.mean(axis=0)
        additive = rows + columns - columns.mean()
        low_rank = _shrunk(filled - additive, penalty)
        found = additive + low_rank
        step, move = found - fitted, found - point
        fitted = found
        if np.abs(move).max() <= limit:
            break
        if (move * step).sum() < 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        point = fitted + (momentum - 1) / following * step
        momentum = following
    else:
        warn_user(
            f"matrix completion stopped after {MOST_STEPS:,} steps with fitted values still moving "
            f"by {np.abs(move).max():.2g}; a larger penalty= settles sooner."
        )
    return fitted, low_rank


def _shrunk(matrix: Floats, penalty: float) -> Floats:
    """Singular values less the penalty, from the eigenvalues of the smaller Gram matrix."""
    if not np.isfinite(penalty):
        return np.zeros_like(matrix)
    wide = matrix.shape[0] < matrix.shape[1]
    tall = matrix.T if wide else matrix
    squares, vectors = np.linalg.eigh(tall.T @ tall)
    values = np.sqrt(np.maximum(squares, 0.0))
    kept = values > penalty
    basis = vectors[:, kept]
    shrunk: Floats = (tall @ basis * (1 - penalty / values[kept])) @ basis.T
    return shrunk.T if wide else shrunk
