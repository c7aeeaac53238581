"""Links of the documentation: those within it are checked, those that lead outside are listed.

    python docs/_extensions/links.py        every link that leads outside, and where it stands

Checking needs no network. A link within leads to a file, and its anchor to a heading of that file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {"docs/reference/data-dictionary.md"}
"""Pages that are written when the site is built."""

_LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)|^:target: (\S+)$|^:::\{figure\} (\S+)$", re.M)
_FENCED = re.compile(r"^( *)(```+|~~~+).*?^\1\2[^\n]*$", re.M | re.S)
_INLINE = re.compile(r"`[^`\n]+`")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.M)


@dataclass(frozen=True)
class Link:
    """A link as it stands in a page.

    Attributes
    ----------
    page : Path
    target : str
    """

    page: Path
    target: str

    @property
    def outside(self) -> bool:
        return re.match(r"[a-z]+:", self.target) is not None

    def fault(self) -> str:
        """What is wrong with a link within; empty if nothing is."""
        path, _, anchor = self.target.partition("#")
        to = (self.page.parent / path).resolve() if path else self.page
        if to.suffix == ".html" and not to.is_file():
            to = to.with_suffix(".md")
        if to.relative_to(ROOT).as_posix() in GENERATED:
            return ""
        if not to.exists():
            return f"no {to.relative_to(ROOT).as_posix()}"
        if anchor and anchor not in anchors(to.read_text(encoding="utf-8")):
            return f"no heading #{anchor} in {to.relative_to(ROOT).as_posix()}"
        return ""


def pages() -> list[Path]:
    """The documentation in Markdown, within the site and without."""
    build = ROOT / "docs" / "_build"
    return [
        *sorted(ROOT.glob("*.md")),
        ROOT / "data" / "README.md",
        *(page for page in sorted((ROOT / "docs").rglob("*.md")) if build not in page.parents),
    ]


def links(page: Path) -> Iterator[Link]:
    """Links of a page, those in code left out."""
    text = _INLINE.sub("", _FENCED.sub("", page.read_text(encoding="utf-8")))
    for found in _LINK.finditer(text):
        yield Link(page, next(filter(None, found.groups())))


def anchors(text: str) -> set[str]:
    """Names of the headings of a page, as GitHub and the site make them."""
    headings = _HEADING.findall(_FENCED.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


if __name__ == "__main__":
    for each in pages():
        for link in links(each):
            if link.outside:
                print(f"{each.relative_to(ROOT).as_posix()}: {link.target}")
