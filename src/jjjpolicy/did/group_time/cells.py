"""From comparisons of group-time cells to their effects, and a list of those that failed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.did.cohorts.influence import AffineInfluence, CohortOutcomes, Influence
from jjjpolicy.did.cohorts.not_estimable import causes_of
from jjjpolicy.did.group_time.comparisons import Comparison, memberships, moves
from jjjpolicy.did.group_time.effects import GroupTimeEffects, Skipped
from jjjpolicy.did.group_time.parts import InfluenceInParts, Part
from jjjpolicy.did.group_time.scores import NotEstimable, Scores
from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.design.clock import Clock
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.group_time.samples import Sample
    from jjjpolicy.linalg.types import Floats, Integers

Compare = Callable[[list[Comparison]], tuple["Integers", Scores]]
"""Units that take part, and the scores of cells with equal keys on them."""


def effects_of_cells(
    sample: Sample,
    cells: list[Comparison],
    skipped: list[Skipped],
    compare: Compare,
    cohort_codes: Integers,
    anticipation: int,
) -> tuple[GroupTimeEffects, int]:
    """Effects of the cells that can be estimated, and how often a control was trimmed.

    Parameters
    ----------
    sample : Sample
    cells : list of Comparison
    skipped : list of (group, period or None, reason)
        Already known to be out of reach; those that fail here are added to the result.
    compare : callable
        May raise :class:`NotEstimable`.
    cohort_codes : ndarray of int, shape (units,)
        Cohorts as the averages weigh them.
    anticipation : int

    Raises
    ------
    DesignError
        No effect from adoption on can be estimated.
    """
    design = sample.design
    estimates = np.zeros(len(cells))
    estimated = np.ones(len(cells), dtype=bool)
    failed, trimmed = list(skipped), 0
    parts: list[Part] = []
    positions = [k for k, cell in enumerate(cells) if not cell.reference]
    for _, batch in groupby(positions, key=lambda k: sample.key(cells[k])):
        columns = list(batch)
        try:
            rows, scores = compare([cells[k] for k in columns])
        except NotEstimable as failure:
            estimated[columns] = False
            failed += [
                (cells[k].group, int(design.periods[cells[k].period]), str(failure))
                for k in columns
            ]
            continue
        estimates[columns] = scores.att
        parts.append(Part(rows, np.array(columns), scores))
        trimmed += scores.trimmed
    some = {cells[k].cohort for k in positions if estimated[k]}
    estimated &= [cell.cohort in some for cell in cells]
    kept = [cell for cell, known in zip(cells, estimated, strict=True) if known]

    def influence_of(weights: Floats, shares: Floats) -> Influence:
        of_cells = np.zeros((len(cells), weights.shape[1]))
        of_cells[estimated] = weights
        return InfluenceInParts(design, parts, of_cells, shares, cohort_codes)

    effects = _effects(
        design, kept, estimates[estimated], influence_of, cohort_codes, anticipation, failed
    )
    return effects, trimmed


def mean_effects(
    design: Design, cells: list[Comparison], skipped: list[Skipped], anticipation: int
) -> GroupTimeEffects:
    """Effects of cells on a balanced panel without covariates: differences of cohort means.

    Raises
    ------
    DesignError
        No effect from adoption on can be estimated.
    """
    some = {cell.cohort for cell in cells if not cell.reference}
    cells = [cell for cell in cells if cell.cohort in some]
    outcomes = CohortOutcomes(design)
    differences = moves(cells, design.n_periods)
    changes = outcomes.means @ differences.T
    treated, controls = (table.T for table in memberships(cells, len(outcomes.sizes)))
    sizes = outcomes.sizes[:, None]
    of_treated, of_controls = treated / sizes, controls / (controls * sizes).sum(axis=0)
    treated_mean = (of_treated * sizes * changes).sum(axis=0)
    control_mean = (of_controls * sizes * changes).sum(axis=0)
    scales = design.n_units * (of_treated - of_controls)
    intercepts = design.n_units * of_controls * (control_mean - changes)

    def influence_of(weights: Floats, shares: Floats) -> Influence:
        def coefficients(c: int) -> tuple[Floats, Floats]:
            own = np.flatnonzero(scales[c])
            slopes = differences[own].T @ (scales[c, own, None] * weights[own])
            return intercepts[c] @ weights + shares[c], slopes

        return AffineInfluence(outcomes, coefficients)

    codes = design.cohort_codes[1]
    estimates = treated_mean - control_mean
    return _effects(design, cells, estimates, influence_of, codes, anticipation, skipped)


def _effects(
    design: Design,
    cells: list[Comparison],
    estimates: Floats,
    influence_of: Callable[[Floats, Floats], Influence],
    cohort_codes: Integers,
    anticipation: int,
    failed: list[Skipped],
) -> GroupTimeEffects:
    effects = GroupTimeEffects(
        groups=np.array([cell.group for cell in cells]),
        periods=design.periods[[cell.period for cell in cells]],
        estimates=estimates,
        influence_of=influence_of,
        reference=np.array([cell.reference for cell in cells], dtype=bool),
        cohorts=design.cohort_codes[0],
        cohort_codes=cohort_codes,
        weights=design.weights,
        influence_scale=design.influence_scale,
        anticipation=anticipation,
        not_estimable=tuple(sorted(failed, key=lambda entry: (entry[0], entry[1] or 0))),
    )
    require_effects(bool((effects.event_times >= 0).any()), failed, design.labels.clock)
    return effects


def require_effects(some: bool, failed: list[Skipped], clock: Clock) -> None:
    """Raise a `DesignError` with the causes unless some effect from adoption on is estimated."""
    if not some:
        raise DesignError(
            f"no effect from adoption on can be estimated. {causes_of(failed, clock)}."
        )
