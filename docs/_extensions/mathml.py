"""Formulas as MathML, which browsers draw themselves: no script, no network, and it prints.

A formula that cannot be translated is a warning, and so fails the build.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

# What the translator does not know, in what it does; MathML sizes brackets by itself.
SYNONYMS = (
    (re.compile(r"\\dots(?![a-zA-Z])"), r"\\ldots"),
    (re.compile(r"\\[bB]igg?[lr]?(?![a-zA-Z])"), ""),
    (re.compile(r"\\[td]frac(?![a-zA-Z])"), r"\\frac"),
)


def _markup(node: nodes.math | nodes.math_block, *, block: bool) -> str:
    source = node.astext()
    for unknown, known in SYNONYMS:
        source = unknown.sub(known, source)
    try:
        return str(tex2mathml(source, as_block=block))
    except MathError as error:
        logger.warning("cannot translate the formula %r: %s", source, error, location=node)
        return f"<code>{source}</code>"


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(_markup(node, block=False))
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    translator.body.append(_markup(node, block=True) + "</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
