"""Two commits, two folders of results or two data vintages: what moved between them."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError, JJJPolicyError
from jjjpolicy.estimation.parallel import run
from jjjpolicy.linalg.brief import brief
from jjjpolicy.replication.artefacts.leaves import Change, changes, leaves, read_json
from jjjpolicy.replication.artefacts.settle import settle
from jjjpolicy.replication.artefacts.sidecars import read_sidecar
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.comparison.movement import Movement, estimates_in, movement


@dataclass(frozen=True, repr=False)
class Comparison:
    """What is different between two sets of results.

    Attributes
    ----------
    compared : int
        Estimates that both have.
    moved : list of Movement
        Largest in standard errors first.
    added, removed : list of str
        Estimates that only one of them has.
    other : list of Change
        Further numbers and texts that changed.
    reasons : list of str
        Inputs, specifications and versions that changed.
    impossible : dict of str to str
        Estimates that could not be had under both vintages, and why.
    """

    compared: int
    moved: list[Movement] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    other: list[Change] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    impossible: dict[str, str] = field(default_factory=dict)

    __repr__ = brief

    @property
    def same(self) -> bool:
        """Whether all numbers are the same."""
        return not (self.moved or self.added or self.removed or self.other)


def diff(study: Study, before: str, after: str | None = None, *, jobs: int = 2) -> Comparison:
    """Compare two commits, folders or vintages.

    Parameters
    ----------
    study : Study
    before, after : str
        A folder with results (or the study around it), a commit of the study's repository, or two
        vintages of a bundled panel, under which the paper's designs are then estimated anew over
        the years that both cover. ``after`` is the study as it stands by default.
    jobs : int
        Processes, for vintages.

    Raises
    ------
    DataError
        One of the two is nothing of this kind.
    """
    vintages = _all_vintages()
    if before in vintages and after in vintages:
        return diff_vintages(study, before, str(after), jobs=jobs)
    if after is not None and (before in vintages) != (after in vintages):
        vintage, other = (before, after) if before in vintages else (after, before)
        raise DataError(
            f"{vintage!r} is a vintage and {other!r} is none; there are {', '.join(vintages)}."
        )
    with _folder(study, before) as first, _folder(study, after) as second:
        return diff_folders(first, second)


# ---------------------------------------------------------------------- folders and commits
def diff_folders(before: Path, after: Path) -> Comparison:
    """Compare two directories that hold ``results/`` and ``provenance/``."""
    old, new = _results(before), _results(after)
    estimates = [
        {name: values for key, each in side.items() for name, values in estimates_in(key, each)}
        for side in (old, new)
    ]
    inside = [
        {
            f"{name}{'/' if ':' in name else ':'}{path}"
            for name, each in side.items()
            for path in each
        }
        for side in estimates
    ]
    rest = [
        {
            f"{key}:{path}": value
            for key, each in side.items()
            for path, value in leaves(each)
            if f"{key}:{path}" not in within
        }
        for side, within in zip((old, new), inside, strict=True)
    ]
    return _compare(
        estimates[0], estimates[1], other=changes(rest[0], rest[1]), reasons=_reasons(before, after)
    )


def _compare(
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    **rest: Any,
) -> Comparison:
    common = [name for name in before if name in after]
    moved = [movement(name, before[name], after[name]) for name in common]
    found = [each for each in moved if each is not None]
    found.sort(key=lambda each: (not each.changes_a_conclusion, -abs(each.standard_errors or 0)))
    return Comparison(
        compared=len(common),
        moved=found,
        added=[name for name in after if name not in before],
        removed=[name for name in before if name not in after],
        **rest,
    )


def _results(folder: Path) -> dict[str, Any]:
    return {path.stem: read_json(path) for path in sorted((folder / "results").glob("*.json"))}


def _reasons(before: Path, after: Path) -> list[str]:
    old, new = _provenance(before), _provenance(after)
    found: dict[str, None] = {}
    for name in old:
        if name not in new:
            continue
        for part, word in (("inputs", ""), ("versions", "version: ")):
            for change in changes(old[name].get(part, {}), new[name].get(part, {})):
                if part == "inputs":
                    kind = "data" if change.path.startswith("data/") else "specification"
                    found[f"{kind}: {change.path} changed"] = None
                else:
                    found[f"{word}{change.path} {change.before} → {change.after}"] = None
        then, now = old[name].get("estimates", {}), new[name].get("estimates", {})
        for key in (key for key in then if key in now):
            for change in changes(dict(leaves(then[key])), dict(leaves(now[key]))):
                if change.path == "data/fingerprint" or change.path == "package":
                    continue
                text = f"{change.path} {change.before} → {change.after}"
                found[f"specification: {key}: {text}"] = None
    return list(found)


def _provenance(folder: Path) -> dict[str, dict[str, Any]]:
    files = sorted((folder / "provenance").glob("*.json"))
    read = {path.stem: read_sidecar(path) for path in files}
    return {name: content for name, content in read.items() if isinstance(content, dict)}


@contextmanager
def _folder(study: Study, name: str | None) -> Iterator[Path]:
    """The directory with the results that a name stands for."""
    if name is None:
        yield study.output
        return
    for path in (Path(name), Path(name) / "paper"):
        if (path / "results").is_dir():
            yield path
            return
    with tempfile.TemporaryDirectory(prefix="jjjpolicy-diff-") as scratch:
        _extract(study, name, Path(scratch))
        if not (Path(scratch) / "paper" / "results").is_dir():
            raise DataError(f"commit {name!r} holds no paper/results/.")
        yield Path(scratch) / "paper"


def _extract(study: Study, commit: str, folder: Path) -> None:
    """Write ``paper/`` as of a commit into a folder."""
    try:
        found = _git(study, "rev-parse", "--verify", "--end-of-options", f"{commit}^{{commit}}")
        archive = _git(study, "archive", "--format=tar", found.decode().strip(), "paper")
    except (OSError, subprocess.CalledProcessError) as error:
        known = ", ".join(_all_vintages())
        raise DataError(
            f"{commit!r} is no folder with results/, no commit of the study's repository that "
            f"holds paper/, and no pair of vintages ({known})."
        ) from error
    with tarfile.open(fileobj=io.BytesIO(archive)) as content:
        content.extractall(folder, filter="data")


def _git(study: Study, *arguments: str) -> bytes:
    run = subprocess.run(["git", *arguments], cwd=study.root, capture_output=True, check=True)
    return run.stdout


# ---------------------------------------------------------------------- vintages
def diff_vintages(study: Study, before: str, after: str, *, jobs: int = 2) -> Comparison:
    """Estimate the paper's designs under two vintages, over the years that both cover."""
    chosen = _specifications(study, before, after)
    if not chosen:
        raise DataError(
            "no estimate in paper/provenance/ rests on a variable with these vintages and records "
            "its design. Run: jjjpolicy reproduce"
        )
    tasks = [(specification, before, after) for specification in chosen.values()]
    sides: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    impossible = {}
    results = run(_under_both, tasks, jobs, "Estimating")
    for name, result in zip(chosen, results, strict=True):
        if isinstance(result, str):
            impossible[name] = result
        else:
            sides[0][name], sides[1][name] = result
    return _compare(*sides, reasons=[f"data: vintage {before} → {after}"], impossible=impossible)


def _specifications(study: Study, *vintages: str) -> dict[str, Any]:
    """Distinct specifications that rest on revised figures, by the first name that has them."""
    found: dict[str, Any] = {}
    seen = set()
    for name in study.artefacts:
        path = study.output / name.sidecar
        if name.kind != "numbers" or not path.is_file():
            continue
        for key, specification in read_sidecar(path).get("estimates", {}).items():
            data = specification["data"]
            if not set(vintages) <= set(_vintages_of(data.get("panel"))):
                continue
            lasting = {k: v for k, v in data.items() if k in ("panel", "exclude", "window")}
            lasting["first_treated"] = data.get("first_treated", data["treated"])
            parts = [specification[k] for k in ("estimator", "inference", "outcome")]
            mark = json.dumps([*parts, lasting], sort_keys=True)
            if mark not in seen and _rests_on_revised(specification):
                seen.add(mark)
                found[f"{name.id}:{key}"] = specification
    return found


def _under_both(specification: Mapping[str, Any], *vintages: str) -> list[dict[str, Any]] | str:
    """Numbers of one specification under each vintage; the reason where there are none."""
    from jjjpolicy.replication.provenance.specification import design_of, estimate_of

    try:
        data = specification["data"]
        window = data.get("window") or data["periods"]
        first, last = _common_years(data["panel"], _wanted(specification), vintages)
        window = [max(window[0], first), min(window[1], last)]
        narrowed = {**specification, "data": {**data, "window": window}}
        found = []
        for vintage in vintages:
            estimate = estimate_of(narrowed, design_of(narrowed, vintage))
            row = estimate.to_frame().iloc[0]
            values = {key: row[key] for key in ("att", "se", "pvalue")}
            values |= {"interval/low": row["lower"], "interval/high": row["upper"]}
            found.append(settle({key: each for key, each in values.items() if each is not None}))
    except JJJPolicyError as error:
        return str(error)
    return found


def _wanted(specification: Mapping[str, Any]) -> list[str]:
    data = specification["data"]
    return [specification["outcome"], *data.get("covariates", ()), *data.get("predictors", ())]


def _common_years(panel: str, names: list[str], vintages: tuple[str, ...]) -> tuple[int, int]:
    """Years in which all vintages have what some variables are computed from."""
    from jjjpolicy.panels.datasets import dictionary, load
    from jjjpolicy.panels.variable import with_inputs

    behind = set[str]()
    for vintage in vintages:
        behind |= with_inputs(names, load(panel, vintage=vintage, variables=names).variables)
    rules = dictionary()
    rules = rules[(rules["dataset"] == panel) & rules["vintage"].isin(vintages)]
    rules = rules[rules["variable"].isin(behind) & (rules["formula"] == "")]
    return int(rules["first_year"].max()), int(rules["last_year"].min())


def _rests_on_revised(specification: Mapping[str, Any]) -> bool:
    from jjjpolicy.panels.datasets import load, vintages
    from jjjpolicy.panels.variable import with_inputs

    panel, wanted = specification["data"]["panel"], _wanted(specification)
    choices = vintages(panel)
    variables = load(panel, vintage=choices[-1]).variables
    if not set(wanted) <= set(variables):
        return False
    return any(variables[name].vintage in choices for name in with_inputs(wanted, variables))


def _all_vintages() -> list[str]:
    from jjjpolicy.panels.datasets import dictionary

    panels = dict.fromkeys(dictionary()["dataset"])
    return list(dict.fromkeys(v for panel in panels for v in _vintages_of(panel)))


def _vintages_of(panel: str | None) -> tuple[str, ...]:
    from jjjpolicy.panels.datasets import vintages

    try:
        return vintages(panel) if panel else ()
    except DataError:
        return ()
