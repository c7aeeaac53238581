"""HTML."""

from __future__ import annotations

from html import escape

from jjjpolicy.report.tables.layout import NOTES, Entry, Layout

_STYLE = """<style>
.jjj-table{margin:1.5em auto;width:max-content;max-width:100%;overflow-x:auto}
.jjj-table table{border-collapse:collapse;border-top:2px solid;border-bottom:2px solid;
margin:.4em auto;font-size:.88em;line-height:1.3;font-variant-numeric:tabular-nums lining-nums}
.jjj-table thead tr:last-child th{border-bottom:1px solid}
.jjj-table th,.jjj-table td{padding:.15em .5em;text-align:center;font-weight:normal;
white-space:nowrap;border-left:0;border-right:0}
.jjj-table th[scope=row],.jjj-table .stub{text-align:left}
.jjj-table th[scope=colgroup] span{display:block;border-bottom:1px solid}
.jjj-table th[scope=rowgroup]{text-align:left;font-style:italic;padding-top:.5em}
.jjj-table i[aria-hidden]{visibility:hidden;font-style:normal;user-select:none}
.jjj-table .words{text-align:left;white-space:normal;vertical-align:top}
.jjj-table figcaption{text-align:center;font-weight:bold}
.jjj-table .notes{font-size:.85em;text-align:left;margin:.3em 0;width:0;min-width:100%}
.jjj-table:lang(zh) th,.jjj-table:lang(zh) em{font-style:normal!important}
</style>"""


def render(layout: Layout, caption_prefix: str = "", *, anchor: bool = True) -> str:
    """Return a ``<figure>`` with caption above and notes below.

    ``anchor`` gives it the identifier ``tbl:<id>``; a page that holds both languages cannot.
    """
    lang = "zh-Hans" if layout.language == "zh" else "en"
    identifier = f' id="tbl:{escape(layout.id)}"' if anchor else ""
    notes = f'<p class="notes"><em>{NOTES[layout.language]}</em>{escape(layout.notes)}</p>'
    return "\n".join(
        [
            f'<figure class="jjj-table"{identifier} lang="{lang}">',
            _STYLE,
            f"<figcaption>{escape(caption_prefix + layout.caption)}</figcaption>",
            "<table>",
            "<thead>",
            *_head(layout),
            "</thead>",
            "<tbody>",
            *_body(layout),
            "</tbody>",
            "</table>",
            *([notes] if layout.notes else []),
            "</figure>",
            "",
        ]
    )


def for_notebook(content: str) -> str:
    """The same where a notebook takes no name with dollar signs for a formula."""
    return f'<div class="mathjax_ignore tex2jax_ignore">\n{content}</div>\n'


def _head(layout: Layout) -> list[str]:
    lines = []
    if layout.spans:
        spans = "".join(
            f'<th colspan="{count}" scope="colgroup"><span>{escape(span)}</span></th>'
            if span
            else f'<td colspan="{count}"></td>'
            for span, count in layout.spans
        )
        lines.append(f"<tr><td></td>{spans}</tr>")
    headings = "".join(
        f'<th{_words(width)} scope="col">{escape(heading)}</th>'
        for heading, width in zip(layout.headings, layout.column_widths, strict=True)
    )
    return [*lines, f'<tr><th class="stub" scope="col">{escape(layout.stub)}</th>{headings}</tr>']


def _body(layout: Layout) -> list[str]:
    return [
        f'<tr><th scope="row">{escape(line.label)}</th>'
        f"{''.join(map(_entry, line.entries, layout.column_widths))}</tr>"
        if line.entries
        else f'<tr><th colspan="{layout.width}" scope="rowgroup">{escape(line.label)}</th></tr>'
        for line in layout.lines
    ]


def _words(width: float | None) -> str:
    return "" if width is None else f' class="words" style="width:{60 * width:.1f}em"'


def _entry(entry: Entry, width: float | None) -> str:
    before, after = (
        f'<i aria-hidden="true">{escape(padding)}</i>' if padding else ""
        for padding in (entry.before, entry.after)
    )
    return f"<td{_words(width)}>{before}{escape(entry.text)}{after}</td>"
