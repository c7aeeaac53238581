"""Newton's method on the dual: the same weights as the active set, and a proof of optimality."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.linalg.simplex import duality_gap, simplex_weights
from jjjpolicy.linalg.simplex_newton import ridge_weights


def batch(problems: int, rows: int, columns: int, seed: int) -> tuple[np.ndarray, ...]:
    """Columns that the problems share, targets outside of most hulls, and who may have weight."""
    rng = np.random.default_rng(seed)
    allowed = rng.random((problems, columns)) < 0.8
    allowed[:, 0] = True
    targets = 2 * rng.normal(size=(problems, rows))
    return rng.normal(size=(columns, rows)), targets, allowed


@pytest.mark.parametrize(("rows", "columns"), [(4, 2), (15, 30), (40, 10), (3, 200)])
@pytest.mark.parametrize("strength", [1e-3, 1e-1, 1.0, 100.0])
def test_weights_are_optimal(rows: int, columns: int, strength: float) -> None:
    table, targets, allowed = batch(20, rows, columns, seed=rows)
    ridge = np.linspace(0.5, 2, 20) * strength * rows
    weights, solved = ridge_weights(table, targets, allowed, ridge)
    assert solved.all()
    assert (weights >= 0).all()
    assert (weights[~allowed] == 0).all()
    assert weights.sum(axis=1) == pytest.approx(1.0)
    for target, own, r, w in zip(targets, allowed, ridge, weights, strict=True):
        d = (table[own] - target).T
        gram = d.T @ d + r * np.eye(own.sum())
        assert duality_gap(gram, np.zeros(own.sum()), w[own]) <= 1e-10 * np.diag(gram).min()


def test_the_batch_the_single_problem_and_the_active_set_agree() -> None:
    table, targets, allowed = batch(5, 12, 9, seed=1)
    weights, _ = ridge_weights(table, targets, allowed, np.full(5, 3.0))
    for target, own, w in zip(targets, allowed, weights, strict=True):
        d = (table[own] - target).T
        stacked = np.concatenate([d, np.sqrt(3.0) * np.eye(own.sum())])
        assert simplex_weights(d, 3.0) == pytest.approx(w[own], abs=1e-12)
        assert simplex_weights(stacked) == pytest.approx(w[own], abs=1e-9)


def test_weights_do_not_depend_on_the_problems_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    table, targets, allowed = batch(30, 6, 40, seed=2)
    together, _ = ridge_weights(table, targets, allowed, np.full(30, 1.0))
    monkeypatch.setattr("jjjpolicy.linalg.simplex_newton.BATCH_CELLS", 7 * 40)
    in_pieces, _ = ridge_weights(table, targets, allowed, np.full(30, 1.0))
    assert in_pieces == pytest.approx(together, abs=1e-13)


def test_one_column_alone_gets_all_weight_when_it_fits_perfectly_and_the_penalty_is_small() -> None:
    difference = np.column_stack([np.zeros(6), np.ones((6, 3))])
    weights = simplex_weights(difference, 1e-3)
    assert weights[0] > 0.999
    assert weights.sum() == pytest.approx(1.0)
