"""The task graph: run what is out of date, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError, JJJPolicyError
from jjjpolicy.estimation.progress import steps as progress
from jjjpolicy.replication.artefacts.artefacts import remove_unfinished
from jjjpolicy.replication.artefacts.document import Document
from jjjpolicy.replication.artefacts.overview import readmes, write_map
from jjjpolicy.replication.artefacts.study import PAPER_FORMATS, Script, Study
from jjjpolicy.replication.artefacts.versions import package_digest
from jjjpolicy.replication.browser.page import browser_path, write_browser


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
            done(step.name)

        nodes = {
            "depends_on": dict(enumerate(step.needs)),
            "package": package,
            "produces": dict(enumerate(step.makes)),
        }
        return pytask.task(id=step.name, kwargs=nodes)(work)

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
class Step:
    """A piece of work: what it needs, what it makes, and how."""

    name: str
    needs: list[Path]
    makes: list[Path]
    run: Callable[[], None]


def plan(study: Study, wanted: list[str]) -> list[Step]:
    """The steps behind some artefacts; for none all, with the paper, the map and the browser."""
    steps = [
        Step(
            script.path.stem,
            study.inputs_of(script),
            study.products_of(script),
            partial(run_script, script),
        )
        for script in study.select(wanted)
    ]
    if wanted:
        return steps
    for document in study.documents:
        needs, makes = study.parts_of(document), study.files_of(document)
        name = f"{document.name}-{document.language}"
        steps.append(Step(name, needs, makes, partial(_write_paper, study, document)))
    sidecars = [study.output / name.sidecar for name in study.artefacts]
    sources = [study.source_of(document) for document in study.documents]
    needs = [*sources, *sidecars]
    steps.append(Step("map", needs, [*readmes(study).values()], partial(write_map, study)))
    contents = [study.output / name.content for name in study.artefacts]
    steps.append(
        Step("browser", [*needs, *contents], [browser_path(study)], partial(write_browser, study))
    )
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
