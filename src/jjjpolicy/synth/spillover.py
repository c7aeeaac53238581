"""Synthetic control with spillovers of a stated structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.estimation.structure import SpilloverStructure
from jjjpolicy.synth.counterfactual.joint import JointEffects, JointEstimator, require_regular
from jjjpolicy.synth.counterfactual.requirements import require_pre_periods
from jjjpolicy.synth.weights.everyone import demeaned_fits

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True)
class SpilloverSyntheticControl(JointEstimator):
    r"""Effects on all units from synthetic controls of all units and a structure of spillovers.

    Every unit, treated or not, is fitted by a demeaned synthetic control of all others before
    treatment, :math:`y_t(0) = a + B y_t(0) + u_t` with rows of B on the simplex. Effects are
    :math:`\alpha_t = A \gamma_t`: each treated unit has a column of A to itself, and ``structure``
    gives those by which the others are exposed. In each period after treatment :math:`\gamma_t`
    minimises the sum of squares of the residuals of *all* units,

    .. math:: \hat\alpha_t = A (A'MA)^{-1} A' (I - B)' \bigl((I - B) y_t - a\bigr), \qquad
              M = (I - B)'(I - B)

    (Cao and Dowd 2019, section 3). ``att`` averages :math:`\hat\alpha` over treated cells,
    ``details["spillovers"]`` has the exposed units, ``details["joint"]`` all paths. Unbiased as the
    periods before treatment grow in number, not consistent: the residual of the treated periods
    stays, and :class:`jjjpolicy.inference.EndOfSample` measures it by those before treatment.

    Parameters
    ----------
    structure : SpilloverStructure
        :class:`FreeEffects` of named units, one :class:`CommonEffect`, :class:`DistanceDecay`,
        :class:`Rings` or :class:`Links`. Effects on units that it leaves out are zero by
        assumption: a wider structure costs precision, one that is too narrow is biased.

    Notes
    -----
    With several adoption dates the synthetic controls rest on the periods before the first, and
    :math:`A_t` changes from date to date: the structure follows those treated by then. Units that
    are treated later have a column to themselves from the first date on, so that nothing is assumed
    of what they receive before their own; effects count from each unit's own date.

    ``weights`` are those of the untreated units in the counterfactual of the treated ones; they sum
    to one and may be negative; there are none where they change between dates.
    ``details["effects"]`` has :math:`\hat\gamma_t` of the structure, ``details["condition"]`` the
    (largest) condition number of :math:`(I - B) A_t`.
    """

    structure: SpilloverStructure

    @property
    def spread(self) -> SpilloverStructure:
        """The structure."""
        return self.structure

    def solved(self, design: Design, known: dict[int, tuple[Floats, Floats]]) -> JointEffects:
        """The effects on all units."""
        start = int(np.searchsorted(design.periods, design.cohorts[0]))
        earliest = int(design.adoption.argmin())
        require_pre_periods(design, self.label, earliest, start, 2)
        if start not in known:
            known[start] = demeaned_fits(design.outcome[:, :start])
        intercepts, weights = known[start]
        remainder = np.eye(design.n_units) - weights
        residuals = remainder @ design.outcome - intercepts[:, None]
        received = self.received(design)
        used = np.any([(matrix != 0).any(axis=0) for matrix in received], axis=0)
        since = np.searchsorted(design.cohorts, design.periods, side="right") - 1
        since = np.maximum(since, 0)
        values = np.zeros(design.outcome.shape)
        effects = np.full((len(used), design.n_periods), np.nan)
        systems: list[_System] = []
        for k, matrix in enumerate(received):
            if k == 0 or (matrix != received[k - 1]).any():
                systems.append(_System.of(self, design, remainder, matrix))
            columns = since == k
            found = systems[-1].inverse @ residuals[:, columns]
            values[:, columns] = systems[-1].exposure @ found
            effects[np.ix_(systems[-1].kept, columns)] = found[design.treated.sum() :]
        weighed = systems[0].exposure @ systems[0].inverse @ remainder
        return JointEffects(
            design.units,
            design.period_names,
            values,
            self.first(design),
            -weighed[np.ix_(design.treated, ~design.treated)] if len(systems) == 1 else None,
            {
                "effects": pd.DataFrame(effects[used], columns=design.period_names),
                "condition": max(system.condition for system in systems),
            },
        )


@dataclass(frozen=True, eq=False)
class _System:
    """What solves for the effects under the exposures of one date.

    exposure : (units, effects), own effects first
    kept : positions of the effects of the structure that some unit receives
    inverse : (effects, units), of residuals
    """

    exposure: Floats
    kept: Integers
    inverse: Floats
    condition: float

    @classmethod
    def of(
        cls,
        estimator: SpilloverSyntheticControl,
        design: Design,
        remainder: Floats,
        received: Floats,
    ) -> _System:
        kept = np.flatnonzero((received != 0).any(axis=0))
        own = np.eye(design.n_units)[:, design.treated]
        exposure = np.column_stack([own, received[:, kept]])
        system = remainder @ exposure
        length = np.linalg.norm(exposure, axis=0)
        condition = require_regular(system / length, exposure / length, design, estimator.label)
        inverse = np.linalg.pinv(system / length) / length[:, None]
        return cls(exposure, kept, inverse, condition)
