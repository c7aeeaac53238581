"""Generalised synthetic control: interactive fixed effects estimated on never-treated units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.linalg.choice import first_smallest
from jjjpolicy.linalg.interactive_effects import interactive_coefficients
from jjjpolicy.linalg.twoway import two_way_demean
from jjjpolicy.synth.counterfactual.gaps import Gaps, estimate_from_counterfactual
from jjjpolicy.synth.counterfactual.requirements import require_penalty, require_varying_covariates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats


@dataclass(frozen=True)
class GeneralizedSyntheticControl(Estimator):
    r"""Factors of the never-treated units, loadings of the treated units before treatment.

    The model is :math:`y_{it}(0) = x_{it}'\beta + \alpha_i + \xi_t + \lambda_i' f_t +
    \varepsilon_{it}` (Xu 2017, section 3), with the covariates of the design, if it has any, as x.
    Coefficients, period effects and factors come from the never-treated units; unit effect and
    loadings of a treated unit from its pre-treatment periods. The rank minimises the error of
    predicting each pre-treatment period of the treated units from the others (algorithm 1); of
    ranks that predict equally well it is the smallest. With rank 0 the estimator is
    difference-in-differences against the never-treated average. ``details`` holds the ``factors``
    (periods × rank), intercept and ``loadings`` of every unit, and the fitted paths of the
    never-treated units (``untreated_fit``). Loadings of a treated unit beyond those of the others
    are a sign of extrapolation.

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
        model, errors = self._model(design)
        rank = model.factors.shape[1]
        before = design.periods[None, :] < design.adoption[:, None]
        loadings = model.loadings(before)
        paths = model.paths(loadings)
        names = [f"factor {k + 1}" for k in range(rank)]
        never = ~design.treated
        return estimate_from_counterfactual(
            self,
            design,
            paths[design.treated],
            details={
                "rank": rank,
                "cross_validation": errors,
                "coefficients": pd.Series(model.coefficients, index=list(design.covariates)),
                "factors": pd.DataFrame(model.factors, index=design.period_names, columns=names),
                "loadings": pd.DataFrame(
                    loadings, index=design.units, columns=["intercept", *names]
                ),
                "untreated_fit": pd.DataFrame(
                    paths[never], index=design.units[never], columns=design.period_names
                ),
            },
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        return Gaps.of(design, self.gaps(design)).refits()

    def gaps(self, design: Design) -> Floats:
        """Outcomes of the treated units less their counterfactual, shape (units, periods)."""
        treated = design.treated
        part = self._model(design)[0].of(treated)
        before = design.periods[None, :] < design.adoption[treated][:, None]
        return np.asarray(design.outcome[treated] - part.paths(part.loadings(before)))

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
        model = _FactorModel.of_controls(design, self.rank or 0).of(treated)
        return model.left_out_errors(before)

    def _model(self, design: Design) -> tuple[_FactorModel, dict[int, float]]:
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
        if self.rank is not None:
            return _FactorModel.of_controls(design, self.rank), {}
        largest = min(self.largest_rank, shortest - 2, int(never.sum()) - 2, design.n_periods)
        models = _FactorModel.up_to(design, max(largest, 0))
        errors = {
            rank: float((model.of(design.treated).left_out_errors(before)[before] ** 2).mean())
            for rank, model in enumerate(models)
        }
        return models[first_smallest(np.array(list(errors.values())))], errors


@dataclass(frozen=True, eq=False)
class _FactorModel:
    """Period effects, factors and coefficients, and the units that they are for.

    Attributes
    ----------
    outcome : ndarray, shape (units, periods)
        Less period effects and the part of the covariates.
    removed : ndarray, shape (units, periods)
        What was taken out.
    factors : ndarray, shape (periods, rank)
    coefficients : ndarray, shape (covariates,)
    """

    outcome: Floats
    removed: Floats
    factors: Floats
    coefficients: Floats

    @classmethod
    def of_controls(cls, design: Design, rank: int) -> _FactorModel:
        """Estimated on the never-treated units."""
        part, coefficients = _covariate_part(design, rank)
        rest = design.outcome - part
        means, factors = control_factors(rest[~design.treated])
        return cls(rest - means, part + means, factors[:, :rank], coefficients)

    @classmethod
    def up_to(cls, design: Design, largest: int) -> list[_FactorModel]:
        """One for each rank; without covariates they share one decomposition."""
        if design.covariates:
            return [cls.of_controls(design, rank) for rank in range(largest + 1)]
        full = cls.of_controls(design, largest)
        return [replace(full, factors=full.factors[:, :rank]) for rank in range(largest + 1)]

    def of(self, units: Booleans) -> _FactorModel:
        """For some of the units."""
        return replace(self, outcome=self.outcome[units], removed=self.removed[units])

    @property
    def basis(self) -> Floats:
        """A constant and the factors."""
        return np.column_stack([np.ones(len(self.factors)), self.factors])

    def loadings(self, before: Booleans) -> Floats:
        """Intercept and loadings of every unit, from its first periods, which are marked."""
        basis = self.basis
        found = np.empty((len(self.outcome), basis.shape[1]))
        for rows, count in _alike(before):
            early = self.outcome[rows, :count].T
            found[rows] = np.linalg.lstsq(basis[:count], early, rcond=None)[0].T
        return found

    def paths(self, loadings: Floats) -> Floats:
        """Outcomes that the model expects."""
        expected: Floats = self.removed + loadings @ self.basis.T
        return expected

    def left_out_errors(self, before: Booleans) -> Floats:
        """Errors of predicting each marked cell from the unit's others, by their leverages."""
        basis = self.basis
        errors = np.full(before.shape, np.nan)
        for rows, count in _alike(before):
            q, _ = np.linalg.qr(basis[:count])
            early = self.outcome[rows, :count]
            residual = early - early @ q @ q.T
            errors[rows, :count] = residual / np.maximum(1 - (q**2).sum(axis=1), 1e-12)
        return errors


def _alike(before: Booleans) -> Iterator[tuple[Booleans, int]]:
    """Units with as many marked periods, and how many."""
    counts = before.sum(axis=1)
    for count in np.unique(counts):
        yield counts == count, int(count)


def _covariate_part(design: Design, rank: int) -> tuple[Floats, Floats]:
    """What the covariates explain, shape (units, periods), and their coefficients."""
    if not design.covariates:
        return np.zeros_like(design.outcome), np.empty(0)
    covariates = np.stack(list(design.covariates.values()))
    stacked = np.concatenate([design.outcome[None], covariates])[:, ~design.treated]
    residual = two_way_demean(stacked.transpose(1, 2, 0)).transpose(2, 0, 1)
    cells = len(covariates), -1
    require_varying_covariates(design, residual[1:].reshape(cells).T, stacked[1:].reshape(cells).T)
    coefficients = interactive_coefficients(residual[0], residual[1:], rank)
    return np.tensordot(coefficients, covariates, axes=1), coefficients


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
