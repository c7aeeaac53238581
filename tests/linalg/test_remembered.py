"""Results of functions of arrays that are kept."""

from __future__ import annotations

import numpy as np
import pytest

from jjjpolicy.linalg import remembered as module
from jjjpolicy.linalg.remembered import remembered
from jjjpolicy.linalg.types import Floats


def test_the_same_is_computed_once_until_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []

    @remembered
    def doubled(values: Floats, number: float) -> Floats:
        calls.append(number)
        return 2 * values + number

    ones = np.ones(3)
    for number in (0.0, 1.0, 0.0, 1.0):
        assert doubled(ones, number).tolist() == [2.0 + number] * 3
    assert calls == [0.0, 1.0]
    assert doubled(ones.reshape(3, 1), 0.0).shape == (3, 1)
    monkeypatch.setattr(module, "ROOM", 0)
    doubled(ones, 2.0)
    doubled(ones, 0.0)
    assert calls == [0.0, 1.0, 0.0, 2.0, 0.0]
