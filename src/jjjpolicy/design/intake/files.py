"""Tables from files: CSV, Parquet, Stata and Excel."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy._extras import load
from jjjpolicy.design.intake.text import read_text
from jjjpolicy.errors import DataError
from jjjpolicy.panels.frames import from_arrow
from jjjpolicy.registry.lookup import remembered

KINDS = ".csv, .tsv, .parquet, .dta, .xlsx"


def read_table(
    path: str | os.PathLike[str],
    sheet: str | int = 0,
    *,
    encoding: str | None = None,
    labels: bool = False,
) -> pd.DataFrame:
    """Read a table; the provenance of results then records the file.

    Values are taken as they are written: a formula of a spreadsheet gives the value that was saved
    with it, and value labels of Stata files give their codes, unless asked for. CSV files are read
    as UTF-8, UTF-16 or, where their Chinese is in neither, GB18030; semicolons (numbers then have
    decimal commas), tabs or bars may stand between fields. A column in which every value is a
    number becomes numbers, unless some begin with a zero that belongs to a code (``01``). Stata's
    missing values (``.``, ``.a`` to ``.z``) are missing. Rows and columns without a name in which
    every cell is empty are left out, and spaces around names of columns. Whole numbers and booleans
    of Parquet files with missing values stay what they are.

    Parameters
    ----------
    path : path
        The extension says what the file is: CSV, TSV, Parquet, Stata (``.dta``) or Excel
        (``.xlsx``).
    sheet : str or int
        Of an Excel file, by name or by position from 0.
    encoding : str, optional
        Of a CSV or TSV file, such as ``"cp1252"``.
    labels : bool
        Value labels of a Stata file in place of codes, in columns in which every value has one.

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
    if labels and file.suffix.lower() != ".dta":
        raise DataError(f"{file.name}: labels=True is for Stata files (.dta).")
    read = _READERS.get(file.suffix.lower())
    if read is None:
        raise DataError(f"{file.name}: cannot read {file.suffix or 'no extension'!r}; use {KINDS}.")
    try:
        frame = _read_labels(file) if labels else read(file, sheet, encoding)
    except DataError:
        raise
    except ImportError as error:
        raise DataError(f'{file.name}: needs pip install "jjjpolicy[firms]" ({error}).') from error
    except Exception as error:
        # Readers of binary formats raise whatever a broken file leads them to.
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{file.name} is no readable {file.suffix} file: {said}") from error
    frame = _without_blanks(frame.set_axis([str(name).strip() for name in frame.columns], axis=1))
    if frame.empty:
        raise DataError(f"{file.name} holds no rows.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"{file.name} has two columns {twice!r}; rename one.")
    remembered(file.resolve())
    return frame


def _without_blanks(frame: pd.DataFrame) -> pd.DataFrame:
    """The table without empty rows, and without empty columns that have no name."""
    nameless = frame.columns.str.fullmatch(r"(Unnamed: \d+)?")
    frame = frame.loc[:, ~(nameless & frame.isna().all().to_numpy())]
    blank = frame.isna().all(axis=1)
    return frame[~blank].reset_index(drop=True) if blank.any() else frame


def _read_parquet(file: Path) -> pd.DataFrame:
    """Columns as they were; also those that pandas had as its index, if that had a name."""
    table = load("pyarrow.parquet").read_table(file)
    unnamed = [name for name in table.column_names if name.startswith("__index_level_")]
    return from_arrow(table.drop_columns(unnamed))


def _read_labels(file: Path) -> pd.DataFrame:
    """A Stata file with value labels in columns in which every value has one.

    Raises
    ------
    DataError
        Two values of a column have the same label.
    """
    frame: pd.DataFrame = pd.read_stata(file, convert_categoricals=False)
    try:
        labelled: pd.DataFrame = pd.read_stata(file, order_categoricals=False)
    except ValueError as error:
        raise DataError(f"{file.name}: {error}; read it with labels=False.") from error
    for name in frame:
        column = labelled[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            used = column.cat.remove_unused_categories().cat.categories
            if all(isinstance(label, str) for label in used):
                frame[name] = pd.Series(list(column.astype(object)), index=frame.index)
    return frame


def _read_excel(file: Path, sheet: str | int) -> pd.DataFrame:
    frame: Any = pd.read_excel(file, sheet_name=sheet, engine="openpyxl")
    return frame if isinstance(frame, pd.DataFrame) else pd.DataFrame()


_READERS: dict[str, Callable[[Path, str | int, str | None], pd.DataFrame]] = {
    ".csv": lambda file, sheet, encoding: read_text(file, ",", encoding),
    ".tsv": lambda file, sheet, encoding: read_text(file, "\t", encoding),
    ".parquet": lambda file, sheet, encoding: _read_parquet(file),
    ".dta": lambda file, sheet, encoding: pd.read_stata(file, convert_categoricals=False),
    ".xlsx": lambda file, sheet, encoding: _read_excel(file, sheet),
}
