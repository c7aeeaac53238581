"""Whether the files of a study are those that its scripts wrote."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.linalg.brief import brief
from jjjpolicy.replication.artefacts.artefacts import KINDS, ArtefactName
from jjjpolicy.replication.artefacts.sidecars import read_sidecar
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.artefacts.versions import digest

EDITED = "edited by hand"
MISSING = "missing"
CORRUPTED = "corrupted"
UNANNOUNCED = "unannounced"


@dataclass(frozen=True)
class Fault:
    """A file that is not as its script wrote it."""

    artefact: str
    file: str
    kind: str
    expected: str = ""
    found: str = ""


@dataclass(frozen=True, repr=False)
class Integrity:
    """What a check of the files found.

    Attributes
    ----------
    sidecars : dict of ArtefactName to dict
        Provenance of the artefacts, where it can be read.
    faults : list of Fault
    """

    sidecars: dict[ArtefactName, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    __repr__ = brief

    def edited(self, file: str) -> bool:
        """Whether a file differs from what its provenance says."""
        return any(fault.file == file and fault.kind == EDITED for fault in self.faults)


def check_files(study: Study, names: Collection[ArtefactName], *, strays: bool) -> Integrity:
    """Compare files with the hashes in their provenance.

    Parameters
    ----------
    study : Study
    names : collection of ArtefactName
        The artefacts to look at.
    strays : bool
        Whether to look for files, too, that no script announces.
    """
    checked = Integrity()
    for name in names:
        _check_artefact(study, name, checked)
    if strays:
        _find_strays(study, checked)
    return checked


def _check_artefact(study: Study, name: ArtefactName, checked: Integrity) -> None:
    path = study.output / name.sidecar
    where = name.sidecar.as_posix()
    if not path.is_file():
        checked.faults.append(Fault(str(name), where, MISSING))
        return
    try:
        sidecar = read_sidecar(path)
        files = sidecar["files"]
        sound = sidecar["artefact"] == str(name) and all(
            _belongs(file, name) and isinstance(expected, str) for file, expected in files.items()
        )
        sound = sound and name.content.as_posix() in files
    except (DataError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        checked.faults.append(Fault(str(name), where, CORRUPTED))
        return
    checked.sidecars[name] = sidecar
    for file, expected in files.items():
        if not (study.output / file).is_file():
            checked.faults.append(Fault(str(name), file, MISSING, expected))
            continue
        found = digest(study.output / file)
        if found != expected:
            checked.faults.append(Fault(str(name), file, EDITED, expected, found))


def _belongs(file: str, name: ArtefactName) -> bool:
    path = PurePosixPath(file)
    return path.parent.as_posix() == KINDS[name.kind] and path.name.startswith(f"{name.id}.")


def _find_strays(study: Study, checked: Integrity) -> None:
    known = {file for sidecar in checked.sidecars.values() for file in sidecar["files"]}
    known |= {name.sidecar.as_posix() for name in study.artefacts}
    known |= {name.content.as_posix() for name in study.artefacts}
    for folder in (*KINDS.values(), "provenance"):
        for path in sorted((study.output / folder).glob("*")):
            file = f"{folder}/{path.name}"
            hidden = path.name.startswith(".")
            owner = next((n for n in study.artefacts if _belongs(file, n)), None)
            # Where provenance is unreadable, the files that it would list are not strays.
            if file in known or hidden or (owner and owner not in checked.sidecars):
                continue
            checked.faults.append(Fault("", file, UNANNOUNCED))
