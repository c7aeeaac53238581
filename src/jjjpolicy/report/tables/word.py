"""Word: tables in three-line style, as WordprocessingML."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from jjjpolicy.report.tables.layout import NOTES, Entry, Layout, column_texts, text_width
from jjjpolicy.report.text import Language

LATIN_FONT = "Times New Roman"
CHINESE_FONT = "宋体"
CHINESE_HEADING_FONT = "黑体"
NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"

SPACE_BELOW = 240
"""Space between a table or figure with its notes and what follows."""

_TEXT_WIDTH = 9000
_RULE, _THIN_RULE, _SPAN_RULE = 12, 6, 4
_SPACE_AS_WIDE_AS = {
    "0": "\N{FIGURE SPACE}",
    "\N{MINUS SIGN}": "\N{EN SPACE}",
    "<": "\N{EN SPACE}",
    "(": "\N{THREE-PER-EM SPACE}",
    ")": "\N{THREE-PER-EM SPACE}",
    ".": "\N{FOUR-PER-EM SPACE}",
    ",": "\N{FOUR-PER-EM SPACE}",
}


def write(layout: Layout, path: Path) -> None:
    """Write a document that holds one table; the same table gives the same bytes."""
    from docx import Document
    from docx.oxml import parse_xml

    document = Document()
    set_fonts(style for style in document.styles if style.name in ("Normal", "Caption"))
    blocks = [paragraph(run(layout.caption, bold=True), "Caption", center=True, keep=True)]
    blocks += [table_xml(layout), notes_paragraph(layout.notes, layout.language)]
    body = document.element.body
    for block in filter(None, blocks):
        element = parse_xml(block.replace(">", f' xmlns:w="{NAMESPACE}">', 1))
        body.insert(len(body) - 1, element)
    buffer = io.BytesIO()
    document.save(buffer)
    path.write_bytes(without_dates(buffer.getvalue()))


def set_fonts(styles: Iterable[Any]) -> None:
    """Set the Latin and the Chinese font of paragraph styles, in black.

    Chinese titles, headings and captions are in the sans-serif font, as Chinese journals ask.
    """
    from docx.oxml.ns import qn
    from docx.shared import RGBColor

    for style in styles:
        font = style.font
        heading = style.name.startswith(("Title", "Subtitle", "Heading", "Abstract Title"))
        heading = heading or style.name.endswith("Caption")
        font.name = LATIN_FONT
        font.color.rgb = RGBColor(0, 0, 0)
        fonts = font.element.rPr.rFonts
        for attribute in list(fonts.attrib):
            if attribute.endswith("Theme"):
                del fonts.attrib[attribute]
        for script in ("ascii", "hAnsi", "cs"):
            fonts.set(qn(f"w:{script}"), LATIN_FONT)
        fonts.set(qn("w:eastAsia"), CHINESE_HEADING_FONT if heading else CHINESE_FONT)


def without_dates(archive: bytes) -> bytes:
    """Return the same zip archive with every member dated 1 January 1980."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(
                zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)),
                source.read(name),
                zipfile.ZIP_DEFLATED,
            )
    return buffer.getvalue()


def run(text: str, *, bold: bool = False, italic: bool = False, small: bool = False) -> str:
    """Return a run of text; ``small`` is the size of tables and notes."""
    marks = "<w:b/>" * bold + "<w:i/>" * italic + '<w:sz w:val="18"/>' * small
    properties = f"<w:rPr>{marks}</w:rPr>" if marks else ""
    return f'<w:r>{properties}<w:t xml:space="preserve">{escape(_printable(text))}</w:t></w:r>'


def paragraph(
    content: str,
    style: str,
    *,
    center: bool = False,
    keep: bool = False,
    before: int = 20,
    after: int = 20,
) -> str:
    """Return a paragraph of runs; ``keep`` keeps it on the page of what follows.

    ``before`` and ``after`` are the space around it in twentieths of a point.
    """
    properties = (
        f"<w:pStyle w:val={quoteattr(style)}/>"
        + "<w:keepNext/>" * keep
        + f'<w:spacing w:before="{before}" w:after="{after}" w:line="240" w:lineRule="auto"/>'
        + '<w:ind w:firstLine="0"/>'
        + '<w:jc w:val="center"/>' * center
    )
    return f"<w:p><w:pPr>{properties}</w:pPr>{content}</w:p>"


def notes_paragraph(notes: str, language: Language) -> str:
    """Return the paragraph of notes, empty where there are none."""
    if not notes:
        return ""
    opening = run(NOTES[language], italic=language == "en", small=True)
    return paragraph(opening + run(notes, small=True), "Normal", after=SPACE_BELOW)


def table_xml(layout: Layout) -> str:
    """Return the table: a rule on top, one under the headings, one at the bottom."""
    widths = _widths(layout)
    rows = [*_head(layout, widths)]
    last = len(layout.lines) - 1
    for number, line in enumerate(layout.lines):
        bottom = _RULE if number == last else 0
        if line.entries:
            cells = [_cell(line.label, widths[0], bottom=bottom)]
            cells += [
                _cell(_entry(entry), width, bottom=bottom, center=part is None)
                for entry, width, part in zip(
                    line.entries, widths[1:], layout.column_widths, strict=True
                )
            ]
        else:
            cells = [
                _cell(
                    line.label,
                    sum(widths),
                    italic=layout.language == "en",
                    span=layout.width,
                    bottom=bottom,
                )
            ]
        rows.append(_row(cells))
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="60" w:type="dxa"/>'
        '<w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _head(layout: Layout, widths: list[int]) -> list[str]:
    rows = []
    if layout.spans:
        cells, column = [_cell("", widths[0], top=_RULE)], 1
        for span, count in layout.spans:
            cells.append(
                _cell(
                    span,
                    sum(widths[column : column + count]),
                    span=count,
                    top=_RULE,
                    bottom=_SPAN_RULE if span else 0,
                    center=True,
                )
            )
            column += count
        rows.append(_row(cells, heading=True))
    top = 0 if layout.spans else _RULE
    cells = [_cell(layout.stub, widths[0], top=top, bottom=_THIN_RULE)]
    cells += [
        _cell(heading, width, top=top, bottom=_THIN_RULE, center=part is None)
        for heading, width, part in zip(
            layout.headings, widths[1:], layout.column_widths, strict=True
        )
    ]
    return [*rows, _row(cells, heading=True)]


def _row(cells: list[str], *, heading: bool = False) -> str:
    properties = "<w:cantSplit/>" + "<w:tblHeader/>" * heading
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def _cell(
    text: str,
    width: int,
    *,
    span: int = 1,
    top: int = 0,
    bottom: int = 0,
    center: bool = False,
    italic: bool = False,
) -> str:
    borders = "".join(
        f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'
        for side, size in (("top", top), ("bottom", bottom))
        if size
    )
    properties = (
        f'<w:tcW w:w="{width}" w:type="dxa"/>'
        + (f'<w:gridSpan w:val="{span}"/>' if span > 1 else "")
        + (f"<w:tcBorders>{borders}</w:tcBorders>" if borders else "")
        + '<w:vAlign w:val="center"/>'
    )
    content = paragraph(run(text, italic=italic, small=True), "Normal", center=center, keep=True)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


def _widths(layout: Layout) -> list[int]:
    """Column widths in twentieths of a point, by the longest text, Chinese counting double.

    Where they do not fit, headings and labels are broken between words, and no column becomes
    narrower than its longest word or number.
    """
    columns = column_texts(layout)
    widths = [_width((heading, *texts)) for heading, texts in columns]
    least = [_width((*columns[0][0].split(), *(w for t in columns[0][1] for w in t.split())))]
    least += [_width((*heading.split(), *texts)) for heading, texts in columns[1:]]
    for number, part in enumerate(layout.column_widths, start=1):
        if part is not None:
            widths[number] = least[number] = int(part * _TEXT_WIDTH)
    start = 1
    for span, count in layout.spans:
        lacking = _width([span]) - sum(widths[start : start + count])
        for column in range(start, start + count):
            widths[column] += max(0, lacking) // count
        start += count
    excess = sum(widths) - _TEXT_WIDTH
    slack = sum(widths) - sum(least)
    if excess > 0 and slack > 0:
        share = min(1.0, excess / slack)
        widths = [
            int(width - share * (width - low)) for width, low in zip(widths, least, strict=True)
        ]
    scale = min(1.0, _TEXT_WIDTH / sum(widths))
    return [int(width * scale) for width in widths]


def _width(texts: Iterable[str]) -> int:
    return max(map(text_width, texts), default=1) * 105 + 220


def _entry(entry: Entry) -> str:
    before, after = (
        "".join(_SPACE_AS_WIDE_AS.get(character, "\N{EN SPACE}") for character in padding)
        for padding in (entry.before, entry.after)
    )
    return before + entry.text + after


def _printable(text: str) -> str:
    return "".join(character for character in text if character == "\t" or character >= " ")
