"""Where labels stand in an index that several threads may share."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

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
