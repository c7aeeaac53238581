"""Leave one control unit out at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.progress import track

if TYPE_CHECKING:
    from jjjpolicy.estimate import Estimate


def leave_one_out(estimate: Estimate) -> pd.DataFrame:
    """Re-estimate without each control unit in turn (Abadie, Diamond and Hainmueller 2015, 4.3).

    Parameters
    ----------
    estimate : Estimate
        Donors without weight are passed over: leaving them out changes nothing.

    Returns
    -------
    DataFrame
        Columns left_out, att, change (from ``estimate.att``), sorted by the size of the change.
    """
    design = estimate.design
    candidates = ~design.treated
    if estimate.weights is not None:
        used = estimate.weights.index[(estimate.weights.abs() > 1e-8).any(axis=1).to_numpy()]
        candidates = candidates & design.units.isin(used)
    rows = []
    for position in track(np.flatnonzero(candidates), "leave one out"):
        keep = np.ones(design.n_units, dtype=bool)
        keep[position] = False
        refit = estimate.estimator.refit(design.keep_units(keep, "left out in turn"))
        rows.append((design.units[int(position)], float(refit.att[0])))
    table = pd.DataFrame(rows, columns=["left_out", "att"])
    table["change"] = table["att"] - estimate.att
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
