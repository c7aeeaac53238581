"""Panels with gaps are regressed kind by kind of units: the numbers are those of dummies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.did.cohorts.kinds import UnitKinds
from jjjpolicy.did.regressions.fixed_effects import fixed_effects_regression

ADOPTION = {unit: (2010, 2020, 2030)[unit % 3] for unit in range(15)}


def design_with_gaps(**options: Any) -> jp.Design:
    """Simulated: 40 periods, a tenth of the rows absent, a weight of each unit, a covariate."""
    frame = simulated_panel(units=25, periods=40, adoption=ADOPTION, effect=1.0, seed=3)
    rng = np.random.default_rng(4)
    frame["x"] = rng.normal(size=len(frame)) + 0.2 * frame["y"]
    frame["weight"] = 1.0 + frame["unit"] % 4
    present = rng.uniform(size=len(frame)) > 0.1
    return jp.Design.from_frame(
        frame[present], unit="unit", time="period", outcome="y", adoption="first", **options
    )


@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("covariates", [(), ("x",)], ids=["", "covariate"])
def test_coefficients_and_errors_are_those_of_the_regression_on_dummies(
    weights: str | None, covariates: tuple[str, ...]
) -> None:
    design = design_with_gaps(weights=weights, covariates=covariates)
    cohorts, codes = design.cohort_codes
    regressors = np.stack(
        [(design.periods - cohorts[:, None] >= k).astype(float) for k in (0, 5)], axis=2
    )
    fit = fixed_effects_regression(design, regressors, ["from 0", "from 5"])

    unit, period = np.nonzero(design.observed)
    dummies = [unit[:, None] == np.arange(25), period[:, None] == np.arange(1, 40)]
    x = np.column_stack(
        [
            regressors[codes[unit], period],
            *(design.covariates[name][unit, period] for name in covariates),
            *dummies,
        ]
    ).astype(float)
    mass = np.ones(len(unit)) if design.weights is None else design.weights[unit]
    scale = np.sqrt(mass)[:, None]
    outcome = design.outcome[unit, period]
    expected = np.linalg.lstsq(x * scale, outcome * scale[:, 0], rcond=None)[0]
    known = len(fit.coefficients)
    np.testing.assert_allclose(fit.coefficients, expected[:known], rtol=1e-9)

    residuals = (outcome - x @ expected) * mass
    scores = np.zeros((25, x.shape[1]))
    np.add.at(scores, unit, x * residuals[:, None])
    bread = np.linalg.inv((x * mass[:, None]).T @ x)
    sandwich = (bread @ scores.T @ scores @ bread)[:known, :known]
    found = fit.influence.T @ fit.influence / 25**2
    np.testing.assert_allclose(found, sandwich, rtol=1e-7, atol=1e-12)


def test_kinds_tell_apart_what_is_observed_in_any_period() -> None:
    design = design_with_gaps()
    kinds = UnitKinds.of(design)
    np.testing.assert_array_equal(kinds.observed[kinds.codes], design.observed)
    np.testing.assert_array_equal(kinds.cohorts[kinds.codes], design.cohort_codes[1])
    distinct = np.unique(np.column_stack([design.cohort_codes[1], design.observed]), axis=0)
    assert len(kinds.cohorts) == len(distinct)
