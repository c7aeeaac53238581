"""Generalised synthetic control: interactive fixed effects estimated on never-treated units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError
from jjjpolicy.estimator import Estimator, Refits
from jjjpolicy.synth.gaps import Gaps, estimate_from_counterfactual
from jjjpolicy.synth.requirements import require_penalty

if TYPE_CHECKING:
    from jjjpolicy.design import Booleans, Design, Floats
    from jjjpolicy.estimate import Estimate


@dataclass(frozen=True)
class GeneralizedSyntheticControl(Estimator):
    r"""Factors of the never-treated units, loadings of the treated units before treatment.

    The model is :math:`y_{it}(0) = \alpha_i + \xi_t + \lambda_i' f_t + \varepsilon_{it}` (Xu 2017,
    section 3). Period effects and factors come from the never-treated units; unit effect and
    loadings of a treated unit from its pre-treatment periods. The rank minimises the error of
    predicting each pre-treatment period of the treated units from the others (algorithm 1). With
    rank 0 the estimator is difference-in-differences against the never-treated average.
    ``details`` holds the ``factors`` (periods × rank), intercept and ``loadings`` of every unit,
    and the fitted paths of the never-treated units (``untreated_fit``). Loadings of a treated unit
    beyond those of the others are a sign of extrapolation.

    Parameters
    ----------
    rank : int, optional
        Number of factors; cross-validated by default.
    largest_rank : int
        Upper end of the cross-validation.
    """

    rank: int | None = None
    largest_rank: int = 5

    def __post_init__(self) -> None:
        require_penalty("rank", self.rank)
        require_penalty("largest_rank", self.largest_rank)

    def fit(self, design: Design) -> Estimate:
        """Counterfactuals of the treated units.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, too few never-treated units or pre-treatment
            periods for the rank.
        """
        counterfactual, rank, errors = self._paths(design)
        means, factors = control_factors(design.outcome[~design.treated])
        before = design.periods[None, :] < design.adoption[:, None]
        loadings = np.stack(
            [
                _loadings(y - means, factors[:, :rank], pre)
                for y, pre in zip(design.outcome, before, strict=True)
            ]
        )
        names = [f"factor {k + 1}" for k in range(rank)]
        never = ~design.treated
        fit = means + loadings[never] @ _basis(factors[:, :rank]).T
        return estimate_from_counterfactual(
            self,
            design,
            counterfactual,
            details={
                "rank": rank,
                "cross_validation": errors,
                "factors": pd.DataFrame(factors[:, :rank], index=design.periods, columns=names),
                "loadings": pd.DataFrame(
                    loadings, index=design.units, columns=["intercept", *names]
                ),
                "untreated_fit": pd.DataFrame(
                    fit, index=design.units[never], columns=design.periods
                ),
            },
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        treated = design.treated
        gaps = design.outcome[treated] - self._paths(design)[0]
        return Gaps(gaps, design.periods, design.adoption[treated]).refits()

    def held(self, estimate: Estimate) -> GeneralizedSyntheticControl:
        """The estimator with the rank of an estimate."""
        return replace(self, rank=int(estimate.details["rank"]))

    @property
    def unit_parameters(self) -> int:
        """Intercept and loadings of a unit."""
        return 1 + (self.rank or 0)

    def left_out_errors(self, design: Design) -> Floats:
        """Errors of predicting each pre-treatment period of a treated unit from its others.

        Returns
        -------
        ndarray, shape (treated units, periods)
            ``nan`` from adoption on.
        """
        treated = design.treated
        before = design.periods[None, :] < design.adoption[treated][:, None]
        means, factors = control_factors(design.outcome[~treated])
        errors = np.full(before.shape, np.nan)
        for row, path, pre in zip(errors, design.outcome[treated] - means, before, strict=True):
            row[pre] = _left_out(path, factors[:, : self.rank or 0], pre)
        return errors

    def _paths(self, design: Design) -> tuple[Floats, int, dict[int, float]]:
        design.require_absorbing(self.label)
        design.require_balanced(self.label)
        design.require_unweighted(self.label)
        needed = self.rank or 0
        never = design.require_never_treated(self.label, needed + 2)
        before = design.periods[None, :] < design.adoption[design.treated][:, None]
        shortest = int(before.sum(axis=1).min())
        if shortest < needed + 1:
            raise DesignError(
                f"{self.label} with rank={needed} needs at least {needed + 1} periods before "
                f"treatment, the earliest adopter has {shortest}: lower rank= or start earlier."
            )
        period_effects, factors = control_factors(design.outcome[never])
        outcome = design.outcome[design.treated] - period_effects
        errors: dict[int, float] = {}
        if self.rank is None:
            limit = min(self.largest_rank, shortest - 2, int(never.sum()) - 2, factors.shape[1])
            errors = {r: _left_out_error(outcome, factors[:, :r], before) for r in range(limit + 1)}
        rank = needed if not errors else min(errors, key=lambda r: errors[r])
        loadings = np.stack(
            [_loadings(y, factors[:, :rank], pre) for y, pre in zip(outcome, before, strict=True)]
        )
        return period_effects + loadings @ _basis(factors[:, :rank]).T, rank, errors


def control_factors(outcome: Floats) -> tuple[Floats, Floats]:
    """Period means, and the factors of the two-way demeaned outcome in order of importance.

    Parameters
    ----------
    outcome : ndarray, shape (units, periods)

    Returns
    -------
    (ndarray, ndarray)
        Shapes (periods,) and (periods, factors).
    """
    means = outcome.mean(axis=0)
    residual = outcome - means
    residual = residual - residual.mean(axis=1, keepdims=True)
    _, _, right = np.linalg.svd(residual, full_matrices=False)
    return means, right.T * np.sqrt(outcome.shape[1])


def _basis(factors: Floats) -> Floats:
    return np.column_stack([np.ones(len(factors)), factors])


def _loadings(path: Floats, factors: Floats, before: Booleans) -> Floats:
    """Intercept and loadings of a path less the period means."""
    found = np.linalg.lstsq(_basis(factors)[before], path[before], rcond=None)[0]
    return np.asarray(found, dtype=np.float64)


def _left_out(path: Floats, factors: Floats, before: Booleans) -> Floats:
    """Errors of predicting each period before treatment from the others, by their leverages."""
    q, _ = np.linalg.qr(_basis(factors)[before])
    residual = path[before] - q @ (q.T @ path[before])
    errors: Floats = residual / np.maximum(1 - (q**2).sum(axis=1), 1e-12)
    return errors


def _left_out_error(outcome: Floats, factors: Floats, before: Booleans) -> float:
    """Mean squared error of predicting each period before treatment from the others."""
    errors = [_left_out(path, factors, pre) for path, pre in zip(outcome, before, strict=True)]
    return float((np.concatenate(errors) ** 2).mean())
