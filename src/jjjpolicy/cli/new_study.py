"""``jjjpolicy new-study``."""

from __future__ import annotations

from typing import Annotated

import typer

from jjjpolicy.cli.language import say


def new_study(
    name: Annotated[str, typer.Argument(help="Directory to make, such as tax-holiday.")],
) -> None:
    """Make a study to start from: data, a script, a test, a paper, README and Makefile.

    It runs as it is, on simulated data: cd NAME, jjjpolicy reproduce, jjjpolicy verify.

    Example: jjjpolicy new-study tax-holiday
    """
    from pathlib import Path

    from jjjpolicy.replication.skeleton import write_skeleton

    files = write_skeleton(Path.cwd(), name)
    told = "Made {name}/ with {number} files. Next: cd {name} && jjjpolicy reproduce"
    typer.echo(say(told, name=name, number=len(files)))
