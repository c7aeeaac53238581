"""Debiased t-test for the average effect of a synthetic control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.results import WaldTest, missing_note
from jjjpolicy.estimation.variance import t_interval, t_pvalue
from jjjpolicy.inference.permutation.cohorts import cohort_designs
from jjjpolicy.inference.permutation.gap_refits import gaps
from jjjpolicy.inference.reordered import reordered

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True)
class DebiasedTTest(Inference):
    r"""Cross-fitted estimates whose average has a t distribution.

    The last ``folds`` blocks of pre-treatment periods are left out in turn; the gap in the block is
    an estimate of the bias, and :math:`\hat\tau_k` is the post-treatment gap less it. The average
    over blocks, divided by its scaled standard deviation, is t with ``folds - 1`` degrees of
    freedom (Chernozhukov, Wüthrich and Zhu 2018, "A t-test for synthetic controls",
    arXiv:1812.10820, algorithm 1): with blocks of r and :math:`T_1` post-treatment periods the
    scale is :math:`\sqrt{1 + \text{folds} \cdot r / T_1}`.

    With several adoption periods each cohort is fitted on its own against the never-treated units,
    with blocks of its own, and :math:`\hat\tau_k = \sum_c s_c \hat\tau_{ck}`, the weights
    being shares of treated cells as in ``att``. The scale is that of the cohort with the largest
    :math:`r_c / T_{1c}`; if errors are independent between cohorts, the test is then exact
    where this ratio is the same for all of them, and conservative where it is not.

    It is a test of the average over all treated periods: one period has no average that would be
    normal by a central limit theorem, so that there are no intervals by event time
    (:class:`Conformal` has them). The interval is centred at the debiased average,
    ``details["debiased"]``, and so it need not contain ``att``.

    Parameters
    ----------
    folds : int
    """

    folds: int = 3

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard error, p-value and interval of the average effect and of each cohort.

        Raises
        ------
        InferenceError
            Fewer than two folds, too few pre-treatment periods, an estimator whose refits carry
            no effects by event time.
        """
        if estimate.estimator.leaks and len(estimate.design.cohorts) > 1:
            raise InferenceError(
                f"{self.label} takes each adoption period by itself, without the units that are "
                f"treated at others, while {estimate.estimator.label} lets their treatment affect "
                f"those that stay; use PlaceboUnits."
            )
        parts = [self._cohort(estimate.estimator, part) for part in cohort_designs(estimate.design)]
        shares = np.array([part.cells for part in parts], dtype=float)
        shares /= shares.sum()
        pooled = _Folds(
            shares @ np.stack([part.estimates for part in parts]),
            max(part.ratio for part in parts),
            sum(part.cells for part in parts),
            min(part.size for part in parts),
        )
        sizes = sorted({part.size for part in parts})
        blocks = f"{self.folds} blocks of {' to '.join(map(str, sizes))} periods"
        notes = [
            f"Debiased estimate {pooled.centre:.6g}, {blocks}; the interval is centred there and "
            f"need not contain the estimate.",
            "A test of the average over the treated periods: no intervals by event time.",
        ]
        if len({part.ratio for part in parts}) > 1:
            notes.append("Blocks differ in relative length between cohorts: conservative.")
        return estimate.with_result(
            WaldTest(
                name="debiased t-test",
                centre=pooled.centre,
                se=pooled.se,
                df=pooled.df,
                cohorts=lambda level: pd.DataFrame([part.row(level) for part in parts]).assign(
                    adoption=estimate.design.cohorts.astype(np.int64)
                ),
                notes=(*notes, *missing_note(pooled.se)),
                details={"debiased": pooled.centre, "folds": pooled.estimates},
                specification=self.specification(),
            )
        )

    def _cohort(self, estimator: Estimator, design: Design) -> _Folds:
        before = int((design.periods < design.cohorts[0]).sum())
        after = design.n_periods - before
        if self.folds < 2 or before < 2 * self.folds:
            raise InferenceError(
                f"folds={self.folds} must be at least 2 and at most half of the {before} periods "
                f"before treatment in {design.labels.clock.name(design.cohorts[0])}."
            )
        size = min(before // self.folds, after)
        first = before - size * self.folds
        estimates = [
            _cross_fitted(estimator, design, before, first + k * size, size)
            for k in range(self.folds)
        ]
        cells = int(design.treated.sum()) * after
        return _Folds(np.array(estimates), size / after, cells, size)


@dataclass(frozen=True, eq=False)
class _Folds:
    """Cross-fitted estimates, their block length over the number of treated periods, and cells."""

    estimates: Floats
    ratio: float
    cells: int
    size: int

    @property
    def centre(self) -> float:
        return float(self.estimates.mean())

    @property
    def se(self) -> float:
        count = len(self.estimates)
        return float(np.sqrt((1 + count * self.ratio) / count) * self.estimates.std(ddof=1))

    @property
    def df(self) -> float:
        return len(self.estimates) - 1.0

    def row(self, level: float) -> dict[str, float]:
        """Debiased effect, standard error, interval and p-value."""
        low, high = t_interval(self.centre, self.se, self.df, level)
        return {
            "debiased": self.centre,
            "se": self.se,
            "lower": low,
            "upper": high,
            "pvalue": t_pvalue(self.centre, self.se, self.df),
        }


def _cross_fitted(
    estimator: Estimator, design: Design, before: int, start: int, size: int
) -> float:
    """Post-treatment gap less the gap in a block that the fit leaves out."""
    order = np.arange(design.n_periods)
    block = (order >= start) & (order < start + size)
    columns = np.concatenate([order[(order < before) & ~block], order[block], order[before:]])
    moved = reordered(design, columns, before - size)
    try:
        found = gaps(estimator, moved, "the debiased t-test")
    except DesignError as error:
        raise InferenceError(
            f"{estimator.label} cannot be fitted without blocks of periods: {error} Use Conformal "
            f"or PlaceboUnits."
        ) from error
    return float(found[before:].mean() - found[before - size : before].mean())
