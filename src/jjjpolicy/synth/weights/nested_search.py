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
from jjjpolicy.linalg.types import Floats

SUPPORT, SHOWN = 1e-9, 1e-6
SINGULAR = 1e-9
"""Share of the largest singular value below which donor weights have no derivative."""
COARSE, FINE = 2.0**-7, 2.0**-14
"""Spacings of the logarithms of weights: while runs are compared, and for the best of them."""
WIDEST, LONGEST = 18.0, 4.0
"""Logarithms of weights at most, and how far a step takes one of them at most."""
PROGRESS, TIE = 1e-10, 1e-9
"""Relative progress below which a step ends, and within which two runs tie."""
CONVEX, TINY = 1e-8, 1e-300
FAVOUR, STEPS, SWEEPS = 3.0, 100, 4
SIDEWAYS = {"up": 1.0, "down": -1.0, "far up": 3.0, "far down": -3.0}


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
    start from equal weights, from weights that favour one predictor or put it last, and from
    ``starts``; from the best point they start again in every direction until nothing better is
    found. All steps end on a lattice of logarithms of weights, so that the last digits of a
    gradient, which differ between processors, do not decide where a search ends. Predictor weights
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
    points |= {f"predictor {k + 1} last": -FAVOUR * axes[k] for k in range(count)}
    runs = {name: _quasi_newton(x, differences, fitted, scale) for name, x in points.items()}
    best = _first_of_least(runs)
    # Kinks of the loss stop quasi-Newton steps; steps sideways get over them.
    for sweep in range(SWEEPS):
        point, loss = runs[best]
        around = {
            f"sideways, sweep {sweep + 1}, predictor {k + 1} {where}": (
                _quasi_newton(point + far * axes[k], differences, fitted, scale)
            )
            for k in range(count)
            for where, far in SIDEWAYS.items()
        }
        found = _first_of_least(around)
        if around[found][1] >= loss * (1 - 1e-7):
            break
        runs[found] = around[found]
        best = found
    runs[best] = _quasi_newton(runs[best][0], differences, fitted, scale, FINE)
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


def _first_of_least(runs: Mapping[str, tuple[Floats, float]]) -> str:
    """The run that ended lowest, the first of those that tie."""
    least = min(loss for _, loss in runs.values())
    return next(name for name, (_, loss) in runs.items() if loss <= least * (1 + TIE))


def _inner(differences: Floats, weights: Floats) -> Floats:
    return simplex_weights(np.sqrt(weights)[:, None] * differences)


def _loss(donors: Floats, fitted: Floats) -> float:
    residual = fitted @ donors
    return float(residual @ residual) / len(fitted)


def _softmax(x: Floats) -> Floats:
    raw = np.exp(x - x.max())
    return np.asarray(raw / raw.sum())


def _quasi_newton(
    start: Floats, differences: Floats, fitted: Floats, scale: float, spacing: float = COARSE
) -> tuple[Floats, float]:
    """Where steps of Broyden, Fletcher, Goldfarb and Shanno on the lattice end, and the loss."""
    point = _on_lattice(start, spacing)
    loss, slope = _loss_and_gradient(point, differences, fitted, scale)
    inverse: Floats | None = None
    for _ in range(STEPS):
        step = -slope / max(float(np.abs(slope).max()), TINY)
        if inverse is not None:
            step = -inverse @ slope
            step /= max(1.0, float(np.abs(step).max()) / LONGEST)
        moved = _on_lattice(point + step, spacing) - point
        while moved.any():
            new_loss, new_slope = _loss_and_gradient(point + moved, differences, fitted, scale)
            if new_loss < loss * (1 - PROGRESS):
                break
            step = step / 2
            moved = _on_lattice(point + step, spacing) - point
        if not moved.any() and inverse is None:
            break
        if not moved.any():
            inverse = None
            continue
        inverse = _updated(inverse, moved, new_slope - slope)
        point, loss, slope = point + moved, new_loss, new_slope
    return point, loss


def _on_lattice(point: Floats, spacing: float) -> Floats:
    rounded: Floats = np.rint(np.clip(point, -WIDEST, WIDEST) / spacing) * spacing
    return rounded


def _updated(inverse: Floats | None, moved: Floats, change: Floats) -> Floats | None:
    """The inverse Hessian after a step; as before where the loss is not convex along it."""
    inner = float(moved @ change)
    if inner <= CONVEX * float(np.linalg.norm(moved) * np.linalg.norm(change)):
        return inverse
    if inverse is None:
        inverse = np.eye(len(moved)) * inner / float(change @ change)
    along = np.eye(len(moved)) - np.outer(moved, change) / inner
    updated: Floats = along @ inverse @ along.T + np.outer(moved, moved) / inner
    return updated


def _loss_and_gradient(
    x: Floats, differences: Floats, fitted: Floats, scale: float
) -> tuple[float, Floats]:
    r"""Loss over ``scale`` and its derivative with respect to the logarithms of the weights.

    On the support of ``w`` the optimality conditions :math:`Z'VZw = \mu 1, 1'w = 1` determine the
    derivative of :math:`w`; with :math:`a` the solution of the adjoint system,
    :math:`\partial L / \partial v_k = -(z_k'a)(z_k'w)`. Zero where several :math:`w` meet them.
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
    solution, _, rank, _ = np.linalg.lstsq(system.T, target, rcond=SINGULAR)
    adjoint = solution[:n] if rank > n else np.zeros(n)
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
