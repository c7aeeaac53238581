"""README of a replication package, in the template of the Social Science Data Editors.

The template: Vilhuber et al. (2022), "A template README for social science replication packages",
doi:10.5281/zenodo.7293838.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import KINDS, ArtefactName
from jjjpolicy.replication.artefacts.document import PAPER
from jjjpolicy.replication.artefacts.overview import entries
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.report.text import words

_IN_TEXT = "Numbers in the text"
_NOT_SHOWN = "Not in the paper"


@dataclass(frozen=True)
class Source:
    """A publication behind the data, and the files that name it."""

    key: str
    publication: str
    reached: str
    licence: str
    extraction: str
    check: str
    files: tuple[str, ...]


def package_readme(
    study: Study, sidecars: Mapping[ArtefactName, Mapping[str, Any]], size: int
) -> str:
    """The README as Markdown.

    Parameters
    ----------
    study : Study
    sidecars : mapping of ArtefactName to provenance
    size : int
        Bytes of the packaged files.

    Raises
    ------
    DataError
        The extra ``paper`` is not installed, or the paper shows what was not made.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as error:
        raise DataError('The package needs: pip install "jjjpolicy[paper]"') from error

    template = resources("jjjpolicy.replication") / "templates" / "package_readme.md"
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    tables = [name.id for name in sidecars if name.kind == "table"]
    seconds = _seconds(sidecars)
    files = sorted((study.root / "data").glob("*.csv"))
    text = environment.from_string(template.read_text(encoding="utf-8")).render(
        title=study.title.en,
        authors=", ".join(_authors(study)),
        scripts=[
            {
                "path": f"analysis/{script.path.name}",
                "makes": ", ".join(f"`{name}`" for name in script.makes),
                "about": _about(script.path),
            }
            for script in study.scripts
        ],
        sources=_sources(study, files),
        data_files=[_data_file(path) for path in files],
        has_source=(study.root / "src").is_dir(),
        has_make=(study.root / "Makefile").is_file(),
        has_lock=(study.root / "requirements.lock").is_file(),
        has_data_readme=(study.root / "data/README.md").is_file(),
        python=_python(study),
        versions=_listed(
            f"{name} {version}"
            for sidecar in sidecars.values()
            for name, version in sidecar["versions"].items()
        ),
        platforms=_listed(
            f"{sidecar['made']['platform']}, Python {sidecar['made']['python']}"
            for sidecar in sidecars.values()
        ),
        runtime=f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes",
        durations=_durations(seconds),
        year=max((sidecar["made"]["at"][:4] for sidecar in sidecars.values()), default=""),
        megabytes=f"{size / 1e6:.0f}",
        licence=_licence(study),
        first_table=tables[0] if tables else "name",
        map=_map(study, sidecars),
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def _map(study: Study, sidecars: Mapping[ArtefactName, Mapping[str, Any]]) -> list[dict[str, str]]:
    shown = {entry.name: entry for entry in entries(study)}
    order = [*shown, *(name for name in study.artefacts if name not in shown)]
    rows = []
    for name in order:
        sidecar = sidecars[name]
        entry = shown.get(name)
        caption = words(entry.caption, "en") if entry else f"`{name}`"
        printed = _IN_TEXT if name.kind == "numbers" else _NOT_SHOWN
        suffix = {"numbers": "json", "table": "en.md", "figure": "en.pdf"}[name.kind]
        rows.append(
            {
                "printed": entry.place.en if entry else printed,
                "caption": caption.replace("|", "\\|"),
                "script": sidecar["script"],
                "line": str(sidecar["line"]),
                "output": f"paper/{KINDS[name.kind]}/{name.id}.{suffix}",
                "seconds": f"{sidecar['made']['seconds']:.0f}",
            }
        )
    return rows


def _seconds(sidecars: Mapping[ArtefactName, Mapping[str, Any]]) -> float:
    """Time of all scripts; a script's is that of the last artefact that it made."""
    by_script: dict[str, float] = {}
    for sidecar in sidecars.values():
        seconds = float(sidecar["made"]["seconds"])
        by_script[sidecar["script"]] = max(seconds, by_script.get(sidecar["script"], 0.0))
    return sum(by_script.values())


def _durations(seconds: float) -> list[tuple[str, bool]]:
    """The classes of the template, and which one this is."""
    bounds = [0.0, 600.0, 3600.0, 8 * 3600.0, float("inf")]
    labels = ("less than 10 minutes", "10 to 60 minutes", "1 to 8 hours", "more than 8 hours")
    return [
        (label, low <= seconds < high)
        for label, low, high in zip(labels, bounds[:-1], bounds[1:], strict=True)
    ]


def _sources(study: Study, files: Iterable[Path]) -> list[Source]:
    path = study.root / "data" / "sources.csv"
    if not path.is_file():
        return []
    used: dict[str, set[str]] = {}
    for file in files:
        if file != path:
            for key in _named_sources(file):
                used.setdefault(key, set()).add(f"`data/{file.name}`")
    return [
        Source(
            row["source"],
            _sentence(row["publication"]),
            _sentence(row.get("reached_through", "")),
            _sentence(row.get("licence_stated", "")),
            _sentence(row.get("extraction", "")),
            _sentence(row.get("cross_check", "")),
            tuple(sorted(used.get(row["source"], ()))),
        )
        for row in _records(path)
    ]


def _named_sources(file: Path) -> set[str]:
    """Sources that a data file names, without the section that may follow the name."""
    found = set()
    for row in _records(file):
        for column, content in row.items():
            if column == "source" or column.endswith("_source"):
                found |= {part.strip().split(" ")[0] for part in (content or "").split(";")}
    return found - {""}


def _records(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _data_file(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.reader(stream)
        columns = next(reader, [])
        rows = sum(1 for _ in reader)
    shown = ", ".join(f"`{column}`" for column in columns)
    return {"path": f"data/{path.name}", "rows": str(rows), "columns": shown}


def _about(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").rstrip(".")


def _authors(study: Study) -> list[str]:
    head = study.source_of(PAPER).read_text(encoding="utf-8").split("\n---", 1)[0]
    return re.findall(r"^\s*-\s*name:\s*[\"']?(.+?)[\"']?\s*$", head, flags=re.MULTILINE)


def _python(study: Study) -> str:
    return str(study.project.get("requires-python", ">=3.11")).replace(">=", "") + " or newer"


def _licence(study: Study) -> str:
    path = study.root / "LICENSE"
    if not path.is_file():
        return "None stated."
    first = path.read_text(encoding="utf-8").strip().splitlines()[0]
    return f"{first}, see `LICENSE`."


def _listed(items: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(items))


def _sentence(text: str) -> str:
    return text.strip().rstrip(".;")
