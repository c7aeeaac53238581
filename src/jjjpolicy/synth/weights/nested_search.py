r"""The nested search for predictor weights, deterministic and with a bound on what is lost.

Given predictor weights :math:`v`, donor weights :math:`w(v)` minimise :math:`\|V^{1/2} D w\|^2` on
the simplex, ``D`` being scaled predictors of donors less those of the treated unit; the search
minimises :math:`L(v) = \|F w(v)\|^2 / T`, ``F`` being outcomes of donors less that of the treated
unit. :math:`L` is smooth between changes of the support of :math:`w` and has many local minima.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.simplex import simplex_weights
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.linalg.types import Floats

SUPPORT = 1e-9
SHOWN = 1e-6
FAVOUR, SIDEWAYS, STEPS, SWEEPS = 3.0, 1.0, 100, 4
# Relative progress below which a run stops: while runs are compared, and for the best of them.
COARSE, FINE = 1e-11, 1e-14


@dataclass(frozen=True, eq=False)
class VSearch:
    """Predictor weights and what is known about them.

    Attributes
    ----------
    weights : ndarray, shape (predictors,)
        Summing to one.
    loss : float
        Mean squared gap of the fitted outcomes.
    lower_bound : float
        Loss of the best donor weights without predictors: no predictor weights do better.
    smallest, largest : ndarray, shape (predictors,)
        Range of each weight over all predictor weights with the same donor weights.
    differences : ndarray, shape (predictors, donors)
    fitted : ndarray, shape (periods, donors)
    best : ndarray, shape (donors,)
        Donor weights.
    ends : mapping of str to ndarray, shape (donors,)
        Donor weights where the search from each start ended.
    untried : mapping of str to ndarray, shape (predictors,)
        Starts that were not needed, as logarithms; followed when :attr:`donors` is asked for.
    names : Index
        Of the donors.
    """

    weights: Floats
    loss: float
    lower_bound: float
    smallest: Floats
    largest: Floats
    differences: Floats
    fitted: Floats
    best: Floats
    ends: Mapping[str, Floats]
    untried: Mapping[str, Floats]
    names: pd.Index

    __repr__ = brief

    @property
    def unique(self) -> bool:
        """Whether no other predictor weights give the same donor weights."""
        return bool((self.largest - self.smallest).max() < 1e-4)

    @cached_property
    def donors(self) -> pd.DataFrame:
        """Donor weights at every local minimum met, best first: starts × donors with weight."""
        scale = float((self.fitted**2).mean()) or 1.0
        ends = dict(self.ends)
        for name, point in self.untried.items():
            found, _ = _quasi_newton(point, self.differences, self.fitted, scale)
            ends[name] = _inner(self.differences, _softmax(found))
        order = sorted(ends, key=lambda name: _loss(ends[name], self.fitted))
        table = pd.DataFrame([ends[name] for name in order], columns=self.names)
        table.index = pd.Index(order, name="start")
        return table.loc[:, (table > SHOWN).any()]

    @cached_property
    def starts(self) -> pd.DataFrame:
        """Local minima by start, best first.

        Loss, and half the sum of absolute differences of the donor weights from those of the best.
        """
        donors = self.donors.reindex(columns=self.names, fill_value=0.0)
        rows = donors.to_numpy()
        return pd.DataFrame(
            {
                "start": donors.index,
                "loss": [_loss(row, self.fitted) for row in rows],
                "distance": np.abs(rows - self.best).sum(axis=1) / 2,
            }
        )

    @classmethod
    def given(
        cls, weights: Floats, differences: Floats, fitted: Floats, names: pd.Index
    ) -> VSearch:
        """Weights that were not searched for."""
        best = _inner(differences, weights)
        bound = _loss(simplex_weights(fitted), fitted)
        problem = (differences, fitted, best)
        return cls(weights, _loss(best, fitted), bound, weights, weights, *problem, {}, {}, names)


def search(
    differences: Floats, fitted: Floats, starts: Mapping[str, Floats], names: pd.Index
) -> VSearch:
    """The best predictor weights found.

    The donor weights that fit the outcome best without predictors bound the loss from below. A
    linear programme decides whether some predictor weights lead to them; then the search is over
    and its result is a global minimum. Otherwise quasi-Newton steps with the analytic gradient
    start from equal weights, from weights that favour one predictor, and from ``starts``; from the
    best point they start again in every direction until nothing better is found. Predictor weights
    with the same donor weights form a polytope; the average of its extreme points in the direction
    of each weight is returned, so that the result does not depend on the path of the search.

    Parameters
    ----------
    differences : ndarray, shape (predictors, donors)
    fitted : ndarray, shape (periods, donors)
    starts : mapping of str to ndarray, shape (predictors,)
        Further starts.
    names : Index
        Of the donors.
    """
    count = len(differences)
    best_fit = simplex_weights(fitted)
    bound = _loss(best_fit, fitted)
    if count == 1:
        return VSearch.given(np.ones(1), differences, fitted, names)
    ends = _extremes(differences, best_fit)
    if ends is not None:
        centre = ends.mean(axis=0)
        best = _inner(differences, centre)
        loss = _loss(best, fitted)
        if loss <= bound * (1 + 1e-7) + 1e-14 * float((fitted**2).mean()):
            return VSearch(
                centre,
                loss,
                bound,
                ends.min(axis=0),
                ends.max(axis=0),
                differences,
                fitted,
                best,
                {"outcomes alone": best},
                _points(count, starts),
                names,
            )
    return _descend(differences, fitted, starts, bound, names)


def _points(count: int, starts: Mapping[str, Floats]) -> dict[str, Floats]:
    """Logarithms of the predictor weights to start from."""
    points = {"equal weights": np.zeros(count)}
    points |= {name: np.log(np.maximum(v, 1e-8)) for name, v in starts.items()}
    return points


def _descend(
    differences: Floats,
    fitted: Floats,
    starts: Mapping[str, Floats],
    bound: float,
    names: pd.Index,
) -> VSearch:
    count = len(differences)
    scale = float((fitted**2).mean()) or 1.0
    axes = np.eye(count)
    points = _points(count, starts)
    points |= {f"predictor {k + 1} first": FAVOUR * axes[k] for k in range(count)}
    runs = {name: _quasi_newton(x, differences, fitted, scale) for name, x in points.items()}
    best = min(runs, key=lambda key: runs[key][1])
    # Kinks of the loss stop quasi-Newton steps; steps sideways get over them.
    for sweep in range(SWEEPS):
        point, loss = runs[best]
        around = {
            f"sideways, sweep {sweep + 1}, predictor {k + 1} {'up' if sign > 0 else 'down'}": (
                _quasi_newton(point + sign * SIDEWAYS * axes[k], differences, fitted, scale)
            )
            for k in range(count)
            for sign in (1.0, -1.0)
        }
        found = min(around, key=lambda key: around[key][1])
        if around[found][1] >= loss * (1 - 1e-7):
            break
        runs[found] = around[found]
        best = found
    polished = _quasi_newton(runs[best][0], differences, fitted, scale, FINE)
    runs[best] = min(runs[best], polished, key=lambda run: run[1])
    donors = {name: _inner(differences, _softmax(x)) for name, (x, _) in runs.items()}
    weights, loss = _softmax(runs[best][0]), _loss(donors[best], fitted)
    ends = _extremes(differences, donors[best])
    low = high = weights
    if ends is not None:
        centre = ends.mean(axis=0)
        centred = _loss(_inner(differences, centre), fitted)
        if centred <= loss * (1 + 1e-7):
            weights, loss, low, high = centre, centred, ends.min(axis=0), ends.max(axis=0)
    problem = (differences, fitted, donors[best])
    return VSearch(weights, loss, bound, low, high, *problem, donors, {}, names)


def _inner(differences: Floats, weights: Floats) -> Floats:
    return simplex_weights(np.sqrt(weights)[:, None] * differences)


def _loss(donors: Floats, fitted: Floats) -> float:
    residual = fitted @ donors
    return float(residual @ residual) / len(fitted)


def _softmax(x: Floats) -> Floats:
    raw = np.exp(x - x.max())
    return np.asarray(raw / raw.sum())


def _quasi_newton(
    start: Floats, differences: Floats, fitted: Floats, scale: float, tolerance: float = COARSE
) -> tuple[Floats, float]:
    from scipy.optimize import minimize

    with one_thread:  # scipy has come this very moment where this is the first search
        result = minimize(
            _loss_and_gradient,
            start,
            args=(differences, fitted, scale),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-25.0, 25.0)] * len(start),
            options={"maxiter": STEPS, "ftol": tolerance, "gtol": 100 * tolerance},
        )
    return result.x, float(result.fun)


def _loss_and_gradient(
    x: Floats, differences: Floats, fitted: Floats, scale: float
) -> tuple[float, Floats]:
    r"""Loss over ``scale`` and its derivative with respect to the logarithms of the weights.

    On the support of ``w`` the optimality conditions :math:`Z'VZw = \mu 1, 1'w = 1` determine the
    derivative of :math:`w`; with :math:`a` the solution of the adjoint system,
    :math:`\partial L / \partial v_k = -(z_k'a)(z_k'w)`.
    """
    v = _softmax(x)
    donors = _inner(differences, v)
    support = np.flatnonzero(donors > SUPPORT)
    residual = fitted @ donors
    n = len(support)
    z = differences[:, support]
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = z.T @ (v[:, None] * z)
    system[:n, n] = -1.0
    system[n, n] = 0.0
    target = np.zeros(n + 1)
    target[:n] = 2 * (fitted[:, support].T @ residual) / (len(fitted) * scale)
    try:
        adjoint = np.linalg.solve(system.T, target)[:n]
    except np.linalg.LinAlgError:
        adjoint = np.linalg.lstsq(system.T, target, rcond=None)[0][:n]
    slope = -(z @ adjoint) * (z @ donors[support])
    return _loss(donors, fitted) / scale, v * (slope - slope @ v)


def _extremes(differences: Floats, donors: Floats) -> Floats | None:
    """Predictor weights under which given donor weights are optimal: the extreme ones.

    The gradient of the inner problem is linear in the predictor weights, so that optimality of
    ``donors`` is a set of linear conditions. Two rows for each predictor, in which its weight is
    smallest and largest; None where no predictor weights will do.
    """
    from scipy.optimize import linprog
    from scipy.sparse import identity, kron

    residual = differences @ donors
    gradient = (differences * residual[:, None]).T
    reduced = gradient - donors @ gradient
    largest = float(np.abs(reduced).max())
    if largest == 0:
        return np.vstack([np.eye(len(differences))] * 2)
    reduced /= largest
    used = donors > 1e-7
    equal, other = reduced[used], reduced[~used]
    count = len(differences)
    copies = 2 * count
    # One programme of 2k independent blocks: a solver call costs more than its arithmetic.
    blocks = identity(copies, format="csr")
    result = linprog(
        np.concatenate([np.eye(count), -np.eye(count)]).ravel(),
        A_ub=kron(blocks, -other) if len(other) else None,
        b_ub=np.zeros(copies * len(other)) if len(other) else None,
        A_eq=kron(blocks, np.vstack([equal, np.ones(count)])),
        b_eq=np.tile(np.append(np.zeros(len(equal)), 1.0), copies),
        bounds=(0, None),
    )
    if result.x is None:
        return None
    table = np.maximum(result.x.reshape(copies, count), 0.0)
    return np.asarray(table / table.sum(axis=1, keepdims=True))
