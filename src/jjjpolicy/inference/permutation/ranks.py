"""Ranks of a statistic among placebo statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.design.design import Floats

Alternative = Literal["two-sided", "greater", "less"]


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
