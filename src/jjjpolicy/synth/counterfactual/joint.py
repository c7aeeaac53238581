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
from jjjpolicy.synth.counterfactual.gaps import Gaps, estimate_from_counterfactual
from jjjpolicy.synth.counterfactual.requirements import require_panel

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

NEARLY_SINGULAR = 1e-3
"""Smallest singular value of a system in which errors may grow a thousandfold, and no more."""


@dataclass(frozen=True)
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
    exposed : ndarray of bool, shape (units,)
        Treated units, and those that may be affected.
    weights : ndarray, shape (treated units, untreated units)
        Of untreated units in the counterfactuals of the treated; affected units of free effect
        have none.
    facts : mapping
        What the method says about its system, for ``Estimate.details``.
    """

    units: pd.Index
    periods: list[int | str]
    values: Floats
    exposed: Booleans
    weights: Floats
    facts: Mapping[str, Any] = field(default_factory=dict)

    __repr__ = brief

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
        rows = self.units.get_indexer(pd.Index(units, dtype=object))
        wrong = [u for u, row in zip(units, rows, strict=True) if row < 0 or not self.exposed[row]]
        if wrong:
            known = ", ".join(map(quoted, self.units[self.exposed][:8]))
            raise DesignError(
                f"no effect on {', '.join(map(quoted, wrong[:5]))} was estimated: neither treated "
                f"nor affected, or not in the panel. There are effects on {known}."
            )
        return np.asarray(rows, dtype=np.int64)


class JointEstimator(Estimator):
    """Base of estimators of effects on treated and affected units together."""

    takes_covariates: ClassVar[bool] = False
    leaks: ClassVar[bool] = True

    @property
    @abstractmethod
    def named(self) -> tuple[Hashable, ...]:
        """Units that are affected whoever is treated."""

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

    @abstractmethod
    def check(self, design: Design) -> None:
        """What is asked of the design of a fit, and not of each placebo."""

    def fit(self, design: Design) -> Estimate:
        """Solve for the effects on treated and affected units.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, several adoption dates,
            affected units that are absent, treated or all that is not treated, a singular system.
        """
        self.require(design)
        self.check(design)
        found = self.joint(design)
        untreated = found.exposed & ~design.treated
        after = design.periods >= design.cohorts[0]
        paths = Gaps(
            found.values[untreated],
            design.periods,
            np.full(int(untreated.sum()), design.cohorts[0]),
            float(np.abs(design.outcome).max()),
        )
        return estimate_from_counterfactual(
            self,
            design,
            design.outcome[design.treated] - found.values[design.treated],
            weights=pd.DataFrame(
                found.weights.T,
                index=pd.Index(design.units[~design.treated], name="donor"),
                columns=pd.Index(design.units[design.treated], name="unit"),
            ),
            details={
                "joint": found,
                "spillovers": pd.DataFrame(
                    {
                        "unit": design.units[untreated],
                        "estimate": found.values[np.ix_(untreated, after)].mean(axis=1),
                        "pre_rmspe": paths.pre_rmspe,
                        "post_rmspe": paths.post_rmspe,
                    }
                ),
                **found.facts,
            },
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        self.require(design)
        return self._refits(design, self.joint(design))

    def require(self, design: Design) -> None:
        """Raise a `DesignError` unless the panel is balanced and treatment has one date."""
        require_panel(design, self.label, 2)
        if len(design.cohorts) > 1:
            dates = ", ".join(f"{date:.0f}" for date in design.cohorts)
            raise DesignError(
                f"{self.label} needs one adoption date, the design has {dates}: effects of the "
                f"first would be in the pre-treatment outcomes of the others. Estimate each date "
                f"on its own, with a window that ends before the next."
            )

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
