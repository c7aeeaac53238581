"""An engine's table in parts that hold whole units and fit into the engine's memory.

To be laid out as rows (see `queries`), units must be in memory all at once, with a number for each
period. Where an engine that works on one machine has less, its table is summed up in parts: ranges
of units, cut at quantiles of a sample of them, so that files laid out by unit are read once in all.
"""

from __future__ import annotations

from typing import Any

from jjjpolicy._extras import load
from jjjpolicy.design.intake.columns import Columns
from jjjpolicy.design.intake.summed import levels

EVERY = 1024
"""One of this many units, by a hash of its label, is in the sample."""
NUMBER = 24
"""Bytes that a number of a unit takes while units are laid out: the sum, and the row made of it."""
SHARE = 0.5
"""Part of the engine's memory that the units of one part may take."""
SIZES = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def in_parts(table: Any, columns: Columns, rows: int, periods: int) -> list[Any]:
    """Parts of a table that hold whole units, of about equally many units each.

    Parameters
    ----------
    table : ibis.Table
    columns : Columns
    rows : int
        Of the table, which are at least as many as its units.
    periods : int
    """
    numbers = 8 + 2 * len(levels(columns)) + (1 + len(columns.covariates)) * (periods + 1)
    most = SHARE * memory(table) / (NUMBER * numbers)
    if rows <= most:
        return [table]
    unit = table[columns.unit]
    sampled = table.filter(unit.hash() % EVERY == 0).select(unit=unit).distinct().order_by("unit")
    labels = sampled.to_pyarrow()["unit"].to_pylist()
    number = int(len(labels) * EVERY // most) + 1
    cuts = dict.fromkeys(labels[k * len(labels) // number] for k in range(1, number))
    parts = []
    for low, high in zip([None, *cuts], [*cuts, None], strict=True):
        part = table
        if low is not None:
            part = part.filter(unit >= low)
        if high is not None:
            part = part.filter(unit < high)
        parts.append(part)
    return parts


def engine(table: Any) -> Any:
    """The connection that holds a table."""
    ibis = load("ibis")
    try:
        return table.get_backend()
    except ibis.common.exceptions.IbisError:  # a table in memory, which any engine can read
        return ibis.get_backend()


def memory(table: Any) -> float:
    """Bytes that DuckDB may use; infinite for other engines, which divide the work themselves."""
    connection = engine(table)
    if connection.name != "duckdb":
        return float("inf")
    ((text,),) = connection.raw_sql("select current_setting('memory_limit')").fetchall()
    amount, size = text.split()
    return float(amount) * SIZES[size]
