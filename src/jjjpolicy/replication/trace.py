"""From a printed number back to table cell, estimate, specification, data rows and script line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy._lookup import data_directory
from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts import KINDS, ArtefactName, read_sidecar
from jjjpolicy.replication.leaves import leaves, read_json
from jjjpolicy.replication.numbers import Numbers
from jjjpolicy.replication.quotes import Quote, printed, quotes
from jjjpolicy.replication.rows import rows_behind
from jjjpolicy.replication.study import Study
from jjjpolicy.replication.versions import digest
from jjjpolicy.report.cells import Figures
from jjjpolicy.report.table import Row, Table


@dataclass
class Branch:
    """A line of the tree and what hangs below it."""

    text: str
    branches: list[Branch] = field(default_factory=list)

    def add(self, text: str, below: Iterable[str] = ()) -> Branch:
        """Hang a line, and lines below it, onto this one; returns the new branch."""
        branch = Branch(text, [Branch(line) for line in below])
        self.branches.append(branch)
        return branch

    def lines(self, depth: int = 0) -> list[str]:
        """The tree as indented lines."""
        below = [line for branch in self.branches for line in branch.lines(depth + 1)]
        return ["  " * depth + self.text, *below]


@dataclass(frozen=True)
class PrintedCell:
    """A cell of a table with its place, as ``table:effects[2,1]``."""

    table: str
    row: int
    column: int
    label: str
    heading: str
    text: str
    source: str

    @property
    def place(self) -> str:
        """Name and description of the place."""
        return (
            f"table:{self.table}[{self.row},{self.column}]  {self.label} · {self.heading}: "
            f"{self.text}"
        )


def trace(study: Study, wanted: str, *, rows: int = 0) -> Branch:
    """Follow a number, table, figure or line of the paper back to where it comes from.

    Parameters
    ----------
    study : Study
    wanted : str
        ``effects:log_gdp/tianjin/did/att``; ``table:effects``, ``table:effects[2,1]`` (row and
        column) or ``table:effects[Tianjin,Estimate]``; ``figure:paths``; ``paper.md:64``.
    rows : int
        How many of the data rows to show.

    Raises
    ------
    DataError
        There is no such number, artefact or line; the message names those there are.
    """
    tracer = _Tracer(study, rows)
    paper_line = re.fullmatch(r"(paper(?:\.\w+)?)(?:\.md)?:(\d+)", wanted)
    if paper_line:
        return tracer.paper_line(f"{paper_line[1].removesuffix('.md')}.md", int(paper_line[2]))
    cell = re.fullmatch(r"table:([a-z0-9-]+)\[(.+),([^,]+)\]", wanted)
    if cell:
        return tracer.cell(cell[1], cell[2].strip(), cell[3].strip())
    prefix, _, rest = wanted.partition(":")
    if prefix in KINDS and not (prefix == "numbers" and ":" in rest):
        return tracer.artefact(ArtefactName.parse(wanted))
    if not rest:
        fits = [name for name in study.artefacts if name.id == wanted]
        if len(fits) == 1:
            return tracer.artefact(fits[0])
        known = ", ".join(map(str, fits or study.artefacts))
        raise DataError(
            f"{wanted!r} names no single number or artefact. Write result:path/of/the/number, or "
            f"one of {known}."
        )
    return tracer.number(*wanted.removeprefix("numbers:").split(":", 1))


def cells_of(table: Table) -> list[PrintedCell]:
    """Every cell of a table that holds figures."""
    found = []
    position = 0
    for panel in table.panels:
        for row in panel.rows:
            position += 1
            for number, (column, cell) in enumerate(zip(table.columns, row.cells, strict=True), 1):
                if isinstance(cell, Figures):
                    heading = ": ".join(filter(None, (str(column.span), str(column.heading))))
                    label = _label(panel.heading, row)
                    source = getattr(cell, "source", "")
                    found.append(
                        PrintedCell(table.id, position, number, label, heading, str(cell), source)
                    )
    return found


def _label(heading: object, row: Row) -> str:
    return f"{heading} / {row.label}" if str(heading) else str(row.label)


@dataclass
class _Tracer:
    study: Study
    rows: int

    # ------------------------------------------------------------------ what is asked for
    def number(self, result: str, path: str) -> Branch:
        name = ArtefactName("numbers", result)
        self.study.script_of(name)
        content = self._content(name)
        found = Numbers(result, content).value(path)
        tree = Branch(f"{result}:{path} = {_shown(found)}")
        if isinstance(found, Mapping | list):
            for below, each in leaves(found):
                tree.add(f"{result}:{path}/{below} = {_shown(each)}")
        self._add_printed(tree, f"{result}:{path}")
        sidecar = self._sidecar(name)
        keys = [
            key
            for key in sidecar["estimates"]
            if key == path or path.startswith(f"{key}/") or key.startswith(f"{path}/")
        ]
        self._add_estimates(tree, sidecar, keys)
        if not keys:
            tree.add("no single estimate is recorded behind it; the script computes it")
        self._add_making(tree, name, sidecar)
        return tree

    def artefact(self, name: ArtefactName) -> Branch:
        self.study.script_of(name)
        sidecar = self._sidecar(name)
        content = self._content(name)
        caption = content.get("caption", "") if isinstance(content, Mapping) else ""
        words = caption.get("en", "") if isinstance(caption, Mapping) else caption
        tree = Branch(f"{name}  {words}".rstrip())
        self._add_printed(tree, str(name))
        if name.kind == "table":
            cells = cells_of(Table.load(self.study.output / name.content))
            tree.add(f"{len(cells)} cells", [f"{cell.place}  ← {cell.source}" for cell in cells])
        if name.kind == "numbers":
            values = [f"{name.id}:{path} = {_shown(each)}" for path, each in leaves(content)]
            tree.add(f"{len(values)} values", values)
        self._add_estimates(tree, sidecar, list(sidecar["estimates"]))
        self._add_making(tree, name, sidecar)
        return tree

    def cell(self, table: str, row: str, column: str) -> Branch:
        name = ArtefactName("table", table)
        self.study.script_of(name)
        cells = cells_of(Table.load(self.study.output / name.content))
        fits = [
            cell
            for cell in cells
            if (row == str(cell.row) or row.lower() in cell.label.lower())
            and (column == str(cell.column) or column.lower() in cell.heading.lower())
        ]
        exact = [cell for cell in fits if row == str(cell.row) and column == str(cell.column)]
        fits = exact or fits
        if len(fits) != 1:
            listed = "; ".join(cell.place for cell in (fits or cells)[:12])
            which = "several cells fit" if fits else "no cell fits"
            raise DataError(f"table:{table}[{row},{column}]: {which}. Write one of: {listed}.")
        tree = Branch(fits[0].place)
        if fits[0].source:
            tree.branches.append(self.number(*fits[0].source.split(":", 1)))
        else:
            tree.add("the cell does not say which number it prints")
            self._add_making(tree, name, self._sidecar(name))
        return tree

    def paper_line(self, file: str, line: int) -> Branch:
        sources = [self.study.paper_source(language) for language in self.study.paper_languages]
        if file not in [path.name for path in sources]:
            known = ", ".join(path.name for path in sources) or "none"
            raise DataError(f"there is no {file} in {self.study.output.name}/. There are: {known}.")
        found = [q for q in quotes(self.study) if q.file == file and q.line == line]
        if not found:
            lines = sorted({q.line for q in quotes(self.study) if q.file == file})
            raise DataError(f"{file}:{line} quotes nothing. Lines that do: {_ranges(lines)}.")
        tree = Branch(f"{file}:{line}")
        for quote in dict.fromkeys(found):
            tree.branches.append(self._quoted(quote))
        return tree

    def _quoted(self, quote: Quote) -> Branch:
        kind, _, rest = quote.source.partition(":")
        if kind in KINDS:
            name = ArtefactName(kind, rest)
            branch = Branch(f"{quote.expression} → {name}")
            self._add_making(branch, name, self._sidecar(name))
            return branch
        branch = self.number(kind, rest)
        text = printed(self.study, quote)
        branch.text = f"{text!r} ← {branch.text}" if text else branch.text
        return branch

    # ------------------------------------------------------------------ branches
    def _add_printed(self, tree: Branch, source: str) -> None:
        places = []
        for quote in quotes(self.study):
            if quote.source == source or quote.source.startswith(f"{source}/"):
                text = printed(self.study, quote)
                shown = f": {text}" if text else ""
                places.append(f"{quote.file}:{quote.line}{shown}   {quote.expression}")
        for name in self.study.artefacts:
            path = self.study.output / name.content
            if name.kind == "table" and path.is_file() and ":" in source:
                places += [
                    cell.place
                    for cell in cells_of(Table.load(path))
                    # An interval is one cell that prints the two numbers below its path.
                    if cell.source and (source == cell.source or _below(source, cell.source))
                ]
        unique = list(dict.fromkeys(places))
        tree.add("printed in" if unique else "printed nowhere", unique)

    def _add_estimates(self, tree: Branch, sidecar: Mapping[str, Any], keys: list[str]) -> None:
        if len(keys) > 1:
            names = [f"{key}: {_method(sidecar['estimates'][key])}" for key in keys]
            tree.add(f"{len(keys)} estimates behind it", names)
            return
        for key in keys:
            specification = sidecar["estimates"][key]
            estimate = tree.add(f"estimate {key}: {_method(specification)}")
            estimate.add(f"estimand: {specification['estimand']}")
            for part in ("estimator", "inference"):
                options = dict(specification[part] or {"name": "none"})
                shown = [f"{option} = {_shown(each)}" for option, each in options.items()]
                estimate.add(f"{part}: {options['name']}", shown[1:])
            self._add_specification(tree, specification)
            self._add_rows(tree, specification)

    def _add_specification(self, tree: Branch, specification: Mapping[str, Any]) -> None:
        data = specification["data"]
        branch = tree.add("specification", [f"outcome: {_outcome(specification)}"])
        for key, each in data.items():
            if key in ("periods", "treated", "fingerprint"):
                continue
            branch.add(f"{key.replace('_', ' ')}: {_shown(each)}")
        branch.add(f"periods: {data['periods'][0]} to {data['periods'][-1]}")
        branch.add(f"treated: {', '.join(data['treated'])}")

    def _add_rows(self, tree: Branch, specification: Mapping[str, Any]) -> None:
        data = specification["data"]
        if "panel" not in data:
            tree.add(f"data rows: {data['observations']} observations of the files under inputs")
            return
        try:
            behind = rows_behind(specification)
        except DataError as error:
            tree.add(f"data rows: not found again ({error})")
            return
        check = (
            "they give the recorded design again (same fingerprint)"
            if behind.verified
            else "they do NOT give the recorded design: data or script have changed since"
        )
        branch = tree.add(f"data rows: {len(behind.frame)} of data/{behind.file}; {check}")
        for (variable, vintage), part in behind.frame.groupby(["variable", "vintage"], sort=False):
            regions, years = part["region_code"].nunique(), part["year"]
            branch.add(
                f"{variable}, vintage {vintage}: {len(part)} rows, {regions} regions, "
                f"{years.min()} to {years.max()}, lines {_ranges(part['line'].tolist())}"
            )
        if self.rows:
            head = behind.frame.head(self.rows)
            branch.add(
                "rows", [f"line {row.pop('line')}: {_joined(row)}" for row in _records(head)]
            )
        named = tree.add("sources of these rows")
        table = pd.read_csv(data_directory() / "sources.csv", dtype=str, keep_default_na=False)
        for source in dict.fromkeys(behind.frame["source"]):
            for row in _records(table[table["source"] == source]):
                named.add(f"{source}", [f"{key}: {each}" for key, each in row.items() if each][1:])

    def _add_making(self, tree: Branch, name: ArtefactName, sidecar: Mapping[str, Any]) -> None:
        script, line = sidecar["script"], sidecar["line"]
        code = self._code(script, line)
        made = tree.add(f"made by {script} line {line}", [code] if code else [])
        made.add("inputs", [self._input(file, hash) for file, hash in sidecar["inputs"].items()])
        content = name.content.as_posix()
        made.add(f"in {content}", [self._state(content, sidecar["files"].get(content, ""))])
        versions = ", ".join(f"{key} {each}" for key, each in sidecar["versions"].items())
        made.add(f"with {versions}")
        facts = sidecar.get("made", {})
        if facts:
            made.add(
                f"on {facts['at']} in {facts['seconds']} s, Python {facts['python']}, "
                f"{facts['platform']}"
            )

    # ------------------------------------------------------------------ reading
    def _sidecar(self, name: ArtefactName) -> dict[str, Any]:
        path = self.study.output / name.sidecar
        if not path.is_file():
            raise DataError(f"{name} has not been made. Run: jjjpolicy reproduce {name}")
        sidecar = read_sidecar(path)
        needed = {"script", "line", "inputs", "estimates", "files", "versions"}
        if not isinstance(sidecar, dict) or not needed <= set(sidecar):
            raise DataError(f"{name.sidecar.as_posix()} is no provenance. Run: jjjpolicy verify")
        return sidecar

    def _content(self, name: ArtefactName) -> Any:
        path = self.study.output / name.content
        if not path.is_file():
            raise DataError(f"{name} has not been made. Run: jjjpolicy reproduce {name}")
        return read_json(path)

    def _code(self, script: str, line: int) -> str:
        path = self.study.root / script
        if not path.is_file():
            return ""
        lines = path.read_text(encoding="utf-8").splitlines()
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""

    def _input(self, file: str, hash: str) -> str:
        places = [self.study.root / file, data_directory() / Path(file).name]
        known = [path for path in places if path.is_file()]
        if not known:
            return f"{file} sha256 {hash[:12]}…, is no longer there"
        same = any(digest(path) == hash for path in known)
        return f"{file} sha256 {hash[:12]}…, {'unchanged' if same else 'CHANGED since'}"

    def _state(self, file: str, hash: str) -> str:
        same = digest(self.study.output / file) == hash
        return f"sha256 {hash[:12]}…, " + ("as written" if same else "EDITED since it was written")


def _method(specification: Mapping[str, Any]) -> str:
    inference = specification["inference"]
    name = str(specification["estimator"]["name"])
    return f"{name} with {inference['name']}" if inference else name


def _outcome(specification: Mapping[str, Any]) -> str:
    from jjjpolicy.datasets import dictionary

    rules = dictionary()
    data = specification["data"]
    fits = rules[
        (rules["dataset"] == data.get("panel")) & (rules["variable"] == specification["outcome"])
    ]
    if fits.empty:
        return str(specification["outcome"])
    row = fits.iloc[0]
    formula = f" = {row['formula']}" if row["formula"] else ""
    return f"{specification['outcome']}{formula} ({row['label_en']}, {row['unit_en']})"


def _below(path: str, source: str) -> bool:
    return path in (f"{source}/low", f"{source}/high")


def _shown(content: Any) -> str:
    if isinstance(content, Mapping):
        return f"{len(content)} values"
    if isinstance(content, list):
        return ", ".join(map(_shown, content)) or "none"
    return "none" if content is None else str(content)


def _joined(row: Mapping[str, Any]) -> str:
    return ", ".join(map(str, row.values()))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): each for key, each in row.items()} for row in frame.to_dict("records")]


def _ranges(numbers: list[int]) -> str:
    """Numbers as ranges: ``2-5, 9``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    texts = [str(low) if low == high else f"{low}-{high}" for low, high in parts]
    return ", ".join(texts[:8]) + (", …" if len(texts) > 8 else "")
