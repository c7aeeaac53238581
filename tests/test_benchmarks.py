"""The side-by-side benchmarks: what the table says, and that a task runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def measurement(
    seconds: float, processor: float, estimate: float, pandas: str = "3.1"
) -> dict[str, Any]:
    return {
        "versions": {"pandas": pandas},
        "first": 9.0,
        "seconds": seconds,
        "processor": processor,
        "runs": 7,
        "peak": 10.0,
        "data": 0.1,
        "load": 1.0,
        "answer": {"estimate": estimate, "se": 0.5},
    }


@pytest.mark.parametrize(
    ("seconds", "processor", "verdict"),
    [(0.4, 0.4, "**met**"), (0.9, 0.4, "**met in processor time**"), (0.9, 0.9, "**not met**")],
)
def test_table_says_whether_the_goal_is_met_and_how_far_others_are(
    monkeypatch: pytest.MonkeyPatch, seconds: float, processor: float, verdict: str
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from peers.table import document
    from peers.task import Task

    contenders: Any = dict.fromkeys(("jjjpolicy", "one", "two", "three"))
    task = Task("A task", 0.5, lambda: None, contenders, "A note.")
    found = {
        "jjjpolicy": measurement(seconds, processor, 2.0),
        "one": measurement(seconds, 3 * processor, 2.25, pandas="2.3"),
        "two": {"absent": "not installed"},
    }
    text = document({"task": task}, {"task": found})
    assert verdict in text
    assert "- A task: A note." in text
    assert "| two: not installed |" in text
    assert "| three: not measured |" in text
    row = next(line for line in text.splitlines() if line.startswith("| one"))
    assert row.startswith("| one (with pandas 2.3) |")
    assert "pandas 3.1" in text
    cells = [cell.strip() for cell in row.split("|")]
    assert (cells[4], cells[5], cells[9], cells[10]) == ("3.0", "–", "2.5e-01", "0.0e+00")


def test_table_says_how_far_others_are_on_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from peers.table import document
    from peers.task import Task

    packages = ("jjjpolicy", "one", "two")
    task = Task("A task", None, lambda: None, dict.fromkeys(packages))  # type: ignore[arg-type]
    found = {package: measurement(0.1, 0.1, 1.0) for package in packages}
    found["jjjpolicy"]["busy"] = measurement(0.2, 0.1, 1.0)
    found["one"]["busy"] = measurement(3.0, 0.1, 1.0)
    found["two"]["busy"] = {"absent": "no answer within 9 seconds"}
    rows = {
        cells[1].strip(): cells[5].strip()
        for cells in (
            line.split("|") for line in document({"task": task}, {"task": found}).splitlines()
        )
        if len(cells) > 5
    }
    assert (rows["jjjpolicy"], rows["one"]) == ("0.2 (1.0)", "3 (15.0)")
    assert rows["two"] == "no answer within 9 seconds"


def test_a_task_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    target = tmp_path / "peers.md"
    command = ["run.py", "placebos-31", "--package", "jjjpolicy", "--output", str(target)]
    paths = os.pathsep.join([str(BENCHMARKS.parent / "src"), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, *command],
        cwd=BENCHMARKS,
        env=os.environ | {"PYTHONPATH": paths},
        check=True,
        capture_output=True,
    )
    assert "31 x 16 (simulated)" in target.read_text(encoding="utf-8")
    assert target.with_suffix(".json").is_file()


def test_fitted_order_is_the_power_of_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from growth import order

    sizes = np.array([10.0, 20.0, 40.0, 80.0])
    assert order(sizes, 3 * sizes**2) == pytest.approx(2)


def test_rows_simulated_on_disk_give_the_estimates_of_the_table_in_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("duckdb", reason="Parquet files need the extra 'firms'")
    monkeypatch.syspath_prepend(BENCHMARKS)
    from larger_than_memory import compared, simulate

    simulate(tmp_path, 600)
    assert compared(tmp_path) < 1e-10


def test_rows_simulated_by_an_engine_give_the_estimates_of_the_table_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("ibis", reason="tables of engines need the extra 'firms'")
    pytest.importorskip("duckdb", reason="tables of engines need the extra 'firms'")
    monkeypatch.syspath_prepend(BENCHMARKS)
    from tables import compared

    assert compared(16_000) < 1e-10
