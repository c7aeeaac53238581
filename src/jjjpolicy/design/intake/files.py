"""Tables from files: CSV, Parquet, Stata and Excel."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy.design.intake.text import read_text
from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import remembered

KINDS = ".csv, .tsv, .parquet, .dta, .xlsx"


def read_table(
    path: str | os.PathLike[str], sheet: str | int = 0, *, encoding: str | None = None
) -> pd.DataFrame:
    """Read a table; the provenance of results then records the file.

    Values are taken as they are written: a formula of a spreadsheet gives the value that was saved
    with it, and value labels of Stata files give their codes. CSV files are read as UTF-8, UTF-16
    or, where their Chinese is in neither, GB18030; semicolons may stand between fields, and numbers
    then have decimal commas. A column in which every value is a number becomes numbers, unless some
    begin with a zero that belongs to a code (``01``). Stata's missing values (``.``, ``.a`` to
    ``.z``) are missing.

    Parameters
    ----------
    path : path
        The extension says what the file is: CSV, TSV, Parquet, Stata (``.dta``) or Excel
        (``.xlsx``).
    sheet : str or int
        Of an Excel file, by name or by position from 0.
    encoding : str, optional
        Of a CSV or TSV file, such as ``"cp1252"``.

    Returns
    -------
    DataFrame

    Raises
    ------
    DataError
        There is no such file, it is not what its extension says, is empty, has two columns of
        one name, or is in an encoding that cannot be told.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"there is no file {file.name!r} in {file.parent.as_posix()!r}.")
    read = _READERS.get(file.suffix.lower())
    if read is None:
        raise DataError(f"{file.name}: cannot read {file.suffix or 'no extension'!r}; use {KINDS}.")
    try:
        frame = read(file, sheet, encoding)
    except DataError:
        raise
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


def _read_excel(file: Path, sheet: str | int) -> pd.DataFrame:
    frame: Any = pd.read_excel(file, sheet_name=sheet, engine="openpyxl")
    return frame if isinstance(frame, pd.DataFrame) else pd.DataFrame()


_READERS: dict[str, Callable[[Path, str | int, str | None], pd.DataFrame]] = {
    ".csv": lambda file, sheet, encoding: read_text(file, ",", encoding),
    ".tsv": lambda file, sheet, encoding: read_text(file, "\t", encoding),
    ".parquet": lambda file, sheet, encoding: pd.read_parquet(file, engine="pyarrow"),
    ".dta": lambda file, sheet, encoding: pd.read_stata(file, convert_categoricals=False),
    ".xlsx": lambda file, sheet, encoding: _read_excel(file, sheet),
}
