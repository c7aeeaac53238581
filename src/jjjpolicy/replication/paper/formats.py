"""What a table, figure, equation or reference becomes in each format of the paper."""

from __future__ import annotations

from html import escape as escape_html
from typing import Protocol

from jjjpolicy.replication.paper.crossref import Node, Target
from jjjpolicy.report.figures.figure import Caption
from jjjpolicy.report.tables import html, latex, typst
from jjjpolicy.report.tables.layout import NOTES, lay_out
from jjjpolicy.report.tables.table import Table
from jjjpolicy.report.tables.word import (
    SPACE_BELOW,
    notes_paragraph,
    paragraph,
    run,
    table_xml,
)
from jjjpolicy.report.text import Language, words

TEXT_WIDTH = 6.3
"""Width of the text in inches: A4 with margins of 2.5 cm."""


class PaperFormat(Protocol):
    """Turns the parts of a paper that pandoc cannot number into blocks and inlines."""

    @property
    def language(self) -> Language:
        """Language of captions and notes."""
        ...

    def table(self, target: Target, table: Table) -> list[Node]:
        """Return the blocks of a table."""
        ...

    def figure(self, target: Target, caption: Caption) -> list[Node]:
        """Return the blocks of a figure."""
        ...

    def equation(self, target: Target, math: str) -> list[Node]:
        """Return the blocks of a numbered equation."""
        ...

    def reference(self, target: Target, with_word: bool) -> list[Node]:
        """Return the inlines of a reference."""
        ...


def display(math: str) -> Node:
    """Return an unnumbered display equation."""
    return {"t": "Math", "c": [{"t": "DisplayMath"}, math]}


def _block(format: str, text: str) -> Node:
    return {"t": "RawBlock", "c": [format, text]}


def _inline(format: str, text: str) -> Node:
    return {"t": "RawInline", "c": [format, text]}


def _notes(caption: Caption, language: Language) -> str:
    return ("" if language == "zh" else " ").join(words(note, language) for note in caption.notes)


def _prefix(target: Target, language: Language) -> str:
    if language == "zh":
        return f"{target.word(language)}{target.label}\N{IDEOGRAPHIC SPACE}"
    return f"{target.word(language)} {target.label}. "


def _phrase(target: Target, language: Language, with_word: bool) -> str:
    if not with_word:
        return target.printed(language)
    space = "" if language == "zh" else "\N{NO-BREAK SPACE}"
    return target.word(language) + space + target.printed(language)


class Latex:
    """LaTeX: numbers and references are LaTeX's own."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def table(self, target: Target, table: Table) -> list[Node]:
        return [_block("latex", table.to_latex(self.language))]

    def figure(self, target: Target, caption: Caption) -> list[Node]:
        notes = _notes(caption, self.language)
        file = f"figures/{target.name}.{self.language}.pdf"
        width = f"{min(1.0, caption.width / TEXT_WIDTH):.3f}"
        below = latex.escape(words(caption.caption, self.language))
        lines = [
            r"\begin{figure}[htbp]",
            r"\centering",
            rf"\includegraphics[width={width}\linewidth]{{{file}}}",
            rf"\caption{{{below}}}\label{{{target.identifier}}}",
        ]
        if notes:
            lines += [
                r"\begin{minipage}{0.95\linewidth}\footnotesize",
                rf"\textit{{{NOTES[self.language]}}}{latex.escape(notes)}",
                r"\end{minipage}",
            ]
        return [_block("latex", "\n".join([*lines, r"\end{figure}"]))]

    def equation(self, target: Target, math: str) -> list[Node]:
        label = rf"\label{{{target.identifier}}}"
        return [_block("latex", f"\\begin{{equation}}{label}\n{math.strip()}\n\\end{{equation}}")]

    def reference(self, target: Target, with_word: bool) -> list[Node]:
        phrase = _phrase(target, self.language, with_word).replace("\N{NO-BREAK SPACE}", "~")
        if not target.file:
            phrase = phrase.replace(target.label, rf"\ref{{{target.identifier}}}")
        return [_inline("latex", phrase)]


class Typst:
    """Typst, for the PDF."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def table(self, target: Target, table: Table) -> list[Node]:
        return [_block("typst", table.to_typst(self.language))]

    def figure(self, target: Target, caption: Caption) -> list[Node]:
        opening, closing = typst.notes(_notes(caption, self.language), self.language)
        file = typst.literal(f"figures/{target.name}.{self.language}.svg")
        below = typst.literal(words(caption.caption, self.language))
        width = f"{min(1.0, caption.width / TEXT_WIDTH):.3%}"
        figure = f"#figure(image({file}, width: {width}, alt: {below}), caption: {below})"
        source = f"{opening}\n{figure} <{target.identifier}>\n{closing}"
        return [_block("typst", f"#block(breakable: false)[\n{source}\n]")]

    def equation(self, target: Target, math: str) -> list[Node]:
        pattern = '"（1）"' if self.language == "zh" else '"(1)"'
        return [
            _block("typst", f"#[\n#set math.equation(numbering: {pattern})"),
            {"t": "Para", "c": [display(math), _inline("typst", f" <{target.identifier}>")]},
            _block("typst", "]"),
        ]

    def reference(self, target: Target, with_word: bool) -> list[Node]:
        phrase = typst.literal(_phrase(target, self.language, with_word))
        shown = phrase if target.file else f"link(<{target.identifier}>, {phrase})"
        return [_inline("typst", f"#{shown};")]


class Html:
    """HTML."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def table(self, target: Target, table: Table) -> list[Node]:
        layout = lay_out(table, self.language)
        return [_block("html", html.render(layout, _prefix(target, self.language)))]

    def figure(self, target: Target, caption: Caption) -> list[Node]:
        words_below = words(caption.caption, self.language)
        notes = _notes(caption, self.language)
        text = (
            f'<p class="notes"><em>{NOTES[self.language]}</em>{escape_html(notes)}</p>'
            if notes
            else ""
        )
        return [
            _block(
                "html",
                f'<figure id="{target.identifier}">'
                f'<img loading="lazy" decoding="async" '
                f'src="figures/{target.name}.{self.language}.svg" '
                f'style="width:{caption.width}in" alt="{escape_html(words_below)}">'
                f"<figcaption>{escape_html(_prefix(target, self.language) + words_below)}"
                f"</figcaption>{text}</figure>",
            )
        ]

    def equation(self, target: Target, math: str) -> list[Node]:
        number = {
            "t": "Span",
            "c": [["", ["equation-number"], []], [_string(target.printed(self.language))]],
        }
        line = {"t": "Para", "c": [display(math), number]}
        return [{"t": "Div", "c": [[target.identifier, ["numbered-equation"], []], [line]]}]

    def reference(self, target: Target, with_word: bool) -> list[Node]:
        phrase = _phrase(target, self.language, with_word)
        page = f"{target.file}.html" if target.file else ""
        return [
            {
                "t": "Link",
                "c": [["", [], []], [_string(phrase)], [f"{page}#{target.identifier}", ""]],
            }
        ]


class Word:
    """Word: numbers are SEQ fields, references REF fields, both with their values in place."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def table(self, target: Target, table: Table) -> list[Node]:
        layout = lay_out(table, self.language)
        caption = paragraph(
            self._number(target) + self._caption(layout.caption),
            "TableCaption",
            center=True,
            keep=True,
            before=SPACE_BELOW // 2,
        )
        notes = notes_paragraph(layout.notes, self.language) or "<w:p/>"
        return [_block("openxml", caption + table_xml(layout) + notes)]

    def figure(self, target: Target, caption: Caption) -> list[Node]:
        words_below = words(caption.caption, self.language)
        file = f"figures/{target.name}.{self.language}.png"
        width = f"{min(TEXT_WIDTH, caption.width)}in"
        image = {
            "t": "Image",
            "c": [
                ["", [], [["width", width]]],
                [_string(words_below)],
                [file, ""],
            ],
        }
        notes = notes_paragraph(_notes(caption, self.language), self.language)
        below = paragraph(
            self._number(target) + self._caption(words_below),
            "ImageCaption",
            center=True,
            keep=bool(notes),
            after=20 if notes else SPACE_BELOW,
        )
        below += notes
        style = ["", [], [["custom-style", "Captioned Figure"]]]
        return [
            {"t": "Div", "c": [style, [{"t": "Para", "c": [image]}]]},
            _block("openxml", below),
        ]

    def equation(self, target: Target, math: str) -> list[Node]:
        def cell(width: int) -> str:
            size = f'<w:tcW w:w="{width}" w:type="dxa"/>'
            return f'<w:tc><w:tcPr>{size}<w:vAlign w:val="center"/></w:tcPr>'

        side, middle = 900, 7200
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in (side, middle, side))
        number = paragraph(self._number(target), "Normal").replace(
            '<w:ind w:firstLine="0"/>', '<w:ind w:firstLine="0"/><w:jc w:val="right"/>'
        )
        return [
            _block(
                "openxml",
                f'<w:tbl><w:tblPr><w:tblW w:w="{2 * side + middle}" w:type="dxa"/>'
                f'<w:jc w:val="center"/><w:tblLayout w:type="fixed"/></w:tblPr>'
                f"<w:tblGrid>{grid}</w:tblGrid><w:tr>{cell(side)}<w:p/></w:tc>{cell(middle)}",
            ),
            {"t": "Para", "c": [display(math)]},
            _block("openxml", f"</w:tc>{cell(side)}{number}</w:tc></w:tr></w:tbl>"),
        ]

    def reference(self, target: Target, with_word: bool) -> list[Node]:
        if target.file:
            return [_inline("openxml", run(_phrase(target, self.language, with_word)))]
        whole = with_word and target.kind != "eq"
        bookmark = target.bookmark if whole else f"{target.bookmark}_number"
        field = _field(f"REF {bookmark} \\h", _phrase(target, self.language, whole))
        if with_word and not whole:
            space = "" if self.language == "zh" else "\N{NO-BREAK SPACE}"
            field = run(target.word(self.language) + space) + field
        return [_inline("openxml", field)]

    def _number(self, target: Target) -> str:
        first = 100 * target.number + 2 * ("tbl", "fig", "eq").index(target.kind) + 1
        sequence = {"tbl": "Table", "fig": "Figure", "eq": "Equation"}[target.kind]
        number = _field(f"SEQ {sequence} \\* ARABIC", str(target.number))
        number = (run(target.series) if target.series else "") + number
        if target.kind == "eq":
            opening, closing = target.printed(self.language).split(target.label)
            return _bookmark(
                f"{target.bookmark}_number", first, run(opening) + number + run(closing)
            )
        space = "" if self.language == "zh" else "\N{NO-BREAK SPACE}"
        inner = _bookmark(f"{target.bookmark}_number", first + 1, number)
        return _bookmark(target.bookmark, first, run(target.word(self.language) + space) + inner)

    def _caption(self, caption: str) -> str:
        return run(("\N{IDEOGRAPHIC SPACE}" if self.language == "zh" else ". ") + caption)


def _string(text: str) -> Node:
    return {"t": "Str", "c": text}


def _field(instruction: str, cached: str) -> str:
    return f'<w:fldSimple w:instr=" {instruction} ">{run(cached)}</w:fldSimple>'


def _bookmark(name: str, number: int, content: str) -> str:
    start = f'<w:bookmarkStart w:id="{number}" w:name="{name}"/>'
    return f'{start}{content}<w:bookmarkEnd w:id="{number}"/>'
