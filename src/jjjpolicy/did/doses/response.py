"""The estimate of effects by dose: its curves, pointwise and with simultaneous bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.estimation.variance import t_interval
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.estimation.multipliers import Law
    from jjjpolicy.linalg.types import Floats

CURVES = ("att", "acrt")


@dataclass(frozen=True, eq=False, repr=False)
class DoseResponseEstimate(Estimate):
    """An estimate with curves over doses.

    ``details["dose_response"]`` has dose, att, acrt and for both se, lower and upper (95%,
    pointwise); ``details["dose_influence"]`` the influence functions of the overall ACRT, of att
    and of acrt on the grid.
    """

    @one_thread
    def bands(
        self, *, alpha: float = 0.05, draws: int = 1_000, seed: int = 0, law: Law = "mammen"
    ) -> pd.DataFrame:
        """The curves with simultaneous bands from the multiplier bootstrap.

        Each curve lies within its band at all doses of the grid at once with probability
        1 − ``alpha``: the critical value is the quantile of the largest studentised deviation over
        the grid, clustered at the level of assignment (as in the R package contdid).

        Parameters
        ----------
        alpha : float
        draws : int
        seed : int
        law : {"mammen", "rademacher", "webb"}
            Distribution of the multipliers.

        Returns
        -------
        DataFrame
            As ``details["dose_response"]``, where lower and upper are the ends of the bands, and
            att_critical_value and acrt_critical_value, the same in every row, are what the standard
            errors were multiplied by.

        Raises
        ------
        InferenceError
            ``alpha`` outside (0, 1), or fewer than two draws.
        """
        from jjjpolicy.estimation.multipliers import uniform_critical_value

        if not 0 < alpha < 1:
            raise InferenceError(f"alpha={alpha} must lie between 0 and 1, e.g. 0.05.")
        table: pd.DataFrame = self.details["dose_response"].copy()
        by_curve = np.split(self.details["dose_influence"][:, 1:], len(CURVES), axis=1)
        for name, influence in zip(CURVES, by_curve, strict=True):
            critical = uniform_critical_value(
                influence, self.design.assignment, alpha, draws=draws, seed=seed, law=law
            )
            table[f"{name}_lower"] = table[name] - critical * table[f"{name}_se"]
            table[f"{name}_upper"] = table[name] + critical * table[f"{name}_se"]
            table[f"{name}_critical_value"] = critical
        return table


def pointwise_curves(doses: Floats, estimates: Floats, errors: Floats) -> pd.DataFrame:
    """The curves, one after the other in ``estimates`` and ``errors``, with 95% intervals."""
    table = {"dose": doses}
    parts = zip(CURVES, np.split(estimates, 2), np.split(errors, 2), strict=True)
    for name, points, own in parts:
        low, high = t_interval(points, own, np.inf, 0.95)
        table |= {name: points, f"{name}_se": own}
        table |= {f"{name}_lower": low, f"{name}_upper": high}
    return pd.DataFrame(table)
