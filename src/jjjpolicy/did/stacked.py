"""Stacked difference-in-differences with corrective weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.event_window import EventClock, observation_weights
from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.regressions.fitted import PanelRegression
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import (
    clustered_covariance,
    few_treated_note,
    small_sample_factor,
)
from jjjpolicy.linalg.twoway import independent_columns, without_rounding

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


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
        regression = _regress(stack)
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
        regression = _regress(self._stack(design))
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

    def _incomplete_note(self, stack: _Stack) -> tuple[str, ...]:
        number = len(stack.incomplete())
        if number == 0 or self.complete_windows:
            return ()
        return (
            f"{number} units of sub-experiments have gaps in their window: their levels do not "
            f"cancel; compare complete_windows=True.",
        )

    def _stack(self, design: Design) -> _Stack:
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
        times = _common_times(clock, pre, post)
        for start in clock.cohorts:
            part = _sub_experiment(
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
        return _Stack(
            design,
            np.sort([*times, clock.reference]),
            clock.reference,
            tuple(parts),
            pd.DataFrame(left_out, columns=["group", "reason"]),
        )


@dataclass(frozen=True)
class _SubExperiment:
    """Treated units and clean controls of one cohort.

    ``units`` are positions, ``treated`` marks those of the cohort, ``columns`` are the periods of
    the window, and ``weights`` (units × event times) are zero in absent cells. ``incomplete`` are
    positions of units with gaps, whether they are in or not.
    """

    cohort: int
    units: Integers
    treated: Booleans
    columns: Integers
    weights: Floats
    incomplete: Integers


@dataclass(frozen=True)
class _Stack:
    """``times`` are event times, ``reference`` among them that of the last before adoption."""

    design: Design
    times: Integers
    reference: int
    parts: tuple[_SubExperiment, ...]
    left_out: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """One row per sub-experiment: group, treated units, control units."""
        return pd.DataFrame(
            {
                "group": [part.cohort for part in self.parts],
                "treated_units": [int(part.treated.sum()) for part in self.parts],
                "control_units": [int((~part.treated).sum()) for part in self.parts],
            }
        )

    def rows(self, values: Floats) -> Floats:
        """A variable of the design in the stack: (units of sub-experiments × event times)."""
        return np.concatenate([values[np.ix_(part.units, part.columns)] for part in self.parts])

    def corrected_weights(self) -> list[Floats]:
        """Weights of the parts, those of controls times Q."""
        treated_totals = sum(part.weights[part.treated].sum(axis=0) for part in self.parts)
        control_totals = sum(part.weights[~part.treated].sum(axis=0) for part in self.parts)
        found = []
        for part in self.parts:
            shares = part.weights[part.treated].sum(axis=0) / treated_totals
            control = part.weights[~part.treated].sum(axis=0) / control_totals
            corrected = part.weights.copy()
            corrected[~part.treated] *= shares / control
            found.append(corrected)
        return found

    def incomplete(self) -> pd.DataFrame:
        """Units with gaps in the window of a sub-experiment: group, unit."""
        rows = [
            (part.cohort, unit)
            for part in self.parts
            for unit in self.design.units[part.incomplete]
        ]
        return pd.DataFrame(rows, columns=["group", "unit"])


def _common_times(clock: EventClock, pre: int, post: int) -> list[int]:
    """Event times, the reference apart, that are in the window of every cohort that fills it."""
    found: set[int] | None = None
    for start in clock.cohorts:
        if start < pre or start + post >= clock.design.n_periods:
            continue
        times = clock.event_times(start)[start - pre : start + post + 1].tolist()
        own = {time for k, time in enumerate(times) if k != pre - 1}
        found = own if found is None else found & own
    if found is not None and not any(time >= 0 for time in found):
        raise DesignError(
            "no event time from adoption on is in the window of every cohort, since the periods "
            "of this panel are unevenly spaced. Choose a wider window, fewer cohorts, "
            "or number the periods 0, 1, 2, … if they may count as equally long."
        )
    return sorted(found or ())


def _sub_experiment(
    design: Design,
    clock: EventClock,
    start: int,
    window: tuple[int, int],
    times: list[int],
    complete: bool,
) -> _SubExperiment | str:
    """The sub-experiment of the cohort that adopts at position ``start``, or why there is none."""
    pre, post = window
    if start < pre or start + post >= design.n_periods:
        return (
            f"its window of {pre} periods before and {post} after adoption is longer than the panel"
        )
    treated = clock.starts == start
    units = np.flatnonzero(treated | (clock.starts > start + post))
    own = np.flatnonzero(np.isin(clock.event_times(start), times))
    columns = np.sort([*own[own != start - 1], start - 1]).astype(np.int64)
    weights = design.observed[np.ix_(units, columns)] * observation_weights(design)[units][:, None]
    observed = weights.any(axis=1)
    gaps = observed & ~weights.all(axis=1)
    incomplete, keep = units[gaps], ~gaps if complete else observed
    units, weights = units[keep], weights[keep]
    mine = treated[units]
    for chosen, kind in ((mine, "treated unit"), (~mine, "clean control")):
        empty = weights[chosen].sum(axis=0) == 0
        if empty.any():
            return f"no {kind} is observed in {design.periods[columns[np.argmax(empty)]]}"
    return _SubExperiment(
        int(design.adoption[treated].min()), units, mine, columns, weights, incomplete
    )


@dataclass(frozen=True)
class _StackedRegression:
    """Estimates are the overall effect, then the free event times."""

    estimates: Floats
    influence: Floats
    covariates: dict[str, float]
    rows: int
    parameters: int
    codes: Integers
    clusters: int

    def covariance(self) -> Floats:
        correction = small_sample_factor(self.clusters, self.rows, self.parameters)
        return clustered_covariance(self.influence, self.codes, correction)


def _regress(stack: _Stack) -> _StackedRegression:
    """Weighted least squares of the stack, by means of treated × event-time cells."""
    design = stack.design
    names = tuple(design.covariates)
    weights = stack.corrected_weights()
    data = []
    for part in stack.parts:
        index = np.ix_(part.units, part.columns)
        variables = [design.outcome, *design.covariates.values()]
        values = np.stack([variable[index] for variable in variables], axis=2)
        values[part.weights == 0] = 0.0
        data.append(values)

    # Cells are (control, treated) × event times; cell means are the saturated part of the fit.
    sums = np.zeros((2, len(stack.times), 1 + len(names)))
    totals = np.zeros((2, len(stack.times)))
    for part, values, w in zip(stack.parts, data, weights, strict=True):
        for which, rows in enumerate((~part.treated, part.treated)):
            sums[which] += np.einsum("ie,iek->ek", w[rows], values[rows])
            totals[which] += w[rows].sum(axis=0)
    means = sums / totals[:, :, None]
    sides = [part.treated.astype(np.int64) for part in stack.parts]
    residuals = [
        without_rounding(values - means[side], values)
        for values, side in zip(data, sides, strict=True)
    ]

    kept: list[int] = []
    slopes = np.empty(0)
    if names:
        gram = sum(
            np.einsum("ie,iek,iel->kl", w, r, r) for w, r in zip(weights, residuals, strict=True)
        )
        kept = independent_columns(gram[1:, 1:])
        lost = [name for k, name in enumerate(names) if k not in kept]
        if lost:
            warn_user(
                f"left out as collinear with treated × event time and the covariates before them: "
                f"{', '.join(lost)}",
            )
        chosen_columns = [1 + k for k in kept]
        inverse = np.linalg.inv(gram[np.ix_(chosen_columns, chosen_columns)])
        slopes = inverse @ gram[chosen_columns, 0]
    columns = [1 + k for k in kept]
    contrast = _contrasts(stack.times, stack.reference)
    differences = contrast @ (means[1] - means[0])
    estimates = differences[:, 0] - differences[:, columns] @ slopes

    influence = np.zeros((design.n_units, len(estimates)))
    for part, side, r, w in zip(stack.parts, sides, residuals, weights, strict=True):
        errors = w * (r[:, :, 0] - r[:, :, columns] @ slopes)
        signed = (2 * side - 1)[:, None] * errors / totals[side]
        own = signed @ contrast.T
        if kept:
            scores = np.einsum("iek,ie->ik", r[:, :, columns], errors)
            own -= scores @ inverse @ differences[:, columns].T
        influence[part.units] += own
    present = np.unique(np.concatenate([part.units for part in stack.parts]))
    return _StackedRegression(
        estimates=estimates,
        influence=design.n_units * influence,
        covariates=dict(zip([names[k] for k in kept], slopes.tolist(), strict=True)),
        rows=int(sum((part.weights > 0).sum() for part in stack.parts)),
        parameters=2 * len(stack.times) + len(kept),
        codes=design.assignment,
        clusters=len(np.unique(design.assignment[present])),
    )


def _contrasts(times: Integers, reference: int) -> Floats:
    """Rows: mean over event times from 0 on, then each but the reference; all against it."""
    identity = np.eye(len(times))
    against = identity - identity[times == reference]
    return np.vstack([against[times >= 0].mean(axis=0), against[times != reference]])
