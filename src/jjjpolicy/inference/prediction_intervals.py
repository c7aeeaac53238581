"""Prediction intervals for synthetic controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake.columns import quoted
from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.draws import require_few, seeded
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.progress import track
from jjjpolicy.estimation.results import InvertedTest
from jjjpolicy.inference.prediction_errors import ErrorModel, Law, Moments, Regressors
from jjjpolicy.linalg.positions import positions_in
from jjjpolicy.linalg.simplex import duality_gap
from jjjpolicy.linalg.simplex_ball import maximize_over_ball
from jjjpolicy.synth.counterfactual.gaps import without_rounding

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats

LARGEST_THRESHOLD = 0.2
QUANTILES = 4
"""Residuals below which every interval would end at their extremes, whatever its level."""


@dataclass(frozen=True)
class PredictionIntervals(Inference):
    r"""Intervals that hold the effect with a stated probability, weights and errors both uncertain.

    The effect is :math:`\hat\tau_t = \tau_t + x_t'(\beta_0 - \hat\beta) + e_t`, with :math:`x_t`
    the donors' outcomes. Each term gets a set with half of the error probability (Cattaneo, Feng
    and Titiunik 2021, sections 3 to 5):

    - *in sample*, for simulated :math:`G^* \sim N(0, \hat\Sigma)` the extremes of
      :math:`x_t'(\beta - \hat\beta)` over all weights :math:`\beta` on the simplex with
      :math:`(\beta - \hat\beta)'\hat Q(\beta - \hat\beta) \le 2 G^{*\prime}(\beta - \hat\beta)`,
      found exactly; a weight below a threshold may not fall further;
    - *out of sample*, bounds on :math:`e_t` from the residuals before treatment
      (:class:`~jjjpolicy.inference.prediction_errors.ErrorModel`).

    ``effects`` has intervals by event time and, in ``uniform_lower`` and ``uniform_upper``, bands
    that hold all of them at once: the extremes over periods in each simulation, and the union bound
    for the errors. Averages over cells add up the extremes of each treated unit and the bounds of
    its errors, however these depend on each other.

    Parameters
    ----------
    simulations : int
    errors : {"sub_gaussian", "location_scale", "quantile"}
        Bounds of the error after treatment.
    moments : {"levels", "differences", "constant"}
        What the conditional moments of the residuals depend on: outcomes of the donors with weight,
        their first differences (for outcomes with a common stochastic trend), or nothing. Nothing
        where fewer than ten residuals would be left.
    seed : int

    Notes
    -----
    Intervals are centred at the effect less the mean of the errors that the residuals predict; they
    need not contain the estimate. ``details["cells"](level)`` gives the intervals of every treated
    unit and period, ``details["threshold"]`` the threshold of each unit.
    """

    simulations: int = 200
    errors: Law = "sub_gaussian"
    moments: Moments = "levels"
    seed: int = 0

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-value, interval of the average effect, intervals and bands by event time.

        Raises
        ------
        InferenceError
            The estimate does not come from simplex weights that minimise the sum of squares of the
            pre-treatment outcomes; a donor that never changes; an exact fit or too few periods
            before treatment to tell the spread of the errors; unknown options.
        """
        self._check()
        design = estimate.design
        weights = simplex_weights(estimate, self.label)
        pool = design.outcome[positions_in(design.units, weights.index)].T
        streams = seeded(self.seed).spawn(weights.shape[1])
        units = [
            self._unit(
                pool,
                design.outcome[i],
                design.periods < design.adoption[i],
                weights.iloc[:, k].to_numpy(),
                np.random.default_rng(streams[k]),
                f"{design.labels.unit} {weights.columns[k]}",
                weights.index,
            )
            for k, i in track(list(enumerate(np.flatnonzero(design.treated))), self.label)
        ]
        cells = np.array([len(unit.effects) for unit in units])

        def average(level: float, chosen: Booleans) -> tuple[float, float]:
            lower = upper = 0.0
            for k in np.flatnonzero(chosen):
                low, high = units[k].average(1 - level)
                lower, upper = lower + low * cells[k], upper + high * cells[k]
            total = int(cells[chosen].sum())
            return lower / total, upper / total

        def bounds(level: float) -> tuple[float, float]:
            return average(level, np.ones(len(units), dtype=bool))

        def cohorts(level: float) -> pd.DataFrame:
            starts = design.adoption[design.treated]
            ends = [average(level, starts == start) for start in design.cohorts]
            table = pd.DataFrame(ends, columns=["lower", "upper"])
            return table.assign(adoption=design.cohorts.astype(np.int64), se=np.nan)

        def intervals(level: float) -> pd.DataFrame:
            return pd.concat(
                [
                    unit.intervals(1 - level).assign(
                        unit=name, period=design.periods[design.periods >= start]
                    )
                    for unit, name, start in zip(
                        units, weights.columns, design.adoption[design.treated], strict=True
                    )
                ],
                ignore_index=True,
            )

        def effects(level: float) -> pd.DataFrame:
            table = intervals(level)
            start = pd.Series(design.adoption[design.treated], index=weights.columns)
            table["event_time"] = (table["period"] - table["unit"].map(start)).astype(np.int64)
            ends = ["lower", "upper", "uniform_lower", "uniform_upper"]
            averaged = table.groupby("event_time")[ends].mean().reset_index()
            return averaged.assign(se=np.nan)

        residuals = min(len(unit.errors.residuals) for unit in units)
        draws = self.simulations if self.errors == "sub_gaussian" else residuals
        # Beyond this level a quantile of the simulations or residuals is their extreme.
        smallest = 4 / (1 + min(draws, self.simulations))
        notes = [
            f"{self.simulations} simulations, seed {self.seed}; {self.errors.replace('_', '-')} "
            f"errors; half of the error probability each for weights and errors.",
            "Intervals are centred at the effect less the error that the residuals before "
            "treatment predict, and need not contain the estimate.",
        ]
        if smallest > 0.05:
            notes.append(
                f"{draws} residuals: a wider interval than that of level {1 - smallest:.0%} would "
                f"need quantiles beyond the extremes of the residuals."
            )
        return estimate.with_result(
            InvertedTest(
                name="prediction intervals",
                pvalue=max(_pvalue(bounds), smallest),
                bounds=bounds,
                effects=effects,
                cohorts=cohorts,
                smallest_pvalue=smallest,
                notes=tuple(notes),
                details={
                    "cells": lambda level: design.labels.clock.named(intervals(level)),
                    "threshold": pd.Series([u.threshold for u in units], index=weights.columns),
                },
                specification=self.specification(),
            )
        )

    def _check(self) -> None:
        if self.simulations < 10:
            raise InferenceError(f"simulations={self.simulations} must be at least 10.")
        require_few("simulations", self.simulations, 100_000)

    def _unit(
        self,
        pool: Floats,
        path: Floats,
        before: Booleans,
        weights: Floats,
        rng: np.random.Generator,
        name: str,
        donors: pd.Index,
    ) -> _Unit:
        residuals = path[before] - pool[before] @ weights
        scale = float(np.abs(pool).max())
        if not without_rounding(np.abs(residuals), scale).any():
            raise InferenceError(
                f"the fit of {name} before treatment is exact, so that its residuals say nothing "
                f"about the errors after treatment; use PlaceboUnits, or fewer donors."
            )
        least = 2 if self.errors == "sub_gaussian" else QUANTILES
        count = len(residuals) - (self.moments == "differences")
        if count < least:
            raise InferenceError(
                f"{name} has {count} residual{'s' * (count != 1)} before treatment; "
                f"errors={self.errors!r} needs at least {least} to tell how far errors spread. Use "
                f"{'errors=' + repr('sub_gaussian') + ' or ' if count >= 2 else ''}PlaceboUnits."
            )
        threshold = _threshold(residuals, pool[before], weights, donors)
        used = weights > threshold
        used[weights.argmax()] = True
        regressors = Regressors.of(pool, before, used, self.moments)
        rows = regressors.rows
        ahead = pool[~before]
        directions = np.vstack([ahead, ahead.mean(axis=0)])
        low, high = _weight_errors(
            pool[before][rows],
            residuals[rows],
            weights,
            threshold,
            regressors.before,
            directions,
            rng.standard_normal((self.simulations, int(rows.sum()))),
        )
        return _Unit(
            path[~before] - ahead @ weights,
            low,
            high,
            ErrorModel(residuals[rows], regressors, self.errors),
            threshold,
        )


@dataclass(frozen=True, eq=False)
class _Unit:
    """Simulated extremes of the weights' error, and the model of the other, of a treated unit.

    ``low`` and ``high`` have shape (simulations, periods + 1); the last column is the average.
    """

    effects: Floats
    low: Floats
    high: Floats
    errors: ErrorModel
    threshold: float

    def average(self, alpha: float) -> tuple[float, float]:
        """Interval of the average effect."""
        error_low, error_high = (float(e.mean()) for e in self.errors.bounds(alpha / 2))
        low = float(np.quantile(self.low[:, -1], alpha / 4)) + error_low
        high = float(np.quantile(self.high[:, -1], 1 - alpha / 4)) + error_high
        return float(self.effects.mean()) - high, float(self.effects.mean()) - low

    def intervals(self, alpha: float) -> pd.DataFrame:
        """Intervals of each period, and a band for all periods at once."""
        low, high = self.low[:, :-1], self.high[:, :-1]
        sample_low = np.quantile(low, alpha / 4, axis=0)
        sample_high = np.quantile(high, 1 - alpha / 4, axis=0)
        error_low, error_high = self.errors.bounds(alpha / 2)
        all_low, all_high = self.errors.joint_bounds(alpha / 2)
        joint_low = np.quantile(low.min(axis=1), alpha / 4)
        joint_high = np.quantile(high.max(axis=1), 1 - alpha / 4)
        return pd.DataFrame(
            {
                "estimate": self.effects,
                "lower": self.effects - sample_high - error_high,
                "upper": self.effects - sample_low - error_low,
                "uniform_lower": self.effects - joint_high - all_high,
                "uniform_upper": self.effects - joint_low - all_low,
                "in_sample_lower": self.effects - sample_high,
                "in_sample_upper": self.effects - sample_low,
            }
        )


def simplex_weights(estimate: Estimate, method: str) -> pd.DataFrame:
    """Donor weights, donors × treated units, of least squares on the simplex.

    Raises
    ------
    InferenceError
        The estimate has no weights, or they are not on the simplex, do not make its counterfactual
        or minimise something else than the sum of squares of the pre-treatment outcomes.
    """
    weights, paths, design = estimate.weights, estimate.counterfactual, estimate.design
    instead = f"{method} needs the weights of synth.SyntheticControl on outcomes; use Conformal."
    if weights is None or paths is None:
        raise InferenceError(f"{estimate.estimator.label} has no donor weights; {instead}")
    table = weights.to_numpy()
    if (table < -1e-9).any() or np.abs(table.sum(axis=0) - 1).max() > 1e-6:
        raise InferenceError(
            f"weights of {estimate.estimator.label} do not lie on the simplex; {instead}"
        )
    pool = design.outcome[positions_in(design.units, weights.index)].T
    scale = float(np.abs(design.outcome).max())
    if np.abs(paths.to_numpy().T - pool @ table).max() > 1e-7 * scale:
        raise InferenceError(
            f"counterfactuals of {estimate.estimator.label} are not weighted donor outcomes; "
            f"{instead}"
        )
    for k, i in enumerate(np.flatnonzero(design.treated)):
        before = design.periods < design.adoption[i]
        gaps = pool[before] - design.outcome[i, before][:, None]
        gram = gaps.T @ gaps
        if duality_gap(gram, np.zeros(len(gram)), table[:, k]) > 1e-6 * np.abs(gram).max():
            raise InferenceError(
                f"weights of {estimate.estimator.label} do not minimise the sum of squares of the "
                f"pre-treatment outcomes; {instead}"
            )
    return weights


def _threshold(residuals: Floats, pool: Floats, weights: Floats, donors: pd.Index) -> float:
    """Below which a weight counts as zero (scpi's rule "type-2", Cattaneo et al. 2025, 3.3)."""
    spread = pool.std(axis=0, ddof=1)
    if (spread == 0).any():
        still = donors[int(np.argmax(spread == 0))]
        raise InferenceError(
            f"the outcome of donor {quoted(still)} never changes before treatment; leave it out "
            f"with exclude=[{quoted(still)}]."
        )
    length, count = pool.shape
    active = int((weights >= 1e-6).sum())
    rate = np.sqrt(np.log(count) * active * np.log(length) / length) * residuals.std()
    wide, narrow = rate * spread.max() / spread.min() ** 2, rate / spread.min()
    threshold = min(wide, LARGEST_THRESHOLD)
    if threshold < 0.001:
        threshold = min(max(wide, narrow), LARGEST_THRESHOLD)
        threshold = LARGEST_THRESHOLD if threshold < 0.05 else threshold
    return float(threshold)


def _weight_errors(
    pool: Floats,
    residuals: Floats,
    weights: Floats,
    threshold: float,
    regressors: Floats,
    directions: Floats,
    draws: Floats,
) -> tuple[Floats, Floats]:
    """Extremes of ``x'(weights - β)`` in each simulation, for each direction x."""
    length = len(pool)
    mean = regressors @ np.linalg.lstsq(regressors, residuals, rcond=None)[0]
    freedom = min(int((weights >= 1e-6).sum()) - 1, length - 1)
    deviations = np.abs(residuals - mean) * np.sqrt(length / (length - freedom))
    # Weights sum to one: measuring donors from the counterfactual changes nothing but rounding.
    gaps = pool - (pool @ weights)[:, None]
    noise = (draws * deviations) @ gaps / length
    gram = gaps.T @ gaps / length
    count, horizons = len(draws), len(directions)
    both = np.concatenate([directions, -directions])
    solved = maximize_over_ball(
        gram,
        np.repeat(noise + gram @ weights, 2 * horizons, axis=0),
        np.repeat(2 * noise @ weights + weights @ gram @ weights, 2 * horizons),
        np.tile(both, (count, 1)),
        np.where(weights < threshold, weights, 0.0),
    )
    values = solved.values.reshape(count, 2, horizons)
    fitted = directions @ weights
    return fitted - values[:, 0], fitted + values[:, 1]


def _pvalue(bounds: Callable[[float], tuple[float, float]]) -> float:
    """One minus the highest level whose interval excludes zero, found by bisection."""

    def excluded(alpha: float) -> bool:
        low, high = bounds(1 - alpha)
        return not low <= 0 <= high

    if not excluded(1 - 1e-9):
        return 1.0
    inside, outside = 1e-9, 1 - 1e-9
    if excluded(inside):
        return inside
    while outside - inside > 1e-4:
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if excluded(middle) else (middle, outside)
    return outside
