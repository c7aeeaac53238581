"""The command line: ``jjjpolicy reproduce`` and its neighbours."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from jjjpolicy.errors import JJJPolicyError

app = typer.Typer(
    name="jjjpolicy",
    help="Policy evaluation with few treated regions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def common() -> None:
    """Policy evaluation with few treated regions."""


@app.command()
def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Artefacts (table:effects), ids or scripts; everything if none."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Scripts run at the same time.")] = 2,
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


def main() -> None:
    """Run the command line; errors of the package end with exit code 1 and no traceback."""
    try:
        app()
    except JJJPolicyError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(1)
