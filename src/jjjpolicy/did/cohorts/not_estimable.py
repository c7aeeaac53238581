"""Effects that cannot be estimated: one warning, and a line each in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from jjjpolicy.design.clock import NUMBERS, Clock
from jjjpolicy.errors import warn_user

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design

SHOWN = 4
"""Causes that a message spells out."""


def causes_of(skipped: Iterable[tuple[float, int | None, str]], clock: Clock = NUMBERS) -> str:
    """Cohorts and periods (None: all of them) without an estimate, gathered by reason, in words."""
    rows = sorted(
        ((int(group), reason, period) for group, period, reason in skipped), key=lambda r: r[:2]
    )
    gathered: dict[tuple[str, tuple[int | None, ...]], list[int]] = {}
    for (group, reason), some in groupby(rows, key=lambda row: row[:2]):
        gathered.setdefault((reason, tuple(period for *_, period in some)), []).append(group)
    causes = [
        f"cohort {_shown(clock.names(groups))}{_when(periods, clock)} ({reason})"
        for (reason, periods), groups in gathered.items()
    ]
    more = f"; and {len(causes) - SHOWN} more" if len(causes) > SHOWN else ""
    return "; ".join(causes[:SHOWN]) + more


def listed_as_not_estimable(design: Design, table: pd.DataFrame, label: str) -> Design:
    """The design with a ledger that lists effects without an estimate, after a warning.

    Parameters
    ----------
    design : Design
    table : DataFrame
        Columns group (first treated period of the cohort), reason, and optionally time (None or
        absent: all periods) and units (how many of the cohort, where not all).
    label : str
        The estimator.
    """
    if len(table) == 0:
        return design
    times = table.get("time", pd.Series(None, index=table.index, dtype=object))
    periods = [None if pd.isna(time) else int(time) for time in times]
    groups = [int(group) for group in table["group"]]
    reasons = table["reason"].tolist()
    clock = design.labels.clock
    causes = causes_of(zip(groups, periods, reasons, strict=True), clock)
    warn_user(
        f"{label}: effects that cannot be estimated and are in no average: {causes}. See "
        f"estimate.details['not_estimable'] and estimate.design.ledger.",
    )
    counts = table["units"] if "units" in table else [None] * len(table)
    entries = [
        (period, f"{label} has no effect of cohort {group}{_counted(units)} here: {reason}")
        for group, period, units, reason in zip(
            clock.names(groups), periods, counts, reasons, strict=True
        )
    ]
    return replace(design, left_out=design.left_out.with_effects(entries))


def _shown(names: Sequence[int | str]) -> str:
    return ", ".join(map(str, names[:SHOWN])) + (", …" if len(names) > SHOWN else "")


def _when(periods: Iterable[int | None], clock: Clock) -> str:
    known = [clock.name(period) for period in periods if period is not None]
    return f" in {_shown(known)}" if known else ""


def _counted(units: int | None) -> str:
    return "" if units is None else f" ({units} unit{'' if units == 1 else 's'})"
