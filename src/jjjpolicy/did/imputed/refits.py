r"""Imputed effects under many assignments of treatment, from sums that the assignments share.

A cluster whose units adopt together enters the normal equations and every average by sums that
depend on its own adoption period alone. They are computed once for each period; an assignment only
adds up those of its clusters, and solves for as many numbers as there are periods.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits, counts_of_clusters, refit_blocks
from jjjpolicy.estimation.variance import cluster_sums

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

MOST_PATTERNS = 32
"""Patterns of observed periods up to which sums by pattern are faster than unit by unit."""


@dataclass(frozen=True, eq=False)
class Cohorts:
    """The clusters that adopt at one period, under each of many assignments.

    Attributes
    ----------
    members : ndarray, shape (assignments, clusters)
        How often each cluster is among those that adopt at the period: once, or never; in samples
        of clusters as often as it is drawn.
    mass : ndarray, shape (clusters, patterns)
        Weighted number of units by pattern of observed periods.
    before, after : ndarray, shape (patterns, periods)
        1 in observed untreated and treated cells, else 0.
    inside, effects : ndarray, shape (clusters, periods)
        Weighted sums over untreated and over treated cells of the outcome less the unit's mean over
        its untreated cells.
    """

    members: Floats
    mass: Floats
    before: Floats
    after: Floats
    inside: Floats
    effects: Floats

    @property
    def per_cell(self) -> Floats:
        """One over the number of untreated cells, shape (patterns,)."""
        return np.asarray(1 / np.maximum(self.before.sum(axis=1), 1.0))

    @property
    def cells(self) -> Floats:
        """Weighted number of treated cells, shape (clusters, periods)."""
        return np.asarray(self.mass @ self.after)

    def levels(self, periods: Floats) -> Floats:
        """Average period effect over the untreated cells, shape (assignments, patterns)."""
        return np.asarray(periods @ self.before.T * self.per_cell)

    def average_effects(self, periods: Floats) -> Floats:
        """Average over clusters of the effect in each period, shape (assignments, periods).

        Weights are the squares of the clusters' numbers of cells (Borusyak, Jaravel and Spiess
        2024, equation 8).

        Parameters
        ----------
        periods : ndarray, shape (assignments, periods)
            Period effects.
        """
        cells = self.cells
        squares = self.members @ cells**2
        sums = self.members @ (cells * self.effects) - periods * squares
        for own, after, level in zip(self.mass.T, self.after, self.levels(periods).T, strict=True):
            sums += self.members @ (cells * own[:, None]) * after * level[:, None]
        averages: Floats = np.divide(sums, squares, out=np.zeros_like(sums), where=squares > 0)
        return averages


class SharedImputation(Estimator):
    """An estimator that imputes the untreated outcome, refitted from shared sums."""

    @abstractmethod
    def centres(self, cohorts: Cohorts, periods: Floats, att: Floats) -> Floats:
        """What stands for the expectation of effects, shape (assignments, periods).

        Parameters
        ----------
        cohorts : Cohorts
        periods : ndarray, shape (assignments, periods)
            Period effects.
        att : ndarray, shape (assignments,)
        """

    @property
    def shares_sums(self) -> bool:
        """Whether the options allow refits from shared sums."""
        return True

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_many`.

        Without covariates, and where clusters are treated as wholes, assignments share all sums.
        """
        if not self.shares_sums or not _separable(design, adoptions):
            return super().refit_many(design, adoptions, jobs)
        return refit_blocks(self._refit_block, design, adoptions, jobs, self.label)

    def refit_among(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_among`."""
        if not self.shares_sums or not _separable(design, adoptions):
            return super().refit_among(design, adoptions, jobs)
        return refit_blocks(self._among_block, design, adoptions, jobs, self.label)

    def refit_counted(
        self, design: Design, groups: Integers, counts: Floats
    ) -> list[Refits | None]:
        """Refit samples of whole clusters; see :meth:`Estimator.refit_counted`."""
        drawn = counts_of_clusters(design, groups, counts)
        known: list[Refits | None] = [None] * len(counts)
        if drawn is None or not self.shares_sums or not _separable(design, design.adoption[None]):
            return known
        cohorts = [
            replace(own, members=own.members * drawn)
            for own in _cohorts(design, design.adoption[None])
        ]
        solvable = _solvable(cohorts)
        if solvable.any():
            kept = [replace(own, members=own.members[solvable]) for own in cohorts]
            att, se = self._solved(kept)
            for row, found in zip(np.flatnonzero(solvable), Refits(att, se).singly(), strict=True):
                known[row] = found
        return known

    def _among_block(self, design: Design, adoptions: Floats) -> Refits:
        cohorts = list(_cohorts(design, adoptions))
        if not _solvable(cohorts).all():
            return super().refit_among(design, adoptions)
        return Refits(att=self._points(cohorts)[0])

    def _refit_block(self, design: Design, adoptions: Floats) -> Refits:
        cohorts = list(_cohorts(design, adoptions))
        solvable = _solvable(cohorts)
        att, se = np.empty(len(adoptions)), np.empty(len(adoptions))
        if solvable.any():
            kept = cohorts if solvable.all() else list(_cohorts(design, adoptions[solvable]))
            att[solvable], se[solvable] = self._solved(kept)
        for row in np.flatnonzero(~solvable):
            alone = self.refit(design.reassigned(adoptions[row]))
            assert alone.se is not None
            att[row], se[row] = alone.att[0], alone.se[0]
        return Refits(att=att, se=se)

    def _points(self, cohorts: list[Cohorts]) -> tuple[Floats, Floats, Floats, Floats]:
        """Overall effects and their weights, (assignments,); period effects and a functional."""
        rows, periods = len(cohorts[0].members), cohorts[0].before.shape[1]
        gram = np.zeros((rows, periods, periods))
        right, lean = np.zeros((2, rows, periods))
        total, direct = np.zeros((2, rows))
        for own in cohorts:
            sizes = own.members @ own.mass
            counts = own.after.sum(axis=1)
            crossed = own.before[:, :, None] * own.before[:, None, :] * own.per_cell[:, None, None]
            normal = own.before[:, :, None] * np.eye(periods) - crossed
            gram += np.tensordot(sizes, normal, 1)
            right += own.members @ own.inside
            lean += sizes @ (own.before * (counts * own.per_cell)[:, None] - own.after)
            total += sizes @ counts
            direct += own.members @ own.effects.sum(axis=1)
        # Period effects are determined up to a constant, which drops out of all that follows.
        gram += (np.trace(gram, axis1=1, axis2=2) / periods**2)[:, None, None]
        solved = np.linalg.solve(gram, np.stack([right, lean], axis=2))
        effects: Floats = solved[:, :, 0].astype(float)
        functional: Floats = (-solved[:, :, 1] / total[:, None]).astype(float)
        att = (direct + np.einsum("rt,rt->r", lean, effects)) / total
        return att, total, effects, functional

    def _solved(self, cohorts: list[Cohorts]) -> tuple[Floats, Floats]:
        """Overall effects and standard errors, shape (assignments,)."""
        att, total, effects, functional = self._points(cohorts)
        variance = np.zeros(len(att))
        for own in cohorts:
            curved = (functional * effects) @ own.before.T
            curved -= own.levels(functional) * (effects @ own.before.T)
            part = curved @ own.mass.T - functional @ own.inside.T
            if own.after.any():
                moved = own.levels(effects) * own.after.sum(axis=1) - effects @ own.after.T
                sums = own.effects.sum(axis=1) + moved @ own.mass.T
                centred = sums - self.centres(own, effects, att) @ own.cells.T
                part += centred / total[:, None]
            variance += np.einsum("rc,rc,rc->r", own.members, part, part)
        return att, np.sqrt(variance)


def _separable(design: Design, adoptions: Floats) -> bool:
    """Whether clusters are treated as wholes and few patterns of periods are observed."""
    if design.covariates or design.influence_scale is not None:
        return False
    if not design.balanced and len(np.unique(design.observed, axis=0)) > MOST_PATTERNS:
        return False
    _, first, codes = np.unique(design.assignment, return_index=True, return_inverse=True)
    whole = np.array_equal(adoptions[:, first][:, codes], adoptions, equal_nan=True)
    return len(first) == design.n_units or whole


def _cohorts(design: Design, adoptions: Floats) -> Iterator[Cohorts]:
    """The clusters by adoption period, in order of the periods."""
    _, first, codes = np.unique(design.assignment, return_index=True, return_inverse=True)
    weights = np.ones(design.n_units) if design.weights is None else design.weights
    patterns, own = np.ones((1, design.n_periods)), np.zeros(design.n_units, dtype=np.int64)
    if not design.balanced:
        patterns, own = np.unique(design.observed.astype(float), axis=0, return_inverse=True)
        own = own.ravel()
    mass = cluster_sums(np.eye(len(patterns))[own] * weights[:, None], codes)
    filled = design.outcome if design.balanced else np.where(design.observed, design.outcome, 0.0)
    of_clusters = adoptions[:, first]
    for date in np.unique(of_clusters[~np.isnan(of_clusters)]):
        before = patterns * (design.periods < date)
        after = patterns - before
        mean = np.einsum("it,it->i", filled, before[own]) / np.maximum(before.sum(axis=1), 1)[own]
        net = (filled - mean[:, None]) * weights[:, None]
        yield Cohorts(
            members=(of_clusters == date).astype(float),
            mass=mass,
            before=before,
            after=after,
            inside=cluster_sums(net * before[own], codes),
            effects=cluster_sums(net * after[own], codes),
        )


def _solvable(cohorts: list[Cohorts]) -> Booleans:
    """Assignments in which every unit is untreated once, and all periods hang together."""
    rows, periods = len(cohorts[0].members), cohorts[0].before.shape[1]
    fitted: Booleans = np.ones(rows, dtype=bool)
    together, treated = np.zeros((rows, periods, periods)), np.zeros(rows)
    for own in cohorts:
        sizes: Floats = own.members @ (own.mass > 0)
        without = own.before.sum(axis=1) == 0
        fitted &= sizes[:, without].sum(axis=1) == 0
        together += np.tensordot(sizes, own.before[:, :, None] * own.before[:, None, :], 1)
        treated += sizes @ own.after.sum(axis=1)
    linked = np.asarray((together > 0).all(axis=2))
    fitted &= linked.any(axis=1) & (treated > 0)
    return fitted
