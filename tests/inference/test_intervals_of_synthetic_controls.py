"""What every inference method owes every synthetic control: intervals, levels, groups, outcomes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy import inference as inf
from jjjpolicy import synth

pytestmark = pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")

DESIGNS = {
    "one": {0: 2014},
    "three": {0: 2014, 1: 2014, 2: 2014},
    "two dates": {0: 2013, 1: 2015, 2: 2015, 3: 2013},
}
ESTIMATORS = [
    synth.SyntheticControl(),
    synth.DemeanedSyntheticControl(),
    synth.SyntheticDiD(),
    synth.GeneralizedSyntheticControl(rank=1),
]
METHODS: list[Any] = [
    inf.PlaceboUnits(replications=60),
    inf.PlaceboUnits(replications=60, separate=True),
    inf.RandomizationInference(replications=12),
    inf.Conformal(),
    inf.Conformal("iid", replications=60, grid=15),
    inf.DebiasedTTest(),
    inf.PredictionIntervals(simulations=40),
    inf.Jackknife(),
    inf.Clustered(kind="CRV3"),
    inf.ClusterBootstrap(replications=25),
    inf.ParametricBootstrap(replications=25),
]
NEEDS = {
    inf.PredictionIntervals: lambda estimator, units: isinstance(
        estimator, synth.SyntheticControl | synth.HeldWeights
    ),
    inf.ParametricBootstrap: lambda estimator, units: isinstance(
        estimator, synth.GeneralizedSyntheticControl
    ),
    inf.Jackknife: lambda estimator, units: units > 1,
    inf.Clustered: lambda estimator, units: units > 1,
    inf.ClusterBootstrap: lambda estimator, units: units > 1,
}


def design_of(adoption: dict[int, int], **changes: Any) -> jp.Design:
    frame = simulated_panel(units=14, periods=17, adoption=adoption, effect=1.0, seed=2)
    frame["sales"] = 50 * frame["y"] + 5 * np.random.default_rng(0).normal(size=len(frame))
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def name_of(item: Any) -> str:
    return item if isinstance(item, str) else item.label


def check_intervals(estimate: jp.Estimate, method: Any) -> None:
    """Of the average, by event time and by cohort; wider at a higher level; around the estimate."""
    found = estimate.with_inference(method)
    assert found.inference is not None
    notes = " ".join(found.inference.notes)
    excused = "need not contain the estimate" in notes
    narrow, wide = found.interval(0.7), found.interval(0.9)
    assert wide[0] < narrow[0] <= narrow[1] < wide[1]
    assert narrow[0] <= found.att <= narrow[1] or excused
    after = found.effects.query("event_time >= 0")
    if after["lower"].isna().all():
        assert "no intervals by event time" in notes
    else:
        around(after, excused)
        if not isinstance(method, inf.RandomizationInference):  # a search for every level
            nested(found.effects_at(0.5).query("event_time >= 0"), after)
            nested(found.by_cohort_at(0.5), found.by_cohort)
    cohorts = found.by_cohort
    assert list(cohorts["adoption"]) == list(estimate.design.cohorts)
    around(cohorts, excused)


def nested(narrow: pd.DataFrame, wide: pd.DataFrame) -> None:
    # an empty interval, in which every constant effect is rejected, is nan
    assert not (wide["lower"] > narrow["lower"]).any()
    assert not (narrow["upper"] > wide["upper"]).any()
    assert (wide["upper"] - wide["lower"] > narrow["upper"] - narrow["lower"]).any()


def around(table: pd.DataFrame, excused: bool) -> None:
    assert (table["lower"] <= table["upper"]).all()
    inside = (table["lower"] <= table["estimate"]) & (table["estimate"] <= table["upper"])
    assert inside.all() or excused


@pytest.mark.parametrize("method", METHODS, ids=name_of)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
@pytest.mark.parametrize("kind", DESIGNS)
def test_average_event_times_and_cohorts_have_intervals(
    kind: str, estimator: Any, method: Any
) -> None:
    estimate = estimator.fit(design_of(DESIGNS[kind]))
    possible = NEEDS.get(type(method), lambda estimator, units: True)
    if possible(estimator, len(DESIGNS[kind])):
        check_intervals(estimate, method)
    else:
        with pytest.raises(jp.InferenceError, match=r"[Uu]se |cannot be formed|needs "):
            estimate.with_inference(method)


@pytest.mark.parametrize(
    "method",
    [m for m in METHODS if not isinstance(m, inf.RandomizationInference)],
    ids=name_of,
)
@pytest.mark.parametrize(
    "estimator",
    [
        synth.MultipleOutcomeSyntheticControl(["y", "sales"]),
        synth.HeldWeights(synth.SyntheticControl(), "y"),
    ],
    ids=name_of,
)
def test_several_outcomes_have_intervals_under_common_weights(estimator: Any, method: Any) -> None:
    design = design_of(DESIGNS["three"], covariates=["sales"])
    if isinstance(estimator, synth.HeldWeights):
        estimates = {"sales": estimator.fit(design.for_outcome("sales"))}
        own = estimator.estimator.fit(design)
    else:
        estimates = {name: estimator.fit(design.for_outcome(name)) for name in ("y", "sales")}
        own = estimates["y"]
    assert own.weights is not None
    for name, estimate in estimates.items():
        assert estimate.design.labels.outcome == name
        assert estimate.weights is not None
        assert estimate.weights.to_numpy() == pytest.approx(own.weights.to_numpy(), abs=1e-6)
        if isinstance(method, inf.PredictionIntervals | inf.ParametricBootstrap):
            with pytest.raises(jp.InferenceError, match="needs|use"):
                estimate.with_inference(method)
        else:
            check_intervals(estimate, method)


@pytest.mark.parametrize("kind", ["three", "two dates"])
@pytest.mark.parametrize("estimator", ESTIMATORS[:3], ids=name_of)
def test_every_treated_unit_has_weights_and_every_cohort_an_error(
    kind: str, estimator: Any
) -> None:
    estimate = estimator.fit(design_of(DESIGNS[kind]))
    assert estimate.weights is not None
    assert list(estimate.weights.columns) == list(DESIGNS[kind])
    assert estimate.weights.sum().to_numpy() == pytest.approx(1.0)
    for method in (inf.PlaceboUnits(replications=60), inf.Jackknife()):
        assert (estimate.with_inference(method).by_cohort["se"] > 0).all()


@pytest.mark.parametrize(
    ("estimator", "method"),
    [
        (synth.SyntheticControl(), inf.PlaceboUnits(replications=100)),
        (synth.SyntheticControl(), inf.PlaceboUnits(replications=100, separate=True)),
        (synth.SyntheticControl(), inf.RandomizationInference(replications=30)),
        (synth.SyntheticControl(), inf.PlaceboPeriods()),
        (synth.SyntheticControl(), inf.Conformal()),
        (synth.SyntheticControl(), inf.DebiasedTTest()),
        (synth.SyntheticControl(), inf.Jackknife()),
        (synth.SyntheticControl(), inf.Jackknife(fixed_weights=True)),
        (synth.SyntheticControl(), inf.Clustered(kind="CRV3")),
        (synth.SyntheticControl(), inf.ClusterBootstrap(replications=30)),
        (synth.GeneralizedSyntheticControl(rank=1), inf.ParametricBootstrap(replications=30)),
        (synth.GeneralizedSyntheticControl(rank=1), inf.ClusterBootstrap(replications=30)),
    ],
    ids=name_of,
)
def test_counties_that_are_copies_of_their_state_give_the_inference_of_the_states(
    estimator: Any, method: Any
) -> None:
    arguments = {"time": "period", "outcome": "y", "treatment": "treated"}
    states = simulated_panel(units=12, periods=17, adoption=DESIGNS["two dates"], seed=5)
    counties = pd.concat(
        [states.assign(county=10 * states["unit"] + k) for k in range(3)], ignore_index=True
    )
    one = estimator.fit(jp.Design.from_frame(states, unit="unit", **arguments))
    many = estimator.fit(
        jp.Design.from_frame(counties, unit="county", assigned_at="unit", **arguments)
    )
    assert many.att == pytest.approx(one.att, abs=1e-6)
    one, many = one.with_inference(method), many.with_inference(method)
    assert many.pvalue == pytest.approx(one.pvalue, abs=1e-5)
    if one.se is not None:
        assert many.se == pytest.approx(one.se, abs=1e-5)
    assert one.inference is not None
    if one.inference.bounds is not None:
        assert many.interval(0.8) == pytest.approx(one.interval(0.8), abs=1e-3)


def test_an_outcome_that_is_not_in_the_design_is_named() -> None:
    with pytest.raises(jp.DesignError, match="no variable 'wages'.*'sales'"):
        design_of({0: 2014}, covariates=["sales"]).for_outcome("wages")


@pytest.mark.parametrize("method", [inf.Conformal(), inf.ClusterBootstrap(replications=20)])
def test_predictors_travel_with_the_panel(method: Any) -> None:
    estimator = synth.SyntheticControl(
        [synth.Predictor("sales"), synth.Predictor("y", 2012)], synth.InverseVariance()
    )
    estimate = estimator.fit(design_of(DESIGNS["three"], predictors=["sales"]))
    check_intervals(estimate, method)


def test_predictors_of_named_periods_cannot_be_cross_fitted() -> None:
    estimator = synth.SyntheticControl([synth.Predictor("sales", 2003)], synth.InverseVariance())
    estimate = estimator.fit(design_of({0: 2014}, predictors=["sales"]))
    with pytest.raises(jp.InferenceError, match="no such period.*Use Conformal"):
        estimate.with_inference(inf.DebiasedTTest())
