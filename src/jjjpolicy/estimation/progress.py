"""Progress of long work, with elapsed and remaining time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import length_hint
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

Item = TypeVar("Item")

FEW = 20
"""Work of fewer steps shows nothing."""

_shown = False


def track(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items and show how far they are, on standard error.

    Quiet when standard error is not a terminal, for few items, and inside of other items that are
    being shown.

    Parameters
    ----------
    items : iterable
        Also the generator of ``joblib.Parallel(return_as="generator")``; give ``total`` then.
    description : str
        What is going on, in a few words.
    total : int, optional
        Number of items, where the iterable does not know it.
    """
    global _shown
    known = total if total is not None else length_hint(items) or None
    if _shown or not sys.stderr.isatty() or (known is not None and known < FEW):
        yield from items
        return

    _shown = True
    try:
        with _bar() as progress:
            yield from progress.track(items, total=known, description=description)
    finally:
        _shown = False


@contextmanager
def steps(description: str, total: int) -> Iterator[Callable[[str], None]]:
    """Show how many of ``total`` steps are done; yields the function to call after each.

    Quiet when standard error is not a terminal. The function takes the name of the finished step
    and may be called from any thread.
    """
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    with _bar() as progress:
        task = progress.add_task(description, total=total)

        def done(name: str) -> None:
            progress.update(task, advance=1, description=f"{description}: {name}")

        yield done


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("elapsed,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
