"""Lines of the paper that quote a number, table or figure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.paper.fill import Results, fill

_SHOWN = {"tbl": "table", "fig": "figure"}
_CALL = r"\b(?:number|pvalue|text|value)\(\s*([\"'])(.+?)\1\s*,\s*([\"'])(.+?)\3"


@dataclass(frozen=True)
class Quote:
    """A place in a source of the paper.

    Attributes
    ----------
    file : str
    line : int
    source : str
        What it quotes: ``effects:log_gdp/tianjin/did/att``, ``table:effects`` or ``figure:paths``.
    expression : str
        As written in the source.
    """

    file: str
    line: int
    source: str
    expression: str


def quotes(study: Study) -> list[Quote]:
    """Everything that the sources of the paper quote, in their order."""
    found = []
    for document in study.documents:
        path = study.source_of(document)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for match in re.finditer(r"\{[{%].*?[%}]\}", line):
                for call in re.finditer(_CALL, match[0]):
                    source = f"{call[2]}:{call[4]}"
                    found.append(Quote(path.name, number, source, match[0]))
            for match in re.finditer(r"(?:@|#)(tbl|fig):([a-z0-9-]+)", line):
                found.append(Quote(path.name, number, f"{_SHOWN[match[1]]}:{match[2]}", match[0]))
    return found


def printed(study: Study, quote: Quote) -> str:
    """What a quotation of a number prints; empty where it cannot be filled alone."""
    if not quote.expression.startswith("{{"):
        return ""
    try:
        return fill(quote.expression, Results(study.output / "results"))
    except DataError:
        return ""
