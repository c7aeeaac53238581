"""A study to start from."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError

UNITS, PERIODS, FIRST_TREATED = 24, range(2008, 2020), 2015


def write_skeleton(parent: Path, name: str) -> list[Path]:
    """Write a study that runs: simulated data, a script, a test, a paper.

    Parameters
    ----------
    parent : Path
        Where the study's folder is made.
    name : str
        Of the study and its folder.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    DataError
        The name has other characters than letters, digits, ``-`` and ``_``, or the folder exists.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise DataError(f"{name!r}: use letters, digits, - and _ for the name of a study.")
    folder = parent / name
    if folder.exists():
        raise DataError(f"{name}/ exists; choose another name.")
    made = []
    for relative, content in _templates(files("jjjpolicy.replication") / "templates" / "study"):
        path = folder / relative.removesuffix(".txt").replace("gitignore", ".gitignore")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace("NAME", name), encoding="utf-8")
        made.append(path)
    path = folder / "data" / "simulated.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_simulated(), encoding="utf-8")
    return [*made, path]


def _templates(folder: Any, prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        name = f"{prefix}{item.name}"
        if item.is_dir():
            found += _templates(item, f"{name}/")
        else:
            found.append((name, item.read_text(encoding="utf-8")))
    return found


def _simulated() -> str:
    """A panel with unit and year effects, noise, and an effect of 0.5 on the first unit."""
    import numpy as np

    noise = np.random.default_rng(2015).normal(size=(UNITS, len(PERIODS)))
    lines = ["region,year,outcome,treated"]
    for unit in range(UNITS):
        for position, year in enumerate(PERIODS):
            treated = int(unit == 0 and year >= FIRST_TREATED)
            value = 0.3 * (unit % 5) + 0.1 * position + 0.2 * noise[unit, position] + 0.5 * treated
            lines.append(f"region {unit + 1},{year},{value:.4f},{treated}")
    return "\n".join(lines) + "\n"
