"""Stacked difference-in-differences with corrective weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.event_window import EventClock
from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.regressions.fitted import PanelRegression
from jjjpolicy.did.regressions.stack import (
    Stack,
    common_times,
    stacked_regression,
    sub_experiment,
)
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import (
    few_treated_note,
)

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design


@dataclass(frozen=True)
class Stacked(Estimator):
    r"""Compare every cohort with clean controls in its own window, and stack the comparisons.

    The sub-experiment of adoption period a holds the units that adopt at a and the units that do
    not adopt before the window :math:`a-\kappa_{pre}, \dots, a+\kappa_{post}` ends. Cohorts whose
    window the panel does not cover are left out, so that all event times average over the same
    cohorts. The stack is regressed on treated × event time, with controls weighted by

    .. math:: Q_a = \frac{N_a^D / N^D}{N_a^C / N^C}

    (Wing, Freedman and Hollingsworth 2024, table 1, "trimmed aggregate ATT"), N the numbers of
    treated (D) and control (C) rows of an event time, so that treated and control trends have the
    same weights on sub-experiments. Without them stacking is biased. The coefficient of event time
    e is :math:`\sum_a \frac{N_a^D}{N^D}(\bar y_{ae}^D - \bar y_{ae}^C)` minus the same at the last
    period before adoption; ``att`` is the mean of the coefficients from adoption on.

    Parameters
    ----------
    kappa_pre, kappa_post : int, optional
        Periods of the panel before adoption (1 or more) and after the period of adoption (0 or
        more). By default the widest window that every cohort fills. Event times are calendar
        distances from adoption: on unevenly spaced panels the stack has those that are in the
        window of every cohort.
    complete_windows : bool
        Whether a sub-experiment leaves out units that are not observed in its whole window. The
        regression has no unit effects, so that the levels of incomplete units do not cancel; the
        result says when there are any.

    Notes
    -----
    Standard errors are clustered at the level of assignment, over the copies of a unit in several
    sub-experiments: G/(G-1) · (N-1)/(N-K) with N rows of the stack and K cells of treated × event
    time, t distribution with G - 1 degrees of freedom. The regression has event-time and no period
    effects: shocks common to all units leave the estimates alone and raise the errors. Observation
    weights of the design multiply Q, and the numbers N are then sums of weights. Covariates enter
    the stacked regression linearly.
    ``details["sub_experiments"]`` lists the cohorts in the stack, and ``details["not_estimable"]``
    those left out, with the reason.
    """

    kappa_pre: int | None = None
    kappa_post: int | None = None
    complete_windows: bool = False

    def comparable(self, design: Design) -> Design:
        """The whole design: levels are compared, so that no row needs another of its unit."""
        return design

    def fit(self, design: Design) -> Estimate:
        """Stack, weight, and estimate.

        Raises
        ------
        DesignError
            Treatment switches off; a window without a period before adoption; no cohort whose
            window the panel covers and that has clean controls.
        """
        stack = self._stack(design)
        design = listed_as_not_estimable(design, stack.left_out, self.label)
        regression = stacked_regression(stack)
        times = stack.times
        free = times != stack.reference
        effects = pd.DataFrame({"event_time": times[free], "estimate": regression.estimates[1:]})
        reference = pd.DataFrame({"event_time": times[~free], "estimate": [0.0]})
        estimate = Estimate(
            estimator=self,
            design=design,
            att=float(regression.estimates[0]),
            estimand="mean over event times of the effect on the cohorts in the stack, "
            f"event times {times[times >= 0][0]} to {times[-1]}",
            event_effects=pd.concat([effects, reference]).sort_values(
                "event_time", ignore_index=True
            ),
            influence=regression.influence,
            details={
                "event_times": times[free],
                "reference": stack.reference,
                "sub_experiments": stack.table(),
                "not_estimable": stack.left_out,
                "incomplete": stack.incomplete(),
                "covariates": regression.covariates,
                "rows": regression.rows,
                "small_sample": ((regression.rows, regression.parameters),),
            },
        )
        return estimate.with_result(
            analytic_result(
                f"clustered by {design.assigned_at} (CRV1)",
                estimate.att,
                effects,
                regression.covariance(),
                df=regression.clusters - 1,
                noise=resolution(design.outcome),
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=(*self._incomplete_note(stack), *few_treated_note(design, design.assignment)),
            )
        )

    def refit(self, design: Design) -> Refits:
        """Overall effect and its standard error, without labels."""
        regression = stacked_regression(self._stack(design))
        return Refits(att=regression.estimates[:1], se=np.sqrt(regression.covariance()[:1, 0]))

    def regression(self, estimate: Estimate) -> Any:
        """The stacked regression, a column for each event time; see :meth:`Estimate.regression`.

        ``treated`` is the difference between cohorts and their controls before adoption. Units are
        those of sub-experiments, such as "2003: Beijing", and periods are event times.
        """
        stack = self._stack(estimate.design)
        treated = np.concatenate([part.treated for part in stack.parts])
        columns = {"treated": np.repeat(treated[:, None].astype(float), len(stack.times), axis=1)}
        for time in stack.times[stack.times != stack.reference]:
            columns[f"event time {time}"] = columns["treated"] * (stack.times == time)
        columns |= {name: stack.rows(values) for name, values in stack.design.covariates.items()}
        return PanelRegression(
            outcome=stack.rows(stack.design.outcome),
            columns=columns,
            weights=np.concatenate(stack.corrected_weights()),
            clusters=np.concatenate([stack.design.assignment[part.units] for part in stack.parts]),
            units=pd.Index(
                [
                    f"{part.cohort}: {u}"
                    for part in stack.parts
                    for u in stack.design.units[part.units]
                ]
            ),
            periods=stack.times,
            unit_effects=False,
        ).fit()

    def _incomplete_note(self, stack: Stack) -> tuple[str, ...]:
        number = len(stack.incomplete())
        if number == 0 or self.complete_windows:
            return ()
        return (
            f"{number} units of sub-experiments have gaps in their window: their levels do not "
            f"cancel; compare complete_windows=True.",
        )

    def _stack(self, design: Design) -> Stack:
        design.require_absorbing(self.label)
        clock = EventClock(design)
        before, after = clock.widest_common()
        pre = before if self.kappa_pre is None else self.kappa_pre
        post = after if self.kappa_post is None else self.kappa_post
        if pre < 1 or post < 0:
            raise DesignError(
                f"the window has {pre} periods before adoption and {post} after it; it needs at "
                f"least 1 and 0. Widest window that every cohort fills: kappa_pre={before}, "
                f"kappa_post={after}."
            )
        parts, left_out = [], []
        times = common_times(clock, pre, post)
        for start in clock.cohorts:
            part = sub_experiment(
                design, clock, int(start), (pre, post), times, self.complete_windows
            )
            if isinstance(part, str):
                left_out.append((int(design.adoption[clock.starts == start].min()), part))
            else:
                parts.append(part)
        if not parts:
            reasons = "; ".join(f"cohort {cohort}: {reason}" for cohort, reason in left_out)
            raise DesignError(
                f"no cohort has the window kappa_pre={pre}, kappa_post={post} with clean controls "
                f"({reasons}). Choose a narrower window; every cohort fills kappa_pre={before}, "
                f"kappa_post={after}."
            )
        return Stack(
            design,
            np.sort([*times, clock.reference]),
            clock.reference,
            tuple(parts),
            pd.DataFrame(left_out, columns=["group", "reason"]),
        )
