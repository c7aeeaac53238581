"""The replication package: complete, checkable, deterministic, and alive elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="needs the extra 'paper'")
pytest.importorskip("pytask", reason="needs the extra 'paper'")

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.integrity import check_files
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.package.archive import CHECKSUMS, README, package_name, write_package

ROOT = Path(__file__).resolve().parents[2]


def unpack(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    (root,) = folder.iterdir()
    return root


def run(arguments: list[str], root: Path, source: Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PYTHONPATH=str(source))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def verify_checksums(root: Path) -> set[str]:
    listed = {}
    for line in (root / CHECKSUMS).read_text(encoding="utf-8").splitlines():
        value, _, path = line.partition("  ")
        listed[path] = value
    for path, value in listed.items():
        assert hashlib.sha256((root / path).read_bytes()).hexdigest() == value, path
    there = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert set(listed) == there - {CHECKSUMS}
    return there


@pytest.fixture
def study(copy: Study) -> Study:
    """The small reproduced study, with caches that do not belong into a package."""
    (copy.root / "analysis/__pycache__").mkdir(exist_ok=True)
    (copy.root / "analysis/__pycache__/effect.cpython-311.pyc").write_bytes(b"cache")
    (copy.root / ".venv").mkdir()
    (copy.root / ".venv/secret").write_text("not packed")
    (copy.root / "data/sources.csv").write_text(
        "source,publication,reached_through,licence_stated,extraction,cross_check\n"
        "yearbook,A yearbook | of 2020.,a web page,none stated,read as is,sums agree\n"
    )
    (copy.root / "data/panel.csv").write_text("a,source\n1,yearbook section 2\n2,yearbook\n")
    return copy


def test_it_unpacks_elsewhere_and_gives_the_same_numbers(study: Study, tmp_path: Path) -> None:
    root = unpack(write_package(study, tmp_path / "out"), tmp_path / "unpacked")
    there = verify_checksums(root)
    assert {"analysis/effect.py", "data/panel.csv", "paper/paper.pdf", README} <= there
    assert not any("pycache" in path or "venv" in path for path in there)
    before = (root / "paper/results/effect.json").read_bytes()
    (root / "paper/results/effect.json").unlink()
    result = run(["-m", "jjjpolicy", "reproduce", "numbers:effect"], root, ROOT / "src")
    assert result.returncode == 0, result.stderr
    assert (root / "paper/results/effect.json").read_bytes() == before


def test_the_readme_says_what_data_editors_ask_for(study: Study, tmp_path: Path) -> None:
    root = unpack(write_package(study, tmp_path / "out"), tmp_path / "unpacked")
    text = (root / README).read_text(encoding="utf-8")
    for heading in (
        "Overview",
        "Data availability and provenance statements",
        "Statement about rights",
        "Summary of availability",
        "Computational requirements",
        "Controlled randomness",
        "Memory, runtime and storage",
        "Description of programs",
        "Instructions to replicators",
        "List of tables, figures and programs",
        "References to data",
    ):
        assert f"# {heading}\n" in text
    assert "**`yearbook`**: A yearbook | of 2020. Reached through: a web page." in text
    assert "Used in: `data/panel.csv`." in text
    assert "| `data/panel.csv` | 2 | `a`, `source` | yes |" in text
    sidecar = json.loads((root / "paper/provenance/table-effect.json").read_text())
    row = f"| Table 1 | A simulated effect | `analysis/effect.py` | {sidecar['line']} |"
    assert row in text
    assert "- [x] less than 10 minutes" in text
    assert "- [ ] The authors have legitimate access" in text  # theirs to say


def test_same_files_same_bytes(study: Study, tmp_path: Path) -> None:
    first = write_package(study, tmp_path / "a").read_bytes()
    for path in study.root.rglob("*"):
        os.utime(path, (1, 1))
    assert write_package(study, tmp_path / "b").read_bytes() == first


def test_a_damaged_project_file_is_named(tmp_path: Path) -> None:
    for content in (b"[project", b"\xff\xfe", b"project = 1"):
        (tmp_path / "pyproject.toml").write_bytes(content)
        if content == b"project = 1":
            assert Study(tmp_path).project == {}
        else:
            with pytest.raises(DataError, match=r"pyproject\.toml is not valid TOML"):
                package_name(Study(tmp_path))


def test_incomplete_or_edited_results_are_not_packed(study: Study, tmp_path: Path) -> None:
    path = study.output / "results/effect.json"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace("{", "{ ", 1), encoding="utf-8")
    with pytest.raises(DataError, match=r"results/effect\.json \(edited by hand\).*reproduce"):
        write_package(study, tmp_path)
    path.write_text(whole, encoding="utf-8")
    (study.output / "paper.pdf").unlink()
    with pytest.raises(DataError, match=r"paper\.pdf \(missing\)"):
        write_package(study, tmp_path)
    assert not list(tmp_path.glob("*.zip"))


def test_this_study_as_a_package(tmp_path: Path) -> None:
    study = Study(ROOT)
    if not (ROOT / "paper").is_dir() or check_files(study, study.artefacts, strays=True).faults:
        pytest.skip("the results here are not complete; run jjjpolicy reproduce")
    archive = write_package(study, tmp_path / "out")
    assert archive.name == f"{package_name(study)}.zip"
    root = unpack(archive, tmp_path / "unpacked")
    there = verify_checksums(root)
    assert {"Makefile", "requirements.lock", "src/jjjpolicy/__init__.py", "README.md"} <= there
    before = json.loads((root / "paper/results/rd-2019.json").read_text())
    (root / "paper/results/rd-2019.json").unlink()
    result = run(["-m", "jjjpolicy", "reproduce", "numbers:rd-2019"], root, root / "src")
    assert result.returncode == 0, result.stderr
    assert json.loads((root / "paper/results/rd-2019.json").read_text()) == before
