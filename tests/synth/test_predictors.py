"""Predictors and their weights: published weights, global optimum, strategies, errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.replication.comparison.instruction_sets import environment
from jjjpolicy.synth import (
    CrossValidated,
    GivenWeights,
    InverseVariance,
    NestedSearch,
    Predictor,
    RegressionBased,
    SyntheticControl,
)
from jjjpolicy.synth.weights.nested_search import _descend, _loss_and_gradient

SECTORS = ["agriculture", "energy", "industry", "construction", "services.venta"]
SCHOOLS = ["school.illit", "school.prim", "school.med", "school.higher"]
BASQUE = (
    *(Predictor(name, (1964, 1969)) for name in [*SCHOOLS, "invest"]),
    Predictor("gdpcap", (1960, 1969)),
    *(Predictor(f"sec.{name}", (1961, 1969)) for name in [*SECTORS, "services.nonventa"]),
    Predictor("popdens", 1969),
)


@pytest.fixture
def basque(basque_data: Any) -> jp.Design:
    frame = basque_data
    frame["school.higher"] = frame["school.high"] + frame["school.post.high"]
    frame["treated"] = (frame.regionname.str.startswith("Basque") & (frame.year >= 1970)).astype(
        int
    )
    return jp.Design.from_frame(
        frame.astype({"year": int}),
        unit="regionname",
        time="year",
        outcome="gdpcap",
        treatment="treated",
        predictors=[p.variable for p in BASQUE if p.variable != "gdpcap"],
        exclude=["Spain (Espana)"],
    )


def test_basque_with_the_published_predictor_weights(answers: Any, basque: jp.Design) -> None:
    expected = answers["basque"]
    given = GivenWeights(tuple(expected["V_from_R"].values()))
    estimate = SyntheticControl(BASQUE, given).fit(basque)
    assert estimate.weights is not None
    weights = estimate.weights["Basque Country (Pais Vasco)"]
    for region, weight in expected["weights"].items():
        assert weights[region] == pytest.approx(weight, abs=2e-6)
    gaps = estimate.effects.set_index("event_time")["estimate"]
    for year, gap in expected["gaps"].items():
        assert gaps[int(year) - 1970] == pytest.approx(gap, abs=5e-6)
    assert (estimate.details["relative_gap"] < 1e-10).all()


def test_basque_search_reaches_the_global_minimum_and_says_so(
    answers: Any, basque: jp.Design
) -> None:
    estimate = SyntheticControl(BASQUE, NestedSearch((1960, 1969))).fit(basque)
    search = estimate.details["search"]["Basque Country (Pais Vasco)"]
    assert search.loss <= answers["basque"]["loss_v"]
    # equal to what the best donor weights reach without predictors: nothing can be lower
    assert search.loss == pytest.approx(search.lower_bound, rel=1e-7)
    gap = estimate.effects.set_index("event_time")["estimate"].loc[-10:-1]
    assert (gap**2).mean() == pytest.approx(search.loss, rel=1e-6)
    assert not search.unique
    # where R's Synth stops is shown as a local minimum, with its donor weights
    local = search.starts.set_index("start").loc["equal weights"]
    assert local["loss"] == pytest.approx(answers["basque"]["loss_v"], rel=1e-5)
    assert local["distance"] > 0.8
    for region, weight in answers["basque"]["weights"].items():
        assert search.donors.loc["equal weights", region] == pytest.approx(weight, abs=2e-3)
    found = estimate.weights["Basque Country (Pais Vasco)"]  # type: ignore[index]
    assert search.donors.iloc[0].to_dict() == pytest.approx(
        found[found > 1e-6].to_dict() | {"Cataluna": 0.0}, abs=1e-6
    )
    table = estimate.details["predictors"]
    assert (table["smallest"] <= table["weight"] + 1e-9).all()
    assert (table["weight"] <= table["largest"] + 1e-9).all()
    again = SyntheticControl(BASQUE, NestedSearch((1960, 1969))).fit(basque)
    assert again.att == estimate.att
    text = estimate.summary()
    assert "search for V   loss 0.0041, none can be below 0.0041" in text
    assert (
        "local minimum with loss 0.0089 has 85% of the weight on other donors: Cataluna 0.85"
        in (" ".join(text.split()))
    )


def test_balance_is_of_the_predictors_that_are_matched(basque: jp.Design) -> None:
    estimate = SyntheticControl(BASQUE, InverseVariance()).fit(basque)
    table = jp.sensitivity.balance(estimate)
    expected = estimate.details["predictors"]
    rows = table.iloc[: len(BASQUE)]
    assert list(rows["predictor"]) == list(expected["predictor"])
    for ours, theirs in {
        "treated": "treated",
        "synthetic": "synthetic",
        "donors": "donor_average",
    }.items():
        assert rows[ours].to_numpy() == pytest.approx(expected[theirs].to_numpy())
    assert table["predictor"].iloc[len(BASQUE)] == "gdpcap 1955"


def test_germany_with_the_published_two_steps(answers: Any, germany_data: Any) -> None:
    frame = germany_data
    frame["first"] = np.where(frame.country == "West Germany", 1991, 0)
    design = jp.Design.from_frame(
        frame,
        unit="country",
        time="year",
        outcome="gdp",
        adoption="first",
        predictors=["trade", "infrate", "industry", "schooling", "invest70", "invest80"],
    )

    def predictors(decade: tuple[int, int], schooling: tuple[int, int], invest: str) -> Any:
        return (
            *(Predictor(name, decade) for name in ("gdp", "trade", "infrate", "industry")),
            Predictor("schooling", schooling),
            Predictor(invest, 1980),
        )

    validated = CrossValidated(predictors((1971, 1980), (1970, 1975), "invest70"), (1981, 1990))
    estimate = SyntheticControl(predictors((1981, 1990), (1980, 1985), "invest80"), validated).fit(
        design
    )
    assert estimate.weights is not None
    weights = estimate.weights["West Germany"].round(2)
    assert weights[weights > 0].to_dict() == answers["germany"]["published_weights"]
    search = estimate.details["search"]["West Germany"]
    assert search.loss < 4615.6  # of the published predictor weights in the validation decade
    assert search.loss > search.lower_bound
    assert search.starts["distance"].max() > 0.3


@pytest.fixture
def matched() -> jp.Design:
    """Simulated; two predictors with a missing period each and one that never varies."""
    frame = simulated_panel(units=9, periods=10, adoption={0: 2008}, seed=4)
    rng = np.random.default_rng(1)
    level = frame.groupby("unit")["y"].transform("mean")
    frame["a"] = level + 0.1 * rng.normal(size=len(frame))
    frame["b"] = rng.normal(size=len(frame))
    frame["flat"] = 1.0
    frame.loc[frame.period == 2003, ["a", "b"]] = np.nan
    return jp.Design.from_frame(
        frame,
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
        predictors=["a", "b", "flat"],
    )


SPEC = (Predictor("a", (2001, 2005)), Predictor("b"), Predictor("y", 2007), Predictor("y"))


@pytest.mark.parametrize(
    "weights",
    [
        NestedSearch(),
        InverseVariance(),
        RegressionBased(),
        GivenWeights((1.0, 2.0, 3.0, 4.0)),
        CrossValidated(
            (
                Predictor("a", 2001),
                Predictor("b", 2001),
                Predictor("y", 2001),
                Predictor("y", 2002),
            ),
            (2003, 2007),
        ),
    ],
)
def test_donor_weights_are_optimal_for_the_predictor_weights(
    matched: jp.Design, weights: Any
) -> None:
    estimate = SyntheticControl(SPEC, weights).fit(matched)
    table = estimate.details["predictors"]
    assert table["weight"].sum() == pytest.approx(1.0)
    assert estimate.weights is not None
    donors = estimate.weights[0]
    assert donors.sum() == pytest.approx(1.0)
    assert (donors >= 0).all()
    frame = np.stack([p.values(matched, 0, np.ones(9, dtype=bool)) for p in SPEC])
    scaled = frame / frame.std(axis=1, ddof=1, keepdims=True)
    gradient = (scaled[:, 1:] - scaled[:, :1]).T @ (
        table["weight"].to_numpy() * (scaled[:, 1:] @ donors.to_numpy() - scaled[:, 0])
    )
    used = donors.to_numpy() > 1e-6
    assert gradient[used] == pytest.approx(np.full(used.sum(), gradient.min()), abs=1e-7)
    refit = estimate.estimator.refit(matched)
    assert refit.att[0] == pytest.approx(estimate.att)


def test_the_search_is_no_worse_than_any_other_way(matched: jp.Design) -> None:
    losses = {
        name: SyntheticControl(SPEC, way).fit(matched).details["search"][0].loss
        for name, way in {
            "nested": NestedSearch(),
            "equal": InverseVariance(),
            "regression": RegressionBased(),
        }.items()
    }
    assert losses["nested"] <= min(losses.values()) * (1 + 1e-9)


def test_the_gradient_of_the_search_is_the_derivative_of_its_loss() -> None:
    rng = np.random.default_rng(2)
    differences, fitted, x = rng.normal(size=(5, 8)), rng.normal(size=(6, 8)), rng.normal(size=5)
    _, gradient = _loss_and_gradient(x, differences, fitted, 1.0)
    step = 1e-6
    numeric = [
        (
            _loss_and_gradient(x + step * e, differences, fitted, 1.0)[0]
            - _loss_and_gradient(x - step * e, differences, fitted, 1.0)[0]
        )
        / (2 * step)
        for e in np.eye(5)
    ]
    assert gradient == pytest.approx(numeric, abs=1e-6)


def test_without_a_certificate_the_search_beats_a_thousand_random_weights() -> None:
    rng = np.random.default_rng(3)
    differences, fitted = rng.normal(size=(4, 9)), rng.normal(size=(7, 9))
    found = _descend(differences, fitted, {}, 0.0, pd.RangeIndex(9))
    random = [
        _loss_and_gradient(x, differences, fitted, 1.0)[0]
        for x in rng.normal(scale=3.0, size=(1000, 4))
    ]
    assert found.loss <= min(random) * (1 + 1e-9)
    assert all(a <= b for a, b in pairwise(found.starts["loss"]))


SEARCHES = """
import json
import numpy as np
import pandas as pd
from jjjpolicy.synth.weights.nested_search import search

found = []
for seed in range(8):
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(size=(20, 3))
    loadings[0] = loadings[1:5].mean(axis=0) + 0.1 * rng.normal(size=3)
    paths = loadings @ rng.normal(size=(3, 15)).cumsum(axis=1) + 0.3 * rng.normal(size=(20, 15))
    traits = loadings @ rng.normal(size=(3, 7)) + 0.3 * rng.normal(size=(20, 7))
    differences, fitted = ((own[1:] - own[0]).T for own in (traits, paths))
    found.append(search(differences, fitted, {}, pd.RangeIndex(19)).best.tolist())
print(json.dumps(found))
"""


def test_the_search_ends_where_it_ends_on_another_processor() -> None:
    found = []
    for name in ("baseline", "haswell"):
        try:
            variables = environment(name)
        except jp.DataError as reason:
            pytest.skip(str(reason))
        command = [sys.executable, "-c", SEARCHES]
        done = subprocess.run(
            command, env=os.environ | variables, capture_output=True, text=True, check=True
        )
        found.append(json.loads(done.stdout))
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-6)


def test_errors_name_predictor_unit_and_period(matched: jp.Design) -> None:
    def fit(*predictors: Predictor, weights: Any = None) -> None:
        SyntheticControl(predictors, weights or InverseVariance()).fit(matched)

    with pytest.raises(jp.DesignError, match="'a' has no value from 2003 to 2003 for unit 0, 1"):
        fit(Predictor("a", 2003))
    with pytest.raises(jp.DesignError, match="'y 2006-2009' uses 2008, when 0 is already treated"):
        fit(Predictor("y", (2006, 2009)))
    with pytest.raises(jp.DesignError, match="'c' is not in the design"):
        fit(Predictor("c"))
    with pytest.raises(jp.DesignError, match="no such period; it runs from 2001 to 2010"):
        fit(Predictor("a", 1990))
    with pytest.raises(jp.DesignError, match="'flat' is the same for all units"):
        fit(Predictor("flat"))
    with pytest.raises(jp.DesignError, match="needs 1 non-negative weights"):
        fit(Predictor("a"), weights=GivenWeights((1.0, 2.0)))
    with pytest.raises(jp.DesignError, match="GivenWeights names"):
        fit(Predictor("a"), weights=GivenWeights({"b": 1.0}))
    with pytest.raises(jp.DesignError, match="2 training predictors for 1"):
        fit(Predictor("a"), weights=CrossValidated((Predictor("a"), Predictor("b")), (2001, 2004)))


def test_units_averaged_over_different_periods_give_a_warning(matched: jp.Design) -> None:
    from dataclasses import replace

    values = matched.predictors["a"].copy()
    values[4, 0] = np.nan
    holed = replace(matched, predictors={**matched.predictors, "a": values})
    with pytest.warns(jp.errors.JJJPolicyWarning, match="averaged over other periods for 4"):
        SyntheticControl([Predictor("a", (2001, 2005))], InverseVariance()).fit(holed)


def test_infinite_predictor_values_are_refused() -> None:
    frame = simulated_panel().assign(a=1.0)
    frame.loc[3, "a"] = np.inf
    with pytest.raises(jp.DesignError, match="'a' is infinite"):
        jp.Design.from_frame(
            frame, unit="unit", time="period", outcome="y", treatment="treated", predictors=["a"]
        )


def test_placebo_inference_with_predictors(matched: jp.Design) -> None:
    estimate = SyntheticControl(SPEC, InverseVariance()).fit(matched)
    placebo = estimate.with_inference(jp.inference.PlaceboUnits())
    assert placebo.pvalue is not None
    assert placebo.pvalue >= 1 / 9
    assert isinstance(placebo.effects, pd.DataFrame)
