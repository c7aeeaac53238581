"""SIMULATED rows that DuckDB holds and sums up: seconds and memory of each step, and agreement.

python benchmarks/tables.py --rows 100000000 --memory 4GiB --folder /tmp

With pyspark and Java, ``--shuffle`` measures instead what leaves the partitions on Spark. Rows that
lie in the folder already (``--keep``) are not simulated again.
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
from itertools import cycle
from pathlib import Path
from typing import Any

import ibis
import numpy as np

import jjjpolicy as jp
from jjjpolicy.design.intake import queries, tables
from jjjpolicy.design.intake.parts import in_parts

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
FILE = 100_000_000
"""Rows in a file of Parquet."""
FILES = 8
"""Of a table on Spark; as many partitions receive what is shuffled."""
COLUMNS = {"unit": "firm", "time": "year", "outcome": "y", "adoption": "first"}
ROWS = """
with rows as (
    select i // {width} as firm, {start} + i % {width} as year,
           [{cohorts}][1 + (hash(i // {width}) % {kinds})::int] as first
    from range({first}, {last}) r(i)
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


def rows_of(last: int, first: int = 0) -> str:
    """The query that simulates rows, from the first on and without the last."""
    return ROWS.format(
        width=len(YEARS),
        start=YEARS[0],
        cohorts=", ".join(map(str, COHORTS)),
        kinds=len(COHORTS),
        first=first,
        last=last,
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
    parser.add_argument("--keep", action="store_true", help="the rows, for another run")
    parser.add_argument("--measure", metavar="STEP", choices=["simulate", "sum"])
    parser.add_argument("--shuffle", action="store_true")
    options = parser.parse_args()
    folder = Path(options.folder, f"rows_{options.rows}")
    if options.measure == "simulate":
        write(folder, simulated(folder, options.rows, options.memory))
    elif options.measure == "sum":
        write(folder, measured(folder, options.rows, options.memory))
    elif options.shuffle:
        keep(f"shuffle_{options.rows}", shuffled(options.rows))
    else:
        again = [sys.executable, __file__, "--folder", options.folder]
        again += ["--rows", str(options.rows), "--memory", options.memory, "--measure"]
        folder.mkdir(exist_ok=True)
        for step in ("simulate", "sum"):
            subprocess.run([*again, step], check=True)
        keep(f"tables_{options.rows}", read(folder))
        if not options.keep:
            shutil.rmtree(folder)


def write(folder: Path, found: dict[str, Any]) -> None:
    """Add to what is known of a run."""
    (folder / "found.json").write_text(json.dumps(read(folder) | found), encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """What is known of a run."""
    path = folder / "found.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def keep(name: str, found: dict[str, Any]) -> None:
    """Write results, and the table of all that are there."""
    results = Path(__file__).parent / "results"
    text = json.dumps(found, indent=1) + "\n"
    (results / f"{name}.json").write_text(text, encoding="utf-8")
    tables, moves = (
        sorted(
            (json.loads(path.read_text("utf-8")) for path in results.glob(f"{each}_*.json")),
            key=lambda found: found["rows"],
        )
        for each in ("tables", "shuffle")
    )
    (results / "tables.md").write_text(document(tables, moves), encoding="utf-8")


def connected(folder: Path, memory: str) -> Any:
    """DuckDB that spills into a folder."""
    connection = ibis.duckdb.connect(memory_limit=memory, temp_directory=str(folder / "spilled"))
    connection.raw_sql("set preserve_insertion_order = false")
    return connection


@contextmanager
def timed(steps: dict[str, list[float]], name: str) -> Iterator[None]:
    """Add seconds, and processor seconds of all threads, to those of a step."""
    start, processor = time.perf_counter(), time.process_time()
    yield
    wall, cpu = steps.get(name, (0.0, 0.0))
    steps[name] = [
        wall + time.perf_counter() - start,
        cpu + time.process_time() - processor,
    ]


@contextmanager
def steps_of_the_intake(steps: dict[str, list[float]]) -> Iterator[list[int]]:
    """Note the time of what the engine is asked, by the functions of the package that ask.

    Yields the number of parts, once it is known.
    """
    kept = cycle(["units as rows", "kinds of units and their means"])
    parts: list[int] = []
    watched: list[tuple[Any, str, Callable[[], str]]] = [
        (tables, "_by_period", lambda: "rows by period, checks of rows"),
        (tables, "in_parts", lambda: "sample of units, to cut the table into parts"),
        (queries.Queries, "_kept", lambda: next(kept)),
        (queries.Queries, "_require_sound", lambda: "checks of units"),
        (queries.Queries, "_placed", lambda: "centred products"),
        (queries.Queries, "_later", lambda: "adoption after the last period"),
    ]
    before = [getattr(owner, name) for owner, name, _ in watched]

    def watching(function: Any, label: Callable[[], str]) -> Any:
        def call(*arguments: Any) -> Any:
            with timed(steps, label()):
                result = function(*arguments)
            if function is in_parts:
                parts.append(len(result))
            return result

        return call

    for (owner, name, label), function in zip(watched, before, strict=True):
        setattr(owner, name, watching(function, label))
    try:
        yield parts
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


def simulated(folder: Path, rows: int, memory: str) -> dict[str, Any]:
    """Rows in files of Parquet, and the seconds that they took."""
    steps: dict[str, list[float]] = dict(read(folder).get("simulation", {}))
    connection, unfinished = connected(folder, memory), folder / "unfinished"
    for k, first in enumerate(range(0, rows, FILE)):
        file = folder / f"rows_{k}.parquet"
        if not file.exists():
            with timed(steps, "simulating, and writing Parquet"):
                query = rows_of(min(first + FILE, rows), first)
                connection.raw_sql(f"copy ({query}) to '{unfinished}' (format parquet)")
            unfinished.rename(file)
            write(folder, {"simulation": steps})
    return {"simulation": steps}


def measured(folder: Path, rows: int, memory: str) -> dict[str, Any]:
    """Seconds of each step, estimates, and the peaks of memory and disk."""
    steps: dict[str, list[float]] = {}
    estimates: dict[str, tuple[float, float, float]] = {}
    connection, files = connected(folder, memory), sorted(folder.glob("rows_*.parquet"))
    size = sum(file.stat().st_size for file in files) / 2**30
    spilled = folder / "spilled"
    with largest(spilled) as disk, steps_of_the_intake(steps) as parts:
        design = jp.Design.from_table(connection.read_parquet(files), **COLUMNS)
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
        "parts": parts[0],
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


def shuffled(rows: int) -> dict[str, Any]:
    """Rows and bytes that leave the partitions on Spark, for two layouts of the same rows."""
    layouts = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        duckdb = connected(folder, "2GiB")
        duckdb.raw_sql(f"copy ({rows_of(rows)}) to '{folder}/rows.parquet' (format parquet)")
        ranges = [f"firm % {FILES} = {k}" for k in range(FILES)]
        years = [f"(year - {YEARS[0]}) * {FILES} // {len(YEARS)} = {k}" for k in range(FILES)]
        for layout, parts in (("each firm in one file", ranges), ("two years in each file", years)):
            place = folder / layout.replace(" ", "_")
            place.mkdir()
            for k, part in enumerate(parts):
                query = f"from '{folder}/rows.parquet' where {part} order by firm, year"
                duckdb.raw_sql(f"copy ({query}) to '{place}/{k}.parquet' (format parquet)")
            layouts[layout] = on_spark(place, folder / "events")
    return {"rows": rows, "layouts": layouts, "spark": version("pyspark")}


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
        "spark.sql.shuffle.partitions": str(FILES),
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


def document(tables: list[dict[str, Any]], moves: list[dict[str, Any]]) -> str:
    """The results in Markdown."""
    lines = [
        "# Tables that an engine holds (simulated)",
        "",
        f"Simulated rows ({len(YEARS)} years a firm, {len(COHORTS) - 1} cohorts and never treated) "
        f"in Parquet files, summed up by DuckDB through `Design.from_table`. Made by `python "
        f"benchmarks/tables.py --rows N --memory M`. Processor seconds are those of all threads; "
        f"seconds depend on what else the machine does.",
    ]
    for found in tables:
        lines += run(found)
    if moves:
        lines += shuffles(moves)
    return "\n".join(lines) + "\n"


def run(found: dict[str, Any]) -> Iterator[str]:
    """The lines of a run on DuckDB."""
    versions, parts = found["versions"], found["parts"]
    steps = {**found.get("simulation", {}), **found["steps"]}
    yield from (
        "",
        f"## {found['rows']:,} rows",
        "",
        f"{found['units']:,} firms, {found['parquet']:.2f} GiB of Parquet; "
        f"memory_limit={found['memory']}, {f'{parts} parts' if parts > 1 else 'in one part'}; "
        f"DuckDB {versions['duckdb']}, Ibis {versions['ibis']}, Python {versions['python']}, "
        f"{found['cores']} processor cores shared with other work: load over the last five "
        f"minutes {found['load']:.1f}.",
        "",
        "| step | seconds | processor seconds |",
        "|---|--:|--:|",
    )
    for name, (wall, cpu) in steps.items():
        yield f"| {name} | {wall:.1f} | {cpu:.1f} |"
    wall, cpu = np.sum(list(found["steps"].values()), axis=0)
    yield from (
        f"| all but simulating | {wall:.1f} | {cpu:.1f} |",
        "",
        f"Peak memory of the process that sums up {found['peak']:.2f} GiB, peak of what DuckDB "
        f"wrote to disk in between {found['disk']:.1f} GiB. {found['stand']} rows stand for all "
        f"firms.",
        "",
        "| estimator | estimate | standard error | seconds |",
        "|---|--:|--:|--:|",
    )
    for name, (att, se, seconds) in found["estimates"].items():
        yield f"| {name} | {att:.7f} | {se:.7f} | {seconds:.3f} |"
    yield from (
        "",
        f"The simulated effect is {EFFECT}. At 1,600,000 rows estimates and standard errors, "
        f"overall and by event time, differ from those of the table in memory by at most "
        f"{found['agreement']:.0e}.",
    )


def shuffles(moves: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of what leaves the partitions on Spark."""
    yield from (
        "",
        "## What Spark moves",
        "",
        f"Shuffle records and bytes written, all queries of a design together, from the log of "
        f"Spark {moves[0]['spark']} on this machine: {FILES} files, {FILES} shuffle partitions. "
        f"Made by `python benchmarks/tables.py --shuffle --rows N`.",
        "",
        "| rows | rows in files | shuffled lines | MB | bytes per line | bytes per firm |",
        "|--:|---|--:|--:|--:|--:|",
    )
    for found in moves:
        rows = found["rows"]
        for layout, (moved, size) in found["layouts"].items():
            yield (
                f"| {rows:,} | {layout} | {moved:,} | {size / 1e6:.1f} | {size / moved:.0f} | "
                f"{size / (rows // len(YEARS)):.0f} |"
            )


if __name__ == "__main__":
    main()
