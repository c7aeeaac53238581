"""Placebo over units: the estimate against the estimates of units that were not treated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.repeated import RepeatedTests, refits_with_effect
from jjjpolicy.estimation.results import InvertedTest
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.permutation.assignments import (
    ENUMERATION_LIMIT,
    AssignmentSpace,
    group_adoption,
)
from jjjpolicy.inference.permutation.inversion import holding_zero
from jjjpolicy.inference.permutation.ranks import (
    Alternative,
    at_least,
    rank_pvalue,
    rank_pvalues,
    reach_of,
    significant,
)
from jjjpolicy.inference.permutation.reached import (
    aside_note,
    may_play,
    named_note,
    never_reached,
    over_all,
)
from jjjpolicy.inference.permutation.unit_placebos import UnitPlacebos

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

SAMPLED = 1_000
"""Placebo assignments drawn where there are too many to try them all."""
TOGETHER = 2_000_000
"""Cells of placebo assignments that are refitted together."""


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

    By event time there are intervals and, where no counterfactual path is fitted, a band in
    ``uniform_lower`` and ``uniform_upper``, :math:`\hat\tau_t \pm c\,\mathrm{se}_t` with
    :math:`c` from the ranks of :math:`\max_t |\hat\tau_{bt}| / \mathrm{se}_t`, so that it holds
    all of them at once (sup-t; Montiel Olea and Plagborg-Møller 2019, Journal of Applied
    Econometrics 34).

    Where the estimator lets treatment affect others, these play no treated unit: those that a rule
    finds, such as rings, are set aside with the treated, and those that are named stay, with the
    effects on them solved for. The reference is then of units to which nothing happened.

    Synthetic controls also get the rank of the ratio of post- to pre-treatment RMSPE, and each
    adoption cohort a standard error, interval and p-value (``Estimate.by_cohort``).

    Parameters
    ----------
    replications : int, optional
        Number of sampled placebo assignments. All assignments are used instead whenever there are
        no more than this (no more than 10,000 by default; 1,000 are sampled where there are more).
    seed : int
        Of the sampled assignments.
    alternative : {"two-sided", "greater", "less"}
        Direction of the test; the interval stays two-sided.
    pre_fit_cutoff : float, optional
        Leave out placebos whose pre-treatment RMSPE is more than so many times that of the treated
        (Abadie, Diamond and Hainmueller 2010, section 3.4: a mean *squared* error of 20, 5 or 2
        times is a cut-off of 4.47, 2.24 or 1.41). All by default.
    separate : bool
        With several treated groups, give every control group each adoption period on its own, and
        compare the estimate with the averages of one placebo per treated group, all of them or a
        sample (Cavallo, Galiani, Noy and Pantano 2013, section 3.2). Each treated group then gets
        a rank of its own in ``details["units"]``. For estimators that treat one unit at a time.
    jobs : int
        Worker processes; the numbers do not depend on it.
    """

    replications: int | None = None
    seed: int = 0
    alternative: Alternative = "two-sided"
    pre_fit_cutoff: float | None = None
    separate: bool = False
    jobs: int = 1

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard error, p-value and interval.

        Raises
        ------
        InferenceError
            Fewer never-treated groups than treated ones plus one donor; ``replications`` below 1;
            treatment may affect every unit.
        """
        design = estimate.design
        controls, positions, free, space = self._set_aside(estimate.estimator, design)
        said = (*aside_note(estimate), *named_note(estimate))
        if self.separate and len(space.dates) > 1:
            _, groups = group_adoption(design.adoption, design.assignment)
            parts = UnitPlacebos.of(estimate, controls, positions, free, groups, self.jobs)
            kept, note = self._cut(parts.refits, parts.own_pre_rmspe)
            exact, placebos = parts.averages(
                kept, self.replications or ENUMERATION_LIMIT, self._draws, self.seed
            )
            own = {"units": parts.table(kept), "unit_placebos": parts.placebo_table(kept)}
            return self._attach(estimate, placebos, exact, own, (*said, *note))
        table, exact = self._tried(space)
        assignments = over_all(table, free)[:, positions]
        refits = estimate.estimator.refit_many(controls, assignments, jobs=self.jobs)
        kept, note = self._cut(refits, np.full(len(assignments), _own_pre_rmspe(estimate)))
        details = {"placebo_units": assignments[kept]}
        return self._attach(estimate, refits.at(kept), exact, details, (*said, *note))

    def repeated(
        self,
        estimator: Estimator,
        design: Design,
        adoptions: Floats,
        effects: Sequence[float] = (0.0,),
        first: int = 0,
    ) -> RepeatedTests:
        """p-values of no effect under many assignments; see :meth:`Inference.repeated`.

        Placebos of all assignments are refitted together, and not again for an effect, which does
        not move them: the treated are set aside.
        """
        shared = design.balanced and not estimator.leaks
        if not shared or self.separate or self.pre_fit_cutoff is not None:
            return super().repeated(estimator, design, adoptions, effects, first)
        own = [refits_with_effect(estimator, design, adoptions, effect).att for effect in effects]
        noise = resolution(design.outcome)
        pvalues, fits = [], len(adoptions) * len(effects)
        placebos = self._placebos(estimator, design, adoptions, first)
        for statistics, reference in zip(np.transpose(own), placebos, strict=True):
            pvalues.append(rank_pvalues(statistics, reference[:, None], self.alternative, noise))
            fits += len(reference)
        return RepeatedTests(np.array(pvalues).reshape(len(adoptions), len(effects)), fits)

    def _placebos(
        self, estimator: Estimator, design: Design, adoptions: Floats, number: int
    ) -> Iterator[Floats]:
        """The placebo estimates of each assignment, from refits of several at once."""
        self._require_options()
        _, first, groups = np.unique(design.assignment, return_index=True, return_inverse=True)
        tables: list[Floats] = []
        methods = self.in_turn(number, len(adoptions))
        for row, dates in enumerate(adoptions[:, first]):
            free = np.isinf(dates)
            space = AssignmentSpace(dates[~free], int(free.sum()))
            self._require_groups(space, len(space.dates), design.assigned_at)
            table, _ = methods[row]._tried(space)
            whole = np.full((len(table), len(dates)), np.nan)
            whole[:, free] = table
            tables.append(whole[:, groups])
            if row + 1 < len(adoptions) and sum(table.size for table in tables) < TOGETHER:
                continue
            found = estimator.refit_among(design, np.concatenate(tables), self.jobs).att
            yield from np.split(found, np.cumsum([len(table) for table in tables])[:-1])
            tables = []

    @property
    def _draws(self) -> int:
        return self.replications or SAMPLED

    def _set_aside(
        self, estimator: Estimator, design: Design
    ) -> tuple[Design, Integers, Booleans, AssignmentSpace]:
        """Units to which nothing happened, the group of each, who may play, and in which ways."""
        self._require_options()
        dates, _ = group_adoption(design.adoption, design.assignment)
        controls = never_reached(estimator, design, "the placebo test")
        _, positions = group_adoption(controls.adoption, controls.assignment)
        free = may_play(estimator, controls)
        space = AssignmentSpace(dates[np.isfinite(dates)], int(free.sum()))
        among = ", of those that treatment does not affect," if estimator.leaks else ""
        least = 1 if self.separate else len(space.dates)
        self._require_groups(space, least, design.assigned_at, among)
        return controls, positions, free, space

    def _require_options(self) -> None:
        if self.replications is not None and self.replications < 1:
            raise InferenceError(f"replications={self.replications} must be at least 1.")
        if self.pre_fit_cutoff is not None and not self.pre_fit_cutoff > 0:
            raise InferenceError(f"pre_fit_cutoff={self.pre_fit_cutoff} must be positive.")

    @staticmethod
    def _require_groups(space: AssignmentSpace, least: int, level: str, among: str = "") -> None:
        if space.groups <= least:
            raise InferenceError(
                f"placebo over units needs more never-treated groups at the level "
                f"{level!r}{among} than treated ones; there are {space.groups} and "
                f"{len(space.dates)}."
            )

    def _tried(self, space: AssignmentSpace) -> tuple[Floats, bool]:
        """Adoption of groups under each placebo assignment, and whether these are all there are."""
        exact = space.count <= (self.replications or ENUMERATION_LIMIT)
        return space.enumerate() if exact else space.sample(self._draws, self.seed), exact

    def _cut(self, refits: Refits, own: Floats) -> tuple[Booleans, tuple[str, ...]]:
        """Placebos that fit well enough before treatment, and a note on the others."""
        kept = np.ones(len(refits.att), dtype=bool)
        if self.pre_fit_cutoff is None:
            return kept, ()
        if refits.pre_rmspe is None or np.isnan(own).any():
            raise InferenceError(
                "pre_fit_cutoff= needs an estimator with counterfactual paths before treatment."
            )
        kept = at_least(self.pre_fit_cutoff * own, refits.pre_rmspe)
        if not kept.any():
            raise InferenceError(
                f"no placebo has a pre-treatment RMSPE within {self.pre_fit_cutoff} times that of "
                f"the treated; raise pre_fit_cutoff=."
            )
        return kept, (
            f"{int((~kept).sum())} of {len(kept)} placebos left out: pre-treatment RMSPE above "
            f"{self.pre_fit_cutoff:g} times that of the treated.",
        )

    def _attach(
        self,
        estimate: Estimate,
        refits: Refits,
        exact: bool,
        own: Mapping[str, object],
        further: tuple[str, ...],
    ) -> Estimate:
        placebos = refits.att
        total = 1 + len(placebos)
        smallest = 1 / total
        noise = resolution(estimate.design.outcome)
        two_sided = rank_pvalue(estimate.att, placebos, noise=noise)

        def bounds(level: float) -> tuple[float, float]:
            reach = reach_of(placebos, level)
            return holding_zero((estimate.att - reach, estimate.att + reach), two_sided, level)

        how = "all" if exact else "a sample of"
        notes = [
            f"{how} {len(placebos)} placebo assignments at the level "
            f"{estimate.design.assigned_at!r}; smallest attainable p-value 1/{total}."
        ]
        if not exact:
            notes.append(f"seed {self.seed}.")
        details: dict[str, object] = {
            "placebo_effects": refits.effects,
            **own,
        }
        if refits.rmspe_ratio is not None and refits.pre_rmspe is not None:
            before, after = estimate.details["gaps"].pooled_rmspe
            ratio = after / before if before > 0 else np.inf
            details |= {
                "rmspe_ratio": ratio,
                "placebo_rmspe_ratios": refits.rmspe_ratio,
                "placebo_pre_rmspe": refits.pre_rmspe,
                "rmspe_pvalue": rank_pvalue(ratio, refits.rmspe_ratio, "greater"),
            }
        result = InvertedTest(
            name="placebo over units" + self._direction(),
            se=float(placebos.std()),
            pvalue=rank_pvalue(estimate.att, placebos, self.alternative, noise),
            bounds=bounds,
            effects=None
            if refits.effects is None
            else partial(_effect_bounds, estimate, refits, self.alternative, noise),
            cohorts=None
            if refits.cohorts is None or estimate.cohort_effects is None
            else partial(
                _cohort_bounds, estimate.cohort_effects, refits.cohorts, self.alternative, noise
            ),
            reference=placebos,
            smallest_pvalue=smallest,
            assignments=len(placebos),
            exact=exact,
            notes=(*notes, *further),
            details=details,
            specification=self.specification(),
        )
        return estimate.with_result(result)

    def _direction(self) -> str:
        return "" if self.alternative == "two-sided" else f" (one-sided, {self.alternative})"


def _own_pre_rmspe(estimate: Estimate) -> float:
    gaps = estimate.details.get("gaps")
    return float("nan") if gaps is None else float(gaps.pooled_rmspe[0])


def _effect_bounds(
    estimate: Estimate, refits: Refits, alternative: Alternative, noise: float, level: float
) -> pd.DataFrame:
    """Standard errors, intervals and p-values by event time, as for the overall effect."""
    assert refits.effects is not None
    table = estimate.effects
    points = table["estimate"].to_numpy(dtype=float)
    columns = _bounds_of(points, refits.effects, alternative, noise, level)
    if estimate.counterfactual is None:  # else effects before treatment are residuals of the fit
        band = _uniform_reach(refits.effects, columns["se"], level)
        columns |= {"uniform_lower": points - band, "uniform_upper": points + band}
    return pd.DataFrame({"event_time": table["event_time"], **columns})


def _uniform_reach(placebos: Floats, se: Floats, level: float) -> Floats:
    """Half the width of the band at each event time; zero where no placebo moves."""
    moving = se > 0
    band = np.zeros(len(se))
    if moving.any():
        largest = (np.abs(placebos[:, moving]) / se[moving]).max(axis=1)
        band[moving] = reach_of(largest, level) * se[moving]
    return band


def _cohort_bounds(
    table: pd.DataFrame, cohorts: Floats, alternative: Alternative, noise: float, level: float
) -> pd.DataFrame:
    """Standard error, interval and p-value of each adoption cohort."""
    points = table["estimate"].to_numpy()
    return table.assign(**_bounds_of(points, cohorts, alternative, noise, level))


def _bounds_of(
    points: Floats, placebos: Floats, alternative: Alternative, noise: float, level: float
) -> dict[str, Floats]:
    """Columns se, lower, upper, pvalue from placebos of shape (placebos, effects)."""
    reach = np.array([reach_of(column, level) for column in placebos.T])
    rejected = significant(rank_pvalues(points, placebos, noise=noise), 1 - level)
    low, high = points - reach, points + reach
    return {
        "se": placebos.std(axis=0),
        "lower": np.where(rejected, low, np.fmin(low, 0.0)),
        "upper": np.where(rejected, high, np.fmax(high, 0.0)),
        "pvalue": rank_pvalues(points, placebos, alternative, noise),
    }
