"""Local projections difference-in-differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.event_window import EventClock
from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.regressions.entry import (
    EntryFit,
    EntrySample,
    equal_weights,
    equally_weighted,
    least_squares,
    variance_weights,
)
from jjjpolicy.did.regressions.fitted import PanelRegression
from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import clustered_covariance, few_treated_note

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Integers

NO_CONTROL = "no unit is untreated until then and observed: there is no clean control"


@dataclass(frozen=True)
class LocalProjections(Estimator):
    r"""Regress changes of the outcome on entry into treatment, with clean controls (LP-DiD).

    For horizon h, over units that enter treatment in t and units untreated until t + h,

    .. math:: y_{i,t+h} - y_{i,t-1} = \beta_h \Delta D_{it} + \delta_t^h + x_{it}'\gamma^h + e_{it}

    (Dube, Girardi, Jordà and Taylor 2025, equations 4 and 8; horizons before treatment use units
    untreated in t). Least squares gives a variance-weighted average of cohort effects, with
    positive weights proportional to :math:`n_t^1 n_t^0 / (n_t^1 + n_t^0)`, where n counts entering
    and control units. ``reweight=True`` weighs rows by :math:`(n_t^1 + n_t^0) / n_t^0`, so that
    every entering unit counts alike; with covariates it is their regression adjustment, the
    covariates being fitted to controls alone (their section 3.3).

    ``att`` is the pooled effect: the same regression for the mean of
    :math:`y_{i,t}, \dots, y_{i,t+H}` minus :math:`y_{i,t-1}`, over controls untreated until t + H.

    Parameters
    ----------
    pre_window, post_window : int, optional
        Periods of the panel before and after adoption for which there are effects; H is
        ``post_window``. By default the widest window that every cohort fills; in a wider one the
        cohorts behind the effects change from horizon to horizon. Horizons of ``effects`` are
        calendar distances from adoption; the pooled effect counts periods of the panel.
    reweight : bool
        Whether entering units count alike.

    Notes
    -----
    A row needs the unit observed in t - 1, t and t + h. Covariates are those of period t. Standard
    errors are clustered at the level of assignment with the factor G/(G-1) · (N-1)/(N-K), K the
    regressors and period effects, t distribution with G - 1 degrees of freedom; regression
    adjustment has no factor. ``details["not_estimable"]`` lists cohorts without clean controls and
    ``details["horizons"]`` rows and weights of cohorts by horizon.
    """

    pre_window: int | None = None
    post_window: int | None = None
    reweight: bool = False

    def fit(self, design: Design) -> Estimate:
        """Estimate the pooled effect and the effects by horizon.

        Raises
        ------
        DesignError
            Treatment switches off; a window below 1 and 0 periods; no cohort has clean controls
            over the whole window.
        """
        pre, post = self._window(design)
        pooled = self._regress(self._pooled_sample(design))
        clock = EventClock(design)
        fits: dict[int, EntryFit] = {}
        lost, weights = [], []
        for time in _event_times(clock, pre, post):
            target = _positions(clock, time)
            sample = EntrySample.of(design, clock, [target])
            lost += [
                (cohort, int(design.periods[target[t]]), units, NO_CONTROL)
                for cohort, t, units in sample.without_controls()
            ]
            if sample.identified:
                fits[time] = self._regress(sample)
                weights.append(sample.cohort_weights(self.reweight).assign(event_time=time))
        not_estimable = pd.DataFrame(lost, columns=["group", "time", "units", "reason"])
        design = listed_as_not_estimable(design, not_estimable, self.label)
        times: Integers = np.array(list(fits), dtype=np.int64)
        columns = [pooled, *fits.values()]
        influence = np.column_stack([fit.influence for fit in columns])
        factors = np.sqrt([fit.correction for fit in columns])
        effects = pd.DataFrame(
            {"event_time": times, "estimate": [fit.coefficient for fit in fits.values()]}
        )
        reference = pd.DataFrame({"event_time": [clock.reference], "estimate": [0.0]})
        kind = "equally weighted" if self.reweight else "variance-weighted"
        estimate = Estimate(
            estimator=self,
            design=design,
            att=pooled.coefficient,
            estimand=f"pooled effect over event times {_span(clock, post)}, {kind}",
            event_effects=pd.concat([effects, reference]).sort_values(
                "event_time", ignore_index=True
            ),
            influence=influence,
            details={
                "event_times": times,
                "reference": clock.reference,
                "not_estimable": not_estimable,
                "horizons": pd.concat(weights, ignore_index=True) if weights else None,
                "collinear": pooled.collinear,
                "small_sample": tuple(fit.counted for fit in columns if fit.counted),
            },
        )
        return estimate.with_result(
            analytic_result(
                f"clustered by {design.assigned_at} (CRV1)",
                estimate.att,
                effects,
                clustered_covariance(influence * factors, design.assignment),
                df=pooled.clusters - 1,
                noise=resolution(design.outcome),
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=few_treated_note(design, design.assignment),
            )
        )

    def refit(self, design: Design) -> Refits:
        """Pooled effect and its standard error, without labels."""
        pooled = self._regress(self._pooled_sample(design))
        variance = clustered_covariance(
            pooled.influence[:, None], design.assignment, pooled.correction
        )
        return Refits(att=np.array([pooled.coefficient]), se=np.sqrt(variance[0]))

    def regression(self, estimate: Estimate) -> dict[int | str, Any]:
        """Regressions by event time, and ``"pooled"`` for ``att``; see :meth:`Estimate.regression`.

        The effect is the coefficient of ``entry``.

        Raises
        ------
        InferenceError
            ``reweight=True`` with covariates, which is regression adjustment.
        """
        design = estimate.design
        if self.reweight and design.covariates:
            raise InferenceError(
                "LocalProjections(reweight=True) with covariates is regression adjustment and no "
                "regression on entry; leave out reweight=True or the covariates."
            )
        clock = EventClock(design)
        samples: dict[int | str, EntrySample] = {"pooled": self._pooled_sample(design)}
        for time in estimate.details["event_times"]:
            samples[int(time)] = EntrySample.of(design, clock, [_positions(clock, int(time))])
        return {key: self._regression(sample) for key, sample in samples.items()}

    def _regression(self, sample: EntrySample) -> Any:
        _, weights = equal_weights(sample) if self.reweight else variance_weights(sample)
        return PanelRegression.of(
            sample.design,
            {"entry": sample.entering.astype(float), **sample.design.covariates},
            outcome=sample.change,
            weights=weights,
            unit_effects=False,
        ).fit()

    def _window(self, design: Design) -> tuple[int, int]:
        design.require_absorbing(self.label)
        before, after = EventClock(design).widest_common()
        pre = before if self.pre_window is None else self.pre_window
        post = after if self.post_window is None else self.post_window
        longest = design.n_periods - 1
        if not (1 <= pre <= longest and 0 <= post <= longest):
            raise DesignError(
                f"pre_window={pre} must lie between 1 and {longest}, post_window={post} between 0 "
                f"and {longest}, in a panel of {design.n_periods} periods. Every cohort fills "
                f"pre_window={before}, post_window={after}."
            )
        return pre, post

    def _pooled_sample(self, design: Design) -> EntrySample:
        _, post = self._window(design)
        columns = np.arange(design.n_periods)
        horizons = [columns + h for h in range(post + 1)]
        sample = EntrySample.of(design, EventClock(design), horizons)
        if not sample.identified:
            raise DesignError(
                f"no cohort is observed for post_window={post} periods after adoption together with"
                f" units untreated until then; choose a smaller post_window."
            )
        return sample

    def _regress(self, sample: EntrySample) -> EntryFit:
        return equally_weighted(sample) if self.reweight else least_squares(sample)


def _event_times(clock: EventClock, pre: int, post: int) -> list[int]:
    """Event times within a window of some cohort, without its last period before adoption."""
    found: set[int] = set()
    for start in clock.cohorts:
        times = clock.event_times(start)
        found.update(times[max(start - pre, 0) : max(start - 1, 0)].tolist())
        found.update(times[start : start + post + 1].tolist())
    return sorted(found)


def _positions(clock: EventClock, time: int) -> Integers:
    """Position of an event time for entry in each period; -1 where there is none."""
    columns = np.arange(clock.design.n_periods)
    found = np.full(len(columns), -1, dtype=np.int64)
    for start in range(len(columns)):
        at = np.flatnonzero(clock.event_times(start) == time)
        if len(at) and at[0] != start - 1:
            found[start] = at[0]
    return found


def _span(clock: EventClock, post: int) -> str:
    last = [clock.event_times(start)[start : start + post + 1] for start in clock.cohorts]
    return f"{min(times[0] for times in last)} to {max(times[-1] for times in last)}"
