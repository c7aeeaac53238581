"""Covariances of estimates."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.estimation.variance import clustered_covariance, covariance_rank


@pytest.mark.parametrize("seed", range(5))
def test_rank_of_a_covariance_is_bounded_by_clusters_and_not_moved_by_units(seed: int) -> None:
    rng = np.random.default_rng(seed)
    influence = rng.normal(size=(60, 5)) * 10.0 ** np.array([-6, -3, 0, 3, 6])
    codes = np.repeat(np.arange(20), 3)
    assert covariance_rank(clustered_covariance(influence, codes)) == 5
    assert covariance_rank(clustered_covariance(influence, codes % 3)) == 3
    influence[:, 4] = influence[:, 2] / 3 + influence[:, 3] * 0.1
    assert covariance_rank(clustered_covariance(influence, codes)) == 4
    influence[:, 0] = 0.0
    assert covariance_rank(clustered_covariance(influence, codes)) == 3
