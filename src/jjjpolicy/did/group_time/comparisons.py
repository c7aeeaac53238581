"""Which cohorts are compared with whom, in which period, from which base period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from jjjpolicy.did.cohorts.not_estimable import causes_of
from jjjpolicy.did.group_time.effects import Skipped
from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

Control = Literal["never", "not_yet"]
Base = Literal["varying", "universal"]

CONTROL_ONLY = "treated last, without never-treated units: serves as control only"


@dataclass(frozen=True)
class Comparison:
    """One group-time cell.

    Attributes
    ----------
    cohort : int
        Position of the cohort among the distinct adoption values.
    group : float
        Its first treated period.
    period, base : int
        Columns of the outcome.
    first_control : int
        Cohorts from this position on are controls, other than the cohort itself.
    """

    cohort: int
    group: float
    period: int
    base: int
    first_control: int

    @property
    def reference(self) -> bool:
        """Whether the effect is zero by definition."""
        return self.period == self.base

    @property
    def earlier(self) -> int:
        """The earlier of the two periods, from which covariates are taken."""
        return min(self.period, self.base)

    def members(self, cohort_codes: Integers) -> tuple[Integers, Booleans]:
        """Units that take part, cohort by cohort, and which of them are treated."""
        last = int(cohort_codes.max())
        controls = [c for c in range(self.first_control, last + 1) if c != self.cohort]
        parts = [np.flatnonzero(cohort_codes == c) for c in (self.cohort, *controls)]
        rows = np.concatenate(parts)
        return rows, np.arange(len(rows)) < len(parts[0])


def memberships(cells: Sequence[Comparison], cohorts: int) -> tuple[Floats, Floats]:
    """1 for the treated cohort of a cell, and for its controls; each of shape (cells, cohorts)."""
    position = np.arange(cohorts)
    treated = np.array([cell.cohort for cell in cells])[:, None] == position
    later = np.array([cell.first_control for cell in cells])[:, None] <= position
    return treated.astype(float), (later & ~treated).astype(float)


def moves(cells: Sequence[Comparison], periods: int) -> Floats:
    """1 in the period and -1 in the base period of a cell, shape (cells, periods)."""
    identity = np.eye(periods)
    after, before = [cell.period for cell in cells], [cell.base for cell in cells]
    return identity[after] - identity[before]


def require_anticipation(anticipation: int) -> None:
    """Raise a `DesignError` for a negative number of periods."""
    if anticipation < 0:
        raise DesignError(f"anticipation={anticipation} must be 0 or more periods.")


def plan_comparisons(
    design: Design, control: Control, base: Base, anticipation: int
) -> tuple[list[Comparison], list[Skipped]]:
    """All group-time cells by cohort and period, and those without base period or controls.

    Raises
    ------
    DesignError
        No never-treated units for ``control="never"``, or no cohort with a base period.
    """
    cohorts, _ = design.cohort_codes
    periods = design.periods
    has_never = bool(np.isinf(cohorts[-1]))
    require_controls(design, control)
    last = untreated_periods(design, anticipation)
    skipped: list[Skipped] = []
    cells: list[Comparison] = []
    for position, group in enumerate(cohorts[:-1]):
        before = int((periods < group - anticipation).sum())
        if before == 0:
            skipped.append((group, None, missing_base(design, group, anticipation)))
            continue
        for period in range(0 if base == "universal" else 1, len(periods)):
            if period >= last:
                reason = no_untreated(design.labels.clock.name(periods[period]), anticipation)
                skipped.append((group, int(periods[period]), reason))
                continue
            settled = base == "universal" or periods[period] >= group - anticipation
            reference = before - 1 if settled else period - 1
            first_control = len(cohorts) - 1
            if control == "not_yet":
                horizon = periods[max(period, reference)] + anticipation
                first_control = int(np.searchsorted(cohorts, horizon, side="right"))
            cells.append(Comparison(position, group, period, reference, first_control))
    if not has_never:
        skipped.append((cohorts[-1], None, CONTROL_ONLY))
    if not any(not cell.reference for cell in cells):
        raise DesignError(
            f"no group-time effect can be estimated. {causes_of(skipped, design.labels.clock)}."
        )
    return cells, skipped


def require_controls(design: Design, control: Control) -> None:
    """Raise a `DesignError` if ``control="never"`` and there are no never-treated units."""
    if control == "never" and design.treated.all():
        cohorts = design.cohorts
        shown = ", ".join(map(str, design.labels.clock.names(cohorts[:6])))
        raise DesignError(
            f"control='never' needs never-treated units, and every {design.labels.unit} is treated "
            f"in the end (cohorts {shown}{', …' if len(cohorts) > 6 else ''}). Use "
            f"control='not_yet', which compares with units that are treated later."
        )


def untreated_periods(design: Design, anticipation: int) -> int:
    """Number of periods, from the first on, in which some unit is (anticipated to be) untreated."""
    return int((design.periods < design.adoption.max() - anticipation).sum())


def missing_base(design: Design, group: float, anticipation: int) -> str:
    """Why a cohort has no base period."""
    base, first = design.labels.clock.names([group - anticipation - 1, design.periods[0]])
    return (
        f"its base period {base} lies outside the sample, which begins in {first}: begin "
        f"earlier{' or anticipate fewer periods' if anticipation else ''}"
    )


def no_untreated(period: int | str, anticipation: int) -> str:
    """Why no cohort has controls in a period."""
    ahead = f" for {anticipation} more periods" if anticipation else ""
    return f"no unit is still untreated{ahead} in {period}"
