"""Fifty million SIMULATED rows from Parquet to estimates: time, memory and agreement.

python benchmarks/larger_than_memory.py --units 3125000
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
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import jjjpolicy as jp

YEARS = np.arange(2003, 2019)
COHORTS = (0, 2008, 2010, 2012, 2014, 2016)
EFFECT = 0.3
CHUNK = 62_500
SCHEMA = pa.schema(
    [("firm", pa.int32()), ("year", pa.int16()), ("first", pa.int16()), ("y", pa.float64())]
)
ESTIMATORS = {
    "two-way fixed effects": jp.did.TwoWayFixedEffects(),
    "Callaway-Sant'Anna": jp.did.CallawaySantAnna(),
    "imputation": jp.did.Imputation(),
}
COLUMNS = {"unit": "firm", "time": "year", "outcome": "y", "adoption": "first"}
LAYOUTS = {"sorted by firm": "sorted/*.parquet", "one file per year": "years/*.parquet"}


def main() -> None:
    """Simulate, measure each layout in a process of its own, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=3_125_000)
    parser.add_argument("--measure", nargs=2, metavar=("PATHS", "FILE"))
    options = parser.parse_args()
    if options.measure:
        paths, file = options.measure
        Path(file).write_text(json.dumps(measured(paths)), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), options.units)
        size = sum(f.stat().st_size for f in Path(folder, "sorted").iterdir()) / 2**20
        found = {
            name: in_a_process(f"{folder}/{pattern}", f"{folder}/found.json")
            for name, pattern in LAYOUTS.items()
        }
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), CHUNK)
        agreement = compared(Path(folder))
    target = Path(__file__).parent / "results" / "larger_than_memory.md"
    target.write_text(document(options.units, size, found, agreement), encoding="utf-8")


def simulate(folder: Path, units: int) -> None:
    """The same rows twice: sorted by firm, and one file per year with firms in random order."""
    rng = np.random.default_rng(1)
    for name in ("sorted", "years"):
        (folder / name).mkdir()
    with ExitStack() as stack:
        whole = stack.enter_context(pq.ParquetWriter(folder / "sorted" / "all.parquet", SCHEMA))
        yearly = [
            stack.enter_context(pq.ParquetWriter(folder / "years" / f"{year}.parquet", SCHEMA))
            for year in YEARS
        ]
        for start in range(0, units, CHUNK):
            firms = np.arange(start, min(start + CHUNK, units), dtype=np.int32)
            first = rng.choice(COHORTS, len(firms)).astype(np.int16)
            treated = (first[:, None] <= YEARS) & (first[:, None] > 0)
            y = rng.normal(size=(len(firms), 1)) + 0.02 * (YEARS - YEARS[0]) + EFFECT * treated
            y += 0.5 * rng.normal(size=y.shape)
            columns = [
                np.repeat(firms, len(YEARS)),
                np.tile(YEARS.astype(np.int16), len(firms)),
                np.repeat(first, len(YEARS)),
                y.ravel(),
            ]
            whole.write_table(pa.table(columns, schema=SCHEMA))
            for t, writer in enumerate(yearly):
                mixed = rng.permutation(len(firms))
                year = np.full(len(firms), YEARS[t], dtype=np.int16)
                columns = [firms[mixed], year, first[mixed], y[mixed, t]]
                writer.write_table(pa.table(columns, schema=SCHEMA))


def in_a_process(paths: str, file: str) -> dict[str, Any]:
    """Steps of one layout."""
    subprocess.run([sys.executable, __file__, "--measure", paths, file], check=True)
    found: dict[str, Any] = json.loads(Path(file).read_text(encoding="utf-8"))
    return found


def measured(paths: str) -> dict[str, Any]:
    """Seconds, processor seconds and estimates of each step, and peak memory of the process."""
    steps: list[tuple[str, float, float, list[float]]] = []
    start, processor = time.perf_counter(), time.process_time()

    def step(name: str, numbers: list[float]) -> None:
        nonlocal start, processor
        steps.append((name, time.perf_counter() - start, time.process_time() - processor, numbers))
        start, processor = time.perf_counter(), time.process_time()

    design = jp.Design.from_parquet(paths, **COLUMNS)
    step("from the files to the design", [design.n_units, design.n_observations])
    for name, estimator in ESTIMATORS.items():
        estimate = estimator.fit(design)
        step(name, [estimate.att, estimate.se])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"steps": steps, "memory": memory}


def compared(folder: Path) -> float:
    """Largest relative difference of estimates and errors from those in memory."""
    frame = pq.read_table(folder / "sorted" / "all.parquet").to_pandas()
    whole = jp.Design.from_frame(frame, **COLUMNS)
    summed = jp.Design.from_parquet(folder / "years" / "*.parquet", **COLUMNS)
    gaps = []
    for estimator in ESTIMATORS.values():
        one, other = estimator.fit(whole), estimator.fit(summed)
        columns = ["estimate", "se"]
        pairs = [
            (np.array([one.att, one.se]), np.array([other.att, other.se])),
            (one.effects[columns].to_numpy(), other.effects[columns].to_numpy()),
        ]
        gaps += [np.nanmax(np.abs(b - a) / np.maximum(np.abs(a), 1e-3)) for a, b in pairs]
    return float(max(gaps))


def document(units: int, size: float, found: dict[str, Any], agreement: float) -> str:
    """The table in Markdown."""
    rows = units * len(YEARS)
    lines = [
        "# Panels larger than memory (simulated)",
        "",
        f"{rows:,} simulated rows ({units:,} firms × {len(YEARS)} years, {len(COHORTS) - 1} "
        f"cohorts and never treated), {size:.0f} MB of Parquet, read with "
        f"`Design.from_parquet`; DuckDB {version('duckdb')}, PyArrow {version('pyarrow')}, Python "
        f"{platform.python_version()}, {os.cpu_count()} processor cores, load of the machine at "
        f"the end by its own count {os.getloadavg()[0]:.1f}. Processor seconds are over all "
        f"threads and do not depend on the load. The same firms once sorted, and once in one file "
        f"per year in random order, which DuckDB sorts on disk within 1 GB. Made by "
        f"`python benchmarks/larger_than_memory.py --units {units}`.",
        "",
        "| rows | step | seconds | processor seconds | estimate | standard error |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for layout, result in found.items():
        for name, seconds, processor, (first, second) in result["steps"]:
            numbers = f"{first:.6f} | {second:.6f}"
            if name not in ESTIMATORS:
                numbers = f"{first:,.0f} rows stand for all | "
            lines.append(f"| {layout} | {name} | {seconds:.2f} | {processor:.2f} | {numbers} |")
    lines += ["", "| rows | peak memory of the process, GB |", "|---|--:|"]
    lines += [f"| {layout} | {result['memory']:.2f} |" for layout, result in found.items()]
    lines += [
        "",
        f"The simulated effect is {EFFECT}. At {CHUNK * len(YEARS):,} rows, estimates and standard "
        f"errors, overall and by event time, differ from those of the table in memory by at most "
        f"{agreement:.0e} (relative, or absolute below 0.001).",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
