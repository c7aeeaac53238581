"""Estimates without each group of units, effects by event time and cohort in their places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.covered import covered_effects
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
    parts = estimator.refit_counted(design, codes, 1.0 - np.eye(groups))
    unknown = [g for g, part in enumerate(parts) if part is None]
    tasks = [(estimator, design, codes != g, label) for g in unknown]
    found = run(_refit, tasks, jobs, label)
    return [next(found) if part is None else part for part in parts]


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
    events : DataFrame, one row per event time
        Columns event_time and estimate, without effects that are zero by definition.
    att : ndarray, shape (refits,)
    effects : ndarray, shape (refits, event times)
        ``nan`` where a refit has no such event time.
    cohorts : ndarray, shape (refits, adoption periods)
    """

    events: pd.DataFrame
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
        events, dates = covered_effects(estimate), estimate.design.cohorts
        times = events["event_time"].to_numpy()
        return cls(
            events,
            np.concatenate([part.att for part in parts]),
            np.stack([_placed(part.effects, part.event_times, times) for part in parts]),
            np.stack(
                [
                    _placed(part.cohorts, np.unique(adoption)[None], dates)
                    for part, adoption in zip(parts, adoptions, strict=True)
                ]
            ),
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


def _placed(values: Floats | None, have: NDArray[Any] | None, want: NDArray[Any]) -> Floats:
    """One row of numbers at the positions of ``want``; ``nan`` where it has none."""
    row = np.full(len(want), np.nan)
    if values is not None and have is not None:
        _, own, places = np.intersect1d(have[0], want, return_indices=True)
        row[places] = values[0][own]
    return row
