"""A randomisation test that treatment has no effect on units beyond a distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.design.intake import quoted
from jjjpolicy.did.exposure import Exposure, InverseDistance
from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.rounding import LEVEL, resolution
from jjjpolicy.inference.permutation.assignments import AssignmentSpace, group_adoption
from jjjpolicy.inference.permutation.focal import (
    around_focal,
    between_groups,
    distances_to_groups,
    most_assignments,
)
from jjjpolicy.inference.permutation.ranks import at_least, rank_pvalue
from jjjpolicy.inference.randomization import ENUMERATED, SAMPLED
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

AT_ONCE = 256
"""Assignments whose exposures are in memory together."""


@dataclass(frozen=True, eq=False)
class SpilloverTest:
    """Test of no spillover beyond a distance.

    Attributes
    ----------
    pvalue : float
    beyond : float
    statistic : float
        Covariance of outcome and exposure of focal units, net of unit and period effects, over the
        standard deviation of exposure: in the unit of the outcome, times the root of cells.
    effect : float
        Change of the outcome of focal units per unit of exposure, by least squares.
    reference : ndarray, shape (assignments,)
        The statistic under the other assignments.
    assignments : int
        How many these are.
    exact : bool
        Whether they are all there are.
    smallest_pvalue : float
    focal : Index
        Untreated units whose outcomes are compared.
    exchanged : Index
        Units whose treatments are exchanged, all farther than ``beyond`` from all focal ones.
    how : str
        In words.
    """

    pvalue: float
    beyond: float
    statistic: float
    effect: float
    reference: Floats
    assignments: int
    exact: bool
    smallest_pvalue: float
    focal: pd.Index
    exchanged: pd.Index
    how: str

    __repr__ = brief


@one_thread
def spillover_test(
    design: Design,
    *,
    beyond: float,
    exposure: Exposure | None = None,
    distances: pd.DataFrame | None = None,
    replications: int | None = None,
    seed: int = 0,
) -> SpilloverTest:
    r"""Test that treatment has no effect on units farther away than a distance.

    The hypothesis: the outcome of a unit depends on its own treatment and on those within
    ``beyond``, in any way, and on no other. Treatments are exchanged within a block of groups that
    all lie farther than ``beyond`` from all focal units, everything else held as it was; under the
    hypothesis the outcomes of focal units are then what they would have been, and the rank of

    .. math:: T = \sum_{it}\ddot y_{it} S_{it} \Big/ \Bigl(\sum_{it}\ddot S_{it}^2\Bigr)^{1/2}

    over focal units, with dots for what is net of unit and period effects and S the exposure to the
    treatments of the block, is exact whatever treatment does to the treated and to those nearer
    (Athey, Eckles and Imbens 2018; Basse, Feller and Toulis 2019). Blocks are formed from places
    alone, around a net of focal units; the block in which treatment could have fallen in most ways
    is taken.

    Parameters
    ----------
    design : Design
        Every focal unit in every period.
    beyond : float
        In km, or in the unit of measure of ``distances``; 0 tests for any spillover.
    exposure : Exposure, optional
        In what the effects are thought to show; it decides the power of the test and not its size.
        :class:`~jjjpolicy.did.InverseDistance` by default.
    distances : DataFrame, optional
        Between units, rows and columns labelled by unit. Great-circle distances in km from the
        coordinates of the design by default.
    replications : int, optional
        Number of sampled assignments. All are used instead where there are no more than this (no
        more than 50,000 by default; 9,999 are sampled where there are more).
    seed : int
        Of the sampled assignments.

    Raises
    ------
    InferenceError
        There is no focal set: see the message; treatment switches off; ``beyond`` is negative;
        ``replications`` below 1.
    DesignError
        Distances are unknown or do not match the units; a focal unit is not observed in a period.
    """
    method = "spillover_test"
    if replications is not None and replications < 1:
        raise InferenceError(f"replications={replications} must be at least 1.")
    away = distances_to_groups(design, distances, beyond, method)
    blocks = around_focal(between_groups(design, away), beyond)
    block = most_assignments(design, blocks)
    if block is None:
        raise InferenceError(_no_focal_set(design, beyond))
    focal = ~design.treated & (away[:, block].min(axis=1) > beyond)
    if focal.sum() < 2:
        raise InferenceError(_no_focal_set(design, beyond))
    design.keep_units(focal, f"not focal in {method}").require_balanced(method)
    dates, _ = group_adoption(design.adoption, design.assignment)
    bundles = dates[block]
    space = AssignmentSpace(bundles[np.isfinite(bundles)], len(bundles))
    table, exact = space.with_actual(
        bundles, replications or ENUMERATED, replications or SAMPLED, seed
    )
    decay = exposure or InverseDistance(distances=distances)
    weights = _to_groups(decay.weights(design)[focal], design.assignment, block)
    covariances, variances = _moments(design, focal, weights, table)
    some = variances > LEVEL * variances.max(initial=0.0)
    if not some.any():
        raise InferenceError(
            f"{decay!r} exposes no focal {design.labels.unit} to any treatment farther than "
            f"{beyond:g}: give an exposure= that reaches beyond, e.g. with a larger cutoff."
        )
    spread = np.sqrt(np.where(some, variances, 1.0))
    statistics = np.where(some, covariances / spread, 0.0)
    noise = resolution(design.outcome) * float(np.sqrt(focal.sum() * design.n_periods))
    sizes = np.abs(statistics)
    return SpilloverTest(
        pvalue=rank_pvalue(float(statistics[0]), statistics[1:], noise=noise),
        beyond=float(beyond),
        statistic=float(statistics[0]),
        effect=float(covariances[0] / variances[0]) if some[0] else float("nan"),
        reference=statistics[1:],
        assignments=len(table) - 1,
        exact=exact,
        smallest_pvalue=float(at_least(sizes, sizes.max(), noise).mean()),
        focal=design.units[focal],
        exchanged=design.units[np.isin(design.assignment, block)],
        how=f"{'all' if exact else 'a sample of'} {len(table) - 1:,} assignments within the block, "
        f"and the actual one",
    )


def _to_groups(weights: Floats, assignment: Integers, block: Integers) -> Floats:
    """Exposure of focal units to each group of the block, shape (focal units, groups)."""
    totals: Floats = weights @ (assignment[:, None] == block).astype(float)
    return totals


def _moments(
    design: Design, focal: Booleans, weights: Floats, table: Floats
) -> tuple[Floats, Floats]:
    """Covariance of exposure with the outcome, and its variance, by assignment.

    Net of unit and period effects. Exposure is a sum over adoption periods k of a vector over units
    times a step over periods.
    """
    outcome = design.outcome[focal]
    outcome = outcome - outcome.mean(axis=1, keepdims=True)
    outcome -= outcome.mean(axis=0)
    cohorts = np.unique(table[np.isfinite(table)])
    steps = (design.periods >= cohorts[:, None]).astype(float)
    steps -= steps.mean(axis=1, keepdims=True)
    centred = weights - weights.mean(axis=0)
    covariances, variances = np.zeros(len(table)), np.zeros(len(table))
    for start in range(0, len(table), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        parts = [(table[rows] == date).astype(float) @ centred.T for date in cohorts]
        for one, step in zip(parts, steps, strict=True):
            covariances[rows] += one @ (outcome @ step)
            for other, second in zip(parts, steps, strict=True):
                variances[rows] += (one * other).sum(axis=1) * float(step @ second)
    return covariances, variances


def _no_focal_set(design: Design, beyond: float) -> str:
    treated = design.units[design.treated]
    shown = ", ".join(map(quoted, treated[:3])) + (", …" if len(treated) > 3 else "")
    return (
        f"spillover_test finds no focal set: no two untreated {design.labels.unit}s lie farther "
        f"than {beyond:g} from treated {shown} and from a group at the level "
        f"{design.assigned_at!r} that could have been treated in its place. Use a smaller beyond=, "
        f"or keep more {design.labels.unit}s in the design."
    )
