"""Sup-t bands: known quantiles, agreement with the multiplier bootstrap, the figure, errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from panels import simulated_panel, staggered_panel
from scipy.stats import norm, t

import jjjpolicy as jp
from jjjpolicy.inference import MultiplierBootstrap, uniform_bands
from jjjpolicy.inference.uniform_bands import _sup_t


def study(estimator: Any = None) -> jp.Estimate:
    frame = simulated_panel(60, 8, dict.fromkeys(range(25), 2005), 0.5)
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate: jp.Estimate = (estimator or jp.did.EventStudy()).fit(design)
    return estimate


@pytest.mark.parametrize("number", [1, 2, 7])
def test_independent_effects_have_the_quantile_of_sidak(number: int) -> None:
    exact = norm.ppf((1 + 0.95 ** (1 / number)) / 2)
    assert _sup_t(np.eye(number), np.inf, 0.95, 100_000, 1) == pytest.approx(exact, rel=0.01)


def test_one_effect_and_effects_that_move_together_have_the_pointwise_quantile() -> None:
    assert _sup_t(np.ones((5, 5)), 12.0, 0.9, 100_000, 1) == pytest.approx(
        t.ppf(0.95, 12), rel=0.01
    )


def test_the_band_is_that_of_the_multiplier_bootstrap() -> None:
    frame = staggered_panel(units=200)
    design = jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")
    estimate = jp.did.CallawaySantAnna().fit(design).aggregate("event")
    other = estimate.with_inference(MultiplierBootstrap(replications=4_000, seed=1)).effects
    width = other["uniform_upper"] - other["uniform_lower"]
    table = uniform_bands(estimate)
    assert (table["uniform_upper"] - table["uniform_lower"]).to_numpy() == pytest.approx(
        width.to_numpy(), rel=0.03
    )
    critical = estimate.bands(draws=4_000, seed=1)["critical_value"].iloc[0]
    assert table["critical_value"].iloc[0] == pytest.approx(critical, rel=0.03)


def test_bands_enclose_pointwise_intervals_and_leave_the_reference_alone() -> None:
    table = uniform_bands(study()).set_index("event_time")
    assert np.isnan(table.loc[-1, "uniform_lower"])
    table = table.drop(index=-1)
    assert (table["uniform_lower"] < table["lower"]).all()
    assert (table["uniform_upper"] > table["upper"]).all()
    narrower = uniform_bands(study(), 0.8)["critical_value"].iloc[0]
    assert narrower < table["critical_value"].iloc[0]


def test_the_figure_of_an_event_study_shows_pointwise_intervals_and_the_band() -> None:
    pytest.importorskip("matplotlib").use("agg")
    figure = study().plot()
    labels = {text.get_text() for text in figure.axes[0].get_legend().get_texts()}
    assert labels == {"Uniform band", "Pointwise interval"}


def test_without_a_covariance_there_is_no_band() -> None:
    estimate = study()
    with pytest.raises(jp.InferenceError, match="needs effects by event time"):
        uniform_bands(replace(estimate, inference=None))
    with pytest.raises(jp.InferenceError, match="level=95"):
        uniform_bands(estimate, 95)
