"""Guides whose Python runs when the site is built, and stands there with what it prints and draws.

The pages are plain Markdown, as a reader of the repository sees them and as the tests run them.
While the site is built each of their Python blocks becomes a cell of one notebook per page, so that
an error in one fails the build. Pages are named by ``executed_pages`` (patterns of document names).
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

BLOCK = "```python\n"
CELL = "```{code-cell} python\n"
FRONT = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
SHARP_PICTURES = (
    f"{CELL}:tags: [remove-cell]\n%config InlineBackend.figure_formats = ['retina']\n```\n\n"
)


def as_notebook(text: str) -> str:
    """The page with its Python blocks as cells."""
    return FRONT + SHARP_PICTURES + text.replace(BLOCK, CELL)


def setup(app: Sphinx) -> dict[str, Any]:
    def read(app: Sphinx, page: str, source: list[str]) -> None:
        wanted = any(fnmatch(page, pattern) for pattern in app.config.executed_pages)
        if wanted and BLOCK in source[0]:
            source[0] = as_notebook(source[0])

    app.add_config_value("executed_pages", [], "env")
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
