"""What the estimate owes to the choice of donors."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.progress import track
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans


@one_thread
def donor_pools(
    estimate: Estimate,
    pools: Mapping[str, Collection[Hashable]] | None = None,
    *,
    without: Mapping[str, Collection[Hashable]] | None = None,
) -> pd.DataFrame:
    """Re-estimate with other donor pools.

    Parameters
    ----------
    estimate : Estimate
    pools : mapping from name to units
        The control units to keep, such as the eastern provinces.
    without : mapping from name to units
        The control units to leave out, such as the neighbours of the treated.

    Returns
    -------
    DataFrame
        Columns pool, donors, att, change (from ``estimate.att``) and pre_rmspe; the pool of the
        estimate comes first.

    Raises
    ------
    DesignError
        A unit that is not a control unit of the design; a pool without donors.
    """
    design = estimate.design
    controls = ~design.treated
    masks = {"all": controls}
    for named, kept in ((pools or {}, True), (without or {}, False)):
        for name, units in named.items():
            listed = _mask(estimate, name, units)
            masks[name] = controls & (listed if kept else ~listed)
    rows = []
    for name, mask in track(list(masks.items()), "donor pools"):
        if not mask.any():
            raise DesignError(f"donor pool {name!r} has no unit.")
        part = design.keep_units(mask | design.treated, f"not in the donor pool {name!r}")
        refits = estimate.estimator.refit(part)
        before = np.nan if refits.pre_rmspe is None else float(refits.pre_rmspe[0])
        rows.append((name, int(mask.sum()), float(refits.att[0]), before))
    table = pd.DataFrame(rows, columns=["pool", "donors", "att", "pre_rmspe"])
    table.insert(3, "change", table["att"] - estimate.att)
    return table


@one_thread
def sparsity_path(estimate: Estimate, smallest: int = 1) -> pd.DataFrame:
    """Re-estimate with fewer and fewer donors.

    The donor with the least weight is left out and the weights are found again, until ``smallest``
    are left: what is lost in fit with few donors that one can name (after Abadie, Diamond and
    Hainmueller 2015, section 4.3, who search all subsets).

    Parameters
    ----------
    estimate : Estimate
        From an estimator with donor weights.
    smallest : int

    Returns
    -------
    DataFrame
        Columns donors (number of them with weight), dropped, att, change and pre_rmspe, from the
        estimate to the fewest.

    Raises
    ------
    DesignError
        The estimator has no donor weights.
    """
    if estimate.weights is None:
        raise DesignError(f"{estimate.estimator.label} has no donor weights.")
    fitted, dropped, rows = estimate, "", []
    while True:
        weights = fitted.weights
        assert weights is not None
        sizes = weights.abs().max(axis=1)
        used = sizes[sizes > 1e-8]
        refits = fitted.estimator.refit(fitted.design)
        before = np.nan if refits.pre_rmspe is None else float(refits.pre_rmspe[0])
        rows.append((len(used), dropped, fitted.att, fitted.att - estimate.att, before))
        if len(used) <= max(smallest, 1):
            break
        dropped = used.index[int(used.to_numpy().argmin())]
        keep = used.index.drop(dropped)
        design = fitted.design
        mask = design.treated | design.units.isin(keep)
        try:
            fitted = fitted.estimator.fit(design.keep_units(mask, "left out of the sparsity path"))
        except DesignError:
            break  # The estimator needs more donors than are left.
    return pd.DataFrame(rows, columns=["donors", "dropped", "att", "change", "pre_rmspe"])


def _mask(estimate: Estimate, name: str, units: Collection[Hashable]) -> Booleans:
    design = estimate.design
    controls = set(design.units[~design.treated])
    for unit in units:
        if unit not in controls:
            raise DesignError(
                f"donor pool {name!r} names {unit!r}, which is not a control {design.labels.unit} "
                f"of this design."
            )
    mask: Booleans = design.units.isin(list(units))
    return mask
