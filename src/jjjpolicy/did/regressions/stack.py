"""Sub-experiments stacked over event time, and their regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.event_window import EventClock, observation_weights
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.variance import (
    clustered_covariance,
    small_sample_factor,
)
from jjjpolicy.linalg.twoway import independent_columns, without_rounding

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False)
class SubExperiment:
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


@dataclass(frozen=True, eq=False)
class Stack:
    """``times`` are event times, ``reference`` among them that of the last before adoption."""

    design: Design
    times: Integers
    reference: int
    parts: tuple[SubExperiment, ...]
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


def common_times(clock: EventClock, pre: int, post: int) -> list[int]:
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


def sub_experiment(
    design: Design,
    clock: EventClock,
    start: int,
    window: tuple[int, int],
    times: list[int],
    complete: bool,
) -> SubExperiment | str:
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
            return f"no {kind} is observed in {design.period_names[columns[np.argmax(empty)]]}"
    return SubExperiment(
        int(design.adoption[treated].min()), units, mine, columns, weights, incomplete
    )


@dataclass(frozen=True, eq=False)
class StackedRegression:
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


def stacked_regression(stack: Stack) -> StackedRegression:
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
    return StackedRegression(
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
