"""Tables, figures and equations of a paper: their numbers, and references to them.

A paper in Markdown names them in fenced divisions and refers to them like citations::

    ::: {#tbl:effects .table}
    :::

    @tbl:effects shows ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.report.text import Language, Text, words

Node = dict[str, Any]
"""An element of pandoc's document tree: ``{"t": type, "c": content}``."""

KINDS = {
    "tbl": Text("Table", "表"),
    "fig": Text("Figure", "图"),
    "eq": Text("Equation", "式"),
}
_CLASSES = {"table": "tbl", "figure": "fig", "equation": "eq"}


@dataclass(frozen=True)
class Target:
    """A numbered table, figure or equation.

    Attributes
    ----------
    series : str
        The letter before the number, ``A`` in the appendix.
    file : str
        Stem of the document that shows it, where that is another one.
    """

    kind: str
    name: str
    number: int
    series: str = ""
    file: str = ""

    @property
    def identifier(self) -> str:
        """The label in LaTeX, Typst and HTML, as in ``tbl:effects``."""
        return f"{self.kind}:{self.name}"

    @property
    def bookmark(self) -> str:
        """The bookmark in Word."""
        return f"{self.kind}_{self.name}".replace("-", "_")

    def word(self, language: Language) -> str:
        """``Table`` or ``表``."""
        return words(KINDS[self.kind], language)

    def printed(self, language: Language) -> str:
        """Number as printed in the text: ``1``, and ``(1)`` for an equation."""
        if self.kind != "eq":
            return self.label
        return f"（{self.label}）" if language == "zh" else f"({self.label})"

    @property
    def label(self) -> str:
        """Number with the letter of its series."""
        return f"{self.series}{self.number}"


def targets(document: Node, series: str = "") -> dict[str, Target]:
    """Number the tables, figures and equations in order of appearance.

    Parameters
    ----------
    series : str
        The letter before the numbers.

    Raises
    ------
    DataError
        An identifier is used twice, or does not begin with its kind.
    """
    found: dict[str, Target] = {}
    counts = dict.fromkeys(KINDS, 0)
    for node in _nodes(document["blocks"]):
        kind = division_kind(node)
        if kind is None:
            continue
        identifier: str = node["c"][0][0]
        prefix, _, name = identifier.partition(":")
        if prefix != kind or not name:
            raise DataError(
                f"paper: a division of this kind needs an identifier such as "
                f"{{#{kind}:name}}, not {{#{identifier}}}."
            )
        if identifier in found:
            raise DataError(f"paper: {identifier} appears twice. Refer to it by @{identifier}.")
        counts[kind] += 1
        found[identifier] = Target(kind, name, counts[kind], series)
    return found


def division_kind(node: Node) -> str | None:
    """``tbl``, ``fig`` or ``eq`` for a division that holds one, else None."""
    if node.get("t") != "Div":
        return None
    return next((_CLASSES[name] for name in node["c"][0][1] if name in _CLASSES), None)


def replace_references(
    document: Node,
    known: dict[str, Target],
    reference: Callable[[Target, bool], list[Node]],
    *,
    spaced: bool = True,
) -> Node:
    """Replace every ``@tbl:…``, ``@fig:…`` and ``@eq:…`` by what ``reference`` makes of it.

    Parameters
    ----------
    reference : callable
        Takes the target and whether its word (``Table``) is printed: ``[-@tbl:x]`` leaves it out.
    spaced : bool
        Whether the spaces around a reference are printed. Markdown needs them in the source;
        Chinese does not print them.

    Raises
    ------
    DataError
        A reference leads nowhere, or shares its brackets with a citation.
    """

    def inlines(node: Node) -> list[Node] | None:
        citations = node["c"][0] if node.get("t") == "Cite" else []
        ours = [item for item in citations if item["citationId"].partition(":")[0] in KINDS]
        if not ours:
            return None
        if len(ours) < len(citations):
            raise DataError(
                f"paper: [@{ours[0]['citationId']}] shares its brackets with a citation. "
                "Give each its own."
            )
        result: list[Node] = []
        for citation in ours:
            identifier = citation["citationId"]
            if identifier not in known:
                raise DataError(
                    f"paper: @{identifier} leads nowhere. Known are: {', '.join(sorted(known))}."
                )
            if result:
                result += [{"t": "Str", "c": ","}, {"t": "Space"}]
            with_word = citation["citationMode"]["t"] != "SuppressAuthor"
            result += reference(known[identifier], with_word)
        return result

    changed: Node = _replace(document if spaced else _close_up(document), inlines)
    return changed


def replace_divisions(
    document: Node, known: dict[str, Target], blocks: Callable[[Target, list[Node]], list[Node]]
) -> Node:
    """Replace the division of every target by what ``blocks`` makes of it and its content."""

    def division(node: Node) -> list[Node] | None:
        if division_kind(node) is None:
            return None
        return blocks(known[node["c"][0][0]], node["c"][1])

    changed: Node = _replace(document, division)
    return changed


def _close_up(content: Any) -> Any:
    """Drop the spaces before and after references."""
    if isinstance(content, dict):
        return {key: _close_up(value) for key, value in content.items()}
    if not isinstance(content, list):
        return content
    neighbours = zip([None, *content], content, [*content[1:], None], strict=False)
    return [
        _close_up(item)
        for before, item, after in neighbours
        if not (
            isinstance(item, dict)
            and item.get("t") in ("Space", "SoftBreak")
            and (_is_reference(before) or _is_reference(after))
        )
    ]


def _is_reference(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and node.get("t") == "Cite"
        and node["c"][0][0]["citationId"].partition(":")[0] in KINDS
    )


def _nodes(content: Any) -> Iterator[Node]:
    if isinstance(content, dict):
        yield content
        content = list(content.values())
    if isinstance(content, list):
        for item in content:
            yield from _nodes(item)


def _replace(content: Any, change: Callable[[Node], list[Node] | None]) -> Any:
    if isinstance(content, dict):
        return {key: _replace(value, change) for key, value in content.items()}
    if not isinstance(content, list):
        return content
    result: list[Any] = []
    for item in content:
        replacement = change(item) if isinstance(item, dict) else None
        if replacement is None:
            result.append(_replace(item, change))
        else:
            result += replacement
    return result
