"""Placebo over units: the estimate against the estimates of units that were not treated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimate import Estimate, Inference, InferenceResult
from jjjpolicy.inference.assignments import ENUMERATION_LIMIT, AssignmentSpace, group_adoption

if TYPE_CHECKING:
    from jjjpolicy.design import Floats
    from jjjpolicy.estimator import Refits

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True)
class PlaceboUnits(Inference):
    r"""Re-estimate as if other units had been treated instead.

    The treated units are set aside, and their adoption periods are given to as many never-treated
    units (groups of the level of assignment, where that is coarser). With :math:`\hat\tau` the
    estimate and :math:`\hat\tau_b` the placebo estimates, :math:`b = 1, \dots, B`:

    - the standard error is the standard deviation of :math:`\hat\tau_b` (Arkhangelsky et al. 2021,
      algorithm 4);
    - the p-value is the rank of :math:`|\hat\tau|` among all including itself,
      :math:`(1 + \#\{|\hat\tau_b| \ge |\hat\tau|\}) / (1 + B)` (Abadie, Diamond and Hainmueller
      2010, section 2.4), so that it cannot be smaller than :math:`1 / (1 + B)`;
    - the interval inverts that test for a constant effect: all :math:`\tau` for which
      :math:`\hat\tau - \tau` would not be rejected. It is the whole line where its level asks for a
      p-value smaller than the smallest attainable one.

    Synthetic controls also get the rank of the ratio of post- to pre-treatment RMSPE.

    Parameters
    ----------
    replications : int, optional
        Number of sampled placebo assignments. All assignments are used instead whenever there are
        no more than this (no more than 10,000 by default; 1,000 are sampled where there are more).
    seed : int
        Of the sampled assignments.
    alternative : {"two-sided", "greater", "less"}
        Direction of the test; the interval stays two-sided.
    jobs : int
        Worker processes; the numbers do not depend on it.
    """

    replications: int | None = None
    seed: int = 0
    alternative: Alternative = "two-sided"
    jobs: int = 1

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard error, p-value and interval.

        Raises
        ------
        InferenceError
            Fewer never-treated groups than treated ones plus one donor; ``replications`` below 1.
        """
        if self.replications is not None and self.replications < 1:
            raise InferenceError(f"replications={self.replications} must be at least 1.")
        if self.alternative not in ("two-sided", "greater", "less"):
            raise InferenceError(
                f"alternative={self.alternative!r} must be 'two-sided', 'greater' or 'less'."
            )
        design = estimate.design
        dates, _ = group_adoption(design.adoption, design.assignment)
        controls = design.keep_units(~design.treated, "set aside by the placebo test")
        _, positions = group_adoption(controls.adoption, controls.assignment)
        space = AssignmentSpace(dates[np.isfinite(dates)], int(positions.max(initial=-1)) + 1)
        if space.groups <= len(space.dates):
            raise InferenceError(
                f"placebo over units needs more never-treated groups at the level "
                f"{design.assigned_at!r} than treated ones; there are {space.groups} and "
                f"{len(space.dates)}."
            )
        exact = space.count <= (self.replications or ENUMERATION_LIMIT)
        table = space.enumerate() if exact else space.sample(self.replications or 1_000, self.seed)
        refits = estimate.estimator.refit_many(controls, table[:, positions], jobs=self.jobs)
        return estimate.with_result(self._result(estimate, refits, exact, table[:, positions]))

    def _result(
        self, estimate: Estimate, refits: Refits, exact: bool, assignments: Floats
    ) -> InferenceResult:
        placebos = refits.att
        total = 1 + len(placebos)
        smallest = 1 / total
        pvalue = rank_pvalue(estimate.att, placebos, self.alternative)
        magnitudes = np.sort(np.abs(placebos))[::-1]

        def bounds(level: float) -> tuple[float, float]:
            # τ is kept while (1 + #{|placebo| >= |att - τ|}) / total > 1 - level
            needed = int(np.floor((1 - level) * total + 1e-9))
            if needed < 1:
                return -np.inf, np.inf
            reach = float(magnitudes[needed - 1])
            return estimate.att - reach, estimate.att + reach

        how = "all" if exact else "a sample of"
        notes = [
            f"{how} {len(placebos)} placebo assignments at the level "
            f"{estimate.design.assigned_at!r}; smallest attainable p-value 1/{total}."
        ]
        if not exact:
            notes.append(f"seed {self.seed}.")
        details: dict[str, object] = {
            "placebo_units": assignments,
            "placebo_effects": refits.effects,
        }
        if refits.rmspe_ratio is not None and refits.pre_rmspe is not None:
            own = estimate.details["gaps"].pooled_rmspe
            ratio = own[1] / own[0] if own[0] > 0 else np.inf
            details |= {
                "rmspe_ratio": ratio,
                "placebo_rmspe_ratios": refits.rmspe_ratio,
                "placebo_pre_rmspe": refits.pre_rmspe,
                "rmspe_pvalue": (1 + int((refits.rmspe_ratio >= ratio).sum())) / total,
            }
        return InferenceResult(
            name="placebo over units" + self._direction(),
            se=float(placebos.std()),
            pvalue=pvalue,
            bounds=bounds,
            effects=_effect_bounds(estimate, refits),
            reference=placebos,
            smallest_pvalue=smallest,
            assignments=len(placebos),
            exact=exact,
            notes=tuple(notes),
            details=details,
            specification=self.specification(),
        )

    def _direction(self) -> str:
        return "" if self.alternative == "two-sided" else f" (one-sided, {self.alternative})"


def rank_pvalue(statistic: float, reference: Floats, alternative: Alternative) -> float:
    """Rank of a statistic among a reference distribution and itself, as a p-value."""
    # Ties up to rounding count against the treated assignment.
    slack = 1e-12 * max(abs(statistic), float(np.abs(reference).max(initial=0.0)))
    if alternative == "two-sided":
        beyond = np.abs(reference) >= abs(statistic) - slack
    elif alternative == "greater":
        beyond = reference >= statistic - slack
    else:
        beyond = reference <= statistic + slack
    return float((1 + beyond.sum()) / (1 + len(reference)))


def _effect_bounds(estimate: Estimate, refits: Refits) -> pd.DataFrame | None:
    """Standard errors and 95% intervals by event time, as for the overall effect."""
    if refits.effects is None:
        return None
    table = estimate.effects
    total = 1 + len(refits.effects)
    needed = int(np.floor(0.05 * total + 1e-9))
    if needed < 1:
        reach = np.full(refits.effects.shape[1], np.inf)
    else:
        reach = np.sort(np.abs(refits.effects), axis=0)[::-1][needed - 1]
    points = table["estimate"].to_numpy(dtype=float)
    beyond = np.abs(refits.effects) >= np.abs(points)
    return pd.DataFrame(
        {
            "event_time": table["event_time"],
            "se": refits.effects.std(axis=0),
            "lower": points - reach,
            "upper": points + reach,
            "pvalue": (1 + beyond.sum(axis=0)) / total,
        }
    )
