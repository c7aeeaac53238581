"""Options of the wrong shape are understood, or refused in one line that names them."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from random_designs import attempted, made

import jjjpolicy as jp
from jjjpolicy.estimation.options import Options, read_options
from jjjpolicy.replication.provenance.specification import estimators, inferences

METHODS: dict[str, type[Any]] = estimators() | inferences()
OPTIONS = [(name, item.name) for name, cls in METHODS.items() for item in fields(cls)]
SHAPES = [
    None,
    "a",
    "3",
    "",
    b"a",
    3,
    3.0,
    2.5,
    -1,
    True,
    np.int64(3),
    np.float64(0.5),
    np.bool_(True),
    float("nan"),
    ["a"],
    ["a", "b"],
    [1, 2],
    (1.0, 2.0),
    [],
    {"a": 1},
    {"a", "b"},
    np.array([1.0, 2.0]),
    np.array(["a", "b"]),
    pd.Series({"a": 1.0}),
    pd.DataFrame({"a": [1.0]}),
    range(2),
    object(),
    dict,
    jp.synth.Lasso,
    lambda rng: rng,
]


def compared(method: object) -> bool:
    """Whether methods of a class are equal where their options are."""
    return type(method).__eq__ is not object.__eq__


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_shape_is_understood_or_refused_by_the_name_of_the_option(
    name: str, option: str
) -> None:
    for value in SHAPES:
        method = attempted(lambda value=value: made(name, METHODS[name], **{option: value}))
        if isinstance(method, jp.JJJPolicyError):
            assert option in str(method)
            assert "\n" not in str(method)
            continue
        before = dict(vars(method))
        read_options(method)
        assert all(before[key] is each for key, each in vars(method).items())
        if compared(method):
            assert hash(method) == hash(replace(method))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (lambda: jp.synth.MultipleOutcomeSyntheticControl("gdp"), {"outcomes": ("gdp",)}),
        (lambda: jp.synth.MultipleOutcomeSyntheticControl(["a", "b"]), {"outcomes": ("a", "b")}),
        (lambda: jp.did.SpilloverRings(rings=100), {"rings": (100.0,)}),
        (lambda: jp.did.SpilloverRings(rings=np.array([50, 100])), {"rings": (50.0, 100.0)}),
        (lambda: jp.did.EventStudy(bins=[-3, 4]), {"bins": (-3, 4)}),
        (lambda: jp.did.ContinuousTreatment("x", grid=[1, 2.5]), {"grid": (1, 2.5)}),
        (lambda: jp.synth.ElasticNetSyntheticControl(mixing=0.5), {"mixing": (0.5,)}),
        (
            lambda: jp.synth.SyntheticControl(predictors=jp.synth.Predictor("gdp")),
            {"predictors": (jp.synth.Predictor("gdp"),)},
        ),
        (lambda: jp.synth.Predictor("gdp", [2001, 2004]), {"periods": (2001, 2004)}),
        (lambda: jp.synth.GivenWeights(pd.Series({"gdp": 1.0})), {"weights": {"gdp": 1.0}}),
        (lambda: jp.inference.Clustered(["city", "year"]), {"level": ("city", "year")}),
        (lambda: jp.inference.PlaceboUnits(replications=1e3), {"replications": 1000}),
        (lambda: jp.inference.WildClusterBootstrap(variant=31), {"variant": "31"}),
    ],
)
def test_shapes_that_say_what_is_meant_are_the_right_shape(given: Any, meant: Any) -> None:
    method = given()
    assert {option: getattr(method, option) for option in meant} == meant
    assert all(type(getattr(method, option)) is type(value) for option, value in meant.items())


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            lambda: jp.inference.PlaceboUnits(replications="999"),
            jp.InferenceError,
            "PlaceboUnits: replications='999' must be a whole number, or None; "
            "write replications=999.",
        ),
        (
            lambda: jp.inference.ClusterBootstrap(level=["province"]),
            jp.InferenceError,
            "ClusterBootstrap: level=['province'] must be one name, or None; "
            "write level='province'.",
        ),
        (
            lambda: jp.synth.MultipleOutcomeSyntheticControl({"a": 1}),
            jp.DesignError,
            "MultipleOutcomeSyntheticControl: outcomes={'a': 1} must be a list, each one name; "
            "write outcomes=('a',).",
        ),
        (
            lambda: jp.synth.PanelDataApproach(selection=jp.synth.Lasso),
            jp.DesignError,
            "PanelDataApproach: selection=Lasso must be BestSubset(…) or Lasso(…); "
            "write selection=Lasso().",
        ),
        (
            lambda: jp.synth.SyntheticControl(predictors="gdp"),
            jp.DesignError,
            "SyntheticControl: predictors='gdp' must be a list, each Predictor(…).",
        ),
        (
            lambda: jp.did.CallawaySantAnna(control="nevr"),
            jp.DesignError,
            "CallawaySantAnna: control='nevr' must be 'never' or 'not_yet'.",
        ),
        (
            lambda: jp.did.EventStudy(unit_trends="yes"),
            jp.DesignError,
            "EventStudy: unit_trends='yes' must be True or False.",
        ),
        (
            lambda: jp.inference.PlaceboUnits(replication=9),
            jp.InferenceError,
            "unknown option of PlaceboUnits 'replication'. Did you mean 'replications'? Choices: "
            "replications, seed, alternative, pre_fit_cutoff, separate, jobs.",
        ),
        (
            lambda: jp.did.TwoWayFixedEffects(cluster="a"),
            jp.DesignError,
            "unknown option of TwoWayFixedEffects 'cluster'. Choices: (it has none).",
        ),
    ],
)
def test_what_is_refused_says_what_to_write(
    given: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        given()
    assert str(raised.value) == message


def test_an_option_keeps_its_value_where_that_is_right() -> None:
    assert jp.did.SpilloverRings(rings=(50.0, 100.0)).rings == (50.0, 100.0)
    assert type(jp.synth.MatrixCompletion(penalty=1).penalty) is int
    assert jp.inference.Conley(cutoff_km=np.float64(80)).specification()["cutoff_km"] == 80.0


def test_methods_travel_to_worker_processes() -> None:
    for name, cls in METHODS.items():
        method = made(name, cls)
        again = pickle.loads(pickle.dumps(method))
        assert repr(again) == repr(method)
        assert again == method or not compared(method)


def test_parameters_of_methods_are_options_too() -> None:
    parameters = (jp.synth.Predictor, jp.synth.NestedSearch, jp.synth.Lasso, jp.synth.BestSubset)
    assert all(issubclass(cls, Options) for cls in parameters)
    with pytest.raises(jp.DesignError, match="Lasso: penalty='a' must be a number, or None"):
        jp.synth.Lasso(penalty="a")  # type: ignore[arg-type]
