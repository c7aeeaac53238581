"""The side-by-side benchmarks: what the table says, and that a task runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
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


def test_tasks_with_the_same_note_share_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from peers.table import document
    from peers.task import Task

    none: dict[str, Any] = {}
    tasks = {name: Task(name, None, lambda: None, none, "A note.") for name in ("one", "two")}
    lines = document(tasks, {"one": {}, "two": {}}).splitlines()
    assert [line for line in lines if line.startswith("- ")] == ["- one and two: A note."]


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


SIMPLE = """
answer <- function(frame) {
  stopifnot(is.integer(frame$unit), identical(frame$name, c("\\u4eac", "a b")))
  c(estimate = frame$y[1], se = frame$y[2])
}
broken <- function(data) stop("no such\n  thing")
several <- function(data) c(estimate = sum(data[[1]]) + data[[3]], se = matrix(data[[2]], 2)[1, 2])
"""


@pytest.fixture
def in_r(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A function of ``SIMPLE`` as a contender."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    from peers import r

    monkeypatch.setattr(r, "CONTENDERS", tmp_path / "contenders.R")
    r.CONTENDERS.write_text(SIMPLE, encoding="utf-8")
    return lambda function: r.InR("stats", function)


@pytest.mark.needs("Rscript", install="r-base-core")
def test_r_gets_the_numbers_as_they_are_in_memory_and_is_timed_by_its_own_clock(in_r: Any) -> None:
    numbers = np.array([1 / 3, 1e-17])
    frame = pd.DataFrame({"unit": [1, 2], "y": numbers, "name": ["京", "a b"]})
    found = in_r("answer").measure(frame, most_runs=3, longest=0.1, too_slow=9.0)
    assert found["answer"] == {"estimate": 1 / 3, "se": 1e-17}
    assert set(found["versions"]) == {"R", "R stats"}
    assert found["runs"] >= 1
    assert found["seconds"] > 0
    pair = in_r("several").measure(
        (numbers, np.array([[1.0, 2.0], [2.0, 5.0]]), 7), most_runs=1, longest=0.0, too_slow=0.0
    )
    assert pair["answer"] == {"estimate": pytest.approx(1 / 3 + 7), "se": 2.0}
    assert (pair["seconds"], pair["runs"]) == (None, 0)


@pytest.mark.needs("Rscript", install="r-base-core")
def test_what_went_wrong_in_r_is_said_in_one_line(in_r: Any) -> None:
    with pytest.raises(RuntimeError, match="^no such thing$"):
        in_r("broken").measure(np.zeros((1, 1)), most_runs=1, longest=0.0, too_slow=9.0)


@pytest.mark.needs("Rscript", install="r-base-core")
def test_an_r_package_that_is_absent_is_named_with_how_to_get_it(in_r: Any) -> None:
    from peers.r import InR

    assert in_r("answer").absent is None
    assert InR("nosuch", "f").absent == 'not installed; in R: install.packages("nosuch")'
    github = InR("nosuch", "f", "owner/nosuch").absent
    assert github == 'not installed; in R: remotes::install_github("owner/nosuch")'


def test_without_r_its_packages_are_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from peers.r import InR

    monkeypatch.setenv("PATH", str(tmp_path))
    assert InR("stats", "f").absent == "R is not installed; see benchmarks/README.md"


def test_every_r_package_of_a_task_has_its_function_and_stands_in_the_readme(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from peers.r import CONTENDERS, InR
    from run import TASKS

    defined = set(re.findall(r"^(\w+) <- function", CONTENDERS.read_text("utf-8"), re.MULTILINE))
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8").splitlines()
    for name, task in TASKS.items():
        packages = []
        for label, contender in task.contenders.items():
            if isinstance(contender, InR):
                assert label == f"R {contender.package}"
                assert contender.function in defined
                packages.append(contender.package)
        if packages:
            (row,) = (line for line in readme if line.startswith("|") and f"`{name}`" in line)
            assert row.endswith(f"| {', '.join(packages)} |")


def test_guard_fails_by_name_where_more_than_half_is_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import quick

    pair = quick.Pair(lambda: None, dict, dict, "numpy", 0.0)
    monkeypatch.setattr(quick, "PAIRS", dict.fromkeys(("kept", "lost", "lucky"), pair))
    monkeypatch.setattr(quick, "COMMITTED", tmp_path / "quick.json")
    before = {"package": "numpy", "version": "2.0", "ratio": 0.2}
    quick.COMMITTED.write_text(json.dumps(dict.fromkeys(quick.PAIRS, before)), encoding="utf-8")
    ratios = iter([0.29, 0.31, 0.33, 0.32, 0.9, 0.25])
    monkeypatch.setattr(quick, "measured", lambda pair: next(ratios))
    monkeypatch.setattr(sys, "argv", ["quick.py"])
    assert quick.main() == 1
    (failure,) = capsys.readouterr().err.splitlines()
    assert failure.startswith("lost: 1.55 times as slow as committed")
    assert "0.2, now 0.31" in failure


def test_guard_writes_the_median_and_keeps_the_other_ratios(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import quick

    pair = quick.Pair(lambda: None, dict, dict, "numpy", 0.0)
    monkeypatch.setattr(quick, "PAIRS", {"one": pair, "two": pair})
    monkeypatch.setattr(quick, "COMMITTED", tmp_path / "quick.json")
    two = {"package": "numpy", "version": "2.0", "ratio": 0.2}
    quick.COMMITTED.write_text(json.dumps({"two": two}), encoding="utf-8")
    ratios = iter([0.5, 0.7, 0.4])
    monkeypatch.setattr(quick, "measured", lambda pair: next(ratios))
    monkeypatch.setattr(sys, "argv", ["quick.py", "one", "--write"])
    assert quick.main() == 0
    written = json.loads(quick.COMMITTED.read_text(encoding="utf-8"))
    assert written["one"]["ratio"] == 0.5
    assert written["two"] == two


def test_guard_compares_programs_that_agree_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import quick

    installed = {"linearmodels", "numpy", "pandas", "scipy", "statsmodels"}
    if find_spec("ibis") and find_spec("duckdb"):
        installed.add("ibis-framework")
    for name, pair in quick.PAIRS.items():
        if pair.package in installed and name != "start":
            data = pair.data()
            ours, other = (program(data)["estimate"] for program in (pair.ours, pair.other))
            assert ours == pytest.approx(other, abs=pair.tolerance), name
    differing = quick.Pair(
        lambda: 1.0, lambda x: {"estimate": x}, lambda x: {"estimate": x + 0.25}, "numpy", 0.2
    )
    with pytest.raises(quick.AnswersDiffer, match="we answer 1, numpy 1.25"):
        quick.measured(differing)
