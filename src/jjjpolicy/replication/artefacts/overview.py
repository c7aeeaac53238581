"""The map from tables and figures of the paper to the scripts that make them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import ArtefactName, read_sidecar, write_whole
from jjjpolicy.replication.artefacts.study import Study

OPEN, CLOSE = "<!-- artefacts -->", "<!-- /artefacts -->"
_KINDS = {"tbl": ("table", "Table"), "fig": ("figure", "Figure")}


@dataclass(frozen=True)
class Entry:
    """A numbered table or figure of the paper."""

    printed: str
    number: int
    name: ArtefactName
    caption: str
    script: str
    seconds: float


def entries(study: Study) -> list[Entry]:
    """Tables and figures in the order of the paper, with the script and its running time.

    Raises
    ------
    DataError
        The paper shows an artefact that no script has made.
    """
    source = study.paper_source("en").read_text(encoding="utf-8")
    counts = dict.fromkeys(_KINDS, 0)
    found = []
    for prefix, id in re.findall(r"^:::+ *\{#(tbl|fig):([a-z0-9-]+)", source, flags=re.MULTILINE):
        kind, word = _KINDS[prefix]
        counts[prefix] += 1
        name = ArtefactName(kind, id)
        path = study.output / name.sidecar
        if not path.is_file():
            raise DataError(f"paper: {name} has not been made. Run: jjjpolicy reproduce {name}")
        sidecar = read_sidecar(path)
        content = read_sidecar(study.output / name.content)
        caption = content["caption"]
        found.append(
            Entry(
                printed=f"{word} {counts[prefix]}",
                number=counts[prefix],
                name=name,
                caption=caption if isinstance(caption, str) else caption["en"],
                script=sidecar["script"],
                seconds=sidecar["made"]["seconds"],
            )
        )
    return found


def markdown(study: Study) -> str:
    """The map as a Markdown table."""
    lines = ["| In the paper | What it shows | Script | Seconds |", "|---|---|---|--:|"]
    for entry in entries(study):
        file = f"paper/{entry.name.content.parent.as_posix()}/{entry.name.id}"
        shown = "<1" if entry.seconds < 1 else f"{entry.seconds:.0f}"
        suffix = "en.md" if entry.name.kind == "table" else "en.svg"
        lines.append(
            f"| [{entry.printed}]({file}.{suffix}) | {entry.caption} "
            f"| [`{entry.script}`]({entry.script}) | {shown} |"
        )
    return "\n".join(lines) + "\n"


def write_map(study: Study) -> None:
    """Put the map between its marks in the study's README."""
    path = study.root / "README.md"
    text = path.read_text(encoding="utf-8")
    if OPEN not in text or CLOSE not in text:
        raise DataError(f"README.md has no place for the map; add {OPEN} and {CLOSE} to it.")
    before, rest = text.split(OPEN, 1)
    after = rest.split(CLOSE, 1)[1]
    new = f"{before}{OPEN}\n{markdown(study)}{CLOSE}{after}"
    if new != text:
        write_whole(path, new)
