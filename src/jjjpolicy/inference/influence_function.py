"""Standard errors and bootstrap bands from influence functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.multipliers import multiplier_draws
from jjjpolicy.estimation.variance import cluster_sums, few_treated_note
from jjjpolicy.inference.results import (
    bootstrap_result,
    covariance_result,
    influence_by,
    tests_of_refits,
)

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.estimation.repeated import RepeatedTests
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True)
class InfluenceFunction(Inference):
    r"""Standard errors from influence functions of independent units.

    :math:`\widehat{se}^2 = n^{-2}\sum_i \psi_i^2` with the normal distribution, as in R did
    (Callaway and Sant'Anna 2021, section 4). Treats units as independent: where treatment was
    assigned to groups of units use :class:`Clustered`, and with few treated units
    :class:`RandomizationInference`.
    """

    def takes(self, design: Design) -> bool:
        """Whether rows are units, or the design says how influence adds up over those of a row."""
        return design.stands_for is None or design.influence_scale is not None

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach the standard errors.

        Raises
        ------
        InferenceError
            The estimator has no influence function.
        """
        design = estimate.design
        units = np.arange(design.n_units)
        influence, notes = influence_by(
            estimate, units, design.labels.unit, "an influence-function error", "PlaceboUnits"
        )
        notes += few_treated_note(design, units)
        if design.assigned_at != design.labels.unit:
            notes += (
                f"Treatment was assigned at the level {design.assigned_at!r}, and this error "
                f"treats every {design.labels.unit} as independent; use Clustered.",
            )
        covariance = influence.T @ influence / len(influence) ** 2
        return covariance_result(
            estimate,
            self,
            "influence function (units independent)",
            covariance,
            np.inf,
            notes=notes,
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
        found = tests_of_refits(self, estimator, design, adoptions, effects)
        return found or super().repeated(estimator, design, adoptions, effects, first)


@dataclass(frozen=True)
class MultiplierBootstrap(Inference):
    r"""Bootstrap of influence functions with random multipliers, and uniform bands.

    Every draw multiplies the influence functions of each cluster by one random weight of mean 0 and
    variance 1 (Callaway and Sant'Anna 2021, algorithm 1); nothing is re-estimated. ``effects`` has
    pointwise bounds and, in ``uniform_lower`` and ``uniform_upper``, a band that holds all effects
    at once with probability 95%. The interval of the overall effect uses the quantiles of
    :math:`|\tau^* - \hat\tau|`.

    Parameters
    ----------
    kind : {"mammen", "rademacher", "webb"}
        Distribution of the weights.
    replications : int
    seed : int
    level : str, optional
        Clusters; the level of assignment by default.
    """

    by_group: ClassVar[bool] = True
    kind: Literal["mammen", "rademacher", "webb"] = "rademacher"
    replications: int = 999
    seed: int = 0
    level: str | None = None

    def takes(self, design: Design) -> bool:
        """Whether rows are units, or sums by the clusters asked for are there."""
        return self.level in design.clusters or super().takes(design)

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard errors, p-value, interval and bands.

        Raises
        ------
        InferenceError
            The estimator has no influence function; an unknown kind; fewer than two replications.
        """
        level = self.level or estimate.design.assigned_at
        codes = np.unique(estimate.design.cluster_codes(level), return_inverse=True)[1]
        influence, further = influence_by(
            estimate, codes, level, self.label, "ClusterBootstrap or PlaceboUnits"
        )
        if codes.max() < 1:
            raise InferenceError(f"there is only one cluster at level {level!r}; two are needed.")
        deviations = multiplier_draws(
            influence, codes, draws=self.replications, seed=self.seed, law=self.kind
        )
        sums = cluster_sums(influence, codes)
        errors = np.sqrt(np.einsum("gk,gk->k", sums, sums)) / len(influence)
        return bootstrap_result(
            estimate,
            self,
            f"multiplier bootstrap by {level} ({self.kind})",
            deviations,
            errors,
            notes=(
                f"{self.replications:,} draws, seed {self.seed}.",
                *further,
                *few_treated_note(estimate.design, codes),
            ),
        )
