"""Numbers of a result, and table cells that say where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.report.tables.cells import Interval, Number, PValue, StandardError


@dataclass(frozen=True)
class Numbers:
    """The content of one result, by path: ``numbers.number("log_gdp/tianjin/did/att")``.

    Attributes
    ----------
    id : str
    content : mapping
    """

    id: str
    content: Mapping[str, Any]

    def value(self, path: str) -> Any:
        """What stands at a path of keys joined by ``/``.

        Raises
        ------
        DataError
            The path leads nowhere; the message names the keys there are.
        """
        found: Any = self.content
        walked: list[str] = []
        for part in path.split("/"):
            items = dict(enumerate(found)) if isinstance(found, list) else found
            known = (
                {str(key): item for key, item in items.items()}
                if isinstance(items, Mapping)
                else {}
            )
            if part not in known:
                here = f"under {'/'.join(walked)!r}" if walked else "there"
                keys = ", ".join(known) or "a single value"
                raise DataError(f"result {self.id!r} has no {path!r}: no {part!r} {here} ({keys}).")
            found = known[part]
            walked.append(part)
        return found

    def number(self, path: str, digits: int = 3, *, grouping: bool = False) -> Number:
        """A cell with the number at a path."""
        return Number(self.value(path), digits, grouping, source=self._source(path))

    def standard_error(self, path: str, digits: int = 3) -> StandardError:
        """A cell with the standard error at a path."""
        return StandardError(self.value(path), digits, source=self._source(path))

    def pvalue(self, path: str, digits: int = 3) -> PValue:
        """A cell with the p-value at a path."""
        return PValue(self.value(path), digits, source=self._source(path))

    def interval(self, path: str, digits: int = 3) -> Interval:
        """A cell with the interval whose ends stand at ``path/low`` and ``path/high``."""
        low, high = self.value(f"{path}/low"), self.value(f"{path}/high")
        return Interval(low, high, digits, source=self._source(path))

    def _source(self, path: str) -> str:
        return f"{self.id}:{path}"
