"""Cluster-robust standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimate import Estimate, Inference
from jjjpolicy.variance import analytic_result, clustered_covariance

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Clustered(Inference):
    """Cluster-robust variance (CRV1) from influence functions.

    Parameters
    ----------
    level : str, optional
        The unit, the level of assignment, or a column given as ``clusters`` to the design; the
        level of assignment by default.

    Notes
    -----
    Regressions use the small-sample factor of fixest, G/(G-1) · (N-1)/(N-K); estimators with
    influence functions only use G/(G-1). The t distribution has G - 1 degrees of freedom. With few
    treated clusters these standard errors are too small, whatever the total number of clusters
    (MacKinnon and Webb 2017): use a placebo or randomisation method for the headline.
    """

    level: str | None = None

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach the clustered variance.

        Raises
        ------
        InferenceError
            The estimator has no influence function, or there are fewer than two clusters.
        """
        if estimate.influence is None:
            raise InferenceError(
                f"{estimate.estimator.label} has no influence function, so that a clustered "
                f"variance does not exist for it; use PlaceboUnits."
            )
        level = self.level or estimate.design.assigned_at
        codes = estimate.design.cluster_codes(level)
        groups = len(np.unique(codes))
        if groups < 2:
            raise InferenceError(f"there is only one cluster at level {level!r}; two are needed.")
        correction = groups / (groups - 1)
        regression = estimate.details.get("regression")
        if regression is not None:
            correction *= (regression.observations - 1) / (
                regression.observations - regression.parameters
            )
        covariance = clustered_covariance(estimate.influence, codes, correction)
        return estimate.with_result(
            analytic_result(
                f"clustered by {level} (CRV1)",
                estimate.att,
                _influenced_effects(estimate),
                covariance,
                df=groups - 1,
                specification=self.specification(),
            )
        )


def _influenced_effects(estimate: Estimate) -> pd.DataFrame:
    """The effects by event time that the influence functions cover, in their order."""
    assert estimate.influence is not None
    table = estimate.effects[["event_time", "estimate"]]
    if estimate.influence.shape[1] == 1:
        return table.iloc[:0]
    covered = np.isin(table["event_time"], estimate.details["event_times"])
    return table[covered]
