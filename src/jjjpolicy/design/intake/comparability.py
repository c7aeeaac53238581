"""Whether the figures of a panel compare: one level, one definition, one area; and flagged ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pandas as pd

from jjjpolicy.design.intake.columns import shown_labels
from jjjpolicy.design.ledger import Ledger
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.panels.variable import Break, with_inputs
from jjjpolicy.registry.regions import ancestors

if TYPE_CHECKING:
    from jjjpolicy.panels.panel import Panel


def require_one_level(units: Iterable[str]) -> None:
    """Refuse a region beside the province or city that it lies in."""
    held = {str(unit) for unit in units}
    for unit in sorted(held):
        for above in ancestors(unit):
            if above in held:
                raise DesignError(
                    f"{unit} lies in {above}, and the panel holds both, so that the same figures "
                    f"would count twice: load one level, jp.load(…, level='county'), or leave one "
                    f"of them out with panel.select(units=[…])."
                )


def across_breaks(
    panel: Panel, names: Iterable[str], first: int, last: int, allowed: bool, ledger: Ledger
) -> Ledger:
    """The ledger with the breaks of definition between two periods.

    Raises
    ------
    DesignError
        There are some, and they are not ``allowed``; the message names the windows without.
    """
    for name in dict.fromkeys(names):
        crossed = [each for each in panel.variables[name].breaks if first < each.year <= last]
        if not crossed:
            continue
        told = "; ".join(f"from {each.year} on {each.reason_en}" for each in crossed)
        if not allowed:
            windows = " or ".join(map(str, _windows(crossed, first, last)))
            raise DesignError(
                f"figures of {name!r} do not compare over {first}-{last}: {told}. Choose window="
                f"{windows}; or pass across_breaks=True, and the ledger records it."
            )
        for each in crossed:
            ledger = ledger.with_note(None, each.year, f"{name}: {each.reason_en}")
    return ledger


def _windows(crossed: list[Break], first: int, last: int) -> Iterator[tuple[int, int]]:
    starts = [first, *(each.year for each in crossed)]
    ends = [*(each.year - 1 for each in crossed), last]
    yield from zip(starts, ends, strict=True)


def changed_areas(
    panel: Panel, units: Iterable[str], treated: Iterable[str], first: int, last: int
) -> dict[str, str]:
    """Units whose area changed between two periods, with the reason; a warning for treated ones."""
    if panel.area_changes.empty:
        return {}
    table = panel.area_changes
    table = table[table["time"].between(first, last) & table["unit"].isin(list(units))]
    reasons: dict[str, str] = {}
    for unit, year, reason in table.itertuples(index=False, name=None):
        told = f"area changed in {year}: {reason}"
        reasons[unit] = f"{reasons[unit]}; {told}" if unit in reasons else told
    lost = sorted(set(reasons) & set(treated))
    if lost:
        warn_user(
            f"treated {panel.unit} {shown_labels(pd.Index(lost))} left out, since the area changed "
            f"between {first} and {last}. design.ledger says how; changed_areas=True keeps them."
        )
    return reasons


def flagged(panel: Panel, names: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    """Figures behind some variables that look odd and are kept as published."""
    if panel.flags.empty:
        return
    behind = with_inputs(names, panel.variables)
    table = panel.flags[panel.flags["variable"].isin(behind)]
    for unit, period, name, check in table.itertuples(index=False, name=None):
        yield unit, period, f"{name} is flagged ({check}) and kept as published"
