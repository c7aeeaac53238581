"""What synthetic-control estimators ask of a design, with messages that name unit and remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.linalg.twoway import independent_columns

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.simplex import SimplexSolution
    from jjjpolicy.linalg.types import Booleans, Floats

# Standard deviations of the donors.
FAR_OUTSIDE = 0.25


def require_panel(design: Design, method: str, donors: int) -> Booleans:
    """Mask of the donors, on a balanced panel with absorbing treatment and no weights.

    Raises
    ------
    DesignError
        One of these does not hold, or fewer than ``donors`` units are never treated.
    """
    design.require_absorbing(method)
    design.require_balanced(method)
    design.require_unweighted(method)
    return design.require_never_treated(method, donors)


def require_pre_periods(design: Design, method: str, unit: int, before: int, least: int) -> None:
    """Raise a `DesignError` if the unit in row ``unit`` has too few periods before treatment."""
    if before < least:
        name = f"{design.labels.unit} {quoted(design.units[unit])}"
        raise DesignError(
            f"{method} needs at least {least} periods before treatment; {name} has {before}. "
            f"Start the window earlier, or leave the unit out with exclude=[…]."
        )


def require_varying_covariates(design: Design, residuals: Floats, values: Floats) -> None:
    """Raise a `DesignError` if covariates say nothing beyond unit and period effects.

    Parameters
    ----------
    design : Design
    residuals : ndarray, shape (cells, covariates)
        Unit and period effects taken out.
    values : ndarray, shape (cells, covariates)
    """
    gram = residuals.T @ residuals
    scale = np.maximum((values**2).sum(axis=0), 1e-300)
    kept = independent_columns(gram)
    dropped = [
        name
        for k, name in enumerate(design.covariates)
        if k not in kept or gram[k, k] <= 1e-20 * scale[k]
    ]
    if dropped:
        raise DesignError(
            f"covariate {', '.join(map(repr, dropped))} is a combination of unit effects, period "
            f"effects and the other covariates in untreated cells; leave it out."
        )


def look_at_hull(
    design: Design, donors: Booleans, i: int, before: Booleans, best: SimplexSolution
) -> None:
    """Warn about a treated unit that no average of donors comes near.

    A quarter of a standard deviation is the distance from which on Imbens and Rubin (2015, section
    14.2) call groups different.
    """
    pool = design.outcome[np.ix_(donors, before)]
    spread = float(np.sqrt(pool.var(axis=0).mean()))
    if spread == 0 and len(pool) > 1:
        raise DesignError(
            f"{design.labels.outcome!r} is the same for all donors in every period before "
            f"{design.labels.clock.name(design.adoption[i])}, so that there is nothing to choose "
            f"weights by; look at the outcome column."
        )
    distance = float(np.sqrt(max(best.objective, 0.0) / before.sum()))
    if len(pool) > 1 and distance > FAR_OUTSIDE * spread:
        warn_user(
            f"{design.labels.unit} {quoted(design.units[i])} lies far outside the convex hull of "
            f"its donors: the closest average of donors misses it by {distance:.4g} "
            f"({distance / spread:.2g} standard deviations of the donors) on average over the "
            f"periods before treatment. Differences in level remain in the effects; consider "
            f"DemeanedSyntheticControl or SyntheticDiD.",
        )


def require_penalty(name: str, value: float | None, *, positive: bool = False) -> None:
    """Raise a `DesignError` if a penalty is negative, or zero where it must be positive."""
    if value is not None and not (value > 0 if positive else value >= 0):
        raise DesignError(f"{name}={value} must be {'above zero' if positive else 'zero or more'}.")
