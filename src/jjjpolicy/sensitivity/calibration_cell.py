"""p-values of one estimator under one inference method, for many pseudo-policies on one panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.permutation.ranks import rank_pvalue, studentised
from jjjpolicy.inference.permutation.reached import require_unnamed
from jjjpolicy.inference.randomization import RandomizationInference

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator, Inference
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True, eq=False)
class PseudoPolicies:
    """What a method is tried on.

    Attributes
    ----------
    controls : Design
        Never-treated units.
    adoptions : ndarray, shape (policies, units)
    effects : ndarray, shape (effects,)
        Constant effects to add, in units of the outcome, besides none.
    tried : int
        Effects are added under the first so many policies.
    """

    controls: Design
    adoptions: Floats
    effects: Floats
    tried: int

    def under(self, policy: int, effect: float = 0.0) -> Design:
        """The panel under a pseudo-policy with this effect."""
        return self.controls.reassigned(self.adoptions[policy]).with_effect(effect)


@dataclass(frozen=True, eq=False)
class PValues:
    """p-values and what they took.

    Attributes
    ----------
    none : ndarray, shape (policies,)
        Without effect.
    effects : ndarray, shape (tried policies, effects)
    fits : int
        Number of estimates behind them.
    """

    none: Floats
    effects: Floats
    fits: int


def pvalues(policies: PseudoPolicies, estimator: Estimator, inference: Inference) -> PValues:
    """p-value of every pseudo-policy, without an effect and with each of the effects.

    Randomisation takes the pseudo-policies themselves as the assignments that could have been:
    without effect one pass of fits then serves all of them.

    Raises
    ------
    JJJPolicyError
        The method does not work with this estimator, or with so few treated groups.
    """
    require_unnamed(estimator, policies.controls, "calibration")
    if type(inference) is RandomizationInference and inference.mechanism is None:
        return _randomization(policies, estimator, inference)
    controls, tried = policies.controls, policies.tried
    parts = [
        inference.repeated(estimator, controls, rows, effects, first)
        for rows, effects, first in (
            (policies.adoptions[:tried], (0.0, *policies.effects.tolist()), 0),
            (policies.adoptions[tried:], (0.0,), tried),
        )
        if len(rows)
    ]
    none = np.concatenate([part.pvalues[:, 0] for part in parts])
    moved = parts[0].pvalues[:tried, 1:].reshape(tried, len(policies.effects))
    return PValues(none, moved, sum(part.fits for part in parts))


def _randomization(
    policies: PseudoPolicies, estimator: Estimator, inference: RandomizationInference
) -> PValues:
    adoptions = policies.adoptions

    def statistics(design: Design) -> Floats:
        refits = estimator.refit_many(design, adoptions)
        return _statistic(refits, estimator, inference, resolution(design.outcome))

    noise = 0.0
    if inference.statistic == "coefficient":
        noise = resolution(policies.controls.outcome)
    values = statistics(policies.controls)
    none = np.array([_rank(values, p, noise) for p in range(len(adoptions))])
    moved = np.array(
        [
            [_rank(statistics(policies.under(p, effect)), p, noise) for effect in policies.effects]
            for p in range(policies.tried)
        ]
    ).reshape(policies.tried, len(policies.effects))
    return PValues(none, moved, len(adoptions) * (1 + moved.size))


def _statistic(
    refits: Refits, estimator: Estimator, inference: RandomizationInference, noise: float
) -> Floats:
    if inference.statistic == "coefficient":
        return refits.att
    if refits.se is None:
        raise InferenceError(f"{estimator.label} has no standard error to studentise with.")
    return studentised(refits.att, refits.se, noise)


def _rank(values: Floats, own: int, noise: float) -> float:
    return rank_pvalue(float(values[own]), np.delete(values, own), noise=noise)
