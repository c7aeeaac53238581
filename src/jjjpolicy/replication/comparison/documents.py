"""The paper and the results browser, built anew from the committed results and compared."""

from __future__ import annotations

import io
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import KINDS
from jjjpolicy.replication.artefacts.integrity import MISSING
from jjjpolicy.replication.artefacts.study import PAPER_FORMATS, Study
from jjjpolicy.replication.browser.page import page
from jjjpolicy.replication.paper.build import build_paper

NOT_FROM_RESULTS = "edited by hand, or not built by this code from the committed source and results"
SHOWN = 24
# What zipfile raises for a damaged member of an archive.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True)
class DocumentFault:
    """A document that is not what its source and the committed results give.

    Attributes
    ----------
    file : str
        Below the study's output directory.
    where : str
        The first line or part of the file that differs.
    committed, rebuilt : str
        What is there, in a few characters.
    cause : str
    """

    file: str
    where: str
    committed: str
    rebuilt: str
    cause: str


def check_documents(study: Study, scratch: Path, *, sound: bool) -> tuple[int, list[DocumentFault]]:
    """Build every document of a study elsewhere and compare it with the committed one.

    They are built from the committed results, so that a document is at fault only where it was
    edited or is older than they are.

    Parameters
    ----------
    study : Study
    scratch : Path
        An empty directory.
    sound : bool
        Whether all files are as their scripts wrote them. The browser marks those that are not, so
        that it can be compared only where there are none.

    Returns
    -------
    int
        Number of documents.
    list of DocumentFault
    """
    rebuilt: dict[str, bytes | str] = {}
    for document in study.documents:
        names = [path.name for path in study.files_of(document)]
        try:
            folder = _copy(study, scratch / document.stem)
            build_paper(folder, PAPER_FORMATS, document.language, document.name)
            rebuilt |= {name: (folder / name).read_bytes() for name in names}
        except DataError as error:
            rebuilt |= dict.fromkeys(names, str(error))
    if sound:
        name = study.browser.relative_to(study.output).as_posix()
        try:
            rebuilt[name] = page(study).encode()
        except DataError as error:
            rebuilt[name] = str(error)
    faults = [
        compare_document(study.output / file, file, content) for file, content in rebuilt.items()
    ]
    return len(rebuilt), [fault for fault in faults if fault is not None]


def _copy(study: Study, folder: Path) -> Path:
    """What the paper is built from."""
    folder.mkdir()
    for path in (*study.output.glob("*.md"), *study.output.glob("*.bib")):
        shutil.copy(path, folder)
    for name in KINDS.values():
        if (study.output / name).is_dir():
            shutil.copytree(study.output / name, folder / name)
    return folder


def compare_document(path: Path, file: str, rebuilt: bytes | str) -> DocumentFault | None:
    """Compare a document with its bytes built anew, or with the reason why there are none."""
    if not path.is_file():
        return DocumentFault(file, file, MISSING, "", MISSING)
    if isinstance(rebuilt, str):
        return DocumentFault(file, file, "", "cannot be built", f"cannot be built: {rebuilt}")
    committed = path.read_bytes()
    if committed == rebuilt:
        return None
    parts = {".docx": _members, ".pdf": _whole}.get(path.suffix, _lines)
    for where, before, after in parts(committed, rebuilt):
        if before != after:
            return DocumentFault(file, f"{file}{where}", before, after, NOT_FROM_RESULTS)
    return None  # the same text in a file that was packed in another way


def _whole(committed: bytes, rebuilt: bytes) -> Iterator[tuple[str, str, str]]:
    yield "", f"{len(committed)} bytes", f"{len(rebuilt)} other bytes"


def _lines(committed: bytes, rebuilt: bytes) -> Iterator[tuple[str, str, str]]:
    pairs = zip_longest(committed.splitlines(), rebuilt.splitlines(), fillvalue=b"")
    for number, (before, after) in enumerate(pairs, 1):
        if before != after:
            yield f":{number}", _excerpt(before, after), _excerpt(after, before)


def _excerpt(line: bytes, other: bytes) -> str:
    """The part of a line in which it differs from the other one."""
    text, versus = (each.decode(errors="replace") for each in (line, other))
    same = next((i for i, (a, b) in enumerate(zip(text, versus, strict=False)) if a != b), 0)
    return text[max(0, same - 4) :][:SHOWN]


def _members(committed: bytes, rebuilt: bytes) -> Iterator[tuple[str, str, str]]:
    """Files within a Word document; how they were compressed does not matter."""
    try:
        before, after = (zipfile.ZipFile(io.BytesIO(content)) for content in (committed, rebuilt))
    except zipfile.BadZipFile:
        yield "", "corrupted", "a Word document"
        return
    for name in sorted({*before.namelist(), *after.namelist()}):
        sizes = [
            archive.getinfo(name).file_size if name in archive.namelist() else 0
            for archive in (before, after)
        ]
        if sizes[0] != sizes[1]:
            yield f": {name}", f"{sizes[0]} bytes", f"{sizes[1]} bytes"
            continue
        try:
            same = before.read(name) == after.read(name)
        except UNREADABLE:
            same = False
        if not same:
            yield f": {name}", "other content", "as built"
