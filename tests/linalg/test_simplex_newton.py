"""Newton's method on the dual: the same weights as the active set, and a proof of optimality."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.linalg.simplex import duality_gap, simplex_weights
from jjjpolicy.linalg.simplex_newton import ridge_weights


def batch(problems: int, rows: int, columns: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points, and a target for each problem."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(columns, rows)), 2 * rng.normal(size=(problems, rows))


@pytest.mark.parametrize(("rows", "columns"), [(4, 2), (15, 30), (40, 10), (3, 200)])
@pytest.mark.parametrize("strength", [1e-3, 1e-1, 1.0, 100.0])
def test_weights_are_optimal(rows: int, columns: int, strength: float) -> None:
    points, targets = batch(20, rows, columns, seed=rows)
    ridge = np.linspace(0.5, 2, 20) * strength * rows
    weights, solved = ridge_weights(points, targets, ridge)
    assert solved.all()
    assert (weights >= 0).all()
    assert weights.sum(axis=1) == pytest.approx(1.0)
    for b, r, w in zip(targets, ridge, weights, strict=True):
        d = (points - b).T
        gram = d.T @ d + r * np.eye(columns)
        assert duality_gap(gram, np.zeros(columns), w) <= 1e-10 * np.diag(gram).min()


def test_the_batch_the_single_problem_and_the_active_set_agree() -> None:
    points, targets = batch(5, 12, 9, seed=1)
    weights, _ = ridge_weights(points, targets, np.full(5, 3.0))
    for b, w in zip(targets, weights, strict=True):
        d = (points - b).T
        stacked = np.concatenate([d, np.sqrt(3.0) * np.eye(9)])
        assert simplex_weights(d, 3.0) == pytest.approx(w, abs=1e-12)
        assert simplex_weights(stacked) == pytest.approx(w, abs=1e-9)


def test_points_that_are_not_allowed_have_no_weight_and_change_nothing() -> None:
    points, targets = batch(30, 6, 40, seed=3)
    allowed = np.random.default_rng(4).random((30, 40)) < 0.5
    weights, solved = ridge_weights(points, targets, np.full(30, 2.0), allowed)
    assert solved.all()
    assert (weights[~allowed] == 0).all()
    for own, b, w in zip(allowed, targets, weights, strict=True):
        assert w[own] == pytest.approx(simplex_weights((points[own] - b).T, 2.0), abs=1e-13)


def test_one_column_alone_gets_all_weight_when_it_fits_perfectly_and_the_penalty_is_small() -> None:
    difference = np.column_stack([np.zeros(6), np.ones((6, 3))])
    weights = simplex_weights(difference, 1e-3)
    assert weights[0] > 0.999
    assert weights.sum() == pytest.approx(1.0)
