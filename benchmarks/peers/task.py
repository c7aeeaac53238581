"""What a benchmark task consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from peers.r import InR

Answer = Mapping[str, float]
Contender = Callable[[Any], Answer] | InR


@dataclass(frozen=True)
class Task:
    """One question put to several packages.

    Attributes
    ----------
    title : str
        What is computed, as it stands in the table.
    goal : float or None
        Seconds that jjjpolicy wants to stay under.
    data : callable
        Makes the user's data; not timed.
    contenders : mapping of str to callable or InR
        By distribution name, R packages as "R fixest"; from the data to ``estimate`` and ``se``,
        where there are any. Each imports its package itself, so that the first call holds the
        import.
    note : str
        What the reader must know to compare the rows.
    """

    title: str
    goal: float | None
    data: Callable[[], Any]
    contenders: Mapping[str, Contender]
    note: str = ""
