"""The replication package: everything that is needed to rebuild the paper, in one archive."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.integrity import check_files
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.package.readme import package_readme

FOLDERS = (".ci", "analysis", "benchmarks", "data", "docs", "paper", "src", "tests")
README = "README-replication.md"
CHECKSUMS = "SHA256SUMS"

_NOT_PACKED = {
    "__pycache__",
    ".ipynb_checkpoints",
    ".DS_Store",
    "pytask.lock",
    "pytask.lock.journal",
    README,
    CHECKSUMS,
}
_DATE = (1980, 1, 1, 0, 0, 0)
_FILE, _PROGRAM = 0o100644, 0o100755


def write_package(study: Study, directory: Path | None = None) -> Path:
    """Write ``<name>-replication-<version>.zip``; the same files give the same bytes.

    It holds source, data, scripts, paper and results, tests and the lock file, a README in the
    template of the Social Science Data Editors, and a list of checksums.

    Parameters
    ----------
    study : Study
    directory : Path, optional
        Where to; the study's ``dist/`` by default.

    Returns
    -------
    Path
        The archive.

    Raises
    ------
    DataError
        A result or the paper is missing, or is not as its script wrote it.
    """
    name = package_name(study)
    contents = {path: (study.root / path).read_bytes() for path in packed_files(study)}
    checked = check_files(study, study.artefacts, strays=True)
    wrong = [f"{fault.file} ({fault.kind})" for fault in checked.faults]
    papers = [path for document in study.documents for path in study.files_of(document)]
    wrong += [f"{path.name} (missing)" for path in papers if not path.is_file()]
    if wrong:
        raise DataError(
            f"the results are not complete: {', '.join(wrong[:8])}. Run jjjpolicy reproduce first."
        )
    size = sum(map(len, contents.values()))
    contents[README] = package_readme(study, checked.sidecars, size).encode()
    contents[CHECKSUMS] = checksums(contents).encode()
    folder = directory or study.root / "dist"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.zip"
    with (
        tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False) as file,
        zipfile.ZipFile(file, "w") as archive,
    ):
        for path in sorted(contents):
            entry = zipfile.ZipInfo(f"{name}/{path}", _DATE)
            entry.create_system = 3  # Unix, whose permissions follow
            runs = os.access(study.root / path, os.X_OK)
            entry.external_attr = (_PROGRAM if runs else _FILE) << 16
            archive.writestr(entry, contents[path], zipfile.ZIP_DEFLATED, 9)
    os.chmod(file.name, 0o644)
    os.replace(file.name, target)
    return target


def package_name(study: Study) -> str:
    """``jjjpolicy-replication-0.1.0``, after the project; after the folder where there is none."""
    project = study.project
    parts = [project.get("name", study.root.name), "replication", project.get("version", "")]
    return "-".join(filter(None, parts))


def packed_files(study: Study) -> list[str]:
    """Files of the package, by their path in the study, sorted.

    Files at the top of the study and in its known folders; nothing hidden (``.ci`` and the
    configuration at the top apart), cached or built.
    """
    found = [path for path in study.root.iterdir() if path.is_file() and _kept(path.name, top=True)]
    for folder in FOLDERS:
        found += _walk(study.root / folder)
    return sorted(path.relative_to(study.root).as_posix() for path in found)


def _walk(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not _kept(path.name):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def _kept(name: str, *, top: bool = False) -> bool:
    if name in _NOT_PACKED or name.endswith((".pyc", ".egg-info", ".zip", "~")):
        return False
    return not name.startswith(".") or (top and name in (".gitignore", ".pre-commit-config.yaml"))


def checksums(contents: dict[str, bytes]) -> str:
    """Lines as ``sha256sum`` writes and checks them."""
    return "".join(
        f"{hashlib.sha256(contents[path]).hexdigest()}  {path}\n" for path in sorted(contents)
    )
