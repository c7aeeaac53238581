"""Completed matrices: optimal, alone and together."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.linalg.completion import complete, two_way_and_low_rank
from jjjpolicy.linalg.fixed_points import fixed_points


@pytest.mark.parametrize("shape", [(14, 9), (8, 13)])
def test_completed_matrices_meet_the_conditions_of_the_optimum(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    outcome = 50 + rng.normal(size=shape).cumsum(axis=1)
    observed = rng.random((3, *shape)) < 0.8
    penalty = np.array([0.4, 1.5, np.inf])
    fitted, low_rank = two_way_and_low_rank(complete(outcome, observed, penalty), penalty)
    # The gradient of the squares is a subgradient of the nuclear norm (Watson 1992), and the
    # residuals are orthogonal to the effects of units and periods.
    residual = np.where(observed, outcome - fitted, 0.0)
    assert np.abs(residual.sum(axis=1)).max() < 1e-7
    assert np.abs(residual.sum(axis=2)).max() < 1e-7
    for left, low, most in zip(residual[:2], low_rank[:2], penalty[:2], strict=True):
        assert np.linalg.norm(left, 2) < most + 1e-7
        assert (left * low).sum() == pytest.approx(most * np.linalg.norm(low, "nuc"), rel=1e-7)
    assert not low_rank[2].any()


def test_matrices_completed_together_are_those_completed_alone() -> None:
    rng = np.random.default_rng(5)
    outcome = rng.normal(size=(12, 8)).cumsum(axis=1)
    observed = rng.random((6, 12, 8)) < 0.85
    penalty = np.geomspace(0.1, 4.0, 6)
    together = complete(outcome, observed, penalty)
    for each, own, one in zip(together, observed, penalty, strict=True):
        alone = complete(outcome, own[None], np.array([one]))[0]
        np.testing.assert_allclose(each, alone, rtol=0, atol=1e-12)


def test_fixed_points_of_linear_maps_solve_their_equations_within_their_limits() -> None:
    rng = np.random.default_rng(6)
    turned = np.linalg.qr(rng.normal(size=(4, 7, 7)))[0]
    shares = np.linspace(0.0, 0.995, 7)
    slopes = (turned * shares) @ turned.swapaxes(1, 2)
    level = rng.normal(size=(4, 7))
    limit = np.array([1e-4, 1e-8, 1e-11, 1e-11])
    found, moves = fixed_points(
        lambda points, rows: (slopes[rows] @ points[:, :, None])[:, :, 0] + level[rows],
        np.zeros((4, 7)),
        limit,
        300,
    )
    assert (moves <= limit).all()
    expected = np.linalg.solve(np.eye(7) - slopes, level[:, :, None])[:, :, 0]
    assert (np.abs(found - expected).max(axis=1) <= 300 * limit).all()


def test_points_that_steps_do_not_suffice_for_are_told_by_their_moves() -> None:
    limit = np.array([1e-9])
    _, moves = fixed_points(lambda points, _: np.sin(points), np.ones((1, 3)), limit, 2)
    assert moves[0] > limit[0]
