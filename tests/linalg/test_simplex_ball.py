"""Linear functions over simplex weights within a ball of fit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from jjjpolicy.linalg.simplex import simplex_least_squares
from jjjpolicy.linalg.simplex_ball import maximize_over_ball


def problem(rows: int, columns: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rows, columns)) + rng.normal(size=(rows, 1))
    target = table[:, :2].mean(axis=1) + 0.2 * rng.normal(size=rows)
    return table, target, rng.normal(size=columns)


@pytest.mark.parametrize(("rows", "columns"), [(31, 16), (10, 28), (5, 3)])
@pytest.mark.parametrize("seed", range(4))
def test_maximum_is_that_of_a_general_solver(rows: int, columns: int, seed: int) -> None:
    table, target, direction = problem(rows, columns, seed)
    gaps = table - target[:, None]
    gram = gaps.T @ gaps
    best = simplex_least_squares(table, target)
    limit = 1.3 * max(best.objective, 1e-3)
    solved = maximize_over_ball(
        gram, np.zeros((1, columns)), np.array([-limit]), direction[None, :]
    )
    weights = solved.weights[0]
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    assert weights @ gram @ weights <= limit * (1 + 1e-10)
    peer = minimize(
        lambda w: -direction @ w,
        best.weights,
        jac=lambda w: -direction,
        bounds=[(0, 1)] * columns,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
            {
                "type": "ineq",
                "fun": lambda w: limit - w @ gram @ w,
                "jac": lambda w: -2 * gram @ w,
            },
        ],
        method="SLSQP",
        options={"ftol": 1e-13, "maxiter": 500},
    )
    assert solved.values[0] == pytest.approx(-peer.fun, abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_a_ball_of_no_radius_is_the_polytope_of_perfect_fits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table, direction = rng.normal(size=(6, 20)), rng.normal(size=20)
    target = table @ rng.dirichlet(np.ones(20))
    gaps = table - target[:, None]
    solved = maximize_over_ball(gaps.T @ gaps, np.zeros((1, 20)), np.zeros(1), direction[None, :])
    programme = linprog(
        -direction,
        A_eq=np.vstack([table, np.ones(20)]),
        b_eq=np.append(target, 1.0),
        bounds=[(0, None)] * 20,
    )
    assert solved.values[0] == pytest.approx(-programme.fun, abs=1e-7)


def test_a_wide_ball_leaves_the_best_vertex_and_lower_ends_are_kept() -> None:
    table, target, direction = problem(12, 5, 0)
    gaps = table - target[:, None]
    lower = np.array([0.1, 0.0, 0.2, 0.0, 0.0])
    solved = maximize_over_ball(
        gaps.T @ gaps, np.zeros((1, 5)), np.array([-1e6]), direction[None, :], lower
    )
    expected = lower.copy()
    expected[direction.argmax()] += 0.7
    assert solved.weights[0] == pytest.approx(expected)
