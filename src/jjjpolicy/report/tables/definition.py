"""A table's definition as JSON: unrounded numbers, both languages."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.report.tables.cells import (
    Cell,
    Interval,
    Number,
    PValue,
    StandardError,
    WidestInterval,
)
from jjjpolicy.report.tables.content import Column, Content, Panel, Row
from jjjpolicy.report.text import Label, Text

_KINDS = {
    kind.__name__: kind for kind in (Number, StandardError, PValue, Interval, WidestInterval, Text)
}


def dump(table: Content) -> str:
    """Return the definition of a table as JSON."""
    content = {
        "id": table.id,
        "caption": _plain(table.caption),
        "stub": _plain(table.stub),
        "columns": [_plain_column(column) for column in table.columns],
        "panels": [
            {
                "heading": _plain(panel.heading),
                "rows": [
                    {"label": _plain(row.label), "cells": [_plain(cell) for cell in row.cells]}
                    for row in panel.rows
                ],
            }
            for panel in table.panels
        ],
        "notes": [_plain(note) for note in table.notes],
        "missing": _plain(table.missing),
    }
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def load(path: Path) -> Content:
    """Read a definition written by :func:`dump`.

    Raises
    ------
    DataError
        The file is not a table definition.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Content(
            id=content["id"],
            caption=_label(content["caption"]),
            columns=tuple(
                Column(_label(name), _label(span), *width)
                for name, span, *width in content["columns"]
            ),
            panels=tuple(
                Panel(
                    _label(panel["heading"]),
                    tuple(
                        Row(_label(row["label"]), tuple(_cell(cell) for cell in row["cells"]))
                        for row in panel["rows"]
                    ),
                )
                for panel in content["panels"]
            ),
            stub=_label(content["stub"]),
            notes=tuple(_label(note) for note in content["notes"]),
            missing=_label(content["missing"]),
        )
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path.name} is not a table definition ({error}). Rebuild it.") from error


def _plain_column(column: Column) -> list[Any]:
    width = [] if column.width is None else [column.width]
    return [_plain(column.heading), _plain(column.span), *width]


def _plain(cell: Cell) -> Any:
    if cell is None or isinstance(cell, str):
        return cell
    content = {item.name: getattr(cell, item.name) for item in fields(cell)}
    return {"kind": type(cell).__name__} | {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in content.items()
    }


def _cell(content: Any) -> Cell:
    if content is None or isinstance(content, str):
        return content
    arguments = dict(content)
    cell: Cell = _KINDS[arguments.pop("kind")](**arguments)
    return cell


def _label(content: Any) -> Label:
    cell = _cell(content)
    if not isinstance(cell, str | Text):
        raise TypeError(f"{content!r} is not a text")
    return cell
