"""Effects on treated and on affected units that come out of one system."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.positions import positions_in
from jjjpolicy.synth.counterfactual.gaps import Gaps, estimate_from_counterfactual, scale_of
from jjjpolicy.synth.counterfactual.requirements import require_panel

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.estimation.structure import SpilloverStructure
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

NEARLY_SINGULAR = 1e-3
"""Smallest singular value of a system in which errors may grow a thousandfold, and no more."""


@dataclass(frozen=True, eq=False)
class JointEffects:
    """Effects on all units, by period.

    Attributes
    ----------
    units : Index, shape (units,)
    periods : list of int or str, shape (periods,)
        As the user knows them.
    values : ndarray, shape (units, periods)
        After adoption effects; before, what the same formula makes of the residuals of the fits.
        Zero for units that are neither treated nor exposed.
    first : ndarray, shape (units,)
        First period in which a unit is treated, or may be affected where it never is; ``inf`` for
        the others.
    weights : ndarray, shape (treated units, untreated units), or None
        Of untreated units in the counterfactuals of the treated; affected units of free effect
        have none. None where they change between adoption dates.
    facts : mapping
        What the method says about its system, for ``Estimate.details``.
    """

    units: pd.Index
    periods: list[int | str]
    values: Floats
    first: Floats
    weights: Floats | None
    facts: Mapping[str, Any] = field(default_factory=dict)

    __repr__ = brief

    @property
    def exposed(self) -> Booleans:
        """Treated units, and those that may be affected."""
        return np.isfinite(self.first)

    def frame(self) -> pd.DataFrame:
        """The effects on treated and exposed units: units × periods."""
        return pd.DataFrame(
            self.values[self.exposed], index=self.units[self.exposed], columns=self.periods
        )

    def require(self, units: list[Hashable]) -> Integers:
        """Rows of units whose effects were estimated.

        Raises
        ------
        DesignError
            A unit is absent, or neither treated nor exposed: its effect is zero by assumption.
        """
        rows = positions_in(self.units, pd.Index(units, dtype=object))
        wrong = [u for u, row in zip(units, rows, strict=True) if row < 0 or not self.exposed[row]]
        if wrong:
            known = ", ".join(map(quoted, self.units[self.exposed][:8]))
            raise DesignError(
                f"no effect on {', '.join(map(quoted, wrong[:5]))} was estimated: neither treated "
                f"nor affected, or not in the panel. There are effects on {known}."
            )
        return rows


class JointEstimator(Estimator):
    """Base of estimators of effects on treated and affected units together.

    All that is fitted rests on the periods before the first adoption date: in later ones the
    outcomes of some hold effects, of their own treatment or of that of others.
    """

    takes_covariates: ClassVar[bool] = False
    leaks: ClassVar[bool] = True

    @property
    @abstractmethod
    def spread(self) -> SpilloverStructure:
        """Whom treatment may affect, and how."""

    @property
    def named(self) -> tuple[Hashable, ...]:
        """The affected units, where they are named."""
        return self.spread.named

    def reached(self, design: Design) -> Booleans:
        """Untreated units that may be affected at some date."""
        return np.isfinite(self.first(design)) & ~design.treated

    def received(self, design: Design) -> list[Floats]:
        """What units receive from those treated by each adoption date.

        One array of shape (units, effects) per date. Units that are treated at some date have zeros
        throughout: whatever happens to them is an effect of their own.
        """
        parts = []
        for date in design.cohorts:
            by_then = np.where(design.adoption <= date, design.adoption, np.inf)
            matrix = self.spread.matrix(design.reassigned(by_then))
            parts.append(np.where(design.treated[:, None], 0.0, matrix))
        return parts

    def first(self, design: Design) -> Floats:
        """First period in which a unit is treated or, if it never is, may be affected."""
        first = design.adoption.copy()
        for date, matrix in zip(design.cohorts, self.received(design), strict=True):
            first[(matrix != 0).any(axis=1) & np.isinf(first)] = date
        return first

    @abstractmethod
    def solved(self, design: Design, known: dict[Any, Any]) -> JointEffects:
        """The effects on all units.

        Parameters
        ----------
        design : Design
        known : dict
            Synthetic controls that do not depend on who is treated, kept between assignments.

        Raises
        ------
        DesignError
            The system has no single solution; the units in it are named.
        """

    def joint(self, design: Design) -> JointEffects:
        """The effects on all units; see :meth:`solved`."""
        return self.solved(design, {})

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; synthetic controls that it leaves alone are fitted once."""
        known: dict[Any, Any] = {}
        parts = []
        for adoption in adoptions:
            assigned = design.reassigned(adoption)
            self.require(assigned)
            parts.append(self._refits(assigned, self.solved(assigned, known)))
        return Refits.stack(parts)

    def check(self, design: Design) -> None:
        """What is asked of the design of a fit, and not of each placebo.

        Raises
        ------
        DesignError
            The structure of spillovers does not match the design.
        """
        self.spread.check(design)

    def fit(self, design: Design) -> Estimate:
        """Solve for the effects on treated and affected units.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, affected units that are
            absent, treated or all that is not treated, a singular system.
        """
        self.require(design)
        self.check(design)
        found = self.joint(design)
        untreated = found.exposed & ~design.treated
        paths = Gaps(
            found.values[untreated], design.periods, found.first[untreated], scale_of(design)
        )
        spillovers = {
            "unit": design.units[untreated],
            "estimate": np.where(paths.post, paths.values, 0.0).sum(axis=1)
            / paths.post.sum(axis=1),
            "pre_rmspe": paths.pre_rmspe,
            "post_rmspe": paths.post_rmspe,
        }
        return estimate_from_counterfactual(
            self,
            design,
            design.outcome[design.treated] - found.values[design.treated],
            weights=None
            if found.weights is None
            else pd.DataFrame(
                found.weights.T,
                index=pd.Index(design.units[~design.treated], name="donor"),
                columns=pd.Index(design.units[design.treated], name="unit"),
            ),
            details={
                "joint": found,
                "spillovers": pd.DataFrame(spillovers),
                **found.facts,
            },
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        self.require(design)
        return self._refits(design, self.joint(design))

    def require(self, design: Design) -> None:
        """Raise a `DesignError` unless the panel is balanced and treatment stays on."""
        require_panel(design, self.label, 2)

    @staticmethod
    def _refits(design: Design, found: JointEffects) -> Refits:
        return Gaps.of(design, found.values[design.treated]).refits()


def require_regular(system: Floats, basis: Floats, design: Design, method: str) -> float:
    """Condition number of a system; a `DesignError` naming units where it is nearly singular.

    Parameters
    ----------
    system : ndarray, shape (equations, effects)
        With columns of about unit length.
    basis : ndarray, shape (units, effects)
        What each effect means for each unit.
    """
    _, values, directions = np.linalg.svd(system, full_matrices=False)
    if len(values) < system.shape[1] or values[-1] < NEARLY_SINGULAR:
        share = np.abs(basis @ directions[-1])
        involved = design.units[share > 0.5 * share.max()]
        raise DesignError(
            f"{method} cannot tell the effects on {', '.join(map(quoted, involved[:6]))}"
            f"{', …' if len(involved) > 6 else ''} apart: their synthetic controls consist of each "
            f"other (smallest singular value {values[-1]:.2g}). Name fewer of them as affected, or "
            f"keep unaffected {design.labels.unit}s like them in the panel."
        )
    return float(values[0] / values[-1])
