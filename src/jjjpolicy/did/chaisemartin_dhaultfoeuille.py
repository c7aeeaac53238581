"""Estimators of de Chaisemartin and D'Haultfœuille, for treatment that may switch off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.switching_differences import SwitchingEffect, TreatmentPaths, average
from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import clustered_covariance, few_treated_note

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers

Overall = Literal["DID_M", "average total effect"]

ESTIMANDS = {
    "DID_M": "DID_M: average effect on switchers in the period of the switch",
    "average total effect": "average total effect per unit of treatment",
}
NO_CONTROL = "no unit with the same earlier treatment keeps it until then and is observed"


@dataclass(frozen=True)
class ChaisemartinDHaultfoeuille(Estimator):
    r"""Compare units whose treatment switches with units of the same treatment that keep it.

    Treatment may switch on and off (``Design.from_frame(..., absorbing=False)``).

    - DID_M (de Chaisemartin and D'Haultfœuille 2020, section 4): over all pairs of adjacent
      periods, changes of the outcome of units that join treatment minus those of units that stay
      untreated, and of units that stay treated minus those of units that leave; averaged over
      switchers.
    - DID_l (2024, section 4): with F the first switch of a unit and d its treatment before,

      .. math:: \mathrm{DID}_{i,l} = y_{i,F-1+l} - y_{i,F-1}
                - \overline{(y_{F-1+l} - y_{F-1})}_{\text{treatment } d \text{ until } F-1+l}

      averaged over units, with the sign reversed where treatment goes down. It is the effect of
      having followed the actual path of treatment for l periods rather than having kept d.
      ``effects`` has DID_l at the calendar distance of F - 1 + l from F, and placebos, which go
      back l periods from F - 1 for the same units, at that of F - 1 - l: at event times l - 1
      and -1 - l where periods are years. Where distances differ between cohorts, an event time
      averages over those that have it.

    Parameters
    ----------
    overall : {"DID_M", "average total effect"}
        What ``att`` is; the latter divides the sum of the effects DID_l of all units by the sum of
        their changes of treatment. Both are in ``details["overall"]``.
    effects, placebos : int, optional
        Numbers of DID_l and of placebos; all that can be estimated by default.

    Notes
    -----
    Standard errors are those of the 2024 paper and its programs, from deviations of changes from
    the mean of their cohort, clustered at the level of assignment, normal distribution; those of
    DID_M follow the same rule. Cohorts are counted in clusters, also where ``Clustered`` names
    another level: one that is a single cluster is centred together with its controls. They take the
    numbers of switchers as given. A cell needs the unit observed at both ends of the change; a unit
    whose last period before the switch is absent does not count as a switcher.
    ``details["normalized"]`` divides DID_l by the change of treatment accumulated until then;
    ``details["not_estimable"]`` lists switchers without controls.
    """

    overall: Overall = "DID_M"
    effects: int | None = None
    placebos: int | None = None

    def fit(self, design: Design) -> Estimate:
        """Compare switchers with controls, and attach the standard errors.

        Raises
        ------
        DesignError
            Covariates; an unknown ``overall``; no switcher with a control; more effects or placebos
            than can be estimated.
        """
        paths = self._paths(design)
        dynamic, lost = self._dynamic(paths)
        placebos = self._placebos(paths, len(dynamic))
        instantaneous, total = self._instantaneous(paths), _total(dynamic)
        around = {**dict(reversed(placebos.items())), **dynamic}
        chosen = {"DID_M": instantaneous, "average total effect": total}
        overall = chosen[self.overall]
        influence = _columns(overall[1], around)
        times = np.array(list(around), dtype=np.int64)
        effects = pd.DataFrame(
            {
                "event_time": times,
                "estimate": [effect.estimate for effect in around.values()],
            }
        )
        reference = pd.DataFrame({"event_time": [paths.reference], "estimate": [0.0]})
        not_estimable = pd.DataFrame(
            [
                (int(design.periods[start]), int(design.periods[end]), units, NO_CONTROL)
                for start, end, units in lost
            ],
            columns=["group", "time", "units", "reason"],
        )
        design = listed_as_not_estimable(design, not_estimable, self.label)
        estimate = Estimate(
            estimator=self,
            design=design,
            att=overall[0],
            estimand=ESTIMANDS[self.overall],
            event_effects=pd.concat([effects, reference]).sort_values(
                "event_time", ignore_index=True
            ),
            influence=influence,
            details={
                "event_times": times,
                "reference": paths.reference,
                "overall": pd.DataFrame(
                    {
                        "estimand": list(chosen),
                        "estimate": [value for value, _ in chosen.values()],
                        "se": [_error(design, column) for _, column in chosen.values()],
                    }
                ),
                "normalized": pd.DataFrame(
                    {
                        "event_time": list(dynamic),
                        "switchers": [effect.switchers for effect in dynamic.values()],
                        "dose": [effect.cumulative_dose for effect in dynamic.values()],
                        "estimate": [e.estimate / e.cumulative_dose for e in dynamic.values()],
                    }
                ),
                "not_estimable": not_estimable,
            },
        )
        return estimate.with_result(
            analytic_result(
                f"de Chaisemartin-D'Haultfœuille, clustered by {design.assigned_at}",
                estimate.att,
                effects,
                clustered_covariance(influence, design.assignment),
                noise=resolution(design.outcome),
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=(
                    *_together_note(design, design.assignment, design.assigned_at),
                    *few_treated_note(design, design.assignment),
                ),
            )
        )

    def influence_by(
        self, estimate: Estimate, codes: Integers, level: str
    ) -> tuple[Floats | None, tuple[str, ...]]:
        """Cohorts are counted and centred in the clusters of this level."""
        design = replace(estimate.design, assignment=codes, assigned_at=level)
        paths = self._paths(design)
        dynamic, _ = self._dynamic(paths)
        if self.overall == "DID_M":
            _, overall = self._instantaneous(paths)
        else:
            _, overall = _total(dynamic)
        placebos = self._placebos(paths, len(dynamic))
        influence = _columns(overall, {**dict(reversed(placebos.items())), **dynamic})
        return influence, _together_note(design, codes, level)

    def refit(self, design: Design) -> Refits:
        """Overall effect and its standard error, without labels."""
        paths = self._paths(design)
        if self.overall == "DID_M":
            att, influence = self._instantaneous(paths)
        else:
            att, influence = _total(self._dynamic(paths)[0])
        return Refits(att=np.array([att]), se=np.array([_error(design, influence)]))

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_many`.

        Raises
        ------
        InferenceError
            Treatment switches off: first treated periods do not say what it then does.
        """
        if not design.absorbing:
            raise InferenceError(
                "treatment switches off in this design, so that moving first treated periods "
                "between units does not define a treatment; use ClusterBootstrap, Clustered or "
                "MultiplierBootstrap."
            )
        return super().refit_many(design, adoptions, jobs)

    def _paths(self, design: Design) -> TreatmentPaths:
        for name, least in (("effects", 1), ("placebos", 0)):
            number = getattr(self, name)
            if number is not None and number < least:
                raise DesignError(f"{name}={number} must be at least {least}.")
        if design.covariates:
            raise DesignError(
                f"{self.label} takes no covariates; build the design without covariates=, or use "
                f"did.Imputation, did.LocalProjections or did.CallawaySantAnna."
            )
        return TreatmentPaths(design)

    def _instantaneous(self, paths: TreatmentPaths) -> tuple[float, Floats]:
        comparisons, _ = paths.adjacent()
        if not comparisons:
            raise self._nothing(paths.design)
        effect = average(paths.design, comparisons)
        return effect.estimate, effect.influence

    def _dynamic(
        self, paths: TreatmentPaths
    ) -> tuple[dict[int, SwitchingEffect], list[tuple[int, int, int]]]:
        effects: dict[int, SwitchingEffect] = {}
        lost = []
        for time in paths.times(placebo=False):
            if len(effects) == self.effects:
                break
            comparisons, without = paths.dynamic(time, placebo=False)
            lost += without
            if comparisons:
                effects[time] = average(paths.design, comparisons)
            elif paths.alike:
                break
        if not effects:
            raise self._nothing(paths.design)
        if self.effects is not None and len(effects) < self.effects:
            raise DesignError(
                f"effects={self.effects}: only the first {len(effects)} can be estimated; ask for "
                f"no more."
            )
        return effects, lost

    def _placebos(self, paths: TreatmentPaths, effects: int) -> dict[int, SwitchingEffect]:
        placebos: dict[int, SwitchingEffect] = {}
        wanted = effects if self.placebos is None else self.placebos
        for time in paths.times(placebo=True):
            if len(placebos) == wanted:
                break
            comparisons, _ = paths.dynamic(time, placebo=True)
            if comparisons:
                placebos[time] = average(paths.design, comparisons)
            elif paths.alike:
                break
        if self.placebos is not None and len(placebos) < self.placebos:
            raise DesignError(
                f"placebos={self.placebos}: only {len(placebos)} can be estimated, since they look "
                f"as many periods back as effects look ahead; ask for no more."
            )
        return placebos

    def _nothing(self, design: Design) -> DesignError:
        return DesignError(
            f"{self.label} finds no {design.labels.unit} whose treatment switches while another one"
            f" with the same earlier treatment keeps it. Keep more units, or more periods."
        )


def _columns(overall: Floats, around: dict[int, SwitchingEffect]) -> Floats:
    """Influence functions of the overall effect, then of the effects."""
    return np.column_stack([overall, *(effect.influence for effect in around.values())])


def _together_note(design: Design, codes: Integers, level: str) -> tuple[str, ...]:
    alone = [
        str(design.labels.clock.name(cohort))
        for cohort in design.cohorts
        if design.count_clusters(codes, design.adoption == cohort) == 1
    ]
    if not alone:
        return ()
    return (
        f"Cohort {', '.join(alone[:5])}{', …' if len(alone) > 5 else ''}: a single {level}, whose "
        f"changes stand against the mean of switchers and controls together.",
    )


def _total(dynamic: dict[int, SwitchingEffect]) -> tuple[float, Floats]:
    """Sum of all effects over the sum of all changes of treatment, and its influence."""
    effects = list(dynamic.values())
    dose = sum(effect.switchers * effect.dose for effect in effects)
    if dose == 0:
        raise DesignError("treatment is back at its earlier value in all periods after switches.")
    shares = [effect.switchers / dose for effect in effects]
    estimate = sum(s * effect.estimate for s, effect in zip(shares, effects, strict=True))
    columns = np.stack([effect.influence for effect in effects])
    influence: Floats = np.array(shares) @ columns
    return float(estimate), influence


def _error(design: Design, influence: Floats) -> float:
    return float(np.sqrt(clustered_covariance(influence[:, None], design.assignment)[0, 0]))
