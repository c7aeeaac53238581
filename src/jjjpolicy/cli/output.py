"""What commands print: tables, trees and values, never read as markup."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer


def show(thing: Any) -> None:
    """Print a table or tree of ``rich``; plain text where the output is no terminal."""
    import shutil
    import sys

    from rich.console import Console

    width = shutil.get_terminal_size((140, 40)).columns if sys.stdout.isatty() else 160
    Console(width=width, highlight=False, emoji=False).print(thing)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, right: str = "") -> Any:
    """A table; columns whose heading is in ``right`` (comma-separated) are flush right."""
    from rich.table import Table
    from rich.text import Text

    flush = right.split(",")
    made = Table(show_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, justify="right" if heading in flush else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(value(cell)) for cell in row))
    return made


def value(content: object) -> str:
    """A value in few characters."""
    if content is None:
        return ""
    if isinstance(content, float):
        return f"{content:.8g}"
    return str(content)


def print_json(content: Any) -> None:
    """Print as JSON; what JSON does not know, as its text."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=1, default=str))
