"""Weights found on one outcome and held for another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.synth.counterfactual.gaps import estimate_from_counterfactual
from jjjpolicy.synth.weights.fixed import FixedWeights

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate


@dataclass(frozen=True)
class HeldWeights(Estimator):
    """The effect on the outcome under weights that another estimator finds on another variable.

    One synthetic control for several outcomes: effects then differ because outcomes do, and not
    because weights do. Every inference method finds the weights of its placebos or samples on that
    variable too. Gaps are measured as the estimator measures them: from the pre-treatment periods
    to which it gives weight, or in levels.

    Parameters
    ----------
    estimator : Estimator
        With weights on donors, such as :class:`SyntheticControl`, :class:`DemeanedSyntheticControl`
        or :class:`SyntheticDiD`.
    variable : str
        A covariate of the design: ``Design.from_frame(…, covariates=["log_gdp"])``.
    """

    estimator: Estimator
    variable: str

    @property
    def label(self) -> str:
        """Name for messages and tables."""
        return f"{self.estimator.label} with weights from {self.variable}"

    def unused_covariates(self, design: Design) -> list[str]:
        """None: the estimator inside tells what it does not use."""
        return []

    def unused_predictors(self, design: Design) -> list[str]:
        """None, likewise."""
        return []

    def fit(self, design: Design) -> Estimate:
        """Find the weights on the variable and apply them to the outcome.

        Raises
        ------
        DesignError
            The variable is no covariate of the design; whatever the estimator raises.
        InferenceError
            The counterfactual of the estimator is not made of weights that sum to one.
        """
        if self.variable not in design.covariates:
            known = ", ".join(map(repr, design.covariates)) or "none"
            raise DesignError(
                f"weights are to come from {self.variable!r}, which is no covariate of the design "
                f"(there are: {known}); build it with covariates=[{self.variable!r}]."
            )
        others = {n: v for n, v in design.covariates.items() if n != self.variable}
        source = replace(design, outcome=design.covariates[self.variable], covariates=others)
        found = self.estimator.fit(source)
        held = replace(FixedWeights.of(found, "choose another estimator"), design=design)
        gaps = held.without(np.zeros(design.n_units, dtype=bool))
        return estimate_from_counterfactual(
            self,
            design,
            design.outcome[design.treated] - gaps.values,
            weights=found.weights,
            details={"source": found}
            | {name: found.details[name] for name in ("lambda",) if name in found.details},
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        refits: Refits = self.fit(design).details["gaps"].refits()
        return refits
