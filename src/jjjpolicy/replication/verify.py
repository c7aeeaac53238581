"""Rebuild every result into a temporary place and compare it with the committed one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.estimation.progress import steps as progress
from jjjpolicy.linalg.brief import brief
from jjjpolicy.replication.artefacts.artefacts import OUTPUT_VARIABLE, ArtefactName
from jjjpolicy.replication.artefacts.drawings import compare_drawings
from jjjpolicy.replication.artefacts.integrity import EDITED, Integrity, check_files
from jjjpolicy.replication.artefacts.leaves import (
    ABSENT,
    Change,
    changes,
    leaves,
    read_json,
    table_leaves,
)
from jjjpolicy.replication.artefacts.sidecars import read_sidecar
from jjjpolicy.replication.artefacts.study import Script, Study
from jjjpolicy.replication.artefacts.versions import (
    dependency_versions,
    package_digest,
    platform_facts,
)
from jjjpolicy.replication.comparison.documents import check_documents
from jjjpolicy.replication.comparison.instruction_sets import environment
from jjjpolicy.replication.graph import run_script

OTHER_PLATFORM_TOLERANCE = 1e-6
"""Relative tolerance where Python, its packages or the machine differ from those at the time."""

OTHER_CODE = "code: the package has changed since"
UNEXPLAINED = "unexplained: same data, scripts, code and versions"


@dataclass(frozen=True)
class Difference:
    """A committed result that is not what its script makes now.

    Attributes
    ----------
    artefact : str
        As in ``table:effects``; ``paper`` for a document; empty for a file of no script.
    where : str
        Path of the number, or the file.
    committed, rebuilt : object
    relative : float or None
        Size relative to the larger of the two, for numbers.
    cause : str
        The likely cause.
    """

    artefact: str
    where: str
    committed: Any
    rebuilt: Any
    relative: float | None
    cause: str


@dataclass(frozen=True, repr=False)
class Verification:
    """What was compared, and what differs."""

    artefacts: int
    values: int
    documents: int
    exact: bool
    tolerance: float
    differences: list[Difference] = field(default_factory=list)

    __repr__ = brief

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def verify(
    study: Study,
    wanted: Iterable[str] = (),
    *,
    jobs: int = 2,
    tolerance: float | None = None,
    instruction_set: str | None = None,
) -> Verification:
    """Run the scripts anew into a temporary place and compare with the committed results.

    On the platform on which the results were made (Python, dependencies, operating system) every
    number, table and figure must be the same to the last byte; elsewhere numbers and the
    coordinates of figures may differ by a relative 1e-6. Rounding noise, as
    :func:`~jjjpolicy.replication.artefacts.settle.without_noise` defines it, is no difference.

    The paper and the results browser are built anew, too, from the committed results.

    Parameters
    ----------
    study : Study
    wanted : iterable of str
        Artefacts, ids or scripts; everything for none: documents and files that no script
        announces included.
    jobs : int
        Scripts run at the same time.
    tolerance : float, optional
        Relative tolerance in place of the above.
    instruction_set : str, optional
        One of :data:`~jjjpolicy.replication.comparison.instruction_sets.SETS`, under which to run
        the scripts as another processor would. Numbers, tables and figures must then be the same
        to the last byte wherever Python's packages are those of the time, whatever the machine.

    Raises
    ------
    DataError
        This machine does not have the instruction set, or it cannot be chosen.
    TaskError
        A script failed.
    """
    names = list(wanted)
    scripts = study.select(names)
    variables = {} if instruction_set is None else environment(instruction_set)
    artefacts = [name for script in scripts for name in script.makes]
    integrity = check_files(study, artefacts, strays=not names)
    differences = [
        Difference(
            fault.artefact, fault.file, fault.expected[:12], fault.found[:12], None, fault.kind
        )
        for fault in integrity.faults
    ]
    values, documents, exact, largest = 0, 0, True, 0.0
    with tempfile.TemporaryDirectory(prefix="jjjpolicy-verify-") as scratch:
        _run(scripts, {OUTPUT_VARIABLE: scratch, **variables}, jobs)
        for name in artefacts:
            comparison = _Comparison(
                study, name, Path(scratch), integrity, tolerance, instruction_set
            )
            differences += comparison.differences()
            values += comparison.values
            exact &= comparison.exact
            largest = max(largest, comparison.tolerance)
    if not names:
        with tempfile.TemporaryDirectory(prefix="jjjpolicy-verify-") as scratch:
            sound = not any(fault.artefact for fault in integrity.faults)
            documents, faults = check_documents(study, Path(scratch), sound=sound)
        differences += [
            Difference("paper", fault.where, fault.committed, fault.rebuilt, None, fault.cause)
            for fault in faults
        ]
    return Verification(len(artefacts), values, documents, exact, largest, differences)


def _run(scripts: tuple[Script, ...], variables: dict[str, str], jobs: int) -> None:
    def run(script: Script) -> None:
        run_script(script, variables)
        done(script.path.stem)

    with progress("Verifying", len(scripts)) as done, ThreadPoolExecutor(max(1, jobs)) as pool:
        pending = [pool.submit(run, script) for script in scripts]
        try:
            for each in pending:
                each.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@dataclass
class _Comparison:
    """One artefact, committed and rebuilt."""

    study: Study
    name: ArtefactName
    rebuilt: Path
    integrity: Integrity
    wanted_tolerance: float | None
    instruction_set: str | None
    values: int = 0

    @cached_property
    def sidecar(self) -> dict[str, Any]:
        """Committed provenance; empty where it cannot be read, which is reported elsewhere."""
        return self.integrity.sidecars.get(self.name, {})

    @cached_property
    def new_sidecar(self) -> dict[str, Any]:
        """Provenance of the rebuilt artefact."""
        return read_sidecar(self.rebuilt / self.name.sidecar)

    @cached_property
    def changed_versions(self) -> list[str]:
        """Packages whose version differs from that at the time."""
        then, now = self.sidecar.get("versions", {}), dependency_versions()
        return [f"{change.path} {change.before} → {change.after}" for change in changes(then, now)]

    @cached_property
    def changed_platform(self) -> list[str]:
        """Python and operating system where they differ from those at the time."""
        made = self.sidecar.get("made", {})
        return [
            f"{key} {made.get(key, 'unknown')} → {now}"
            for key, now in platform_facts().items()
            if made.get(key) != now
        ]

    @property
    def changed_code(self) -> bool:
        """Whether the package's source differs from that at the time, or that is not known."""
        return bool(self.sidecar.get("made", {}).get("code") != package_digest())

    @property
    def exact(self) -> bool:
        """Whether the artefact must be the same to the last byte."""
        if self.changed_versions:
            return False
        return self.instruction_set is not None or not self.changed_platform

    @property
    def tolerance(self) -> float:
        """Relative tolerance for numbers."""
        if self.wanted_tolerance is not None:
            return self.wanted_tolerance
        return 0.0 if self.exact else OTHER_PLATFORM_TOLERANCE

    def differences(self) -> list[Difference]:
        """Everything that differs, numbers first."""
        if not (self.study.output / self.name.content).is_file():
            return []  # reported as missing
        found = list(self._numbers())
        if not found:
            found = list(self._renderings())
        explained = bool(found) or any(f.artefact == str(self.name) for f in self.integrity.faults)
        return [*found, *(() if explained else self._provenance())]

    def _numbers(self) -> Iterator[Difference]:
        file = self.name.content
        try:
            before = self._flat(self.study.output / file)
        except DataError:
            yield Difference(str(self.name), file.as_posix(), "unreadable", "", None, "corrupted")
            return
        after = self._flat(self.rebuilt / file)
        self.values = len(after)
        for change in changes(before, after, self.tolerance):
            if change.path.endswith("/source") or change.path.startswith("id"):
                continue
            yield self._difference(change, file.as_posix())

    def _flat(self, path: Path) -> dict[str, Any]:
        content = read_json(path)
        if self.name.kind == "table":
            return dict(table_leaves(content))
        return dict(leaves(content))

    def _renderings(self) -> Iterator[Difference]:
        """Files in which numbers are printed or drawn, where the numbers themselves agree."""
        for file in self.sidecar.get("files", {}):
            committed, rebuilt = self.study.output / file, self.rebuilt / file
            if not committed.is_file() or self.integrity.edited(file):
                continue
            if not rebuilt.is_file():
                yield self._difference(Change(file, "a file", ABSENT), file)
            elif committed.read_bytes() != rebuilt.read_bytes():
                if file.endswith((".svg", ".pdf", ".png")):
                    drawn = compare_drawings(committed, rebuilt, self.tolerance)
                    if drawn is None and self.exact:
                        drawn = "other bytes"
                    if drawn is not None:
                        yield self._difference(Change(file, "as committed", drawn), file)
                elif self.exact:
                    yield self._difference(Change(file, "as committed", "other bytes"), file)

    def _provenance(self) -> Iterator[Difference]:
        """Provenance that no longer holds, though the results are the same."""
        then, now = (_lasting(sidecar) for sidecar in (self.sidecar, self.new_sidecar))
        different = changes(then, now)
        if self.sidecar and different:
            where = f"{self.name.sidecar.as_posix()}: {different[0].path}"
            before, after = (str(v)[:24] for v in (different[0].before, different[0].after))
            cause = self._changed_inputs() or "edited by hand, or made by an older version"
            yield Difference(str(self.name), where, before, after, None, cause)

    def _difference(self, change: Change, file: str) -> Difference:
        cause = self.cause(change.path, file)
        artefact = str(self.name)
        before, after = change.before, change.after
        return Difference(artefact, change.path, before, after, change.relative, cause)

    def cause(self, path: str, file: str) -> str:
        """The likely cause of a difference at a path of the artefact."""
        if self.integrity.edited(file):
            return EDITED
        inputs = self._changed_inputs()
        if inputs:
            return inputs
        specification = self._changed_estimate(path)
        if specification:
            return specification
        parts = [f"instruction set: {self.instruction_set}"] if self.instruction_set else []
        parts += [OTHER_CODE] if self.changed_code else []
        parts += [f"version: {', '.join(self.changed_versions)}"] if self.changed_versions else []
        if parts:
            return "; ".join(parts)
        if self.changed_platform:
            return f"platform: {', '.join(self.changed_platform)}"
        return UNEXPLAINED

    def _changed_inputs(self) -> str:
        changed = [
            change.path
            for change in changes(
                self.sidecar.get("inputs", {}), self.new_sidecar.get("inputs", {})
            )
        ]
        data = [path for path in changed if path.startswith("data/")]
        scripts = [path for path in changed if path not in data]
        parts = []
        if data:
            parts.append(f"data: {', '.join(data)}")
        if scripts:
            parts.append(f"specification: {', '.join(scripts)}")
        return "; ".join(parts)

    def _changed_estimate(self, path: str) -> str:
        then, now = self.sidecar.get("estimates", {}), self.new_sidecar.get("estimates", {})
        behind = [key for key in now if self.name.kind != "numbers" or path.startswith(f"{key}/")]
        for key in behind:
            different = changes(dict(leaves(then.get(key, {}))), dict(leaves(now[key])))
            named = [c for c in different if c.path not in ("package", "data/fingerprint")]
            if named:
                kind = "data" if named[0].path == "data/vintage" else "specification"
                return f"{kind}: {named[0].path} {named[0].before!r} → {named[0].after!r}"
            if any(change.path == "data/fingerprint" for change in different):
                return "data: the numbers behind the estimate"
        return ""


def _lasting(sidecar: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance without what may differ between machines."""
    kept = {key: value for key, value in sidecar.items() if key not in ("made", "versions")}
    flat = dict(leaves({key: value for key, value in kept.items() if key != "files"}))
    return {path: value for path, value in flat.items() if not path.endswith("/package")}
