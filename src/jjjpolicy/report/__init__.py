"""Tables and figures for publication, in English and Chinese. Nothing here computes."""

from jjjpolicy.report.figures.figure import Figure, save_figure
from jjjpolicy.report.tables.cells import (
    Cell,
    Interval,
    Number,
    PValue,
    StandardError,
    format_number,
    format_pvalue,
)
from jjjpolicy.report.tables.content import Column, Panel, Row
from jjjpolicy.report.tables.table import Table
from jjjpolicy.report.text import Label, Language, Text, words

__all__ = [
    "Cell",
    "Column",
    "Figure",
    "Interval",
    "Label",
    "Language",
    "Number",
    "PValue",
    "Panel",
    "Row",
    "StandardError",
    "Table",
    "Text",
    "format_number",
    "format_pvalue",
    "save_figure",
    "words",
]
