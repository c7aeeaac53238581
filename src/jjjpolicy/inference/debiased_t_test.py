"""Debiased t-test for the average effect of a synthetic control."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimate import Estimate, Inference, InferenceResult
from jjjpolicy.variance import t_interval, t_pvalue

if TYPE_CHECKING:
    from jjjpolicy.design import Design
    from jjjpolicy.estimator import Estimator


@dataclass(frozen=True)
class DebiasedTTest(Inference):
    r"""Cross-fitted estimates whose average has a t distribution.

    The last ``folds`` blocks of pre-treatment periods are left out in turn; the gap in the block is
    an estimate of the bias, and :math:`\hat\tau_k` is the post-treatment gap less it. The average
    over blocks, divided by its scaled standard deviation, is t with ``folds - 1`` degrees of
    freedom (Chernozhukov, Wüthrich and Zhu, "A t-test for synthetic controls", algorithm 1).
    The interval is centred at the debiased average, ``details["debiased"]``, and so it need not
    contain ``att``.

    Parameters
    ----------
    folds : int
    """

    folds: int = 3

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard error, p-value and interval of the average effect.

        Raises
        ------
        InferenceError
            Several adoption periods, fewer than two folds, too few pre-treatment periods.
        """
        design = estimate.design
        if len(design.cohorts) > 1:
            raise InferenceError(
                f"the debiased t-test takes one adoption period, this design has "
                f"{len(design.cohorts)}; fit each cohort alone."
            )
        before = int((design.periods < design.cohorts[0]).sum())
        after = design.n_periods - before
        if self.folds < 2 or before < 2 * self.folds:
            raise InferenceError(
                f"folds={self.folds} must be at least 2 and at most half of the {before} periods "
                f"before treatment."
            )
        size = min(before // self.folds, after)
        first = before - size * self.folds
        estimates = np.array(
            [
                _cross_fitted(estimate.estimator, design, before, first + k * size, size)
                for k in range(self.folds)
            ]
        )
        centre = float(estimates.mean())
        scale = np.sqrt(1 + self.folds * size / after)
        se = float(scale * estimates.std(ddof=1) / np.sqrt(self.folds))
        df = float(self.folds - 1)
        return estimate.with_result(
            InferenceResult(
                name="debiased t-test",
                se=se,
                pvalue=t_pvalue(centre, se, df),
                bounds=lambda level: t_interval(centre, se, df, level),
                notes=(
                    f"Debiased estimate {centre:.6g}, {self.folds} blocks of {size} periods; the "
                    f"interval is centred there.",
                ),
                details={"debiased": centre, "folds": estimates},
                specification=self.specification(),
            )
        )


def _cross_fitted(
    estimator: Estimator, design: Design, before: int, start: int, size: int
) -> float:
    """Post-treatment gap less the gap in a block that the fit leaves out."""
    order = np.arange(design.n_periods)
    block = (order >= start) & (order < start + size)
    columns = np.concatenate([order[(order < before) & ~block], order[block], order[before:]])
    moved = replace(
        design,
        outcome=design.outcome[:, columns],
        periods=np.arange(design.n_periods),
        covariates={name: values[:, columns] for name, values in design.covariates.items()},
        adoption=np.where(design.treated, float(before - size), np.inf),
    )
    effects = estimator.refit(moved).effects
    if effects is None:
        raise InferenceError(
            f"{estimator.label} gives no effects by event time when it is fitted again; the "
            f"debiased t-test needs them."
        )
    return float(effects[0][before:].mean() - effects[0][before - size : before].mean())
