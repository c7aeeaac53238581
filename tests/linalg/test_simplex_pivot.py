"""Exchange of support: the same weights as the active set, and no answer where digits lack."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.linalg.moments import sums_of_products
from jjjpolicy.linalg.simplex import a_minimiser
from jjjpolicy.linalg.simplex_pivot import centred_weights


def batch(points: int, weights: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Paths with two common factors, and ten selections of nine in ten of them."""
    rng = np.random.default_rng(points)
    loadings = rng.normal(size=(points, 2))
    paths = loadings @ rng.normal(size=(2, weights)).cumsum(axis=1)
    paths += noise * rng.normal(size=(points, weights)) - loadings @ rng.normal(size=(2, 1))
    return paths, rng.random((10, points)) < 0.9


@pytest.mark.parametrize(("points", "weights"), [(300, 12), (60, 2), (40, 30), (25, 1)])
@pytest.mark.parametrize("noise", [0.01, 1.0])
def test_weights_are_those_of_the_active_set(points: int, weights: int, noise: float) -> None:
    paths, chosen = batch(points, weights, noise)
    ridge = np.linspace(1, 2, 10) * points * 1e-12
    found, solved = centred_weights(paths, chosen, ridge)
    assert solved.all()
    for own, r, w in zip(chosen, ridge, found, strict=True):
        centred = paths[own] - paths[own].mean(axis=0)
        assert w == pytest.approx(a_minimiser(centred, r), abs=1e-11)


@pytest.mark.parametrize("distance", [0.0, 1e-9, 1e-6, 1e-4])
def test_columns_that_hardly_differ_are_told_apart_or_left_open(distance: float) -> None:
    paths, chosen = batch(50, 6, 1.0)
    paths[:, :2] = paths[:, :1] / 10  # so that both have weight
    paths[:, 1] += distance * paths[:, 2]
    ridge = np.full(10, 50e-12)
    found, solved = centred_weights(paths, chosen, ridge)
    assert solved.all() or distance < 1e-4
    for own, r, w in zip(chosen[solved], ridge[solved], found[solved], strict=True):
        centred = paths[own] - paths[own].mean(axis=0)
        assert centred @ w == pytest.approx(centred @ a_minimiser(centred, r), abs=1e-10)


@pytest.mark.parametrize("selections", [1, 40])
def test_sums_of_products_are_sums_of_products(selections: int) -> None:
    rng = np.random.default_rng(2)
    points, weights = rng.normal(size=(9, 20)), rng.normal(size=(selections, 9))
    direct = np.einsum("pj,ja,jb->pab", weights, points, points)
    assert sums_of_products(points, weights) == pytest.approx(direct, abs=1e-13)
