"""Averages of group-time effects under many assignments of treatment.

Without covariates a comparison is a difference of cohort means, and clusters whose units adopt
together enter them by sums that do not depend on the assignment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from jjjpolicy.did.cohorts.influence import InfluenceMatrix
from jjjpolicy.did.group_time.aggregation import Combination, Kind, Window, combine
from jjjpolicy.did.group_time.comparisons import Comparison, memberships, moves
from jjjpolicy.did.group_time.effects import GroupTimeEffects
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.variance import cluster_sums

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

Plan = Callable[["Design"], "list[Comparison]"]
"""The group-time cells of a design."""


def overall_and_event_study(effects: GroupTimeEffects, kind: Kind, window: Window) -> Combination:
    """The average of a kind, followed by the averages by event time."""
    own = combine(effects, kind, window)
    if kind == "event":
        return own
    by_event = combine(effects, "event", window).without_overall()
    return own.only(np.arange(len(own.labels)) == 0).joined(by_event)


def average_refits(design: Design, effects: GroupTimeEffects, kind: Kind, window: Window) -> Refits:
    """The average of a kind with its standard error, and the averages by event time."""
    combination = overall_and_event_study(effects, kind, window)
    points = combination.estimates(effects)
    own = combination.only(np.arange(len(points)) == 0).influence(effects)
    se = effects.errors(own, design)
    return Refits(att=points[:1], se=se, effects=points[None, 1:])


def means_suffice(design: Design, adoptions: Floats) -> bool:
    """Whether refits follow from means: no covariates or gaps, clusters treated as wholes."""
    if design.covariates or not design.balanced or design.influence_scale is not None:
        return False
    _, first, codes = np.unique(design.assignment, return_index=True, return_inverse=True)
    return bool((adoptions[:, first][:, codes] == adoptions).all())


def refits_from_means(
    plan: Plan, design: Design, adoptions: Floats, kind: Kind, window: Window
) -> Refits:
    """Refits of an average under each assignment.

    Parameters
    ----------
    plan : callable
    design : Design
        For which :func:`means_suffice`.
    adoptions : ndarray, shape (assignments, units)
    kind : {"simple", "group", "calendar", "event"}
    window : Window
    """
    _, first, codes = np.unique(design.assignment, return_index=True, return_inverse=True)
    weights = np.ones(design.n_units) if design.weights is None else design.weights
    changes = design.outcome - design.outcome.mean(axis=1, keepdims=True)
    sums = cluster_sums(changes * weights[:, None], codes)
    mass = np.bincount(codes, weights).astype(float)
    of_clusters = adoptions[:, first]
    ordered = np.sort(of_clusters, axis=1)
    alike = np.array([np.unique(row).tobytes() for row in ordered], dtype=object)
    parts: dict[int, Refits] = {}
    for dates in dict.fromkeys(alike.tolist()):
        rows = np.flatnonzero(alike == dates)
        cells = plan(design.reassigned(adoptions[rows[0]]))
        means = _Means(design, cells, of_clusters[rows], sums, mass)
        found = means.refits(kind, window)
        parts |= {int(row): found.at(np.array([k])) for k, row in enumerate(rows)}
        if len(rows) == len(adoptions):
            return found
    return Refits.stack(parts[row] for row in range(len(adoptions)))


@dataclass(frozen=True, eq=False)
class _Means:
    """Cohort means under assignments that share their adoption periods.

    Attributes
    ----------
    design : Design
    cells : list of Comparison
    adoptions : ndarray, shape (assignments, clusters)
    sums : ndarray, shape (clusters, periods)
        Weighted sums of outcomes less the unit's average.
    mass : ndarray, shape (clusters,)
        Sums of weights.
    """

    design: Design
    cells: list[Comparison]
    adoptions: Floats
    sums: Floats
    mass: Floats

    @cached_property
    def cohorts(self) -> Floats:
        return np.unique(self.adoptions[0])

    @cached_property
    def codes(self) -> Integers:
        """Cohort of each cluster, shape (assignments, clusters)."""
        return np.searchsorted(self.cohorts, self.adoptions)

    @cached_property
    def members(self) -> Floats:
        """1 in the cohort of a cluster, shape (cohorts, assignments, clusters)."""
        return np.asarray(self.adoptions == self.cohorts[:, None, None], dtype=float)

    def refits(self, kind: Kind, window: Window) -> Refits:
        units = self.design.n_units
        treated, controls = memberships(self.cells, len(self.cohorts))
        differences = moves(self.cells, self.design.n_periods)
        totals = np.einsum("hrc,c->rh", self.members, self.mass)
        changes = np.einsum("hrt,et->hre", self.members @ self.sums, differences)
        sizes = np.stack([totals @ treated.T, totals @ controls.T])
        means = np.stack(
            [np.einsum("hre,eh->re", changes, cohorts) for cohorts in (treated, controls)]
        )
        means /= sizes
        estimates = means[0] - means[1]
        first = self._effects(self.codes[0], estimates[0])
        if kind == "simple":
            combine(first, kind, window)  # which refuses a window without effects
            after = window.chosen(first) & (first.event_times >= 0)
            weights, slopes = _by_size(after, sizes[0] / units, estimates)
            slopes = slopes @ treated
        else:
            listed = [self._effects(*row) for row in zip(self.codes, estimates, strict=True)]
            overall = [combine(effects, kind, window) for effects in listed]
            weights = np.stack([each.cells[:, 0] for each in overall])
            slopes = np.stack([each.cohorts[:, 0] for each in overall])
        variance = np.zeros(len(estimates))
        for h, members in enumerate(self.members):
            own, other = weights * treated[:, h], weights * controls[:, h]
            own, other = own / sizes[0], other / sizes[1]
            shift = (other * means[1] - own * means[0]).sum(axis=1)
            shift += slopes[:, h] / units
            scores = (own - other) @ differences @ self.sums.T + np.outer(shift, self.mass)
            variance += np.einsum("rc,rc,rc->r", members, scores, scores)
        return Refits(
            att=(weights * estimates).sum(axis=1),
            se=np.sqrt(variance),
            effects=_by_event_time(first, estimates, sizes[0], window),
        )

    def _effects(self, codes: Integers, estimates: Floats) -> GroupTimeEffects:
        """Group-time effects as averages take them, clusters in place of units."""
        return GroupTimeEffects(estimates=estimates, cohort_codes=codes, **self._common)

    @cached_property
    def _common(self) -> dict[str, Any]:
        """What the group-time effects of all assignments have in common."""
        return {
            "groups": np.array([cell.group for cell in self.cells]),
            "periods": self.design.periods[[cell.period for cell in self.cells]],
            "influence_of": lambda weights, _: InfluenceMatrix(weights[:0]),
            "reference": np.array([cell.reference for cell in self.cells]),
            "cohorts": self.cohorts,
            "weights": self.mass * (len(self.mass) / self.design.n_units),
        }


def _by_size(chosen: Booleans, shares: Floats, estimates: Floats) -> tuple[Floats, Floats]:
    """The simple average of each assignment, as :func:`combine` forms it.

    Weights of the cells and derivatives of the average with respect to the shares of units in their
    cohorts, both of shape (assignments, cells).
    """
    shares = np.where(chosen, shares, 0.0)
    total = shares.sum(axis=1, keepdims=True)
    weights = shares / total
    average = (weights * estimates).sum(axis=1, keepdims=True)
    return weights, np.where(chosen, estimates - average, 0.0) / total


def _by_event_time(
    effects: GroupTimeEffects, estimates: Floats, sizes: Floats, window: Window
) -> Floats:
    """Averages by event time, shape (assignments, event times), weighted by cohort size."""
    times = effects.event_times
    chosen = window.chosen(effects)
    own = ((times[:, None] == np.unique(times[chosen])) & chosen[:, None]).astype(float)
    averages: Floats = ((sizes * estimates) @ own) / (sizes @ own)
    return averages
