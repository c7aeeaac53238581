"""Jackknife over groups of units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.results import WaldTest, missing_note
from jjjpolicy.estimation.rounding import resolution, standing
from jjjpolicy.estimation.variance import few_treated_note
from jjjpolicy.inference.permutation.left_out import (
    Aligned,
    jackknife_bounds,
    jackknife_errors,
    refits_without,
)
from jjjpolicy.inference.permutation.reached import require_unnamed
from jjjpolicy.synth.weights.fixed import FixedWeights


@dataclass(frozen=True)
class Jackknife(Inference):
    r"""Leave one group of units out at a time.

    .. math:: \widehat{se}^2 = \frac{G-1}{G} \sum_g (\hat\tau_{(-g)} - \hat\tau)^2

    with weights held as they are and scaled to sum to one over the donors that are left
    (Arkhangelsky et al. 2021, algorithm 3), or with everything estimated again. The first is
    conservative for synthetic difference-in-differences and needs no refit. Groups are units, or
    those of the level of assignment. The normal distribution gives p-value and interval.

    Parameters
    ----------
    fixed_weights : bool, optional
        Hold the weights; by default for estimators with weights on periods
        (:class:`~jjjpolicy.synth.SyntheticDiD`), while others are fitted again.
    level : str, optional
        Groups to leave out; the level of assignment by default.
    jobs : int
        Worker processes; the numbers do not depend on it.

    Notes
    -----
    ``details["left_out"]`` has the estimates without each group, and ``Estimate.by_cohort`` a
    standard error of each adoption cohort with at least two groups.
    """

    by_group: ClassVar[bool] = True
    fixed_weights: bool | None = None
    level: str | None = None
    jobs: int = 1

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard errors, p-value and interval.

        Raises
        ------
        InferenceError
            Fewer than two treated groups; all donor weight in one group; weights that cannot be
            held because the counterfactual is not made of them; a group whose absence leaves
            nothing to estimate.
        """
        design = estimate.design
        level = self.level or design.assigned_at
        codes = np.unique(design.cluster_codes(level), return_inverse=True)[1].astype(np.int64)
        treated = np.unique(codes[design.treated])
        if len(treated) < 2:
            raise InferenceError(
                f"a jackknife needs two treated groups at the level {level!r}, there is "
                f"{len(treated)}; use PlaceboUnits."
            )
        fixed = self.fixed_weights
        if fixed is None:
            fixed = "lambda" in estimate.details
        groups = int(codes.max()) + 1
        adoptions = [design.adoption[(codes != g) & design.treated] for g in range(groups)]
        if fixed:
            weights = FixedWeights.of(estimate, "use Jackknife(fixed_weights=False)")
            parts = [weights.without(codes == g).refits() for g in range(groups)]
        else:
            require_unnamed(estimate.estimator, estimate.design, self.label)
            parts = refits_without(estimate, codes, self.label, self.jobs)
        left = Aligned.of(estimate, parts, adoptions)
        noise = resolution(design.outcome)
        se = float(standing(jackknife_errors(left.att, estimate.att), noise))
        how = "weights held fixed" if fixed else "re-estimated"
        return estimate.with_result(
            WaldTest(
                name=f"jackknife by {level} ({how})",
                centre=estimate.att,
                se=se,
                effects=partial(jackknife_bounds, left.events, left.effects, np.inf)
                if left.has_effects
                else None,
                cohorts=None
                if estimate.cohort_effects is None or not left.has_cohorts
                else partial(jackknife_bounds, estimate.cohort_effects, left.cohorts, np.inf),
                notes=(
                    f"{groups} groups left out in turn.",
                    *missing_note(se),
                    *few_treated_note(design, codes),
                ),
                details={"left_out": left.att},
                specification=self.specification(),
            )
        )
