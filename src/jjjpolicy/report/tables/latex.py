"""LaTeX, with the package ``booktabs``, and ``array`` for columns of words."""

from __future__ import annotations

from jjjpolicy.report.tables.layout import NOTES, Entry, Layout, is_wide

_GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "varepsilon",
    "θ": "theta",
    "λ": "lambda",
    "μ": "mu",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "φ": "varphi",
    "χ": "chi",
    "ω": "omega",
    "Δ": "Delta",
    "Σ": "Sigma",
    "Ω": "Omega",
}
_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "[": "{[}",
        "}": r"\}",
        "%": r"\%",
        "&": r"\&",
        "_": r"\_",
        "#": r"\#",
        "$": r"\$",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\ensuremath{<}",
        ">": r"\ensuremath{>}",
        "|": r"\textbar{}",
        "\N{MINUS SIGN}": r"\ensuremath{-}",
        "\N{EN DASH}": "--",
        "²": r"\textsuperscript{2}",
        "≤": r"\ensuremath{\leq}",
        "≥": r"\ensuremath{\geq}",
        "×": r"\ensuremath{\times}",
        "∞": r"\ensuremath{\infty}",
        "∶": ":",
        **{letter: rf"\ensuremath{{\{name}}}" for letter, name in _GREEK.items()},
    }
)

_SIZE_OF_WIDE = r"\footnotesize\setlength{\tabcolsep}{2.5pt}"


def escape(text: str) -> str:
    """Escape characters that mean something to LaTeX."""
    return text.translate(_SPECIAL)


def render(layout: Layout) -> str:
    """Return a ``table`` environment with caption above, label ``tbl:<id>`` and notes below."""
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        r"\setlength{\abovecaptionskip}{0pt}\setlength{\belowcaptionskip}{6pt}",
        rf"\caption{{{escape(layout.caption)}}}\label{{tbl:{layout.id}}}",
        _SIZE_OF_WIDE if is_wide(layout) else r"\small",
        rf"\begin{{tabular}}{{l{''.join(map(_column, layout.column_widths))}}}",
        r"\toprule",
        *_head(layout),
        r"\midrule",
        *_body(layout),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if layout.notes:
        lines += [
            r"\par\smallskip",
            r"\begin{minipage}{0.95\linewidth}\footnotesize",
            rf"\textit{{{NOTES[layout.language]}}}{escape(layout.notes)}",
            r"\end{minipage}",
        ]
    return "\n".join([*lines, r"\end{table}", ""])


def _column(width: float | None) -> str:
    if width is None:
        return "c"
    # The space between columns and the labels take the rest of the line.
    return rf">{{\raggedright\arraybackslash}}p{{{0.93 * width:.3f}\linewidth}}"


def _head(layout: Layout) -> list[str]:
    lines = []
    if layout.spans:
        cells, rules, column = [""], [], 2
        for span, count in layout.spans:
            cells.append(rf"\multicolumn{{{count}}}{{c}}{{{escape(span)}}}")
            if span:
                rules.append(rf"\cmidrule(lr){{{column}-{column + count - 1}}}")
            column += count
        lines += [" & ".join(cells) + r" \\", "".join(rules)]
    return [*lines, " & ".join(map(escape, (layout.stub, *layout.headings))) + r" \\"]


def _body(layout: Layout) -> list[str]:
    lines = []
    for number, line in enumerate(layout.lines):
        if line.entries:
            cells = [escape(line.label), *map(_entry, line.entries)]
            lines.append(" & ".join(cells) + r" \\")
        else:
            space = r"\addlinespace" + "\n" if number else ""
            lines.append(
                rf"{space}\multicolumn{{{layout.width}}}{{l}}{{\textit{{{escape(line.label)}}}}} \\"
            )
    return lines


def _entry(entry: Entry) -> str:
    before, after = (
        rf"\phantom{{{escape(padding)}}}" if padding else ""
        for padding in (entry.before, entry.after)
    )
    return before + escape(entry.text) + after
