"""A readable tree, and how values and line numbers are written in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Branch:
    """A line of the tree and what hangs below it."""

    text: str
    branches: list[Branch] = field(default_factory=list)

    def add(self, text: str, below: Iterable[str] = ()) -> Branch:
        """Hang a line, and lines below it, onto this one; returns the new branch."""
        branch = Branch(text, [Branch(line) for line in below])
        self.branches.append(branch)
        return branch

    def lines(self, depth: int = 0) -> list[str]:
        """The tree as indented lines."""
        below = [line for branch in self.branches for line in branch.lines(depth + 1)]
        return ["  " * depth + self.text, *below]


def shown(content: Any) -> str:
    """A value in few words."""
    if isinstance(content, Mapping):
        return f"{len(content)} values"
    if isinstance(content, list):
        return ", ".join(map(shown, content)) or "none"
    return "none" if content is None else str(content)


def ranges(numbers: list[int]) -> str:
    """Numbers as ranges: ``2-5, 9``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    texts = [str(low) if low == high else f"{low}-{high}" for low, high in parts]
    return ", ".join(texts[:8]) + (", …" if len(texts) > 8 else "")
