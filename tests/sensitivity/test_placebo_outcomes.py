"""Placebo outcomes: the same design, other outcomes, one family."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.sensitivity import placebo_outcomes


@pytest.fixture
def frame() -> pd.DataFrame:
    table = simulated_panel(units=12, adoption={0: 2004, 1: 2004, 2: 2005}, effect=1.0)
    rng = np.random.default_rng(2)
    return table.assign(
        rain=rng.normal(size=len(table)),
        moved=rng.normal(size=len(table)) + 5 * table["treated"],
    )


def fit(frame: pd.DataFrame) -> jp.Estimate:
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    return jp.did.TwoWayFixedEffects().fit(design)


def test_each_outcome_is_estimated_as_by_hand_and_adjusted_by_holm(frame: pd.DataFrame) -> None:
    shuffled = frame.sample(frac=1, random_state=0)
    table = placebo_outcomes(fit(frame), shuffled, ["rain", "moved"])
    rain = fit(frame.assign(y=frame["rain"]))
    assert table["outcome"].tolist() == ["rain", "moved"]
    assert table["estimate"].iloc[0] == pytest.approx(rain.att, abs=1e-12)
    assert table["se"].iloc[0] == pytest.approx(rain.se, abs=1e-12)
    smallest = table["pvalue"].min()
    assert table["adjusted"].min() == pytest.approx(min(2 * smallest, 1))
    assert table["adjusted"].iloc[1] < 0.05 < table["adjusted"].iloc[0]


def test_another_inference_method_is_used_for_all(frame: pd.DataFrame) -> None:
    method = jp.inference.RandomizationInference(replications=99, seed=4)
    table = placebo_outcomes(fit(frame), frame, ["rain"], inference=method)
    expected = fit(frame.assign(y=frame["rain"])).with_inference(method).pvalue
    assert table["pvalue"].iloc[0] == expected


def test_missing_cells_columns_and_double_rows_are_named(frame: pd.DataFrame) -> None:
    estimate = fit(frame)
    with pytest.raises(jp.DesignError, match="column 'snow' is not in"):
        placebo_outcomes(estimate, frame, ["snow"])
    with pytest.raises(
        jp.DesignError, match="'rain' has no finite value for unit 0 in period 2003"
    ):
        placebo_outcomes(estimate, frame.drop(index=[2]), ["rain"])
    with pytest.raises(jp.DesignError, match="unit .* in period 2001 occurs twice"):
        placebo_outcomes(estimate, pd.concat([frame, frame.iloc[:1]]), ["rain"])
    with pytest.raises(jp.DesignError, match="outcomes= is empty"):
        placebo_outcomes(estimate, frame, [])
