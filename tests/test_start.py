"""A new process stays fast: what the first fit loads, and what it leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
HEAVY = (
    "dask, duckdb, ibis, joblib, linearmodels, matplotlib, pandera, pydantic, rich, scipy, "
    "statsmodels, typer"
)
FIRST_FIT = f"""
import sys
import jjjpolicy as jp
assert not {{"numpy", "pandas"}} & set(sys.modules), "importing the package loads pandas"
from panels import simulated_panel
frame = simulated_panel(8, 6, {{0: 2003, 1: 2005}})
names = dict(unit="unit", time="period", outcome="y")
simple = jp.did.TwoWayFixedEffects().fit(jp.Design.from_frame(frame, **names, treatment="treated"))
staggered = jp.did.CallawaySantAnna().fit(jp.Design.from_frame(frame, **names, adoption="first"))
assert simple.se and staggered.se and staggered.pvalue and len(staggered.effects)
print(*sorted(set("{HEAVY}".split(", ")) & set(sys.modules)))
"""


def test_import_and_first_fits_load_no_heavy_library() -> None:
    paths = os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)])
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FIT],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
