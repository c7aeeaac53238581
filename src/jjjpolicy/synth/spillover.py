"""Synthetic control with spillovers of a stated structure."""

from __future__ import annotations

from collections.abc import Hashable
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
    from jjjpolicy.linalg.types import Floats


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
    ``weights`` are those of the untreated units in the counterfactual of the treated ones; they sum
    to one and may be negative. ``details["effects"]`` has :math:`\hat\gamma_t` of the structure,
    ``details["condition"]`` the condition number of :math:`(I - B) A`.
    """

    structure: SpilloverStructure

    @property
    def named(self) -> tuple[Hashable, ...]:
        """Exposed units, where they are named."""
        return self.structure.named

    def check(self, design: Design) -> None:
        """The structure matches the design.

        Raises
        ------
        DesignError
            It does not.
        """
        self.structure.check(design)

    def solved(self, design: Design, known: dict[int, tuple[Floats, Floats]]) -> JointEffects:
        """The effects on all units."""
        start = int(np.searchsorted(design.periods, design.cohorts[0]))
        require_pre_periods(design, self.label, int(np.flatnonzero(design.treated)[0]), start, 2)
        if start not in known:
            known[start] = demeaned_fits(design.outcome[:, :start])
        intercepts, weights = known[start]
        received = self.structure.matrix(design)
        received = np.where(design.treated[:, None], 0.0, received)
        received = received[:, (received != 0).any(axis=0)]
        own = np.eye(design.n_units)[:, design.treated]
        exposure = np.column_stack([own, received])
        remainder = np.eye(design.n_units) - weights
        system = remainder @ exposure
        length = np.linalg.norm(exposure, axis=0)
        condition = require_regular(system / length, exposure / length, design, self.label)
        inverse = np.linalg.pinv(system / length) / length[:, None]
        effects = inverse @ (remainder @ design.outcome - intercepts[:, None])
        share = -(exposure @ inverse @ remainder)[np.ix_(design.treated, ~design.treated)]
        return JointEffects(
            design.units,
            design.period_names,
            exposure @ effects,
            (exposure != 0).any(axis=1),
            share,
            {
                "effects": pd.DataFrame(effects[own.shape[1] :], columns=design.period_names),
                "condition": condition,
            },
        )
