"""A table in one language, laid out: plain strings in their places, ready for any renderer."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from jjjpolicy.report.tables.cells import MISSING, Cell, Figures, Interval, is_missing
from jjjpolicy.report.tables.content import Content
from jjjpolicy.report.text import Label, Language, words

_SPACES = dict.fromkeys(range(32), " ")
_WIDE = 90
"""Characters, columns counting 2.4 more each, that fit into a line of A4 in the size small."""
NOTES: dict[Language, str] = {"en": "Notes: ", "zh": "注："}


@dataclass(frozen=True)
class Entry:
    """A cell's text between invisible characters that align a column on the decimal point.

    All entries of a column, padding included, have the same width before and after the point.
    """

    text: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Line:
    """A row of the body; a panel heading has no entries."""

    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Layout:
    """Everything a renderer prints.

    ``column_widths`` are those of columns of words, and None for numbers; row labels have none.
    """

    id: str
    language: Language
    caption: str
    stub: str
    spans: tuple[tuple[str, int], ...]
    headings: tuple[str, ...]
    column_widths: tuple[float | None, ...]
    lines: tuple[Line, ...]
    notes: str

    @property
    def width(self) -> int:
        """Number of columns, row labels included."""
        return len(self.headings) + 1


def column_texts(layout: Layout) -> list[tuple[str, list[str]]]:
    """Heading of each column, that of the labels first, and the texts below it with padding."""
    rows = [line for line in layout.lines if line.entries]
    columns = [(layout.stub, [line.label for line in rows])]
    for number, heading in enumerate(layout.headings):
        entries = [line.entries[number] for line in rows]
        columns.append((heading, [e.before + e.text + e.after for e in entries]))
    return columns


def text_width(text: str) -> int:
    """Width in characters, Chinese ones counting double."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def is_wide(layout: Layout) -> bool:
    """Whether a table needs smaller letters and less space to fit between the margins."""
    return _characters(layout) > _WIDE


def _characters(layout: Layout) -> float:
    """Width of a table in characters, Chinese counting double."""
    widths = [
        max(map(text_width, (heading, *texts))) + 2.4 for heading, texts in column_texts(layout)
    ]
    for number, part in enumerate(layout.column_widths, start=1):
        if part is not None:
            widths[number] = part * _WIDE
    total, column = widths[0], 1
    for span, count in layout.spans or [("", len(widths) - 1)]:
        total += max(text_width(span) + 2.4, sum(widths[column : column + count]))
        column += count
    return total


def lay_out(table: Content, language: Language) -> Layout:
    """Lay out a table in one language."""
    rows = [row for panel in table.panels for row in panel.rows]
    columns = [
        _align([row.cells[position] for row in rows], language)
        for position in range(len(table.columns))
    ]
    entries = iter(zip(*columns, strict=True)) if columns else iter(() for _ in rows)
    lines: list[Line] = []
    for panel in table.panels:
        if panel.heading:
            lines.append(Line(_line(panel.heading, language), ()))
        lines += [Line(_line(row.label, language), next(entries)) for row in panel.rows]
    spans = tuple(
        (span, len(list(group)))
        for span, group in groupby(_line(column.span, language) for column in table.columns)
    )
    return Layout(
        id=table.id,
        language=language,
        caption=_line(table.caption, language),
        stub=_line(table.stub, language),
        spans=spans if any(span for span, _ in spans) else (),
        headings=tuple(_line(column.heading, language) for column in table.columns),
        column_widths=tuple(column.width for column in table.columns),
        lines=tuple(lines),
        notes=_notes(table, language),
    )


def _line(label: Label, language: Language) -> str:
    """Words of a label in one line: a control character would end a row, or a document."""
    return words(label, language).translate(_SPACES)


def _notes(table: Content, language: Language) -> str:
    sentences = [_line(note, language) for note in table.notes]
    if any(is_missing(cell) for panel in table.panels for row in panel.rows for cell in row.cells):
        colon = "：" if language == "zh" else ": "
        sentences.append(MISSING + colon + _line(table.missing, language))
    return ("" if language == "zh" else " ").join(sentences)


def _align(cells: Sequence[Cell], language: Language) -> list[Entry]:
    texts = [_print(cell, language) for cell in cells]
    decimal = [_is_decimal(cell) for cell in cells]
    halves = [text.partition(".") for text in texts]
    heads = [Counter(head) for (head, _, _), yes in zip(halves, decimal, strict=True) if yes]
    tails = [Counter(p + tail) for (_, p, tail), yes in zip(halves, decimal, strict=True) if yes]
    return [
        Entry(text, _padding(head, heads), _padding(point + tail, tails)) if yes else Entry(text)
        for text, (head, point, tail), yes in zip(texts, halves, decimal, strict=True)
    ]


def _is_decimal(cell: Cell) -> bool:
    return isinstance(cell, Figures) and not isinstance(cell, Interval) and not is_missing(cell)


def _padding(half: str, halves: Sequence[Counter[str]]) -> str:
    """Characters that ``half`` lacks of the union of all; digits are equally wide, so they pool."""
    widest = _pool_digits(Counter())
    for other in halves:
        widest |= _pool_digits(other)
    return "".join(sorted((widest - _pool_digits(Counter(half))).elements()))


def _pool_digits(characters: Counter[str]) -> Counter[str]:
    pooled: Counter[str] = Counter()
    for character, count in characters.items():
        pooled["0" if character.isdigit() else character] += count
    return pooled


def _print(cell: Cell, language: Language) -> str:
    if cell is None:
        return MISSING
    return str(cell) if isinstance(cell, Figures) else _line(cell, language)
