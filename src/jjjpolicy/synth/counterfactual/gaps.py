"""From counterfactual paths to an estimate: shared by the synthetic-control estimators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.linalg.brief import brief

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

ESTIMAND = "average effect over treated cells"

EXACT = 1e-11
"""Error before treatment, relative to the largest outcome, that is rounding: the fit is exact."""


@dataclass(frozen=True, eq=False)
class Gaps:
    """Observed minus counterfactual outcomes of the treated units.

    Attributes
    ----------
    values : ndarray, shape (treated units, periods)
    periods : ndarray of int, shape (periods,)
    adoption : ndarray, shape (treated units,)
    scale : float
        Largest absolute outcome of the panel, in units of which errors may be rounding.
    """

    values: Floats
    periods: Integers
    adoption: Floats
    scale: float

    __repr__ = brief

    @classmethod
    def of(cls, design: Design, values: Floats) -> Gaps:
        """Of all treated units of a design."""
        return cls(values, design.periods, design.adoption[design.treated], scale_of(design))

    @cached_property
    def post(self) -> Booleans:
        """Treated cells."""
        treated: Booleans = self.periods[None, :] >= self.adoption[:, None]
        return treated

    @property
    def att(self) -> float:
        """Average gap over treated cells."""
        return float(self.values[self.post].mean())

    def by_event_time(self) -> tuple[Integers, Floats]:
        """Event times, and the average gap over the treated units observed at each."""
        if (self.adoption == self.adoption[0]).all():
            times = self.periods - int(self.adoption[0])
            return times, self.values.mean(axis=0)
        relative = (self.periods[None, :] - self.adoption[:, None]).astype(np.int64)
        times, positions = np.unique(relative, return_inverse=True)
        positions = positions.ravel()
        sums = np.bincount(positions, weights=self.values.ravel())
        return times, sums / np.bincount(positions)

    def by_period(self) -> tuple[Integers, Floats]:
        """Periods with a treated unit, and the average gap over the treated cells of each."""
        counts = self.post.sum(axis=0)
        some = counts > 0
        sums = np.where(self.post, self.values, 0.0).sum(axis=0)
        return self.periods[some], sums[some] / counts[some]

    def by_cohort(self) -> tuple[Floats, Floats]:
        """Adoption periods, and the average gap over the treated cells of each cohort."""
        dates, codes = np.unique(self.adoption, return_inverse=True)
        sums = np.where(self.post, self.values, 0.0).sum(axis=1)
        return dates, np.bincount(codes, sums) / np.bincount(codes, self.post.sum(axis=1))

    def rmspe(self, cells: Booleans) -> Floats:
        """Root mean squared gap of each treated unit over the marked cells."""
        squares = np.where(cells, self.values**2, 0.0).sum(axis=1)
        root: Floats = np.sqrt(squares / cells.sum(axis=1))
        return root

    @cached_property
    def pre_rmspe(self) -> Floats:
        """Root mean squared gap of each treated unit before treatment, zero for an exact fit."""
        return without_rounding(self.rmspe(~self.post), self.scale)

    @cached_property
    def post_rmspe(self) -> Floats:
        return self.rmspe(self.post)

    @property
    def pooled_rmspe(self) -> tuple[float, float]:
        """Root mean squared gap over all pre-treatment and over all treated cells.

        The first is zero if the fit is exact.
        """
        before, after = (
            np.sqrt((self.values[cells] ** 2).mean()) for cells in (~self.post, self.post)
        )
        return float(without_rounding(before, self.scale)), float(after)

    def refits(self) -> Refits:
        """The numbers that resampling needs, as arrays of length one."""
        before, after = self.pooled_rmspe
        times, effects = self.by_event_time()
        return Refits(
            att=np.array([self.att]),
            effects=effects[None, :],
            event_times=times[None, :],
            pre_rmspe=np.array([before]),
            rmspe_ratio=_ratio(np.array([after]), np.array([before])),
            cohorts=self.by_cohort()[1][None, :],
        )


def scale_of(design: Design) -> float:
    """Largest absolute outcome, in units of which errors may be rounding."""
    return float(np.nanmax(np.abs(design.outcome)))


def without_rounding(errors: Floats, scale: float) -> Floats:
    """Errors before treatment, zero where they are no more than rounding.

    With more donors than periods a fit is often exact. What is left of it differs between
    processors and units of measure, and a ratio to it would rank noise.
    """
    return np.where(errors <= EXACT * scale, 0.0, errors)


def stacked_refits(
    values: Sequence[Floats], dates: Sequence[Floats], periods: Integers, scale: float
) -> Refits:
    """The numbers that resampling needs, for many assignments at once.

    Parameters
    ----------
    values : sequence of ndarray, shape (treated units, periods)
        Gaps of each assignment, rows in order of adoption.
    dates : sequence of ndarray, shape (treated units,)
        Increasing adoption periods of each assignment.
    periods : ndarray of int, shape (periods,)
    scale : float
        See :class:`Gaps`.
    """
    first = dates[0]
    if not all(np.array_equal(first, other) for other in dates[1:]):
        return Refits.stack(
            Gaps(gaps, periods, adoption, scale).refits()
            for gaps, adoption in zip(values, dates, strict=True)
        )
    table = np.stack(values).reshape(len(values), -1)
    relative = (periods[None, :] - first[:, None]).ravel()
    post = relative >= 0
    times, positions = np.unique(relative, return_inverse=True)
    averaging = np.zeros((table.shape[1], len(times)))
    averaging[np.arange(table.shape[1]), positions.ravel()] = 1.0
    averaging /= averaging.sum(axis=0)
    owner = np.repeat(np.unique(first, return_inverse=True)[1], len(periods))
    by_cohort = (owner[:, None] == np.arange(owner.max() + 1)) & post[:, None]
    squares = table**2
    before = without_rounding(np.sqrt(squares[:, ~post].mean(axis=1)), scale)
    after = np.sqrt(squares[:, post].mean(axis=1))
    return Refits(
        att=table[:, post].mean(axis=1),
        effects=table @ averaging,
        event_times=np.repeat(times[None, :].astype(np.int64), len(table), axis=0),
        pre_rmspe=before,
        rmspe_ratio=_ratio(after, before),
        cohorts=table @ (by_cohort / by_cohort.sum(axis=0)),
    )


def estimate_from_counterfactual(
    estimator: Estimator,
    design: Design,
    counterfactual: Floats,
    *,
    weights: pd.DataFrame | None = None,
    details: Mapping[str, Any] | None = None,
    unit_details: Mapping[str, Any] | None = None,
) -> Estimate:
    """Label the gaps between treated units and their counterfactual.

    Parameters
    ----------
    estimator : Estimator
    design : Design
    counterfactual : ndarray, shape (treated units, periods)
    weights : DataFrame, optional
        Donors × treated units.
    details, unit_details : mapping, optional
        Further entries of ``Estimate.details``, and further columns of ``Estimate.unit_effects``.
    """
    treated = design.treated
    units = design.units[treated]
    gaps = Gaps.of(design, design.outcome[treated] - counterfactual)
    times, effects = gaps.by_event_time()
    calendar, averages = gaps.by_period()
    dates, by_cohort = gaps.by_cohort()
    unit_effects = pd.DataFrame(
        {
            "unit": units,
            "adoption": gaps.adoption.astype(np.int64),
            "att": np.where(gaps.post, gaps.values, 0.0).sum(axis=1) / gaps.post.sum(axis=1),
            "pre_rmspe": gaps.pre_rmspe,
            "post_rmspe": gaps.post_rmspe,
            "rmspe_ratio": _ratio(gaps.post_rmspe, gaps.pre_rmspe),
            **(unit_details or {}),
        }
    )
    return Estimate(
        estimator=estimator,
        design=design,
        att=gaps.att,
        estimand=ESTIMAND,
        event_effects=pd.DataFrame({"event_time": times, "estimate": effects}),
        calendar_effects=pd.DataFrame({"period": calendar, "estimate": averages}),
        cohort_effects=pd.DataFrame({"adoption": dates.astype(np.int64), "estimate": by_cohort}),
        unit_effects=unit_effects,
        counterfactual=pd.DataFrame(counterfactual, index=units, columns=design.periods),
        weights=weights,
        details={"gaps": gaps, **(details or {})},
    )


def _ratio(after: Floats, before: Floats) -> Floats:
    """Post- over pre-treatment errors; infinite after an exact fit."""
    ratio: Floats = np.divide(after, before, out=np.full(after.shape, np.inf), where=before > 0)
    return ratio
