"""Weights of one outcome held for another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp

ESTIMATORS = [
    jp.synth.SyntheticControl(),
    jp.synth.DemeanedSyntheticControl(),
    jp.synth.SyntheticDiD(),
]


def design_of(outcome: str, **changes: Any) -> jp.Design:
    arguments = {"units": 10, "periods": 12, "adoption": {0: 2009, 1: 2009}} | changes
    frame = simulated_panel(**arguments)
    frame["other"] = simulated_panel(**(arguments | {"seed": 9}))["y"]
    covariates = [name for name in ("y", "other") if name != outcome]
    return jp.Design.from_frame(
        frame,
        unit="unit",
        time="period",
        outcome=outcome,
        treatment="treated",
        covariates=covariates,
    )


def plain(design: jp.Design) -> jp.Design:
    from dataclasses import replace

    return replace(design, covariates={})


@pytest.mark.filterwarnings("ignore:.*convex hull")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_weights_are_those_of_the_other_outcome(estimator: Any) -> None:
    design = design_of("other")
    held = jp.synth.HeldWeights(estimator, "y").fit(design)
    source = estimator.fit(plain(design_of("y")))
    assert held.weights is not None
    assert held.weights.to_numpy() == pytest.approx(source.weights.to_numpy())
    own = estimator.fit(plain(design))
    assert np.abs(held.weights.to_numpy() - own.weights.to_numpy()).max() > 1e-3
    donors = design.outcome[~design.treated]
    raw = design.outcome[design.treated] - held.weights.to_numpy().T @ donors
    gaps = held.details["gaps"].values
    assert np.ptp(gaps - raw, axis=1) == pytest.approx([0, 0], abs=1e-9)


@pytest.mark.filterwarnings("ignore:.*convex hull")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_holding_the_weights_of_the_outcome_itself_changes_nothing(estimator: Any) -> None:
    from dataclasses import replace

    design = plain(design_of("y"))
    twice = replace(design, covariates={"copy": design.outcome})
    held = jp.synth.HeldWeights(estimator, "copy").fit(twice)
    own = estimator.fit(design)
    assert held.att == pytest.approx(own.att)
    one, two = (e.with_inference(jp.inference.PlaceboUnits()) for e in (held, own))
    assert one.se == pytest.approx(two.se)
    assert one.pvalue == two.pvalue


def test_a_variable_that_is_not_there_is_named() -> None:
    with pytest.raises(jp.DesignError, match=r"covariates=\['gdp'\]"):
        jp.synth.HeldWeights(jp.synth.SyntheticDiD(), "gdp").fit(design_of("y"))
    factors = jp.synth.GeneralizedSyntheticControl(rank=0)
    with pytest.raises(jp.InferenceError, match="choose another estimator"):
        jp.synth.HeldWeights(factors, "other").fit(design_of("y"))
