"""Event-study coefficients with their covariance, from arrays or from an estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.variance import few_treated
from jjjpolicy.linalg.brief import brief
from jjjpolicy.sensitivity.honest.event_coefficients import EventCoefficients

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats, Integers

Target = Literal["first", "average"] | Sequence[float] | Mapping[int, float]


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Coefficients of consecutive periods around a reference period, which is left out.

    Attributes
    ----------
    estimates : ndarray, shape (pre + post,)
        In order of time.
    covariance : ndarray, shape (pre + post, pre + post)
    pre, post : int
        Numbers of periods before and after the reference period.
    times : ndarray of int, shape (pre + post,)
        Event times.
    notes : tuple of str
    """

    estimates: Floats
    covariance: Floats
    pre: int
    post: int
    times: Integers
    notes: tuple[str, ...] = ()

    __repr__ = brief

    @cached_property
    def root(self) -> Floats:
        """A matrix whose product with its own transpose is the covariance."""
        values, vectors = np.linalg.eigh(self.covariance)
        found: Floats = vectors * np.sqrt(np.clip(values, 0, None))
        return found

    def target_weights(self, target: Target) -> Floats:
        """Weights of the post-periods in the target, shape (post,).

        Periods between the reference and adoption are post-periods, and in a target only where
        their weights are given.

        Raises
        ------
        InferenceError
            The weights do not fit the post-periods, or are all zero.
        """
        after = self.times[self.pre :]
        if isinstance(target, str):
            if target not in ("first", "average"):
                raise InferenceError(f"target={target!r} must be 'first', 'average' or weights.")
            chosen = after >= 0 if target == "average" else after == after[after >= 0].min()
            return np.asarray(chosen / chosen.sum(), dtype=float)
        if isinstance(target, Mapping):
            unknown = sorted(set(target) - set(after.tolist()))
            if unknown:
                raise InferenceError(
                    f"target: {unknown} are not post-periods; these are {after.tolist()}."
                )
            weights = np.array([float(target.get(time, 0.0)) for time in after.tolist()])
        else:
            weights = np.asarray(target, dtype=float).ravel()
        if weights.shape != (self.post,):
            raise InferenceError(
                f"target has {len(weights)} weights and there are {self.post} post-periods; give "
                f"one weight for each, or a mapping from event time to weight."
            )
        if not np.isfinite(weights).all() or not weights.any():
            raise InferenceError("target needs finite weights, not all zero.")
        return weights


def from_arrays(estimates: object, covariance: object, pre: int, post: int) -> Coefficients:
    """Check arrays and put them together.

    Raises
    ------
    InferenceError
        Sizes that do not fit, no pre- or post-period, a covariance that is not symmetric and
        positive semidefinite, values that are not finite.
    """
    points = np.asarray(estimates, dtype=float).ravel()
    matrix = np.asarray(covariance, dtype=float)
    for name, number in (("pre_periods", pre), ("post_periods", post)):
        if number < 1:
            raise InferenceError(
                f"{name}={number}: the difference in trends after the policy is judged by the one "
                f"before, so that at least one coefficient on each side is needed."
            )
    if len(points) != pre + post:
        raise InferenceError(
            f"there are {len(points)} estimates, but pre_periods={pre} and post_periods={post} "
            f"make {pre + post}. Leave the reference period out."
        )
    if matrix.shape != (len(points), len(points)):
        raise InferenceError(
            f"the covariance has shape {matrix.shape}; {len(points)} estimates need "
            f"({len(points)}, {len(points)})."
        )
    if not np.isfinite(points).all() or not np.isfinite(matrix).all():
        raise InferenceError("estimates and covariance must be finite.")
    scale = float(np.abs(matrix).max())
    if np.abs(matrix - matrix.T).max() > 1e-8 * scale:
        raise InferenceError("the covariance is not symmetric.")
    matrix = (matrix + matrix.T) / 2
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < -1e-8 * scale:
        raise InferenceError(
            f"the covariance is not positive semidefinite (smallest eigenvalue {smallest:.3g}); "
            f"two-way clustering and uniform kernels can give this. Cluster in one dimension."
        )
    if scale == 0 or (np.diag(matrix) <= 1e-14 * scale).any():
        raise InferenceError(
            "a coefficient has no variance. Leave the reference period out of estimates and "
            "covariance."
        )
    times = np.concatenate([np.arange(-pre - 1, -1), np.arange(post)])
    return Coefficients(points, matrix, pre, post, times)


def from_estimate(estimate: Estimate) -> Coefficients:
    """Coefficients and covariance of an estimate that has an event study.

    Raises
    ------
    InferenceError
        No covariance, no reference period, event times with gaps, no pre- or post-period.
    """
    label = estimate.estimator.label
    source = getattr(estimate.estimator, "source", estimate.estimator)
    if getattr(source, "base", "universal") == "varying":
        raise InferenceError(
            f"{source.label}(base='varying') compares every pre-period with the one before, not "
            f"with one reference period; fit it with base='universal'."
        )
    found = EventCoefficients.of(estimate, "honest_did")
    reference = found.reference
    known = found.errors <= 1e-7 * found.errors.max()
    if reference is None and known.sum() == 1:
        reference = int(found.event_times[known][0])
    normalised = estimate.details.get("normalised")
    if normalised:
        raise InferenceError(
            f"event times {', '.join(map(str, normalised))} are set to zero in this event study "
            f"beside its reference, since without never-treated units leads and lags are determined"
            f" up to a trend only: there is no trend left to bound. Use SunAbraham, or "
            f"CallawaySantAnna(control='not_yet', base='universal')."
        )
    if reference is None or (known & (found.event_times != reference)).any():
        raise InferenceError(
            f"{label} has no single reference period, or coefficients without variance beside it; "
            f"restrictions on trends need differences from one period, as EventStudy gives them."
        )
    if reference >= 0:
        raise InferenceError(f"reference={reference} must lie before the policy, at -1 or earlier.")
    kept = ~known
    times = found.event_times[kept]
    if (times >= 0).sum() == 0:
        raise InferenceError("there is no coefficient from adoption on whose effect to bound.")
    gaps = np.unique(np.diff(estimate.design.periods))
    ends = [*times.tolist(), reference]
    missing = sorted(set(range(min(ends), max(ends) + 1, int(gaps[0]))) ^ set(ends))
    if missing and len(gaps) > 1:
        raise InferenceError(
            f"the periods of this panel are {gaps[0]} to {gaps[-1]} apart, and restrictions on "
            f"changes from one period to the next need equal distances. Number the periods 0, 1, "
            f"2, … in the table, if they may count as equally long, or choose a window=(first, "
            f"last) in which they are."
        )
    if missing:
        raise InferenceError(
            f"event times {missing} have no coefficient; restrictions on changes from one period "
            f"to the next need all of them. Use a window without gaps."
        )
    pre = int((times < reference).sum())
    checked = from_arrays(
        found.estimates[kept], found.covariance[np.ix_(kept, kept)], pre, len(times) - pre
    )
    return replace(checked, times=times, notes=_notes(estimate, times, reference, int(gaps[0])))


def _notes(estimate: Estimate, times: Integers, reference: int, step: int) -> tuple[str, ...]:
    design, result = estimate.design, estimate.inference
    notes = [] if result is None else [f"Covariance: {result.name}."]
    between = times[(times > reference) & (times < 0)]
    if len(between):
        notes.append(
            f"The reference is {reference}: event times {', '.join(map(str, between))} count as "
            f"after it in the restriction, and the target is from adoption (0) on."
        )
    if step > 1:
        notes.append(f"Bounds are on changes from one period to the next, {step} apart.")
    if few_treated(design, design.assignment):
        notes.append(
            "Few clusters are treated: this covariance is too small, and so are the intervals "
            "built on it."
        )
    bins = getattr(estimate.estimator, "bins", None)
    if bins is not None:
        notes.append(
            f"Event times at or beyond {bins[0]} and {bins[1]} share a coefficient, which is taken "
            f"for one of a single period."
        )
    return tuple(notes)
