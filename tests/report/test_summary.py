"""The summary of an estimate holds what a referee asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from panels import simulated_panel, staggered_panel

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimator


def test_sample_controls_options_covariates_and_pretrends_are_in_the_summary() -> None:
    design = jp.Design.from_frame(
        staggered_panel(units=80),
        unit="unit",
        time="period",
        outcome="y",
        adoption="first",
        covariates=["x"],
    )
    estimate = jp.did.CallawaySantAnna().fit(design)
    lines = estimate.summary().splitlines()
    test = jp.sensitivity.pretrend_test(estimate)
    assert "controls       20 never treated" in lines
    assert "covariates     x" in lines
    assert "options        control='never', method='dr', base='varying', anticipation=0" in lines
    told = next(line for line in lines if line.startswith("pre-trends"))
    assert f"all {test.numerator_df} effects before treatment zero" in told
    assert f"F({test.numerator_df}, ∞) = {test.statistic:.2f}, p " in told
    assert "sample         80 units × 6 periods (2001–2006), 480 observations" in lines


def test_the_level_of_assignment_is_counted_in_its_groups() -> None:
    frame = simulated_panel(units=12, adoption=dict.fromkeys(range(3), 2004))
    design = jp.Design.from_frame(
        frame.assign(county=frame["unit"] // 3),
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
        assigned_at="county",
    )
    text = jp.did.TwoWayFixedEffects().fit(design).summary()
    assert "assigned at    county: 4, of which 1 treated" in text
    assert "Only 1 of 4 clusters is treated" in text


@pytest.mark.parametrize("inference", [None, jp.inference.PlaceboUnits()])
def test_estimates_without_a_covariance_have_no_line_on_pretrends(inference: object) -> None:
    frame = simulated_panel(units=12)
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = jp.synth.DemeanedSyntheticControl().fit(design)
    if inference is not None:
        estimate = estimate.with_inference(inference)  # type: ignore[arg-type]
    assert "pre-trends" not in estimate.summary()
    assert np.isfinite(estimate.att)


NEED_MORE = {
    "ChaisemartinDHaultfoeuille": "takes no covariates and says so",
    "ContinuousTreatment": "a dose",
    "EffectOn": "effects on several units",
    "HeldWeights": "a variable",
    "InclusiveSyntheticControl": "affected units",
    "MultipleOutcomeSyntheticControl": "further outcomes",
    "SpilloverExposure": "an exposure",
    "SpilloverRings": "coordinates",
    "SpilloverSyntheticControl": "a structure",
    "TripleDifference": "a third difference",
}
"""Estimators that one panel with a covariate does not suit, and what they need."""

ESTIMATORS = [
    found
    for module in (jp.did, jp.synth)
    for found in (getattr(module, name) for name in module.__all__ if name not in NEED_MORE)
    if isinstance(found, type) and issubclass(found, Estimator)
]


@pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_covariates_that_do_not_enter_are_called_so(estimator: type[Estimator]) -> None:
    frame = simulated_panel(units=14, periods=12, adoption=dict.fromkeys(range(2), 2009))
    draws = np.random.default_rng(3).normal(size=(2, len(frame)))
    frame = frame.assign(x=draws[0], y=frame["y"] + draws[0] + 0.1 * draws[1])
    keys = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    estimate = estimator().fit(jp.Design.from_frame(frame, **keys, covariates=["x"]))
    other = estimator().fit(jp.Design.from_frame(frame, **keys))
    assert ("x (not used)" in estimate.summary()) == (estimate.att == other.att)


@pytest.mark.parametrize(("factor", "printed"), [(1.0, 4), (1e-6, 7), (1e-12, 0)])
def test_effects_show_their_digits_in_any_unit_of_measure(factor: float, printed: int) -> None:
    frame = simulated_panel(units=12, effect=1.0)
    design = jp.Design.from_frame(
        frame.assign(y=factor * frame["y"]),
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
    )
    estimate = jp.did.EventStudy().fit(design)
    lines = estimate.summary().replace("\N{MINUS SIGN}", "-").splitlines()
    shown = next(line for line in lines if line.startswith("ATT")).split()[1]
    error = next(line for line in lines if line.startswith("std. error")).split()[-1]
    assert float(shown) == pytest.approx(estimate.att, rel=0.05)
    assert float(error) == pytest.approx(estimate.se, rel=0.5)
    if printed:
        assert len(shown.partition(".")[2]) == printed
    table = jp.compare({"a": estimate}).to_markdown().replace("\N{MINUS SIGN}", "-")
    cell = next(line for line in table.splitlines() if line.startswith("| ATT")).split("|")[2]
    assert float(cell) == pytest.approx(estimate.att, rel=0.05)
    blocks = lines[lines.index("By event time") + 2 :]
    known = estimate.effects[estimate.effects["event_time"] >= 0]
    for line, effect in zip(blocks[-len(known) :], known["estimate"], strict=True):
        assert float(line.split()[1]) == pytest.approx(effect, rel=0.05, abs=0.05 * factor)
    assert jp.compare({"a": estimate}, digits=3).to_markdown().count("0.000") == (
        0 if factor == 1 else 4
    )


def synthetic(units: int, seed: int = 0) -> jp.Estimate:
    """A synthetic control of the first of some units, with its placebos."""
    frame = simulated_panel(units=units, periods=12, adoption={0: 2009}, seed=seed)
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    fit = jp.synth.SyntheticControl().fit(design)
    return fit.with_inference(jp.inference.PlaceboUnits())


def line_of(text: str, label: str) -> str:
    (line,) = (line for line in text.splitlines() if line.startswith(label))
    return line


@pytest.mark.parametrize("seed", range(3))
def test_the_widest_interval_stands_where_few_placebos_allow_none_of_95_percent(seed: int) -> None:
    estimate = synthetic(17, seed)
    assert not np.isfinite(estimate.interval(0.95)).any()
    reach = np.abs(estimate.inference.reference).max()
    low, high = estimate.att - reach, estimate.att + reach
    if estimate.pvalue > 1 / 17:
        low, high = min(low, 0.0), max(high, 0.0)
    printed = f"[{low:.4f}, {high:.4f}]".replace("-", "\N{MINUS SIGN}")
    text = estimate.summary()
    assert printed in line_of(text, "94.1% interval")
    assert "∞" not in text
    assert "By event time (94.1% intervals)" in text
    assert printed in line_of(estimate.summary(language="zh"), "94.1% 区间")
    shown = f"94.1%: [{low:.3f}, {high:.3f}]".replace("-", "\N{MINUS SIGN}")
    for language, label in (("en", "95% interval"), ("zh", "95% 置信区间")):
        table = jp.compare({"SC": estimate}, language=language)
        for text in (table.to_html(), table.to_typst(), table.to_latex()):
            assert label.replace("%", "") in text.replace("\\%", "%").replace("%", "")
        (cell,) = (row.cells[0] for row in table.panels[0].rows if str(row.label)[0] == "9")
        assert str(cell) == shown
        assert cell.values == (pytest.approx(low), pytest.approx(high))


def test_an_interval_that_the_placebos_allow_keeps_its_level() -> None:
    text = synthetic(20).summary()
    low, high = synthetic(20).interval(0.95)
    assert f"[{low:.4f}, {high:.4f}]".replace("-", "\N{MINUS SIGN}") in line_of(
        text, "95% interval"
    )
    assert "few assignments" not in text
    assert "\nBy event time\n" in text


def test_the_rank_of_the_ratio_of_errors_stands_beside_the_rank_of_the_effect() -> None:
    estimate = synthetic(17, seed=2)
    result = estimate.inference
    by_effect = 1 + int((np.abs(result.reference) >= abs(estimate.att)).sum())
    ratios = result.details["placebo_rmspe_ratios"]
    by_ratio = 1 + int((ratios >= result.details["rmspe_ratio"]).sum())
    assert by_effect != by_ratio
    assert f"effect: {by_effect} of 17" in line_of(estimate.summary(), "rank")
    line = line_of(estimate.summary(), "RMSPE ratio")
    assert f"rank {by_ratio} of 17, rank p-value {by_ratio / 17:.3f}" in line
    chinese = estimate.summary(language="zh")
    assert f"第 {by_effect} 位，共 17 个" in line_of(chinese, "位次")
    assert f"第 {by_ratio} 位，共 17 个" in line_of(chinese, "RMSPE 比")
    table = jp.compare({"SC": estimate}).to_markdown()
    assert f"| p-value of the RMSPE ratio | {by_ratio / 17:.3f} |" in table
    without = jp.compare({"a": jp.did.TwoWayFixedEffects().fit(estimate.design)}).to_markdown()
    assert "RMSPE" not in without


def test_level_and_digits_are_those_asked_for() -> None:
    estimate = synthetic(20)
    low, high = estimate.interval(0.5)
    text = estimate.summary(level=0.5, digits=1)
    shown = f"[{low:.1f}, {high:.1f}]".replace("-", "\N{MINUS SIGN}")
    assert shown in line_of(text, "50% interval")
    assert f"ATT            {estimate.att:.1f} ".replace("-", "\N{MINUS SIGN}") in text
    table = jp.compare({"SC": estimate}, level=0.5, digits=1).to_html()
    assert "50% interval" in table
    assert shown in table
    effects = estimate.effects_at(0.5)
    at = effects.loc[effects["event_time"] == 1, "lower"].item()
    row = line_of(text.replace("\N{MINUS SIGN}", "-").split("By event time")[1], " " * 9 + "1 ")
    assert float(row.split()[3]) == pytest.approx(at, abs=0.05)
    for level in (0.0, 1.0, 95):
        for ask in (estimate.summary, estimate.plot):
            with pytest.raises(jp.InferenceError, match="between 0 and 1"):
                ask(level=level)
        with pytest.raises(jp.InferenceError, match="between 0 and 1"):
            jp.compare({"a": estimate}, level=level)


def test_figures_draw_the_level_and_print_the_digits() -> None:
    estimate = jp.did.EventStudy().fit(synthetic(20).design)
    (axes,) = estimate.plot("effects", level=0.5, digits=3).axes
    axes.figure.draw_without_rendering()
    assert all(len(t.get_text().partition(".")[2]) == 3 for t in axes.get_yticklabels())
    narrow = axes.get_ylim()
    wide = estimate.plot("effects", level=0.99).axes[0].get_ylim()
    assert wide[1] - wide[0] > narrow[1] - narrow[0]


@pytest.fixture
def in_chinese() -> Iterator[None]:
    jp.set_language("zh")
    yield
    jp.set_language("en")


@pytest.mark.usefixtures("in_chinese")
def test_what_is_set_is_spoken_where_nothing_is_asked_for() -> None:
    estimate = synthetic(17)
    assert estimate.summary() == estimate.summary(language="zh")
    assert "按事件时间" in estimate.summary()
    assert "标准误" in jp.compare({"SC": estimate}).to_markdown()
    assert "标准误" not in jp.compare({"SC": estimate}, language="en").to_markdown()
    assert "Standard error" in jp.compare({"SC": estimate}).to_markdown("en")


def test_another_language_is_refused() -> None:
    estimate = synthetic(8)
    for ask in (estimate.summary, estimate.plot):
        with pytest.raises(jp.DataError, match="choose 'en' or 'zh'"):
            ask(language="fr")
    with pytest.raises(jp.DataError, match="choose 'en' or 'zh'"):
        jp.compare({"a": estimate}, language="fr")  # type: ignore[arg-type]
    with pytest.raises(jp.DataError, match="choose 'en' or 'zh'"):
        jp.set_language("fr")  # type: ignore[arg-type]


SPOKEN = {
    "TwoWayFixedEffects": None,
    "EventStudy": jp.inference.WildClusterBootstrap(),
    "CallawaySantAnna": None,
    "Imputation": None,
    "SyntheticControl": jp.inference.PlaceboUnits(),
    "SyntheticDiD": jp.inference.RandomizationInference(),
    "DemeanedSyntheticControl": jp.inference.PlaceboPeriods(),
}


@pytest.mark.parametrize("name", SPOKEN)
def test_the_summary_in_chinese_has_no_english_sentence(name: str) -> None:
    estimator = getattr(jp.did, name, None) or getattr(jp.synth, name)
    estimate = estimator().fit(synthetic(17).design)
    if SPOKEN[name] is not None:
        estimate = estimate.with_inference(SPOKEN[name])
    lines = estimate.summary(language="zh").splitlines()
    for line in lines[2:]:
        if not line.startswith("选项"):
            words = re.findall(r"\b[a-z][a-z'-]+", line)
            assert len(words) < 4, line
