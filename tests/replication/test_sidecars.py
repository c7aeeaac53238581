"""Provenance on disk: each design once, read back whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.sidecars import read_sidecar, sidecar_text

DATA = {"panel": "cities", "exclude": [f"1301{k:02}" for k in range(40)], "left_out": 0}
CONTENT = {
    "artefact": "numbers:one",
    "estimates": {
        "a": {"estimator": {"name": "Imputation"}, "data": DATA},
        "b": {"estimator": {"name": "TwoStage"}, "data": dict(DATA)},
        "c": {"estimator": {"name": "TwoStage"}, "data": {**DATA, "left_out": 1}},
    },
    "files": {"results/one.json": "0"},
}


def test_a_design_stands_once_and_comes_back_where_it_is_used(tmp_path: Path) -> None:
    path, text = tmp_path / "one.json", sidecar_text(CONTENT)
    path.write_text(text, encoding="utf-8")
    assert read_sidecar(path) == CONTENT
    assert list(read_sidecar(path)) == list(CONTENT)
    assert text.count('"130139"') == 2
    assert [each["data"] for each in json.loads(text)["estimates"].values()] == ["1", "1", "2"]
    assert len(text.splitlines()) < 40  # a list of codes is one line


def test_provenance_that_repeats_its_designs_is_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(CONTENT, indent=1), encoding="utf-8")
    assert read_sidecar(path) == CONTENT


def test_a_design_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(sidecar_text(CONTENT).replace('"2": {', '"3": {'), encoding="utf-8")
    with pytest.raises(DataError, match=r"one.json: a design is not in it \('2'\)"):
        read_sidecar(path)
