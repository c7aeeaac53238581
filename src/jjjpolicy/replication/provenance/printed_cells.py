"""Cells of tables by their place: ``table:effects[2,1]``."""

from __future__ import annotations

from dataclasses import dataclass

from jjjpolicy.errors import DataError
from jjjpolicy.report.tables.cells import Figures
from jjjpolicy.report.tables.content import Content, Row


@dataclass(frozen=True)
class PrintedCell:
    """A cell of a table with its place, as ``table:effects[2,1]``."""

    table: str
    row: int
    column: int
    label: str
    heading: str
    text: str
    source: str

    @property
    def place(self) -> str:
        """Name and description of the place."""
        return (
            f"table:{self.table}[{self.row},{self.column}]  {self.label} · {self.heading}: "
            f"{self.text}"
        )

    def prints(self, source: str) -> bool:
        """Whether the cell prints a number, or an interval of which the number is an end."""
        ends = (f"{self.source}/low", f"{self.source}/high")
        return bool(self.source) and source in (self.source, *ends)


def cells_of(table: Content) -> list[PrintedCell]:
    """Every cell of a table that holds figures."""
    found = []
    position = 0
    for panel in table.panels:
        for row in panel.rows:
            position += 1
            for number, (column, cell) in enumerate(zip(table.columns, row.cells, strict=True), 1):
                if isinstance(cell, Figures):
                    heading = ": ".join(filter(None, (str(column.span), str(column.heading))))
                    label = _label(panel.heading, row)
                    source = getattr(cell, "source", "")
                    found.append(
                        PrintedCell(table.id, position, number, label, heading, str(cell), source)
                    )
    return found


def find_cell(table: Content, row: str, column: str) -> PrintedCell:
    """The cell at a row and column, each a number or part of what is printed there.

    Raises
    ------
    DataError
        No cell fits, or several do; the message lists them.
    """
    cells = cells_of(table)
    fits = [
        cell
        for cell in cells
        if (row == str(cell.row) or row.lower() in cell.label.lower())
        and (column == str(cell.column) or column.lower() in cell.heading.lower())
    ]
    fits = [c for c in fits if row == str(c.row) and column == str(c.column)] or fits
    if len(fits) != 1:
        listed = "; ".join(cell.place for cell in (fits or cells)[:12])
        which = "several cells fit" if fits else "no cell fits"
        raise DataError(f"table:{table.id}[{row},{column}]: {which}. Write one of: {listed}.")
    return fits[0]


def _label(heading: object, row: Row) -> str:
    return f"{heading} / {row.label}" if str(heading) else str(row.label)
