"""A demeaned synthetic control for every unit of a panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.linalg.simplex import simplex_weights

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats


def demeaned_fits(early: Floats) -> tuple[Floats, Floats]:
    """Intercept and simplex weights of each unit on all others.

    Parameters
    ----------
    early : ndarray, shape (units, periods)
        Outcomes before treatment.

    Returns
    -------
    intercepts : ndarray, shape (units,)
    weights : ndarray, shape (units, units)
        Rows sum to one; zero on the diagonal.
    """
    centre = early.mean(axis=1)
    deviations = early - centre[:, None]
    weights = np.zeros((len(early), len(early)))
    for i in range(len(early)):
        others = np.arange(len(early)) != i
        weights[i, others] = simplex_weights((deviations[others] - deviations[i]).T)
    return centre - weights @ centre, weights
