"""SIMULATED rows that DuckDB holds and sums up: seconds and memory of each step, and agreement.

python benchmarks/tables.py --rows 100000000 --memory 4GiB --folder /tmp

With pyspark and Java, ``--shuffle`` measures instead what leaves the partitions on Spark.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ibis
import numpy as np

import jjjpolicy as jp
from jjjpolicy.design.intake import queries, tables

YEARS = range(2003, 2019)
COHORTS = (0, 2008, 2010, 2012, 2014, 2016)
EFFECT = 0.3
ESTIMATORS = {
    "two-way fixed effects": jp.did.TwoWayFixedEffects(),
    "event study": jp.did.EventStudy(),
    "Sun-Abraham": jp.did.SunAbraham(),
    "extended two-way fixed effects": jp.did.ExtendedTWFE(),
    "Callaway-Sant'Anna": jp.did.CallawaySantAnna(),
    "imputation": jp.did.Imputation(),
    "two-stage": jp.did.TwoStage(),
}
COLUMNS = {"unit": "firm", "time": "year", "outcome": "y", "adoption": "first"}
ROWS = """
with rows as (
    select i // {width} as firm, {start} + i % {width} as year,
           [{cohorts}][1 + (hash(i // {width}) % {kinds})::int] as first
    from range({rows}) r(i)
)
select firm::int as firm, year::smallint as year, first::smallint as first,
       {normal_firm} + 0.5 * {normal_row} + 0.02 * (year - {start})
       + {effect} * (first > 0 and year >= first)::int as y
from rows
"""
"""Cohort, firm effect and noise are hashes of the firm and of the firm and year."""


def normal(*keys: str) -> str:
    """A standard normal number from hashes of some columns (Box and Muller)."""
    one, two = (
        f"((hash({', '.join(keys)}, {k})::double + 1) / 18446744073709551617.0)" for k in (1, 2)
    )
    return f"sqrt(-2 * ln({one})) * cos(2 * pi() * {two})"


def rows_of(number: int) -> str:
    """The query that simulates a number of rows."""
    return ROWS.format(
        width=len(YEARS),
        start=YEARS[0],
        cohorts=", ".join(map(str, COHORTS)),
        kinds=len(COHORTS),
        rows=number,
        effect=EFFECT,
        normal_firm=normal("firm"),
        normal_row=normal("firm", "year"),
    )


def main() -> None:
    """Simulate, measure in a process of its own, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--memory", default="4GiB", help="what DuckDB may use")
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="for rows and spilling")
    parser.add_argument("--measure", metavar="FOLDER")
    parser.add_argument("--shuffle", action="store_true")
    options = parser.parse_args()
    results = Path(__file__).parent / "results"
    if options.shuffle:
        print(shuffled(options.rows))
        return
    if options.measure:
        found = measured(Path(options.measure), options.rows, options.memory)
        Path(options.measure, "found.json").write_text(json.dumps(found), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        again = ["--rows", str(options.rows), "--memory", options.memory, "--measure", folder]
        subprocess.run([sys.executable, __file__, *again], check=True)
        found = json.loads(Path(folder, "found.json").read_text(encoding="utf-8"))
    target = results / f"tables_{options.rows}.json"
    target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    known = [json.loads(path.read_text("utf-8")) for path in results.glob("tables_*.json")]
    known.sort(key=lambda each: each["rows"])
    (results / "tables.md").write_text(document(known), encoding="utf-8")


def connected(folder: Path, memory: str) -> Any:
    """DuckDB that spills into a folder."""
    connection = ibis.duckdb.connect(memory_limit=memory, temp_directory=str(folder / "spilled"))
    connection.raw_sql("set preserve_insertion_order = false")
    return connection


@contextmanager
def timed(steps: list[Any], name: str) -> Iterator[None]:
    """Note seconds, and processor seconds of all threads, of a step."""
    start, processor = time.perf_counter(), time.process_time()
    yield
    steps.append([name, time.perf_counter() - start, time.process_time() - processor])


@contextmanager
def steps_of_the_intake(steps: list[Any]) -> Iterator[None]:
    """Note the time of what the engine is asked, by the functions of the package that ask."""
    kept = iter(["units as rows", "kinds of units and their means"])
    watched: list[tuple[Any, str, Callable[[], str]]] = [
        (tables, "_by_period", lambda: "rows by period, checks of rows"),
        (queries.Queries, "_kept", lambda: next(kept)),
        (queries.Queries, "_require_sound", lambda: "checks of units"),
        (queries.Queries, "_placed", lambda: "centred products"),
        (queries.Queries, "_later", lambda: "adoption after the last period"),
    ]
    before = [getattr(owner, name) for owner, name, _ in watched]

    def watching(function: Any, label: Callable[[], str]) -> Any:
        def call(*arguments: Any) -> Any:
            with timed(steps, label()):
                return function(*arguments)

        return call

    for (owner, name, label), function in zip(watched, before, strict=True):
        setattr(owner, name, watching(function, label))
    try:
        yield
    finally:
        for (owner, name, _), function in zip(watched, before, strict=True):
            setattr(owner, name, function)


@contextmanager
def largest(folder: Path) -> Iterator[list[float]]:
    """Size in GB that the files of a folder reach, looked at twice a second."""
    found, done = [0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.5):
            sizes = []
            for path in folder.glob("**/*"):
                try:
                    sizes.append(path.stat().st_size)
                except OSError:
                    continue
            found[0] = max(found[0], sum(sizes) / 2**30)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def measured(folder: Path, rows: int, memory: str) -> dict[str, Any]:
    """Seconds of each step, estimates, and the peaks of memory and disk."""
    steps: list[Any] = []
    estimates: dict[str, tuple[float, float, float]] = {}
    connection = connected(folder, memory)
    with timed(steps, "simulating, and writing Parquet"):
        file = folder / "rows.parquet"
        connection.raw_sql(f"copy ({rows_of(rows)}) to '{file}' (format parquet)")
    size = file.stat().st_size / 2**30
    spilled = folder / "spilled"
    with largest(spilled) as disk, steps_of_the_intake(steps):
        design = jp.Design.from_table(connection.read_parquet(file), **COLUMNS)
    with timed(steps, "all estimators"):
        for name, estimator in ESTIMATORS.items():
            start = time.perf_counter()
            estimate = estimator.fit(design)
            estimates[name] = (estimate.att, estimate.se, time.perf_counter() - start)
    return {
        "rows": rows,
        "units": design.count(),
        "stand": design.n_units,
        "memory": memory,
        "parquet": size,
        "steps": steps,
        "estimates": estimates,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "disk": disk[0],
        "load": os.getloadavg()[1],
        "agreement": compared(),
        "versions": {
            "duckdb": version("duckdb"),
            "ibis": version("ibis-framework"),
            "python": platform.python_version(),
        },
        "cores": os.cpu_count(),
    }


def compared(rows: int = 1_600_000) -> float:
    """Largest difference of estimates and errors from those of the same rows in memory."""
    connection = ibis.duckdb.connect()
    connection.raw_sql(f"create view simulated as {rows_of(rows)}")
    table = connection.table("simulated")
    whole = jp.Design.from_frame(table.to_pyarrow().to_pandas(), **COLUMNS)
    summed = jp.Design.from_table(table, **COLUMNS)
    gaps = []
    for estimator in ESTIMATORS.values():
        one, other = estimator.fit(whole), estimator.fit(summed)
        gaps += [abs(other.att - one.att), abs(other.se - one.se)]
        columns = ["estimate", "se"]
        gaps.append(np.nanmax(np.abs(other.effects[columns] - one.effects[columns]).to_numpy()))
    return float(max(gaps))


def shuffled(rows: int) -> str:
    """Bytes that leave the partitions on Spark, for two layouts of the same rows, as a table."""
    if find_spec("pyspark") is None or shutil.which("java") is None:
        return "Skipped: pyspark and Java are needed to measure the shuffle."
    lines = [
        f"Measured on local Spark {version('pyspark')}, {rows:,} rows "
        f"({rows // len(YEARS):,} firms × {len(YEARS)} years), 8 files, 8 shuffle partitions.",
        "",
        "| rows in files | shuffled rows | MB | bytes per shuffled row | bytes per firm |",
        "|---|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        duckdb = connected(folder, "2GiB")
        ranges = (f"firm % 8 = {k}" for k in range(8))
        years = (f"(year - {YEARS[0]}) // 2 = {k}" for k in range(8))
        for layout, parts in (("each firm in one file", ranges), ("two years in each file", years)):
            place = folder / layout.replace(" ", "_")
            place.mkdir()
            for k, part in enumerate(parts):
                query = f"select * from ({rows_of(rows)}) where {part} order by firm, year"
                duckdb.raw_sql(f"copy ({query}) to '{place}/{k}.parquet' (format parquet)")
            moved, size = on_spark(place, folder / "events")
            lines.append(
                f"| {layout} | {moved:,} | {size / 1e6:.1f} | {size / moved:.0f} | "
                f"{size / (rows // len(YEARS)):.0f} |"
            )
    return "\n".join(lines)


def on_spark(place: Path, events: Path) -> tuple[int, int]:
    """Rows and bytes that one design shuffles, from Spark's own log of its tasks."""
    from pyspark.sql import SparkSession

    shutil.rmtree(events, ignore_errors=True)
    events.mkdir()
    builder = SparkSession.builder.master("local[2]")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "3g",
        "spark.sql.shuffle.partitions": "8",
        "spark.sql.files.openCostInBytes": str(2**30),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": events.as_uri(),
        "spark.sql.warehouse.dir": str(events.parent / "warehouse"),
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.read.parquet(str(place)).createOrReplaceTempView("rows")
    jp.Design.from_table(ibis.pyspark.connect(session).table("rows"), **COLUMNS)
    session.stop()
    moved = size = 0
    for path in events.glob("**/events_*"):
        for line in path.read_text("utf-8").splitlines():
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
                written = event["Task Metrics"]["Shuffle Write Metrics"]
                moved += written["Shuffle Records Written"]
                size += written["Shuffle Bytes Written"]
    return moved, size


def document(known: list[dict[str, Any]]) -> str:
    """The table in Markdown."""
    lines = [
        "# Tables that an engine holds (simulated)",
        "",
        f"Simulated rows ({len(YEARS)} years a firm, {len(COHORTS) - 1} cohorts and never treated) "
        f"in one Parquet file, summed up by DuckDB through `Design.from_table`. Made by `python "
        f"benchmarks/tables.py --rows N --memory M`. Processor seconds are those of all threads; "
        f"seconds depend on what else the machine does.",
    ]
    for found in known:
        versions = found["versions"]
        lines += [
            "",
            f"## {found['rows']:,} rows",
            "",
            f"{found['units']:,} firms, {found['parquet']:.2f} GiB of Parquet; "
            f"memory_limit={found['memory']}; DuckDB {versions['duckdb']}, Ibis "
            f"{versions['ibis']}, Python {versions['python']}, {found['cores']} processor cores "
            f"shared with other work: load over the last five minutes {found['load']:.1f}.",
            "",
            "| step | seconds | processor seconds |",
            "|---|--:|--:|",
        ]
        lines += [f"| {name} | {wall:.1f} | {cpu:.1f} |" for name, wall, cpu in found["steps"]]
        lines += [
            "",
            f"Peak memory of the whole process {found['peak']:.2f} GiB, peak of what DuckDB wrote "
            f"to disk in between {found['disk']:.1f} GiB. {found['stand']} rows stand for all "
            f"firms.",
            "",
            "| estimator | estimate | standard error | seconds |",
            "|---|--:|--:|--:|",
        ]
        lines += [
            f"| {name} | {att:.7f} | {se:.7f} | {seconds:.3f} |"
            for name, (att, se, seconds) in found["estimates"].items()
        ]
        lines += [
            "",
            f"The simulated effect is {EFFECT}. At 1,600,000 rows estimates and standard errors, "
            f"overall and by event time, differ from those of the table in memory by at most "
            f"{found['agreement']:.0e}.",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
