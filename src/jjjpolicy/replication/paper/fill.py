"""Numbers of a paper, filled from results. No number is typed by hand."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.numbers import Numbers
from jjjpolicy.report.tables.cells import MINUS, format_pvalue

_PRINTED = re.compile(r"\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True)
class Results:
    """The results in a directory: one JSON file of nested objects per result."""

    directory: Path

    def value(self, result: str, key: str) -> Any:
        """Return what ``<result>.json`` holds at ``key``, as in ``"log_gdp/tianjin/did/att"``.

        Raises
        ------
        DataError
            There is no such result or key; the message names the keys there are.
        """
        return Numbers(result, _read(self.directory / f"{result}.json")).value(key)

    def values(self, result: str, pattern: str) -> list[Any]:
        """Return what stands at every path of a pattern, in which ``*`` is any one key.

        Missing values are left out: ``values("effects", "log_gdp/*/sc/pvalue")|min``.

        Raises
        ------
        DataError
            No path fits the pattern.
        """
        level: list[Any] = [_read(self.directory / f"{result}.json")]
        for part in pattern.split("/"):
            below = [item for item in level if isinstance(item, dict)]
            if part == "*":
                level = [value for item in below for value in item.values()]
            else:
                level = [item[part] for item in below if part in item]
        if not level:
            raise DataError(f"paper: result {result!r} has nothing at {pattern!r}.")
        return [value for value in level if value is not None]

    def number(self, result: str, key: str, format: str = ".3f", scale: float = 1.0) -> str:
        """Return the number at ``key``, times ``scale``, in a Python format, with a true minus.

        Raises
        ------
        DataError
            The key holds no finite number.
        """
        value = self.value(result, key)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise DataError(f"paper: result {result!r} holds {value!r} at {key!r}, not a number.")
        text = f"{value * scale if scale != 1.0 else value:{format}}"
        if not any(character in "123456789" for character in text):
            text = text.lstrip("-")
        return text.replace("-", MINUS)

    def pvalue(self, result: str, key: str, digits: int = 3, relation: bool = False) -> str:
        """Return the p-value at ``key``; ``<0.001`` where it would round to zero.

        With ``relation`` the text is ``= 0.032`` or ``< 0.001``, to stand after ``p``.
        """
        value = float(self.value(result, key))
        if not 0 <= value <= 1:
            raise DataError(f"paper: result {result!r} holds {value!r} at {key!r}, no p-value.")
        printed = format_pvalue(value, digits)
        if not relation:
            return printed
        return f"< {printed[1:]}" if printed.startswith("<") else f"= {printed}"

    def text(self, result: str, key: str) -> str:
        """Return the string at ``key``."""
        value = self.value(result, key)
        if not isinstance(value, str):
            raise DataError(f"paper: result {result!r} holds {value!r} at {key!r}, not a text.")
        return value


def fill(source: str, results: Results) -> str:
    """Fill ``{{ number(...) }}``, ``pvalue``, ``text`` and ``value`` in a Markdown source.

    Conditions work as in Jinja: ``{% if value("effects", "x/att") < 0 %}falls{% endif %}``. Words
    that rest on numbers name what they rest on: ``{{ holds("most are negative",
    value("curve", "share_negative") > 0.5) }}`` prints nothing while that is so, and marks the
    place when it is no longer.

    Raises
    ------
    DataError
        A result or key does not exist, or an expression is not understood.
    """
    return _render(source, results)[0]


def unsupported(source: str, results: Results) -> list[str]:
    """The statements of a source that its ``holds`` find no longer true, in their order.

    Raises
    ------
    DataError
        A result or key that they rest on does not exist, or an expression is not understood.
    """
    held = _PRINTED.sub(lambda found: found[0] if "holds" in found[0] else "", source)
    return _render(held, results)[1]


def _render(source: str, results: Results) -> tuple[str, list[str]]:
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    # Pandoc's own {#identifier} would open a comment under Jinja's default delimiters.
    environment = SandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        comment_start_string="{##",
        comment_end_string="##}",
    )
    broken: list[str] = []

    def holds(statement: str, condition: object) -> str:
        if condition:
            return ""
        broken.append(statement)
        return f" **[no longer so: {statement}]**"

    names = {
        "holds": holds,
        "number": results.number,
        "pvalue": results.pvalue,
        "text": results.text,
        "value": results.value,
        "values": results.values,
    }
    try:
        return environment.from_string(source).render(names), broken
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f" on line {line}" if line else ""
        raise DataError(f"paper: cannot fill the source{where}: {error}.") from error


@lru_cache(maxsize=64)
def _parse(text: str) -> Any:
    return json.loads(text)


def _read(path: Path) -> Any:
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in path.parent.glob("*.json"))) or "none"
        raise DataError(f"paper: there is no result {path.stem!r}. Results are: {known}.")
    try:
        return _parse(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"paper: {path.name} is not valid JSON ({error}). Rebuild it.") from error
