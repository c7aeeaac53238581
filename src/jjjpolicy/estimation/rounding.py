"""What is rounding on a machine and what is a number: one tolerance, in the unit of the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats

TIE = 1e-9
"""Share of a statistic, or of the range of the outcome, within which two statistics tie.

Ten times what solvers leave open, and far below what an outcome is measured to.
"""

LEVEL = 1e-12
"""The same as a share of the largest outcome, which decides where that dwarfs the range."""


def resolution(outcome: Floats) -> float:
    """Distance below which two averages of an outcome cannot be told apart, in its own unit.

    Parameters
    ----------
    outcome : ndarray
        ``nan`` marks absent cells.
    """
    low, high = float(np.nanmin(outcome)), float(np.nanmax(outcome))
    return max(TIE * (high - low), LEVEL * max(abs(low), abs(high)))


def cleared(values: Floats, noise: Floats | float) -> Floats:
    """Values with zeros in place of rounding errors."""
    kept: Floats = np.where(np.abs(values) <= noise, 0.0, values)
    return kept


def standing(errors: Floats, noise: float) -> Floats:
    """Standard errors, ``nan`` in place of those that are zero or rounding.

    A comparison that is fitted exactly leaves nothing to measure variation by: its standard error
    is unknown and not zero.

    Parameters
    ----------
    errors : ndarray
        In the unit of the outcome.
    noise : float
        Its :func:`resolution`.
    """
    kept: Floats = np.where(errors > noise, errors, np.nan)
    return kept
