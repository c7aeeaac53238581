"""Quadratic forms on the simplex, many at once: the weights of the active set."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.linalg.simplex import simplex_weights
from jjjpolicy.linalg.simplex_grams import gram_weights


@pytest.mark.parametrize(("rows", "columns"), [(30, 10), (12, 4), (200, 17)])
def test_weights_are_those_of_single_problems(rows: int, columns: int) -> None:
    rng = np.random.default_rng(columns)
    shared = rng.normal(size=(rows, columns)).cumsum(axis=1) + 3.0
    tables = shared + 0.3 * rng.normal(size=(40, rows, columns))
    weights, solved = gram_weights(np.einsum("prc,prd->pcd", tables, tables))
    assert solved.all()
    for table, own in zip(tables, weights, strict=True):
        assert own == pytest.approx(simplex_weights(table), abs=1e-10)


def test_a_matrix_that_is_nearly_singular_on_the_support_is_left_to_others() -> None:
    column, apart = np.eye(20)[0], 1e-5 * np.eye(20)[1]
    alike = np.column_stack([column + apart, column - apart])
    regular = np.diag([1.0, 3.0])
    weights, solved = gram_weights(np.stack([alike.T @ alike, regular]))
    assert solved.tolist() == [False, True]
    assert weights[1] == pytest.approx([0.75, 0.25])
