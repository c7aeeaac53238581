"""Demeaned synthetic control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jjjpolicy.estimation.refits import Refits, refit_blocks
from jjjpolicy.linalg.simplex import simplex_least_squares
from jjjpolicy.synth.counterfactual.requirements import require_panel
from jjjpolicy.synth.weights.donor_regression import DonorFit, DonorRegression, Task
from jjjpolicy.synth.weights.refits import simplex_refits

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True)
class DemeanedSyntheticControl(DonorRegression):
    r"""Synthetic control on deviations from the pre-treatment average.

    .. math:: \min_w \sum_{t \le T_0} \Bigl(y_{1t} - \bar y_1 - \sum_j w_j (y_{jt} - \bar y_j)
              \Bigr)^2 \quad\text{subject to } w_j \ge 0,\ \sum_j w_j = 1

    and the counterfactual is :math:`\bar y_1 + \sum_j w_j (y_{jt} - \bar y_j)`, bars being
    averages over pre-treatment periods (Ferman and Pinto 2021, section 4). Permanent differences in
    level between the treated unit and its donors no longer count, so that a treated unit may lie
    above or below all donors.
    """

    takes_covariates: ClassVar[bool] = False

    @property
    def chosen_before_treatment(self) -> bool:
        """Weights and levels are."""
        return True

    def weigh(self, task: Task) -> DonorFit:
        """Intercept and weights of one treated unit."""
        pool, path = task.pool[task.before], task.path[task.before]
        centre = pool.mean(axis=0)
        solution = simplex_least_squares(pool - centre, path - path.mean())
        return DonorFit(
            solution.weights,
            float(path.mean() - centre @ solution.weights),
            {
                "effective_donors": 1 / float((solution.weights**2).sum()),
                "optimality_gap": solution.gap,
            },
        )

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_many`."""
        require_panel(design, self.label, 0)
        return refit_blocks(self._refit_block, design, adoptions, jobs, self.label)

    def refit_among(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_among`."""
        require_panel(design, self.label, 0)
        return self._refit_block(design, adoptions)

    def _refit_block(self, design: Design, adoptions: Floats) -> Refits:
        return simplex_refits(
            design,
            adoptions,
            self.label,
            demeaned=True,
            donors=self.minimum_donors,
            before=self.minimum_pre_periods,
        )
