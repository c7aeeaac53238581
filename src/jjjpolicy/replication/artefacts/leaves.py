"""Nested results as a flat list of values, and what differs between two of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError


class Absent:
    """Stands for a value that one of two results does not have."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


@dataclass(frozen=True)
class Change:
    """A value that is not the same in two results."""

    path: str
    before: Any
    after: Any

    @property
    def relative(self) -> float | None:
        """Size of the change relative to the larger of the two; None unless both are numbers."""
        if not (is_number(self.before) and is_number(self.after)):
            return None
        size = max(abs(self.before), abs(self.after))
        return abs(self.after - self.before) / size if size else 0.0


def is_number(value: Any) -> bool:
    """Whether the value is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_json(path: Path) -> Any:
    """What a result file holds.

    Raises
    ------
    DataError
        It is not readable as JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path.name} is not valid JSON ({error}). Rebuild it.") from error


def leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Values of nested mappings and lists with their paths, as in ``log_gdp/tianjin/did/att``."""
    if isinstance(content, list):
        content = dict(enumerate(content))
    if not isinstance(content, Mapping):
        yield path, content
        return
    for key, value in content.items():
        yield from leaves(value, f"{path}/{key}" if path else str(key))


def table_leaves(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values of a table's definition; cells are named by row and column.

    Raises
    ------
    DataError
        The content is no definition of a table.
    """
    try:
        headings = [column_name(heading, span) for heading, span, *_ in content["columns"]]
        rest = {key: value for key, value in content.items() if key != "panels"}
        number = 0
        for position, panel in enumerate(content["panels"]):
            rest[f"panel {position + 1}"] = panel["heading"]
            for row in panel["rows"]:
                number += 1
                label = _english(row["label"])
                rest[f"row {number}"] = row["label"]
                for heading, cell in zip(headings, row["cells"], strict=True):
                    yield from leaves(cell, f"row {number} ({label}), {heading}")
        yield from leaves(rest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"this is no definition of a table ({error!r}). Rebuild it.") from error


def column_name(heading: Any, span: Any) -> str:
    """A column's heading with that which spans it, in English."""
    return ": ".join(filter(None, (_english(span), _english(heading)))) or "(no heading)"


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], tolerance: float = 0.0
) -> list[Change]:
    """Values that differ, in the order of ``before``; then those that only ``after`` has.

    Parameters
    ----------
    before, after : mapping of path to value
    tolerance : float
        Numbers that differ by less, relative to the larger, count as equal. With a tolerance,
        numbers below 1e-10 count as zero.
    """
    found = [
        Change(path, before.get(path, ABSENT), after.get(path, ABSENT))
        for path in dict.fromkeys([*before, *after])
    ]
    return [change for change in found if not _equal(change.before, change.after, tolerance)]


def _equal(before: Any, after: Any, tolerance: float) -> bool:
    if is_number(before) and is_number(after):
        if tolerance:
            return math.isclose(before, after, rel_tol=tolerance, abs_tol=1e-10)
        return bool(before == after)
    return type(before) is type(after) and bool(before == after)


def _english(label: Any) -> str:
    return label["en"] if isinstance(label, Mapping) else str(label)
