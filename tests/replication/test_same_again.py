"""The same elsewhere, later, with other workers, after an interruption; and flow of new data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("pytask", reason="needs the extra 'paper'")

from replication.conftest import SOURCE

from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.artefacts.versions import PACKAGE, package_digest
from jjjpolicy.replication.diff import diff
from jjjpolicy.replication.skeleton import write_skeleton

LATER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += 4000L * 86400;
    return result;
}
"""
"""A clock that is 4,000 days ahead, for every library of a process."""


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """``jjjpolicy reproduce`` in a group of processes of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "jjjpolicy", "reproduce", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": SOURCE} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background jobs ignore the signal, and their children would do so too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for it, return what it said, and show why where it failed."""
    said, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint
    return said


def state(study: Path) -> dict[str, bytes]:
    """Every file of the paper; provenance without the time at which it was made."""
    found = {}
    for path in sorted((study / "paper").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.parent.name == "provenance":
                sidecar = json.loads(content)
                del sidecar["made"]
                content = json.dumps(sidecar).encode()
            found[path.relative_to(study).as_posix()] = content
    return found


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new study, with a figure, reproduced."""
    parent = tmp_path_factory.mktemp("here")
    write_skeleton(parent, "study")
    finish(start(parent / "study", OPENBLAS_NUM_THREADS="1"))
    return parent / "study"


def test_another_path_clock_time_zone_and_number_of_workers_change_no_byte(
    reproduced: Path, tmp_path: Path
) -> None:
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("a changed clock needs Linux and a C compiler")
    (tmp_path / "later.c").write_text(LATER)
    library = str(tmp_path / "later.so")
    command = [compiler, "-shared", "-fPIC", "-o", library, str(tmp_path / "later.c"), "-ldl"]
    subprocess.run(command, check=True)
    (tmp_path / "far away").mkdir()
    write_skeleton(tmp_path / "far away", "study")
    environment = {
        "LD_PRELOAD": library,
        "TZ": "Asia/Shanghai",
        "PYTHONHASHSEED": "7",
        "OPENBLAS_NUM_THREADS": "2",
    }
    again = tmp_path / "far away/study"
    finish(start(again, "--jobs", "5", **environment))
    before, after = state(reproduced), state(again)
    assert {Path(name).suffix for name in after} >= {".svg", ".pdf", ".docx", ".tex", ".html"}
    assert [name for name in before if before[name] != after.get(name)] == []
    assert set(after) == set(before)
    made = json.loads((again / "paper/provenance/numbers-effect.json").read_text())["made"]["at"]
    assert int(made[:4]) >= time.gmtime().tm_year + 10  # the clock was really another


@pytest.mark.skipif(os.name != "posix", reason="process groups are sent signals on POSIX only")
def test_an_interrupted_run_is_completed_by_the_next(reproduced: Path, tmp_path: Path) -> None:
    write_skeleton(tmp_path, "study")
    study = tmp_path / "study"
    results = study / "paper/results/effect.json"
    for sent, wait_for_results in ((signal.SIGINT, True), (signal.SIGKILL, False)):
        process = start(study, "--force", OPENBLAS_NUM_THREADS="1")
        until = time.monotonic() + (60 if wait_for_results else 2.5)
        while time.monotonic() < until and not (wait_for_results and results.is_file()):
            time.sleep(0.02)
        os.killpg(process.pid, sent)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == (130 if sent == signal.SIGINT else -signal.SIGKILL), said
        assert "Traceback" not in said
        for path in (study / "paper").rglob("*.json"):
            json.loads(path.read_text(encoding="utf-8"))  # whole or not there
    (study / "paper/.new-left-over").mkdir()
    finish(start(study, OPENBLAS_NUM_THREADS="1"))
    assert state(study) == state(reproduced)


def test_new_data_reproduce_diff_names_what_moved(reproduced: Path) -> None:
    """The flow of docs/how-to/update-data.md."""

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.hooksPath=")
        subprocess.run(["git", *who, *arguments], cwd=reproduced, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "results on the old data")
    data = reproduced / "data/simulated.csv"
    lines = data.read_text().splitlines()
    revised = [
        ",".join([*line.split(",")[:2], f"{float(line.split(',')[2]) - 1:.4f}", "1"])
        if line.endswith(",1")
        else line
        for line in lines
    ]
    data.write_text("\n".join(revised) + "\n")
    said = finish(start(reproduced, OPENBLAS_NUM_THREADS="1"))
    assert "no longer do: the effect is positive" in said
    found = diff(Study(reproduced), "HEAD")
    (moved,) = found.moved
    assert moved.name == "effect:sdid"
    assert moved.before is not None
    assert moved.after == pytest.approx(moved.before - 1, abs=0.2)
    assert moved.sign_changed
    assert moved.standard_errors is not None
    assert moved.standard_errors < -3
    assert found.reasons == ["data: data/simulated.csv changed"]


def test_the_hash_of_the_package_covers_every_room(tmp_path):
    copy = shutil.copytree(PACKAGE, tmp_path / "jjjpolicy", ignore=lambda *_: ["__pycache__"])
    assert package_digest(copy) == package_digest()
    for room in ("did", "synth", "linalg", "report", "replication"):
        assert (PACKAGE / room).is_dir()
        file = copy / room / "__init__.py"
        before = package_digest(copy)
        file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
        package_digest.cache_clear()
        assert package_digest(copy) != before
    file = copy / "cli" / "__init__.py"
    before = package_digest(copy)
    file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    package_digest.cache_clear()
    assert package_digest(copy) == before
