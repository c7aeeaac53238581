"""Choosing among options whose errors may tie."""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.types import Floats

RELATIVE, ROUNDING = 1e-9, 1e-14
"""Shares of the smallest and of the largest error within which others tie with the smallest."""


def first_smallest(errors: Floats) -> int:
    """Position of the first error that is the smallest up to rounding.

    Where several options do equally well, which of them is a hair better depends on the processor;
    the order of the options decides instead.

    Parameters
    ----------
    errors : ndarray, shape (options,)
        Non-negative, such as sums of squared prediction errors.
    """
    smallest, largest = float(errors.min()), float(errors[np.isfinite(errors)].max(initial=0.0))
    return int(np.argmax(errors <= smallest + RELATIVE * smallest + ROUNDING * largest))
