"""Tables as numbers: frames, Excel files, and CSV files that spreadsheets open as what they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from jjjpolicy._extras import load
from jjjpolicy.report.tables.cells import (
    Cell,
    Figures,
    Interval,
    Number,
    PValue,
    StandardError,
    format_number,
)
from jjjpolicy.report.tables.content import Content
from jjjpolicy.report.text import Label, Language, Text, words

if TYPE_CHECKING:
    import pandas as pd

ENDS = (Text("low", "下限"), Text("high", "上限"))
"""The two rows of an interval."""

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


def to_frame(table: Content, language: Language) -> pd.DataFrame:
    """The unrounded numbers of a table by row label; an interval has two rows.

    Where rows stand under headings, or headings of columns under a common one, the index, or the
    columns, have two levels.
    """
    import pandas as pd

    rows = [
        (words(panel.heading, language), label, values)
        for panel in table.panels
        for row in panel.rows
        for label, values in _rows(row.label, row.cells, language)
    ]
    columns = [(words(c.span, language), words(c.heading, language)) for c in table.columns]
    return pd.DataFrame(
        {position: [values[position] for *_, values in rows] for position in range(len(columns))},
        index=_labels([(heading, label) for heading, label, _ in rows]),
    ).set_axis(_labels(columns), axis=1)


def write_excel(table: Content, path: str | PathLike[str], language: Language) -> None:
    """Write a table as an Excel file whose numbers are numbers, shown with their decimals.

    Raises
    ------
    MissingExtraError
        ``openpyxl`` is not installed.
    """
    workbook = load("openpyxl").Workbook()
    sheet = workbook.active
    sheet.append([escape(words(table.caption, language))])
    if any(column.span for column in table.columns):
        sheet.append(["", *(escape(words(column.span, language)) for column in table.columns)])
    headings = [table.stub, *(column.heading for column in table.columns)]
    sheet.append([escape(words(heading, language)) for heading in headings])
    for panel in table.panels:
        if panel.heading:
            sheet.append([escape(words(panel.heading, language))])
        for row in panel.rows:
            for label, values in _rows(row.label, row.cells, language):
                sheet.append([escape(label), *map(_written, values)])
                for column, cell in enumerate(row.cells, start=2):
                    if isinstance(cell, Figures):
                        sheet.cell(sheet.max_row, column).number_format = _decimals_of(cell)
    for note in table.notes:
        sheet.append([escape(words(note, language))])
    sheet.column_dimensions["A"].width = 30
    workbook.save(fspath(path))


def _rows(
    label: Label, cells: tuple[Cell, ...], language: Language
) -> Iterator[tuple[str, list[Any]]]:
    """A row's label and values; two for a row with intervals."""
    name = words(label, language)
    if not any(isinstance(cell, Interval) for cell in cells):
        yield name, [_value(cell, 0, language) for cell in cells]
        return
    for position, end in enumerate(ENDS):
        said = f"{name}, {end.en}" if language == "en" else f"{name}{end.zh}"
        yield said, [_value(cell, position, language) for cell in cells]


def _value(cell: Cell, position: int, language: Language) -> Any:
    if isinstance(cell, Figures):
        return cell.values[min(position, len(cell.values) - 1)]
    return None if cell is None else words(cell, language)


def _written(value: Any) -> Any:
    """A value as Excel has one: no infinite or missing numbers, no text that is run."""
    if isinstance(value, float) and not math.isfinite(value):
        return format_number(value)
    return escape(value)


def _decimals_of(cell: Number | StandardError | PValue | Interval) -> str:
    return "0" if cell.digits == 0 else "0." + "0" * cell.digits


def _labels(pairs: list[tuple[str, str]]) -> pd.Index:
    import pandas as pd

    if any(outer for outer, _ in pairs):
        return pd.MultiIndex.from_tuples(pairs)
    return pd.Index([inner for _, inner in pairs])
