"""The two-stage estimator of Gardner."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.cohorts.summed import summed_by_cohort
from jjjpolicy.did.imputed.effects import ImputedEffects, labelled
from jjjpolicy.did.imputed.refits import Cohorts, SharedImputation
from jjjpolicy.did.imputed.untreated_outcome import UntreatedOutcome
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.variance import clustered_covariance

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True)
class TwoStage(SharedImputation):
    r"""Take unit and period effects out with untreated cells, then regress on treatment.

    Stage 1 fits :math:`y_{it} = \alpha_i + \lambda_t + x_{it}'\gamma + \varepsilon_{it}` to
    untreated cells; stage 2 regresses :math:`y_{it} - \hat\alpha_i - \hat\lambda_t -
    x_{it}'\hat\gamma` on treatment, or on indicators of event time (Gardner 2022, section 3). The
    point estimates are those of :class:`Imputation`.

    Standard errors are from the two stages as one set of moment conditions (GMM; Gardner 2022,
    section 3.3, after Newey and McFadden 1994, theorem 6.1): the influence function of a unit is

    .. math:: \frac{1}{\sum w_{it}}\Bigl(\sum_{t} w_{it}(\hat\tau_{it} - \hat\beta)
              - z' (Z_0'Z_0)^{-1} \sum_{t \in \Omega_0} z_{it}\hat\varepsilon_{it}\Bigr)

    with z the first-stage regressors summed over treated cells, clustered at the level of
    assignment without a degrees-of-freedom factor, normal distribution. Effects that differ from
    their average count as noise, so that they are usually larger than those of :class:`Imputation`.

    Parameters
    ----------
    leads : bool
        Whether stage 2 also has indicators of the event times before treatment, whose coefficients
        are average residuals of untreated cells. They are not comparable with later ones: they
        come from the cells that stage 1 was fitted to. ``att`` does not depend on them.

    Notes
    -----
    ``details["not_estimable"]`` lists treated cells that stage 1 does not reach, with the reason.
    """

    takes_sums: ClassVar[bool] = True
    leads: bool = False

    def fit(self, design: Design) -> Estimate:
        """Estimate both stages, and attach the GMM standard errors.

        Raises
        ------
        DesignError
            Treatment switches off, or no treated cell can be estimated.
        """
        rows = summed_by_cohort(design)
        effects, influence = self._with_influence(design if rows is None else rows)
        by_unit = cache(partial(self._with_influence, design))
        effects.model.warn()
        design = listed_as_not_estimable(design, effects.model.not_estimable, self.label)
        return labelled(
            self,
            effects,
            design,
            f"two-stage GMM, clustered by {design.assigned_at}",
            clustered_covariance(influence, effects.model.design.assignment),
            by_unit if rows is not None else lambda: (effects, influence),
        )

    def refit(self, design: Design) -> Refits:
        """Overall effect and its standard error, without labels."""
        effects, influence = self._with_influence(design)
        variance = clustered_covariance(influence[:, :1], design.assignment)[0, 0]
        return Refits(att=effects.estimates[:1], se=np.sqrt(np.array([variance])))

    def centres(self, cohorts: Cohorts, periods: Floats, att: Floats) -> Floats:
        """The overall effect."""
        return np.broadcast_to(att[:, None], periods.shape)

    def _with_influence(self, design: Design) -> tuple[ImputedEffects, Floats]:
        """Effects and their influence functions."""
        design.require_absorbing(self.label)
        model = UntreatedOutcome(design)
        model.require_estimable(self.label)
        effects = ImputedEffects(model, leads=self.leads)
        cells = effects.cells
        treated = np.zeros((model.design.n_units, effects.table.shape[2]))
        for units, own in zip(model.cohort_units, effects.table, strict=True):
            treated[units] = (model.residuals[units] * cells[units]) @ own
            treated[units] -= cells[units] @ (own * effects.estimates)
        if model.design.weights is not None:
            treated *= model.design.weights[:, None]
        return effects, effects.influence(treated)
