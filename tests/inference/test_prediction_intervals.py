"""Prediction intervals: the results of the authors' package, coverage, invariances, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp

# scpi_pkg 4.0.0 on the same data: simplex, HC1, orders 1, lags 0, 2,000 simulations, 95% each.
# Ends of the counterfactual's interval, weights alone; then with each model of the errors.
SCPI = {
    "levels": {
        1991: [20.650155, 21.721259],
        1995: [23.580141, 24.875185],
        2003: [30.060734, 34.020470],
    },
    "differences": {
        1991: [20.659797, 21.704903],
        1995: [23.592843, 24.844336],
        2003: [30.114820, 34.167698],
    },
}
ERRORS = {
    ("levels", "sub_gaussian"): {
        1991: [20.276784 - 20.650155, 22.275498 - 21.721259],
        2003: [29.524287 - 30.060734, 34.727727 - 34.020470],
    },
    ("levels", "location_scale"): {1991: [20.202897 - 20.650155, 22.253369 - 21.721259]},
    ("levels", "quantile"): {1991: [20.449188 - 20.650155, 21.933476 - 21.721259]},
    ("differences", "sub_gaussian"): {1991: [19.928305 - 20.659797, 22.232377 - 21.704903]},
}


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def fit(frame: pd.DataFrame, **options: Any) -> jp.Estimate:
    estimate = jp.synth.SyntheticControl().fit(design_of(frame))
    return estimate.with_inference(jp.inference.PredictionIntervals(**options))


def germany(germany_data: Any) -> jp.Estimate:
    frame = germany_data
    frame["gdp"] = frame["gdp"] / 1000
    frame["treated"] = ((frame["country"] == "West Germany") & (frame["year"] >= 1991)).astype(int)
    return jp.synth.SyntheticControl().fit(
        design_of(frame, unit="country", time="year", outcome="gdp")
    )


@pytest.mark.parametrize(("moments", "errors"), ERRORS)
def test_germany_has_the_intervals_of_the_authors_package(
    germany_data: Any, moments: Any, errors: Any
) -> None:
    estimate = germany(germany_data)
    design = estimate.design
    result = estimate.with_inference(
        jp.inference.PredictionIntervals(simulations=1000, moments=moments, errors=errors)
    ).inference
    assert result is not None
    assert result.details["threshold"].item() == pytest.approx(0.07164019, abs=1e-7)
    cells = result.details["cells"](0.90).set_index("period")
    observed = pd.Series(design.outcome[design.treated][0], index=design.periods)
    weights_only = pd.DataFrame(
        {
            "lower": observed - cells["in_sample_upper"],
            "upper": observed - cells["in_sample_lower"],
        }
    )
    both = pd.DataFrame({"lower": observed - cells["upper"], "upper": observed - cells["lower"]})
    for year, ends in SCPI[moments].items():
        assert weights_only.loc[year].to_numpy() == pytest.approx(ends, abs=0.12)
    for year, shifts in ERRORS[moments, errors].items():
        assert (both - weights_only).loc[year].to_numpy() == pytest.approx(shifts, abs=2e-4)


def test_intervals_cover_the_next_outcome() -> None:
    covered = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        frame = simulated_panel(units=8, periods=21, adoption={0: 2021}, seed=seed)
        donors = frame["y"].to_numpy(copy=True).reshape(8, 21)
        donors[0] = 0.6 * donors[1] + 0.4 * donors[2] + 0.3 * rng.normal(size=21)
        frame["y"] = donors.ravel()
        low, high = fit(frame, simulations=100, seed=seed).interval(0.9)
        covered.append(low <= 0 <= high)
    assert np.mean(covered) >= 0.9


def test_intervals_grow_with_the_level_and_bands_hold_them() -> None:
    frame = simulated_panel(units=10, periods=20, adoption={0: 2016, 1: 2018}, effect=5.0)
    estimate = fit(frame)
    narrow, wide = estimate.interval(0.8), estimate.interval(0.95)
    assert wide[0] < narrow[0] < estimate.att < narrow[1] < wide[1]
    assert narrow[0] > 0
    assert estimate.pvalue is not None
    assert estimate.inference is not None
    assert estimate.pvalue == estimate.inference.smallest_pvalue
    after = estimate.effects.query("event_time >= 0")
    assert (after["uniform_lower"] <= after["lower"]).all()
    assert (after["uniform_upper"] >= after["upper"]).all()
    assert estimate.effects.query("event_time < 0")["lower"].isna().all()


def test_measuring_in_other_units_scales_the_interval() -> None:
    frame = simulated_panel(units=10, periods=20, adoption={0: 2016})
    plain, scaled = fit(frame), fit(frame.assign(y=1000 * frame["y"]))
    assert scaled.interval(0.9) == pytest.approx([1000 * end for end in plain.interval(0.9)])


def test_weights_of_another_programme_are_refused() -> None:
    design = design_of(simulated_panel(units=10, periods=12, adoption={0: 2009}))
    method = jp.inference.PredictionIntervals()
    for estimator, reason in (
        (jp.did.TwoWayFixedEffects(), "no donor weights"),
        (jp.synth.AugmentedSyntheticControl(), "simplex"),
        (jp.synth.PenalizedSyntheticControl(penalty=10.0), "do not minimise"),
    ):
        with pytest.raises(jp.InferenceError, match=reason):
            estimator.fit(design).with_inference(method)


def test_unknown_options_are_refused() -> None:
    frame = simulated_panel(units=10, periods=12, adoption={0: 2009})
    for options in ({"errors": "normal"}, {"moments": "lags"}, {"simulations": 1}):
        with pytest.raises(jp.InferenceError, match=next(iter(options))):
            fit(frame, **options)


@pytest.mark.parametrize("errors", ["sub_gaussian", "location_scale", "quantile"])
@pytest.mark.parametrize("before", [1, 2, 3, 5])
def test_few_periods_before_treatment_are_refused_or_give_a_probability(
    before: int, errors: Any
) -> None:
    # Two donors below the treated unit: no weights fit exactly, however few the periods.
    frame = simulated_panel(units=3, periods=before + 3, adoption={0: 2001 + before}, effect=1.0)
    frame.loc[frame["unit"] == 0, "y"] += 10
    if before < (2 if errors == "sub_gaussian" else 4):
        with pytest.raises(jp.InferenceError, match=f"unit 0 has {before} residual"):
            fit(frame, errors=errors)
        return
    estimate = fit(frame, errors=errors)
    assert estimate.pvalue is not None
    assert estimate.inference is not None
    assert estimate.inference.smallest_pvalue is not None
    assert 0 < estimate.inference.smallest_pvalue <= estimate.pvalue <= 1
    low, high = estimate.interval(0.9)
    assert low < high


def test_differences_lose_a_residual() -> None:
    frame = simulated_panel(units=3, periods=6, adoption={0: 2003}, effect=1.0)
    frame.loc[frame["unit"] == 0, "y"] += 10
    assert fit(frame).interval()[0] < fit(frame).interval()[1]
    with pytest.raises(jp.InferenceError, match="1 residual before"):
        fit(frame, moments="differences")


def test_an_exact_fit_has_no_prediction_interval() -> None:
    frame = simulated_panel(units=8, periods=20, adoption={0: 2016}, effect=1.0)
    outcome = frame["y"].to_numpy(copy=True).reshape(8, 20)
    outcome[0, :15] = outcome[1:3, :15].mean(axis=0)
    with pytest.raises(jp.InferenceError, match="unit 0 before treatment is exact"):
        fit(frame.assign(y=outcome.ravel()))
