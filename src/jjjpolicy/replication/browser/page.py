"""The results browser: one HTML file with every result and where it comes from.

It needs no server and asks for nothing from outside: styles, scripts and pictures are in the file,
and its content security policy forbids everything else, so that no text of a label or data file
can run. Figures are drawn when they come into sight; what several artefacts share is shown once.
"""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files as resources
from itertools import islice
from pathlib import Path

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import ArtefactName, write_whole
from jjjpolicy.replication.artefacts.integrity import check_files
from jjjpolicy.replication.artefacts.overview import Entry, entries
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.browser.items import FIRST_ROWS, Item, Listing, listing, make_item, share


@dataclass(frozen=True)
class DataFile:
    """A data file that a script has read: its first rows."""

    path: str
    hash: str
    count: int
    headings: list[str]
    first: list[list[str]]


def write_browser(study: Study) -> None:
    """Write the browser next to the paper; the same results give the same bytes.

    Raises
    ------
    DataError
        An artefact has not been made, or its files cannot be read.
    """
    path = study.browser
    text = page(study)
    path.parent.mkdir(exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_whole(path, text)


def page(study: Study) -> str:
    """The browser as HTML.

    Raises
    ------
    DataError
        An artefact has not been made, or its files cannot be read.
    """
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as error:
        raise DataError('The results browser needs: pip install "jjjpolicy[paper]"') from error
    from markupsafe import Markup

    checked = check_files(study, study.artefacts, strays=False)
    items = [make_item(study, name, place, checked) for name, place in _in_order(study)]
    for item in items:  # rendered and escaped by report.html
        item.tables = {tongue: Markup(table) for tongue, table in item.tables.items()}
    share(items)
    script = _template("browser.js")
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("browser.html").render(
        title=study.title,
        items=items,
        modules=_modules(study, items),
        files=_data_files(study, items),
        css=Markup(_template("browser.css")),
        js=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _in_order(study: Study) -> list[tuple[ArtefactName, Entry | None]]:
    """Artefacts as the paper shows them, then the other tables and figures, then numbers."""
    places = {entry.name: entry for entry in entries(study)}
    rest = [name for name in study.artefacts if name not in places]
    rest.sort(key=lambda name: name.kind == "numbers")
    return [*places.items(), *((name, None) for name in rest)]


def _modules(study: Study, items: Sequence[Item]) -> list[Listing]:
    """Modules beside the scripts that make nothing themselves."""
    scripts = {item.script.path for item in items}
    read = {path for item in items for path, _ in item.inputs if path.endswith(".py")}
    return [listing(study, path) for path in sorted(read - scripts)]


def _data_files(study: Study, items: Sequence[Item]) -> list[DataFile]:
    hashes = {path: value for item in items for path, value in item.inputs}
    return [
        _data_file(study.root / path, path, hashes[path])
        for path in sorted(hashes)
        if path.endswith(".csv") and (study.root / path).is_file()
    ]


def _data_file(file: Path, path: str, value: str) -> DataFile:
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.reader(stream)
        headings = next(reader, [])
        first = list(islice(reader, FIRST_ROWS))
        count = len(first) + sum(1 for _ in reader)
    return DataFile(path, value, count, headings, first)


def _template(name: str) -> str:
    place = resources("jjjpolicy.replication") / "templates" / name
    return place.read_text(encoding="utf-8")
