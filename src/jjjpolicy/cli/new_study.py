"""``jjjpolicy new-study``."""

from __future__ import annotations

from typing import Annotated

import typer


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
    typer.echo(f"Made {name}/ with {len(files)} files. Next: cd {name} && jjjpolicy reproduce")
