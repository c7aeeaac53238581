"""The data dictionary as a page, written from data/variables.csv each time the site is built."""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

INTRODUCTION = """# Data dictionary

Every variable of the bundled panels, from `data/variables.csv`; `jp.dictionary()` gives the same
table. A formula is what the package computes. A series has one vintage, and a panel refuses to mix
them: see [the data](data.md). Where a variable changes its definition, a design refuses a window
across the change unless told otherwise.
"""


def page(data: Path) -> str:
    """The dictionary in Markdown: one section per data set, one entry per variable and vintage."""
    with (data / "variables.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    breaks: dict[tuple[str, str], list[str]] = {}
    with (data / "breaks.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            told = f"From {row['year']} on: {row['reason_en']} ({row['reason_zh']})."
            breaks.setdefault((row["dataset"], row["variable"]), []).append(told)
    lines = [INTRODUCTION]
    for dataset, members in groupby(rows, key=lambda row: row["dataset"]):
        lines += [f"## {dataset}", "", "| variable | label | unit | years | vintage | source |"]
        lines += ["|---|---|---|---|---|---|"]
        notes: dict[str, str] = {}
        for row in members:
            years = f"{row['first_year']}–{row['last_year']}" if row["first_year"] else ""
            label = f"{row['label_en']} {row['label_zh']}"
            unit = f"{row['unit_en']} {row['unit_zh']}"
            cells = [f"`{row['variable']}`", label, unit, years, row["vintage"]]
            source = f"`{row['formula']}`" if row["formula"] else f"`{row['source']}`"
            lines.append("| " + " | ".join(_cell(text) for text in [*cells, source]) + " |")
            notes.setdefault(row["variable"], row["definition"])
        lines.append("")
        for name, text in notes.items():
            lines.append(" ".join([f"- `{name}`: {text}.", *breaks.get((dataset, name), [])]))
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def write(app: Sphinx) -> None:
    source = Path(app.srcdir)
    target = source / "reference" / "data-dictionary.md"
    text = page(source.parent / "data")
    # Left alone when nothing changed, so that a second build has nothing to do.
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
