import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from jjjpolicy.errors import DataError
from jjjpolicy.report import Text
from jjjpolicy.report.figures import fonts, specifications, style
from jjjpolicy.report.figures.effects import (
    draw_estimates,
    draw_event_panels,
    draw_event_study,
    draw_ranking,
    draw_sensitivity,
    draw_weights,
)
from jjjpolicy.report.figures.figure import Caption, Figure, save_figure
from jjjpolicy.report.figures.maps import draw_points
from jjjpolicy.report.figures.specifications import draw_specification_curve
from jjjpolicy.report.figures.time import (
    draw_gaps,
    draw_paths,
    draw_placebos,
    draw_small_multiples,
)

POINTS = pd.DataFrame(
    {"latitude": [38.0, 39.0, 40.0], "longitude": [115.0, 116.0, 117.0], "value": [0.1, 0.2, 0.9]}
)
YEARS = np.arange(2010, 2020)
GAPS = pd.DataFrame(
    np.random.default_rng(0).normal(size=(10, 5)).cumsum(axis=0), index=YEARS, columns=list("abcde")
)
NAME = Text("Tianjin", "天津")
OUTCOME = Text("Simulated outcome", "模拟结果")


def intervals(**columns):
    frame = pd.DataFrame(columns).assign(estimate=[0.1, -0.2, 0.0])
    return frame.assign(lower=frame["estimate"] - 0.1, upper=frame["estimate"] + 0.1)


CURVE = pd.DataFrame(
    {
        "estimator": ["DiD", "SC", "DiD", "SC"],
        "window": ["long", "long", "short", "short"],
        "att": [-0.2, 0.1, np.nan, -0.1],
        "pvalue": [0.01, 0.02, np.nan, 0.4],
        "lower": [-0.3, 0.0, np.nan, -np.inf],
        "upper": [-0.1, 0.2, np.nan, np.inf],
        "failure": ["", "", "DesignError: too few periods", ""],
    }
)

DRAWINGS = {
    "specifications": lambda language: draw_specification_curve(
        CURVE,
        {"estimator": Text("Estimator", "估计方法"), "window": Text("Window", "样本期")},
        outcome=OUTCOME,
        option_names={"long": Text("long", "长")},
        baseline={"estimator": "SC", "window": "long"},
        language=language,
    ),
    "paths": lambda language: draw_paths(
        GAPS["a"], GAPS["b"], policy=2014.5, outcome=OUTCOME, treated_name=NAME, language=language
    ),
    "gaps": lambda language: draw_gaps(
        GAPS[["a", "b"]], policy=2014.5, outcome=OUTCOME, names={"a": NAME}, language=language
    ),
    "placebos": lambda language: draw_placebos(
        GAPS, "a", policy=2014.5, outcome=OUTCOME, treated_name=NAME, language=language
    ),
    "multiples": lambda language: draw_small_multiples(
        {OUTCOME: GAPS, NAME: GAPS}, {"a": NAME}, policy=2014.5, language=language
    ),
    "event": lambda language: draw_event_study(
        intervals(event_time=[-1, 0, 1]).assign(uniform_lower=-0.5, uniform_upper=0.5),
        outcome=OUTCOME,
        language=language,
    ),
    "event panels": lambda language: draw_event_panels(
        {NAME: intervals(event_time=[-1, 0, 1]), OUTCOME: intervals(event_time=[-2, 0, 3])},
        outcome=OUTCOME,
        language=language,
    ),
    "map": lambda language: draw_points(
        POINTS,
        POINTS.assign(name="a"),
        measure=OUTCOME,
        names={"a": NAME},
        radius=50.0,
        language=language,
    ),
    "estimates": lambda language: draw_estimates(
        intervals(group=["x", "x", "y"], series=["s", "t", "s"]), outcome=OUTCOME, language=language
    ),
    "sensitivity": lambda language: draw_sensitivity(
        intervals(restriction=["parallel trends", "x", "y"], bound=[np.nan, 0.5, 0.5]).assign(
            upper=[0.2, np.inf, 0.4]
        ),
        outcome=OUTCOME,
        names={"x": NAME},
        language=language,
    ),
    "ranking": lambda language: draw_ranking(
        GAPS.iloc[-1].abs(), ["a"], names={"a": NAME}, language=language
    ),
    "weights": lambda language: draw_weights(
        pd.Series({"a": 0.6, "b": 0.4, "c": 0.0}), names={"a": NAME}, language=language
    ),
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", DRAWINGS)
def test_every_figure_has_all_its_glyphs_and_a_publishable_width(name, language, recwarn):
    if language == "zh":
        pytest.importorskip("pylopdf_fonts_zh_cn", reason="needs the extra 'paper'")
    figure = DRAWINGS[name](language)
    fonts.check_glyphs(figure)
    assert figure.get_size_inches()[0] in (3.4, 7.0)
    assert not [warning for warning in recwarn if "glyph" in str(warning.message).lower()]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_saving_twice_gives_the_same_bytes(tmp_path, language):
    if language == "zh":
        pytest.importorskip("pylopdf_fonts_zh_cn", reason="needs the extra 'paper'")
    for folder in ("a", "b"):
        paths = save_figure(DRAWINGS["gaps"](language), tmp_path / folder / "gaps")
    for path in paths:
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()
    svg = (tmp_path / "a" / "gaps.svg").read_text()
    assert "<text" not in svg
    assert "dc:date" not in svg
    assert b"CreationDate" not in (tmp_path / "a" / "gaps.pdf").read_bytes()


def scattered(shift):
    """Everything that a renderer is asked to draw, at positions moved by ``shift``."""
    figure, axes = plt.subplots(figsize=(3.4, 3))
    places, values = np.linspace(0.1, 0.9, 40), np.linspace(0.2, 0.7, 40) ** 2
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.plot(places + shift, values - shift)
    axes.plot(places + shift, values, "s")
    axes.scatter(places, values + shift, s=places * 20)
    axes.scatter(places, values + shift, s=12)
    axes.vlines(places + shift, 0.1 + shift, values)
    axes.fill_between(places, values + shift, values + 0.1)
    axes.bar([0.2], [0.5 + shift], width=0.1)
    axes.annotate("a", (0.3 + shift, 0.9))
    style.mark_policy(axes, 0.5 + shift, "policy")
    return figure


def test_noise_in_positions_changes_no_byte_of_any_format(tmp_path):
    exact = save_figure(scattered(0.0), tmp_path / "exact/a")
    for name, shift in (("noisy", 1e-9), ("moved", 1e-4)):
        save_figure(scattered(shift), tmp_path / name / "a")
    for path in exact:
        assert path.read_bytes() == (tmp_path / "noisy" / path.name).read_bytes(), path.name
        if path.suffix != ".png":  # a fiftieth of a point shows in coordinates only
            assert path.read_bytes() != (tmp_path / "moved" / path.name).read_bytes(), path.name


def test_a_figure_draws_itself_as_before_once_it_was_saved(tmp_path):
    figure = scattered(0.0)
    save_figure(figure, tmp_path / "a", ["pdf"])
    assert "draw" not in vars(figure)


def test_a_figure_saved_outside_of_the_style_keeps_its_ticks_and_labels_on_the_page():
    effects = pd.DataFrame({"event_time": range(4), "estimate": [0.52, -0.27, 0.26, 0.1]})
    effects = effects.assign(lower=effects["estimate"] - 0.6, upper=effects["estimate"] + 0.6)
    figure = draw_event_study(effects, outcome="Effect on log homicide")
    (axes,) = figure.axes
    with style.style("en"):
        figure.draw_without_rendering()
        inside = [label.get_text() for label in axes.get_yticklabels()]
    figure.draw_without_rendering()
    assert [label.get_text() for label in axes.get_yticklabels()] == inside
    assert axes.yaxis.label.get_window_extent().x0 >= 0


def test_equal_effects_keep_their_order_whatever_their_last_bits():
    def order(noise):
        curve = pd.DataFrame({"att": [0.3, 0.1 + noise, 0.1, 0.2], "failure": ""})
        return specifications._without_noise(curve["att"]).argsort(kind="stable").tolist()

    assert order(-1e-16) == order(1e-16) == [1, 2, 3, 0]
    assert order(1e-8) == [2, 1, 3, 0]


def test_missing_glyph_is_an_error_that_names_it(tmp_path):
    figure, axes = plt.subplots()
    axes.set_title("天津")
    with (
        pytest.warns(UserWarning, match="missing from font"),
        pytest.raises(DataError, match=r"'天' of '天津'.*jjjpolicy\[paper\]"),
    ):
        save_figure(figure, tmp_path / "x")


def test_chinese_without_the_font_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pylopdf_fonts_zh_cn", None)
    with pytest.raises(DataError, match=r'pip install "jjjpolicy\[paper\]"'):
        fonts.sans_path()


def test_unknown_format_is_refused(tmp_path):
    with pytest.raises(DataError, match="'gif'"):
        save_figure(DRAWINGS["gaps"]("en"), tmp_path / "x", formats=["gif"])


def test_event_study_needs_its_columns():
    with pytest.raises(DataError, match="'lower'"):
        draw_event_study(pd.DataFrame({"event_time": [0], "estimate": [1.0]}), outcome="x")


def test_event_panels_share_one_scale():
    few = intervals(event_time=[-1, 0, 1])
    many = few.assign(estimate=few["estimate"] * 10, lower=-9.0, upper=9.0)
    drawn = draw_event_panels({"a": few, "b": many}, outcome="x").axes
    assert drawn[0].get_ylim() == drawn[1].get_ylim()


def test_circles_of_a_map_have_their_radius():
    figure = draw_points(
        POINTS, POINTS.head(1).assign(name="a"), measure="x", names={"a": "A"}, radius=111.195
    )
    circle = figure.axes[0].lines[0]
    assert np.ptp(circle.get_ydata()) == pytest.approx(2.0, abs=0.01)  # degrees of latitude
    assert np.ptp(circle.get_xdata()) == pytest.approx(2.0 / np.cos(np.radians(39)), abs=0.01)


def test_figure_saves_both_languages_and_its_caption(tmp_path):
    pytest.importorskip("pylopdf_fonts_zh_cn", reason="needs the extra 'paper'")
    Figure("gaps", Text("Gap", "缺口"), DRAWINGS["gaps"], notes=("Simulated.",)).save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 7
    assert Caption.load(tmp_path / "gaps.json") == Caption(
        "gaps", Text("Gap", "缺口"), ("Simulated.",), 3.4
    )


def test_specifications_show_significance_by_shape_and_count_failures():
    figure = DRAWINGS["specifications"]("en")
    upper, lower = figure.axes
    assert "1 of 4 could not be estimated" in lower.get_xlabel()
    labels = [text.get_text() for text in upper.get_legend().get_texts()]
    assert labels == ["p ≤ 0.05", "p > 0.05", "Main specification"]
    assert [tick.get_text() for tick in lower.get_yticklabels()] == ["DiD", "SC", "long", "short"]


def test_specifications_without_a_p_value_are_not_called_insignificant():
    curve = CURVE.assign(pvalue=CURVE["pvalue"].mask(CURVE["estimator"] == "SC"))
    figure = draw_specification_curve(curve, ["estimator"], outcome="x")
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "Without a p-value" in labels
    figure = draw_specification_curve(CURVE.assign(pvalue=np.nan), ["estimator"], outcome="x")
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["Estimate"]


def test_specifications_refuse_what_they_cannot_show():
    def draw(curve, dimensions=("estimator",), **options):
        return draw_specification_curve(curve, dimensions, outcome="x", **options)

    with pytest.raises(DataError, match="'pool'"):
        draw(CURVE, ["pool"])
    with pytest.raises(DataError, match="No specification was estimated"):
        draw(CURVE.assign(failure="no"))
    with pytest.raises(DataError, match="is 2 of the estimated"):
        draw(CURVE, baseline={"estimator": "SC"})


def test_positions_forget_the_last_bits_of_the_layout():
    with style.canvas("en", columns=2) as (_, grid):
        for axes in grid:
            axes.plot([0, 1], [0.123456, 7.654321])
            axes.set_ylabel("simulated")
    bounds = [part for axes in grid for part in axes.get_position().bounds]
    assert bounds == pytest.approx([round(part, 6) for part in bounds], abs=1e-12)
