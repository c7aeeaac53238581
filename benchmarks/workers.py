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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
    parser.add_argument("--repeats", type=int, default=3)
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
                for _ in range(options.repeats):
                    subprocess.run(command, check=True)
                    found = json.loads(Path(file).read_text(encoding="utf-8"))
                    rows.append({"task": task, "mode": mode, **found})
                    print(rows[-1], flush=True)
    target = Path(__file__).parent / "results" / "workers.md"
    target.write_text(document(pd.DataFrame(rows), options.repeats), encoding="utf-8")


def design(*, varying: bool) -> jp.Design:
    """Simulated: 290 cities, three cohorts and never treated, covariates x1 and x2.

    Parameters
    ----------
    varying : bool
        Whether the covariates change over the years.
    """
    rng = np.random.default_rng(1)
    cities = 290
    first = rng.choice([0, 2010, 2013, 2016], cities)
    x = np.repeat(rng.normal(size=(cities, 1, 2)), len(YEARS), axis=1)
    if varying:
        x += 0.3 * rng.normal(size=x.shape).cumsum(axis=1)
    y = rng.normal(size=(cities, 1)) + 0.05 * (YEARS - 2005) * x[:, :, 0]
    y += 0.3 * ((first[:, None] <= YEARS) & (first[:, None] > 0))
    y += rng.normal(size=y.shape)
    frame = pd.DataFrame(
        {
            "city": np.repeat(np.arange(cities), len(YEARS)),
            "year": np.tile(YEARS, cities),
            "first": np.repeat(first, len(YEARS)),
            "y": y.ravel(),
            "x1": x[:, :, 0].ravel(),
            "x2": x[:, :, 1].ravel(),
        }
    )
    return jp.Design.from_frame(
        frame, unit="city", time="year", outcome="y", adoption="first", covariates=("x1", "x2")
    )


@dataclass(frozen=True)
class Task:
    """An estimator with covariates, and how it is resampled."""

    estimator: Any
    method: Any
    varying: bool

    def first(self) -> jp.Estimate:
        """The estimate alone; loads all that the estimator needs."""
        estimate: jp.Estimate = self.estimator.fit(design(varying=self.varying))
        return estimate

    def answer(self, jobs: int) -> float:
        """What must not depend on the workers."""
        found = self.first().with_inference(replace(self.method, jobs=jobs))
        assert found.inference is not None
        reference = found.inference.reference
        return float(found.se if reference is None else reference.sum())


BOOTSTRAP, RANDOMISATION = jp.inference.ClusterBootstrap, jp.inference.RandomizationInference
TASKS = {
    "cluster bootstrap of Callaway-Sant'Anna, 2,500 draws": Task(
        jp.did.CallawaySantAnna(), BOOTSTRAP(replications=2_500, seed=1), varying=False
    ),
    "randomisation of imputation, 6,000 assignments": Task(
        jp.did.Imputation(), RANDOMISATION(replications=6_000, seed=1), varying=True
    ),
    "randomisation of synthetic DiD, 4,000 assignments": Task(
        jp.synth.SyntheticDiD(), RANDOMISATION(replications=4_000, seed=1), varying=True
    ),
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
        list(run(_ready, [(task, i) for i in range(4)], jobs, "start", at_once=1))
        ready, before = time.perf_counter(), processor_seconds()
        answer = TASKS[task].answer(jobs)
        done, after = time.perf_counter(), processor_seconds()
    joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(each.ru_utime + each.ru_stime for each in used)
    memory = sum(each.ru_maxrss for each in used) / 2**20
    spent = sorted(after[process] - before.get(process, 0.0) for process in after)
    parts = 2 if " 2 " in mode else 1
    return {
        "start": ready - begun,
        "seconds": done - ready,
        "busiest": spent[-1],
        "even": sum(spent[-parts:]) / parts,
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


def _ready(task: str, number: int) -> int:
    """Imports what a task needs, and waits so that every worker gets a share."""
    estimate = TASKS[task].first()
    estimate.estimator.refit(estimate.design)
    time.sleep(0.2)
    return number


def document(rows: pd.DataFrame, repeats: int) -> str:
    """The table in Markdown, of each mode the run with the least of its busiest process."""
    same = (rows.groupby("task")["answer"].nunique() == 1).all()
    order = rows.groupby(["task", "mode"], sort=False)["busiest"]
    rows, spread = rows.loc[order.idxmin()], order.max() / order.min()
    lines = [
        "# One worker, two workers, a cluster (simulated data)",
        "",
        f"290 simulated cities × {len(YEARS)} years, three cohorts, two covariates (constant for "
        f"the bootstrap, varying for randomisation), {os.cpu_count()} processor cores "
        f"(load of the machine at the end, by its own count: {os.getloadavg()[0]:.1f}), "
        f"joblib {version('joblib')}, distributed {version('distributed')}, Python "
        f"{platform.python_version()}. *Start* is the time until all workers have imported what "
        f"they need. *Busiest* is the most processor time that any process spent on the task: what "
        f"it takes where each worker has a core to itself, and hardly dependent on the load, which "
        f"the seconds on the clock are; *times faster* goes by it. Of {repeats} runs the one in "
        f"which it was least; the others took up to {spread.max():.1f} times as much. Where other "
        f"work takes a core, its worker gets fewer pieces and the other one more: *if even* is how "
        f"many times faster it were with the time of both workers shared evenly. *All* is the "
        f"processor time of all processes from beginning to end, imports included. Made by "
        f"`python benchmarks/workers.py`.",
        "",
        "| task | workers | start, s | task, s | busiest, s | times faster | if even | all, s |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for task, own in rows.groupby("task", sort=False):
        base = float(own["busiest"].iloc[0])
        lines += [
            f"| {task} | {row.mode} | {row.start:.1f} | {row.seconds:.1f} | "
            f"{row.busiest:.1f} | {base / row.busiest:.2f} | {base / row.even:.2f} | "
            f"{row.processor:.1f} |"
            for row in own.itertuples()
        ]
    lines += ["", f"The numbers are {'identical' if same else '**NOT identical**'} in all modes."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
