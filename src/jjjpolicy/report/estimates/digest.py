"""What an object shows of itself: titled lines and tables, as text and as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import pandas as pd

from jjjpolicy.report.tables import html
from jjjpolicy.report.tables.cells import Cell, Number, decimals
from jjjpolicy.report.tables.content import Column, Content, Panel, Row
from jjjpolicy.report.tables.layout import lay_out, text_width
from jjjpolicy.report.text import Language

WIDTH = 100
STUB = 15
DIGITS = 4
WORDS = 0.9
"""Part of the width of a page that the lines of a digest may take."""
EFFECTS = ("estimate", "att", "se", "lower", "upper", "uniform_lower", "uniform_upper")
"""Columns in the unit of the outcome, which share their number of decimals."""
HEADINGS = {
    "event_time": "事件时间",
    "period": "时期",
    "adoption": "首次处理",
    "unit": "地区",
    "estimate": "估计值",
    "att": "平均处理效应",
    "se": "标准误",
    "lower": "下限",
    "upper": "上限",
    "uniform_lower": "一致带下限",
    "uniform_upper": "一致带上限",
    "pvalue": "p 值",
    "pre_rmspe": "处理前 RMSPE",
    "post_rmspe": "处理后 RMSPE",
    "rmspe_ratio": "RMSPE 比",
    "effective_donors": "有效对照数",
    "intercept": "截距",
    "optimality_gap": "最优性差距",
    "cells": "处理期数",
    "placebos": "安慰剂数",
}


@dataclass(frozen=True)
class Line:
    """A labelled line; further ones without a label of their own stand below it."""

    label: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Digest:
    """A title, labelled lines and tables, in one language."""

    title: str
    heading: str
    lines: tuple[Line, ...]
    tables: tuple[Content, ...]
    language: Language

    def text(self) -> str:
        """The digest for a terminal."""
        rows = [self.title, "─" * text_width(self.title)]
        for line in self.lines:
            label = line.label
            for text in line.texts:
                for part in wrapped(text, self.language):
                    rows.append(f"{label}{' ' * max(STUB - text_width(label), 1)}{part}".rstrip())
                    label = ""
        for table in self.tables:
            rows += ["", str(table.caption), *_columns(table)]
        return "\n".join(rows)

    def html(self) -> str:
        """The digest for a notebook: tables in three-line style."""
        rows = tuple(
            Row(line.label if number == 0 else "", (text,))
            for line in self.lines
            for number, text in enumerate(line.texts)
        )
        column = Column(self.heading, width=WORDS)
        first = Content("digest", self.title, (column,), (Panel("", rows),))
        shown = (
            html.render(lay_out(table, self.language), anchor=False)
            for table in (first, *self.tables)
        )
        return html.for_notebook("".join(shown))


def table_of(
    caption: str, frame: pd.DataFrame, language: Language, digits: int | None = None
) -> Content:
    """A table of effects with as many digits as they need; its first column names the rows.

    Parameters
    ----------
    caption : str
    frame : DataFrame
    language : "en" or "zh"
    digits : int, optional
        Decimals of all numbers but p-values.
    """
    floats = [name for name in frame if pd.api.types.is_float_dtype(frame[name])]
    effects = [name for name in floats if name in EFFECTS]
    shared = decimals(frame[effects].to_numpy(dtype=float).ravel().tolist(), DIGITS)

    def places(name: object) -> int:
        if name == "pvalue":
            return DIGITS
        if digits is not None:
            return digits
        return shared if name in effects else decimals(frame[name].tolist(), DIGITS)

    columns = [
        [_number(value, places(name)) for value in frame[name]]
        if name in floats
        else [str(value) for value in frame[name]]
        for name in frame
    ]
    stub, *headings = (
        (HEADINGS.get(str(name), str(name)) for name in frame)
        if (language == "zh")
        else map(str, frame)
    )
    labels, *cells = columns
    rows = tuple(Row(str(label), tuple(row)) for label, *row in zip(labels, *cells, strict=True))
    return Content("digest", caption, tuple(map(Column, headings)), (Panel("", rows),), stub)


def wrapped(text: str, language: Language) -> list[str]:
    """A text in lines that fit beside their label; Chinese breaks between characters."""
    room = WIDTH - STUB
    if language == "en" or text.isascii():
        return wrap(text, room, drop_whitespace=True) or [""]
    lines, line = [], ""
    for word in re.findall(r"[!-~–−‘’“”]+|\s|.[，。；：、）〕》]*", text):
        if line and text_width(line) + text_width(word) > room:
            lines.append(line.strip())
            line = ""
        line += word
    return [*lines, line.strip()]


def _number(value: float, digits: int) -> Cell:
    return "" if np.isnan(value) else Number(float(value), digits)


def _columns(table: Content) -> Iterator[str]:
    """The rows of a table, columns to the right."""
    rows = [
        [str(table.stub), *(str(column.heading) for column in table.columns)],
        *([str(row.label), *map(str, row.cells)] for panel in table.panels for row in panel.rows),
    ]
    widths = [max(map(text_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield _justified(row, widths)


def _justified(row: Iterable[str], widths: Iterable[int]) -> str:
    return " ".join(
        " " * (width - text_width(text)) + text for text, width in zip(row, widths, strict=True)
    )
