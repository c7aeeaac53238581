"""``jjjpolicy reproduce``."""

from __future__ import annotations

from typing import Annotated

import typer

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Artefacts (table:effects), ids or scripts; everything if none."),
]
Jobs = Annotated[int, typer.Option(min=1, help="Scripts run at the same time.")]


def reproduce(
    names: Names = None,
    jobs: Jobs = 2,
    force: Annotated[bool, typer.Option(help="Run what is up to date as well.")] = False,
) -> None:
    """Build every table, figure and the paper that is out of date.

    Example: jjjpolicy reproduce table:effects
    """
    from jjjpolicy.replication.graph import reproduce as build
    from jjjpolicy.replication.study import Study

    ran = build(Study.find(), names or (), jobs=jobs, force=force)
    if ran:
        typer.echo(f"Made: {', '.join(ran)}. The results are in paper/.")
    else:
        typer.echo("Everything is up to date; nothing was done.")
