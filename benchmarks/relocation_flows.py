"""Ten million SIMULATED firm-years to relocation flows with DuckDB: time and memory.

python benchmarks/relocation_flows.py --firms 830000
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis

import jjjpolicy as jp

YEARS = (2010, 2020)


def main() -> None:
    """Simulate, measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firms", type=int, default=830_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    rows: list[tuple[str, float, float, float]] = []

    def measured(name: str, run: Callable[[], Any]) -> Any:
        start, processor = time.perf_counter(), time.process_time()
        result = run()
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        rows.append((name, seconds, processor, memory))
        return result

    provinces = tuple(region.code for region in jp.regions.regions.provinces)
    registry = jp.relocation.SimulatedRegistry(
        firms=options.firms, regions=provinces, years=YEARS, seed=1
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "firms.parquet"
        count = measured("write the simulated registry", lambda: registry.write(path))
        size = path.stat().st_size / 2**20
        connection = ibis.duckdb.connect(threads=options.threads, temp_directory=folder)
        records = measured(
            "read and check the records",
            lambda: jp.relocation.firm_records(path, connection=connection),
        )
        flows = measured("flows", lambda: jp.relocation.flows(records))
        measured("entries and exits", lambda: jp.relocation.entries_exits(records))
        measured("net relocation by industry", lambda: jp.relocation.net_relocation(records))
        pairs = jp.relocation.all_pairs(flows, regions=records.region_codes)
        treated = registry.truth[["origin", "destination", "year", "treated"]]
        pairs = pairs.merge(treated, on=["origin", "destination", "year"], validate="one_to_one")
        fit = measured(
            "gravity model, three sets of effects",
            lambda: jp.relocation.gravity(pairs, ["treated"]),
        )
    term = fit.coefficients.iloc[0]
    to_flows, processor = (rows[1][k] + rows[2][k] for k in (1, 2))
    lines = [
        "# Firm-years to relocation flows (simulated registry)",
        "",
        f"{count:,} simulated firm-years of {YEARS[0]}-{YEARS[1]} in {len(provinces)} provinces, "
        f"one Parquet file of {size:.0f} MB; DuckDB {installed('duckdb')} through Ibis "
        f"{ibis.__version__} with {options.threads} threads, Python {platform.python_version()}, "
        f"{os.cpu_count()} processor cores. From the file to checked flows: "
        f"**{to_flows:.1f} seconds**, {processor:.1f} seconds of processor time over both threads "
        f"(load of the machine at the end, by its own count: {os.getloadavg()[0]:.1f}). Made by "
        f"`python benchmarks/relocation_flows.py --firms "
        f"{options.firms}`.",
        "",
        "| step | seconds | processor seconds | peak memory so far, GB |",
        "|---|---|---|---|",
        *[f"| {name} | {a:.1f} | {b:.1f} | {memory:.2f} |" for name, a, b, memory in rows],
        "",
        f"The known policy effect is {registry.policy_effect} log points; the gravity model on "
        f"{fit.observations:,} pair-years gives {term['estimate']:.3f} (standard error "
        f"{term['se']:.3f}).",
    ]
    target = Path(__file__).parent / "results" / "relocation_flows.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def installed(package: str) -> str:
    """Installed version of a package."""
    from importlib.metadata import version

    return version(package)


if __name__ == "__main__":
    main()
