"""``jjjpolicy trace``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jjjpolicy.cli.output import print_json, show

if TYPE_CHECKING:
    from jjjpolicy.replication.provenance.branch import Branch


def trace(
    name: Annotated[
        str,
        typer.Argument(
            help="effects:log_gdp/tianjin/did/att, table:effects, table:effects[2,1], "
            "figure:paths or paper.md:64."
        ),
    ],
    rows: Annotated[int, typer.Option(min=0, help="Data rows to show.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Follow a number back: where it is printed, its estimate, specification, data and script.

    Examples: jjjpolicy trace effects:log_gdp/tianjin/did/att --rows 5;
    jjjpolicy trace "table:effects[Tianjin,Placebo p]"; jjjpolicy trace paper.md:64
    """
    from jjjpolicy.replication.artefacts.study import Study
    from jjjpolicy.replication.trace import trace as follow

    tree = follow(Study.find(), name, rows=rows)
    if as_json:
        print_json(_plain(tree))
        return
    from rich.text import Text
    from rich.tree import Tree

    def grow(branch: Branch, parent: Any) -> None:
        for each in branch.branches:
            grow(each, parent.add(Text(each.text)))

    whole = Tree(Text(tree.text, style="bold"))
    grow(tree, whole)
    show(whole)


def _plain(branch: Branch) -> dict[str, Any]:
    below = [_plain(each) for each in branch.branches]
    return {"text": branch.text} | ({"branches": below} if below else {})
