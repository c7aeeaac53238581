"""Least squares with unit and period effects on a design: coefficients and influence functions.

Regressors that depend on a unit only through its cohort (treatment, event-time indicators) are held
as (cohorts × periods) tables, so that a balanced panel of any number of units is read once. With
absent cells they are net of the effects once for each kind of unit, not for each unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.did.cohorts.influence import (
    AffineInfluence,
    CohortOutcomes,
    Influence,
    InfluenceMatrix,
)
from jjjpolicy.did.cohorts.kinds import UnitKinds
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.variance import cluster_sums, small_sample_factor
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.twoway import independent_columns, two_way_demean, without_rounding

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False)
class RegressionCells:
    """A regression cell by cell, after unit and period effects are taken out.

    Attributes
    ----------
    regressors : ndarray, shape (units, periods, regressors)
        Zero in absent cells.
    residuals : ndarray, shape (units, periods)
        Zero in absent cells.
    """

    regressors: Floats
    residuals: Floats


@dataclass(frozen=True, eq=False)
class FixedEffectsFit:
    """Coefficients of a two-way fixed-effects regression.

    Attributes
    ----------
    coefficients : ndarray, shape (regressors,)
        In the order of ``names``; collinear regressors are not among them.
    influence_of : callable
        :class:`Influence` of linear combinations of the coefficients, from (regressors ×
        combinations), without that of the coefficients in between.
    names : tuple of str
    collinear : tuple of str
        Regressors left out because the fixed effects and the regressors before them explain them.
    observations : int
    parameters : int
        Coefficients and period effects; unit effects are nested in the clusters and not counted.
    kept : tuple of int
        Positions of ``names`` among the regressors and covariates that came in.
    design : Design
    cohort_regressors : ndarray, shape (cohorts, periods, regressors)
        As they came in.
    """

    coefficients: Floats
    influence_of: Callable[[Floats], Influence]
    names: tuple[str, ...]
    collinear: tuple[str, ...]
    observations: int
    parameters: int
    kept: tuple[int, ...]
    design: Design
    cohort_regressors: Floats

    __repr__ = brief

    @cached_property
    def influence(self) -> Floats:
        """Coefficient − estimand ≈ mean over units; shape (units, regressors)."""
        return self._influence.values

    @cached_property
    def _influence(self) -> Influence:
        return self.influence_of(np.eye(len(self.coefficients)))

    @cached_property
    def cells(self) -> RegressionCells:
        """Regressors and residuals of every cell; computed when a variance first needs them."""
        demeaned = _demeaned_cells(self.design, self.cohort_regressors)
        regressors = demeaned[:, :, [1 + k for k in self.kept]]
        return RegressionCells(regressors, demeaned[:, :, 0] - regressors @ self.coefficients)

    def covariance(self, codes: Integers) -> Floats:
        r"""CRV1 covariance in the convention of fixest.

        :math:`\frac{G}{G-1}\frac{N-1}{N-K}` times the sandwich, where K counts the regressors and
        the period effects but not the unit effects, which are nested in the clusters.
        """
        groups = self.design.count_clusters(codes)
        factor = small_sample_factor(groups, self.observations, self.parameters)
        return self._influence.covariance(codes, factor)


def fixed_effects_regression(
    design: Design,
    cohort_regressors: Floats,
    names: Sequence[str],
    told: Sequence[str] = (),
) -> FixedEffectsFit:
    """Regress the outcome on cohort-level regressors, covariates, unit and period effects.

    Parameters
    ----------
    design : Design
    cohort_regressors : ndarray, shape (cohorts, periods, regressors)
        In the order of ``design.cohort_codes``.
    names : sequence of str
        One per regressor. Of collinear ones the later are left out, with a warning.
    told : sequence of str
        Regressors that go without a warning: the caller tells of them.

    Raises
    ------
    DesignError
        No regressor has variation left after the fixed effects.
    """
    if design.balanced and not design.covariates:
        fit = _balanced(design, cohort_regressors, tuple(names))
    else:
        fit = _general(design, cohort_regressors, tuple(names))
    dropped = [name for name in fit.collinear if name not in told]
    if dropped:
        warn_user(
            f"left out as collinear with the fixed effects and the regressors before them: "
            f"{', '.join(dropped)}",
        )
    return fit


def regression_with_unit_trends(
    design: Design,
    cohort_regressors: Floats,
    names: Sequence[str],
    told: Sequence[str] = (),
) -> FixedEffectsFit:
    """As :func:`fixed_effects_regression`, with a linear trend of its own for every unit.

    On a balanced panel trends are taken out unit by unit and period effects between units, in any
    order. The trends are nested in the clusters and not counted among the parameters.

    Raises
    ------
    DesignError
        The panel is unbalanced, or no regressor has variation left.
    """
    design.require_balanced("a regression with unit trends")
    time = design.periods - design.periods.mean()
    explained = np.column_stack([np.ones_like(time), time])
    annihilator = np.eye(len(time)) - explained @ np.linalg.pinv(explained)

    def without(values: Floats) -> Floats:
        return without_rounding((annihilator @ values[:, :, None]), values[:, :, None])[:, :, 0]

    detrended = replace(
        design,
        outcome=design.outcome @ annihilator,
        covariates={name: without(values) for name, values in design.covariates.items()},
    )
    regressors = without_rounding(annihilator @ cohort_regressors, cohort_regressors)
    return fixed_effects_regression(detrended, regressors, names, told)


def _balanced(design: Design, regressors: Floats, names: tuple[str, ...]) -> FixedEffectsFit:
    outcomes = CohortOutcomes(design)
    sizes = outcomes.sizes
    demeaned = two_way_demean(regressors, sizes)
    weighted = demeaned * sizes[:, None, None]
    gram = weighted.reshape(-1, len(names)).T @ demeaned.reshape(-1, len(names))
    kept = _kept(gram, names, len(names))
    demeaned, gram = demeaned[:, :, kept], gram[np.ix_(kept, kept)]
    changes = outcomes.means - sizes @ outcomes.means / sizes.sum()
    right = np.einsum("ctk,ct->k", weighted[:, :, kept], changes)
    coefficients = np.linalg.solve(gram, right)
    residuals = changes - demeaned @ coefficients
    bread = design.n_units * np.linalg.inv(gram)

    def influence_of(combinations: Floats) -> Influence:
        directions = bread @ combinations

        def coefficients(c: int) -> tuple[Floats, Floats]:
            slopes = demeaned[c] @ directions
            return residuals[c] @ slopes, slopes

        return AffineInfluence(outcomes, coefficients)

    return FixedEffectsFit(
        coefficients=coefficients,
        influence_of=influence_of,
        names=tuple(names[k] for k in kept),
        collinear=tuple(name for k, name in enumerate(names) if k not in kept),
        observations=design.n_observations,
        parameters=len(kept) + design.n_periods,
        kept=tuple(kept),
        design=design,
        cohort_regressors=regressors,
    )


def _general(design: Design, regressors: Floats, names: tuple[str, ...]) -> FixedEffectsFit:
    names, own_from = (*names, *design.covariates), len(names)
    kinds = UnitKinds.of(design)
    mass = np.bincount(kinds.codes, design.weights).astype(float)
    shared = _net(regressors[kinds.cohorts], ~kinds.observed, mass)
    columns = [design.outcome, *design.covariates.values()]
    own = _net(np.stack(columns, axis=2), ~design.observed, design.weights)
    weighted = own if design.weights is None else own * design.weights[:, None, None]
    sums = cluster_sums(weighted.reshape(len(own), -1), kinds.codes)
    crossed = np.einsum("gtk,gtv->kv", shared, sums.reshape(len(mass), *own.shape[1:]))
    products = np.einsum("itu,itv->uv", weighted, own)
    squares = np.einsum("g,gtk,gtl->kl", mass, shared, shared, optimize=True)
    gram = np.block([[squares, crossed[:, 1:]], [crossed[:, 1:].T, products[1:, 1:]]])
    right = np.concatenate([crossed[:, 0], products[1:, 0]])

    kept = _kept(gram, names, own_from)
    shared = shared[:, :, [k for k in kept if k < own_from]]
    split = shared.shape[2]
    covariates = own[:, :, [1 + k - own_from for k in kept[split:]]]
    coefficients = np.linalg.solve(gram[np.ix_(kept, kept)], right[kept])
    residuals = weighted[:, :, 0] - _weighted(covariates @ coefficients[split:], design)
    residuals -= _weighted((shared @ coefficients[:split])[kinds.codes], design)
    if design.influence_scale is not None:
        residuals *= design.influence_scale[:, None]
    bread = design.n_units * np.linalg.inv(gram[np.ix_(kept, kept)])
    order = np.argsort(kinds.codes, kind="stable")
    units = np.split(order, np.bincount(kinds.codes).cumsum()[:-1])

    def influence_of(combinations: Floats) -> Influence:
        directions = bread @ combinations
        found = np.einsum("it,itv->iv", residuals, covariates) @ directions[split:]
        for rows, slopes in zip(units, shared @ directions[:split], strict=True):
            found[rows] += residuals[rows] @ slopes
        return InfluenceMatrix(found)

    return FixedEffectsFit(
        coefficients=coefficients,
        influence_of=influence_of,
        names=tuple(names[k] for k in kept),
        collinear=tuple(name for k, name in enumerate(names) if k not in kept),
        observations=design.n_observations,
        parameters=len(kept) + int(design.observed.any(axis=0).sum()),
        kept=tuple(kept),
        design=design,
        cohort_regressors=regressors,
    )


def _weighted(values: Floats, design: Design) -> Floats:
    return values if design.weights is None else values * design.weights[:, None]


def _net(values: Floats, absent: Booleans, weights: Floats | None) -> Floats:
    """Variables net of unit and period effects; zero in absent cells."""
    values[absent] = np.nan
    demeaned = two_way_demean(values, weights)
    demeaned[absent] = 0.0
    return demeaned


def _demeaned_cells(design: Design, regressors: Floats) -> Floats:
    """Outcome, cohort-level regressors and covariates net of unit and period effects.

    Shape (units, periods, 1 + regressors + covariates); zero in absent cells.
    """
    _, codes = design.cohort_codes
    columns = [regressors[codes]]
    columns += [values[:, :, None] for values in design.covariates.values()]
    stacked = np.concatenate([design.outcome[:, :, None], *columns], axis=2)
    return _net(stacked, ~design.observed, design.weights)


def _kept(gram: Floats, names: tuple[str, ...], regressors: int) -> list[int]:
    kept = independent_columns(gram)
    if not kept or kept[0] >= regressors:
        shown = ", ".join(names[: min(regressors, 3)]) + (", …" if regressors > 3 else "")
        raise DesignError(
            f"{shown} {'does' if regressors == 1 else 'do'} not vary once unit and period effects "
            f"are taken out: there is no comparison left to estimate the effect from."
        )
    return kept
