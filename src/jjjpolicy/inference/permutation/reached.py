"""Who may play the treated where treatment affects other units as well.

A method that hands treatment to other units needs some in which nothing happened, and one that
takes samples of units an estimator that means the same in each of them. All of them ask here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import InferenceError

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate, Estimator
    from jjjpolicy.linalg.types import Booleans, Floats


def never_reached(estimator: Estimator, design: Design, method: str) -> Design:
    """The untreated units without those that treatment reaches by a rule.

    Their outcomes hold spillovers of the actual treatment, which the rule would not look for when
    somebody else plays the treated. Units that the options name as affected stay: their effects are
    solved for in every placebo; see :func:`may_play`.

    Raises
    ------
    InferenceError
        Treatment reaches every untreated unit.
    """
    reached = estimator.reached(design) & ~_named(estimator, design)
    if (reached | design.treated).all():
        raise InferenceError(
            f"under {estimator.label} treatment may affect every {design.labels.unit}, so that "
            f"none shows what {method} would find without it; use EndOfSample, or "
            f"RandomizationInference, which tests that there is no effect on anybody."
        )
    controls = design.keep_units(~design.treated, f"set aside by {method}")
    return controls.keep_units(
        ~reached[~design.treated], f"set aside by {method}: treatment may affect it"
    )


def may_play(estimator: Estimator, design: Design) -> Booleans:
    """Groups of assignment, in order, of which the estimator names no unit as affected."""
    _, groups = np.unique(design.assignment, return_inverse=True)
    free: Booleans = np.bincount(groups, _named(estimator, design)) == 0
    return free


def over_all(table: Floats, free: Booleans) -> Floats:
    """Adoption periods of free groups, (assignments, free), as those of all; ``inf`` for others."""
    whole = np.full((len(table), len(free)), np.inf)
    whole[:, free] = table
    return whole


def aside_note(estimate: Estimate) -> tuple[str, ...]:
    """What is to be said of the units that :func:`never_reached` leaves out."""
    design, estimator = estimate.design, estimate.estimator
    return _note(
        "Set aside with the treated, as treatment may affect them",
        design,
        estimator.reached(design) & ~_named(estimator, design),
    )


def named_note(estimate: Estimate) -> tuple[str, ...]:
    """What is to be said of the units that :func:`may_play` bars."""
    design = estimate.design
    named = _named(estimate.estimator, design) & ~design.treated
    return _note("Named as affected, and never treated in another's place", design, named)


def require_unnamed(estimator: Estimator, design: Design, method: str) -> None:
    """Raise an `InferenceError` if the options name units, which samples lack or hold twice."""
    named = _named(estimator, design)
    if named.any():
        raise InferenceError(
            f"{estimator.label} names {_listed(design, named)} as affected, and {method} fits it "
            f"to samples in which such a {design.labels.unit} is absent, treated or there twice; "
            f"use PlaceboUnits or EndOfSample, or say who is affected by a rule such as Rings."
        )


def _note(said: str, design: Design, units: Booleans) -> tuple[str, ...]:
    return (f"{said}: {_listed(design, units)}.",) if units.any() else ()


def _listed(design: Design, units: Booleans) -> str:
    return ", ".join(map(quoted, design.units[units][:5])) + (", …" if units.sum() > 5 else "")


def _named(estimator: Estimator, design: Design) -> Booleans:
    found: Booleans = design.units.isin(list(estimator.named))
    return found
