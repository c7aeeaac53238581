"""Tables of other packages as frames of pandas, with the types that they have."""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd

from jjjpolicy._extras import load
from jjjpolicy.errors import DataError


class ArrowTable(Protocol):
    """A table that speaks Arrow: of Polars, PyArrow, DuckDB, Ibis."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as a stream of Arrow."""
        ...


def as_frame(table: Any) -> pd.DataFrame:
    """A table of pandas, Polars, Arrow or whatever speaks Arrow, as a frame of pandas.

    Parameters
    ----------
    table : DataFrame, or an object with ``__arrow_c_stream__`` or ``to_pandas``
        A frame of pandas is taken as it is. Others keep their types (see :func:`from_arrow`).

    Raises
    ------
    DataError
        Something else.
    MissingExtraError
        PyArrow is needed for this table and not installed.
    """
    if isinstance(table, pd.DataFrame):
        return table
    known = type(table)
    if hasattr(known, "columns") or hasattr(known, "column_names"):  # a column alone has neither
        if hasattr(table, "__arrow_c_stream__"):
            return from_arrow(load("pyarrow").table(table))
        if hasattr(table, "to_pandas"):
            return as_frame(table.to_pandas())
    advice = ""
    if hasattr(table, "collect"):
        advice = "; call .collect() on it first"
    elif isinstance(table, dict | list):
        advice = "; write pd.DataFrame(…) around it"
    raise DataError(
        f"expected a table of pandas, Polars or Arrow, got {type(table).__name__}{advice}."
    )


def from_arrow(table: Any) -> pd.DataFrame:
    """An Arrow table as a frame whose columns are what they were.

    Whole numbers and booleans with missing values are nullable ones of pandas, and not floats or
    objects; dates are dates; dictionaries are categories; decimals are whole numbers if they have
    no decimals, else floats.

    Parameters
    ----------
    table : pyarrow.Table

    Raises
    ------
    DataError
        Two columns of one name.
    """
    names = list(table.column_names)
    again = [name for name in names if names.count(name) > 1]
    if again:
        raise DataError(f"the table has two columns {again[0]!r}; rename one.")
    # The first period that pandas hands to Arrow makes its periods known there.
    load("pyarrow").array(pd.PeriodIndex([], freq="D").array)
    columns = {name: _column(table.select([name])) for name in names}
    return pd.DataFrame(columns, columns=pd.Index(names))


def _column(table: Any) -> pd.Series[Any]:
    """The only column of a table."""
    arrow = load("pyarrow")
    kinds, kind = arrow.types, table.schema.types[0]
    if kinds.is_decimal(kind):
        whole = kind.scale <= 0 and kind.precision <= 18
        kind = arrow.int64() if whole else arrow.float64()
        table = table.cast(arrow.schema({table.column_names[0]: kind}))
    nullable = {}
    if table.column(0).null_count and (kinds.is_integer(kind) or kinds.is_boolean(kind)):
        name = str(kind).replace("uint", "UInt").replace("int", "Int").replace("bool", "boolean")
        nullable = {kind: pd.api.types.pandas_dtype(name)}
    frame: pd.DataFrame = table.to_pandas(
        ignore_metadata=True, date_as_object=False, types_mapper=nullable.get
    )
    return frame.iloc[:, 0]
