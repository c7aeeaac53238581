"""Drawings for web pages are shorter and show the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from jjjpolicy.replication.artefacts.compact import compact
from jjjpolicy.report.figures.figure import save_figure

PASSED_ON = ("style", "clip-path")
"""What an element without its own has from the group around it."""


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Intervals, points and see-through bands."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=60)
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.vlines(range(60), y - 1, y + 1, color="#404040")
    for x in range(60):
        axes.axvspan(x, x + 2, color="#0072B2", alpha=0.1)
    axes.plot(y, "o", color="#D55E00")
    axes.set_title("Effects")
    (path,) = save_figure(figure, tmp_path_factory.mktemp("drawing") / "effects", ["svg"])
    plt.close(figure)
    return path.read_text(encoding="utf-8")


def shapes(
    element: ElementTree.Element, given: dict[str, str] | None = None
) -> Iterator[tuple[object, ...]]:
    """Every shape in its order: its kind, coordinates in hundredths, and effective style."""
    own = {name: element.get(name, (given or {}).get(name, "")) for name in PASSED_ON}
    kind = element.tag.rpartition("}")[2]
    if kind in ("path", "use", "rect"):
        path = element.get("d") or " ".join(element.get(name, "") for name in ("x", "y"))
        words = re.findall(r"[A-Za-z]|-?[\d.]+", path)
        numbers = [word if word.isalpha() else float(word) for word in words]
        reference = [value for name, value in element.attrib.items() if name.endswith("href")]
        yield kind, numbers, reference, element.get("id"), tuple(own.values())
    for below in element:
        yield from shapes(below, own if kind == "g" else None)


def test_every_shape_stays_where_it_was_and_looks_as_it_did(drawing: str) -> None:
    before = list(shapes(ElementTree.fromstring(drawing)))
    after = list(shapes(ElementTree.fromstring(compact(drawing))))
    assert len(after) == len(before) > 150
    for (kind, numbers, *looks), (kind_after, numbers_after, *looks_after) in zip(
        before, after, strict=True
    ):
        assert kind_after == kind
        assert looks_after == looks
        assert len(numbers_after) == len(numbers)
        for number, shown in zip(numbers, numbers_after, strict=True):
            assert shown == (number if isinstance(number, str) else pytest.approx(number, abs=0.01))


def test_the_style_of_many_lines_is_written_once(drawing: str) -> None:
    shown = compact(drawing)
    assert drawing.count("stroke: #404040") == 60
    assert shown.count("stroke: #404040") == 1
    assert len(shown) < len(drawing)
    assert compact(shown) == shown


@pytest.mark.parametrize("style", ["fill: red; opacity: 0.5", "stroke-linecap: square"])
def test_styles_that_a_group_would_not_pass_on_stay_where_they_are(style: str) -> None:
    alike = f'<path d="M1 2L3 4" style="{style}"/>' * 3
    assert compact(f"<svg>{alike}</svg>") == f"<svg>{alike}</svg>"
    plain = '<path d="M1 2L3 4" style="fill: red"/>' * 3
    assert compact(f"<svg>{plain}</svg>") == (
        '<svg><g style="fill: red"><path d="M1 2L3 4"/><path d="M1 2L3 4"/><path d="M1 2L3 4"/>'
        "</g></svg>"
    )
