"""Designs whose periods come in another order, so that a block before treatment plays treated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Integers


def reordered(design: Design, columns: Integers, start: int) -> Design:
    """The design with its periods in another order, or some of them, numbered from zero.

    Parameters
    ----------
    design : Design
        With one adoption date.
    columns : ndarray of int
        Positions of the periods to keep, in their new order.
    start : int
        How many of them come before treatment.
    """
    return replace(
        design,
        outcome=design.outcome[:, columns],
        periods=np.arange(len(columns)),
        covariates={name: values[:, columns] for name, values in design.covariates.items()},
        predictors={name: values[:, columns] for name, values in design.predictors.items()},
        adoption=np.where(design.treated, float(start), np.inf),
    )
