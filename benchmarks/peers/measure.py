"""Time and memory of one package on one task, in a process of its own."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from peers.r import InR
from peers.task import Task

SHARED = ("numpy", "pandas")
MOST_RUNS = 25
LONGEST = 5.0
TOO_SLOW_TO_REPEAT = 45.0


def measure(task: Task, package: str) -> dict[str, Any]:
    """First call apart, then as many runs as fit into ``LONGEST`` seconds, at most ``MOST_RUNS``;
    no further one after a first call longer than ``TOO_SLOW_TO_REPEAT``.

    Keys versions (of the package, numpy and pandas), first, seconds (median), processor (least,
    over all threads and child processes), runs, peak (MB beyond Python and the data, the import of
    the package included), data (MB), load of the machine at the start, answer.
    """
    warnings.simplefilter("ignore")
    data = task.data()
    size = data.memory_usage(index=False).sum() / 1e6 if hasattr(data, "memory_usage") else 0.0
    load, contender = os.getloadavg()[0], task.contenders[package]
    here = {"data": float(size), "load": load}
    if isinstance(contender, InR):
        return contender.measure(data, MOST_RUNS, LONGEST, TOO_SLOW_TO_REPEAT) | here
    gc.collect()
    before = _peak(reset=True)
    walls: list[float] = []
    processors: list[float] = []
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        answer, first, used = timed(contender, data)
        while not walls or (len(walls) < MOST_RUNS and sum(walls) + walls[-1] < LONGEST):
            if first > TOO_SLOW_TO_REPEAT:
                break
            answer, wall, processor = timed(contender, data)
            walls.append(wall)
            processors.append(processor)
    return here | {
        "versions": {name: version(name) for name in (package, *SHARED)},
        "first": first,
        "seconds": statistics.median(walls) if walls else None,
        "processor": min(processors or [used]),
        "runs": len(walls),
        "peak": _peak() - before,
        "answer": dict(answer),
    }


def timed(contender: Callable[[Any], Any], data: Any) -> tuple[Any, float, float]:
    """Answer, seconds, and processor seconds over all threads and child processes."""
    gc.collect()
    wall, processor = time.perf_counter(), _processor()
    answer = contender(data)
    return answer, time.perf_counter() - wall, _processor() - processor


def _processor() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def _peak(reset: bool = False) -> float:
    """Largest resident memory in MB, on Linux since the last reset; of children where larger."""
    status = Path("/proc/self/status")
    if status.is_file():
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return float(line.split()[1]) * 1024 / 1e6
    scale = 1e6 if sys.platform == "darwin" else 1e6 / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
