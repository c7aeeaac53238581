"""Unit and time weights of synthetic difference-in-differences, on bare arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.sparse import csr_array

from jjjpolicy.linalg.simplex import LEAST_RIDGE, certified, simplex_weights
from jjjpolicy.linalg.simplex_grams import gram_weights
from jjjpolicy.linalg.simplex_newton import ridge_weights
from jjjpolicy.linalg.types import Floats, Integers

if TYPE_CHECKING:
    from jjjpolicy.linalg.frank_wolfe import FrankWolfe
    from jjjpolicy.linalg.types import Booleans

Number = TypeVar("Number", float, Floats)


@dataclass(frozen=True)
class Rules:
    """How weights are found; ``None`` for a penalty means the default of the paper."""

    zeta_omega: float | None = None
    zeta_lambda: float | None = None
    uniform_omega: bool = False
    uniform_lambda: bool = False
    solver: FrankWolfe | None = None


@dataclass(frozen=True, eq=False)
class DifferenceWeights:
    """Weights of one cohort.

    Attributes
    ----------
    omega : ndarray, shape (donors,)
    lambda_ : ndarray, shape (pre-treatment periods,)
    zeta_omega, zeta_lambda : float
    """

    omega: Floats
    lambda_: Floats
    zeta_omega: float
    zeta_lambda: float


class PrePeriods:
    """What all assignments with the same first treated period share on one panel.

    Parameters
    ----------
    outcome : ndarray, shape (units, periods)
    before : int
        Number of pre-treatment periods.
    """

    def __init__(self, outcome: Floats, before: int) -> None:
        self.outcome = outcome
        self.before = before
        self.levels = outcome[:, :before]
        self.centred = self.levels - self.levels.mean(axis=1, keepdims=True)
        self.after = outcome[:, before:].mean(axis=1)
        self.changes = np.diff(self.levels, axis=1)
        self._noise: dict[bytes, float] = {}

    def noise(self, donors: Integers) -> float:
        """Standard deviation of the donors' first differences before treatment."""
        key = donors.tobytes()
        if key not in self._noise:
            changes = self.changes[donors].ravel()
            centred = changes - changes.mean() if len(changes) else changes
            self._noise[key] = float(np.sqrt(centred @ centred / max(len(changes) - 1, 1)))
        return self._noise[key]

    def weights(
        self,
        donors: Integers,
        treated: Integers,
        rules: Rules,
        noise: float | None = None,
    ) -> DifferenceWeights:
        """Minimisers of equations 4 and 6 of Arkhangelsky et al. (2021).

        Parameters
        ----------
        donors, treated : ndarray of int
            Rows.
        rules : Rules
        noise : float, optional
            Noise level; that of the donors by default.
        """
        noise = self.noise(donors) if noise is None else noise
        zeta_omega = self.zeta_omega(len(treated), rules, noise)
        zeta_lambda = 1e-6 * noise if rules.zeta_lambda is None else rules.zeta_lambda
        if rules.uniform_omega:
            omega = np.full(len(donors), 1 / len(donors))
        else:
            target = self.centred[treated].mean(axis=0)
            omega = _solve(self.centred[donors].T, target, zeta_omega, noise, rules.solver)
        if rules.uniform_lambda:
            lambda_ = np.full(self.before, 1 / self.before)
        else:
            rows, goal = self.levels[donors], self.after[donors]
            lambda_ = _solve(
                rows - rows.mean(axis=0), goal - goal.mean(), zeta_lambda, noise, rules.solver
            )
        return DifferenceWeights(omega, lambda_, zeta_omega, zeta_lambda)

    def gaps(self, treated: Integers, never: Booleans, rules: Rules) -> Floats | None:
        """Treated less weighted donors, less its average before adoption, of many assignments.

        None where there is a better way than Newton's method to the weights of one of them.

        Parameters
        ----------
        treated : ndarray of int, shape (assignments, treated units)
        never : ndarray of bool, shape (assignments, units)
            Donors.
        rules : Rules

        Returns
        -------
        ndarray, shape (assignments, treated units, periods), or None
        """
        donors = never.sum(axis=1)
        aside = csr_array(~never)
        noise = self._noises(donors, aside)
        omega = self._unit_weights(treated, never, self.zeta_omega(treated.shape[1], rules, noise))
        if omega is None or donors.min() <= self.before + 1:
            return None
        zeta = 1e-6 * noise if rules.zeta_lambda is None else np.full(len(noise), rules.zeta_lambda)
        lambda_ = self._time_weights(never, aside, donors, zeta)
        gap = self.outcome[treated] - (omega @ self.outcome)[:, None, :]
        level = np.matmul(gap[:, :, : self.before], lambda_[:, :, None])
        return np.asarray(gap - level)

    def _noises(self, donors: Integers, aside: csr_array) -> Floats:
        """Standard deviation of the donors' first differences for each pool of donors."""
        changes = self.changes - self.changes.mean()
        sums = np.column_stack([changes.sum(axis=1), (changes**2).sum(axis=1)])
        total, square = (sums.sum(axis=0) - aside @ sums).T
        cells = donors * changes.shape[1]
        variance: Floats = (square - total**2 / cells) / np.maximum(cells - 1, 1)
        return np.sqrt(variance)

    def _unit_weights(self, treated: Integers, never: Booleans, zeta: Floats) -> Floats | None:
        """Unit weights, (assignments, units); None unless Newton's method finds all of them."""
        targets = self.centred[treated].mean(axis=1)
        donors = never.sum(axis=1)
        squares = never @ (self.centred**2).sum(axis=1) + donors * (targets**2).sum(axis=1)
        squares -= 2 * np.einsum("at,at->a", never @ self.centred, targets)
        ridge = self.before * zeta**2
        if (ridge <= LEAST_RIDGE * squares / donors).any():
            return None
        weights, solved = ridge_weights(self.centred, targets, never, ridge)
        return weights if solved.all() else None

    def _time_weights(
        self, never: Booleans, aside: csr_array, donors: Integers, zeta: Floats
    ) -> Floats:
        """Time weights, (assignments, periods before), from what the donors' products add up to."""
        columns = self.levels - self.after[:, None]
        columns -= columns.mean(axis=0)
        upper = np.triu_indices(self.before)
        sums = np.column_stack([columns[:, upper[0]] * columns[:, upper[1]], columns])
        totals = sums.sum(axis=0) - aside @ sums
        grams = np.empty((len(never), self.before, self.before))
        grams[:, upper[0], upper[1]] = totals[:, : -self.before]
        grams[:, upper[1], upper[0]] = totals[:, : -self.before]
        plain = totals[:, -self.before :]
        grams -= plain[:, :, None] * plain[:, None, :] / donors[:, None, None]
        grams += (donors * zeta**2)[:, None, None] * np.eye(self.before)
        weights, solved = gram_weights(grams)
        for row in np.flatnonzero(~solved):
            rows, goal = self.levels[never[row]], self.after[never[row]]
            a, b = rows - rows.mean(axis=0), goal - goal.mean()
            weights[row] = _solve(a, b, float(zeta[row]), 0.0, None)
        return weights

    def zeta_omega(self, treated: int, rules: Rules, noise: Number) -> Number:
        """Penalty of the unit weights for one noise level, or for each of many."""
        if rules.zeta_omega is not None:
            return noise * 0 + rules.zeta_omega
        cells = treated * (self.outcome.shape[1] - self.before)
        return noise * float(cells**0.25)

    def fit(self, donors: Integers, treated: Integers, found: DifferenceWeights) -> Fit:
        """How good given weights are, in the units of the paper's objectives."""
        target = self.centred[treated].mean(axis=0)
        rows, goal = self.levels[donors], self.after[donors]
        unit = certified(
            self.centred[donors].T, target, found.omega, self.before * found.zeta_omega**2
        )
        time = certified(
            rows - rows.mean(axis=0),
            goal - goal.mean(),
            found.lambda_,
            len(donors) * found.zeta_lambda**2,
        )
        return Fit(
            unit.objective / self.before,
            time.objective / len(donors),
            unit.gap / self.before,
            time.gap / len(donors),
        )


@dataclass(frozen=True)
class Fit:
    """Mean squared error plus penalty of both problems, and bounds on the distance to optimum."""

    omega_objective: float
    lambda_objective: float
    omega_gap: float
    lambda_gap: float


def _solve(a: Floats, b: Floats, zeta: float, noise: float, solver: FrankWolfe | None) -> Floats:
    ridge = len(b) * zeta**2
    if solver is None:
        return simplex_weights(a - b[:, None], ridge)
    return solver.weights(a, b, ridge, noise)


def optimized_coefficients(
    outcome: Floats,
    covariates: Floats,
    before: int,
    donors: Integers,
    treated: Integers,
    rules: Rules,
    iterations: int = 2_000,
) -> Floats:
    r"""Coefficients of covariates that minimise the sum of both weight objectives.

    Weights given coefficients and coefficients given weights are solved exactly in turn, from zero
    coefficients on, until the sum no longer falls.

    Parameters
    ----------
    outcome : ndarray, shape (units, periods)
    covariates : ndarray, shape (covariates, units, periods)
    before : int
        Number of pre-treatment periods.
    donors, treated : ndarray of int
    rules : Rules
        The noise level is that of the unadjusted outcome.
    """
    raw = PrePeriods(outcome, before)
    parts = [PrePeriods(values, before) for values in covariates]
    noise = raw.noise(donors)
    coefficients: Floats = np.zeros(len(covariates))
    previous = np.inf
    for _ in range(iterations):
        adjusted = PrePeriods(outcome - np.tensordot(coefficients, covariates, 1), before)
        found = adjusted.weights(donors, treated, rules, noise)
        fit = adjusted.fit(donors, treated, found)
        objective = fit.omega_objective + fit.lambda_objective
        if previous - objective <= 1e-12 * abs(objective):
            break
        previous = objective
        target = _misfit(raw, donors, treated, found)
        columns = np.column_stack([_misfit(part, donors, treated, found) for part in parts])
        coefficients = np.asarray(np.linalg.lstsq(columns, target, rcond=None)[0])
    return coefficients


def _misfit(
    part: PrePeriods, donors: Integers, treated: Integers, found: DifferenceWeights
) -> Floats:
    """Residuals of both weight problems, stacked and scaled to mean squares."""
    unit = part.centred[treated].mean(axis=0) - found.omega @ part.centred[donors]
    time = part.after[donors] - part.levels[donors] @ found.lambda_
    return np.concatenate(
        [unit / np.sqrt(part.before), (time - time.mean()) / np.sqrt(len(donors))]
    )
