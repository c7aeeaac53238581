"""Typst, the typesetter behind the PDF."""

from __future__ import annotations

import json

from jjjpolicy.report.tables.layout import NOTES, Entry, Layout, is_wide
from jjjpolicy.report.text import Language

_SIZE_OF_WIDE = "#set text(size: 8pt)\n#set table(inset: (x: 2.5pt, y: 2.8pt))"


def literal(text: str) -> str:
    """Return a Typst string: nothing in it is markup."""
    return json.dumps(text, ensure_ascii=False)


def render(layout: Layout) -> str:
    """Return a ``figure`` with caption above, label ``tbl:<id>`` and notes below.

    The template of the paper defines ``of-sentences``: whether tables may go on over the page.
    """
    opening, closing = notes(layout.notes, layout.language)
    sentences = any(width is not None for width in layout.column_widths)
    wide = is_wide(layout) and not sentences
    labels = "1fr" if wide else "auto"
    return "\n".join(
        [
            f"#of-sentences.update({str(sentences).lower()})",
            f"#figure(kind: table, caption: {literal(layout.caption)}, [",
            *([_SIZE_OF_WIDE] if wide else []),
            f"{opening}#table(",
            f"  columns: ({labels}, {_listed(layout, 'auto', '{:.1%}')}), stroke: none,",
            f"  align: (left, {_listed(layout, 'center', 'left')}),",
            "  table.hline(stroke: 0.9pt),",
            "  table.header(",
            *_head(layout),
            "  ),",
            "  table.hline(stroke: 0.5pt),",
            *_body(layout),
            "  table.hline(stroke: 0.9pt),",
            f"){closing}",
            f"]) <tbl:{layout.id}>",
            "",
        ]
    )


def notes(text: str, language: Language) -> tuple[str, str]:
    """Return what opens and closes markup with notes below it; nothing where there are none.

    The template of the paper defines ``with-notes``.
    """
    if not text:
        return "", ""
    return "#with-notes([", f"], [#emph({literal(NOTES[language])})#{literal(text)}])"


def _listed(layout: Layout, of_numbers: str, of_words: str) -> str:
    """A Typst list with an item for each column of cells."""
    widths = layout.column_widths
    items = [of_numbers if width is None else of_words.format(width) for width in widths]
    return ", ".join(items) + ","


def _head(layout: Layout) -> list[str]:
    lines = []
    if layout.spans:
        spans = ", ".join(
            f"table.cell(colspan: {count}, {literal(span)})" for span, count in layout.spans
        )
        lines.append(f'    "", {spans},')
        column = 1
        for span, count in layout.spans:
            if span:
                lines.append(
                    f"    table.hline(start: {column}, end: {column + count}, stroke: 0.4pt),"
                )
            column += count
    return [*lines, "    " + ", ".join(map(literal, (layout.stub, *layout.headings))) + ","]


def _body(layout: Layout) -> list[str]:
    heading = "emph" if layout.language == "en" else "strong"
    return [
        f"  {literal(line.label)}, {', '.join(map(_entry, line.entries))},"
        if line.entries
        else f"  table.cell(colspan: {layout.width}, {heading}({literal(line.label)})),"
        for line in layout.lines
    ]


def _entry(entry: Entry) -> str:
    before, after = (
        f"#hide({literal(padding)})" if padding else "" for padding in (entry.before, entry.after)
    )
    return f"[{before}#{literal(entry.text)}{after}]"
