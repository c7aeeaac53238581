"""Columns that are given and not used are told: in a warning, in summaries and in tables."""

from __future__ import annotations

import warnings

import pytest
from panels import simulated_panel

import jjjpolicy as jp


def build() -> jp.Design:
    frame = simulated_panel(units=9, periods=8, adoption={0: 2006})
    frame = frame.assign(v=frame["y"] ** 2, u=frame["unit"] * 1.0)
    return jp.Design.from_frame(
        frame,
        unit="unit",
        time="period",
        outcome="y",
        adoption="first",
        covariates=["v"],
        predictors=["u"],
    )


@pytest.mark.parametrize(
    "estimator",
    [
        jp.synth.SyntheticControl(),
        jp.synth.DemeanedSyntheticControl(),
        jp.synth.MatrixCompletion(penalty=0.1),
        jp.synth.PartiallyPooledSyntheticControl(pooling=0.5),
    ],
    ids=lambda each: each.label,
)
def test_estimators_name_what_they_ignore(estimator: jp.synth.SyntheticControl) -> None:
    with (
        pytest.warns(jp.JJJPolicyWarning, match="does not use the covariates 'v'"),
        pytest.warns(jp.JJJPolicyWarning, match="does not use the predictors 'u'"),
    ):
        estimate = estimator.fit(build())
    assert "Given and not used: v, u." in jp.compare({"a": estimate}).to_markdown()


def test_what_is_used_is_not_named() -> None:
    matched = [jp.synth.Predictor("u"), jp.synth.Predictor("v")]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*does not use")
        estimate = jp.synth.SyntheticControl(predictors=matched).fit(build())
    assert "not used" not in jp.compare({"a": estimate}).to_markdown()


def test_training_predictors_are_used_where_predictors_are_matched() -> None:
    weights = jp.synth.CrossValidated((jp.synth.Predictor("v"),), (2003, 2005))
    control = jp.synth.SyntheticControl([jp.synth.Predictor("u")], weights)
    design = build()
    assert control.unused_covariates(design) == control.unused_predictors(design) == []
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*does not use")
        control.fit(design)
    on_outcomes = jp.synth.SyntheticControl(predictor_weights=weights)
    assert on_outcomes.unused_covariates(design) == ["v"]
