"""Provenance on disk: JSON in which each design stands once, however many estimates rest on it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError

_SHORT_LIST = re.compile(r"\[\n[^\[\]{}]*?\]")


def read_sidecar(path: Path) -> dict[str, Any]:
    """Provenance as :func:`sidecar_text` writes it, with each design where it is used.

    Raises
    ------
    DataError
        The file is not JSON, or an estimate rests on a design that is not in it.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{path.name} is not valid JSON ({error}). Rebuild it.") from error
    if not isinstance(content, dict) or "artefact" not in content:
        return content
    designs = content.pop("designs", {})
    try:
        for estimate in content.get("estimates", {}).values():
            if isinstance(estimate["data"], str):
                estimate["data"] = designs[estimate["data"]]
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(f"{path.name}: a design is not in it ({error}). Rebuild it.") from error
    return content


def sidecar_text(content: Mapping[str, Any]) -> str:
    """Provenance as JSON: what several estimates rest on is written once, under ``designs``."""
    numbers: dict[str, str] = {}
    designs: dict[str, Any] = {}
    estimates = {}
    for key, estimate in content["estimates"].items():
        mark = json.dumps(estimate["data"])
        if mark not in numbers:
            numbers[mark] = str(len(numbers) + 1)
            designs[numbers[mark]] = estimate["data"]
        estimates[key] = {**estimate, "data": numbers[mark]}
    folded = {}
    for key, value in content.items():
        folded[key] = estimates if key == "estimates" else value
        if key == "estimates" and designs:
            folded["designs"] = designs
    text = json.dumps(folded, ensure_ascii=False, indent=1)
    return _SHORT_LIST.sub(lambda found: re.sub(r"\n\s*", " ", found[0]), text) + "\n"
