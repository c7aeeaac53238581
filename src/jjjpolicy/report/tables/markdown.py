"""Markdown: a pipe table."""

from __future__ import annotations

import html
import re

from jjjpolicy.report.tables.layout import NOTES, Layout


def escape(text: str) -> str:
    """Escape characters that mean something to Markdown."""
    return re.sub(r"([\\`*_{}\[\]#$|~^@])", r"\\\1", html.escape(text, quote=False))


def render(layout: Layout) -> str:
    """Return caption, pipe table and notes; spanning headings go into the headings."""
    spans = [span for span, count in layout.spans for _ in range(count)] or [""] * len(
        layout.headings
    )
    headings = [
        f"{span}: {heading}" if span and heading else span or heading
        for span, heading in zip(spans, layout.headings, strict=True)
    ]
    lines = [
        f"**{escape(layout.caption)}**",
        "",
        _row([escape(layout.stub), *map(escape, headings)]),
        _row([":--", *("--:" if width is None else ":--" for width in layout.column_widths)]),
    ]
    for line in layout.lines:
        if line.entries:
            lines.append(_row([escape(line.label), *(escape(e.text) for e in line.entries)]))
        else:
            lines.append(_row([f"**{escape(line.label)}**", *[""] * len(headings)]))
    if layout.notes:
        lines += ["", f"{NOTES[layout.language]}{escape(layout.notes)}"]
    return "\n".join([*lines, ""])


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
