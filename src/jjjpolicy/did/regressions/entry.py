"""Regressions of changes of the outcome on entry into treatment, with period effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.event_window import EventClock, observation_weights
from jjjpolicy.errors import warn_user
from jjjpolicy.estimation.variance import small_sample_factor
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.twoway import independent_columns, without_rounding

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False)
class EntryFit:
    """Effect of entry into treatment.

    Attributes
    ----------
    coefficient : float
    influence : ndarray, shape (units,)
        Coefficient − estimand ≈ mean over units.
    counted : (int, int) or None
        Rows and parameters of the small-sample factor; None where there is no factor.
    clusters : int
        Groups of the level of assignment in the sample.
    collinear : tuple of str
        Covariates left out.
    """

    coefficient: float
    influence: Floats
    counted: tuple[int, int] | None
    clusters: int
    collinear: tuple[str, ...] = ()

    __repr__ = brief

    @property
    def correction(self) -> float:
        """Small-sample factor of the clustered variance."""
        return 1.0 if self.counted is None else small_sample_factor(self.clusters, *self.counted)


@dataclass(frozen=True, eq=False)
class EntrySample:
    """Units that enter treatment in a period and clean controls, for one change of the outcome.

    Attributes
    ----------
    design : Design
    clock : EventClock
    change : ndarray, shape (units, periods)
        Mean outcome over the horizons minus the outcome of the period before; ``nan`` where absent.
    entering, control : ndarray of bool, shape (units, periods)
        Rows of the sample.
    """

    design: Design
    clock: EventClock
    change: Floats
    entering: Booleans
    control: Booleans

    @classmethod
    def of(cls, design: Design, clock: EventClock, horizons: Sequence[Integers]) -> EntrySample:
        """The sample for a mean over horizons, with controls untreated until the last of them.

        Rows need the unit observed in the period itself, the one before and at all horizons.

        Parameters
        ----------
        design : Design
        clock : EventClock
        horizons : sequence of ndarray of int, shape (periods,)
            For entry in each period the position of the horizon, outside the panel where there
            is none.
        """
        outcome = design.outcome
        periods = design.n_periods
        total = np.zeros_like(outcome)
        for target in horizons:
            inside = (target >= 0) & (target < periods)
            total += np.where(inside, outcome[:, np.where(inside, target, 0)], np.nan)
        change = np.full_like(outcome, np.nan)
        change[:, 1:] = total[:, 1:] / len(horizons) - outcome[:, :-1]
        present = design.observed & ~np.isnan(change)
        columns, starts = np.arange(periods)[None, :], clock.starts[:, None]
        never = ~design.treated[:, None]
        return cls(
            design=design,
            clock=clock,
            change=change,
            entering=present & (columns == starts),
            control=present & ((starts > np.maximum(columns, np.max(horizons, axis=0))) | never),
        )

    @cached_property
    def weights(self) -> Floats:
        return observation_weights(self.design)

    @cached_property
    def counts(self) -> tuple[Floats, Floats]:
        """Sums of weights of entering and of control units in each period."""
        return self.weights @ self.entering, self.weights @ self.control

    @property
    def identified(self) -> bool:
        """Whether units enter in some period with controls."""
        entering, control = self.counts
        return bool(((entering > 0) & (control > 0)).any())

    def without_controls(self) -> list[tuple[int, int, int]]:
        """Cohort, position of adoption and number of units where no clean control exists."""
        entering, control = self.counts
        return [
            (
                int(self.design.adoption[self.entering[:, t]][0]),
                int(t),
                int(self.entering[:, t].sum()),
            )
            for t in np.flatnonzero((entering > 0) & (control == 0))
        ]

    def cohort_weights(self, reweight: bool) -> pd.DataFrame:
        """Units and weight of each cohort in the effect without covariates; weights sum to one."""
        entering, control = self.counts
        both = np.flatnonzero((entering > 0) & (control > 0))
        weights = entering[both]
        if not reweight:
            weights = weights * control[both] / (entering + control)[both]
        return pd.DataFrame(
            {
                "group": [int(self.design.adoption[self.entering[:, t]][0]) for t in both],
                "entering": self.entering[:, both].sum(axis=0),
                "controls": self.control[:, both].sum(axis=0),
                "weight": weights / weights.sum(),
            }
        )

    def clusters(self, rows: Booleans) -> int:
        return len(np.unique(self.design.assignment[rows.any(axis=1)]))


def least_squares(sample: EntrySample) -> EntryFit:
    """Least squares with period effects: cohort effects weighted by variance."""
    return _weighted(sample, *variance_weights(sample))


def equally_weighted(sample: EntrySample) -> EntryFit:
    """Every entering unit counts alike: by weights, or regression adjustment with covariates."""
    if sample.design.covariates:
        return _regression_adjustment(sample)
    return _weighted(sample, *equal_weights(sample))


def variance_weights(sample: EntrySample) -> tuple[Booleans, Floats]:
    """Rows of the regression, and weights with which cohort effects are weighted by variance."""
    rows = sample.entering | sample.control
    return rows, rows * sample.weights[:, None]


def equal_weights(sample: EntrySample) -> tuple[Booleans, Floats]:
    """Rows of the regression, and weights with which every entering unit counts alike."""
    entering, control = sample.counts
    some = (entering > 0) & (control > 0)
    scale = np.divide(entering + control, control, out=np.zeros_like(control), where=some)
    rows = (sample.entering | sample.control) & some
    return rows, rows * sample.weights[:, None] * scale


def _variables(sample: EntrySample, rows: Booleans) -> Floats:
    """Change of the outcome, entry and covariates, shape (units, periods, 2 + covariates)."""
    columns = [sample.change, sample.entering.astype(float), *sample.design.covariates.values()]
    stacked = np.stack(columns, axis=2)
    stacked[~rows] = 0.0
    return stacked


def within_periods(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Values net of weighted period means, and these means."""
    totals = weights.sum(axis=0)
    sums = np.einsum("it,itk->tk", weights, values)
    means = np.divide(sums, totals[:, None], out=np.zeros_like(sums), where=totals[:, None] > 0)
    return without_rounding(values - means, values), means


def _weighted(sample: EntrySample, rows: Booleans, weights: Floats) -> EntryFit:
    centred, _ = within_periods(_variables(sample, rows), weights)
    gram = np.einsum("it,itk,itl->kl", weights, centred, centred)
    kept, collinear = _kept(sample, gram[1:, 1:])
    columns = [1 + k for k in kept]
    inverse = np.linalg.inv(gram[np.ix_(columns, columns)])
    slopes = inverse @ gram[columns, 0]
    errors = weights * (centred[:, :, 0] - centred[:, :, columns] @ slopes)
    scores = np.einsum("it,itk->ik", errors, centred[:, :, columns])
    return EntryFit(
        coefficient=float(slopes[0]),
        influence=sample.design.n_units * scores @ inverse[:, 0],
        counted=(int(rows.sum()), len(columns) + int(rows.any(axis=0).sum())),
        clusters=sample.clusters(rows),
        collinear=collinear,
    )


def _regression_adjustment(sample: EntrySample) -> EntryFit:
    """Predict the change of entering units from a regression on controls alone, and average."""
    entering, control = sample.counts
    some = (entering > 0) & (control > 0)
    rows = sample.entering | sample.control
    treated = sample.entering & some
    base = sample.control * sample.weights[:, None]
    centred, _ = within_periods(_variables(sample, rows), base)
    gram = np.einsum("it,itk,itl->kl", base, centred, centred)
    kept, collinear = _kept(sample, gram[2:, 2:])
    columns = [2 + k for k in kept]
    inverse = np.linalg.inv(gram[np.ix_(columns, columns)])
    slopes = inverse @ gram[columns, 0]
    gaps = centred[:, :, 0] - centred[:, :, columns] @ slopes
    share = treated * sample.weights[:, None] / (entering * some).sum()
    coefficient = float((share * gaps).sum())
    # The period effects of controls enter through their weighted means.
    mean_covariates = np.einsum("it,itk->k", share, centred[:, :, columns])
    period_share = np.divide(share.sum(axis=0), control, out=np.zeros_like(control), where=some)
    influence = (share * (gaps - coefficient)).sum(axis=1)
    influence -= (base * gaps * period_share).sum(axis=1)
    scores = np.einsum("it,itk->ik", base * gaps, centred[:, :, columns])
    influence -= scores @ inverse @ mean_covariates
    return EntryFit(
        coefficient=coefficient,
        influence=sample.design.n_units * influence,
        counted=None,
        clusters=sample.clusters(rows),
        collinear=collinear,
    )


def _kept(sample: EntrySample, gram: Floats) -> tuple[list[int], tuple[str, ...]]:
    """Regressors that are not collinear, and the names of the covariates that are."""
    names = list(sample.design.covariates)
    kept = independent_columns(gram)
    first = len(gram) - len(names)
    lost = tuple(name for k, name in enumerate(names) if first + k not in kept)
    if lost:
        warn_user(
            f"left out as collinear with entry, the period effects and the covariates before them: "
            f"{', '.join(lost)}",
        )
    return kept, lost
