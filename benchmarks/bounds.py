"""What bounds the times on panels: steps, functions, bytes moved and memory bandwidth.

    python benchmarks/bounds.py

Seconds are of processor time, the least of several runs, so that other work on the machine hardly
moves them; wall time cannot be below them by more than the number of threads.
"""

from __future__ import annotations

import cProfile
import gc
import os
import pstats
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from peers.panels import MILLION
from peers.staggered import COVARIATES, NAMES, TASKS

import jjjpolicy as jp

RESULT = Path(__file__).parent / "results" / "bounds.md"
RUNS, SHOWN, AGAIN = 7, 3, 50
STAGGERED: dict[str, Any] = {"adoption": "first"}
ADJUSTED: dict[str, Any] = STAGGERED | {"covariates": COVARIATES}
NEVER = jp.did.CallawaySantAnna(control="never")
WAYS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "twfe": ({"treatment": "treated"}, jp.did.TwoWayFixedEffects(), None),
    "cs": (ADJUSTED, NEVER, None),
    "cs-plain": (STAGGERED, NEVER, None),
    "cs-bootstrap": (ADJUSTED, NEVER, jp.inference.MultiplierBootstrap(replications=999, seed=1)),
    "sun-abraham": (STAGGERED, jp.did.SunAbraham(), None),
    "imputation": (STAGGERED, jp.did.Imputation(), None),
    "etwfe": (STAGGERED, jp.did.ExtendedTWFE(), None),
    "cs-cities": (ADJUSTED, NEVER, None),
}
STEPS = ("design", "fit", "inference", "effects")


def main() -> None:
    """Measure and write the page."""
    million = MILLION()
    bandwidth = copying()
    lines = [
        "# What bounds the times on panels",
        "",
        f"Processor seconds, the least of {RUNS} runs ({RUNS * AGAIN} on the small panel), one "
        "thread, on simulated panels. Copying an "
        f"array larger than the caches moves {bandwidth / 1e9:.1f} GB per second here, reads and "
        "writes counted. *Columns* are the bytes of the columns that the task must read once; "
        "*least* is how long moving them takes at that rate. Functions are those with most time of "
        "their own in a profile, their share of it, and the number of calls of all functions. "
        f"{os.cpu_count()} cores; load of the machine {os.getloadavg()[0]:.1f}. Made by "
        "`python benchmarks/bounds.py`.",
        "",
        f"| task | goal | all | {' | '.join(STEPS)} | columns, MB | least | functions |",
        "|---|" + "---:|" * (len(STEPS) + 4) + "---|",
    ]
    shares, missed = [], []
    for name, way in WAYS.items():
        task = TASKS[name]
        frame = million if task.data is MILLION else task.data()
        runs = []
        again = 1 if frame is million else AGAIN
        for _ in range(RUNS * again):
            gc.collect()
            runs.append(run(frame, *way))
        times = np.min(runs, axis=0)
        used = [*NAMES.values(), *columns_of(way[0])]
        size = float(frame[used].memory_usage(index=False).sum())
        cells = [task.title, f"{task.goal:g}", *map(shown, [times.sum(), *times])]
        cells += [f"{size / 1e6:.1f}", shown(size / bandwidth)]
        cells.append(", ".join(functions(partial(run, frame, *way), again)))
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
        missed += [task.title] if times.sum() > (task.goal or np.inf) else []
        shares += [size / bandwidth / times.sum()] if frame is million else []
    lines += [
        "",
        f"Goals not met in processor time: {'; '.join(missed) or 'none'}. On a million rows, "
        f"moving the columns once would take {min(shares):.1%} to {max(shares):.1%} of the time: "
        "what bounds these tasks is how often they pass over arrays of units × effects, not "
        "reading. "
        "On the small panel it is the number of calls, of which no function has a large share.",
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(frame: Any, options: dict[str, Any], estimator: Any, inference: Any) -> list[float]:
    """Processor seconds of each of :data:`STEPS`."""
    seconds = [0.0] * len(STEPS)
    design, seconds[0] = timed(lambda: jp.Design.from_frame(frame, **NAMES, **options))
    estimate, seconds[1] = timed(lambda: estimator.fit(design))
    if inference is not None:
        estimate, seconds[2] = timed(lambda: estimate.with_inference(inference))
    if "adoption" in options:
        seconds[3] = timed(lambda: estimate.effects)[1]
    return seconds


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and its processor seconds."""
    begun = time.process_time()
    found = work()
    return found, time.process_time() - begun


def columns_of(options: dict[str, Any]) -> list[str]:
    """Columns named by the options of a design."""
    named: list[str] = []
    for value in options.values():
        named += [value] if isinstance(value, str) else value
    return named


def copying(size: int = 400_000_000) -> float:
    """Bytes per second moved by copying an array: those read and those written."""
    source = np.ones(size // 8)
    target = np.empty_like(source)
    np.copyto(target, source)
    return 2 * size / min(timed(lambda: np.copyto(target, source))[1] for _ in range(RUNS))


def functions(work: Callable[[], Any], again: int) -> list[str]:
    """Functions with most time of their own, their share, and the number of calls in one run."""
    profile = cProfile.Profile()
    for _ in range(again):
        profile.runcall(work)
    table: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    own = sorted(((row[2], key) for key, row in table.items()), reverse=True)
    own = [(seconds, key) for seconds, key in own if "process_time" not in key[2]]
    total, calls = sum(seconds for seconds, _ in own), sum(row[1] for row in table.values())
    most = [f"{named(key)} {seconds / total:.0%}" for seconds, key in own[:SHOWN]]
    return [*most, f"{calls // again:,} calls"]


def named(key: tuple[str, int, str]) -> str:
    """Module and function of a profile's entry."""
    path, _, function = key
    return function.strip("{}<>") if path == "~" else f"{Path(path).stem}.{function.strip('<>')}"


def shown(seconds: float) -> str:
    return "–" if seconds < 5e-5 else f"{seconds:.4f}"


if __name__ == "__main__":
    main()
