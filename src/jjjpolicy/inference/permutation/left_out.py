"""Estimates without each group of units, effects by event time and cohort in their places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.parallel import run
from jjjpolicy.estimation.results import effect_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate, Estimator
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


def refits_without(estimate: Estimate, codes: Integers, label: str, jobs: int = 1) -> list[Refits]:
    """Re-estimate without each group in turn.

    Parameters
    ----------
    estimate : Estimate
    codes : ndarray of int, shape (units,)
        Groups 0, 1, … without gaps.
    label : str
        Of the method, for the progress and the ledger.
    jobs : int
        Worker processes; the numbers do not depend on it.

    Raises
    ------
    InferenceError
        Without some group there is nothing to estimate; it is named.
    """
    estimator, design = estimate.estimator, estimate.design
    groups = int(codes.max()) + 1
    parts = known_refits(estimator.refit_counted(design, codes, 1.0 - np.eye(groups)), groups)
    unknown = [g for g, part in enumerate(parts) if part is None]
    tasks = [(estimator, design, codes != g, label) for g in unknown]
    found = run(_refit, tasks, jobs, label)
    return [next(found) if part is None else part for part in parts]


def known_refits(shared: Refits | None, number: int) -> list[Refits | None]:
    """Refits of samples one by one; None for those that are to be fitted by themselves."""
    if shared is None:
        return [None] * number
    return [None if np.isnan(shared.att[k]) else shared.at(np.array([k])) for k in range(number)]


def _refit(estimator: Estimator, design: Design, keep: Booleans, label: str) -> Refits:
    try:
        return estimator.refit(design.keep_units(keep, f"left out by {label}"))
    except DesignError as error:
        raise InferenceError(
            f"{label} cannot leave out {list(map(str, design.units[~keep]))}: {error}"
        ) from error


@dataclass(frozen=True, eq=False)
class Aligned:
    """Refits of changing designs at the event times and adoption cohorts of one estimate.

    Attributes
    ----------
    att : ndarray, shape (refits,)
    effects : ndarray, shape (refits, event times)
        ``nan`` where a refit has no such event time.
    cohorts : ndarray, shape (refits, adoption periods)
    """

    att: Floats
    effects: Floats
    cohorts: Floats

    @classmethod
    def of(
        cls, estimate: Estimate, parts: Sequence[Refits], adoptions: Sequence[Floats]
    ) -> Aligned:
        """Put the refits in the places of the estimate.

        Parameters
        ----------
        estimate : Estimate
        parts : sequence of Refits
            One assignment each.
        adoptions : sequence of ndarray
            Adoption periods of the treated units behind each.
        """
        design = estimate.design
        times = estimate.effects["event_time"].to_numpy()
        effects, cohorts = [], []
        for part, adoption in zip(parts, adoptions, strict=True):
            dates = np.unique(adoption)
            have = np.unique(design.periods[None, :] - dates[:, None])
            effects.append(_placed(part.effects, have, times))
            cohorts.append(_placed(part.cohorts, dates, design.cohorts))
        return cls(
            np.concatenate([part.att for part in parts]), np.stack(effects), np.stack(cohorts)
        )

    @property
    def has_effects(self) -> bool:
        return not bool(np.isnan(self.effects).all())

    @property
    def has_cohorts(self) -> bool:
        return not bool(np.isnan(self.cohorts).all())


def jackknife_errors(values: Floats, points: Floats | float) -> Floats:
    """Standard errors from estimates without each group; ``nan`` where one has nothing left."""
    groups = len(values)
    found: Floats = np.sqrt((groups - 1) / groups * ((values - points) ** 2).sum(axis=0))
    return found


def jackknife_bounds(table: pd.DataFrame, values: Floats, df: float, level: float) -> pd.DataFrame:
    """Standard errors and intervals of the effects in a table, columns of ``values``."""
    points = table["estimate"].to_numpy(dtype=float)
    errors = jackknife_errors(values, points)
    return effect_bounds(table, errors, df, level)


def _placed(values: Floats | None, have: Floats, want: Floats) -> Floats:
    """One row of numbers at the positions of ``want``; ``nan`` where it has none."""
    row = np.full(len(want), np.nan)
    if values is not None and values.shape[1] == len(have):
        inside = np.isin(want, have)
        row[inside] = values[0][np.searchsorted(have, want[inside])]
    return row
