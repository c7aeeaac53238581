"""Answers of other programs and of papers, each with a manifest of what gave them.

A folder is a case: ``manifest.json`` names programs, versions, commands, data and known defects;
``answers.json`` holds the numbers. Data that may not travel with this package are fetched by
``python tests/reference/fetch.py`` and checked by their hash.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).resolve().parent
FETCHED = HERE / "data"
BESIDE = HERE.parents[2] / "shared" / "gold" / "data"


@cache
def manifests() -> dict[str, dict[str, Any]]:
    """The manifest of every case."""
    return {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(HERE.glob("*/manifest.json"))
    }


def answers(case: str) -> dict[str, Any]:
    """The numbers of a case."""
    path = HERE / case / "answers.json"
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def record(case: str, key: str, found: dict[str, Any]) -> None:
    """Write what another package answers to one test."""
    lines = [
        f" {json.dumps(name)}: {json.dumps(value)}"
        for name, value in sorted((answers(case) | {key: found}).items())
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (HERE / case / "answers.json").write_text(text, encoding="utf-8")


def files() -> dict[str, dict[str, str]]:
    """Data sets that do not travel with this package, by case."""
    return {case: each["file"] for case, each in manifests().items() if "file" in each}


def path_of(case: str) -> Path | None:
    """Where the data of a case lie, if they are here."""
    places = [place / files()[case]["name"] for place in (FETCHED, BESIDE)]
    return next((path for path in places if path.is_file()), None)


def data(case: str) -> pd.DataFrame:
    """The data of a case; they must be here."""
    path = path_of(case)
    assert path is not None
    return pd.read_csv(path, sep=files()[case]["separator"])
