"""Branches by the region of the parent firm and their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jjjpolicy.errors import DataError
from jjjpolicy.relocation.engine import collect, open_table
from jjjpolicy.relocation.records import (
    FirmRecords,
    Source,
    as_records,
    check_unique,
    check_values,
    checked_regions,
    named_columns,
    raised,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd


def branches(
    records: FirmRecords | Source,
    source: Source,
    *,
    branch: str = "branch",
    firm: str = "firm",
    year: str = "year",
    region: str = "region",
    region_codes: Collection[str] | None = None,
) -> pd.DataFrame:
    """Count branches by parent region, branch region and year.

    Parameters
    ----------
    records : FirmRecords, or a source that :func:`firm_records` can read
        The parent firms.
    source : path, list of paths, DataFrame or Ibis table
        One row per branch and year. Read by the engine of ``records``.
    branch, firm, year, region : str
        Columns: the branch, its parent (as in ``records``), the year and the branch's region code,
        which is taken to the level of ``records`` if that was set by ``at_level``.
    region_codes : collection of str, optional
        As in :func:`firm_records`.

    Returns
    -------
    DataFrame
        Columns parent_region, branch_region, year, branches and parents (distinct firms). Branches
        whose parent has no record in the year are counted with a missing ``parent_region``.

    Raises
    ------
    DataError
        The branches violate their schema, which is that of firm records, or their firm ids have
        another type than those of the records.
    """
    records = as_records(records)
    table, _ = open_table(source, records.connection)
    names: dict[str, str | None] = {
        "branch": branch,
        "firm": firm,
        "year": year,
        "region": region,
    }
    table = named_columns(table, names)
    kinds = [each.schema()["firm"].is_string() for each in (table, records.table)]
    if kinds[0] != kinds[1]:
        raise DataError(
            f"column {firm!r} of the branches and the firms of the records must both be text or "
            f"both whole numbers, or no parent can be found."
        )
    check_values(table, records.connection, names, "branch")
    check_unique(table, records.connection, names, "branch", "year")
    checked_regions(table, records.connection, region, region_codes)
    parents: Any = records.table.select("firm", "year", parent_region="region")
    joined = (
        raised(table, records.level)
        .rename(branch_region="region")
        .left_join(parents, ["firm", "year"])
    )
    keys = ["parent_region", "branch_region", "year"]
    counted = joined.group_by(keys).aggregate(
        branches=joined.count(), parents=joined.firm.nunique()
    )
    return collect(counted, records.connection, keys)
