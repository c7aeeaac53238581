"""Which effects by event time have standard errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate


def covered_effects(estimate: Estimate, columns: int | None = None) -> pd.DataFrame:
    """The effects by event time that are not zero by definition, columns event_time and estimate.

    They are behind the ``columns`` of a covariance after the first; none where there is only that.
    """
    if columns == 1:
        return pd.DataFrame({"event_time": np.empty(0, dtype=np.int64), "estimate": np.empty(0)})
    table = estimate.effects[["event_time", "estimate"]]
    if "event_times" not in estimate.details:
        return table
    return table[np.isin(table["event_time"], estimate.details["event_times"])]
