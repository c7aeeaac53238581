"""A table, defined once and printed in every format and in both languages."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from jjjpolicy.errors import DataError
from jjjpolicy.report.tables.cells import MISSING, Figures, Interval, Number, PValue, StandardError
from jjjpolicy.report.text import LANGUAGES, Label, Language

if TYPE_CHECKING:
    import pandas as pd

Cell = Number | StandardError | PValue | Interval | Label | None
"""What a cell may hold. ``None`` is an absent number, ``""`` a cell left blank on purpose."""


@dataclass(frozen=True)
class Column:
    """A column heading; neighbours with the same ``span`` share a spanning heading above them.

    A ``width``, as a part of the width of the text, makes a column of words: they wrap, and are set
    left instead of centred.
    """

    heading: Label
    span: Label = ""
    width: float | None = None

    def __post_init__(self) -> None:
        if self.width is not None and not 0 < self.width < 1:
            raise DataError(
                f"column {str(self.heading)!r}: width={self.width!r} must lie between 0 and 1, a "
                "part of the width of the text."
            )


@dataclass(frozen=True)
class Row:
    """A labelled row."""

    label: Label
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Panel:
    """A group of rows under a heading (none if the heading is empty)."""

    heading: Label
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A publication table.

    Attributes
    ----------
    id : str
        Name under which the paper refers to the table: lower-case letters, digits and hyphens.
    caption : Text or str
    columns : tuple of Column
        The columns to the right of the row labels.
    panels : tuple of Panel
    stub : Text or str
        Heading of the column of row labels.
    notes : tuple of Text or str
        Sentences printed below the table.
    missing : Text or str
        Why some cells print as an en dash. Required as soon as one does.

    Raises
    ------
    DataError
        A row has too many or too few cells, or cells are missing without a reason.
    """

    id: str
    caption: Label
    columns: tuple[Column, ...]
    panels: tuple[Panel, ...]
    stub: Label = ""
    notes: tuple[Label, ...] = ()
    missing: Label = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not self.id or set(self.id) - set("abcdefghijklmnopqrstuvwxyz0123456789-"):
            raise DataError(
                f"table id {self.id!r}: use lower-case letters, digits and hyphens, as in "
                "'effects-gdp'."
            )
        for row in (row for panel in self.panels for row in panel.rows):
            if len(row.cells) != len(self.columns):
                raise DataError(
                    f"table {self.id!r}, row {str(row.label)!r}: {len(row.cells)} cells for "
                    f"{len(self.columns)} columns. Give one cell per column, '' for a blank one."
                )
            for column, cell in zip(self.columns, row.cells, strict=True):
                if is_missing(cell) and not self.missing:
                    raise DataError(
                        f"table {self.id!r}, row {str(row.label)!r}, column "
                        f"{str(column.heading)!r} has no value. Say why in `missing=`."
                    )

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        id: str,
        caption: Label,
        digits: int | Mapping[Hashable, int] = 3,
        stub: Label = "",
        notes: Sequence[Label] = (),
        missing: Label = "",
    ) -> Table:
        """Make a table of a frame: its index becomes the row labels, its numbers are rounded.

        Parameters
        ----------
        frame : DataFrame
            Cells may be numbers, strings, or any of the cell classes. A column index of two levels
            becomes spanning headings and headings.
        digits : int or mapping from column to int
            Decimals; integers print without.
        """
        digits_of = digits if isinstance(digits, Mapping) else dict.fromkeys(frame.columns, digits)
        columns = tuple(
            Column(heading=name[1], span=name[0]) if isinstance(name, tuple) else Column(str(name))
            for name in frame.columns
        )
        series = [
            [_cell(value, digits_of.get(name, 3)) for value in frame.iloc[:, position]]
            for position, name in enumerate(frame.columns)
        ]
        rows = tuple(
            Row(str(label), tuple(cells))
            for label, cells in zip(frame.index, zip(*series, strict=True), strict=True)
        )
        return cls(id, caption, columns, (Panel("", rows),), stub, tuple(notes), missing=missing)

    def to_latex(self, language: Language = "en") -> str:
        """Return a ``table`` environment; it needs only the package ``booktabs``."""
        from jjjpolicy.report.tables.latex import render

        return render(self, language)

    def to_markdown(self, language: Language = "en") -> str:
        """Return a pipe table with caption and notes."""
        from jjjpolicy.report.tables.markdown import render

        return render(self, language)

    def to_html(self, language: Language = "en") -> str:
        """Return a ``<figure>`` holding the table; its few rules of style are inline."""
        from jjjpolicy.report.tables.html import render

        return render(self, language)

    def to_typst(self, language: Language = "en") -> str:
        """Return a Typst ``figure`` of kind ``table``."""
        from jjjpolicy.report.tables.typst import render

        return render(self, language)

    def to_docx(self, path: str | PathLike[str], language: Language = "en") -> None:
        """Write a Word document holding the table in three-line style."""
        from jjjpolicy.report.tables.word import write

        write(self, Path(path), language)

    def save(self, directory: str | PathLike[str]) -> None:
        """Write the definition (``<id>.json``) and every format in both languages.

        The files are ``<id>.<language>.<tex|html|md|docx>``; the paper reads the definition.
        """
        from jjjpolicy.report.tables.definition import dump

        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.id}.json").write_text(dump(self), encoding="utf-8")
        for language in LANGUAGES:
            stem = f"{self.id}.{language}"
            (folder / f"{stem}.tex").write_text(self.to_latex(language), encoding="utf-8")
            (folder / f"{stem}.html").write_text(self.to_html(language), encoding="utf-8")
            (folder / f"{stem}.md").write_text(self.to_markdown(language), encoding="utf-8")
            self.to_docx(folder / f"{stem}.docx", language)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Table:
        """Read a definition written by :meth:`save`."""
        from jjjpolicy.report.tables.definition import load

        return load(Path(path))


def is_missing(cell: Cell) -> bool:
    """Whether the cell prints as an en dash."""
    return cell is None or (isinstance(cell, Figures) and MISSING in str(cell))


def _cell(value: object, digits: int) -> Cell:
    import numbers

    if value is None or isinstance(value, Cell):
        return value
    if isinstance(value, numbers.Integral):
        return Number(int(value), 0)
    if isinstance(value, numbers.Real):
        return Number(float(value), digits)
    return str(value)
