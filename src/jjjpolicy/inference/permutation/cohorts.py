"""Adoption cohorts as designs of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design


def cohort_designs(design: Design) -> list[Design]:
    """The units of each adoption period with all never-treated ones, in order of adoption.

    Raises
    ------
    InferenceError
        Treatment switches off.
    """
    if not design.absorbing:
        raise InferenceError(
            "treatment switches off in this design, so that no period divides before from after; "
            "use ClusterBootstrap, MultiplierBootstrap or Clustered."
        )
    if len(design.cohorts) == 1:
        return [design]
    return [
        design.keep_units(
            np.isinf(design.adoption) | (design.adoption == date), "other cohorts set aside"
        )
        for date in design.cohorts
    ]
