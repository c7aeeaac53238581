"""Unit and time weights of synthetic difference-in-differences, on bare arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.linalg.simplex import LEAST_RIDGE, certified, simplex_weights
from jjjpolicy.linalg.simplex_newton import ridge_weights
from jjjpolicy.linalg.simplex_pivot import centred_weights
from jjjpolicy.linalg.types import Booleans, Floats, Integers

if TYPE_CHECKING:
    from jjjpolicy.linalg.frank_wolfe import FrankWolfe
FEW_DIGITS = 1e-6
"""Share of a sum of squares that is left when the mean is taken out, where too little is left."""


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


@dataclass(frozen=True, eq=False)
class ManyWeights:
    """Weights of one cohort under many assignments.

    Attributes
    ----------
    omega : ndarray, shape (assignments, units)
        Zero where a unit is no donor.
    lambda_ : ndarray, shape (assignments, pre-treatment periods)
    zeta_omega, zeta_lambda : ndarray, shape (assignments,)
    """

    omega: Floats
    lambda_: Floats
    zeta_omega: Floats
    zeta_lambda: Floats

    def only(self, donors: Integers) -> DifferenceWeights:
        """Of the first assignment."""
        return DifferenceWeights(
            self.omega[0, donors],
            self.lambda_[0],
            float(self.zeta_omega[0]),
            float(self.zeta_lambda[0]),
        )


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

    def noise(self, donors: Integers) -> float:
        """Standard deviation of the donors' first differences before treatment."""
        changes = self.changes[donors].ravel()
        centred = changes - changes.mean() if len(changes) else changes
        return float(np.sqrt(centred @ centred / max(len(changes) - 1, 1)))

    def noises(self, donors: Booleans) -> Floats:
        """The same of the donors of many assignments, shape (assignments, units)."""
        changes = self.changes - self.changes.mean() if self.changes.size else self.changes
        count = donors.sum(axis=1) * changes.shape[1]
        squares = donors @ (changes**2).sum(axis=1)
        sums = donors @ changes.sum(axis=1)
        variance = (squares - sums**2 / np.maximum(count, 1)) / np.maximum(count - 1, 1)
        noise: Floats = np.sqrt(np.maximum(variance, 0.0))
        for row in np.flatnonzero(variance * count <= FEW_DIGITS * squares):
            noise[row] = self.noise(np.flatnonzero(donors[row]))
        return noise

    def weights(
        self, donors: Integers, treated: Integers, rules: Rules, noise: float
    ) -> DifferenceWeights:
        """Minimisers of equations 4 and 6 of Arkhangelsky et al. (2021).

        Parameters
        ----------
        donors, treated : ndarray of int
            Rows.
        rules : Rules
        noise : float
            Noise level.
        """
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

    def together(
        self, donors: Booleans, treated: Booleans, rules: Rules, noise: Floats
    ) -> ManyWeights:
        """The same under many assignments, which share what they can.

        Parameters
        ----------
        donors, treated : ndarray of bool, shape (assignments, units)
        rules : Rules
        noise : ndarray, shape (assignments,)
            Noise level.
        """
        zeta_omega = np.array(
            [
                self.zeta_omega(count, rules, own)
                for count, own in zip(treated.sum(axis=1).tolist(), noise.tolist(), strict=True)
            ]
        )
        zeta_lambda = 1e-6 * noise
        if rules.zeta_lambda is not None:
            zeta_lambda = np.full(len(noise), rules.zeta_lambda)
        omega = np.zeros(donors.shape)
        lambda_ = np.full((len(donors), self.before), 1 / self.before)
        known = np.zeros((2, len(donors)), dtype=bool)
        if rules.solver is None:
            if not rules.uniform_omega:
                omega, known[0] = self._omega(donors, treated, zeta_omega)
            if not rules.uniform_lambda:
                lambda_, known[1] = self._lambda(donors, zeta_lambda)
        if rules.uniform_omega:
            omega, known[0] = donors / donors.sum(axis=1, keepdims=True), True
        known[1] |= rules.uniform_lambda
        for row in np.flatnonzero(~known.all(axis=0)):
            own, players = np.flatnonzero(donors[row]), np.flatnonzero(treated[row])
            found = self.weights(own, players, rules, float(noise[row]))
            if not known[0, row]:
                omega[row] = 0.0
                omega[row, own] = found.omega
            if not known[1, row]:
                lambda_[row] = found.lambda_
        return ManyWeights(omega, lambda_, zeta_omega, zeta_lambda)

    def _omega(self, donors: Booleans, treated: Booleans, zeta: Floats) -> tuple[Floats, Booleans]:
        """Unit weights by Newton's method, and which assignments it solves."""
        points = self.centred - self.centred.mean(axis=0)
        count = donors.sum(axis=1)
        targets = treated @ points / treated.sum(axis=1, keepdims=True)
        squares = (
            donors @ (points**2).sum(axis=1)
            - 2 * ((donors @ points) * targets).sum(axis=1)
            + count * (targets**2).sum(axis=1)
        )
        ridge = self.before * zeta**2
        rows = np.flatnonzero((ridge > LEAST_RIDGE * squares / count) & (count > 1))
        omega, solved = np.zeros(donors.shape), np.zeros(len(donors), dtype=bool)
        omega[rows], solved[rows] = ridge_weights(points, targets[rows], ridge[rows], donors[rows])
        return omega, solved

    def _lambda(self, donors: Booleans, zeta: Floats) -> tuple[Floats, Booleans]:
        """Time weights by exchanging support, and which assignments that solves."""
        points = self.levels - self.after[:, None]
        ridge = donors.sum(axis=1) * zeta**2
        rows = np.flatnonzero(ridge > 0)
        lambda_, solved = np.zeros((len(donors), self.before)), np.zeros(len(donors), dtype=bool)
        lambda_[rows], solved[rows] = centred_weights(points, donors[rows], ridge[rows])
        return lambda_, solved

    def zeta_omega(self, treated: int, rules: Rules, noise: float) -> float:
        """Penalty of the unit weights."""
        if rules.zeta_omega is not None:
            return rules.zeta_omega
        cells = treated * (self.outcome.shape[1] - self.before)
        return float(cells**0.25 * noise)

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
