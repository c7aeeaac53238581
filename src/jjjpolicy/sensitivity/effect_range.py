"""The effects that equally good donor weights imply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.positions import positions_in
from jjjpolicy.linalg.simplex_ball import maximize_over_ball
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats

PERFECT = 1e-7
"""Share of the donors' distance from the treated unit below which a fit counts as perfect."""


NEARLY_PERFECT = 0.05
"""Share of that distance below which other weights fit about as well."""


@dataclass(frozen=True, eq=False)
class EffectRange:
    """Effects that the pre-treatment data cannot tell apart.

    Attributes
    ----------
    att, lower, upper : float
        The estimate of the average effect, and the least and largest one within the tolerance.
    closest : float
        The average effect of those weights within the tolerance that put most weight on donors near
        the treated unit: the penalised estimator as a tie-break.
    effects : DataFrame
        Columns event_time, estimate, lower, upper, closest; treated periods.
    units : DataFrame
        One row per treated unit: unit, att, lower, upper, closest, pre_rmspe, largest_rmspe,
        donors, pre_periods, perfect_fit.
    tolerance : float
    """

    att: float
    lower: float
    upper: float
    closest: float
    effects: pd.DataFrame
    units: pd.DataFrame
    tolerance: float

    __repr__ = brief

    def summary(self) -> str:
        """A few lines to stand beside the estimate."""
        lines = [
            f"average effect {self.att:.6g}; weights that fit the pre-treatment periods as well "
            f"({self.tolerance:.0%} larger RMSPE allowed) give {self.lower:.6g} to "
            f"{self.upper:.6g}; those on the closest donors {self.closest:.6g}"
        ]
        table = self.units
        ambiguous = table["perfect_fit"] & (table["donors"] > table["pre_periods"] + 1)
        lines += [
            f"{row['unit']}: {row['donors']} donors fit {row['pre_periods']} periods perfectly in "
            f"more than one way; the solver and not the data picks the weights"
            for row in table[ambiguous].to_dict("records")
        ]
        return "\n".join(lines)


@one_thread
def effect_range(
    estimate: Estimate, tolerance: float = 0.05, smallest_rmspe: float = 0.0
) -> EffectRange:
    r"""The least and the largest effect of all weights that fit about as well as the estimate's.

    With more donors than pre-treatment periods plus one, a fit that is (nearly) perfect leaves a
    set of weights that fit alike and imply different effects. For each treated unit the effect of
    each period, and their average, is minimised and maximised over

    .. math:: \Bigl\{w \ge 0,\ 1'w = 1:\ \mathrm{RMSPE}(w) \le
              \max\bigl((1 + \text{tolerance})\,\mathrm{RMSPE}(\hat w),\ \text{smallest}\bigr)
              \Bigr\}.

    The problems are linear with one quadratic constraint and are solved exactly
    (:func:`jjjpolicy.linalg.simplex_ball.maximize_over_ball`). Averages over units add up the ends
    of each unit. With a perfect fit and no tolerance the set is the polytope of all perfect fits.
    Where weights were chosen on several outcomes, the RMSPE is over all of them.

    Parameters
    ----------
    estimate : Estimate
        From an estimator with weights on the simplex, with or without an intercept.
    tolerance : float
        Share by which the pre-treatment RMSPE may grow.
    smallest_rmspe : float
        An RMSPE, in units of the outcome, that is good enough in any case; what a rounding of the
        published figures makes uncertain is a natural choice.

    Raises
    ------
    InferenceError
        The estimate has no weights on the simplex, or its counterfactual is not made of weighted
        donor outcomes and an intercept; a negative tolerance.
    """
    if tolerance < 0 or smallest_rmspe < 0:
        raise InferenceError("tolerance= and smallest_rmspe= must not be negative.")
    weights, paths, design = estimate.weights, estimate.counterfactual, estimate.design
    if weights is None or paths is None:
        raise InferenceError(f"{estimate.estimator.label} has no donor weights to vary.")
    table = weights.to_numpy()
    if (table < -1e-9).any() or np.abs(table.sum(axis=0) - 1).max() > 1e-6:
        raise InferenceError(
            f"weights of {estimate.estimator.label} do not lie on the simplex; the set of equally "
            f"good ones is unbounded without it."
        )
    pool = design.outcome[positions_in(design.units, weights.index)].T
    parts, rows = [], []
    for k, i in enumerate(np.flatnonzero(design.treated)):
        before = design.periods < design.adoption[i]
        own = design.outcome[i] - paths.to_numpy()[k]
        difference = _differences(pool, design.outcome[i], before, table[:, k], own)
        if difference is None:
            raise InferenceError(
                f"the counterfactual of {estimate.estimator.label} is not a weighted average of "
                f"donors and an intercept."
            )
        fitted = _fitted(estimate, k, difference[before])
        rmspe = float(np.sqrt(((fitted @ table[:, k]) ** 2).mean()))
        limit = max((1 + tolerance) * rmspe, smallest_rmspe)
        ends = _ends(fitted, difference[~before], limit)
        after = design.periods[~before] - int(design.adoption[i])
        part = pd.DataFrame(ends[:-1], columns=["lower", "upper", "closest"])
        parts.append(part.assign(event_time=after, estimate=own[~before]))
        rows.append(
            {
                "unit": weights.columns[k],
                "att": float(own[~before].mean()),
                "lower": ends[-1, 0],
                "upper": ends[-1, 1],
                "closest": ends[-1, 2],
                "pre_rmspe": rmspe,
                "largest_rmspe": limit,
                "donors": pool.shape[1],
                "pre_periods": int(before.sum()),
                "perfect_fit": rmspe <= PERFECT * float(np.sqrt((fitted**2).mean())),
            }
        )
    units = pd.DataFrame(rows)
    cells = np.array([len(part) for part in parts]) / sum(len(part) for part in parts)
    columns = ["event_time", "estimate", "lower", "upper", "closest"]
    effects = pd.concat(parts)[columns].groupby("event_time", as_index=False).mean()
    average = {name: float(cells @ units[name]) for name in ("att", "lower", "upper", "closest")}
    return EffectRange(**average, effects=effects, units=units, tolerance=tolerance)


@one_thread
def undecided_range(estimate: Estimate) -> EffectRange | None:
    """The range of effects where pre-treatment data leave a choice of weights; None elsewhere.

    That is where a treated unit has more donors than there are conditions before treatment plus one
    (periods, one less with an intercept, or those of all outcomes), and weights on the simplex fit
    it (nearly) perfectly, or were pooled with those of other units and could be others at the same
    fit.

    Parameters
    ----------
    estimate : Estimate
    """
    weights, paths, design = estimate.weights, estimate.counterfactual, estimate.design
    if weights is None or paths is None:
        return None
    pool = design.outcome[positions_in(design.units, weights.index)].T
    pooled = 0 < estimate.details.get("pooling", 0.0) < 1
    for k, i in enumerate(np.flatnonzero(design.treated)):
        before = design.periods < design.adoption[i]
        own, chosen = design.outcome[i] - paths.to_numpy()[k], weights.iloc[:, k].to_numpy()
        difference = _differences(pool, design.outcome[i], before, chosen, own)
        if difference is None:
            return None
        fitted = _fitted(estimate, k, difference[before])
        if len(chosen) <= _rank(fitted) + 1:
            continue
        if ((fitted @ chosen) ** 2).mean() <= NEARLY_PERFECT**2 * (fitted**2).mean():
            break
        if pooled and _movable(fitted, chosen):
            break
    else:
        return None
    try:
        return effect_range(estimate)
    except InferenceError:  # not a weighted average on the simplex
        return None


def _differences(
    pool: Floats, path: Floats, before: Booleans, weights: Floats, gaps: Floats
) -> Floats | None:
    """Treated minus donor outcomes whose weighted average is the gap; None if there are none."""
    plain = path[:, None] - pool
    scale = 1e-7 * float(np.abs(pool).max())
    if np.abs(plain @ weights - gaps).max() <= scale:
        return plain
    centred: Floats = plain - plain[before].mean(axis=0)
    return centred if np.abs(centred @ weights - gaps).max() <= scale else None


def _fitted(estimate: Estimate, k: int, own: Floats) -> Floats:
    """What the weights of a treated unit were chosen on, less that unit, shape (rows, donors)."""
    matched: Sequence[Floats] | None = estimate.details.get("matched")
    return own if matched is None else matched[k]


def _movable(fitted: Floats, weights: Floats) -> bool:
    """Whether donors with weight can exchange some of it without a change of the fit."""
    active = fitted[:, weights > 1e-6]
    scale = float(np.abs(active).max()) or 1.0
    rows = np.vstack([active / scale, np.ones(active.shape[1])])
    return bool(_rank(rows) < active.shape[1])


def _rank(rows: Floats) -> int:
    """Conditions in the rows that are not combinations of others."""
    return int(np.linalg.matrix_rank(rows, rtol=1e-9))


def _ends(fitted: Floats, effects: Floats, limit: float) -> Floats:
    """Least, largest and closest effect per period and on average, shape (periods + 1, 3)."""
    directions = np.vstack([effects, effects.mean(axis=0)])
    count, donors = directions.shape
    squares = (fitted**2).sum(axis=0)
    every = np.vstack([-directions, directions, -squares])
    solved = maximize_over_ball(
        fitted.T @ fitted,
        np.zeros((len(every), donors)),
        np.full(len(every), -len(fitted) * limit**2),
        every,
    )
    return np.column_stack(
        [
            -solved.values[:count],
            solved.values[count : 2 * count],
            directions @ solved.weights[-1],
        ]
    )
