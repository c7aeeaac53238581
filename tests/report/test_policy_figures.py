"""Figures of the policies."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib import pyplot

from jjjpolicy.errors import DataError
from jjjpolicy.registry.policy import Policy, policies
from jjjpolicy.report.figures.fonts import check_glyphs
from jjjpolicy.report.figures.policies import draw_sharing_rules, draw_timeline
from jjjpolicy.report.text import Language


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_timeline_names_every_policy_with_its_date(language: Language) -> None:
    if language == "zh":
        pytest.importorskip("pylopdf_fonts_zh_cn", reason="needs the Chinese font")
    figure = draw_timeline(policies.values(), language=language)
    check_glyphs(figure)
    labels = [label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()]
    for policy, label in zip(policies.values(), labels, strict=True):
        title = policy.title_zh if language == "zh" else policy.title_en
        assert label == f"{title}  {policy.issued}"
    pyplot.close(figure)


def test_a_recalled_date_is_hollow_and_a_month_is_a_bar() -> None:
    shown = [
        Policy("a", "2015-06-03", ["110000"], confidence="recalled"),
        Policy("b", "2016-06", ["110000"], confidence="stated"),
    ]
    figure = draw_timeline(shown)
    (axes,) = figure.axes
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [point.get_markerfacecolor() for point in points] == ["white"]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([1 / 12])
    pyplot.close(figure)
    with pytest.raises(DataError, match="at least one policy"):
        draw_timeline([])


def test_sharing_rules_are_stacked_to_the_local_tax() -> None:
    comparison = pd.DataFrame(
        {
            "rule": ["a", "a", "b", "b", "b"],
            "year": [2016, 2016, 2016, 2016, 2016],
            "recipient": ["origin", "destination", "origin", "destination", "joint_fund"],
            "amount": [5.0, 5.0, 4.0, 4.0, 2.0],
        }
    )
    figure = draw_sharing_rules(comparison, language="en")
    for axes in figure.axes:
        assert max(bar.get_y() + bar.get_height() for bar in axes.patches) == pytest.approx(10)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["Origin", "Destination", "Joint fund"]
    pyplot.close(figure)
    with pytest.raises(DataError, match="no rule"):
        draw_sharing_rules(comparison.iloc[:0])
