"""Joint test of the group-time effects before adoption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.variance import covariance_rank

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.group_time.effects import GroupTimeEffects


@dataclass(frozen=True)
class PreTest:
    """Wald test that all effects before (anticipated) adoption are zero.

    Attributes
    ----------
    statistic, pvalue : float
        From the chi-squared distribution.
    df : int
        Number of effects tested.
    """

    statistic: float
    df: int
    pvalue: float


def wald_pretest(effects: GroupTimeEffects, design: Design) -> PreTest:
    """Wald test of all effects before anticipated adoption, clustered at the level of assignment.

    Raises
    ------
    InferenceError
        No such effect was estimated, or their covariance matrix is singular.
    """
    from scipy.special import chdtrc

    before = (effects.event_times < -effects.anticipation) & ~effects.reference
    if not before.any():
        raise InferenceError("there is no group-time effect before adoption to test.")
    points = effects.estimates[before]
    covariance = effects.covariance(effects.influence_at(before), design)
    if covariance_rank(covariance) < len(points):
        raise InferenceError(
            f"the covariance matrix of the {len(points)} effects before adoption is singular: "
            f"there are too few clusters at the level {design.assigned_at!r} for a joint test. "
            f"Test fewer periods with window=."
        )
    statistic = float(points @ np.linalg.solve(covariance, points))
    return PreTest(statistic, len(points), float(chdtrc(len(points), statistic)))
