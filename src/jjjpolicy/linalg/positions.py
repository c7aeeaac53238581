"""Where labels stand in an index that several threads may share, and rows that are equal."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from jjjpolicy.linalg.types import Integers

_asking = Lock()


def positions_in(index: pd.Index, labels: pd.Index) -> Integers:
    """Positions of the labels, -1 for one that is absent.

    An index makes its table of positions when it is first asked. Before pandas 3 a second thread
    that asks meanwhile finds a part of it and is told that labels are absent.
    """
    with _asking:
        return np.asarray(index.get_indexer(labels), dtype=np.int64)


def equal_rows(table: NDArray[Any]) -> list[Integers]:
    """Positions of the rows of a table that are equal, for each distinct row.

    Parameters
    ----------
    table : ndarray, shape (rows, columns)
    """
    packed = np.packbits(table, axis=1) if table.dtype == bool else np.ascontiguousarray(table)
    alike: dict[bytes, list[int]] = {}
    for position, row in enumerate(packed):
        alike.setdefault(row.tobytes(), []).append(position)
    return [np.array(rows, dtype=np.int64) for rows in alike.values()]
