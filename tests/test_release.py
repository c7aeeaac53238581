"""A release is one: version, metadata, changelog, extras, and what the archives hold."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
ZENODO = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
VERSION = PROJECT["version"]


def cited(field: str) -> str | None:
    found = re.search(rf'^{field}: "?(.*?)"?$', CITATION, re.M)
    return found[1] if found else None


def test_metadata_agree() -> None:
    assert cited("version") == ZENODO["version"] == VERSION
    assert cited("title") == ZENODO["title"]
    assert cited("license") == ZENODO["license"] == PROJECT["license"]
    assert re.findall(r'- name: "(.*)"', CITATION) == [each["name"] for each in ZENODO["creators"]]
    assert [each["name"] for each in PROJECT["authors"]] == [c["name"] for c in ZENODO["creators"]]
    keywords = CITATION.partition("keywords:")[2]
    assert re.findall(r"- (.*)", keywords) == ZENODO["keywords"]


def test_the_changelog_dates_a_version_as_the_citation_does() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.M)
    assert headings[0] == "[Unreleased]"
    released = dict(re.findall(r"^## \[(.*?)\] - (\d{4}-\d\d-\d\d)$", text, re.M))
    assert len(released) == len(headings) - 1
    assert cited("date-released") == released.get(VERSION)


def test_the_table_of_extras_is_that_of_the_package() -> None:
    page = (ROOT / "docs/reference/extras.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", page, re.M)
    assert all(what for _, what, _ in rows)
    listed = {extra: packages.split(", ") for extra, _, packages in rows}
    assert listed == {
        extra: [re.split(r"[\[<>=]", each)[0] for each in packages]
        for extra, packages in PROJECT["optional-dependencies"].items()
    }


def test_the_release_checklist_names_every_file_that_has_the_version() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    checklist = text.partition("\n## Release\n")[2].partition("\n## ")[0]
    for name in ("pyproject.toml", "CITATION.cff", ".zenodo.json", "CHANGELOG.md"):
        assert f"`{name}`" in checklist


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="install the extra 'build'")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_the_wheel_holds_every_module_template_and_data_file(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"jjjpolicy-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = ROOT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in (source / "jjjpolicy").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {f"jjjpolicy/_data/{path.name}" for path in (ROOT / "data").glob("*.csv")}
    assert expected <= names
    assert {name.partition("/")[0] for name in names} == {
        "jjjpolicy",
        f"jjjpolicy-{VERSION}.dist-info",
    }


def test_the_source_archive_holds_what_its_tests_and_make_read(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("Makefile", "requirements.lock", "requirements-lowest.lock", ".zenodo.json"):
        assert name in names
    for folder in ("data", "analysis", "benchmarks", "docs", "paper", "tests"):
        assert any(name.startswith(f"{folder}/") for name in names)
    assert "tests/reference/mpdta/answers.json" in names
    assert not any(name.startswith("tests/reference/data/") for name in names)
