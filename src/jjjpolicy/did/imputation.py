"""The imputation estimator of Borusyak, Jaravel and Spiess."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.cohorts.summed import summed_by_cohort
from jjjpolicy.did.imputed.effects import ImputedEffects, labelled
from jjjpolicy.did.imputed.refits import Cohorts, SharedImputation
from jjjpolicy.did.imputed.untreated_outcome import UntreatedOutcome
from jjjpolicy.did.regressions.pretrend import pretrend_regression
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.variance import cluster_sums, clustered_covariance

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

Averaging = Literal["cohort and event time", "cohort", "event time", "all"]


@dataclass(frozen=True)
class Imputation(SharedImputation):
    r"""Impute the untreated outcome from untreated cells, and average the differences.

    Step 1 fits :math:`y_{it} = \alpha_i + \lambda_t + x_{it}'\gamma + \varepsilon_{it}` to
    untreated cells alone; step 2 takes in treated cells the differences from the prediction,

    .. math:: \hat\tau_{it} = y_{it} - \hat\alpha_i - \hat\lambda_t - x_{it}'\hat\gamma

    and step 3 averages them (Borusyak, Jaravel and Spiess 2024, theorem 2). Efficient where errors
    are homoskedastic and uncorrelated.

    Standard errors are theirs (theorem 3 and equation 8): with :math:`v_{it}` the weight of
    :math:`y_{it}` in the estimate,

    .. math:: \hat\sigma^2 = \sum_g \Bigl(\sum_{i \in g, t} v_{it}\tilde\varepsilon_{it}\Bigr)^2

    over clusters g, the level of assignment. In untreated cells :math:`\tilde\varepsilon_{it}` is
    the residual; in treated cells it is :math:`\hat\tau_{it}` minus its average over similar cells,
    weighted as in their equation 8. They are conservative where effects differ among similar cells.

    Parameters
    ----------
    averaging : {"cohort and event time", "cohort", "event time", "all"}
        Which treated cells count as similar. The finer, the less conservative; but an average over
        a single cluster leaves a residual of zero, so that a cohort of one unit needs a coarser
        choice (the result then carries a note).
    leave_out : bool
        Averages without the own cluster (their appendix A.6), which undoes the overfitting of small
        averages.
    pretrends : int
        Number of pre-trend coefficients: of the last periods before adoption, in a separate
        regression on untreated cells in which all earlier periods are the reference (their section
        4.4). They do not touch the estimates from event time 0 on.

    Notes
    -----
    ``att`` averages over all treated cells that can be estimated, weighted by observation weights
    where given; ``details["not_estimable"]`` lists the others with the reason, and
    ``details["group_time"]`` the averages by cohort and period. ``details["pretrends"]`` holds the
    pre-trend coefficients' joint F test. No degrees-of-freedom correction is applied after
    treatment, as in the authors' Stata program; the normal distribution is used.
    """

    takes_sums: ClassVar[bool] = True
    averaging: Averaging = "cohort and event time"
    leave_out: bool = False
    pretrends: int = 0

    def fit(self, design: Design) -> Estimate:
        """Impute, average, and attach the standard errors.

        Raises
        ------
        DesignError
            Treatment switches off; no treated cell can be estimated; an unknown ``averaging``;
            pre-trend coefficients that are not identified; ``leave_out`` with an average over a
            single cluster.
        """
        rows = None if self.pretrends else summed_by_cohort(design)
        effects = self._effects(design if rows is None else rows)
        by_unit = cache(partial(self._by_unit, design))
        effects.model.warn()
        design = listed_as_not_estimable(design, effects.model.not_estimable, self.label)
        treated, singles = self._treated_part(effects)
        influence = effects.influence(treated)
        table, factors = effects.event_effects(), np.ones(influence.shape[1])
        details = {}
        if self.pretrends:
            leads = pretrend_regression(design, self.pretrends)
            influence = _with_leads(influence, leads.influence)
            factors = np.insert(factors, 1, np.full(self.pretrends, np.sqrt(leads.correction)))
            table = pd.concat([leads.table(), table], ignore_index=True)
            details["pretrends"] = leads.joint_test(design.assignment)
        return labelled(
            self,
            effects,
            design,
            f"Borusyak-Jaravel-Spiess, clustered by {design.assigned_at}",
            clustered_covariance(influence * factors, effects.model.design.assignment),
            by_unit if rows is not None else lambda: (effects, influence),
            event_effects=table,
            notes=singles,
            details=details,
        )

    def influence_by(
        self, estimate: Estimate, codes: Integers, level: str
    ) -> tuple[Floats | None, tuple[str, ...]]:
        """Effects stand against averages over the clusters of this level (equation 8)."""
        design = replace(estimate.design, assignment=codes, assigned_at=level)
        effects = self._effects(design)
        treated, singles = self._treated_part(effects)
        influence = effects.influence(treated)
        if self.pretrends:
            leads = pretrend_regression(design, self.pretrends)
            influence = _with_leads(influence, leads.influence)
        return influence, singles

    def refit(self, design: Design) -> Refits:
        """Overall effect and its standard error, without labels."""
        effects, influence = self._by_unit(design)
        variance = clustered_covariance(influence[:, :1], design.assignment)[0, 0]
        return Refits(att=effects.estimates[:1], se=np.sqrt(np.array([variance])))

    @property
    def shares_sums(self) -> bool:
        """Whether similar cells are those of one cohort and period, the own cluster included."""
        return self.averaging == "cohort and event time" and not self.leave_out

    def centres(self, cohorts: Cohorts, periods: Floats, att: Floats) -> Floats:
        """Averages of similar effects (equation 8)."""
        return cohorts.average_effects(periods)

    def _effects(self, design: Design) -> ImputedEffects:
        design.require_absorbing(self.label)
        model = UntreatedOutcome(design)
        model.require_estimable(self.label)
        return ImputedEffects(model)

    def _by_unit(self, design: Design) -> tuple[ImputedEffects, Floats]:
        """Effects and their influence functions, without pre-trends."""
        effects = self._effects(design)
        return effects, effects.influence(self._treated_part(effects)[0])

    def _treated_part(self, effects: ImputedEffects) -> tuple[Floats, tuple[str, ...]]:
        """Weighted deviations of effects from averages of similar cells, and notes about them."""
        if self.averaging == "cohort and event time":
            return self._by_cell(effects)
        labels = {
            "cohort": np.broadcast_to(
                np.arange(len(effects.relative))[:, None], effects.relative.shape
            ),
            "event time": effects.relative,
            "all": np.zeros_like(effects.relative),
        }[self.averaging]
        return self._by_label(effects, labels)

    def _by_cell(self, effects: ImputedEffects) -> tuple[Floats, tuple[str, ...]]:
        model = effects.model
        design = model.design
        part = np.zeros((design.n_units, effects.table.shape[2]))
        alone = []
        for cohort, units, own in zip(
            design.cohorts, model.cohort_units, effects.table, strict=True
        ):
            after = np.flatnonzero(own[:, 0])
            cells = model.estimable[np.ix_(units, after)].astype(float)
            if design.weights is not None:
                cells *= design.weights[units][:, None]
            sums = model.residuals[np.ix_(units, after)] * cells
            deviations, single = self._deviations(design, units, cells, sums)
            part[units] = deviations @ own[after]
            if single.any():
                alone.append(str(design.labels.clock.name(cohort)))
        return part, self._single_note(design, alone)

    def _by_label(
        self, effects: ImputedEffects, labels: Integers
    ) -> tuple[Floats, tuple[str, ...]]:
        model = effects.model
        design = model.design
        part = np.zeros((design.n_units, effects.table.shape[2]))
        alone = []
        for label in np.unique(labels[effects.table[:, :, 0] > 0]):
            weights, sums = np.zeros_like(part), np.zeros_like(part)
            for c, units in enumerate(model.cohort_units):
                own = effects.table[c] * (labels[c] == label)[:, None]
                weights[units] = model.estimable[units] @ own
                sums[units] = (model.residuals[units] * model.estimable[units]) @ own
            if design.weights is not None:
                weights *= design.weights[:, None]
                sums *= design.weights[:, None]
            everyone = np.arange(design.n_units)
            deviations, single = self._deviations(design, everyone, weights, sums)
            part += deviations
            if single[0]:
                kind = "cohort " if self.averaging == "cohort" else f"{self.averaging} "
                name = design.labels.clock.name
                alone.append(str(name(design.cohorts[label]) if kind == "cohort " else label))
        return part, self._single_note(design, alone)

    def _deviations(
        self, design: Design, units: Integers, weights: Floats, sums: Floats
    ) -> tuple[Floats, Booleans]:
        r"""Weighted effects of some units minus weights times the average over clusters.

        Columns are averages. The average of :math:`S_g / V_g` over clusters has weights
        :math:`V_g^2`. Also says which averages are over a single cluster.
        """
        codes = np.unique(design.assignment[units], return_inverse=True)[1].astype(np.int64)
        together, totals = cluster_sums(weights, codes), cluster_sums(sums, codes)
        alike = np.ones((len(together), 1))
        if design.influence_scale is not None:
            alike /= design.influence_scale[units][:, None] ** 2
        products, squares = together * totals / alike**2, together**2 / alike**2
        numerator, denominator = (alike * products).sum(axis=0), (alike * squares).sum(axis=0)
        single = (alike * (together != 0)).sum(axis=0).round() == 1
        if self.leave_out:
            centres = np.zeros_like(together)
            used = (together != 0) & ~single
            np.divide(numerator - products, denominator - squares, out=centres, where=used)
            return sums - weights * centres[codes], single
        centre = np.zeros_like(denominator)
        np.divide(numerator, denominator, out=centre, where=denominator > 0)
        return sums - weights * centre, single

    def _single_note(self, design: Design, alone: list[str]) -> tuple[str, ...]:
        if not alone:
            return ()
        message = (
            f"averages of similar effects (averaging={self.averaging!r}) for {', '.join(alone[:5])}"
            f"{', …' if len(alone) > 5 else ''} rest on a single {design.assigned_at}"
        )
        if self.leave_out:
            raise DesignError(
                f"leave_out=True leaves nothing to average: {message}. Choose a coarser averaging, "
                f"e.g. averaging='event time' or 'all'."
            )
        return (
            f"{message[0].upper()}{message[1:]}: their effects do not contribute to this standard "
            f"error, which is then too small; choose a coarser averaging.",
        )


def _with_leads(influence: Floats, leads: Floats) -> Floats:
    """Columns: overall effect, pre-trend coefficients, effects by event time."""
    return np.column_stack([influence[:, :1], leads, influence[:, 1:]])
