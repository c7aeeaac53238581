"""From a printed number back to table cell, estimate, specification, data rows and script line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import KINDS, ArtefactName
from jjjpolicy.replication.artefacts.leaves import leaves, read_json
from jjjpolicy.replication.artefacts.numbers import Numbers
from jjjpolicy.replication.artefacts.sidecars import read_sidecar
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.paper.quotes import Quote, printed, quotes
from jjjpolicy.replication.provenance.branch import Branch, ranges, shown
from jjjpolicy.replication.provenance.origins import Origins
from jjjpolicy.replication.provenance.printed_cells import cells_of, find_cell
from jjjpolicy.report.tables.table import Table


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
    tracer = _Tracer(study, Origins(study, rows))
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


@dataclass(frozen=True)
class _Tracer:
    study: Study
    origins: Origins

    # ------------------------------------------------------------------ what is asked for
    def number(self, result: str, path: str) -> Branch:
        name = ArtefactName("numbers", result)
        self.study.script_of(name)
        content = self._content(name)
        found = Numbers(result, content).value(path)
        tree = Branch(f"{result}:{path} = {shown(found)}")
        if isinstance(found, Mapping | list):
            for below, each in leaves(found):
                tree.add(f"{result}:{path}/{below} = {shown(each)}")
        self._add_printed(tree, f"{result}:{path}")
        sidecar = self._sidecar(name)
        keys = [
            key
            for key in sidecar["estimates"]
            if key == path or path.startswith(f"{key}/") or key.startswith(f"{path}/")
        ]
        self.origins.add_estimates(tree, sidecar, keys)
        self.origins.add_making(tree, name, sidecar)
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
            values = [f"{name.id}:{path} = {shown(each)}" for path, each in leaves(content)]
            tree.add(f"{len(values)} values", values)
        self.origins.add_estimates(tree, sidecar, list(sidecar["estimates"]))
        self.origins.add_making(tree, name, sidecar)
        return tree

    def cell(self, table: str, row: str, column: str) -> Branch:
        name = ArtefactName("table", table)
        self.study.script_of(name)
        found = find_cell(Table.load(self.study.output / name.content), row, column)
        tree = Branch(found.place)
        if found.source:
            tree.branches.append(self.number(*found.source.split(":", 1)))
        else:
            tree.add("the cell does not say which number it prints")
            self.origins.add_making(tree, name, self._sidecar(name))
        return tree

    def paper_line(self, file: str, line: int) -> Branch:
        sources = [self.study.source_of(document) for document in self.study.documents]
        if file not in [path.name for path in sources]:
            known = ", ".join(path.name for path in sources) or "none"
            raise DataError(f"there is no {file} in {self.study.output.name}/. There are: {known}.")
        found = [q for q in quotes(self.study) if q.file == file and q.line == line]
        if not found:
            lines = sorted({q.line for q in quotes(self.study) if q.file == file})
            raise DataError(f"{file}:{line} quotes nothing. Lines that do: {ranges(lines)}.")
        tree = Branch(f"{file}:{line}")
        for quote in dict.fromkeys(found):
            tree.branches.append(self._quoted(quote))
        return tree

    def _quoted(self, quote: Quote) -> Branch:
        kind, _, rest = quote.source.partition(":")
        if kind in KINDS:
            name = ArtefactName(kind, rest)
            branch = Branch(f"{quote.expression} → {name}")
            self.origins.add_making(branch, name, self._sidecar(name))
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
                places += [cell.place for cell in cells_of(Table.load(path)) if cell.prints(source)]
        unique = list(dict.fromkeys(places))
        tree.add("printed in" if unique else "printed nowhere", unique)

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
