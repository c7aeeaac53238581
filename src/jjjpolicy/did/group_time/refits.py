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
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.refits import BLOCK, Refits
from jjjpolicy.estimation.variance import cluster_sums, small_sample_factor
from jjjpolicy.linalg.positions import equal_rows

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

Plan = Callable[["Design"], "list[Comparison]"]
"""The group-time cells of a design."""

Parameters = Callable[["Design"], "int | None"]
"""Number of parameters of a regression, whose errors take shares of cohorts as given, or None."""


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
    times = combination.labels[None, 1:].astype(np.int64)
    return Refits(att=points[:1], se=se, effects=points[None, 1:], event_times=times)


def means_suffice(design: Design, adoptions: Floats) -> bool:
    """Whether refits follow from means: no covariates or gaps, clusters treated as wholes."""
    if design.covariates or not design.balanced or design.influence_scale is not None:
        return False
    _, first, codes = np.unique(design.assignment, return_index=True, return_inverse=True)
    whole = np.array_equal(adoptions[:, first][:, codes], adoptions, equal_nan=True)
    return len(first) == design.n_units or whole


def refits_from_means(
    plan: Plan,
    parameters: Parameters,
    design: Design,
    adoptions: Floats,
    kind: Kind,
    window: Window,
    *,
    errors: bool = True,
) -> Refits:
    """Refits of an average under each assignment.

    Parameters
    ----------
    plan, parameters : callable
        For a regression, the ``kind`` must be simple.
    design : Design
        For which :func:`means_suffice`.
    adoptions : ndarray, shape (assignments, units)
        ``nan`` for units that are left out.
    kind : {"simple", "group", "calendar", "event"}
    window : Window
    errors : bool
        Whether to form standard errors.
    """
    clusters = _Clusters.of(design)
    of_clusters = adoptions[:, clusters.first]
    parts: dict[int, Refits] = {}
    dates = np.unique(of_clusters[~np.isnan(of_clusters)])
    present = np.stack([(of_clusters == date).any(axis=1) for date in dates], axis=1)
    for rows in equal_rows(present):
        one = design.reassigned(adoptions[rows[0]])
        absent = np.isnan(one.adoption)
        if absent.any():
            one = one.keep_units(~absent, "left out of the sample")
        cells, counted = plan(one), parameters(one)
        cohorts = dates[present[rows[0]]]
        members = np.asarray(of_clusters[rows] == cohorts[:, None, None], dtype=float)
        means = _Means(design, cells, counted, cohorts, members, clusters)
        found = means.refits(kind, window, errors)
        if len(rows) == len(adoptions):
            return found
        parts |= dict(zip(rows.tolist(), found.singly(), strict=True))
    return Refits.stack(parts[row] for row in range(len(adoptions)))


def samples_from_means(
    plan: Plan,
    parameters: Parameters,
    design: Design,
    counts: Floats,
    kind: Kind,
    window: Window,
) -> list[Refits | None]:
    """Refits of an average in samples of whole clusters; None where there is nothing to estimate.

    Parameters
    ----------
    plan, parameters : callable
        For a regression, the ``kind`` must be simple.
    design : Design
        For whose own assignment :func:`means_suffice`.
    counts : ndarray, shape (samples, clusters)
        How often each cluster is in a sample.
    kind : {"simple", "group", "calendar", "event"}
    window : Window
    """
    clusters = _Clusters.of(design)
    own = design.adoption[clusters.first]
    parts: list[Refits | None] = [None] * len(counts)
    dates = np.unique(own)
    drawn = np.stack([(counts[:, own == date] > 0).any(axis=1) for date in dates], axis=1)
    for alike in equal_rows(drawn):
        cohorts = dates[drawn[alike[0]]]
        try:
            kept = design.keep_units(np.isin(design.adoption, cohorts), "left out")
            cells, counted = plan(kept), parameters(kept)
            for rows in np.split(alike, np.arange(BLOCK, len(alike), BLOCK)):
                members = (own == cohorts[:, None, None]) * counts[rows]
                means = _Means(design, cells, counted, cohorts, members, clusters)
                found = means.refits(kind, window)
                for row, each in zip(rows, found.singly(), strict=True):
                    parts[row] = each
        except DesignError:  # nothing to estimate without the cohorts that are not drawn
            continue
    return parts


@dataclass(frozen=True, eq=False)
class _Clusters:
    """What comparisons need of clusters whose units adopt together.

    Attributes
    ----------
    first : ndarray of int, shape (clusters,)
        The first unit of each.
    units : ndarray, shape (clusters,)
        Numbers of units.
    mass : ndarray, shape (clusters,)
        Sums of weights.
    sums : ndarray, shape (clusters, periods)
        Weighted sums of outcomes less the unit's average.
    """

    first: Integers
    units: Floats
    mass: Floats
    sums: Floats

    @classmethod
    def of(cls, design: Design) -> _Clusters:
        _, first, codes = np.unique(design.assignment, return_index=True, return_inverse=True)
        weights = np.ones(design.n_units) if design.weights is None else design.weights
        changes = design.outcome - design.outcome.mean(axis=1, keepdims=True)
        return cls(
            first,
            np.bincount(codes).astype(float),
            np.bincount(codes, weights).astype(float),
            cluster_sums(changes * weights[:, None], codes),
        )


@dataclass(frozen=True, eq=False)
class _Means:
    """Cohort means under assignments, or in samples, that share their adoption periods.

    Attributes
    ----------
    design : Design
    cells : list of Comparison
    parameters : int, optional
        Of a regression.
    cohorts : ndarray, shape (cohorts,)
        Adoption periods.
    members : ndarray, shape (cohorts, assignments, clusters)
        How often each cluster is in a cohort: once, or never; in samples as often as it is drawn.
    clusters : _Clusters
    """

    design: Design
    cells: list[Comparison]
    parameters: int | None
    cohorts: Floats
    members: Floats
    clusters: _Clusters

    def refits(self, kind: Kind, window: Window, errors: bool = True) -> Refits:
        clusters = self.clusters
        units = (self.members @ clusters.units).sum(axis=0)
        totals = (self.members @ clusters.mass).T
        treated, controls = memberships(self.cells, len(self.cohorts))
        differences = moves(self.cells, self.design.n_periods)
        changes = np.einsum("hrt,et->hre", self.members @ clusters.sums, differences)
        sizes = np.stack([totals @ treated.T, totals @ controls.T])
        means = np.stack(
            [np.einsum("hre,eh->re", changes, cohorts) for cohorts in (treated, controls)]
        )
        means /= sizes
        estimates = means[0] - means[1]
        shares = totals / units[:, None]
        first = self._effects(shares[0], estimates[0])
        if kind == "simple":
            combine(first, kind, window)  # which refuses a window without effects
            after = window.chosen(first) & (first.event_times >= 0)
            weights, slopes = _by_size(after, sizes[0] / units[:, None], estimates)
            slopes = slopes @ treated if self.parameters is None else np.zeros(totals.shape)
        else:
            listed = [self._effects(*row) for row in zip(shares, estimates, strict=True)]
            overall = [combine(effects, kind, window) for effects in listed]
            weights = np.stack([each.cells[:, 0] for each in overall])
            slopes = np.stack([each.cohorts[:, 0] for each in overall])
        known = {
            "att": (weights * estimates).sum(axis=1),
            **_by_event_time(first, estimates, sizes[0], window),
        }
        if not errors:
            return Refits(**known)
        variance = np.zeros(len(estimates))
        for h, members in enumerate(self.members):
            own, other = weights * treated[:, h], weights * controls[:, h]
            own, other = own / sizes[0], other / sizes[1]
            shift = (other * means[1] - own * means[0]).sum(axis=1)
            shift += slopes[:, h] / units
            scores = (own - other) @ differences @ clusters.sums.T + np.outer(shift, clusters.mass)
            variance += np.einsum("rc,rc,rc->r", members, scores, scores)
        return Refits(se=np.sqrt(variance * self._factors(units)), **known)

    def _factors(self, units: Floats) -> Floats:
        """Small-sample factors of the variances, shape (assignments,)."""
        if self.parameters is None:
            return np.ones(len(units))
        rows = zip(self.members.sum(axis=(0, 2)), units * self.design.n_periods, strict=True)
        return np.array([small_sample_factor(int(g), int(n), self.parameters) for g, n in rows])

    def _effects(self, shares: Floats, estimates: Floats) -> GroupTimeEffects:
        """Group-time effects as averages take them, cohorts in place of units."""
        weights = shares * len(shares)
        return GroupTimeEffects(estimates=estimates, weights=weights, **self._common)

    @cached_property
    def _common(self) -> dict[str, Any]:
        """What the group-time effects of all assignments have in common."""
        return {
            "groups": np.array([cell.group for cell in self.cells]),
            "periods": self.design.periods[[cell.period for cell in self.cells]],
            "influence_of": lambda weights, _: InfluenceMatrix(weights[:0]),
            "reference": np.array([cell.reference for cell in self.cells]),
            "cohorts": self.cohorts,
            "cohort_codes": np.arange(len(self.cohorts)),
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
) -> dict[str, Any]:
    """Averages by event time, weighted by cohort size, and the event times."""
    times = effects.event_times
    chosen = window.chosen(effects)
    found = np.unique(times[chosen])
    own = ((times[:, None] == found) & chosen[:, None]).astype(float)
    return {
        "effects": ((sizes * estimates) @ own) / (sizes @ own),
        "event_times": np.repeat(found[None].astype(np.int64), len(estimates), axis=0),
    }
