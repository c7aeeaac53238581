"""Positions of labels are right whoever asks at the same time; equal rows are found."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from jjjpolicy.linalg.positions import equal_rows, positions_in


def test_absent_labels_have_position_minus_one() -> None:
    found = positions_in(pd.Index(["a", "b", "c"]), pd.Index(["c", "x", "a"]))
    assert found.tolist() == [2, -1, 0]
    assert found.dtype == np.int64


def test_an_index_is_asked_by_one_thread_at_a_time() -> None:
    asking, most = 0, 0

    class Slow:
        def get_indexer(self, labels: pd.Index) -> np.ndarray:
            nonlocal asking, most
            asking += 1
            most = max(most, asking)
            time.sleep(0.005)
            asking -= 1
            return np.arange(len(labels))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: positions_in(Slow(), pd.Index([1, 2])), range(8)))  # type: ignore[arg-type]
    assert most == 1


@pytest.mark.parametrize("kind", [bool, float, np.int64])
def test_equal_rows_are_found_in_order(kind: type) -> None:
    table = np.array([[0, 1, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0], [1, 0, 0]]).astype(kind)
    found = [rows.tolist() for rows in equal_rows(table[:, ::-1])]
    assert found == [[0, 2], [1, 4], [3]]
