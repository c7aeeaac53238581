"""Resampling on 1 and 2 workers, by joblib and by Dask: time and what the workers cost.

python benchmarks/workers.py
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import psutil

import jjjpolicy as jp
from jjjpolicy.estimation.parallel import run

MODES = ("one process", "joblib, 2 processes", "Dask, 1 worker", "Dask, 2 workers")
YEARS = np.arange(2005, 2021)


def main() -> None:
    """Measure each mode in a process of its own and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs=3, metavar=("MODE", "TASK", "FILE"))
    options = parser.parse_args()
    if options.measure:
        mode, task, file = options.measure
        Path(file).write_text(json.dumps(measured(mode, task)), encoding="utf-8")
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/found.json"
        for task in TASKS:
            for mode in MODES:
                command = [sys.executable, __file__, "--measure", mode, task, file]
                subprocess.run(command, check=True)
                found = json.loads(Path(file).read_text(encoding="utf-8"))
                rows.append({"task": task, "mode": mode, **found})
                print(rows[-1], flush=True)
    target = Path(__file__).parent / "results" / "workers.md"
    target.write_text(document(pd.DataFrame(rows)), encoding="utf-8")


def design(*covariates: str) -> jp.Design:
    """Simulated: 290 cities, three cohorts and never treated, covariates x1 and x2."""
    rng = np.random.default_rng(1)
    cities = 290
    first = rng.choice([0, 2010, 2013, 2016], cities)
    x = rng.normal(size=(cities, 2))
    y = rng.normal(size=(cities, 1)) + 0.05 * (YEARS - 2005) * x[:, :1]
    y = y + 0.3 * ((first[:, None] <= YEARS) & (first[:, None] > 0))
    y += rng.normal(size=y.shape)
    frame = pd.DataFrame(
        {
            "city": np.repeat(np.arange(cities), len(YEARS)),
            "year": np.tile(YEARS, cities),
            "first": np.repeat(first, len(YEARS)),
            "y": y.ravel(),
            "x1": np.repeat(x[:, 0], len(YEARS)),
            "x2": np.repeat(x[:, 1], len(YEARS)),
        }
    )
    return jp.Design.from_frame(
        frame, unit="city", time="year", outcome="y", adoption="first", covariates=covariates
    )


def bootstrap(jobs: int) -> float:
    """Callaway-Sant'Anna, doubly robust, estimated again on 800 samples of cities."""
    method = jp.inference.ClusterBootstrap(replications=800, seed=1, jobs=jobs)
    return float(jp.did.CallawaySantAnna().fit(design("x1", "x2")).with_inference(method).se)


def randomisation(jobs: int) -> float:
    """Imputation under 3,000 assignments of treatment."""
    method = jp.inference.RandomizationInference(replications=3_000, seed=1, jobs=jobs)
    return float(jp.did.Imputation().fit(design()).with_inference(method).inference.reference.sum())


TASKS: dict[str, Callable[[int], float]] = {
    "cluster bootstrap, 800 draws": bootstrap,
    "randomisation, 3,000 assignments": randomisation,
}


@contextmanager
def workers(mode: str) -> Iterator[int]:
    """Workers of a mode; yields what to pass as ``jobs``."""
    if not mode.startswith("Dask"):
        yield 1 if mode == "one process" else 2
        return
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=int(mode.split()[1]),
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        yield 2


def measured(mode: str, task: str) -> dict[str, float]:
    """Seconds until workers are ready and for the task, processor seconds of all, the answer."""
    begun = time.perf_counter()
    with workers(mode) as jobs:
        list(run(_ready, [(i,) for i in range(4)], jobs, "start", at_once=1))
        ready, before = time.perf_counter(), processor_seconds()
        answer = TASKS[task](jobs)
        done, after = time.perf_counter(), processor_seconds()
    joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(each.ru_utime + each.ru_stime for each in used)
    memory = sum(each.ru_maxrss for each in used) / 2**20
    return {
        "start": ready - begun,
        "seconds": done - ready,
        "busiest": max(after[process] - before.get(process, 0.0) for process in after),
        "processor": processor,
        "memory": memory,
        "answer": answer,
    }


def processor_seconds() -> dict[int, float]:
    """Processor seconds so far of this process and of each below it."""
    own = psutil.Process()
    found = {}
    for process in (own, *own.children(recursive=True)):
        times = process.cpu_times()
        found[process.pid] = times.user + times.system
    return found


def _ready(number: int) -> int:
    """Imports what the tasks need, and waits so that every worker gets a share."""
    jp.did.Imputation().fit(design())
    time.sleep(0.2)
    return number


def document(rows: pd.DataFrame) -> str:
    """The table in Markdown."""
    lines = [
        "# One worker, two workers, a cluster (simulated data)",
        "",
        f"290 simulated cities × {len(YEARS)} years, {os.cpu_count()} processor cores "
        f"(load of the machine at the end, by its own count: {os.getloadavg()[0]:.1f}), "
        f"joblib {version('joblib')}, distributed {version('distributed')}, Python "
        f"{platform.python_version()}. *Start* is the time until all workers have imported what "
        f"they need. *Busiest* is the most processor time that any process spent on the task: what "
        f"it takes where each worker has a core to itself, and hardly dependent on the load, which "
        f"the seconds on the clock are; *times faster* goes by it. *All* is the processor time of "
        f"all processes from beginning to end, imports included. Made by "
        f"`python benchmarks/workers.py`.",
        "",
        "| task | workers | start, s | task, s | busiest, s | times faster | all, s |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for task, own in rows.groupby("task", sort=False):
        base = float(own["busiest"].iloc[0])
        lines += [
            f"| {task} | {row.mode} | {row.start:.1f} | {row.seconds:.1f} | "
            f"{row.busiest:.1f} | {base / row.busiest:.2f} | {row.processor:.1f} |"
            for row in own.itertuples()
        ]
    same = (rows.groupby("task")["answer"].nunique() == 1).all()
    lines += ["", f"The numbers are {'identical' if same else '**NOT identical**'} in all modes."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
