"""``jjjpolicy verify``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from jjjpolicy.cli.output import print_json, show, table
from jjjpolicy.cli.reproduce import Jobs, Names

DIFFERENT = 3
SHOWN = 40


def verify(
    names: Names = None,
    jobs: Jobs = 2,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0, help="Relative tolerance; by default 0 on the same platform, else 1e-6."
        ),
    ] = None,
    instruction_set: Annotated[
        str | None,
        typer.Option(help="Run the scripts as on another processor: baseline, haswell, skylakex."),
    ] = None,
    all_rows: Annotated[bool, typer.Option("--all", help="Show every difference.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rebuild the results in a temporary place and compare them with the committed ones.

    Every number, table and figure is compared, and every file with the hash in its provenance;
    without names also the paper in every format and language and the results browser. What differs
    is listed with its size and likely cause: data, specification, code of the package, version,
    platform, or a file that was edited by hand. Rounding noise is no difference. Nothing in the
    study is changed.

    Exit code 0: nothing differs; 3: something does; 1: a script failed.

    Examples: jjjpolicy verify; jjjpolicy verify table:effects figure:paths --jobs 4;
    jjjpolicy verify --instruction-set baseline
    """
    from jjjpolicy.replication.artefacts.study import Study
    from jjjpolicy.replication.verify import verify as check

    result = check(
        Study.find(), names or (), jobs=jobs, tolerance=tolerance, instruction_set=instruction_set
    )
    if as_json:
        print_json(asdict(result) | {"same": result.same})
    else:
        rows = [
            (
                difference.artefact,
                difference.where,
                difference.committed,
                difference.rebuilt,
                "" if difference.relative is None else f"{difference.relative:.2g}",
                difference.cause,
            )
            for difference in result.differences
        ]
        shown = rows if all_rows else rows[:SHOWN]
        headings = ("Artefact", "Where", "Committed", "Rebuilt", "Relative", "Likely cause")
        if rows:
            show(table(headings, shown, right="Committed,Rebuilt,Relative"))
        if len(shown) < len(rows):
            typer.echo(f"… and {len(rows) - len(shown)} more; see them with --all.")
        where = "" if result.exact else " (another platform or other versions than at the time)"
        documents = f" and {result.documents} documents" if result.documents else ""
        rule = f"to a relative {result.tolerance:g}" if result.tolerance else "exactly"
        under = f", made under instruction set {instruction_set}" if instruction_set else ""
        typer.echo(
            f"{result.artefacts} artefacts with {result.values} values{under}"
            f"{documents}, compared {rule}{where}: "
            + ("nothing differs." if result.same else f"{len(rows)} differences.")
        )
    if not result.same:
        raise typer.Exit(DIFFERENT)
