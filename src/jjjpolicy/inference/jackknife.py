"""Jackknife over groups of units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimate import Estimate, Inference, InferenceResult
from jjjpolicy.progress import track
from jjjpolicy.synth.fixed_weights import FixedWeights
from jjjpolicy.variance import effect_bounds, few_treated_note, t_interval, t_pvalue

if TYPE_CHECKING:
    from jjjpolicy.design import Booleans, Design, Floats, Integers
    from jjjpolicy.estimator import Estimator, Refits


@dataclass(frozen=True)
class Jackknife(Inference):
    r"""Leave one group of units out at a time.

    .. math:: \widehat{se}^2 = \frac{G-1}{G} \sum_g (\hat\tau_{(-g)} - \hat\tau)^2

    with weights held as they are and scaled to sum to one over the donors that are left
    (Arkhangelsky et al. 2021, algorithm 3), or with everything estimated again. The first is
    conservative for synthetic difference-in-differences and needs no refit. Groups are units, or
    those of the level of assignment. The normal distribution gives p-value and interval.

    Parameters
    ----------
    fixed_weights : bool, optional
        Hold the weights; by default for estimators with weights on periods
        (:class:`~jjjpolicy.synth.SyntheticDiD`), while others are fitted again.
    level : str, optional
        Groups to leave out; the level of assignment by default.
    jobs : int
        Worker processes; the numbers do not depend on it.

    Notes
    -----
    ``details["left_out"]`` has the estimates without each group, and ``details["cohorts"]`` a
    standard error of each adoption cohort with at least two groups.
    """

    fixed_weights: bool | None = None
    level: str | None = None
    jobs: int = 1

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard errors, p-value and interval.

        Raises
        ------
        InferenceError
            Fewer than two treated groups; all donor weight in one group; weights that cannot be
            held because the counterfactual is not made of them; a group whose absence leaves
            nothing to estimate.
        """
        design = estimate.design
        level = self.level or design.assigned_at
        codes = np.unique(design.cluster_codes(level), return_inverse=True)[1].astype(np.int64)
        treated = np.unique(codes[design.treated])
        if len(treated) < 2:
            raise InferenceError(
                f"a jackknife needs two treated groups at the level {level!r}, there is "
                f"{len(treated)}; use PlaceboUnits."
            )
        fixed = self.fixed_weights
        if fixed is None:
            fixed = "lambda" in estimate.details
        groups = int(codes.max()) + 1
        if fixed:
            weights = FixedWeights.of(estimate, "use Jackknife(fixed_weights=False)")
            parts = [weights.without(codes == g).refits() for g in range(groups)]
        else:
            parts = self._refitted(estimate.estimator, design, codes)
        table = _Table.of(estimate, codes, parts)
        se = float(table.errors(table.att[:, None], np.array([estimate.att]))[0])
        how = "weights held fixed" if fixed else "re-estimated"
        return estimate.with_result(
            InferenceResult(
                name=f"jackknife by {level} ({how})",
                se=se,
                pvalue=t_pvalue(estimate.att, se, np.inf),
                bounds=lambda coverage: t_interval(estimate.att, se, np.inf, coverage),
                effects=table.effect_bounds,
                notes=(f"{groups} groups left out in turn.", *few_treated_note(design, codes)),
                details={"left_out": table.att, "cohorts": table.cohort_bounds()},
                specification=self.specification(),
            )
        )

    def _refitted(self, estimator: Estimator, design: Design, codes: Integers) -> list[Refits]:
        groups = range(int(codes.max()) + 1)
        if self.jobs == 1:
            return [_refit(estimator, design, codes != g) for g in track(groups, self.label)]
        from joblib import Parallel, delayed

        parts: list[Refits] = Parallel(n_jobs=self.jobs)(
            delayed(_refit)(estimator, design, codes != g) for g in groups
        )
        return parts


def _refit(estimator: Estimator, design: Design, keep: Booleans) -> Refits:
    try:
        return estimator.refit(design.keep_units(keep, "left out by the jackknife"))
    except DesignError as error:
        raise InferenceError(
            f"the jackknife cannot leave out {list(map(str, design.units[~keep]))}: {error}"
        ) from error


@dataclass(frozen=True)
class _Table:
    """Estimates without each group, event times and cohorts in columns; ``nan`` where none is left.

    ``effects`` and ``cohorts`` are None where the refits have none.
    """

    estimate: Estimate
    att: Floats
    effects: Floats | None
    cohorts: Floats | None

    @classmethod
    def of(cls, estimate: Estimate, codes: Integers, parts: list[Refits]) -> _Table:
        design = estimate.design
        times = estimate.effects["event_time"].to_numpy()
        rows: list[tuple[Floats, Floats]] = []
        for g, part in enumerate(parts):
            adoption = design.adoption[(codes != g) & design.treated]
            left = np.unique(design.periods[None, :] - adoption[:, None])
            rows.append(
                (
                    _aligned(part.effects, left, times),
                    _aligned(part.cohorts, np.unique(adoption), design.cohorts),
                )
            )
        att = np.concatenate([part.att for part in parts])
        effects, cohorts = (np.stack(column) for column in zip(*rows, strict=True))
        return cls(
            estimate,
            att,
            None if np.isnan(effects).all() else effects,
            None if np.isnan(cohorts).all() else cohorts,
        )

    def errors(self, values: Floats, points: Floats) -> Floats:
        """Standard errors; ``nan`` where leaving out one group leaves nothing."""
        groups = len(values)
        found: Floats = np.sqrt((groups - 1) / groups * ((values - points) ** 2).sum(axis=0))
        return found

    def effect_bounds(self) -> pd.DataFrame:
        """Standard errors and 95% intervals by event time."""
        table = self.estimate.effects[["event_time", "estimate"]]
        points = table["estimate"].to_numpy(dtype=float)
        if self.effects is None:
            return effect_bounds(table, np.full(len(table), np.nan), np.inf)
        return effect_bounds(table, self.errors(self.effects, points), np.inf)

    def cohort_bounds(self) -> pd.DataFrame | None:
        """Standard errors and 95% intervals by adoption cohort."""
        if self.cohorts is None:
            return None
        points = self.estimate.details["gaps"].by_cohort()[1]
        errors = self.errors(self.cohorts, points)
        low, high = t_interval(points, errors, np.inf, 0.95)
        return pd.DataFrame(
            {
                "adoption": self.estimate.design.cohorts.astype(np.int64),
                "estimate": points,
                "se": errors,
                "lower": low,
                "upper": high,
            }
        )


def _aligned(values: Floats | None, have: Floats, want: Floats) -> Floats:
    """One row of numbers at the positions of ``want``; ``nan`` where it has none."""
    row = np.full(len(want), np.nan)
    if values is not None and values.shape[1] == len(have):
        inside = np.isin(want, have)
        row[inside] = values[0][np.searchsorted(have, want[inside])]
    return row
