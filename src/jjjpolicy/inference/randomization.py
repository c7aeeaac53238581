"""Randomisation inference: the estimate among all assignments that could have been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError, JJJPolicyError
from jjjpolicy.estimate import Estimate, Inference, InferenceResult
from jjjpolicy.inference.assignments import AssignmentSpace, group_adoption
from jjjpolicy.inference.inversion import effects_kept, outermost
from jjjpolicy.inference.ranks import rank_pvalue

if TYPE_CHECKING:
    from jjjpolicy.design import Design, Floats, Integers
    from jjjpolicy.estimator import Estimator, Refits

Mechanism = Callable[[np.random.Generator], "Floats"]
Statistic = Literal["coefficient", "studentised"]

ENUMERATED = 50_000
SAMPLED = 9_999
REFITS_FOR_INTERVAL = 20_000


@dataclass(frozen=True, eq=False)
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
    :math:`D`, and the ends are exact; for the others it is searched by re-estimation while that
    stays below 20,000 fits, and left out beyond.

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

    replications: int | None = None
    seed: int = 0
    statistic: Statistic = "coefficient"
    jobs: int = 1
    mechanism: Mechanism | Floats | None = None

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-values, interval and the reference distribution.

        Raises
        ------
        InferenceError
            ``replications`` below 1; an unknown statistic; every group is treated at the same
            time; a mechanism of the wrong shape; a studentised statistic for an estimator without
            standard errors.
        """
        if self.replications is not None and self.replications < 1:
            raise InferenceError(f"replications={self.replications} must be at least 1.")
        if self.statistic not in ("coefficient", "studentised"):
            raise InferenceError(
                f"statistic={self.statistic!r} must be 'coefficient' or 'studentised'."
            )
        design = estimate.design
        design.require_absorbing(self.label)
        assigned = self._assignments(design)
        estimator = estimate.estimator
        refits = assigned.refits(estimator, design, self.jobs)
        statistics = {"coefficient": refits.att}
        if refits.se is not None:
            statistics["studentised"] = _ratio(refits.att, refits.se)
        if self.statistic not in statistics:
            raise InferenceError(
                f"{estimator.label} has no standard error to studentise with; use "
                f"statistic='coefficient'."
            )
        pvalues = {
            name: rank_pvalue(float(values[0]), values[1:], "two-sided")
            for name, values in statistics.items()
        }
        total = len(refits.att)
        largest = np.abs(statistics[self.statistic])
        smallest = float((largest >= largest.max() * (1 - 1e-12)).sum()) / total
        notes = [
            f"{assigned.how} at the level {design.assigned_at!r}, the actual one included; "
            f"smallest attainable p-value {_fraction(smallest, total)}.",
            "p-values: "
            + ", ".join(f"{name} {value:.4g}" for name, value in pvalues.items())
            + ".",
        ]
        if not assigned.exact:
            notes.append(f"seed {self.seed}.")
        bounds = self._bounds(estimate, assigned, refits)
        if bounds is None:
            notes.append(
                f"An interval would take more than {REFITS_FOR_INTERVAL:,} fits of this nonlinear "
                f"estimator; lower replications=, or use PlaceboUnits."
            )
        return estimate.with_result(
            InferenceResult(
                name=f"randomisation ({self.statistic})",
                pvalue=pvalues[self.statistic],
                bounds=bounds,
                effects=_effect_pvalues(estimate, refits),
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

    def _assignments(self, design: Design) -> _Assignments:
        if self.mechanism is not None:
            return self._from_mechanism(design)
        dates, groups = group_adoption(design.adoption, design.assignment)
        space = AssignmentSpace(dates[np.isfinite(dates)], len(dates))
        if np.isinf(dates).sum() == 0 and len(np.unique(dates)) == 1:
            raise InferenceError(
                f"every group at the level {design.assigned_at!r} is treated from the same period "
                f"on: there is no other assignment."
            )
        exact = space.count <= (self.replications or ENUMERATED)
        if exact:
            table = space.enumerate()
            table = table[(table != dates).any(axis=1)]
            how = f"all {space.count:,} assignments"
        else:
            table = space.sample(self.replications or SAMPLED, self.seed)
            how = f"a sample of {len(table):,} of {_count(space.count)} assignments"
        return _Assignments(np.concatenate([dates[None], table]), groups, exact, how)

    def _from_mechanism(self, design: Design) -> _Assignments:
        exact = not callable(self.mechanism)
        if callable(self.mechanism):
            streams = np.random.SeedSequence(self.seed).spawn(self.replications or SAMPLED)
            drawn = [self.mechanism(np.random.default_rng(stream)) for stream in streams]
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
        return _Assignments(np.concatenate([design.adoption[None], table]), units, exact, how)

    def _bounds(
        self, estimate: Estimate, assigned: _Assignments, refits: Refits
    ) -> Callable[[float], tuple[float, float]] | None:
        design, estimator = estimate.design, estimate.estimator
        treatment = np.where(design.observed, design.treatment.astype(float), np.nan)
        if _linear(estimator, design, treatment, assigned, refits):

            @cache
            def slopes() -> Refits:
                return assigned.refits(estimator, design.with_outcome(treatment), self.jobs)

            @cache
            def both() -> Refits:
                moved = design.with_outcome(design.outcome + treatment)
                return assigned.refits(estimator, moved, self.jobs)

            if self.statistic == "coefficient":
                return lambda level: effects_kept(refits.att, slopes().att, level)
            return lambda level: _studentised_bounds(refits, slopes(), both(), level)
        if self.statistic == "studentised" or len(refits.att) * 80 > REFITS_FOR_INTERVAL:
            return None

        def pvalue(effect: float) -> float:
            moved = design.with_outcome(design.outcome - effect * treatment)
            values = assigned.refits(estimator, moved, self.jobs).att
            return rank_pvalue(float(values[0]), values[1:], "two-sided")

        scale = float(refits.att.std()) or 1.0
        return lambda level: outermost(pvalue, estimate.att, scale, level, precision=1e-4)


@dataclass(frozen=True)
class _Assignments:
    """Assignments that could have been, the actual one first.

    Attributes
    ----------
    adoptions : ndarray, shape (assignments, groups)
        First treated periods, ``inf`` for never.
    groups : ndarray of int, shape (units,)
        Position of each unit's group.
    exact : bool
        Whether these are all there are.
    how : str
        In words.
    """

    adoptions: Floats
    groups: Integers
    exact: bool
    how: str

    def refits(self, estimator: Estimator, design: Design, jobs: int = 1) -> Refits:
        return estimator.refit_groups(design, self.adoptions, self.groups, jobs)


def _linear(
    estimator: Estimator, design: Design, treatment: Floats, assigned: _Assignments, refits: Refits
) -> bool:
    """Whether removing a constant effect shifts the first few estimates by a fixed multiple."""
    few = replace(assigned, adoptions=assigned.adoptions[:4])
    shift = float(np.nanstd(design.outcome)) or 1.0
    try:
        slopes = few.refits(estimator, design.with_outcome(treatment)).att
    except (ArithmeticError, np.linalg.LinAlgError, JJJPolicyError):
        return False
    moved = few.refits(estimator, design.with_outcome(design.outcome - shift * treatment)).att
    expected = refits.att[:4] - shift * slopes
    return bool(np.allclose(moved, expected, rtol=1e-7, atol=1e-7 * shift))


def _studentised_bounds(
    refits: Refits, slopes: Refits, both: Refits, level: float
) -> tuple[float, float]:
    """Squared standard errors are quadratic in a constant effect; three fits give the parabola."""
    assert refits.se is not None
    assert slopes.se is not None
    assert both.se is not None
    own, slope = refits.se**2, slopes.se**2
    cross = (both.se**2 - own - slope) / 2

    def pvalue(effect: float) -> float:
        variance = np.clip(own - 2 * effect * cross + effect**2 * slope, 0, None)
        values = _ratio(refits.att - effect * slopes.att, np.sqrt(variance))
        return rank_pvalue(float(values[0]), values[1:], "two-sided")

    centre = float(refits.att[0] / slopes.att[0])
    return outermost(pvalue, centre, float(refits.se[0]), level)


def _ratio(values: Floats, errors: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = np.nan_to_num(values / errors, nan=0.0, posinf=np.inf, neginf=-np.inf)
    return ratio


def _effect_pvalues(estimate: Estimate, refits: Refits) -> pd.DataFrame | None:
    if refits.effects is None:
        return None
    magnitudes = np.abs(refits.effects)
    shares = (magnitudes >= magnitudes[0] * (1 - 1e-12)).mean(axis=0)
    table = pd.DataFrame({"event_time": estimate.effects["event_time"]})
    return table.assign(se=np.nan, lower=np.nan, upper=np.nan, pvalue=shares)


def _fraction(pvalue: float, total: int) -> str:
    return f"{round(pvalue * total)}/{total}"


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**12 else f"about 10^{len(str(number)) - 1}"
