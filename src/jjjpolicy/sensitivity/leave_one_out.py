"""Leave one unit, or one group of units, out at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, JJJPolicyError
from jjjpolicy.estimation.progress import track
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans


@one_thread
def leave_one_out(
    estimate: Estimate, *, treated: bool = False, level: str | None = None
) -> pd.DataFrame:
    """Re-estimate without each unit in turn (Abadie, Diamond and Hainmueller 2015, section 4.3).

    Parameters
    ----------
    estimate : Estimate
        Of any estimator. Where it has donor weights, donors without weight are passed over:
        leaving them out changes nothing. So are units that it names as affected.
    treated : bool
        Whether treated units are left out too, and not only controls. A unit without which
        nothing is left to estimate has ``att`` missing, and ``problem`` says why.
    level : str, optional
        Leave out all units of a cluster at once: the level of assignment or a column given as
        ``clusters``. Single units by default.

    Returns
    -------
    DataFrame
        Columns left_out, att, change (from ``estimate.att``), sorted by the size of the change;
        with ``treated`` also treated and problem. ``left_out`` is the unit, or with ``level`` the
        tuple of its units.

    Raises
    ------
    DesignError
        ``level`` is not known to the design, or there is nothing to leave out.
    """
    design = estimate.design
    design.require_units("leave_one_out")
    by_unit = level is None or level == design.labels.unit
    codes = np.arange(design.n_units) if by_unit else design.cluster_codes(level)
    candidates = np.ones(design.n_units, dtype=bool) if treated else ~design.treated
    candidates &= ~design.units.isin(list(estimate.estimator.named))
    if estimate.weights is not None:
        used = estimate.weights.index[(estimate.weights.abs() > 1e-8).any(axis=1).to_numpy()]
        candidates &= design.units.isin(used) | design.treated
    left_out = [codes == code for code in np.unique(codes)]
    rows = []
    for out in track([out for out in left_out if candidates[out].any()], "leave one out"):
        if design.treated[out].any() and not treated:
            continue
        label = design.units[int(np.flatnonzero(out)[0])] if by_unit else tuple(design.units[out])
        att, problem = _without(estimate, out)
        rows.append((label, att, bool(design.treated[out].any()), problem))
    if not rows:
        raise DesignError("there is no control to leave out; pass treated=True.")
    table = pd.DataFrame(rows, columns=["left_out", "att", "treated", "problem"])
    table.insert(2, "change", table["att"] - estimate.att)
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    table = table.loc[order].reset_index(drop=True)
    return table if treated else table.drop(columns=["treated", "problem"])


def _without(estimate: Estimate, out: Booleans) -> tuple[float, str]:
    design = estimate.design
    if not (design.treated & ~out).any():
        return float("nan"), "no treated unit is left"
    try:
        refit = estimate.estimator.refit(design.keep_units(~out, "left out in turn"))
    except JJJPolicyError as error:
        if not design.treated[out].any():
            raise
        return float("nan"), str(error)
    return float(refit.att[0]), ""
