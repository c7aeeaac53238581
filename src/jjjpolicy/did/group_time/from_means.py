"""Estimators whose effects are differences of cohort means, refitted from shared sums."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from jjjpolicy.did.group_time.estimate import GroupTimeEstimator
from jjjpolicy.did.group_time.refits import means_suffice, refits_from_means, samples_from_means
from jjjpolicy.estimation.refits import Refits, counts_of_clusters, refit_blocks

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.group_time.aggregation import Kind, Window
    from jjjpolicy.did.group_time.comparisons import Comparison
    from jjjpolicy.did.group_time.estimate import GroupTimeAverage
    from jjjpolicy.linalg.types import Floats, Integers


class FromMeans(GroupTimeEstimator):
    """Effects are differences of cohort means on a balanced panel without covariates."""

    @abstractmethod
    def cells(self, design: Design) -> list[Comparison]:
        """The group-time cells with an estimate, on a balanced panel without covariates.

        Raises
        ------
        DesignError
            Nothing can be estimated from means.
        """

    def parameters(self, design: Design) -> int | None:
        """Parameters of a regression, whose errors take shares of cohorts as given; else None."""
        return None

    def follows_from_means(self, design: Design, adoptions: Floats, kind: Kind) -> bool:
        """Whether an average under these assignments does."""
        return means_suffice(design, adoptions)

    def shared_refits(
        self, design: Design, adoptions: Floats, of: GroupTimeAverage, jobs: int, errors: bool
    ) -> Refits | None:
        """An average under each assignment, from sums of clusters that all of them share."""
        if not self.follows_from_means(design, adoptions, of.kind):
            return None
        refit = partial(_refits, self, of.kind, of.window, errors)
        return refit_blocks(refit, design, adoptions, jobs, self.label)

    def shared_samples(
        self, design: Design, groups: Integers, counts: Floats, kind: Kind, window: Window
    ) -> list[Refits | None]:
        """An average in each sample of groups, from sums of clusters that all of them share."""
        drawn = counts_of_clusters(design, groups, counts)
        if drawn is None or not self.follows_from_means(design, design.adoption[None], kind):
            return [None] * len(counts)
        return samples_from_means(self.cells, self.parameters, design, drawn, kind, window)


def _refits(
    estimator: FromMeans,
    kind: Kind,
    window: Window,
    errors: bool,
    design: Design,
    adoptions: Floats,
) -> Refits:
    plan, parameters = estimator.cells, estimator.parameters
    return refits_from_means(plan, parameters, design, adoptions, kind, window, errors=errors)
