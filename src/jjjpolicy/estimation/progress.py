"""Progress of long work, with elapsed and remaining time, in terminals and notebooks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html import escape
from operator import length_hint
from typing import TypeVar

Item = TypeVar("Item")
Advance = Callable[[str], None]
"""Counts a step as done, and says what is going on."""
Bar = Callable[[str, int | None], AbstractContextManager[Advance]]
"""From a description and the number of steps to what shows them."""

FEW = 20
"""Work of fewer steps shows nothing."""

_shown = False


def track(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items and show how far they are, below a notebook's cell or on standard error.

    Quiet when there is neither a notebook nor a terminal, for few items, and inside of other items
    that are being shown.

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
    bar = _bar()
    if _shown or bar is None or (known is not None and known < FEW):
        yield from items
        return

    _shown = True
    try:
        with bar(description, known) as advance:
            for item in items:
                yield item
                advance(description)
    finally:
        _shown = False


@contextmanager
def steps(description: str, total: int) -> Iterator[Advance]:
    """Show how many of ``total`` steps are done; yields the function to call after each.

    Quiet when there is neither a notebook nor a terminal. The function takes the name of the
    finished step and may be called from any thread.
    """
    bar = _bar()
    if bar is None:
        yield lambda name: None
        return
    with bar(description, total) as advance:
        yield lambda name: advance(f"{description}: {name}")


def _bar() -> Bar | None:
    """What shows progress here; None where nobody looks."""
    if _in_notebook():
        return _notebook_bar
    return _terminal_bar if sys.stderr.isatty() else None


def _in_notebook() -> bool:
    """Whether a kernel runs this, whose front end shows HTML."""
    shell = sys.modules.get("IPython")
    return getattr(shell and shell.get_ipython(), "kernel", None) is not None


@contextmanager
def _terminal_bar(description: str, total: int | None) -> Iterator[Advance]:
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
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total)
        yield lambda text: progress.update(task, advance=1, description=text)


@contextmanager
def _notebook_bar(description: str, total: int | None) -> Iterator[Advance]:
    """A bar below the cell, which goes when the work is done; each percent is shown once."""
    from IPython.display import HTML, display

    start, done, shown = time.monotonic(), 0, 0
    handle = display(HTML(_bar_of(description, 0, total, 0.0)), display_id=True)

    def advance(text: str) -> None:
        nonlocal done, shown
        done += 1
        percent = 100 * done // total if total else done
        if percent > shown:
            shown = percent
            handle.update(HTML(_bar_of(text, done, total, time.monotonic() - start)))

    try:
        yield advance
    finally:
        handle.update(HTML(""))


def _bar_of(description: str, done: int, total: int | None, seconds: float) -> str:
    ends = f'value="{done}" max="{total}"' if total else ""
    left = f", {_clock(seconds * (total - done) / done)} left" if total and done else ""
    return (
        f"<span>{escape(description)} <progress {ends}></progress> {done}/{total or '?'} "
        f"{_clock(seconds)} elapsed{left}</span>"
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
