"""Artefacts: the tables, figures and numbers that a script makes, each with its provenance.

A script of the study names what it makes, and makes exactly that::

    MAKES = ("numbers:effects", "table:effects")

    def main() -> None:
        with Artefacts(__file__, MAKES) as artefacts:
            artefacts.numbers("effects", content, estimates)
            artefacts.table(table)

Numbers go to ``results/<id>.json``, tables to ``tables/``, figures to ``figures/``, and what they
rest on to ``provenance/<kind>-<id>.json``. Files appear whole or not at all. What differs from the
committed results by rounding noise alone is written as it stands there.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import data_directory, data_files_read
from jjjpolicy.replication.artefacts.drawings import keep_drawings
from jjjpolicy.replication.artefacts.numbers import Numbers
from jjjpolicy.replication.artefacts.settle import settle, without_noise
from jjjpolicy.replication.artefacts.sidecars import read_sidecar, sidecar_text
from jjjpolicy.replication.artefacts.versions import (
    dependency_versions,
    digest,
    package_digest,
    platform_facts,
)

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.report.figures.figure import Figure
    from jjjpolicy.report.tables.table import Table

KINDS = {"numbers": "results", "table": "tables", "figure": "figures"}
OUTPUT_VARIABLE = "JJJPOLICY_OUTPUT"
"""Environment variable that sends artefacts elsewhere, for a comparison with the committed ones."""

UNFINISHED = ".new-"
"""How names of files and directories begin that are still being written."""

_BEGUN = time.perf_counter()  # when the script's process loaded this module


@dataclass(frozen=True)
class ArtefactName:
    """Kind and id of an artefact, written ``table:effects``."""

    kind: str
    id: str

    @classmethod
    def parse(cls, text: str) -> ArtefactName:
        """Read ``kind:id``.

        Raises
        ------
        DataError
            The kind is unknown or the id empty.
        """
        kind, _, name = text.partition(":")
        if kind not in KINDS or not name:
            raise DataError(
                f"{text!r} names no artefact; write {', '.join(f'{kind}:name' for kind in KINDS)}."
            )
        return cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def content(self) -> Path:
        """The file with the unrounded content, below the output directory."""
        return Path(KINDS[self.kind]) / f"{self.id}.json"

    @property
    def sidecar(self) -> Path:
        """The file with the provenance, below the output directory."""
        return Path("provenance") / f"{self.kind}-{self.id}.json"


class Artefacts:
    """Write what one script makes, with provenance.

    Parameters
    ----------
    script : path
        The script, ``__file__``; it lies in the study's ``analysis/``.
    makes : iterable of str
        What it makes, as ``kind:id``.
    output : path, optional
        Directory of the artefacts; the study's ``paper/`` by default.

    Raises
    ------
    DataError
        On leaving the block: an artefact was announced and not made, or made and not announced.
    """

    def __init__(
        self,
        script: str | os.PathLike[str],
        makes: Iterable[str],
        output: str | os.PathLike[str] | None = None,
    ) -> None:
        self.script = Path(script).resolve()
        self.root = self.script.parents[1]
        self.committed = self.root / "paper"
        self.output = Path(output or os.environ.get(OUTPUT_VARIABLE) or self.committed)
        self.announced = {ArtefactName.parse(name) for name in makes}
        self.made: set[ArtefactName] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and self.announced != self.made:
            wrong = ", ".join(sorted(map(str, self.announced ^ self.made)))
            raise DataError(f"{self.script.name}: MAKES and what was made differ in {wrong}.")

    def numbers(
        self, id: str, content: Mapping[str, Any], estimates: Mapping[str, Estimate] | None = None
    ) -> Numbers:
        """Save numbers as nested mappings; the paper quotes them by their path.

        Parameters
        ----------
        id : str
        content : mapping
            Of texts, numbers, lists and mappings.
        estimates : mapping of str to Estimate
            Where numbers come from: path of a part of ``content`` to the estimate behind it.

        Returns
        -------
        Numbers
            Makes the cells of tables that print these numbers.
        """
        name = ArtefactName("numbers", id)
        settled = without_noise(content, _content(self.committed / name.content))
        text = json.dumps(settled, ensure_ascii=False, indent=1, allow_nan=False) + "\n"

        def write(folder: Path) -> None:
            (folder / f"{id}.json").write_text(text, encoding="utf-8")

        self._save(name, write, estimates or {})
        return Numbers(id, settled)

    def table(self, table: Table, estimates: Mapping[str, Estimate] | None = None) -> None:
        """Save a table in every format and both languages."""
        self._save(ArtefactName("table", table.id), table.save, estimates or {})

    def figure(self, figure: Figure, estimates: Mapping[str, Estimate] | None = None) -> None:
        """Save a figure in every format and both languages."""

        def write(folder: Path) -> None:
            figure.save(folder)
            keep_drawings(folder, self.committed / KINDS["figure"])

        self._save(ArtefactName("figure", figure.id), write, estimates or {})

    def _save(
        self,
        name: ArtefactName,
        write: Callable[[Path], object],
        estimates: Mapping[str, Estimate],
    ) -> None:
        folder = self.output / KINDS[name.kind]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.output, prefix=UNFINISHED) as scratch:
            write(Path(scratch))
            files = sorted(Path(scratch).iterdir())
            hashes = {f"{KINDS[name.kind]}/{file.name}": digest(file) for file in files}
            for file in files:
                os.replace(file, folder / file.name)
        self._describe(name, hashes, estimates)
        self.made.add(name)

    def _describe(
        self, name: ArtefactName, files: Mapping[str, str], estimates: Mapping[str, Estimate]
    ) -> None:
        content = {
            "artefact": str(name),
            "script": self.script.relative_to(self.root).as_posix(),
            "line": _line_in(self.script),
            "inputs": self._inputs(),
            "estimates": {key: settle(estimate.provenance) for key, estimate in estimates.items()},
            "files": dict(files),
            "versions": dependency_versions(),
        }
        path = self.output / name.sidecar
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - _BEGUN, 1),
            "code": package_digest(),
            **platform_facts(),
        }
        known = read_sidecar(path) if path.is_file() else {}
        same = {key: value for key, value in known.items() if key != "made"} == content
        if same and known.get("made", {}).keys() == made.keys():
            made = known["made"]  # made before, from the same: the first time counts
        text = sidecar_text({**content, "made": made})
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)

    def _inputs(self) -> dict[str, str]:
        """Hashes of the scripts and data files behind the artefacts."""
        scripts = {self.script}
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if file and Path(file).resolve().parent == self.script.parent:
                scripts.add(Path(file).resolve())
        inputs = {path.relative_to(self.root).as_posix(): digest(path) for path in scripts}
        inputs |= {self._name_of_data(path): digest(path) for path in data_files_read()}
        return dict(sorted(inputs.items()))

    def _name_of_data(self, path: Path) -> str:
        """Name below the study for its own files; bundled ones count as files in ``data/``."""
        if path.is_relative_to(self.root) and not path.is_relative_to(data_directory()):
            return path.relative_to(self.root).as_posix()
        return f"data/{path.name}"


def _content(path: Path) -> Any:
    """What a result file holds; None where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader never sees a part of it; text in UTF-8."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=UNFINISHED, delete=False) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    shutil.copymode(path, file.name) if path.exists() else os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def remove_unfinished(output: Path) -> None:
    """Remove what killed processes left of files that they were writing."""
    for path in [*output.glob(f"{UNFINISHED}*"), *output.glob(f"*/{UNFINISHED}*")]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _line_in(script: Path) -> int:
    """Line of the script that is being executed."""
    frame = sys._getframe(1)
    while frame is not None:
        if Path(frame.f_code.co_filename).resolve() == script:
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return 0
