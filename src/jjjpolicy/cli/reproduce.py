"""``jjjpolicy reproduce``."""

from __future__ import annotations

from typing import Annotated

import typer

from jjjpolicy.cli.language import say

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Artefacts (table:effects), ids or scripts; everything if none."),
]
Jobs = Annotated[int, typer.Option(min=1, help="Scripts run at the same time.")]


def reproduce(
    names: Names = None,
    jobs: Jobs = 2,
    force: Annotated[bool, typer.Option(help="Run what is up to date as well.")] = False,
    timings: Annotated[
        bool,
        typer.Option(
            "--timings", help="Print running times anew in the README's table of results."
        ),
    ] = False,
) -> None:
    """Build every table, figure and the paper that is out of date.

    A number that differs from the committed one by rounding noise alone stays as it is, so that
    another processor changes no file.

    Examples: jjjpolicy reproduce table:effects; jjjpolicy reproduce --timings
    """
    from jjjpolicy.replication.artefacts.overview import write_map
    from jjjpolicy.replication.artefacts.study import Study
    from jjjpolicy.replication.graph import reproduce as build
    from jjjpolicy.replication.paper.fill import Results, unsupported

    study = Study.find()
    ran = build(study, names or (), jobs=jobs, force=force)
    if timings:
        write_map(study, timings=True)
    if ran:
        typer.echo(say("Made: {names}. The results are in paper/.", names=", ".join(ran)))
    else:
        typer.echo(say("Everything is up to date; nothing was done."))
    for document in () if names else study.documents:
        source = study.source_of(document)
        text = source.read_text(encoding="utf-8")
        for statement in unsupported(text, Results(study.output / "results")):
            told = "{source} says what the results no longer do: {statement}."
            typer.echo(say(told, source=source.name, statement=statement))
