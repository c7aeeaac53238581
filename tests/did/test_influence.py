"""Influence functions are formed when asked for, and errors do not need them formed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.did.cohorts import influence
from jjjpolicy.did.group_time import parts

ESTIMATORS = {
    "CallawaySantAnna": jp.did.CallawaySantAnna(),
    "not yet treated": jp.did.CallawaySantAnna(control="not_yet", base="universal"),
    "SunAbraham": jp.did.SunAbraham(),
    "TwoWayFixedEffects": jp.did.TwoWayFixedEffects(),
    "EventStudy": jp.did.EventStudy(),
}
ADOPTION = {0: 2003, 1: 2003, 2: 2003, 3: 2005, 4: 2005, 5: 2005, 6: 2006, 7: 2006}

ADOPTION_OF_MANY = {unit: (2003, 2005, 2006)[unit % 3] for unit in range(0, 60, 2)}


def design_of(level: float = 0.0, **options: Any) -> jp.Design:
    """Simulated and balanced, with a weight of each unit."""
    frame = simulated_panel(units=30, periods=7, adoption=ADOPTION, effect=1.0, seed=5)
    frame["y"] += level * (1 + frame["unit"].rank(method="dense") % 7)
    frame["weight"] = 1 + frame["unit"].rank(method="dense") % 3
    return jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", adoption="first", **options
    )


@pytest.mark.parametrize("name", list(ESTIMATORS))
@pytest.mark.parametrize("weights", [None, "weight"])
def test_errors_from_cross_products_are_those_from_units(
    name: str, weights: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = design_of(weights=weights)
    by_unit = ESTIMATORS[name].fit(design)
    monkeypatch.setattr(influence, "FEW", 0)
    summed = ESTIMATORS[name].fit(design)
    assert summed.att == pytest.approx(by_unit.att, rel=1e-13)
    expected = by_unit.inference.details["covariance"]
    found = summed.inference.details["covariance"]
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(summed.influence, by_unit.influence, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("weights", [None, "weight"])
def test_the_error_is_the_root_of_the_sum_of_squared_influence(weights: str | None) -> None:
    estimate = jp.did.CallawaySantAnna().fit(design_of(weights=weights))
    squares = np.square(estimate.influence[:, 0]).sum()
    assert estimate.se == pytest.approx(np.sqrt(squares) / 30, rel=1e-13)


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_levels_of_units_do_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influence, "FEW", 0)
    plain, high = (ESTIMATORS[name].fit(design_of(level)) for level in (0.0, 1e4))
    assert high.att == pytest.approx(plain.att, abs=1e-10)
    assert high.se == pytest.approx(plain.se, abs=1e-10)


def test_influence_is_formed_once_and_kept() -> None:
    estimate = jp.did.CallawaySantAnna().fit(design_of())
    assert callable(vars(estimate)["influence"])
    formed = estimate.influence
    assert formed is estimate.influence
    assert formed.shape == (30, 1 + len(estimate.details["event_times"]))


@pytest.mark.parametrize("control", ["never", "not_yet"])
@pytest.mark.parametrize("method", ["dr", "ipw", "or"])
@pytest.mark.parametrize("weights", [None, "weight"])
def test_errors_with_covariates_are_the_same_summed_cohort_by_cohort(
    control: Any, method: Any, weights: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = simulated_panel(units=60, periods=7, adoption=ADOPTION_OF_MANY, effect=1.0, seed=5)
    frame["weight"] = 1 + frame["unit"] % 3
    frame["x"] = np.sin(frame["unit"])
    design = jp.Design.from_frame(
        frame,
        unit="unit",
        time="period",
        outcome="y",
        adoption="first",
        weights=weights,
        covariates=["x"],
    )
    estimator = jp.did.CallawaySantAnna(control=control, method=method)
    by_unit = estimator.fit(design)
    squares = by_unit.influence.T @ by_unit.influence / 60**2
    monkeypatch.setattr(parts, "FEW", 0)
    summed = estimator.fit(design)
    found = summed.inference.details["covariance"]
    np.testing.assert_allclose(found, by_unit.inference.details["covariance"], atol=1e-14)
    np.testing.assert_allclose(found, squares, atol=1e-14)
