"""Elastic nets for many outcomes at once: optimality conditions, the lasso as their limit."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.linalg.elastic_net import elastic_net


@pytest.mark.parametrize(("rows", "columns"), [(30, 6), (12, 12), (10, 28)])
@pytest.mark.parametrize("mixing", [0.0, 0.1, 0.9, 1.0])
def test_optimality_conditions_hold_for_every_outcome_and_penalty(
    rows: int, columns: int, mixing: float
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, columns)) + 3 * rng.normal(size=(rows, 1))
    allowed = ~np.eye(columns, dtype=bool)
    penalties = np.array([3.0, 1.0, 0.1, 0.003])
    centred = x - x.mean(axis=0)
    for penalty, table in zip(
        penalties, elastic_net(x, x, penalties, mixing, allowed), strict=True
    ):
        assert (np.diag(table) == 0).all()
        residual = centred - centred @ table.T
        gradient = (centred.T @ residual / rows).T - penalty * (1 - mixing) * table
        used = table != 0
        bound = penalty * mixing
        assert gradient[used] == pytest.approx(bound * np.sign(table[used]), abs=1e-8)
        assert (np.abs(gradient[allowed & ~used]) <= bound + 1e-8).all()


def test_each_outcome_may_have_penalties_of_its_own() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(9, 5)), rng.normal(size=(9, 2))
    own = np.array([[1.0, 0.5], [0.2, 0.01]])
    together = elastic_net(x, y, own, 0.5)
    for i in range(2):
        alone = elastic_net(x, y[:, [i]], own[:, i], 0.5)
        assert together[:, [i]] == pytest.approx(alone, abs=1e-12)
