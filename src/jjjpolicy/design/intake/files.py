"""Tables from files: CSV, Parquet, Stata and Excel."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import remembered

KINDS = ".csv, .tsv, .parquet, .dta, .xlsx"


def read_table(path: str | os.PathLike[str], sheet: str | int = 0) -> pd.DataFrame:
    """Read a table; the provenance of results then records the file.

    Values are taken as they are written: a formula of a spreadsheet gives the value that was saved
    with it, and value labels of Stata files give their codes. CSV files are read as UTF-8, or as
    GB18030 where they are not. A column in which every value is a number becomes numbers.

    Parameters
    ----------
    path : path
        The extension says what the file is: CSV, TSV, Parquet, Stata (``.dta``) or Excel
        (``.xlsx``).
    sheet : str or int
        Of an Excel file, by name or by position from 0.

    Returns
    -------
    DataFrame

    Raises
    ------
    DataError
        There is no such file, it is not what its extension says, is empty, or has two columns of
        one name.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"there is no file {file.name!r} in {file.parent.as_posix()!r}.")
    read = _READERS.get(file.suffix.lower())
    if read is None:
        raise DataError(f"{file.name}: cannot read {file.suffix or 'no extension'!r}; use {KINDS}.")
    try:
        frame = read(file, sheet)
    except ImportError as error:
        raise DataError(f'{file.name}: needs pip install "jjjpolicy[firms]" ({error}).') from error
    except Exception as error:
        # Readers of binary formats raise whatever a broken file leads them to.
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{file.name} is no readable {file.suffix} file: {said}") from error
    frame.columns = [str(name) for name in frame.columns]
    if frame.empty:
        raise DataError(f"{file.name} holds no rows.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"{file.name} has two columns {twice!r}; rename one.")
    remembered(file.resolve())
    return frame


def _read_text(file: Path, separator: str) -> pd.DataFrame:
    header = file.read_bytes()[: 1 << 16]
    if b"\x00" in header:
        raise ValueError("it holds binary data")
    options: Any = {"sep": separator}
    try:
        frame: pd.DataFrame = pd.read_csv(file, encoding="utf-8-sig", **options)
    except UnicodeDecodeError:
        frame = pd.read_csv(file, encoding="gb18030", **options)
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError("rows have more fields than the header")
    names = pd.Index(_header(file, separator))
    if not names.is_unique:
        raise ValueError(f"two columns are named {names[names.duplicated()][0]!r}; rename one")
    return frame


def _header(file: Path, separator: str) -> list[str]:
    """Names as written; pandas would number those that occur twice."""
    import csv

    with file.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
        return next(csv.reader(lines, delimiter=separator), [])


def _read_excel(file: Path, sheet: str | int) -> pd.DataFrame:
    frame: Any = pd.read_excel(file, sheet_name=sheet, engine="openpyxl")
    return frame if isinstance(frame, pd.DataFrame) else pd.DataFrame()


_READERS: dict[str, Callable[[Path, str | int], pd.DataFrame]] = {
    ".csv": lambda file, sheet: _read_text(file, ","),
    ".tsv": lambda file, sheet: _read_text(file, "\t"),
    ".parquet": lambda file, sheet: pd.read_parquet(file, engine="pyarrow"),
    ".dta": lambda file, sheet: pd.read_stata(file, convert_categoricals=False),
    ".xlsx": _read_excel,
}
