"""What ``Estimate.plot`` draws of an estimate and its inference."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.report.estimates.plots import effect_bands
from jjjpolicy.report.figures.effects import draw_event_study


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def estimate_of(method: Any = None, **changes: Any) -> jp.Estimate:
    frame = simulated_panel(**({"units": 10, "periods": 20, "adoption": {0: 2016}} | changes))
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = jp.synth.SyntheticDiD().fit(design)
    return estimate if method is None else estimate.with_inference(method)


def shades(figure: Any) -> list[Any]:
    parts = [part for axes in figure.axes for part in axes.collections]
    return [part for part in parts if isinstance(part, PolyCollection)]


def synthetic_control(method: Any, **changes: Any) -> jp.Estimate:
    return jp.synth.SyntheticControl().fit(estimate_of(**changes).design).with_inference(method)


@pytest.mark.filterwarnings("ignore:.*convex hull")
def test_prediction_intervals_shade_every_treated_unit() -> None:
    estimate = synthetic_control(
        jp.inference.PredictionIntervals(simulations=20), adoption={0: 2016, 1: 2018}
    )
    bands = effect_bands(estimate)
    assert {unit: len(band) for unit, band in bands.items()} == {0: 5, 1: 3}
    assert len(shades(estimate.plot("gaps"))) == 2
    assert len(shades(estimate.plot("paths"))) == 2


@pytest.mark.filterwarnings("ignore:.*convex hull")
def test_the_band_of_the_counterfactual_mirrors_that_of_the_effect() -> None:
    estimate = synthetic_control(jp.inference.PredictionIntervals(simulations=20))
    band = effect_bands(estimate)[0]
    (shade,) = shades(estimate.plot("paths"))
    corners = shade.get_paths()[0].vertices
    observed = estimate.design.outcome[0, -5:]
    assert corners[:, 1].max() == pytest.approx((observed - band["lower"]).max())
    assert corners[:, 1].min() == pytest.approx((observed - band["upper"]).min())


def test_intervals_without_ends_are_not_drawn() -> None:
    effects = estimate_of(jp.inference.PlaceboUnits()).effects
    assert np.isinf(effects["lower"]).all()
    figure = draw_event_study(effects, outcome="y")
    assert figure.axes[0].containers[0].has_yerr
    assert len(figure.axes[0].containers[0].lines[2][0].get_segments()) == 0


@pytest.mark.parametrize("kind", ["effects", "gaps", "paths"])
def test_where_a_level_has_no_ends_the_widest_that_has_is_drawn_and_named(kind: str) -> None:
    estimate = estimate_of(jp.inference.PlaceboUnits())  # nine placebos: at most 90%
    figure = estimate.plot(kind)
    assert figure.axes[0].get_ylabel().endswith("\n(90% intervals, widest attainable)")
    asked = estimate.plot(kind, level=0.8).axes[0].get_ylabel()
    assert "\n" not in asked
    known = estimate.effects_at(0.9)
    if kind == "effects":
        drawn = figure.axes[0].containers[0].lines[2][0].get_segments()
        ends = np.array([segment[:, 1] for segment in drawn])
    else:
        (shade,) = shades(figure)
        ends = shade.get_paths()[0].vertices[:, 1]
        known = known[known["event_time"] >= 0]
    low, high = known["lower"], known["upper"]
    if kind == "paths":
        low, high = (estimate.design.outcome[0, -5:] - end for end in (high, low))
    assert ends.min() == pytest.approx(low.min())
    assert ends.max() == pytest.approx(high.max())
    pytest.importorskip("pylopdf_fonts_zh_cn", reason="Chinese figures need the extra 'paper'")
    chinese = estimate.plot(kind, language="zh").axes[0].get_ylabel()
    assert chinese.endswith("\n（90% 区间，可达到的最高水平）")


def test_no_level_is_named_where_no_interval_is_drawn() -> None:
    estimate = jp.did.TwoWayFixedEffects().fit(estimate_of().design)
    estimate = estimate.with_inference(jp.inference.RandomizationInference())
    assert "attainable" in estimate.summary()
    assert estimate.plot("effects").axes[0].get_ylabel() == "Effect on y"


@pytest.mark.filterwarnings("ignore:.*convex hull")
def test_several_treated_units_are_ranked_among_placebos_of_each_date() -> None:
    changes = {"adoption": {0: 2015, 1: 2016}}
    estimate = synthetic_control(jp.inference.PlaceboUnits(separate=True), **changes)
    panels = {
        axes.get_title(loc="left"): {tick.get_text() for tick in axes.get_yticklabels()}
        for axes in estimate.plot("ranking").axes
    }
    assert list(panels) == ["Adopted in 2015", "Adopted in 2016"]
    assert panels["Adopted in 2015"] == {"0", *map(str, range(2, 10))}
    assert panels["Adopted in 2016"] == {"1", *map(str, range(2, 10))}
    joint = synthetic_control(jp.inference.PlaceboUnits(), **changes)
    with pytest.raises(jp.DataError, match="separate=True"):
        joint.plot("ranking")


def test_placebo_gaps_run_over_event_time() -> None:
    estimate = estimate_of(jp.inference.PlaceboUnits(), adoption={0: 2015, 1: 2016})
    (axes,) = estimate.plot("placebos").axes
    assert axes.get_xlabel() == "Event time (period)"
    assert len(axes.get_lines()) == 56 + 3


@pytest.mark.filterwarnings("ignore:.*convex hull")
def test_every_treated_unit_has_its_own_policy_line_and_weights() -> None:
    changes = {"adoption": {0: 2015, 1: 2017, 2: 2017}}
    estimate = jp.synth.SyntheticControl().fit(estimate_of(**changes).design)
    for kind in ("gaps", "paths"):
        lines = [axes.lines[-1].get_xdata()[0] for axes in estimate.plot(kind).axes]
        assert lines == [2014.5, 2016.5, 2016.5]
    titles = [axes.get_title(loc="left") for axes in estimate.plot("weights").axes]
    assert titles == ["0", "1", "2"]


@pytest.mark.filterwarnings("ignore:.*convex hull")
def test_no_treated_unit_is_left_out_where_there_are_more_than_colours() -> None:
    estimate = synthetic_control(
        jp.inference.PlaceboPeriods(), units=20, adoption=dict.fromkeys(range(9), 2016)
    )
    assert len(estimate.plot("gaps").axes) == 9
    assert "average" in estimate.plot("weights").axes[0].get_xlabel()


def test_labels_of_differences_say_so() -> None:
    estimate = estimate_of(jp.inference.PlaceboUnits())
    assert estimate.plot("gaps", level=0.9).axes[0].get_ylabel() == "Gap in y"
    assert estimate.plot("effects", level=0.9).axes[0].get_ylabel() == "Effect on y"
    assert estimate.plot("placebos").axes[0].get_ylabel() == "Gap in y"


@pytest.mark.parametrize("estimator", [jp.did.Imputation(), jp.did.TwoStage()])
def test_many_treated_units_have_an_event_study_and_a_page_of_panels_on_request(
    estimator: Any,
) -> None:
    frame = simulated_panel(units=60, periods=12, adoption={i: 2006 + i % 3 for i in range(30)})
    estimate = estimator.fit(
        jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")
    )
    (axes,) = estimate.plot().axes
    assert axes.get_xlabel() == "Event time (period)"
    for kind in ("gaps", "paths"):
        with pytest.warns(jp.JJJPolicyWarning, match="30 treated units do not fit on a page"):
            figure = estimate.plot(kind)
        assert len(figure.axes) == 20
        assert figure.get_size_inches()[1] < 11
        figure.canvas.draw()
        for axes in figure.axes:
            low, high = axes.get_xlim()
            labels = [t for t in axes.get_xticklabels() if low <= t.get_position()[0] <= high]
            boxes = [label.get_window_extent() for label in labels]
            assert len(boxes) > 1
            assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_rankings_of_many_units_fit_on_a_page() -> None:
    frame = simulated_panel(units=90, periods=8, adoption={0: 2006}, effect=0.5)
    estimate = (
        jp.synth.SyntheticControl()
        .fit(
            jp.Design.from_frame(
                frame, unit="unit", time="period", outcome="y", treatment="treated"
            )
        )
        .with_inference(jp.inference.PlaceboUnits())
    )
    with pytest.warns(jp.JJJPolicyWarning, match="the 59 with the largest ratios"):
        (axes,) = estimate.plot("ranking").axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == 60
    assert "0" in names


@pytest.mark.parametrize("language", ["en", "zh"])
def test_axes_name_what_the_user_named(language: Any) -> None:
    frame = simulated_panel(units=10, periods=20, adoption={0: 2016}).rename(
        columns={"period": "quarter", "y": "Sales ($) less costs ($)"}
    )
    design = jp.Design.from_frame(
        frame,
        unit="unit",
        time="quarter",
        outcome="Sales ($) less costs ($)",
        treatment="treated",
    )
    estimate = jp.synth.SyntheticDiD().fit(design)
    kinds = {"paths": "quarter", "gaps": "quarter", "effects": "(quarter)"}
    for kind, period in kinds.items():
        (axes,) = estimate.plot(kind, language=language).axes
        label = axes.get_xlabel()
        assert label.replace("（", "(").replace("）", ")").endswith(period)
        assert "Sales ($) less costs ($)" in axes.get_ylabel()
        assert not axes.yaxis.get_label().get_parse_math()


def test_years_have_a_word_in_both_languages() -> None:
    frame = simulated_panel(units=10, periods=20, adoption={0: 2016}).rename(
        columns={"period": "year"}
    )
    design = jp.Design.from_frame(frame, unit="unit", time="year", outcome="y", treatment="treated")
    estimate = jp.synth.SyntheticDiD().fit(design)
    assert estimate.plot().axes[0].get_xlabel() == "Year"
    assert estimate.plot(language="zh").axes[0].get_xlabel() == "年份"
    assert estimate.plot("effects").axes[0].get_xlabel() == "Years since the policy"
