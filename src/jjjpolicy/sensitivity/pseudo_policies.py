"""Pseudo-policies: adoption dates given to groups that were never treated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import DesignError
from jjjpolicy.inference.permutation.assignments import AssignmentSpace

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats


def never_treated(design: Design, method: str) -> Design:
    """The panel without the treated units, whose outcome holds the actual effect."""
    design.require_absorbing(method)
    design.require_units(method)
    return design.keep_units(~design.treated, "treated: its outcome holds the actual effect")


def pseudo_policies(
    controls: Design, bundles: Floats, draws: int, seed: int
) -> tuple[Floats, bool]:
    """Adoption periods of pseudo-policies, shape (policies, units), and whether these are all.

    Parameters
    ----------
    controls : Design
        Never-treated units.
    bundles : ndarray, shape (treated groups,)
        Adoption periods to hand out at the level of assignment.
    draws : int
        Number of pseudo-policies; all of them where there are no more.
    seed : int

    Raises
    ------
    DesignError
        Fewer groups than bundles plus two controls.
    """
    codes = np.unique(controls.assignment, return_inverse=True)[1].astype(np.int64)
    groups = int(codes.max(initial=-1)) + 1
    if groups < len(bundles) + 2:
        raise DesignError(
            f"pseudo-policies need {len(bundles)} pseudo-treated and at least 2 control groups at "
            f"the level {controls.assigned_at!r}; only {groups} were never treated."
        )
    space = AssignmentSpace(bundles, groups)
    exact = space.count <= draws
    table = space.enumerate() if exact else space.sample(draws, seed)
    return table[:, codes], exact
