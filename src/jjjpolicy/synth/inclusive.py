"""Inclusive synthetic control."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.structure import FreeEffects, SpilloverStructure
from jjjpolicy.linalg.positions import positions_in
from jjjpolicy.synth.counterfactual.joint import JointEffects, JointEstimator, require_regular
from jjjpolicy.synth.demeaned import DemeanedSyntheticControl
from jjjpolicy.synth.weights.donor_regression import DonorRegression

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats

_Fits = dict[tuple[int, float], tuple["Floats", "Floats"]]


@dataclass(frozen=True)
class InclusiveSyntheticControl(JointEstimator):
    r"""Synthetic control that keeps affected units among the donors and solves for all effects.

    Let S hold the treated units and those that treatment may affect, and let every unit of S have a
    synthetic control of all other units, of S and not, with weights :math:`w_{ij}` from the periods
    before treatment. If these controls would reproduce the outcomes without treatment, the gap of
    unit i is its own effect less what its donors received:

    .. math:: g_{it} = y_{it} - \hat y_{it} = \theta_{it} - \sum_{k \in S} w_{ik}\, \theta_{kt},
              \qquad i \in S,

    so that the effects on treated and affected units solve one linear system, :math:`\Omega
    \theta_t = g_t` with :math:`\Omega = I - W_S` (Di Stefano and Mellace 2024, section 3). The
    estimand is :math:`\theta_{it} = y_{it} - y_{it}(0)`: the effect on a treated unit against a
    world in which nobody is treated, and the spillover on an affected one. ``att`` averages over
    treated cells, ``details["spillovers"]`` has the affected units.

    As rows of weights sum to one, the counterfactual of a treated unit is a weighted average of the
    *unaffected* units alone, with weights :math:`\Omega^{-1} W_{-S}`, which sum to one as well:
    affected donors stand for the unaffected ones that they are made of. These are ``weights``.

    Parameters
    ----------
    affected : sequence, or SpilloverStructure
        Labels of the units that treatment may affect; or a rule, such as ``Rings([300])``, whose
        exposed units they are, which inference then applies to placebos as well.
    first_stage : Estimator
        Finds the weights: plain, demeaned (the default, as in the authors' program), augmented,
        with predictors, or any other whose counterfactual is linear in the donors.

    Notes
    -----
    With several adoption dates S holds all units that are treated or affected at some date, and all
    weights come from the periods before the first: in each later period the same system has the
    effects on all of S. Effects count from each unit's own date, of treatment or of exposure;
    between the first date and its own the path of a later adopter is what it received from the
    earlier ones.

    The units outside of S must be unaffected, and each unit of S must have a synthetic control that
    fits. Effects are exact where the fits are; otherwise errors of the gaps are multiplied by
    :math:`\Omega^{-1}`, whose ``condition`` is in ``details`` with the ``cross_weights``
    :math:`W_S`. Before treatment the paths are :math:`\Omega^{-1} g_t`.
    """

    affected: SpilloverStructure | Sequence[Hashable]
    first_stage: Estimator = field(default_factory=DemeanedSyntheticControl)

    @property
    def spread(self) -> SpilloverStructure:
        """Whom treatment may affect."""
        if isinstance(self.affected, SpilloverStructure):
            return self.affected
        return FreeEffects(self.affected)

    def unused_covariates(self, design: Design) -> list[str]:
        """Covariates that the first stage does not use."""
        return self.first_stage.unused_covariates(design)

    def unused_predictors(self, design: Design) -> list[str]:
        """Predictors that the first stage does not match on."""
        return self.first_stage.unused_predictors(design)

    def solved(self, design: Design, known: _Fits) -> JointEffects:
        """The effects on all units.

        Raises
        ------
        DesignError
            Every unit is treated or affected, or the system has no single solution.
        """
        date = float(design.cohorts[0])
        first = self.first(design)
        involved = np.isfinite(first)
        if involved.all():
            raise DesignError(
                f"all {design.labels.unit}s are treated or affected, so that nothing shows what "
                f"would have happened without treatment; let fewer be affected."
            )
        rows = np.flatnonzero(involved)
        for i in rows:
            if (int(i), date) not in known:
                known[int(i), date] = self._fit_unit(design, int(i), date)
        weights = np.stack([known[int(i), date][0] for i in rows])
        gaps = np.stack([known[int(i), date][1] for i in rows])
        omega = np.eye(len(rows)) - weights[:, rows]
        condition = require_regular(omega, np.eye(design.n_units)[:, rows], design, self.label)
        values = np.zeros((design.n_units, design.n_periods))
        values[rows] = np.linalg.solve(omega, gaps)
        implied = np.zeros((len(rows), design.n_units))
        implied[:, ~involved] = np.linalg.solve(omega, weights[:, ~involved])
        labels = design.units[rows]
        return JointEffects(
            design.units,
            design.period_names,
            values,
            first,
            implied[design.treated[rows]][:, ~design.treated],
            {
                "cross_weights": pd.DataFrame(weights[:, rows], index=labels, columns=labels),
                "condition": condition,
            },
        )

    def _fit_unit(self, design: Design, i: int, date: float) -> tuple[Floats, Floats]:
        """Weights on all units and gaps of one unit, with all others as its donors."""
        adoption = np.full(design.n_units, np.inf)
        adoption[i] = date
        alone, weights = design.reassigned(adoption), np.zeros(design.n_units)
        if isinstance(self.first_stage, DonorRegression):  # without labels
            fit = self.first_stage.weigh_cohort([self.first_stage.task(alone, ~alone.treated, i)])[
                0
            ]
            weights[~alone.treated] = fit.weights
            return weights, design.outcome[i] - fit.intercept - weights @ design.outcome
        found = self.first_stage.fit(alone)
        if found.weights is None or found.counterfactual is None:
            raise DesignError(
                f"{self.first_stage.label} has no donor weights, which the system of cross-weights "
                f"is made of; take DemeanedSyntheticControl or SyntheticControl as first_stage=."
            )
        weights[positions_in(design.units, found.weights.index)] = found.weights.to_numpy()[:, 0]
        gaps = design.outcome[i] - found.counterfactual.to_numpy()[0]
        rest = gaps - (design.outcome[i] - weights @ design.outcome)
        if np.ptp(rest) > 1e-7 * np.abs(design.outcome).max():
            raise DesignError(
                f"the counterfactual of {quoted(design.units[i])} under {self.first_stage.label} "
                f"is not linear in its donors; take another first_stage=."
            )
        return weights, gaps
