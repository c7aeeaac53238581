"""A study: scripts in ``analysis/``, data in ``data/``, and the paper that they feed."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import ArtefactName
from jjjpolicy.replication.artefacts.document import DOCUMENTS, PAPER, Document
from jjjpolicy.replication.artefacts.sidecars import read_sidecar
from jjjpolicy.report.text import Language, Text

PAPER_FORMATS = ("pdf", "docx", "tex", "html")
BIBLIOGRAPHIES: dict[Language, tuple[str, ...]] = {
    "en": ("references.bib",),
    "zh": ("references.bib", "references.zh.bib"),
}
"""Where the papers find references; an entry of a later file takes the place of an earlier one."""


@dataclass(frozen=True)
class Script:
    """A script and the artefacts that it announces in ``MAKES``."""

    path: Path
    makes: tuple[ArtefactName, ...]


@dataclass(frozen=True)
class Study:
    """The directory that holds ``analysis/`` and ``paper/``."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Study:
        """The study around a directory, the current one by default.

        Raises
        ------
        DataError
            Neither the directory nor one above it holds ``analysis/`` and ``paper/``.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / "analysis").is_dir() and (folder / "paper").is_dir():
                return cls(folder)
        raise DataError(
            f"{here.name}/ is not inside a study: a folder with analysis/ and paper/. Change into "
            f"one."
        )

    @property
    def output(self) -> Path:
        """Where artefacts and the paper are."""
        return self.root / "paper"

    @cached_property
    def scripts(self) -> tuple[Script, ...]:
        """Scripts that make artefacts, by name.

        Raises
        ------
        DataError
            ``MAKES`` is not a literal tuple of names, or two scripts make the same artefact.
        """
        found = []
        owner: dict[ArtefactName, Path] = {}
        for path in sorted((self.root / "analysis").glob("*.py")):
            makes = _announced(path)
            for name in makes:
                if name in owner:
                    raise DataError(
                        f"{name} is made by {owner[name].name} and by {path.name}; rename one."
                    )
                owner[name] = path
            if makes:
                found.append(Script(path, makes))
        return tuple(found)

    @property
    def artefacts(self) -> tuple[ArtefactName, ...]:
        """What the scripts make, in their order."""
        return tuple(name for script in self.scripts for name in script.makes)

    def script_of(self, name: ArtefactName) -> Script:
        """The script that makes an artefact.

        Raises
        ------
        DataError
            None does.
        """
        for script in self.scripts:
            if name in script.makes:
                return script
        known = ", ".join(map(str, self.artefacts))
        raise DataError(f"no script makes {name}. There are: {known}.")

    def select(self, wanted: Iterable[str]) -> tuple[Script, ...]:
        """Scripts by artefact (``table:effects``), id (``effects``) or file name; all for none.

        Raises
        ------
        DataError
            A name fits nothing.
        """
        names = list(wanted)
        if not names:
            return self.scripts
        chosen = set()
        for name in names:
            fits = {
                script
                for script in self.scripts
                if name in (script.path.stem, script.path.name)
                or any(name in (str(made), made.id) for made in script.makes)
            }
            if not fits:
                known = ", ".join(map(str, self.artefacts))
                raise DataError(f"no artefact or script {name!r}. There are: {known}.")
            chosen |= fits
        return tuple(script for script in self.scripts if script in chosen)

    def inputs_of(self, script: Script) -> list[Path]:
        """Files whose change makes a script run again: itself, what it imports beside it, data."""
        return sorted({*_with_imports(script.path), *(self.root / "data").glob("*.csv")})

    def seconds_of(self, script: Script) -> float:
        """How long a script ran when it made what lies there; 0 where nothing says so."""
        found = []
        for name in script.makes:
            try:
                found.append(float(read_sidecar(self.output / name.sidecar)["made"]["seconds"]))
            except (OSError, DataError, KeyError, TypeError, ValueError):
                continue
        return max(found, default=0.0)

    @property
    def documents(self) -> tuple[Document, ...]:
        """The paper and its appendix in the languages in which there is a source."""
        return tuple(document for document in DOCUMENTS if self.source_of(document).is_file())

    def source_of(self, document: Document) -> Path:
        """The file that a document is written in."""
        return self.output / document.source

    def sources_of(self, document: Document) -> list[Path]:
        """What a document is built from, besides what scripts make."""
        names = [*BIBLIOGRAPHIES[document.language], *(d.source for d in document.companions)]
        others = filter(Path.is_file, (self.output / name for name in names))
        return [self.source_of(document), *others]

    def files_of(self, document: Document) -> list[Path]:
        """A document in every format."""
        return [self.output / f"{document.stem}.{format}" for format in PAPER_FORMATS]

    @property
    def browser(self) -> Path:
        """The page that shows the results."""
        return self.output / "browser" / "index.html"

    @cached_property
    def project(self) -> Mapping[str, Any]:
        """What ``pyproject.toml`` says of the project; empty where there is no such file.

        Raises
        ------
        DataError
            The file is damaged.
        """
        path = self.root / "pyproject.toml"
        if not path.is_file():
            return {}
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"pyproject.toml is not valid TOML ({error}).") from error
        return found if isinstance(found, dict) else {}

    @property
    def title(self) -> Text:
        """Title of the paper; in English where there is no Chinese one."""
        found = [self._title(each) for each in self.documents if each.name == PAPER.name]
        return Text(*(found * 2)[:2]) if found else Text(self.root.name, self.root.name)

    def _title(self, document: Document) -> str:
        for line in self.source_of(document).read_text(encoding="utf-8").splitlines():
            key, _, title = line.partition(":")
            if key == "title":
                return title.strip().strip("\"'")
        return self.root.name


def _announced(path: Path) -> tuple[ArtefactName, ...]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["MAKES"]:
            try:
                names = ast.literal_eval(node.value)
            except ValueError as error:
                raise DataError(f"{path.name}: MAKES must be a tuple of plain strings.") from error
            return tuple(ArtefactName.parse(name) for name in names)
    return ()


def _with_imports(script: Path) -> set[Path]:
    """A script and the modules of its folder that it imports, directly or not."""
    found: set[Path] = set()
    queue = [script]
    while queue:
        path = queue.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        names = _imported(path.read_text(encoding="utf-8"))
        queue += [path.with_name(f"{name}.py") for name in names]
    return found


@lru_cache(maxsize=256)
def _imported(source: str) -> frozenset[str]:
    """Names of the modules that a source imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return frozenset(names)
