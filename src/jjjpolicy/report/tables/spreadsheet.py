"""CSV files that spreadsheets open as what they are."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def escape(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula, behind an apostrophe; all else as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_STARTS) else value


def write_csv(frame: pd.DataFrame, path: str | PathLike[str]) -> None:
    """Write a table as CSV in UTF-8 with a mark that spreadsheets recognise it by."""
    safe = frame.rename(columns=escape)
    for position, dtype in enumerate(safe.dtypes):
        if dtype.kind not in "biufM":
            column = safe.iloc[:, position].map(escape)
            safe = safe.drop(columns=safe.columns[position])
            safe.insert(position, escape(frame.columns[position]), column)
    safe.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
