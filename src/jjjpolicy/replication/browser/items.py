"""What the results browser shows of each artefact: words, pictures, provenance, code, data rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import ArtefactName
from jjjpolicy.replication.artefacts.compact import compact
from jjjpolicy.replication.artefacts.integrity import Integrity
from jjjpolicy.replication.artefacts.leaves import leaves, read_json
from jjjpolicy.replication.artefacts.overview import Entry
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.provenance.rows import DataRows, rows_behind
from jjjpolicy.replication.provenance.specification import panel_of
from jjjpolicy.report.figures.figure import Caption
from jjjpolicy.report.tables.html import render
from jjjpolicy.report.tables.layout import lay_out
from jjjpolicy.report.tables.table import Table
from jjjpolicy.report.text import LANGUAGES, Label, Text, words

FIRST_ROWS = 8
"""Data rows shown."""

_WORDS = {
    "table": Text("Table", "表"),
    "figure": Text("Figure", "图"),
    "numbers": Text("Numbers", "数值"),
}
_NOT_IN_PAPER = Text(" outside the paper", "（正文未列）")

Words = dict[str, str]
"""The same words by language."""


@dataclass(frozen=True)
class Listing:
    """A script, line by line."""

    path: str
    lines: list[str]


@dataclass(frozen=True)
class Rows:
    """Data rows that one or several estimates of an artefact rest on."""

    outcome: Words
    file: str
    estimates: list[str]
    count: int
    verified: bool
    summary: list[list[str]]
    headings: list[str]
    first: list[list[str]]


@dataclass(frozen=True)
class Drawing:
    """A figure in one language: its markup, which the page draws when it comes into sight."""

    markup: str
    proportion: str


@dataclass
class Item:
    """An artefact.

    ``elsewhere`` names the item before it that shows the same ``script``, ``estimates`` or
    ``rows``; ``made_lines`` are the lines of the script that its artefacts are made in.
    """

    name: ArtefactName
    number: Words
    caption: Words
    script: Listing
    line: int
    inputs: list[tuple[str, str]]
    files: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    faults: list[str]
    estimates: list[list[str | Words]]
    rows: list[Rows] = field(default_factory=list)
    unfound: list[str] = field(default_factory=list)
    tables: Words = field(default_factory=dict)
    images: dict[str, Drawing] = field(default_factory=dict)
    width: float = 0.0
    notes: Words = field(default_factory=lambda: {"en": "", "zh": ""})
    plot: Any = None
    values: list[list[str]] = field(default_factory=list)
    elsewhere: dict[str, Item] = field(default_factory=dict)
    made_lines: set[int] = field(default_factory=set)

    @property
    def anchor(self) -> str:
        """Identifier on the page."""
        return f"{self.name.kind}-{self.name.id}"


def make_item(study: Study, name: ArtefactName, entry: Entry | None, checked: Integrity) -> Item:
    """Collect what is shown of an artefact.

    Parameters
    ----------
    study : Study
    name : ArtefactName
    entry : Entry or None
        Its place in the paper; None where the paper does not show it.
    checked : Integrity
        Of the study's files.

    Raises
    ------
    DataError
        It has not been made, or its files cannot be read.
    """
    if name not in checked.sidecars:
        raise DataError(f"{name} has no sound provenance. Run: jjjpolicy reproduce {name}")
    sidecar = checked.sidecars[name]
    item = Item(
        name=name,
        number=_number(name, entry),
        caption=_both(name.id),
        script=listing(study, sidecar["script"]),
        line=sidecar["line"],
        inputs=list(sidecar["inputs"].items()),
        files=list(sidecar["files"].items()),
        versions=list(sidecar["versions"].items()),
        faults=[fault.file for fault in checked.faults if fault.artefact == str(name)],
        estimates=[_describe(key, each) for key, each in sidecar["estimates"].items()],
    )
    item.rows, item.unfound = _rows(sidecar["estimates"])
    content = study.output / name.content
    if name.kind == "table":
        table = Table.load(content)
        item.caption = _both(table.caption)
        item.tables = {tongue: render(lay_out(table, tongue), anchor=False) for tongue in LANGUAGES}
    elif name.kind == "figure":
        caption = Caption.load(content)
        item.caption, item.width = _both(caption.caption), caption.width
        item.notes = {
            tongue: ("" if tongue == "zh" else " ").join(words(n, tongue) for n in caption.notes)
            for tongue in LANGUAGES
        }
        item.images = {
            tongue: _image(content.with_name(f"{name.id}.{tongue}.svg")) for tongue in LANGUAGES
        }
        item.plot = read_json(content).get("data")
    else:
        item.values = [[path, _shown(value)] for path, value in leaves(read_json(content))]
    return item


def share(items: Sequence[Item]) -> None:
    """Let the first item with a script, estimates or rows show them for all that have the same."""
    first: dict[tuple[str, str], Item] = {}
    for item in items:
        parts = {
            "script": item.script.path,
            "estimates": repr(item.estimates),
            "rows": repr((item.rows, item.unfound)),
        }
        for part, content in parts.items():
            shown = first.setdefault((part, content), item)
            if shown is not item:
                item.elsewhere[part] = shown
        first["script", item.script.path].made_lines.add(item.line)


def listing(study: Study, path: str) -> Listing:
    """The source of a script as it is now."""
    file = study.root / path
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return Listing(path, text.splitlines())


def _number(name: ArtefactName, entry: Entry | None) -> Words:
    word = _WORDS[name.kind]
    if entry is not None:
        return {"en": entry.place.en, "zh": entry.place.zh}
    if name.kind == "numbers":
        return _both(word)
    return {"en": word.en + _NOT_IN_PAPER.en, "zh": word.zh + _NOT_IN_PAPER.zh}


def _describe(key: str, specification: Mapping[str, Any]) -> list[str | Words]:
    data = specification["data"]
    periods = data.get("periods", ())
    treated = [str(code) for code in data.get("treated", ())]
    sample = f"{data.get('units', '?')} × {'–'.join(map(str, periods))}"
    counted = {
        "en": f"{sample}, {data.get('observations', '?')} observations",
        "zh": f"{sample}，{data.get('observations', '?')} 个观测值",
    }
    source = " ".join(str(data[part]) for part in ("panel", "vintage") if data.get(part))
    return [
        key,
        _call(specification.get("estimator")),
        _call(specification.get("inference")),
        str(specification.get("estimand", "")),
        _outcome(data, str(specification.get("outcome", ""))),
        source,
        _regions(treated),
        counted,
    ]


def _call(content: Mapping[str, Any] | None) -> str:
    """``PlaceboUnits(seed=0)``."""
    if not content:
        return "–"
    options = ", ".join(
        f"{key}={value}"
        for key, value in content.items()
        if key != "name" and value not in (None, [], "")
    )
    return f"{content['name']}({options})"


def _regions(codes: Iterable[str]) -> Words:
    from jjjpolicy.registry.regions import regions

    known = {tongue: regions.names(tongue) for tongue in LANGUAGES}
    return {
        tongue: ("、" if tongue == "zh" else ", ").join(names.get(code, code) for code in codes)
        for tongue, names in known.items()
    }


def _outcome(data: Mapping[str, Any], outcome: str) -> Words:
    try:
        panel = panel_of(data["panel"], data["vintage"])
        return {tongue: panel.label(outcome, tongue, with_unit=True) for tongue in LANGUAGES}
    except (DataError, KeyError):
        return _both(outcome)


def _rows(estimates: Mapping[str, Mapping[str, Any]]) -> tuple[list[Rows], list[str]]:
    """Rows behind the estimates, each set once; and why others were not found."""
    behind: dict[str, list[str]] = {}
    specifications: dict[str, Mapping[str, Any]] = {}
    for key, specification in estimates.items():
        mark = str(specification["data"].get("fingerprint", key))
        behind.setdefault(mark, []).append(key)
        specifications.setdefault(mark, specification)
    shown: dict[tuple[str, ...], Rows] = {}
    unfound: dict[str, None] = {}
    for mark, keys in behind.items():
        try:
            found = rows_behind(specifications[mark])
        except (DataError, KeyError) as error:
            unfound[f"{', '.join(keys)}: {error}"] = None
            continue
        lines = (found.file, *found.frame["line"].astype(str))
        if lines in shown:
            shown[lines].estimates.extend(keys)
        else:
            shown[lines] = _block(found, keys, specifications[mark])
    return list(shown.values()), list(unfound)


def _block(found: DataRows, keys: list[str], specification: Mapping[str, Any]) -> Rows:
    frame = found.frame
    groups = frame.assign(number=pd.to_numeric(frame["value"])).groupby(["variable", "vintage"])
    summary = [
        [
            str(variable),
            str(vintage),
            str(len(part)),
            str(part["region_code"].nunique()),
            f"{part['year'].min()}–{part['year'].max()}",
            *(f"{part['number'].agg(how):.6g}" for how in ("min", "mean", "max")),
        ]
        for (variable, vintage), part in groups
    ]
    return Rows(
        outcome=_outcome(specification["data"], str(specification["outcome"])),
        file=f"data/{found.file}",
        estimates=list(keys),
        count=len(frame),
        verified=found.verified,
        summary=summary,
        headings=list(frame.columns),
        first=[[str(value) for value in row] for row in frame.head(FIRST_ROWS).to_numpy()],
    )


def _image(path: Path) -> Drawing:
    try:
        markup = compact(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path.name} is missing. Run the script that makes it.") from error
    # Inside a script element only these could end it; a drawing has no use for either.
    if re.search(r"</?script|<!--", markup, re.IGNORECASE):
        raise DataError(f"{path.name} holds a script. Run the script that makes it.")
    size = re.search(r'viewBox="[\d.e+-]+ [\d.e+-]+ ([\d.]+) ([\d.]+)"', markup)
    return Drawing(markup, f"{size[1]} / {size[2]}" if size else "auto")


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _both(label: Label) -> Words:
    return {tongue: words(label, tongue) for tongue in LANGUAGES}
