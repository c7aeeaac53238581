"""The roles that columns play, and names in messages."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Integers


@dataclass(frozen=True)
class Columns:
    """The roles that columns of a table play; one name may stand for a list of one."""

    unit: str
    time: str
    outcome: str
    treatment: str | None = None
    adoption: str | None = None
    covariates: Sequence[str] = ()
    predictors: Sequence[str] = ()
    weights: str | None = None
    clusters: Sequence[str] = ()
    coordinates: tuple[str, str] | None = None
    assigned_at: str | None = None

    def __post_init__(self) -> None:
        for role in ("covariates", "predictors", "clusters"):
            names = getattr(self, role)
            listed = (names,) if isinstance(names, str) else tuple(names)
            object.__setattr__(self, role, listed)

    def named(self) -> list[str]:
        single = [self.treatment, self.adoption, self.weights, self.assigned_at]
        return [
            self.unit,
            self.time,
            self.outcome,
            *(name for name in single if name is not None),
            *self.covariates,
            *self.predictors,
            *self.clusters,
            *(self.coordinates or ()),
        ]


def listed(value: object, option: str) -> tuple[Any, ...]:
    """What an option lists: several labels, or a single one, which need not be in a list."""
    if isinstance(value, str | int | float):
        return (value,)
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise DesignError(
            f"{option}={value!r} must be a list of labels such as ['a', 'b'], or one label."
        )
    return tuple(value)


def quoted(label: object) -> str:
    """A unit's label as a reader would type it: text in quotes, numbers bare."""
    return repr(label) if isinstance(label, str) else str(label)


def unknown_name(kind: str, name: object, known: list[Any], where: str) -> str:
    close = get_close_matches(str(name), [str(item) for item in known], n=3)
    hint = f"; did you mean {', '.join(map(repr, close))}?" if close else "."
    shown = ", ".join(map(quoted, known[:12])) + (", …" if len(known) > 12 else "")
    return f"{kind} {quoted(name)} is not in {where}{hint} It has: {shown}."


def shown_labels(labels: Sequence[Hashable] | pd.Index) -> str:
    return ", ".join(map(quoted, list(labels)[:5])) + (", …" if len(labels) > 5 else "")


def require_columns(frame: pd.DataFrame, columns: Columns) -> None:
    if columns.coordinates is not None and len(columns.coordinates) != 2:
        raise DesignError(
            f"coordinates={columns.coordinates!r} must be two columns, (latitude, longitude)."
        )
    single = ("unit", "time", "outcome", "treatment", "adoption", "weights", "assigned_at")
    for role in single:
        name = getattr(columns, role)
        if isinstance(name, list | tuple | set | Mapping | pd.Series | pd.Index):
            raise DesignError(f"{role}= takes the name of one column, not {name!r}.")
    for name in columns.named():
        if name not in frame.columns:
            raise DesignError(unknown_name("column", name, list(frame.columns), "the table"))
    if not frame.columns.is_unique:
        doubled = frame.columns[frame.columns.duplicated()]
        for name in columns.named():
            if name in doubled:
                raise DesignError(f"the table has more than one column {name!r}; rename one.")
    if len(frame) == 0:
        raise DesignError("the table has no rows.")
    if (columns.treatment is None) == (columns.adoption is None):
        raise DesignError(
            "give exactly one of treatment= (a 0/1 column) and adoption= (a column with the first "
            "treated period)."
        )
    for grouping in (columns.unit, *columns.clusters, columns.assigned_at):
        if grouping is None or integers(frame[grouping]) is not None:
            continue
        if frame[grouping].hasnans:
            row = int(np.flatnonzero(frame[grouping].isna().to_numpy())[0])
            raise DesignError(
                f"column {grouping!r} is missing in row {row}; fill it or drop the row. A name such"
                f" as 'NA' is read as missing unless pandas is told keep_default_na=False."
            )


def integers(column: pd.Series[Any]) -> Integers | None:
    """A column of integers as it is stored; None for another one."""
    stored = isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu"
    return column.to_numpy() if stored else None


def rows_as_units(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The table with a column that numbers its rows, and the column's name."""
    name = "row"
    while name in frame.columns:
        name += "_"
    return frame.assign(**{name: np.arange(len(frame))}), name
