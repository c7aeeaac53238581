"""The lasso path: optimality conditions and the same numbers as coordinate descent."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.linalg.lasso import lasso_path
from jjjpolicy.synth.elastic_net import elastic_net


@pytest.mark.parametrize(("rows", "columns"), [(30, 6), (12, 12), (15, 30)])
@pytest.mark.parametrize("seed", range(5))
def test_optimality_conditions_hold_along_the_path(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns)) + rng.normal(size=(rows, 1))
    y = rng.normal(size=rows) + x[:, 0]
    largest = np.abs(x.T @ y).max() / rows
    penalties = largest * np.array([1.0, 0.7, 0.3, 0.1, 0.02])
    path = lasso_path(x, y, penalties)
    assert (path[0] == 0).all()
    for penalty, b in zip(penalties, path, strict=True):
        gradient = x.T @ (y - x @ b) / rows
        used = np.abs(b) > 1e-10
        assert gradient[used] == pytest.approx(penalty * np.sign(b[used]), abs=1e-8 * largest)
        assert (np.abs(gradient) <= penalty + 1e-8 * largest).all()


def test_the_numbers_are_those_of_coordinate_descent() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(25, 8))
    x -= x.mean(axis=0)
    y = x[:, 1] - x[:, 2] + 0.3 * rng.normal(size=25)
    y -= y.mean()
    penalties = np.array([0.5, 0.1, 0.01])
    expected = elastic_net(x, y, penalties, 1.0, 1e-12)
    assert lasso_path(x, y, penalties) == pytest.approx(expected, abs=1e-9)
