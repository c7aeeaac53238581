"""What synthetic-control estimators ask of a design, with messages that name unit and remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jjjpolicy.errors import DesignError
from jjjpolicy.intake import quoted

if TYPE_CHECKING:
    from jjjpolicy.design import Booleans, Design


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
