"""Drawings as web pages hold them: the same to the eye, in fewer characters."""

from __future__ import annotations

import re

_COMMENTS = re.compile(r"<!--.*?-->", re.DOTALL)
_COORDINATES = re.compile(r' (?:x|y|d|points)="[^"]*"|translate\([^)]*\)')
_DIGITS = re.compile(r"(\.\d\d)\d+")
_PATH = re.compile(r' d="([^"]*)"')
_ALIKE = re.compile(
    r"<(?P<tag>path|use)[^<>]*?(?P<shared>(?: clip-path=\"[^\"]*\")? style=\"[^\"]*\")/>"
    r"(?:<(?P=tag)[^<>]*?(?P=shared)/>)+"
)
_NOT_INHERITED = re.compile("opacity|stroke-line")
"""Opacity of a group is another thing; how lines end, a rule of each drawing sets for all."""


def compact(markup: str) -> str:
    """The same drawing with coordinates to a hundredth of a point.

    Neighbours of one style stand in a group that bears it; comments and line breaks go.

    Parameters
    ----------
    markup : str
        As :func:`jjjpolicy.report.save_figure` writes it, with outlines for text.
    """
    markup = _COMMENTS.sub("", markup)
    markup = _COORDINATES.sub(lambda found: _DIGITS.sub(r"\1", found[0]), markup)
    markup = _PATH.sub(lambda found: f' d="{_joined(found[1])}"', markup)
    markup = re.sub(r">\s+<", "><", markup)
    return _ALIKE.sub(_grouped, markup)


def _joined(path: str) -> str:
    """Path data without the spaces around its commands."""
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(path.split()))


def _grouped(found: re.Match[str]) -> str:
    shared = found["shared"]
    if _NOT_INHERITED.search(shared):
        return found[0]
    return f"<g{shared}>{found[0].replace(shared, '')}</g>"
