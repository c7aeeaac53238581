"""The task graph: run what is out of date, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError, JJJPolicyError
from jjjpolicy.estimation.progress import steps as progress
from jjjpolicy.replication.artefacts.artefacts import remove_unfinished
from jjjpolicy.replication.artefacts.document import Document
from jjjpolicy.replication.artefacts.overview import readmes, write_map
from jjjpolicy.replication.artefacts.study import PAPER_FORMATS, Script, Study
from jjjpolicy.replication.artefacts.versions import digest, package_digest


class TaskError(DataError):
    """A script or the paper could not be built; the message holds what it said."""


def reproduce(
    study: Study, wanted: Iterable[str] = (), *, jobs: int = 2, force: bool = False
) -> list[str]:
    """Run the scripts that are out of date, then the paper.

    A script is out of date when a data file that it reads, a module of ``analysis/``, the package
    or the script itself has changed, or a result is missing. Interrupted runs leave whole files
    only, and the next run goes on from there.

    Parameters
    ----------
    study : Study
    wanted : iterable of str
        Artefacts, ids or scripts; everything, the paper included, for none.
    jobs : int
        Scripts run at the same time; results do not depend on it.
    force : bool
        Run what is up to date as well.

    Returns
    -------
    list of str
        Names of the tasks that ran.

    Raises
    ------
    TaskError
        A script or the paper failed.
    DataError
        A name fits nothing, or the task graph is not installed.
    """
    try:
        import pytask
        from pytask import PythonNode
    except ImportError as error:
        raise DataError('reproduce needs: pip install "jjjpolicy[paper]"') from error

    remove_unfinished(study.output)
    steps_to_do = plan(study, list(wanted))
    package = PythonNode(value=package_digest(), hash=True)

    def task(step: Step) -> Any:
        def work(depends_on: Any, package: str, produces: Any) -> None:
            step.run()
            step.require_made()
            done(step.name)

        nodes = {
            "depends_on": dict(enumerate(step.needs)),
            "package": package,
            "produces": dict(enumerate(step.makes)),
        }
        marked: Any = pytask.mark.try_first(work) if step.long else work
        return pytask.task(id=step.name, kwargs=nodes)(marked)

    pytask.console.quiet = True  # it reports in its own way; what it has to say is raised below
    with progress("Reproducing", len(steps_to_do)) as done:
        session = pytask.build(
            tasks=[task(step) for step in steps_to_do],
            root=study.root,
            paths=study.root / "analysis",
            force=force,
            n_workers=jobs,
            parallel_backend="threads",
            capture="no",
        )
    collected = all(report.outcome.name != "FAIL" for report in session.collection_reports)
    if collected and len(session.execution_reports) < len(steps_to_do):
        raise KeyboardInterrupt  # which the task graph takes for a reason to end without a word
    reports: list[Any] = [*session.collection_reports, *session.execution_reports]
    failures = [report.exc_info[1] for report in reports if report.outcome.name == "FAIL"]
    for failure in failures:
        if isinstance(failure, JJJPolicyError | KeyboardInterrupt):
            raise failure
    if failures or session.exit_code != 0:
        raise TaskError("; ".join(map(str, failures)) or "the task graph could not be resolved.")
    return [
        report.task.name.rpartition("[")[2].rstrip("]")
        for report in session.execution_reports
        if report.outcome.name == "SUCCESS"
    ]


@dataclass(frozen=True)
class Files:
    """Several files as one node of the task graph, whose work grows with the number of nodes.

    Attributes
    ----------
    name : str
        Says which; no two nodes have the same.
    paths : tuple of Path
    attributes : dict
        Of the task graph.
    """

    name: str
    paths: tuple[Path, ...]
    attributes: dict[Any, Any] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        """What the task graph knows the node by."""
        return sha256(f"files: {self.name}".encode()).hexdigest()

    def state(self) -> str | None:
        """Changes with the names of the files and what is in them; None while one is missing."""
        if self.missing:
            return None
        states = [f"{path.name} {_digest(path, path.stat().st_mtime_ns)}" for path in self.paths]
        return sha256("\n".join(states).encode()).hexdigest()

    @property
    def missing(self) -> list[Path]:
        """Files that are not there."""
        return [path for path in self.paths if not path.is_file()]

    def load(self, is_product: bool = False) -> tuple[Path, ...]:
        """What the task graph hands to a task."""
        return self.paths

    def save(self, value: Any) -> None:
        """Nothing: steps write their files themselves."""


@lru_cache(maxsize=4096)
def _digest(path: Path, changed: int) -> str:
    return digest(path)


@dataclass(frozen=True)
class Step:
    """A piece of work: what it needs, what it makes, how, and whether to begin with it.

    What takes long begins first, so that what is short fills the time at the end in which one
    worker would wait for the other.
    """

    name: str
    needs: list[Files]
    makes: list[Files]
    run: Callable[[], None]
    long: bool = False

    def require_made(self) -> None:
        """Raise a `TaskError` for a file that has not been made."""
        for path in (path for files in self.makes for path in files.missing):
            raise TaskError(f"{self.name} did not write {path.parent.name}/{path.name}.")


LONG = 20.0
"""Seconds from which on a script is one of the long ones."""


def plan(study: Study, wanted: list[str]) -> list[Step]:
    """The steps behind some artefacts; for none all, with the paper, the map and the browser."""
    steps: list[Step] = []
    contents: list[Files] = []
    sidecars: list[Files] = []
    for script in study.select(wanted):
        name = script.path.stem
        inputs = Files(f"inputs of {name}", tuple(study.inputs_of(script)))
        made = [
            Files(
                f"{what} of {name}",
                tuple(study.output / getattr(each, part) for each in script.makes),
            )
            for what, part in (("contents", "content"), ("provenance", "sidecar"))
        ]
        contents.append(made[0])
        sidecars.append(made[1])
        long = study.seconds_of(script) > LONG
        steps.append(Step(name, [inputs], made, partial(run_script, script), long))
    if wanted:
        return steps
    for document in study.documents:
        name = f"{document.name}-{document.language}"
        sources = Files(f"sources of {name}", tuple(study.sources_of(document)))
        written = Files(name, tuple(study.files_of(document)))
        write = partial(_write_paper, study, document)
        steps.append(Step(name, [sources, *contents], [written], write))
    papers = Files("papers", tuple(study.source_of(document) for document in study.documents))
    written = Files("README", tuple(readmes(study).values()))
    steps.append(Step("map", [papers, *sidecars], [written], partial(write_map, study)))
    browser = Files("browser", (study.browser,))
    needs = [papers, *sidecars, *contents]
    steps.append(Step("browser", needs, [browser], partial(_write_browser, study)))
    twice = [name for name, number in Counter(step.name for step in steps).items() if number > 1]
    if twice:
        raise DataError(
            f"analysis/{twice[0]}.py has the name of a step that is there already; rename it."
        )
    return steps


def run_script(script: Script, environment: dict[str, str] | None = None) -> None:
    """Run a script in a process of its own.

    Raises
    ------
    TaskError
        It failed; the message ends with the last lines that it wrote.
    """
    result = subprocess.run(
        [sys.executable, str(script.path)],
        cwd=script.path.parent,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        said = "\n".join(result.stderr.strip().splitlines()[-12:])
        raise TaskError(f"analysis/{script.path.name} failed:\n{said}")


def _write_paper(study: Study, document: Document) -> None:
    from jjjpolicy.replication.paper.build import build_paper

    build_paper(study.output, PAPER_FORMATS, document.language, document.name)


def _write_browser(study: Study) -> None:
    from jjjpolicy.replication.browser.page import write_browser

    write_browser(study)
