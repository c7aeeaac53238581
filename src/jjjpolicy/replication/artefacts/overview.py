"""The map from tables and figures of the paper to the scripts that make them.

Running times depend on the machine and the day: they are written when asked for, and otherwise
stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import KINDS, ArtefactName, write_whole
from jjjpolicy.replication.artefacts.document import PAPER, numbered
from jjjpolicy.replication.artefacts.sidecars import read_sidecar
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.report.text import Label, Language, Text, label_of, words

READMES: dict[Language, str] = {"en": "README.md", "zh": "README.zh.md"}
OPEN, CLOSE = "<!-- artefacts -->", "<!-- /artefacts -->"
NOT_TIMED = "\N{EN DASH}"
_HEADINGS = (
    Text("In the paper", "论文中的位置"),
    Text("What it shows", "内容"),
    Text("Script", "脚本"),
    Text("Seconds", "用时（秒）"),
)
_KINDS = {"tbl": ("table", Text("Table", "表")), "fig": ("figure", Text("Figure", "图"))}


@dataclass(frozen=True)
class Entry:
    """A numbered table or figure of the paper or its appendix."""

    place: Text
    name: ArtefactName
    caption: Label
    script: str
    seconds: float


def entries(study: Study) -> list[Entry]:
    """Tables and figures of the paper and its appendix in order, with script and running time.

    Raises
    ------
    DataError
        The paper shows an artefact that no script has made.
    """
    shown = [
        (document.series, kind, id, number)
        for document in study.documents
        if document.language == PAPER.language
        for kind, id, number in numbered(study.source_of(document).read_text(encoding="utf-8"))
        if kind in _KINDS
    ]
    found = []
    for series, prefix, id, number in shown:
        kind, word = _KINDS[prefix]
        name = ArtefactName(kind, id)
        path = study.output / name.sidecar
        if not path.is_file():
            raise DataError(f"paper: {name} has not been made. Run: jjjpolicy reproduce {name}")
        sidecar = read_sidecar(path)
        content = read_sidecar(study.output / name.content)
        found.append(
            Entry(
                place=Text(f"{word.en} {series}{number}", f"{word.zh}{series}{number}"),
                name=name,
                caption=label_of(content["caption"]),
                script=sidecar["script"],
                seconds=sidecar["made"]["seconds"],
            )
        )
    return found


def markdown(
    study: Study,
    seconds: Mapping[ArtefactName, str] | None = None,
    language: Language = "en",
) -> str:
    """The map as a Markdown table.

    Parameters
    ----------
    study : Study
    seconds : mapping, optional
        What to print as running times; by default those that the provenance records.
    language : "en" or "zh"
    """
    headings = " | ".join(words(heading, language) for heading in _HEADINGS)
    lines = [f"| {headings} |", "|---|---|---|--:|"]
    for entry in entries(study):
        file = f"paper/{entry.name.content.parent.as_posix()}/{entry.name.id}.{language}"
        recorded = "<1" if entry.seconds < 1 else f"{entry.seconds:.0f}"
        shown = recorded if seconds is None else seconds.get(entry.name, NOT_TIMED)
        suffix = "md" if entry.name.kind == "table" else "svg"
        lines.append(
            f"| [{words(entry.place, language)}]({file}.{suffix}) "
            f"| {words(entry.caption, language)} "
            f"| [`{entry.script}`]({entry.script}) | {shown} |"
        )
    return "\n".join(lines) + "\n"


def readmes(study: Study) -> dict[Language, Path]:
    """The study's README in the languages in which there is one; there is an English one."""
    paths = {language: study.root / name for language, name in READMES.items()}
    return {
        language: path for language, path in paths.items() if language == "en" or path.is_file()
    }


def write_map(study: Study, *, timings: bool = False) -> None:
    """Put the map between its marks in the study's README, in each language.

    Parameters
    ----------
    study : Study
    timings : bool
        Whether to print the running times that the provenance records in place of those that stand
        in the README.

    Raises
    ------
    DataError
        A README has no marks.
    """
    for language, path in readmes(study).items():
        text = path.read_text(encoding="utf-8")
        if OPEN not in text or CLOSE not in text:
            raise DataError(f"{path.name} has no place for the map; add {OPEN} and {CLOSE} to it.")
        before, rest = text.split(OPEN, 1)
        old, after = rest.split(CLOSE, 1)
        table = markdown(study, None if timings else _printed_seconds(old), language)
        new = f"{before}{OPEN}\n{table}{CLOSE}{after}"
        if new != text:
            write_whole(path, new)


def _printed_seconds(table: str) -> dict[ArtefactName, str]:
    rows = re.findall(
        r"^\| \[[^]]+\]\(paper/(tables|figures)/([^.)]+)[^)]*\) \|.*\| ([^|]*) \|$",
        table,
        re.MULTILINE,
    )
    kinds = {folder: kind for kind, folder in KINDS.items()}
    return {ArtefactName(kinds[folder], id): seconds for folder, id, seconds in rows}
