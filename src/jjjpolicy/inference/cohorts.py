"""Adoption cohorts as designs of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.design import Design


def cohort_designs(design: Design) -> list[Design]:
    """The units of each adoption period with all never-treated ones, in order of adoption."""
    if len(design.cohorts) == 1:
        return [design]
    return [
        design.keep_units(
            np.isinf(design.adoption) | (design.adoption == date), "other cohorts set aside"
        )
        for date in design.cohorts
    ]
