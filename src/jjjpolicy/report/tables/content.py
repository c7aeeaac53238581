"""What a table holds: columns, and panels of rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from jjjpolicy.errors import DataError
from jjjpolicy.report.tables.cells import Cell, is_missing
from jjjpolicy.report.text import Label, Language


@dataclass(frozen=True)
class Column:
    """A column heading; neighbours with the same ``span`` share a spanning heading above them.

    A ``width``, as a part of the width of the text, makes a column of words: they wrap, and are set
    left instead of centred.

    Parameters
    ----------
    heading, span : str or Text
        Words of the column, and of the heading above it and its neighbours.
    width : float, optional
        Between 0 and 1, as a part of the width of the text.

    Raises
    ------
    DataError
        A width outside this range.
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
    """A labelled row.

    Parameters
    ----------
    label : str or Text
    cells : tuple
        One for each column: numbers, errors, p-values, intervals, words, or None.
    """

    label: Label
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Panel:
    """A group of rows under a heading (none if the heading is empty).

    Parameters
    ----------
    heading : str or Text
    rows : tuple of Row
    """

    heading: Label
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Content:
    """Everything of a table but the formats; :class:`Table` says what the parts are."""

    id: str
    caption: Label
    columns: tuple[Column, ...]
    panels: tuple[Panel, ...]
    stub: Label = ""
    notes: tuple[Label, ...] = ()
    missing: Label = field(default="", kw_only=True)
    language: Language | None = field(default=None, kw_only=True, compare=False)

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
