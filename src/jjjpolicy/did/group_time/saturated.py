"""Regressions with a coefficient for every treated cell (cohort × period).

Sun and Abraham (2021) and Wooldridge (2021) both estimate effects by cohort and period from one
regression; they differ in the cells that serve as reference and in how covariates enter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.did.cohorts.not_estimable import causes_of
from jjjpolicy.did.group_time.comparisons import (
    CONTROL_ONLY,
    missing_base,
    no_untreated,
    untreated_periods,
)
from jjjpolicy.did.group_time.effects import GroupTimeEffects, RegressionVariance, Skipped
from jjjpolicy.did.regressions.fixed_effects import fixed_effects_regression
from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.cohorts.influence import Influence
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True, eq=False)
class SaturatedCells:
    """Cells that get a coefficient of their own.

    Attributes
    ----------
    design : Design
        Without periods in which no unit is untreated; where every unit is treated in the end, the
        cohort treated last counts as never treated.
    cohort, period : ndarray of int, shape (cells,)
        Position of the cohort among the distinct adoption values, and column of the outcome. First
        the cells whose coefficient is an effect, then those of cohorts without reference period,
        which are there so that these cohorts do not bear on anything else.
    effects : int
        Number of cells whose coefficient is an effect.
    reference : tuple of (cohort, period)
        Reference cells of the cohorts, where effects before adoption are estimated.
    counts : ndarray, shape (cohorts, periods)
        Weighted number of observations.
    not_estimable : tuple of (group, period or None, reason)
    """

    design: Design
    cohort: Integers
    period: Integers
    effects: int
    reference: tuple[tuple[int, int], ...]
    counts: Floats
    not_estimable: tuple[Skipped, ...]

    def indicators(self) -> Floats:
        """Shape (cohorts, periods, cells)."""
        table = np.zeros((*self.counts.shape, len(self.cohort)))
        table[self.cohort, self.period, np.arange(len(self.cohort))] = 1.0
        return table

    def names(self) -> list[str]:
        """What the coefficients are called in messages."""
        cohorts, periods = self.design.cohort_codes[0], self.design.period_names
        name = self.design.labels.clock.name
        return [
            f"cohort {name(cohorts[c])} in {periods[t]}"
            for c, t in zip(self.cohort, self.period, strict=True)
        ]


def saturated_cells(design: Design, base: int, *, leads: bool) -> SaturatedCells:
    """The cells of a design.

    Parameters
    ----------
    design : Design
    base : int
        Reference event time, negative: a cohort's last period at or before it.
    leads : bool
        Whether all periods but the reference get coefficients, so that a cohort is compared with
        never-treated units alone, or only periods after the reference, so that all untreated cells
        serve as controls.

    Raises
    ------
    DesignError
        No cell from adoption on can be estimated.
    """
    design, skipped = _comparable(design, -1 - base)
    cohorts, _ = design.cohort_codes
    counts = _counts(design)
    cells: list[tuple[int, int]] = []
    nuisance: list[tuple[int, int]] = []
    reference: list[tuple[int, int]] = []
    for c, group in enumerate(cohorts[:-1]):
        seen = [t for t in range(design.n_periods) if counts[c, t] > 0]
        before = [t for t in seen if design.periods[t] <= group + base]
        if not before:
            skipped.append((group, None, missing_base(design, group, -1 - base)))
            nuisance += [(c, t) for t in seen[1:]]
            continue
        if leads:
            reference.append((c, before[-1]))
        for t in range(design.n_periods):
            if t in before and (not leads or t == before[-1]):
                continue
            if counts[c, t] > 0:
                cells.append((c, t))
            elif leads or design.periods[t] > group + base:
                skipped.append((group, int(design.periods[t]), "no treated row is observed"))
    if not any(design.periods[t] >= cohorts[c] for c, t in cells):
        causes = causes_of(skipped, design.labels.clock)
        raise DesignError(f"no effect from adoption on can be estimated. {causes}.")
    both = np.array(cells + nuisance, dtype=np.int64).reshape(-1, 2)
    return SaturatedCells(
        design=design,
        cohort=both[:, 0],
        period=both[:, 1],
        effects=len(cells),
        reference=tuple(reference),
        counts=counts,
        not_estimable=tuple(skipped),
    )


def _counts(design: Design) -> Floats:
    """Weighted number of observations by cohort and period."""
    cohorts, codes = design.cohort_codes
    if design.balanced:
        sizes = np.bincount(codes, design.weights).astype(float)
        return np.repeat(sizes[:, None], design.n_periods, axis=1)
    weights = np.ones(design.n_units) if design.weights is None else design.weights
    return np.stack(
        [weights[codes == c] @ design.observed[codes == c] for c in range(len(cohorts))]
    )


def _comparable(design: Design, anticipation: int) -> tuple[Design, list[Skipped]]:
    """The design with some cohort untreated throughout, and what that leaves out."""
    cohorts, _ = design.cohort_codes
    if np.isinf(cohorts[-1]):
        return design, []
    last = untreated_periods(design, anticipation)
    skipped: list[Skipped] = [
        (group, int(period), no_untreated(design.labels.clock.name(period), anticipation))
        for group in cohorts[:-1]
        for period in design.periods[last:]
    ]
    skipped.append((cohorts[-1], None, CONTROL_ONLY))
    kept = design.keep_periods(np.arange(design.n_periods) < last, "no unit is untreated any more")
    adoption = np.where(design.adoption == cohorts[-1], np.inf, design.adoption)
    return replace(kept, adoption=adoption), skipped


def fit_effects(cells: SaturatedCells, parameters: int = 0) -> GroupTimeEffects:
    """Effects from the regression on cell indicators, covariates, unit and period effects.

    ``parameters`` are counted in the small-sample factor beside coefficients and period effects.
    """
    fit = fixed_effects_regression(cells.design, cells.indicators(), cells.names())
    fit = replace(fit, parameters=fit.parameters + parameters)
    kept = [k for k in fit.kept if k < cells.effects]
    lost = [k for k in range(cells.effects) if k not in kept]
    collinear = "the fixed effects and the other coefficients leave no variation"
    return effects_of(
        cells,
        np.array(kept, dtype=np.int64),
        fit.coefficients[: len(kept)],
        lambda spread: fit.influence_of(np.eye(len(fit.coefficients), len(kept)) @ spread),
        RegressionVariance(fit.observations, fit.parameters, fit),
        [skipped_cell(cells, k, collinear) for k in lost],
    )


def skipped_cell(cells: SaturatedCells, k: int, reason: str) -> Skipped:
    """Entry for a cell whose effect cannot be estimated."""
    group = float(cells.design.cohort_codes[0][cells.cohort[k]])
    return group, int(cells.design.periods[cells.period[k]]), reason


def effects_of(
    cells: SaturatedCells,
    kept: Integers,
    estimates: Floats,
    influence_of: Callable[[Floats], Influence],
    regression: RegressionVariance,
    skipped: list[Skipped],
) -> GroupTimeEffects:
    """Group-time effects from the coefficients of some cells, with zeros for the reference cells.

    Parameters
    ----------
    cells : SaturatedCells
    kept : ndarray of int
        Cells whose effects were estimated, in increasing order.
    estimates : ndarray
        Of these.
    influence_of : callable
        Influence functions of linear combinations of these estimates, from (estimates ×
        combinations).
    regression : RegressionVariance
    skipped : list
        Reasons for cells that were not.

    Raises
    ------
    DesignError
        No cell from adoption on is among those kept.
    """
    cohorts, codes = cells.design.cohort_codes
    if not (cells.design.periods[cells.period[kept]] >= cohorts[cells.cohort[kept]]).any():
        raise DesignError(
            "no effect from adoption on can be told from the other coefficients: use fewer "
            "covariates, or keep more untreated units and periods."
        )
    at = [(int(cells.cohort[k]), int(cells.period[k])) for k in kept]
    order = sorted([*at, *cells.reference])
    known = np.array([cell not in cells.reference for cell in order])
    spread = np.zeros((len(kept), len(order)))
    spread[np.arange(len(kept)), np.flatnonzero(known)] = 1.0
    cohort, period = np.array(order).T
    return GroupTimeEffects(
        groups=cohorts[cohort],
        periods=cells.design.periods[period],
        estimates=estimates @ spread,
        influence_of=lambda weights, _: influence_of(spread @ weights),
        reference=~known,
        cohorts=cohorts,
        cohort_codes=codes,
        weights=cells.design.weights,
        observations=cells.counts[cohort, period],
        regression=regression,
        not_estimable=tuple(
            sorted([*cells.not_estimable, *skipped], key=lambda entry: (entry[0], entry[1] or 0))
        ),
    )
