"""Work on several processors or on a Dask cluster: the numbers of one process, come what may."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from panels import simulated_panel, staggered_panel

import jjjpolicy as jp
from jjjpolicy.errors import warn_user
from jjjpolicy.estimation.parallel import run, workers
from jjjpolicy.estimation.refits import Refits, refit_blocks


def design(adoption: dict[int, int], units: int = 12) -> jp.Design:
    frame = simulated_panel(units=units, periods=8, adoption=adoption, effect=1.0)
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")


def staggered() -> jp.Design:
    return jp.Design.from_frame(
        staggered_panel(units=24, effect=1.0),
        unit="unit",
        time="period",
        outcome="y",
        adoption="first",
        covariates=["x"],
    )


def test_results_come_in_the_order_of_the_tasks() -> None:
    def work(i: int, j: int) -> int:
        return 10 * i + j

    tasks = [(i, 1) for i in range(7)]
    expected = [10 * i + 1 for i in range(7)]
    assert list(run(work, tasks, 1, "x")) == expected
    assert list(run(work, tasks, 2, "x")) == expected
    assert list(run(work, tasks, 2, "x", at_once=3)) == expected
    assert workers(2) == 2


def test_warnings_of_workers_are_said_once_by_the_process_that_hands_out_the_work() -> None:
    def work(i: int) -> int:
        warn_user("the same for all")
        if i == 3:
            warn_user("only of the last")
        return i

    for jobs in (1, 2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert list(run(work, [(i,) for i in range(4)], jobs, "x", at_once=1)) == [0, 1, 2, 3]
        texts = [str(each.message) for each in caught if each.category is jp.JJJPolicyWarning]
        assert sorted(set(texts)) == ["only of the last", "the same for all"]
        assert len(texts) == (5 if jobs == 1 else 2)


def test_shared_and_own_arguments_come_in_their_places() -> None:
    def work(first: str, i: int, shared: list[int], last: str) -> tuple[str, int, list[int], str]:
        return first, i, shared, last

    shared = [1, 2]
    tasks = [("a", i, shared, "z") for i in range(5)]
    for jobs in (1, 2):
        assert list(run(work, tasks, jobs, "x", at_once=2)) == tasks
    assert list(run(work, tasks[:1], 2, "x")) == tasks[:1]


def test_an_interrupt_is_answered_by_the_process_that_hands_out_the_work() -> None:
    def ignored(_: int) -> bool:
        return signal.getsignal(signal.SIGINT) is signal.SIG_IGN

    tasks = [(i,) for i in range(4)]
    assert list(run(ignored, tasks, 2, "x")) == [True] * 4
    before = signal.getsignal(signal.SIGINT)
    assert list(run(ignored, tasks, 1, "x")) == [before is signal.SIG_IGN] * 4
    assert signal.getsignal(signal.SIGINT) is before


class Failing:
    """Stands for joblib on a cluster that loses a worker after every second result."""

    def __init__(self, **_: Any) -> None: ...

    def __call__(self, calls: Iterator[Any]) -> Iterator[Any]:
        for number, (function, args, kwargs) in enumerate(calls):
            if number == 2:
                raise CancelledError
            yield function(*args, **kwargs)


def test_tasks_of_a_lost_worker_are_handed_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblib, "Parallel", Failing)
    done: list[int] = []

    def work(i: int) -> int:
        done.append(i)
        return i

    assert list(run(work, [(i,) for i in range(7)], 2, "x", at_once=1)) == list(range(7))
    assert done == list(range(7))


def test_a_cluster_that_loses_every_worker_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jjjpolicy.estimation.parallel.ATTEMPTS", 1)
    monkeypatch.setattr(joblib, "Parallel", Failing)
    with pytest.raises(CancelledError):
        list(run(abs, [(i,) for i in range(7)], 2, "x", at_once=1))


@pytest.mark.parametrize("count", [1, 31, 100, 199, 257, 1_000, 1_300])
def test_blocks_are_alike_and_cover_all_assignments(count: int) -> None:
    blocks: list[int] = []

    def refit(_: jp.Design, adoptions: Any) -> Refits:
        blocks.append(len(adoptions))
        return Refits(att=adoptions[:, 0])

    own = design({0: 2006})
    adoptions = np.arange(count * own.n_units, dtype=float).reshape(count, -1)
    found = refit_blocks(refit, own, adoptions, 1, "x")
    np.testing.assert_array_equal(found.att, adoptions[:, 0])
    assert max(blocks) <= 256
    assert len(blocks) % 4 == 0 or count < 128
    assert max(blocks) - min(blocks) <= len(blocks)


METHODS = {
    "placebo": (
        jp.synth.SyntheticControl(),
        jp.inference.PlaceboUnits(jobs=2),
        lambda: design({0: 2006}),
    ),
    "randomisation": (
        jp.did.CallawaySantAnna(),
        jp.inference.RandomizationInference(replications=30, seed=1, jobs=2),
        staggered,
    ),
    "bootstrap": (
        jp.did.Imputation(),
        jp.inference.ClusterBootstrap(replications=30, seed=1, jobs=2),
        staggered,
    ),
    "jackknife": (jp.did.CallawaySantAnna(), jp.inference.Jackknife(jobs=2), staggered),
}


@pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")
def test_a_cluster_gives_the_numbers_of_one_process_and_survives_a_killed_worker(
    tmp_path: Path,
) -> None:
    """One test, since starting the two workers is most of the time."""
    distributed = pytest.importorskip("distributed", reason="a cluster needs the extra 'dask'")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        for name in METHODS:
            before = changes_seen(client)
            there, here = (with_jobs(name, jobs) for jobs in (2, 1))
            assert changes_seen(client) > before, name
            assert (there.pvalue, there.se) == (here.pvalue, here.se), name
            if here.inference.reference is not None:
                np.testing.assert_array_equal(there.inference.reference, here.inference.reference)
        what_tasks_share_reaches_each_worker_once()
        there, here = (calibration(jobs, tmp_path) for jobs in (2, 1))
        assert there.size.equals(here.size)
        assert there.power.equals(here.power)
        kill_one_in_the_middle(client)


def what_tasks_share_reaches_each_worker_once() -> None:
    def seen(i: int, values: Any) -> tuple[int, int, int]:
        time.sleep(0.01)
        return os.getpid(), id(values), i

    values = np.ones(1_000)
    found = list(run(seen, [(i, values) for i in range(20)], 2, "x", at_once=1))
    assert [i for _, _, i in found] == list(range(20))
    assert os.getpid() not in {process for process, _, _ in found}
    assert len({process for process, _, _ in found}) == 2
    assert len({(process, place) for process, place, _ in found}) == 2


def with_jobs(name: str, jobs: int) -> Any:
    estimator, method, make = METHODS[name]
    return estimator.fit(make()).with_inference(replace(method, jobs=jobs))


def changes_seen(client: Any) -> int:
    """Changes in the state of tasks that the scheduler has seen so far."""
    counted: int = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
    return counted


def calibration(jobs: int, folder: Path) -> Any:
    return jp.sensitivity.calibrate(
        {"y": design({0: 2006, 1: 2006})},
        {"TWFE": jp.did.TwoWayFixedEffects()},
        {"randomisation": jp.inference.RandomizationInference(replications=19, seed=1)},
        treated=[1],
        draws=4,
        power_draws=2,
        jobs=jobs,
        directory=folder / str(jobs),
    )


def kill_one_in_the_middle(client: Any) -> None:
    def work(values: Any, i: int) -> float:
        time.sleep(0.02)
        return float(values.sum()) + i

    values = np.ones(1_000)
    results = run(work, [(values, i) for i in range(60)], 2, "x", at_once=1)
    first = next(results)
    victim = next(iter(client.run(os.getpid).values()))
    os.kill(victim, signal.SIGKILL)
    assert [first, *results] == [1_000.0 + i for i in range(60)]
    assert victim not in client.run(os.getpid).values()
