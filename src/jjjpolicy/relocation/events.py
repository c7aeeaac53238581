"""From registration events to firm records."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.relocation.engine import fetch, load, open_table
from jjjpolicy.relocation.records import (
    FirmRecords,
    Source,
    assembled,
    check_unique,
    check_values,
    named_columns,
)

REGISTERED, CHANGED, DEREGISTERED = EVENTS = ("registered", "changed", "deregistered")


def from_events(
    source: Source,
    *,
    through: int,
    firm: str = "firm",
    date: str = "date",
    event: str = "event",
    region: str = "region",
    industry: str | None = "industry",
    size: str | None = "size",
    region_codes: Collection[str] | None = None,
    connection: Any = None,
) -> FirmRecords:
    """Firm records at the end of each year, from registration events.

    A row is an event and the state of the firm after it. A firm has a record in each year that
    ends between its registration and its deregistration, with the state after its last event; one
    that comes and goes within a year has none.

    Parameters
    ----------
    source : path, list of paths, DataFrame or Ibis table
        One row per firm and date.
    through : int
        Last year of records; events must not be later.
    firm, region, industry, size, region_codes, connection
        As in :func:`firm_records`. In a deregistration they hold the last state.
    date : str
        Column of dates or timestamps.
    event : str
        Column of ``"registered"``, ``"changed"`` (such as a move) or ``"deregistered"``.

    Returns
    -------
    FirmRecords

    Raises
    ------
    DataError
        As for :func:`firm_records`; also an unknown event, a date after ``through``, a first event
        that is no registration, and an event that cannot follow the one before it.
    MissingExtraError
        Ibis is not installed.
    """
    table, connection = open_table(source, connection)
    wanted = {
        "firm": firm,
        "date": date,
        "event": event,
        "region": region,
        "industry": industry,
        "size": size,
    }
    table = named_columns(table, wanted)
    check_values(table, connection, wanted, "firm", "date")
    check_unique(
        table, connection, wanted, "firm", "date", "their order is unknown: merge them or date them"
    )
    _check_order(table, connection, event, through)
    records = _year_ends(table, through)
    return assembled(records, connection, region, region_codes)


def _check_order(table: Any, connection: Any, column: str, through: int) -> None:
    ibis = load("ibis")
    window = ibis.window(group_by="firm", order_by="date")
    ordered = table.mutate(before=table.event.lag().over(window))
    # Registered firms change or leave; new ones and those that left register.
    registering = ordered.event == REGISTERED
    outside = ordered.before.isnull() | (ordered.before == DEREGISTERED)
    wrong = ordered.filter(
        ~ordered.event.isin(EVENTS) | (ordered.date.year() > through) | (registering != outside)
    )
    first = fetch(wrong.order_by(["firm", "date"]).limit(1), connection)
    if not len(first):
        return
    row = first.iloc[0]
    place = f"firm {row['firm']!r} on {row['date']:%Y-%m-%d}"
    if row["event"] not in EVENTS:
        problem = f"column {column!r} holds {row['event']!r}; events are {', '.join(EVENTS)}."
    elif row["date"].year > through:
        problem = f"the event is after through={through}; raise it or leave the event out."
    elif row["before"] in EVENTS:
        problem = f"the event {row['event']!r} cannot follow {row['before']!r}."
    else:
        problem = f"the first event is {row['event']!r}; a firm's first event is its registration."
    raise DataError(f"{place}: {problem}")


def _year_ends(events: Any, through: int) -> Any:
    """One row per firm and year of the states between events."""
    ibis = load("ibis")
    dated = events.mutate(year=events.date.year().cast("int64"))
    latest_first = ibis.window(group_by=["firm", "year"], order_by=ibis.desc("date"))
    last = dated.mutate(rank=ibis.row_number().over(latest_first)).filter(lambda t: t["rank"] == 0)
    following = ibis.window(group_by="firm", order_by="year")
    spells = last.mutate(end=last.year.lead().over(following).fill_null(through + 1))
    spells = spells.filter(spells.event != DEREGISTERED)
    years = ibis.range(spells.year, spells.end).unnest().cast("int64")
    return spells.mutate(year=years).drop("date", "event", "rank", "end")
