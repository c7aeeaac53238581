"""The documents of a study: the paper and its online appendix, each in a language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jjjpolicy.report.text import LANGUAGES, Language

SERIES = {"paper": "", "appendix": "A"}
"""Documents by name, with the letter before the numbers of their tables and figures."""


@dataclass(frozen=True)
class Document:
    """A document in one language, ``paper.md`` or ``appendix.zh.md``."""

    name: str
    language: Language

    @property
    def stem(self) -> str:
        """Name of its files without the extension."""
        return self.name if self.language == "en" else f"{self.name}.{self.language}"

    @property
    def source(self) -> str:
        """Name of the file that it is written in."""
        return f"{self.stem}.md"

    @property
    def series(self) -> str:
        """The letter before the numbers of its tables and figures."""
        return SERIES[self.name]

    @property
    def companions(self) -> tuple[Document, ...]:
        """The other documents in its language, to whose tables it may refer."""
        return tuple(Document(name, self.language) for name in SERIES if name != self.name)


DOCUMENTS = tuple(Document(name, language) for name in SERIES for language in LANGUAGES)
PAPER = Document("paper", "en")


def numbered(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind (``tbl``, ``fig``, ``eq``), name and number of what a source shows, in its order."""
    counts: dict[str, int] = {}
    pattern = r"^:::+ *\{#(tbl|fig|eq):([A-Za-z0-9_-]+)"
    for kind, name in re.findall(pattern, text, flags=re.MULTILINE):
        counts[kind] = counts.get(kind, 0) + 1
        yield kind, name, counts[kind]
