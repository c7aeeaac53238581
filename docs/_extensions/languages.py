"""Both languages from one build: pages under ``zh/`` are Chinese, and each names its counterpart.

A page has a counterpart where the other language has one of the same name: ``tutorial`` and
``zh/tutorial``, ``how-to/few-treated`` and ``zh/how-to/few-treated``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CHINESE = "zh/"


def counterpart(page: str) -> str:
    """Name of the page in the other language."""
    return page.removeprefix(CHINESE) if page.startswith(CHINESE) else CHINESE + page


def setup(app: Sphinx) -> dict[str, Any]:
    def say(app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
        chinese = page.startswith(CHINESE)
        context["language"] = "zh-CN" if chinese else "en"
        other = counterpart(page)
        if other in app.env.found_docs:
            context["other_language"] = {
                "page": other,
                "code": "en" if chinese else "zh-CN",
                "name": "English" if chinese else "中文",
            }

    app.connect("html-page-context", say)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
