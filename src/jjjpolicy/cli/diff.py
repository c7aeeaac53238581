"""``jjjpolicy diff``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from jjjpolicy.cli.output import print_json, show, table
from jjjpolicy.cli.verify import DIFFERENT, SHOWN

if TYPE_CHECKING:
    from jjjpolicy.replication.comparison.movement import Movement
    from jjjpolicy.replication.diff import Comparison


def diff(
    before: Annotated[str, typer.Argument(help="Commit, folder or vintage.")] = "HEAD",
    after: Annotated[
        str | None, typer.Argument(help="The same; the study as it stands if not given.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes, for vintages.")] = 2,
    all_rows: Annotated[bool, typer.Option("--all", help="Show every change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which estimates moved between two states of the results, and which conclusions changed.

    Moves are in standard errors of the estimate before, and as a share of its 95% interval. A
    conclusion changes with the sign, or when a p-value crosses 5%. For two data vintages the
    paper's designs are estimated under each, over the years that both cover.

    Exit code 0: nothing moved; 3: something did.

    Examples: jjjpolicy diff; jjjpolicy diff HEAD~1 HEAD; jjjpolicy diff old/paper new/paper;
    jjjpolicy diff before_2018_census after_2018_census
    """
    from jjjpolicy.replication.artefacts.study import Study
    from jjjpolicy.replication.diff import diff as compare

    found = compare(Study.find(), before, after, jobs=jobs)
    if as_json:
        print_json(asdict(found) | {"same": found.same})
    else:
        _print(found, len(found.moved) + len(found.other) if all_rows else SHOWN)
    if not found.same:
        raise typer.Exit(DIFFERENT)


def _print(found: Comparison, limit: int) -> None:
    headings = ("Estimate", "Before", "After", "Std. errors", "Of interval", "Conclusion")
    if found.moved:
        rows = [_row(each) for each in found.moved[:limit]]
        show(table(headings, rows, right="Before,After,Std. errors,Of interval"))
    if found.other:
        typer.echo("Further values:")
        listed = [(each.path, each.before, each.after) for each in found.other[:limit]]
        show(table(("Value", "Before", "After"), listed, right="Before,After"))
    hidden = max(0, len(found.moved) - limit) + max(0, len(found.other) - limit)
    if hidden:
        typer.echo(f"… and {hidden} more; see them with --all.")
    for word, names in (("Only before", found.removed), ("Only after", found.added)):
        if names:
            typer.echo(f"{word}: {', '.join(names)}")
    for name, reason in found.impossible.items():
        typer.echo(f"Not estimated: {name}: {reason}")
    for reason in found.reasons[:limit]:
        typer.echo(f"Changed: {reason}")
    concluded = sum(each.changes_a_conclusion for each in found.moved)
    typer.echo(
        f"{found.compared} estimates compared, {len(found.moved)} changed, {concluded} with another"
        f" sign or significance at 5%; {len(found.other)} further values changed."
    )


def _row(moved: Movement) -> tuple[object, ...]:
    parts = ["sign changed"] if moved.sign_changed else []
    parts += moved.significance
    if moved.before is None or moved.after is None:
        parts += [f"{c.path} {c.before} → {c.after}" for c in moved.further[:2]]
    return (
        moved.name,
        moved.before,
        moved.after,
        "" if moved.standard_errors is None else f"{moved.standard_errors:+.2f}",
        "" if moved.interval_share is None else f"{moved.interval_share:+.0%}",
        "; ".join(parts) or "the same",
    )
