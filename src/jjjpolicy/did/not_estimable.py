"""Effects that cannot be estimated: one warning, and a line each in the ledger."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from jjjpolicy.errors import JJJPolicyWarning

if TYPE_CHECKING:
    from jjjpolicy.design import Design

SHOWN = 4
"""Causes that the warning spells out."""


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
    rows = sorted(zip(groups, reasons, periods, strict=True), key=lambda row: row[:2])
    causes = [
        _cause(group, [period for *_, period in some], reason)
        for (group, reason), some in groupby(rows, key=lambda row: row[:2])
    ]
    more = f"; and {len(causes) - SHOWN} more" if len(causes) > SHOWN else ""
    warnings.warn(
        f"{label}: effects that cannot be estimated and are in no average: "
        f"{'; '.join(causes[:SHOWN])}{more}. See estimate.details['not_estimable'] and "
        f"estimate.design.ledger.",
        JJJPolicyWarning,
        stacklevel=3,
    )
    counts = table["units"] if "units" in table else [None] * len(table)
    entries = [
        (period, f"{label} has no effect of cohort {group}{_counted(units)} here: {reason}")
        for group, period, units, reason in zip(groups, periods, counts, reasons, strict=True)
    ]
    return replace(design, left_out=design.left_out.with_effects(entries))


def _cause(group: int, periods: list[int | None], reason: str) -> str:
    known = [str(period) for period in periods if period is not None]
    when = f" in {', '.join(known[:SHOWN])}{', …' if len(known) > SHOWN else ''}" if known else ""
    return f"cohort {group}{when} ({reason})"


def _counted(units: int | None) -> str:
    return "" if units is None else f" ({units} unit{'' if units == 1 else 's'})"
