"""``jjjpolicy package``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def package(
    directory: Annotated[
        Path | None, typer.Option(help="Where to write the archive; dist/ by default.")
    ] = None,
) -> None:
    """Pack data, code, results and paper with README and checksums, for a journal's data editor.

    The README follows the template of the Social Science Data Editors (AEA and others). The results
    have to be complete: run jjjpolicy reproduce first.

    Example: jjjpolicy package
    """
    from jjjpolicy.replication.artefacts.study import Study
    from jjjpolicy.replication.package.archive import write_package

    path = write_package(Study.find(), directory)
    typer.echo(f"Written: {path.as_posix()} ({path.stat().st_size / 1e6:.1f} MB)")
