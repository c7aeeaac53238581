"""Ctrl-C ends with an exit code and no traceback, and the same command goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
COMMAND = ["calibrate", "--outcome", "log_gdp", "--treated", "1", "--treated", "3"]
FEW = [
    *("--estimator", "TwoWayFixedEffects", "--estimator", "LocalProjections"),
    *("--inference", "Clustered CRV1", "--inference", "Clustered CRV3", "--draws", "60"),
]


def start(output: Path, jobs: int) -> subprocess.Popen[str]:
    """``jjjpolicy calibrate`` in a process that can be interrupted like a terminal's."""
    arguments = [*COMMAND, *FEW, "--jobs", str(jobs), "--output", str(output)]
    return subprocess.Popen(
        [sys.executable, "-m", "jjjpolicy", *arguments],
        env={**os.environ, "PYTHONPATH": SOURCE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background jobs ignore the signal, and their children would do so too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and standard error."""
    _, errors = process.communicate(timeout=240)
    return process.returncode, errors


def test_an_interrupted_calibration_goes_on_where_it_was(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("signals of a terminal are different on Windows")
    interrupted = start(tmp_path / "interrupted", jobs=2)
    cells = tmp_path / "interrupted/cells"
    until = time.monotonic() + 120
    while time.monotonic() < until and interrupted.poll() is None:
        if len(list(cells.glob("[!.]*.json"))) >= 2:
            os.killpg(interrupted.pid, signal.SIGINT)
            break
        time.sleep(0.01)
    code, errors = finish(interrupted)
    assert "Traceback" not in errors
    assert code == 130
    assert "Run the command again" in errors
    kept = {path: path.stat().st_mtime_ns for path in cells.glob("[!.]*.json")}
    assert kept
    assert not (tmp_path / "interrupted/size.csv").exists()

    assert finish(start(tmp_path / "interrupted", jobs=2)) == (0, "")
    assert finish(start(tmp_path / "whole", jobs=1)) == (0, "")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    tables = [pd.read_csv(tmp_path / name / "size.csv") for name in ("interrupted", "whole")]
    pd.testing.assert_frame_equal(*tables)
