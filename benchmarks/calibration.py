"""What `jjjpolicy calibrate` costs: a slice of it is run, and the whole reckoned from the slice.

    python benchmarks/calibration.py --draws 10

The slice is the command as it stands, with fewer pseudo-policies. Processor seconds add up both
worker processes, so that other work on the machine hardly moves them.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

WHOLE, AIM, JOBS = 300, 1_000_000, 2
RESULT = Path(__file__).parent / "results" / "calibration.md"


def main() -> None:
    """Run the slice and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=10)
    draws: int = parser.parse_args().draws
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "jjjpolicy", "calibrate", "--jobs", str(JOBS)]
        before, started = os.times(), time.perf_counter()
        done = subprocess.run(
            [*command, "--draws", str(draws), "--output", folder],
            capture_output=True,
            text=True,
            check=True,
        )
        wall, after = time.perf_counter() - started, os.times()
        table = pd.read_csv(Path(folder) / "size.csv")
    processor = sum(after[2:4]) - sum(before[2:4])
    found = re.search(r"([\d,]+) fits", done.stdout)
    assert found is not None
    fits = int(found[1].replace(",", ""))
    combined = table.drop_duplicates(["estimator", "inference", "treated"])
    numbers = combined[combined["failure"].isna()].groupby("treated").size()
    policies = table.groupby(["outcome", "treated"])["draws"].max()
    ones, threes = policies.xs(1, level="treated"), policies.xs(3, level="treated")
    whole = WHOLE / threes.max()
    RESULT.write_text(
        "# What a calibration costs\n\n"
        f"`jjjpolicy calibrate --draws {draws} --jobs {JOBS}` on the provincial panel: "
        f"{table['outcome'].nunique()} outcomes, {table['estimator'].nunique()} estimators by "
        f"{table['inference'].nunique()} inference methods, of which {numbers[3]} give a p-value "
        f"with three treated provinces and {numbers[1]} with one; {ones.sum()} pseudo-policies "
        f"with one and {threes.sum()} with three. Made by `python benchmarks/calibration.py "
        f"--draws {draws}` on {os.cpu_count()} cores; load of the machine at the end "
        f"{os.getloadavg()[0]:.1f}.\n\n"
        "| | fits | processor seconds | minutes on 2 idle cores |\n|---|---:|---:|---:|\n"
        f"| the slice, measured (wall time {wall:.0f} s) | {fits:,} | {processor:.0f} "
        f"| {processor / JOBS / 60:.1f} |\n"
        f"| {AIM:,} fits, reckoned | {AIM:,} | {processor * AIM / fits:.0f} "
        f"| {processor * AIM / fits / JOBS / 60:.1f} |\n"
        f"| the command as it stands, --draws {WHOLE}, at most | {fits * whole:,.0f} "
        f"| {processor * whole:.0f} | {processor * whole / JOBS / 60:.1f} |\n\n"
        "Fits are estimates of pseudo-policies and of the placebos that they are compared with; "
        "draws of the bootstraps, which estimate again as well, are not counted. The last line "
        "takes pseudo-policies with one treated province, of which there are no more than "
        "provinces, to grow as those with three: it is an upper bound.\n",
        encoding="utf-8",
    )
    print(RESULT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
