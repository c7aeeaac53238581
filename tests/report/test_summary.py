"""The summary of an estimate holds what a referee asks for."""

from __future__ import annotations

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
