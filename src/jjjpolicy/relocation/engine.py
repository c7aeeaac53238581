"""The query engine: Ibis expressions, run by DuckDB unless the user brings another engine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jjjpolicy._extras import MissingExtraError, load
from jjjpolicy.errors import DataError

__all__ = ["NO_RECORDS", "MissingExtraError", "collect", "fetch", "load", "open_table"]

if TYPE_CHECKING:
    import pandas as pd

NO_RECORDS = "there are no records."


def open_table(source: Any, connection: Any = None) -> tuple[Any, Any]:
    """Source as an Ibis table, and the connection that runs its queries.

    Parameters
    ----------
    source : path, DataFrame or Ibis table
        A Parquet file, or a pattern or list of files that together are one table.
    connection : Ibis connection, optional
        DuckDB in memory by default, which spills to the system's temporary directory.

    Returns
    -------
    table, connection

    Raises
    ------
    DataError
        No such file, or something that is no table.
    MissingExtraError
        Ibis is not installed.
    """
    ibis = load("ibis")
    import pandas as pd

    if isinstance(source, ibis.Table):
        if connection is None:
            try:
                connection = source.get_backend()
            except ibis.common.exceptions.IbisError:  # a table in memory, which any engine can read
                connection = _duckdb(ibis)
        return source, connection
    connection = connection if connection is not None else _duckdb(ibis)
    if isinstance(source, pd.DataFrame):
        return _in_memory(_arrow(source), connection), connection
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        if "*" not in path and "://" not in path and not Path(path).exists():
            raise DataError(
                f"there is no file {path!r}; give a Parquet file or a pattern *.parquet."
            )
        return connection.read_parquet(path), connection
    if isinstance(source, list | tuple) and source:
        return connection.read_parquet([os.fspath(each) for each in source]), connection
    raise DataError(
        f"cannot read records from {type(source).__name__}; give a Parquet file, a DataFrame or "
        f"an Ibis table."
    )


def _duckdb(ibis: Any) -> Any:
    return ibis.duckdb.connect(temp_directory=os.path.join(tempfile.gettempdir(), "jjjpolicy"))


def _arrow(frame: pd.DataFrame) -> Any:
    pyarrow = load("pyarrow")
    if not len(frame):  # without rows the type of a column may not be known
        raise DataError(NO_RECORDS)
    try:
        return pyarrow.Table.from_pandas(frame, preserve_index=False)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise DataError(f"a column of the records mixes types: {error}") from error


def _in_memory(arrow: Any, connection: Any) -> Any:
    ibis = load("ibis")
    if connection.name != "pyspark":
        return ibis.memtable(arrow)
    # Ibis hands Spark a pandas frame, whose missing text Spark reads as the text "NaN".
    session = load("pyspark.sql").SparkSession.getActiveSession()
    view = ibis.util.gen_name("jjjpolicy")
    session.createDataFrame(arrow).createOrReplaceTempView(view)
    return connection.table(view)


def fetch(expression: Any, connection: Any) -> pd.DataFrame:
    """Result of a query, through Arrow, so that types do not depend on the engine."""
    frame: pd.DataFrame = connection.to_pyarrow(expression).to_pandas()
    return frame


def collect(expression: Any, connection: Any, keys: list[str]) -> pd.DataFrame:
    """Result of a query, sorted by its keys: engines return rows in any order."""
    return fetch(expression, connection).sort_values(keys, kind="stable", ignore_index=True)
