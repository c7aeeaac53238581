"""Answers of other programs: every number has a program, a version, a command and a source."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import reference
from reference import fetch

TESTS = Path(__file__).resolve().parent


@pytest.mark.parametrize("case", reference.manifests())
def test_every_answer_has_a_program_with_version_command_and_source(case: str) -> None:
    manifest, answers = reference.manifests()[case], reference.answers(case)
    assert manifest["title"]
    assert isinstance(manifest["defects"], list)
    named: set[str] = set()
    for program in manifest["programs"]:
        assert program["program"]
        assert program["command"]
        assert program["source"]
        assert "version" in program
        named |= set(answers) if program["answers"] == "all" else set(program["answers"])
    assert named == set(answers)


def test_recorded_answers_are_of_tests_that_are_there() -> None:
    text = {path.stem: path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")}
    for case in reference.manifests():
        for key in reference.answers(case):
            stem, _, name = key.partition("::")
            assert not name or f"def {name.partition('[')[0]}(" in text[stem]


def test_data_are_fetched_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    source, case = tmp_path / "there.csv", tmp_path / "here" / "case"
    source.write_bytes(b"a;b\n1;2\n")
    case.mkdir(parents=True)
    file = {
        "name": "small.csv",
        "url": source.as_uri(),
        "sha256": "of another file",
    }
    monkeypatch.setattr(fetch, "HERE", tmp_path / "here")
    manifest = case / "manifest.json"
    manifest.write_text(json.dumps({"file": file}), encoding="utf-8")
    assert fetch.main([]) == 1
    assert "is not what the answers are of" in capsys.readouterr().out
    assert not (tmp_path / "here/data/small.csv").exists()
    file["sha256"] = hashlib.sha256(source.read_bytes()).hexdigest()
    manifest.write_text(json.dumps({"file": file}), encoding="utf-8")
    assert fetch.main(["another"]) == 0
    assert fetch.main(["case"]) == 0
    assert (tmp_path / "here/data/small.csv").read_bytes() == source.read_bytes()
    file["url"] = (tmp_path / "gone.csv").as_uri()
    manifest.write_text(json.dumps({"file": file}), encoding="utf-8")
    assert fetch.main([]) == 1
    assert "cannot be reached" in capsys.readouterr().out
