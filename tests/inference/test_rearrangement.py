"""Hagemann's test for one treated group: published code, size, inversion, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

import jjjpolicy as jp
from jjjpolicy.inference.rearrangement import rearrangement_weight, size_bound


def fit(frame: pd.DataFrame, **changes: Any) -> jp.Estimate:
    arguments: dict[str, Any] = {
        "unit": "unit",
        "time": "period",
        "outcome": "y",
        "treatment": "treated",
    }
    return jp.did.TwoWayFixedEffects().fit(jp.Design.from_frame(frame, **(arguments | changes)))


def by_sorting(x1: float, x0: np.ndarray, weight: float) -> bool:
    """Algorithm 3.3: the contrast is as large as after sorting all entries."""
    gap = x1 - x0.mean()
    entries = np.concatenate([[(1 + weight) * gap, (1 - weight) * gap], x0 - x0.mean()])
    largest = np.sort(entries)[::-1]
    contrast = entries[:2].mean() - entries[2:].mean()
    return bool(np.isclose(contrast, largest[:2].mean() - largest[2:].mean(), atol=1e-12))


@pytest.mark.parametrize("controls", [10, 20, 40])
@pytest.mark.parametrize("weight", [0.1, 0.5, 0.8])
def test_size_bound_equals_the_formula_of_the_authors_code(controls: int, weight: float) -> None:
    """Function stc.weight of hagemann_rea.R, by adaptive quadrature and optimisation."""
    for rho in (1.0, 2.0):
        outlying = quad(
            lambda y, rho=rho: norm.cdf((1 - weight) * rho * y) ** (controls - 1) * norm.pdf(y),
            0,
            np.inf,
        )[0]
        mean = minimize_scalar(
            lambda b: (
                norm.cdf(weight * np.sqrt(controls - 1) * b) ** (controls - 1)
                + 2 * norm.cdf(-b * controls)
            ),
            bounds=(0, 2),
            method="bounded",
            options={"xatol": 1e-10},
        ).fun
        expected = 2.0 ** (-controls - 1) + outlying + mean
        found = size_bound(np.array([weight]), controls, rho)[0]
        assert found == pytest.approx(expected, abs=2e-7)


def test_the_weight_is_the_smallest_that_keeps_the_level() -> None:
    weight = rearrangement_weight(20, 0.05, 2.0)
    assert weight is not None
    assert size_bound(np.array([weight]), 20, 2.0)[0] <= 0.05
    assert size_bound(np.array([weight - 1e-4]), 20, 2.0)[0] > 0.05
    assert rearrangement_weight(5, 0.001, 5.0) is None


@pytest.mark.parametrize("effect", [0.0, 1.0, 3.0, -3.0])
def test_decisions_equal_sorting_at_the_weight(effect: float) -> None:
    estimate = fit(simulated_panel(units=31, adoption={0: 2004}, effect=effect))
    found = estimate.with_inference(jp.inference.RearrangementTest())
    result = found.inference
    assert result is not None
    assert found.pvalue is not None
    weight = rearrangement_weight(30, 0.025, 2.0)
    assert weight is not None
    change, controls = result.details["change"], result.details["controls"]
    up = by_sorting(change, controls, weight)
    down = by_sorting(-change, -controls, weight)
    assert (found.pvalue <= 0.05) == (up or down)
    low, high = found.interval(0.95)
    assert (low > 0 or high < 0) == (up or down)


def test_change_is_the_coefficient_where_groups_are_alike() -> None:
    frame = simulated_panel(units=20, adoption={0: 2004}, effect=1.0)
    estimate = fit(frame)
    result = estimate.with_inference(jp.inference.RearrangementTest()).inference
    assert result is not None
    assert result.details["change"] == pytest.approx(estimate.att, abs=1e-12)
    wide = frame.pivot(index="unit", columns="period", values="y")
    changes = wide.loc[:, 2004:].mean(axis=1) - wide.loc[:, :2003].mean(axis=1)
    expected = changes[1:] - changes[1:].mean()
    assert result.details["controls"] == pytest.approx(expected.to_numpy(), abs=1e-12)


def test_size_is_kept_up_to_the_heterogeneity_and_lost_beyond() -> None:
    rng = np.random.default_rng(0)
    weight = rearrangement_weight(20, 0.05, 2.0)
    assert weight is not None
    controls = rng.normal(size=(40_000, 20))
    treated = rng.normal(size=40_000)
    highest = (controls - controls.mean(axis=1, keepdims=True)).max(axis=1)

    def rejects(rho: float) -> float:
        change = rho * treated - controls.mean(axis=1)
        return float(((1 - weight) * change > highest).mean())

    assert rejects(1.0) < rejects(2.0) <= 0.05
    assert rejects(6.0) > 0.05


def test_more_heterogeneity_gives_wider_intervals_and_larger_pvalues() -> None:
    estimate = fit(simulated_panel(units=40, adoption={0: 2004}, effect=2.0))
    found = [
        estimate.with_inference(jp.inference.RearrangementTest(heterogeneity=rho))
        for rho in (1.0, 2.0, 4.0)
    ]
    widths = [np.subtract(*each.interval()[::-1]) for each in found]
    assert widths == sorted(widths)
    pvalues = [each.pvalue for each in found if each.pvalue is not None]
    assert pvalues == sorted(pvalues)
    assert found[0].inference is not None
    limit = found[0].inference.details["largest_heterogeneity"]
    at_limit = estimate.with_inference(jp.inference.RearrangementTest(heterogeneity=limit))
    assert at_limit.pvalue is not None
    assert at_limit.pvalue <= 0.05


def test_groups_of_different_size_are_said_to_count_equally() -> None:
    frame = simulated_panel(units=20, adoption={0: 2004, 1: 2004, 2: 2004})
    frame["place"] = np.where(frame["unit"] < 3, 0, np.maximum(frame["unit"] // 2, 1) + 10)
    frame.loc[frame["unit"] == 3, "place"] = 12
    estimate = fit(frame, assigned_at="place").with_inference(jp.inference.RearrangementTest())
    assert estimate.inference is not None
    assert any("count equally" in note for note in estimate.inference.notes)


def test_refuses_several_treated_groups_and_no_heterogeneity() -> None:
    several = fit(simulated_panel(units=20, adoption={0: 2004, 1: 2004}))
    with pytest.raises(jp.InferenceError, match="made for one treated group, this design has 2"):
        several.with_inference(jp.inference.RearrangementTest())
    with pytest.raises(jp.InferenceError, match="heterogeneity=0 must be positive"):
        several.with_inference(jp.inference.RearrangementTest(heterogeneity=0))
