"""Rows of Parquet files in batches that hold whole units, in bounded memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy._extras import load
from jjjpolicy.design.arrays import Built
from jjjpolicy.design.intake.batches import Batches
from jjjpolicy.design.intake.columns import Columns, quoted, require_columns
from jjjpolicy.design.intake.grid import require_periods, restrict
from jjjpolicy.design.intake.periods import TimeColumn, read_periods
from jjjpolicy.design.ledger import Ledger
from jjjpolicy.errors import DataError, DesignError
from jjjpolicy.registry.lookup import remembered

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Integers


class NotSortedError(Exception):
    """The rows of some unit do not lie together, in increasing order of units."""


@dataclass(frozen=True)
class ParquetRows:
    """The rows of one or several Parquet files that together are one table.

    Attributes
    ----------
    paths : tuple of str
        Files, or patterns of files.
    columns : Columns
    memory : str
        What the engine may use before it writes to the system's temporary directory.
    batch : int
        Rows in memory at once.
    """

    paths: tuple[str, ...]
    columns: Columns
    memory: str
    batch: int
    _conditions: list[str] = field(default_factory=list)

    def first(self) -> pd.DataFrame:
        """The first row with all columns, for checks of names and types.

        The provenance of results then records the files.

        Raises
        ------
        DataError
            No such file, or one that is not Parquet.
        """
        frame = self._frame("select * from rows limit 1")
        for pattern in self.paths:
            for path in sorted(glob(pattern, recursive=True)):
                remembered(Path(path).resolve())
        return frame

    def periods(self) -> pd.Series[Any]:
        """Distinct values of the time column."""
        time = _name(self.columns.time)
        column: pd.Series[Any] = self._frame(f"select distinct {time} from rows order by 1").iloc[
            :, 0
        ]
        return column

    def within(self, periods: Sequence[object]) -> None:
        """Restrict to the rows of some periods, as they are written in the time column."""
        listed = ", ".join(
            _value(each if isinstance(each, int | float) else str(each)) for each in periods
        )
        self._conditions.append(f"{_name(self.columns.time)} in ({listed})")

    def without(self, units: Sequence[Hashable]) -> None:
        """Leave out units.

        Raises
        ------
        DesignError
            A unit that does not occur.
        """
        name, listed = _name(self.columns.unit), ", ".join(map(_value, units))
        query = f"select distinct {name} from rows where {name} in ({listed})"
        known = set(self._frame(query).iloc[:, 0])
        for unit in units:
            if unit not in known:
                raise DesignError(
                    f"exclude: unit {quoted(unit)} is not in column {self.columns.unit!r}."
                )
        self._conditions.append(f"{name} not in ({listed})")

    def frames(self, *, ordered: bool) -> Iterator[pd.DataFrame]:
        """Whole units, batch by batch.

        Parameters
        ----------
        ordered : bool
            Whether to sort the rows by unit first; on disk where they are more than memory holds.

        Raises
        ------
        NotSortedError
            Rows that are not sorted by unit, with ``ordered=False``.
        """
        pyarrow, compute = load("pyarrow"), load("pyarrow.compute")
        unit, time = _name(self.columns.unit), _name(self.columns.time)
        chosen = ", ".join(map(_name, dict.fromkeys(self.columns.named())))
        query = f"select {chosen} from rows {self._where()}"
        if ordered:
            query += f" order by {unit}, {time}"
        with self._connection() as connection:
            with self._readable():
                reader = pyarrow.RecordBatchReader.from_stream(connection.sql(self._from(query)))
            held: list[Any] = []
            count = 0
            for part in self._pieces(reader):
                held.append(part)
                count += part.num_rows
                if count < self.batch:
                    continue
                table = pyarrow.Table.from_batches(held)
                labels = table.column(self.columns.unit)
                _require_sorted(labels, compute)
                last = compute.equal(labels, labels[len(labels) - 1])
                whole = len(labels) - (compute.sum(last).as_py() or 0)
                if whole:
                    yield table.slice(0, whole).to_pandas()
                held, count = table.slice(whole).to_batches(), len(labels) - whole
            if count:
                table = pyarrow.Table.from_batches(held)
                _require_sorted(table.column(self.columns.unit), compute)
                yield table.to_pandas()

    def _pieces(self, reader: Any) -> Iterator[Any]:
        while True:
            with self._readable():
                part = next(reader, None)
            if part is None:
                return
            for start in range(0, part.num_rows, self.batch):
                yield part.slice(start, self.batch)

    # ------------------------------------------------------------------ the engine
    def _connection(self) -> Any:
        return load("duckdb").connect(
            config={
                "memory_limit": self.memory,
                "temp_directory": os.path.join(tempfile.gettempdir(), "jjjpolicy"),
            }
        )

    def _frame(self, query: str) -> pd.DataFrame:
        with self._readable(), self._connection() as connection:
            frame: pd.DataFrame = connection.sql(self._from(query)).to_arrow_table().to_pandas()
        return frame

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Whatever the engine says about a file, as a `DataError`."""
        duckdb, pyarrow = load("duckdb"), load("pyarrow")
        try:
            yield
        except (duckdb.Error, pyarrow.ArrowException, OSError) as error:
            shown = ", ".join(map(repr, self.paths))
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise DataError(f"cannot read {shown} as Parquet: {said}") from error

    def _from(self, query: str) -> str:
        paths = ", ".join(map(_value, self.paths))
        return query.replace("from rows", f"from read_parquet([{paths}])", 1)

    def _where(self) -> str:
        return f"where {' and '.join(self._conditions)}" if self._conditions else ""


def _require_sorted(labels: Any, compute: Any) -> None:
    """Units do not decrease; absent ones are reported by the checks of columns."""
    before, after = labels.slice(0, len(labels) - 1), labels.slice(1)
    if compute.any(compute.less(after, before)).as_py():
        raise NotSortedError


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _value(value: object) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def design_from_parquet(
    make: type[Built],
    rows: ParquetRows,
    window: tuple[Any, Any] | None,
    exclude: tuple[Hashable, ...],
) -> Built:
    """See :meth:`jjjpolicy.Design.from_parquet`."""
    columns = rows.columns
    if rows.batch < 1:
        raise DesignError(f"batch={rows.batch} must be a positive number of rows.")
    require_columns(rows.first(), columns)
    distinct = rows.periods()
    periods, time = read_periods(distinct, columns.time)
    frame, span = distinct.to_frame(columns.time), time.window(window)
    frame, periods, ledger = restrict(frame, periods, columns, span, (), Ledger(), time.clock)
    require_periods(periods, columns, time.clock)
    if window is not None:
        rows.within(frame[columns.time].tolist())
    periods = np.sort(periods)
    if exclude:
        rows.without(exclude)
        ledger = ledger.with_units(exclude, "left out by exclude=")
    try:
        batches = _read(rows, periods, time, ordered=False)
    except NotSortedError:
        batches = _read(rows, periods, time, ordered=True)
    return batches.summed({"files": list(rows.paths), "rows": batches.total}).design(make, ledger)


def _read(rows: ParquetRows, periods: Integers, time: TimeColumn, *, ordered: bool) -> Batches:
    batches = Batches(rows.columns, periods, time)
    for frame in rows.frames(ordered=ordered):
        batches.add(frame)
    if not batches.likes:
        raise DesignError("exclude= leaves no unit.")
    return batches
