"""Effects on parts of a region and on the whole, from one set of weights."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.synth.counterfactual.gaps import Gaps, scale_of
from jjjpolicy.synth.counterfactual.joint import JointEffects, JointEstimator

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Booleans, Floats


@dataclass(frozen=True)
class EffectOn(Estimator):
    r"""A sum of effects on treated and affected units, :math:`\sum_i c_i \hat\alpha_{it}`.

    One of the linear combinations of effects of Cao and Dowd (2019).

    Parameters
    ----------
    system : JointEstimator
        :class:`InclusiveSyntheticControl` or :class:`SpilloverSyntheticControl`.
    units : sequence
        Labels of treated or affected units; all of them by default.
    coefficients : sequence of float
        One per unit; all one by default, so that the sum is the effect on the total.
    """

    system: JointEstimator
    units: Sequence[Hashable] = ()
    coefficients: Sequence[float] = ()

    leaks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", tuple(self.units))
        object.__setattr__(self, "coefficients", tuple(map(float, self.coefficients)))
        if self.coefficients and len(self.coefficients) != len(self.units):
            raise DesignError(
                f"{len(self.coefficients)} coefficients for {len(self.units)} units; give one each."
            )

    @property
    def named(self) -> tuple[Hashable, ...]:
        """The units of the sum, and those that the system names."""
        return (*self.units, *self.system.named)

    def reached(self, design: Design) -> Booleans:
        """Those of the system."""
        return self.system.reached(design)

    @property
    def label(self) -> str:
        """Name for messages and tables."""
        return f"{self.system.label}, effect on {', '.join(map(str, self.units)) or 'all'}"

    def unused_covariates(self, design: Design) -> list[str]:
        """Those of the system."""
        return self.system.unused_covariates(design)

    def unused_predictors(self, design: Design) -> list[str]:
        """Those of the system."""
        return self.system.unused_predictors(design)

    def fit(self, design: Design) -> Estimate:
        """Estimate the system and add its effects up.

        Raises
        ------
        DesignError
            A unit without an estimated effect; whatever the system raises.
        """
        return self.of(self.system.fit(design))

    def of(self, estimate: Estimate) -> Estimate:
        """The sum of effects of an estimate of the system."""
        design = estimate.design
        gaps = self._gaps(design, estimate.details["joint"])
        times, effects = gaps.by_event_time()
        calendar, averages = gaps.by_period()
        return Estimate(
            estimator=self,
            design=design,
            att=gaps.att,
            estimand="average over treated periods of a sum of effects",
            event_effects=pd.DataFrame({"event_time": times, "estimate": effects}),
            calendar_effects=pd.DataFrame({"period": calendar, "estimate": averages}),
            details={"gaps": gaps, "joint": estimate.details["joint"]},
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        self.system.require(design)
        return self._gaps(design, self.system.joint(design)).refits()

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment.

        Raises
        ------
        InferenceError
            Units are named, and an assignment treats others than the design does: effects on
            named units are no placebos of each other.
        """
        moved = np.isfinite(adoptions) != design.treated
        if self.named and moved.any():
            shown = ", ".join(map(quoted, self.named[:3]))
            raise InferenceError(
                f"effects on named {design.labels.unit}s ({shown}, …) "
                f"stay where they are when another one is treated as a placebo, so that their "
                f"ranks mean nothing; use EndOfSample."
            )
        return super().refit_many(design, adoptions, jobs)

    def _gaps(self, design: Design, found: JointEffects) -> Gaps:
        rows = found.require(list(self.units)) if self.units else np.flatnonzero(found.exposed)
        factors = np.array(self.coefficients or np.ones(len(rows)))
        path = factors @ found.values[rows]
        return Gaps(path[None], design.periods, design.cohorts[:1], scale_of(design))


def region_account(
    estimate: Estimate,
    parties: Mapping[str, Sequence[Hashable]],
    sizes: Mapping[Hashable, float] | None = None,
    whole: str = "region",
) -> dict[str, Estimate]:
    """Effects on the parts of a region and on the region, which add up.

    Origin, destinations and neighbours get their effects from one system, with one set of weights,
    and the region the sum of them, with inference of its own: errors of the parts may offset or
    reinforce each other.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`InclusiveSyntheticControl` or :class:`SpilloverSyntheticControl`.
    parties : mapping of str to sequence
        Treated and affected units of each part, e.g. ``{"origin": ["Beijing"], "destinations":
        ["Tianjin", "Hebei"]}``.
    sizes : mapping, optional
        Size of each unit before treatment. Without them effects are added up, as is right for
        outcomes in levels; with them they are averaged by size, which makes effects on logarithms
        one on the logarithm of the total, to first order.
    whole : str
        What the sum of all parties is called.

    Returns
    -------
    dict of str to Estimate
        One for each party and for the whole. Attach :class:`jjjpolicy.inference.EndOfSample`, and
        compare them with :func:`jjjpolicy.compare`.

    Raises
    ------
    DesignError
        Another estimator, no party, a unit in two parties, one without an effect or a size.
    """
    system = estimate.estimator
    if not isinstance(system, JointEstimator):
        raise DesignError(
            f"{system.label} estimates no effects on affected units; use InclusiveSyntheticControl "
            f"or SpilloverSyntheticControl."
        )
    if not parties or whole in parties or any(isinstance(p, str) for p in parties.values()):
        raise DesignError(
            f"parties={dict(parties)!r} must name the parts, none of them {whole!r}, each with a "
            f"list of units."
        )
    everyone = [unit for units in parties.values() for unit in units]
    twice = [unit for unit in everyone if everyone.count(unit) > 1]
    if twice:
        raise DesignError(f"{quoted(twice[0])} is in two parties; a sum would count it twice.")
    estimate.details["joint"].require(everyone)
    return {
        name: EffectOn(system, units, _coefficients(units, sizes)).of(estimate)
        for name, units in {**parties, whole: everyone}.items()
    }


def _coefficients(
    units: Sequence[Hashable], sizes: Mapping[Hashable, float] | None
) -> Sequence[float]:
    if sizes is None:
        return ()
    wrong = [unit for unit in units if not sizes.get(unit, np.nan) > 0]
    if wrong:
        raise DesignError(f"sizes= has no positive size of {', '.join(map(quoted, wrong[:5]))}.")
    total = sum(sizes[unit] for unit in units)
    return [sizes[unit] / total for unit in units]
