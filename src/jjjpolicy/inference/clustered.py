"""Cluster-robust standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.variance import (
    cluster_sums,
    clustered_covariance,
    few_treated_note,
    small_sample_factor,
)
from jjjpolicy.inference.permutation.left_out import Aligned, jackknife_bounds, refits_without
from jjjpolicy.inference.permutation.reached import require_unnamed
from jjjpolicy.inference.regression.clusters import cluster_products, named_members
from jjjpolicy.inference.regression.parts import cell_terms, regression_of
from jjjpolicy.inference.results import covariance_result, influence_by, tests_of_refits

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.estimation.repeated import RepeatedTests
    from jjjpolicy.estimation.results import EffectsAt
    from jjjpolicy.linalg.types import Floats, Integers

Kind = Literal["CRV1", "CRV2", "CRV3"]


@dataclass(frozen=True)
class Clustered(Inference):
    r"""Cluster-robust variance in one or two dimensions.

    - CRV1: sums of influence functions within clusters. Regressions (TwoWayFixedEffects,
      EventStudy, SunAbraham, ExtendedTWFE, Stacked, LocalProjections without regression
      adjustment) use the small-sample factor of fixest, G/(G-1) · (N-1)/(N-K), and at the level of
      assignment give the errors that these estimators attach themselves. All others use G/(G-1),
      whereas the errors that they attach, like the programs of their authors, have no factor;
      :class:`InfluenceFunction` gives those.
    - CRV2: residuals of cluster g are multiplied by :math:`(I - H_{gg})^{-1/2}`, and the t
      distribution has the degrees of freedom of Bell and McCaffrey (2002), as extended to fixed
      effects by Pustejovsky and Tipton (2018). Regressions only.
    - CRV3: the jackknife, :math:`\frac{G-1}{G}\sum_g(\hat\tau_{(g)} - \hat\tau)^2` over estimates
      without cluster g (MacKinnon, Nielsen and Webb 2023). Closed form for regressions, by
      re-estimation for every other estimator.

    CRV1 and CRV3 have G - 1 degrees of freedom. With few treated clusters all of them reject too
    often, CRV1 by far the most (MacKinnon and Webb 2017).

    Parameters
    ----------
    level : str or (str, str), optional
        The unit, the level of assignment, or a column given as ``clusters`` to the design; the
        level of assignment by default. Two levels, one of which may be the period, add the two
        variances and subtract that of their intersection (Cameron, Gelbach and Miller 2011), with
        the factor and degrees of freedom of the smaller number of clusters.
    kind : {"CRV1", "CRV2", "CRV3"}
    """

    by_group: ClassVar[bool] = True
    level: str | tuple[str, str] | None = None
    kind: Kind = "CRV1"

    def takes(self, design: Design) -> bool:
        """Whether rows are units, or sums by the clusters asked for are there."""
        sums = self.kind == "CRV1" and self.level in design.clusters
        return sums or super().takes(design)

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach the clustered variance.

        Raises
        ------
        InferenceError
            The estimator has no influence function; there are fewer than two clusters; CRV2 for
            an estimator that is no regression; CRV2 or CRV3 where the estimate rests on one
            cluster; CRV2 or CRV3 in two dimensions.
        """
        if isinstance(self.level, tuple):
            return self._two_way(estimate, *self.level)
        level = self.level or estimate.design.assigned_at
        codes = _compact(estimate.design.cluster_codes(level))
        groups = int(codes.max()) + 1
        if groups < 2:
            raise InferenceError(f"there is only one cluster at level {level!r}; two are needed.")
        df: float | Floats = groups - 1
        cohorts = None
        further: tuple[str, ...] = ()
        if self.kind == "CRV1":
            influence, further = influence_by(
                estimate, codes, level, "a clustered variance", "PlaceboUnits"
            )
            covariance = clustered_covariance(influence * _roots(estimate, codes, groups), codes)
        elif self.kind == "CRV3" and "regression" not in estimate.details:
            covariance, cohorts = _jackknife(estimate, codes, level)
        else:
            fit, contrasts = regression_of(
                estimate, f"Clustered(kind={self.kind!r})", "kind='CRV3' or 'CRV1'"
            )
            products = cluster_products(fit, contrasts, codes)
            rows, lost = products.leverage_power(0.5 if self.kind == "CRV2" else 1.0)
            if lost[:, 0].any():
                raise _rests_on_one(estimate.design, codes, int(np.argmax(lost[:, 0])), level)
            terms = np.einsum("gek,gk->ge", rows, products.scores)
            terms[:, lost.any(axis=0)] = np.nan
            covariance = terms.T @ terms
            if self.kind == "CRV2":
                df = products.satterthwaite()
            else:
                covariance *= (groups - 1) / groups
        freedom = float(np.atleast_1d(np.asarray(df, dtype=float))[0])
        return covariance_result(
            estimate,
            self,
            f"clustered by {level} ({self.kind})",
            covariance,
            df,
            cohorts=cohorts,
            notes=(
                f"{groups} clusters, t distribution with {freedom:.4g} degrees of freedom.",
                *further,
                *few_treated_note(estimate.design, codes),
            ),
        )

    def repeated(
        self,
        estimator: Estimator,
        design: Design,
        adoptions: Floats,
        effects: Sequence[float] = (0.0,),
        first: int = 0,
    ) -> RepeatedTests:
        """p-values of no effect under many assignments; see :meth:`Inference.repeated`."""
        found = None
        if self.kind == "CRV1" and not isinstance(self.level, tuple):
            found = tests_of_refits(self, estimator, design, adoptions, effects)
        return found or super().repeated(estimator, design, adoptions, effects, first)

    def _two_way(self, estimate: Estimate, one: str, other: str) -> Estimate:
        design = estimate.design
        if self.kind != "CRV1":
            raise InferenceError("two-way clustering is available with kind='CRV1' only.")
        time = design.labels.time
        if one == time:
            one, other = other, one
        codes = _compact(design.cluster_codes(one))
        first = np.broadcast_to(codes[:, None], (design.n_units, design.n_periods))
        if other == time:
            fit, contrasts = regression_of(
                estimate, f"clustering by {time}", "Clustered in the cross-section only"
            )
            terms: Floats | None = cell_terms(fit, contrasts)
            second = np.broadcast_to(np.arange(design.n_periods), first.shape)
        else:
            terms = None
            first = first[:, :1]
            second = _compact(design.cluster_codes(other))[:, None]
        both = _compact((first * (int(second.max()) + 1) + second).ravel())
        further: tuple[str, ...] = ()
        parts = []
        for each, level in ((first, one), (second, other), (both, f"{one} by {other}")):
            if terms is not None:
                influence = terms.reshape(-1, terms.shape[2]) * len(both)
            else:
                influence, notes = influence_by(
                    estimate, each.ravel(), level, "a clustered variance", "PlaceboUnits"
                )
                further += notes
            parts.append(clustered_covariance(influence, each.ravel()))
        groups = min(int(first.max()), int(second.max())) + 1
        if groups < 2:
            raise InferenceError(f"there is only one cluster at {one!r} or {other!r}.")
        # Period effects are nested in clusters by period: only the intercept is then counted.
        nested = int(design.observed.any(axis=0).sum()) - 1 if other == time else 0
        fewer = codes if int(first.max()) < groups else second[:, 0]
        roots = _roots(estimate, fewer, groups, nested)
        covariance = np.outer(roots, roots) * (parts[0] + parts[1] - parts[2])
        return covariance_result(
            estimate,
            self,
            f"clustered by {one} and {other} (CRV1)",
            covariance,
            groups - 1,
            notes=(*further, *few_treated_note(design, codes)),
        )


def _compact(codes: Integers) -> Integers:
    """Codes 0, 1, … without gaps."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _roots(estimate: Estimate, codes: Integers, groups: int, nested: int = 0) -> Floats:
    """Square roots of the small-sample factors: one for all estimates, or one for each.

    Clusters without a row in the regression behind an estimate do not count for it.
    """
    regression = estimate.details.get("regression")
    if regression is not None:
        counted = regression.observations, regression.parameters - nested
        return np.sqrt([small_sample_factor(groups, *counted)])
    counts = estimate.details.get("small_sample", ())
    if not counts:
        return np.sqrt([groups / (groups - 1)])
    assert estimate.influence is not None
    absent = groups - np.count_nonzero(cluster_sums(np.abs(estimate.influence), codes), axis=0)
    each = np.broadcast_to(np.array(counts), (len(absent), 2))
    return np.sqrt(
        [
            small_sample_factor(groups - int(out), int(rows), int(parameters))
            for out, (rows, parameters) in zip(absent, each, strict=True)
        ]
    )


def _jackknife(estimate: Estimate, codes: Integers, level: str) -> tuple[Floats, EffectsAt | None]:
    """Covariance of the effects, overall first, and bounds of those of the cohorts."""
    design = estimate.design
    groups = int(codes.max()) + 1
    adoptions = [design.adoption[(codes != g) & design.treated] for g in range(groups)]
    for g, adoption in enumerate(adoptions):
        if len(adoption) in (0, int((codes != g).sum())):
            raise _rests_on_one(design, codes, g, level)
    require_unnamed(estimate.estimator, design, "Clustered")
    left = Aligned.of(estimate, refits_without(estimate, codes, "Clustered", 1), adoptions)
    deviations = (left.att - estimate.att)[:, None]
    if left.has_effects:
        points = left.events["estimate"].to_numpy(dtype=float)
        deviations = np.column_stack([deviations, left.effects - points])
    covariance: Floats = (groups - 1) / groups * deviations.T @ deviations
    if estimate.cohort_effects is None or not left.has_cohorts:
        return covariance, None
    return covariance, partial(
        jackknife_bounds, estimate.cohort_effects, left.cohorts, groups - 1.0
    )


def _rests_on_one(design: Design, codes: Integers, group: int, level: str) -> InferenceError:
    return InferenceError(
        f"the estimate cannot be formed without one cluster at level {level!r} "
        f"({named_members(design, codes, group)}), so that its leverage leaves no CRV2 or CRV3 "
        f"variance; use RandomizationInference, ConleyTaber or FermanPinto."
    )
