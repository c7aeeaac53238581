"""A large panel in a few rows for each cohort, for estimators that need no more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake.summaries import Moments
from jjjpolicy.did.cohorts.influence import FEW, CohortOutcomes

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design


def summed_by_cohort(design: Design) -> Design | None:
    """Rows that stand for the units of each cohort, with their means and products of changes.

    Levels of units are left out: what has unit effects does not depend on them.

    Returns
    -------
    Design or None
        None where units are few, or differ in more than their cohort and outcomes.
    """
    alike = design.balanced and not design.covariates and design.weights is None
    own = design.assigned_at == design.labels.unit and design.stands_for is None
    if design.n_units <= FEW or not alike or not own or not design.absorbing:
        return None
    outcomes = CohortOutcomes(design)
    kinds = []
    for c, root in enumerate(outcomes.roots):
        centred = np.column_stack([root[:, :-1], -root[:, :-1].sum(axis=1)])
        changes = centred - centred[:, :1]
        kind = Moments(
            traits=np.empty(0),
            present=np.ones(design.n_periods, dtype=bool),
            number=len(outcomes.units[c]),
            mean=outcomes.means[c] - outcomes.means[c, 0],
            products=changes.T @ changes,
        )
        kinds.append(kind.summary())
    cohorts = np.repeat(np.arange(len(kinds)), [len(counts) for _, counts in kinds])
    stands_for = np.concatenate([counts for _, counts in kinds])
    return replace(
        design,
        outcome=np.concatenate([rows for rows, _ in kinds]),
        units=pd.RangeIndex(len(cohorts)),
        adoption=design.cohort_codes[0][cohorts],
        assignment=np.arange(len(cohorts), dtype=np.int64),
        predictors={},
        weights=stands_for,
        clusters={},
        coordinates=None,
        stands_for=stands_for,
    )
