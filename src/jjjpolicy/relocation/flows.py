"""Relocations, entries and exits from firm records.

A firm relocates in year t if its records of t − 1 and t are in different regions; it enters if it
has a record in t and none in t − 1, and exits if it has one in t − 1 and none in t. So, region by
region, firms(t) = firms(t − 1) + entries − exits + moved in − moved out, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import unknown_name
from jjjpolicy.relocation.engine import collect, load
from jjjpolicy.relocation.records import FirmRecords, Source, as_records

if TYPE_CHECKING:
    import pandas as pd


def flows(
    records: FirmRecords | Source, *, by: Sequence[str] = (), across_gaps: bool = False
) -> pd.DataFrame:
    """Firms that moved, by origin, destination and year.

    Parameters
    ----------
    records : FirmRecords, or a source that :func:`firm_records` can read
    by : sequence of str
        Further columns to count by: ``["industry"]``, as it was before the move.
    across_gaps : bool
        Also count firms that were last seen elsewhere more than a year ago, in the year in which
        they are seen again. They are a return in :func:`entries_exits`, whose balance then no
        longer holds with these flows.

    Returns
    -------
    DataFrame
        Columns origin, destination, year, those of ``by``, firms and, if the records have sizes,
        size: the sum of the sizes before the move, in the unit of the records. Flows that occur
        only; :func:`all_pairs` adds the zeros.

    Raises
    ------
    DataError
        The records violate their schema, or lack a column of ``by``.
    """
    records = as_records(records)
    moved = _moves(records, by, across_gaps)
    keys = ["origin", "destination", "year", *by]
    return collect(
        moved.group_by(keys).aggregate(**_totals(records, moved)), records.connection, keys
    )


def net_relocation(
    records: FirmRecords | Source, *, by: Sequence[str] = ("industry",)
) -> pd.DataFrame:
    """Firms that moved in and out of each region.

    Parameters
    ----------
    records : FirmRecords, or a source that :func:`firm_records` can read
    by : sequence of str
        Columns to count by, as they were before the move, so that net relocation sums to zero over
        regions in each of their values. An empty sequence for the total.

    Returns
    -------
    DataFrame
        Columns region, year, those of ``by``, moved_in, moved_out, net (in less out) and, if the
        records have sizes, size_in, size_out and net_size. Rows with a move only.

    Raises
    ------
    DataError
        The records violate their schema, or lack a column of ``by``.
    """
    found = flows(records, by=by)
    keys = ["region", "year", *by]
    measures = [name for name in ("firms", "size") if name in found.columns]
    ends = []
    for end, way in (("destination", "in"), ("origin", "out")):
        names = {"firms": f"moved_{way}", "size": f"size_{way}"}
        renamed = found.rename(columns={end: "region"})
        ends.append(renamed.groupby(keys)[measures].sum().rename(columns=names))
    table = ends[0].join(ends[1], how="outer").fillna(0).sort_index().reset_index()
    table = table.astype({"moved_in": "int64", "moved_out": "int64"})
    table["net"] = table["moved_in"] - table["moved_out"]
    columns = [*keys, "moved_in", "moved_out", "net"]
    if "size" in measures:
        table["net_size"] = table["size_in"] - table["size_out"]
        columns += ["size_in", "size_out", "net_size"]
    return table[columns]


def entries_exits(records: FirmRecords | Source, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """How the number of firms of each region came about.

    Parameters
    ----------
    records : FirmRecords, or a source that :func:`firm_records` can read
    by : sequence of str
        Columns to count by. Firms that change ``by`` (their industry) between two years without
        moving are neither entries nor exits and break the balance in these cells.

    Returns
    -------
    DataFrame
        One row per region and year from the second year of the records on, since entries into the
        first are unknown. Columns region, year, those of ``by``; firms_before (the year before),
        entries, exits, moved_in, moved_out, firms; of the entries, returns (firms with an earlier
        record), and of the exits, lapses (firms with a later one); and, if the records have sizes,
        entry_size and exit_size (size in the last record).

    Raises
    ------
    DataError
        The records violate their schema, cover one year only, or lack a column of ``by``.
    """
    records = as_records(records)
    first, last = records.years
    if first == last:
        raise DataError(f"the records are of {first} alone; entries and exits need two years.")
    t = _neighbours(records, by)
    enters = (t.year > first) & (t.year_before.isnull() | (t.year_before < t.year - 1))
    leaves = (t.year < last) & (t.year_after.isnull() | (t.year_after > t.year + 1))
    arriving = {
        "entries": enters.sum(),
        "returns": (enters & t.year_before.notnull()).sum(),
        "firms": t.count(),
    }
    leaving = {
        "exits": leaves.sum(),
        "lapses": (leaves & t.year_after.notnull()).sum(),
        "firms_before": t.count(),
    }
    if "size" in records.columns:
        arriving["entry_size"] = enters.ifelse(t["size"], 0.0).sum()
        leaving["exit_size"] = leaves.ifelse(t["size"], 0.0).sum()
    keys = ["region", "year", *by]
    counted = collect(t.group_by(keys).aggregate(**arriving, **leaving), records.connection, keys)

    # What a record of year t − 1 says about leaving belongs to year t.
    now = counted.loc[counted["year"] > first].set_index(keys)[list(arriving)]
    next_year = counted.assign(year=counted["year"] + 1).query("year <= @last")
    before = next_year.set_index(keys)[list(leaving)]
    moves = net_relocation(records, by=by).set_index(keys)[["moved_in", "moved_out"]]
    table = now.join([before, moves], how="outer").fillna(0).sort_index()
    counts = ["firms_before", "entries", "exits", "moved_in", "moved_out", "firms"]
    counts += ["returns", "lapses"]
    sizes = [name for name in ("entry_size", "exit_size") if name in table.columns]
    return table[[*counts, *sizes]].astype(dict.fromkeys(counts, "int64")).reset_index()


def _neighbours(records: FirmRecords, by: Sequence[str]) -> Any:
    """Records with the years of the firm's records before and after."""
    _check_by(records, by)
    window = load("ibis").window(group_by="firm", order_by="year")
    t = records.table
    return t.mutate(
        year_before=t.year.lag().over(window),
        year_after=t.year.lead().over(window),
    )


def _moves(records: FirmRecords, by: Sequence[str], across_gaps: bool) -> Any:
    """One row per relocation, with the state before it."""
    _check_by(records, by)
    window = load("ibis").window(group_by="firm", order_by="year")
    t = records.table
    state = [*by, *(["size"] if "size" in records.columns else [])]
    before = t.select(
        destination=t.region,
        year=t.year,
        origin=t.region.lag().over(window),
        year_before=t.year.lag().over(window),
        **{name: t[name].lag().over(window) for name in state},
    )
    moved = before.filter(before.origin != before.destination)
    return moved if across_gaps else moved.filter(moved.year_before == moved.year - 1)


def _check_by(records: FirmRecords, by: Sequence[str]) -> None:
    if isinstance(by, str):
        raise DataError(f"by={by!r} must be a list of columns: by=[{by!r}].")
    for name in by:
        if name not in ("industry",):
            raise unknown_name("column to count by", name, ["industry"])
        records.require(name, "counting by industry")


def _totals(records: FirmRecords, table: Any) -> dict[str, Any]:
    totals = {"firms": table.count()}
    if "size" in records.columns:
        totals["size"] = table["size"].sum()
    return totals
