"""jjjpolicy and other packages side by side: time, memory, agreement; one Markdown table.

    python benchmarks/run.py                 all tasks
    python benchmarks/run.py twfe sdid       some of them
    python benchmarks/run.py --busy cs       the same while four processes occupy the cores

Needs the extra ``peers`` and, for R packages, R (README.md says what to install); packages that
are not installed are reported as absent. Each package answers each task in a process of its own,
from the user's data frame to the estimate. The measurements are kept beside the table, so that
running some tasks or packages replaces only these; ``--busy`` adds a column to what has been
measured and leaves the rest as it is.
scpi_pkg 4.0.0 needs pandas before 3: give it an environment with nothing but scpi_pkg and pandas<3,
and run ``intervals --package scpi_pkg`` from there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from peers import leaking, resampling, staggered, start, synthetic
from peers.busy import busy_machine, users_environment
from peers.r import InR
from peers.table import UNMEASURED, document
from peers.task import Task

TASKS: dict[str, Task] = {
    **staggered.TASKS,
    **resampling.TASKS,
    **synthetic.TASKS,
    **leaking.TASKS,
    **start.TASKS,
}
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure what is asked for and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--package", action="append", help="only this one; repeatable")
    parser.add_argument("--busy", action="store_true", help="on a busy machine")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds per package and task")
    parser.add_argument("--output", type=Path, default=RESULTS / "peers.md")
    parser.add_argument("--measure", nargs=3, metavar=("TASK", "PACKAGE", "FILE"))
    options = parser.parse_args()
    if options.measure:
        from peers.measure import measure

        name, package, file = options.measure
        Path(file).write_text(json.dumps(measure(TASKS[name], package)), encoding="utf-8")
        return
    unknown = sorted(set(options.tasks) - set(TASKS))
    if unknown:
        parser.error(f"no task {', '.join(unknown)}; there are {', '.join(TASKS)}")
    record = options.output.with_suffix(".json")
    measured: dict[str, dict[str, Any]] = {}
    if record.is_file() and (options.tasks or options.package or options.busy):
        measured = json.loads(record.read_text(encoding="utf-8"))
    for name in options.tasks or TASKS:
        measured.setdefault(name, {})
        for package in TASKS[name].contenders:
            if options.package and package not in options.package:
                continue
            if options.busy:
                with busy_machine():
                    found = in_a_process(name, package, options.timeout, users_environment())
                measured[name].setdefault(package, dict(UNMEASURED))["busy"] = found
            else:
                found = in_a_process(name, package, options.timeout, os.environ)
                measured[name][package] = found
            print(name, package, found, flush=True)
            options.output.parent.mkdir(exist_ok=True)
            record.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
            options.output.write_text(document(TASKS, measured), encoding="utf-8")


def why_absent(name: str, package: str) -> str | None:
    """Why a package cannot be measured here; None where it can."""
    contender = TASKS[name].contenders[package]
    if isinstance(contender, InR):
        return contender.absent
    try:
        version(package)
    except PackageNotFoundError:
        return "not installed"
    return None


def in_a_process(
    name: str, package: str, timeout: float, environment: Mapping[str, str]
) -> dict[str, Any]:
    """The measurement, or why there is none."""
    absent = why_absent(name, package)
    if absent:
        return {"absent": absent}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "measured.json"
        command = [sys.executable, __file__, "--measure", name, package, str(file)]
        # As in an ordinary installation: compiled modules are kept from one process to the next.
        kept = {key: v for key, v in environment.items() if key != "PYTHONDONTWRITEBYTECODE"}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout, env=kept
            )
        except subprocess.TimeoutExpired:
            return {
                "absent": f"no answer within {timeout:.0f} seconds, first call with import and "
                "compilation included, on a loaded machine"
                if os.getloadavg()[0] > (os.cpu_count() or 1)
                else f"no answer within {timeout:.0f} seconds, first call included"
            }
        if done.returncode != 0 or not file.is_file():
            cause = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            return {"absent": f"failed: {cause[:120]}"}
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found


if __name__ == "__main__":
    main()
