"""Refits of simplex-weighted counterfactuals under many assignments, without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.linalg.simplex import simplex_weights
from jjjpolicy.synth.counterfactual.gaps import scale_of, stacked_refits
from jjjpolicy.synth.counterfactual.requirements import require_pre_periods

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Floats


def simplex_refits(
    design: Design, adoptions: Floats, method: str, *, demeaned: bool, donors: int, before: int
) -> Refits:
    """Gaps of every assignment; each treated unit is matched on pre-treatment outcomes.

    Parameters
    ----------
    design : Design
        Balanced, absorbing, unweighted.
    adoptions : ndarray, shape (assignments, units)
        First treated periods, ``inf`` for never.
    method : str
        Name of the estimator, for messages.
    demeaned : bool
        Match outcomes less their pre-treatment average.
    donors, before : int
        Fewest donors and periods before treatment.
    """
    outcome = np.ascontiguousarray(design.outcome.T)
    means: dict[int, Floats] = {}
    values, dates = [], []
    for adoption in adoptions:
        never = np.isinf(adoption)
        if never.sum() < donors:
            design.reassigned(adoption).require_never_treated(method, donors)
        pool = outcome[:, never]
        treated = np.flatnonzero(~never)
        treated = treated[np.argsort(adoption[treated], kind="stable")]
        gaps = np.empty((len(treated), len(outcome)))
        for row, i in enumerate(treated):
            start = int(np.searchsorted(design.periods, adoption[i]))
            require_pre_periods(design, method, int(i), start, before)
            difference = pool - outcome[:, i, None]
            if demeaned:
                if start not in means:
                    means[start] = outcome[:start].mean(axis=0)
                difference -= means[start][never] - means[start][i]
            weights = simplex_weights(difference[:start])
            gaps[row] = -(difference @ weights)
        values.append(gaps)
        dates.append(adoption[treated])
    return stacked_refits(values, dates, design.periods, scale_of(design))
