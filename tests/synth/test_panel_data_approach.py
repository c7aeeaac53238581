"""Panel data approach: the choice of donors against a regression package, errors."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.linalg.lasso import lasso_path


def design_of(frame: Any, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))


@pytest.fixture
def factors() -> jp.Design:
    """Simulated; one common factor with unit loadings, treatment adds 3."""
    rng = np.random.default_rng(11)
    frame = simulated_panel(units=8, periods=24, adoption={0: 2019}, seed=2)
    factor = np.cumsum(rng.normal(size=24))
    loadings = np.linspace(0.5, 2.0, 8)
    frame["y"] += np.outer(loadings, factor).ravel() + 3.0 * frame.treated
    return design_of(frame)


def test_the_best_subset_is_that_of_a_regression_package(factors: jp.Design) -> None:
    import statsmodels.api as sm

    path, pool = factors.outcome[0, :18], factors.outcome[1:, :18].T
    best: dict[int, Any] = {}
    for size in (1, 2, 3, 4):
        fits = {
            subset: sm.OLS(path, sm.add_constant(pool[:, subset])).fit()
            for subset in combinations(range(7), size)
        }
        subset = min(fits, key=lambda key: fits[key].ssr)
        k = size + 2
        criterion = 18 * np.log(fits[subset].ssr / 18) + 2 * k + 2 * k * (k + 1) / (18 - k - 1)
        best[size] = (criterion, subset, fits[subset])
    criterion, subset, fit = min(best.values(), key=lambda item: item[0])
    estimate = jp.synth.PanelDataApproach().fit(factors)
    assert estimate.weights is not None
    weights = estimate.weights[0].to_numpy()
    assert tuple(np.flatnonzero(weights)) == subset
    assert weights[list(subset)] == pytest.approx(fit.params[1:])
    assert estimate.unit_effects is not None
    row = estimate.unit_effects.iloc[0]
    assert row["intercept"] == pytest.approx(fit.params[0])
    assert row["aicc"] == pytest.approx(criterion)
    predicted = fit.predict(sm.add_constant(factors.outcome[1:, 18:].T[:, subset]))
    assert estimate.att == pytest.approx((factors.outcome[0, 18:] - predicted).mean())


@pytest.mark.parametrize("selection", [jp.synth.BestSubset(), jp.synth.Lasso()])
def test_the_effect_is_found_and_refit_agrees(factors: jp.Design, selection: Any) -> None:
    estimator = jp.synth.PanelDataApproach(selection)
    estimate = estimator.fit(factors)
    assert estimate.att == pytest.approx(3.0, abs=0.6)
    assert estimator.refit(factors).att[0] == pytest.approx(estimate.att)


def test_the_penalty_has_the_smallest_error_of_leaving_one_period_out(factors: jp.Design) -> None:
    path, pool = factors.outcome[0, :18], factors.outcome[1:, :18].T
    estimate = jp.synth.PanelDataApproach(jp.synth.Lasso()).fit(factors)
    assert estimate.unit_effects is not None
    chosen = estimate.unit_effects["penalty"][0]

    def error(penalty: float) -> float:
        total = 0.0
        for t in range(18):
            frame = np.delete(np.column_stack([path, pool]), t, axis=0)
            centred = frame - frame.mean(axis=0)
            w = lasso_path(centred[:, 1:], centred[:, 0], np.array([penalty]))[0]
            total += (path[t] - frame[:, 0].mean() - w @ (pool[t] - frame[:, 1:].mean(axis=0))) ** 2
        return total

    assert error(chosen) <= min(error(chosen * 4), error(chosen / 4)) * (1 + 1e-6)


def test_limits_are_named(factors: jp.Design) -> None:
    short = design_of(simulated_panel(periods=8, adoption={0: 2005}))
    with pytest.raises(jp.DesignError, match="at least 6 periods before treatment"):
        jp.synth.PanelDataApproach().fit(short)
    with pytest.raises(jp.DesignError, match="must lie between 1 and 7"):
        jp.synth.PanelDataApproach(jp.synth.BestSubset(largest=8)).fit(factors)
    many = design_of(simulated_panel(units=60, periods=30, adoption={0: 2025}))
    with pytest.raises(jp.DesignError, match="would compare .* subsets of 59 donors"):
        jp.synth.PanelDataApproach(jp.synth.BestSubset(largest=6)).fit(many)
