"""Intervals at the level that is asked for, or at the highest that few assignments allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.results import fits_ahead

if TYPE_CHECKING:
    import pandas as pd

    from jjjpolicy.estimation.estimate import Estimate


@dataclass(frozen=True)
class Attained:
    """An interval and its level.

    Attributes
    ----------
    low, high : float
    level : float
        The one asked for, or :math:`1 - p_{\\min}` where that is lower.
    widest : bool
        Whether no higher level has an interval with ends.
    """

    low: float
    high: float
    level: float
    widest: bool


def attained(estimate: Estimate, level: float) -> Attained | None:
    """The interval of the overall effect; None where the method has none.

    With B placebo assignments no effect has a p-value below :math:`1/(1+B)`, so that no interval of
    a level above :math:`B/(1+B)` has ends. The one of that level is given instead of the whole
    line.

    Raises
    ------
    InferenceError
        ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise InferenceError(f"level={level} must lie between 0 and 1, e.g. 0.95.")
    result = estimate.inference
    if result is None or result.bounds is None:
        return None
    asked = estimate.interval(level)
    least = result.smallest_pvalue
    if np.isfinite(asked).all() or least is None or not 1 - least < level:
        return Attained(*asked, level, False)
    widest = estimate.interval(1 - least)
    if not np.isfinite(widest).all():
        return Attained(*asked, level, False)
    return Attained(*widest, 1 - least, True)


def attainable(estimate: Estimate, level: float) -> float:
    """The level asked for, or the highest whose interval of the overall effect has ends.

    As asked for where it takes refits to know.
    """
    result = estimate.inference
    least = None if result is None else result.smallest_pvalue
    if result is None or least is None or not 1 - least < level:
        return level
    found = None if fits_ahead(result.bounds, level) else attained(estimate, level)
    return level if found is None else found.level


def percent(level: float) -> str:
    """A level in per cent: 95%, or 94.1% for 16 of 17."""
    shown = f"{100 * level:.1f}".removesuffix(".0")
    return f"{shown if float(shown) < 100 else f'{100 * level:g}'}%"


def effects_at(estimate: Estimate, level: float) -> pd.DataFrame:
    """Effects by event time, those at 95% as the estimate keeps them."""
    return estimate.effects if level == 0.95 else estimate.effects_at(level)
