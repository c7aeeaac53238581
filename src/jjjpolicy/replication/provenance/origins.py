"""What lies behind a result: estimates, their specification, rows of data, script and versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import data_directory
from jjjpolicy.replication.artefacts.artefacts import ArtefactName
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.artefacts.versions import digest, package_digest
from jjjpolicy.replication.provenance.branch import Branch, ranges, shown
from jjjpolicy.replication.provenance.rows import DataRows, read_rows, rows_behind, rows_of_columns

Content = Mapping[str, Any]

_DESCRIPTIONS = ("region_groups", "regions", "sources", "variables", "vintages")
"""Bundled files that say what the figures of others are."""


@dataclass(frozen=True)
class Origins:
    """Hang onto a tree what provenance says.

    Parameters
    ----------
    study : Study
    rows : int
        How many of the data rows to show.
    """

    study: Study
    rows: int

    # ------------------------------------------------------------------ estimates
    def add_estimates(self, tree: Branch, sidecar: Content, keys: list[str]) -> None:
        """Estimates by their path; one alone with specification and rows."""
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
                listed = [f"{option} = {shown(each)}" for option, each in options.items()]
                estimate.add(f"{part}: {options['name']}", listed[1:])
            _add_specification(tree, specification)
            self._add_rows(tree, specification, sidecar)
        if not keys:
            tree.add("no single estimate is recorded behind it; the script computes it")
            self._add_files(tree, sidecar)

    # ------------------------------------------------------------------ data
    def _add_rows(self, tree: Branch, specification: Content, sidecar: Content) -> None:
        data = specification["data"]
        if "panel" not in data:
            self._add_own_rows(tree, data, sidecar)
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
                f"{years.min()} to {years.max()}, lines {ranges(part['line'].tolist())}"
            )
        self._add_first_rows(branch, behind.frame)
        _add_sources(tree, behind)

    def _add_own_rows(self, tree: Branch, data: Content, sidecar: Content) -> None:
        """Rows of a file whose columns the design was made of; else the files as a whole."""
        for file, frame in self._tables(sidecar):
            found = None if frame is None else rows_of_columns(frame, data)
            if found is not None:
                branch = tree.add(
                    f"data rows: {len(found)} of {file} with the columns "
                    f"{', '.join(data['columns'].values())}, lines {ranges(found['line'].tolist())}"
                )
                self._add_first_rows(branch, found)
                return
        tree.add(f"data rows: the script made {data['observations']} observations from the files")
        self._add_files(tree, sidecar)

    def _add_files(self, tree: Branch, sidecar: Content) -> None:
        tables = self._tables(sidecar)
        if not tables:
            tree.add("no data file was read")
            return
        branch = tree.add("data files that the script read; which rows it used is in its code")
        for file, frame in tables:
            if frame is None:
                branch.add(f"{file}: cannot be read now")
                continue
            each = branch.add(f"{file}: {len(frame)} rows")
            self._add_first_rows(each, frame)
            if "source" in frame:
                named = dict.fromkeys(
                    one.strip() for cell in frame["source"] for one in cell.split(";")
                )
                each.add(f"sources: {', '.join(filter(None, named))}")

    def _tables(self, sidecar: Content) -> list[tuple[str, pd.DataFrame | None]]:
        """Data files among the inputs that are still there, those left out that describe others."""
        found: list[tuple[str, pd.DataFrame | None]] = []
        for file in sidecar["inputs"]:
            path = self._place(file)
            bundled = path is not None and path.parent == data_directory()
            if path is None or path.suffix == ".py" or (bundled and path.stem in _DESCRIPTIONS):
                continue
            try:
                found.append((file, read_rows(path)))
            except DataError:
                found.append((file, None))
        return found

    def _add_first_rows(self, branch: Branch, frame: pd.DataFrame) -> None:
        if self.rows:
            lines = [
                f"line {row.pop('line')}: {', '.join(map(str, row.values()))}"
                for row in _records(frame.head(self.rows))
            ]
            branch.add("rows", lines)

    # ------------------------------------------------------------------ script
    def add_making(self, tree: Branch, name: ArtefactName, sidecar: Content) -> None:
        """Script and line, inputs, the file with the content, versions, time and place."""
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
            made.add(_package(facts.get("code", "")))

    def _code(self, script: str, line: int) -> str:
        path = self.study.root / script
        if not path.is_file():
            return ""
        lines = path.read_text(encoding="utf-8").splitlines()
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""

    def _place(self, file: str) -> Path | None:
        places = (self.study.root / file, data_directory() / Path(file).name)
        return next((path for path in places if path.is_file()), None)

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


def _add_specification(tree: Branch, specification: Content) -> None:
    data = specification["data"]
    branch = tree.add("specification", [f"outcome: {_outcome(specification)}"])
    for key, each in data.items():
        if key in ("periods", "treated", "fingerprint", "columns"):
            continue
        branch.add(f"{key.replace('_', ' ')}: {shown(each)}")
    branch.add(f"periods: {data['periods'][0]} to {data['periods'][-1]}")
    branch.add(f"treated: {', '.join(data['treated'])}")


def _add_sources(tree: Branch, behind: DataRows) -> None:
    named = tree.add("sources of these rows")
    table = pd.read_csv(data_directory() / "sources.csv", dtype=str, keep_default_na=False)
    for source in dict.fromkeys(behind.frame["source"]):
        for row in _records(table[table["source"] == source]):
            named.add(f"{source}", [f"{key}: {each}" for key, each in row.items() if each][1:])


def _package(hash: str) -> str:
    if not hash:
        return "with a source of the package that was not recorded"
    same = (
        "unchanged" if hash == package_digest() else "CHANGED since; verify says whether it matters"
    )
    return f"by the source of the package sha256 {hash[:12]}…, {same}"


def _method(specification: Content) -> str:
    inference = specification["inference"]
    name = str(specification["estimator"]["name"])
    return f"{name} with {inference['name']}" if inference else name


def _outcome(specification: Content) -> str:
    from jjjpolicy.panels.datasets import dictionary

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


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): each for key, each in row.items()} for row in frame.to_dict("records")]
