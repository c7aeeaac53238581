"""A table, defined once and printed in every format and in both languages."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jjjpolicy.report.tables import definition, html, latex, markdown, spreadsheet, typst, word
from jjjpolicy.report.tables.cells import Cell, Number, decimals
from jjjpolicy.report.tables.content import Column, Content, Panel, Row
from jjjpolicy.report.tables.layout import lay_out
from jjjpolicy.report.text import LANGUAGES, Label, Language, chosen, words

if TYPE_CHECKING:
    import pandas as pd


class Table(Content):
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
    language : "en" or "zh", optional
        In which it prints where no other is asked for; by default the one that is set.

    Raises
    ------
    DataError
        A row has too many or too few cells, or cells are missing without a reason.
    """

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        id: str,
        caption: Label,
        digits: int | Mapping[Hashable, int] | None = None,
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
        id : str
            Name of the table, and of the files it is saved in.
        caption : str or Text
        digits : int or mapping from column to int, optional
            Decimals; integers print without. Columns that are not named have three, and more where
            their numbers are too small for them.
        stub : str or Text
            Heading of the row labels.
        notes : sequence of str or Text
        missing : str or Text
            Why some cells print as an en dash.

        Returns
        -------
        Table
        """
        stated = digits if isinstance(digits, Mapping) else dict.fromkeys(frame.columns, digits)
        columns = tuple(
            Column(heading=name[1], span=name[0]) if isinstance(name, tuple) else Column(str(name))
            for name in frame.columns
        )
        series = [
            _cells(frame.iloc[:, position], stated.get(name))
            for position, name in enumerate(frame.columns)
        ]
        rows = tuple(
            Row(str(label), tuple(cells))
            for label, cells in zip(frame.index, zip(*series, strict=True), strict=True)
        )
        return cls(id, caption, columns, (Panel("", rows),), stub, tuple(notes), missing=missing)

    def __repr__(self) -> str:
        rows = sum(len(panel.rows) for panel in self.panels)
        return f"<Table {self.id}: {words(self.caption, 'en')}, {rows} × {len(self.columns)}>"

    def _repr_html_(self) -> str:
        return html.for_notebook(html.render(lay_out(self, self._language(None)), anchor=False))

    def _language(self, language: Language | None) -> Language:
        return chosen(language or self.language)

    def to_latex(self, language: Language | None = None) -> str:
        """Return a ``table`` environment; it needs only the package ``booktabs``."""
        return latex.render(lay_out(self, self._language(language)))

    def to_markdown(self, language: Language | None = None) -> str:
        """Return a pipe table with caption and notes."""
        return markdown.render(lay_out(self, self._language(language)))

    def to_html(self, language: Language | None = None) -> str:
        """Return a ``<figure>`` holding the table; its few rules of style are inline."""
        return html.render(lay_out(self, self._language(language)))

    def to_typst(self, language: Language | None = None) -> str:
        """Return a Typst ``figure`` of kind ``table``."""
        return typst.render(lay_out(self, self._language(language)))

    def to_docx(self, path: str | PathLike[str], language: Language | None = None) -> None:
        """Write a Word document holding the table in three-line style.

        Parameters
        ----------
        path : path
        language : "en" or "zh", optional
        """
        word.write(lay_out(self, self._language(language)), Path(path))

    def to_frame(self, language: Language | None = None) -> pd.DataFrame:
        """Return the unrounded numbers by row label; an interval has two rows."""
        return spreadsheet.to_frame(self, self._language(language))

    def to_excel(self, path: str | PathLike[str], language: Language | None = None) -> None:
        """Write an Excel file whose numbers are numbers; needs ``openpyxl``.

        Parameters
        ----------
        path : path
        language : "en" or "zh", optional
        """
        spreadsheet.write_excel(self, path, self._language(language))

    def save(self, directory: str | PathLike[str]) -> None:
        """Write the definition (``<id>.json``) and every format in both languages.

        The files are ``<id>.<language>.<tex|html|md|docx>``; the paper reads the definition.
        """
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.id}.json").write_text(definition.dump(self), encoding="utf-8")
        for language in LANGUAGES:
            stem = f"{self.id}.{language}"
            (folder / f"{stem}.tex").write_text(self.to_latex(language), encoding="utf-8")
            (folder / f"{stem}.html").write_text(self.to_html(language), encoding="utf-8")
            (folder / f"{stem}.md").write_text(self.to_markdown(language), encoding="utf-8")
            self.to_docx(folder / f"{stem}.docx", language)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Table:
        """Read a definition written by :meth:`save`."""
        return cls(**vars(definition.load(Path(path))))


def _cells(column: pd.Series[Any], digits: int | None) -> list[Cell]:
    if digits is None:
        reals = (float(v) for v in column if isinstance(v, Real) and not isinstance(v, Integral))
        digits = decimals(reals)
    return [_cell(value, digits) for value in column]


def _cell(value: object, digits: int) -> Cell:
    if value is None or isinstance(value, Cell):
        return value
    if isinstance(value, Integral):
        return Number(int(value), 0)
    if isinstance(value, Real):
        return Number(float(value), digits)
    return str(value)
