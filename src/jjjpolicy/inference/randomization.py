"""Randomisation inference: the estimate among all assignments that could have been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.draws import streams
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.results import InvertedTest, Searched
from jjjpolicy.estimation.rounding import LEVEL, cleared, resolution
from jjjpolicy.inference.permutation.assignments import Assignments, AssignmentSpace, group_adoption
from jjjpolicy.inference.permutation.inversion import outermost
from jjjpolicy.inference.permutation.ranks import at_least, rank_pvalue, rank_pvalues, studentised
from jjjpolicy.inference.permutation.reached import may_play, named_note, over_all
from jjjpolicy.inference.permutation.under_effects import UnderEffects
from jjjpolicy.linalg.brief import with_options
from jjjpolicy.linalg.types import Floats

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.estimation.results import EffectsAt, IntervalAt
    from jjjpolicy.linalg.types import Booleans

Mechanism = Callable[[np.random.Generator], Floats]
Statistic = Literal["coefficient", "studentised"]

ENUMERATED = 50_000
SAMPLED = 9_999
REFITS_FOR_INTERVAL = 20_000


@dataclass(frozen=True, repr=False)
class RandomizationInference(Inference):
    r"""Permute treatment over all groups of the level of assignment and re-estimate.

    Each treated group carries a bundle: its adoption period, given to all of its units at once. The
    bundles are handed to every possible set of groups, those actually treated included, and the
    p-value is the share of assignments whose statistic is at least as large as the actual one,
    which counts itself. Under the sharp hypothesis of no effect, and if every assignment was
    equally likely, the test is exact for any estimator, any number of treated groups and any
    dependence within groups (Fisher 1935; Young 2019; MacKinnon and Webb 2020). Groups of different
    size keep their size: a bundle that moves to a larger province treats more cities, and the
    studentised statistic then compares like with like.

    The interval holds every constant effect :math:`\tau` that the same test does not reject. For
    estimators linear in the outcome,
    :math:`\hat\tau_r(y - \tau D) = \hat\tau_r(y) - \tau\hat\tau_r(D)` with the actual treatment
    :math:`D`, and the ends are exact; so they are where all that an estimator fits rests on
    outcomes before treatment, which the effect does not move. For the others the interval is
    searched by re-estimation when it is first asked for, to a ten-thousandth of the standard
    deviation of the reference distribution, while that stays below 20,000 fits, and left out
    beyond. Penalties that an estimator chooses from data are chosen anew for every effect and
    assignment: held as they are for the outcome as it is, the statistic would no longer be the same
    function of data and assignment, and the test not exact. At an event time, or for a cohort, it
    holds the constant effects that are not rejected by the effect at that time, or on that cohort.
    Estimators that let treatment affect other units have p-values, of no effect on anybody, and no
    interval: an effect on the treated alone is not what they estimate. Where they name the affected
    units, treatment is handed to the others only.

    Parameters
    ----------
    replications : int, optional
        Number of sampled assignments. All assignments are used instead whenever there are no more
        than this (no more than 50,000 by default; 9,999 are sampled where there are more).
    seed : int
        Of the sampled assignments.
    statistic : {"coefficient", "studentised"}
        Which one gives ``pvalue`` and the interval. ``details["pvalues"]`` holds both where the
        estimator has a standard error.
    jobs : int
        Worker processes; the numbers do not depend on it.
    mechanism : callable or ndarray, optional
        How treatment was assigned, if not by equal chances over groups: a function from a
        ``numpy.random.Generator`` to adoption periods of all units (``inf`` for never), or an array
        of equally likely assignments, shape (assignments, units).
    """

    by_group: ClassVar[bool] = True
    replications: int | None = None
    seed: int = 0
    statistic: Statistic = "coefficient"
    jobs: int = 1
    mechanism: Mechanism | Floats | None = None

    __repr__ = with_options

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-values, interval and the reference distribution.

        Raises
        ------
        InferenceError
            Treatment switches off; ``replications`` below 1; an unknown statistic; every group is
            treated at the same time; a mechanism of the wrong shape; a studentised statistic for
            an estimator without standard errors.
        """
        if self.replications is not None and self.replications < 1:
            raise InferenceError(f"replications={self.replications} must be at least 1.")
        design = estimate.design
        if not design.absorbing:
            raise InferenceError(
                "RandomizationInference hands the first treated period of a group to other groups. "
                "In this design (absorbing=False) treatment switches off again, so that a first "
                "period does not say what follows. Use ClusterBootstrap, MultiplierBootstrap or "
                "Clustered where many groups are treated; with few, study the first switch alone: "
                "let treatment stay on once it is on (its running maximum within units), build the "
                "design without absorbing=False, and randomise that."
            )
        estimator = estimate.estimator
        assigned = self._assignments(estimator, design)
        refits = assigned.refits(estimator, design, self.jobs)
        ties = {"coefficient": resolution(design.outcome), "studentised": 0.0}
        statistics = {"coefficient": refits.att}
        if refits.se is not None:
            statistics["studentised"] = studentised(refits.att, refits.se, ties["coefficient"])
        if self.statistic not in statistics:
            raise InferenceError(
                f"{estimator.label} has no standard error to studentise with; use "
                f"statistic='coefficient'."
            )
        pvalues = {
            name: rank_pvalue(float(values[0]), values[1:], noise=ties[name])
            for name, values in statistics.items()
        }
        total = len(refits.att)
        sizes = np.abs(statistics[self.statistic])
        smallest = float(at_least(sizes, np.fmax.reduce(sizes), ties[self.statistic]).mean())
        notes = [
            f"{assigned.how} at the level {design.assigned_at!r}, the actual one included; "
            f"smallest attainable p-value {_fraction(smallest, total)}.",
            "p-values: "
            + ", ".join(f"{name} {value:.4g}" for name, value in pvalues.items())
            + ".",
        ]
        if self.mechanism is None:
            notes += named_note(estimate)
        if not assigned.exact:
            notes.append(f"seed {self.seed}.")
        under = UnderEffects(estimate, assigned, refits, self.jobs)
        bounds = None if estimator.leaks else self._bounds(under)
        if estimator.leaks:
            notes.append(
                f"An interval would take a hypothesised effect off the treated units and leave all "
                f"others as they are, while {estimator.label} lets treatment affect them; use "
                f"EndOfSample or PlaceboUnits."
            )
        elif bounds is None:
            notes.append(
                f"An interval would take more than {REFITS_FOR_INTERVAL:,} fits of this nonlinear "
                f"estimator; lower replications=, or use PlaceboUnits."
            )
        return estimate.with_result(
            InvertedTest(
                name=f"randomisation ({self.statistic})",
                pvalue=pvalues[self.statistic],
                bounds=bounds,
                effects=_effects(under),
                cohorts=_cohorts(under),
                reference=statistics[self.statistic][1:],
                smallest_pvalue=smallest,
                assignments=total - 1,
                exact=assigned.exact,
                notes=tuple(notes),
                details={"pvalues": pvalues, "statistics": statistics},
                specification=self.specification(),
            )
        )

    def specification(self) -> dict[str, Any]:
        """Name and options; a mechanism by its name, or by the digest of its assignments."""
        described: str | None = None
        if callable(self.mechanism):
            described = getattr(self.mechanism, "__qualname__", type(self.mechanism).__name__)
        elif self.mechanism is not None:
            table = np.ascontiguousarray(self.mechanism, dtype=float)
            described = f"{len(table)} assignments, sha256 {sha256(table.tobytes()).hexdigest()}"
        return {**super().specification(), "mechanism": described}

    def _assignments(self, estimator: Estimator, design: Design) -> Assignments:
        if self.mechanism is not None:
            return self._from_mechanism(design)
        dates, groups = group_adoption(design.adoption, design.assignment)
        free = may_play(estimator, design)
        own = dates[free]
        space = AssignmentSpace(own[np.isfinite(own)], len(own))
        if np.isinf(own).sum() == 0 and len(np.unique(own)) == 1:
            raise InferenceError(
                f"every group at the level {design.assigned_at!r} is treated from the same period "
                f"on: there is no other assignment."
            )
        table, exact = space.with_actual(
            own, self.replications or ENUMERATED, self.replications or SAMPLED, self.seed
        )
        how = f"all {space.count:,} assignments"
        if not exact:
            how = f"a sample of {len(table) - 1:,} of {_count(space.count)} assignments"
        return Assignments(over_all(table, free), groups, exact, how)

    def _from_mechanism(self, design: Design) -> Assignments:
        exact = not callable(self.mechanism)
        if callable(self.mechanism):
            drawn = [
                self.mechanism(np.random.default_rng(stream))
                for stream in streams(self.seed, self.replications or SAMPLED)
            ]
            table = np.asarray(drawn, dtype=float)
            how = f"{len(table):,} assignments drawn from the given mechanism"
        else:
            table = np.array(self.mechanism, dtype=float)
            how = f"all {len(table):,} given assignments"
        if table.ndim != 2 or table.shape[1] != design.n_units:
            raise InferenceError(
                f"mechanism= gave assignments of shape {table.shape}; it must give one adoption "
                f"period (inf for never) for each of the {design.n_units} units."
            )
        if np.isnan(table).any():
            raise InferenceError("mechanism= gave NaN; use inf for units that are never treated.")
        if exact:
            actual = np.flatnonzero((table == design.adoption).all(axis=1))
            table = np.delete(table, actual[:1], axis=0)
        units = np.arange(design.n_units)
        return Assignments(np.concatenate([design.adoption[None], table]), units, exact, how)

    def _bounds(self, under: UnderEffects) -> IntervalAt | None:
        if self.statistic == "studentised":
            if not under.linear:
                return None
            return lambda level: _studentised_bounds(under, level)
        if not under.linear and under.fits_per_interval > REFITS_FOR_INTERVAL:
            return None
        bounds = partial(under.bounds, _att, under.estimate.att)
        return bounds if under.linear else Searched(bounds, under.fits_per_interval)


def _studentised_bounds(under: UnderEffects, level: float) -> tuple[float, float]:
    """Squared standard errors are quadratic in a constant effect; three fits give the parabola."""
    refits, slopes, both = under.refits, under.slopes, under.at(-1.0)
    assert refits.se is not None
    assert slopes.se is not None
    assert both.se is not None
    own, slope = refits.se**2, slopes.se**2
    cross = (both.se**2 - own - slope) / 2

    def pvalue(effect: float) -> float:
        parts = np.stack([own, -2 * effect * cross, effect**2 * slope])
        variance = cleared(parts.sum(axis=0), LEVEL * np.abs(parts).sum(axis=0))
        errors = np.sqrt(np.clip(variance, 0, None))
        values = studentised(refits.att - effect * slopes.att, errors, under.noise)
        return rank_pvalue(float(values[0]), values[1:])

    centre = float(refits.att[0] / slopes.att[0])
    return outermost(pvalue, centre, max(float(refits.se[0]), under.noise), level)


def _effects(under: UnderEffects) -> EffectsAt | None:
    """p-values by event time, and after treatment intervals where they take few enough fits."""
    effects = under.refits.effects
    if effects is None:
        return None

    def table(level: float) -> pd.DataFrame:
        known, after = rows()
        return _with_bounds(under, known, effects, _event_column, after, level)

    def rows() -> tuple[pd.DataFrame, Booleans]:
        known = replace(under.estimate, inference=None).effects[["event_time", "estimate"]]
        return known, (known["event_time"] >= 0).to_numpy() & under.inverted

    return table if not under.inverted or under.linear else _searched(under, table, rows()[1])


def _cohorts(under: UnderEffects) -> EffectsAt | None:
    """The same by adoption cohort."""
    cohorts, known = under.refits.cohorts, under.estimate.cohort_effects
    if cohorts is None or known is None:
        return None
    every = np.full(len(known), under.inverted)
    table = partial(_with_bounds, under, known, cohorts, _cohort_column, every)
    return table if not under.inverted or under.linear else _searched(under, table, every)


def _searched(under: UnderEffects, table: EffectsAt, rows: Booleans) -> EffectsAt:
    """A table whose intervals are searched for when it is asked for."""
    fits = _fits(under, rows)
    return Searched(table, fits) if fits <= REFITS_FOR_INTERVAL else table


def _fits(under: UnderEffects, rows: Booleans) -> int:
    return under.fits_per_interval * int(rows.sum())


def _with_bounds(
    under: UnderEffects,
    known: pd.DataFrame,
    values: Floats,
    column: Callable[[int, Refits], Floats],
    rows: Booleans,
    level: float,
) -> pd.DataFrame:
    """A table of effects with p-values, and with intervals in some rows.

    Parameters
    ----------
    values : ndarray, shape (assignments, effects)
    column : callable
        The effect at a position, from refits.
    rows : ndarray of bool, shape (effects,)
    """
    ends = np.full((len(known), 2), np.nan)
    if rows.any() and (under.linear or _fits(under, rows) <= REFITS_FOR_INTERVAL):
        for k in np.flatnonzero(rows):
            point = float(known["estimate"].iloc[k])
            ends[k] = under.bounds(partial(column, int(k)), point, level)
    pvalues = rank_pvalues(values[0], values[1:], noise=under.noise)
    return known.assign(se=np.nan, lower=ends[:, 0], upper=ends[:, 1], pvalue=pvalues)


def _att(refits: Refits) -> Floats:
    return refits.att


def _event_column(position: int, refits: Refits) -> Floats:
    assert refits.effects is not None
    column: Floats = refits.effects[:, position]
    return column


def _cohort_column(position: int, refits: Refits) -> Floats:
    assert refits.cohorts is not None
    column: Floats = refits.cohorts[:, position]
    return column


def _fraction(pvalue: float, total: int) -> str:
    return f"{round(pvalue * total)}/{total}"


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**12 else f"about 10^{len(str(number)) - 1}"
