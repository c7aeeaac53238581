"""Linear algebra in one thread: what holds inside, and that the user's number comes back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import joblib
import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimate, Estimator, Inference
from jjjpolicy.estimation.parallel import run
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.linalg.threads import loaded, one_thread


def numbers() -> list[int]:
    """Threads of each library."""
    return [library.threads() for library in loaded()]


@pytest.fixture(autouse=True)
def users_number() -> Iterator[list[int]]:
    """Two threads, as a user with two cores has them."""
    pytest.importorskip("scipy.linalg")
    libraries = list(loaded())
    if not libraries:
        pytest.skip("numpy is linked to another library than OpenBLAS")
    before = numbers()
    for library in libraries:
        library.set_threads(2)
    yield numbers()
    for library, threads in zip(libraries, before, strict=True):
        library.set_threads(threads)


@pytest.mark.skipif(sys.platform == "darwin", reason="wheels for macOS may use Accelerate")
def test_both_libraries_of_the_wheels_are_found(users_number: list[int]) -> None:
    assert np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"] == "scipy-openblas"
    assert users_number == [2, 2]


def test_the_number_comes_back_after_nesting_and_after_an_error(users_number: list[int]) -> None:
    @one_thread
    def fails() -> None:
        with one_thread:
            assert set(numbers()) == {1}
        assert set(numbers()) == {1}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert numbers() == users_number


def test_the_number_comes_back_when_the_last_of_several_python_threads_leaves(
    users_number: list[int],
) -> None:
    entered, left = Barrier(3), Barrier(2)

    def work(stays: bool) -> list[int]:
        with one_thread:
            entered.wait()
            if stays:
                left.wait()
                return numbers()
        left.wait()
        return []

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(work, stays) for stays in (False, True)]
        entered.wait()
        found = [future.result() for future in waiting]
    assert found == [[], [1] * len(users_number)]
    assert numbers() == users_number


def test_a_number_that_somebody_else_sets_meanwhile_stays() -> None:
    first = next(loaded())
    with one_thread:
        first.set_threads(3)
    assert first.threads() == 3


SEEN: list[list[int]] = []


class Watching(Estimator):
    """Notes the number of threads in each method that computes."""

    def fit(self, design: jp.Design) -> Estimate:
        SEEN.append(numbers())
        return jp.did.TwoWayFixedEffects().fit(design)

    def refit(self, design: jp.Design) -> Refits:
        SEEN.append(numbers())
        raise ArithmeticError


class WatchingInference(Inference):
    def infer(self, estimate: Estimate) -> Estimate:
        SEEN.append(numbers())
        return estimate


def test_whatever_a_user_derives_computes_in_one_thread(users_number: list[int]) -> None:
    SEEN.clear()
    frame = simulated_panel(8, 6, {0: 2003, 1: 2005})
    names = {"unit": "unit", "time": "period", "outcome": "y"}
    design = jp.Design.from_frame(frame, **names, treatment="treated")
    estimate = Watching().fit(design).with_inference(WatchingInference())
    with pytest.raises(ArithmeticError):
        Watching().refit_many(design, design.adoption[None])
    assert [[1] * len(users_number)] * 3 == SEEN
    assert len(estimate.effects)
    assert numbers() == users_number


@pytest.mark.parametrize("jobs", [1, 2])
def test_work_has_one_thread_in_every_worker(jobs: int, users_number: list[int]) -> None:
    def work(_: int) -> Any:
        import numpy  # noqa: F401

        return [library.threads() for library in loaded()]

    with joblib.parallel_config(backend="loky", inner_max_num_threads=2):
        found = list(run(work, [(i,) for i in range(4)], jobs, "x"))
    assert {threads for each in found for threads in each} == {1}
    assert numbers() == users_number
