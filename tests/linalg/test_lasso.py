"""The lasso path: optimality conditions."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.linalg.lasso import lasso_path


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
