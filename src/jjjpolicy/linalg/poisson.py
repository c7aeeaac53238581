"""Poisson pseudo-maximum likelihood with several sets of group effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jjjpolicy.linalg.absorb import absorb, group_indicators
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.twoway import independent_columns
from jjjpolicy.linalg.types import Booleans, Floats, Integers

TOLERANCE = 1e-12
MAX_STEPS = 200
SMALLEST_MEAN = 1e-12
ABSORBED = 1e-9
"""Share of a regressor's variance below which the group effects explain it."""
ROUNDING = 1e-20
"""Share of a regressor's sum of squares below which variation is rounding."""
NEGLIGIBLE = 1e-6


@dataclass(frozen=True, eq=False)
class PoissonFit:
    """Coefficients of a Poisson regression.

    Attributes
    ----------
    coefficients : ndarray, shape (kept,)
    kept : tuple of int
        Regressors that the group effects and the regressors before them do not explain.
    fitted : ndarray, shape (observations,)
        Means.
    scores : ndarray, shape (observations, kept)
        Coefficient − estimand ≈ sum over observations of ``scores @ bread``.
    bread : ndarray, shape (kept, kept)
    deviance : float
    """

    coefficients: Floats
    kept: tuple[int, ...]
    fitted: Floats
    scores: Floats
    bread: Floats
    deviance: float

    __repr__ = brief


class VanishingMeanError(ArithmeticError):
    """The mean of an observation with a zero outcome tends to zero: perhaps it is separated."""


def fit_poisson(
    outcome: Floats,
    regressors: Floats,
    codes: Sequence[Integers],
    *,
    maximum_exists: bool = False,
) -> PoissonFit:
    r"""Fit :math:`E[y_i] = \exp(x_i'\beta + \sum_f a_{f(i)})` by reweighted least squares.

    Each step regresses the working outcome :math:`\eta + (y - \mu)/\mu` on the regressors with
    weights :math:`\mu`, both net of the group effects (Correia, Guimarães and Zylkin 2020).

    Parameters
    ----------
    outcome : ndarray, shape (observations,)
        Not negative.
    regressors : ndarray, shape (observations, regressors)
    codes : sequence of ndarray of int, shape (observations,)
        Groups of each factor, 0, 1, … without gaps; each has a positive outcome.
    maximum_exists : bool
        Whether :func:`separated` was asked already.

    Raises
    ------
    VanishingMeanError
        A fitted mean is next to zero, and it is not known that a maximum exists.
    ArithmeticError
        No convergence.
    """
    indicators = group_indicators(codes)
    smallest = NEGLIGIBLE * outcome.mean()
    mean = (outcome + outcome.mean()) / 2
    index = np.log(mean)
    kept: list[int] | None = None
    effects: Floats | None = None
    deviance = _deviance(outcome, mean)
    for _ in range(MAX_STEPS):
        working = index + (outcome - mean) / mean
        chosen = regressors if kept is None else regressors[:, kept]
        stacked = np.column_stack([working, chosen])
        residuals, effects = absorb(stacked, indicators, mean, effects)
        z, x = residuals[:, 0], residuals[:, 1:]
        if kept is None:
            kept = _independent(x, regressors, mean)
            x, effects = x[:, kept], effects[:, [0, *(1 + k for k in kept)]]
        weighted = x * mean[:, None]
        gram = weighted.T @ x
        coefficients = np.linalg.solve(gram, weighted.T @ z)
        index = working - (z - x @ coefficients)
        mean = np.maximum(np.exp(np.minimum(index, 700.0)), SMALLEST_MEAN)
        index = np.log(mean)
        if not maximum_exists and mean[outcome == 0].min(initial=np.inf) < smallest:
            raise VanishingMeanError("a fitted mean is next to zero.")
        before, deviance = deviance, _deviance(outcome, mean)
        if abs(deviance - before) <= TOLERANCE * (0.1 + abs(deviance)):
            break
    else:
        raise ArithmeticError(f"the Poisson regression did not converge in {MAX_STEPS} steps.")
    x, _ = absorb(regressors[:, kept], indicators, mean, effects[:, 1:])
    return PoissonFit(
        coefficients=coefficients,
        kept=tuple(kept),
        fitted=mean,
        scores=x * (outcome - mean)[:, None],
        bread=np.linalg.inv((x * mean[:, None]).T @ x),
        deviance=deviance,
    )


def separated(outcome: Floats, regressors: Floats, codes: Sequence[Integers]) -> Booleans:
    r"""Observations whose fitted mean tends to zero, so that no maximum exists with them.

    They are those with :math:`z_i > 0` for some :math:`z = x'\gamma + \sum_f a_f` that is zero
    where the outcome is positive and nowhere negative (Correia, Guimarães and Zylkin 2019).
    A linear programme finds all of them at once: maximise
    :math:`\sum_i \min(z_i, 1)`.

    Parameters
    ----------
    outcome, regressors, codes
        As for :func:`fit_poisson`.

    Returns
    -------
    ndarray of bool, shape (observations,)

    Raises
    ------
    ArithmeticError
        The programme was not solved.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, hstack

    candidates: Booleans = outcome == 0
    n = int(candidates.sum())
    index = hstack([csr_array(regressors), group_indicators(codes)]).tocsr()
    parameters = index.shape[1]
    rest = int((~candidates).sum())
    zero_elsewhere = hstack([index[~candidates], csr_array((rest, n))])
    at_most_index = hstack([-index[candidates], eye_array(n)])
    solution = linprog(
        np.r_[np.zeros(parameters), -np.ones(n)],
        A_ub=at_most_index.tocsr(),
        b_ub=np.zeros(n),
        A_eq=zero_elsewhere.tocsr(),
        b_eq=np.zeros(rest),
        bounds=[(None, None)] * parameters + [(0, 1)] * n,
        method="highs-ipm",
    )
    if solution.status != 0:
        raise ArithmeticError(f"the check for separation failed: {solution.message}")
    found: Booleans = candidates.copy()
    found[candidates] = solution.x[parameters:] > 0.5
    return found


def _independent(residuals: Floats, regressors: Floats, weights: Floats) -> list[int]:
    """Columns with variation left after the group effects and the columns before them."""
    left = weights @ residuals**2
    total = weights @ (regressors - weights @ regressors / weights.sum()) ** 2
    explained = np.maximum(ABSORBED * total, ROUNDING * (weights @ regressors**2))
    varying = np.flatnonzero(left > explained)
    columns = residuals[:, varying]
    gram = (columns * weights[:, None]).T @ columns
    return [int(varying[k]) for k in independent_columns(gram)]


def _deviance(outcome: Floats, mean: Floats) -> float:
    positive = outcome > 0
    logs = np.zeros_like(outcome)
    logs[positive] = outcome[positive] * np.log(outcome[positive] / mean[positive])
    return float(2 * (logs - (outcome - mean)).sum())
