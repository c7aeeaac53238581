"""What must not change an estimate: order, names, codes of never, constants, units of measure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_designs import Panel, attempted, every_estimator, few

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimate

EVERY = every_estimator()

settled_panels = st.builds(
    Panel,
    units=st.integers(7, 8),
    periods=st.integers(15, 18),
    cohorts=st.sampled_from([(1,), (1, 1), (2,)]),
    covariates=st.sampled_from([(), ("moving",)]),
    gaps=st.booleans(),
    seed=st.integers(0, 999),
)
"""More periods before treatment than donors, so that weights are unique."""


def fit(name: str, panel: Panel, frame: pd.DataFrame) -> Estimate | jp.JJJPolicyError:
    """The estimate of a table that was derived from that of a panel."""
    base = name.partition("(")[0]
    arguments = panel.arguments(base)
    return attempted(lambda: EVERY[name].fit(jp.Design.from_frame(frame, **arguments)))


def assert_same(
    one: Estimate | jp.JJJPolicyError,
    other: Estimate | jp.JJJPolicyError,
    tolerance: float,
    factor: float = 1.0,
) -> None:
    """Equal estimates, errors and effects up to a share of the size of the numbers."""
    if isinstance(one, jp.JJJPolicyError) or isinstance(other, jp.JJJPolicyError):
        assert type(one) is type(other), (one, other)
        return
    spread = float(np.nanstd(one.design.outcome)) * factor
    assert other.att == pytest.approx(one.att * factor, rel=tolerance, abs=tolerance * spread)
    if one.se is not None:
        assert other.se == pytest.approx(one.se * factor, rel=tolerance, abs=tolerance * spread)
    left, right = one.effects, other.effects
    assert left["event_time"].tolist() == right["event_time"].tolist()
    assert right["estimate"].to_numpy() == pytest.approx(
        left["estimate"].to_numpy() * factor, rel=tolerance, abs=tolerance * spread
    )


# Estimators and options for which an invariance does not hold by definition.
MEASURED = {"penalty=": "in the unit of the outcome"}
NAMES_MATTER = {
    "MatrixCompletion": "folds are drawn by position",
    "SyntheticControl(predictors": "one predictor does not settle the weights",
}
PERIODS_MATTER = {
    "ElasticNetSyntheticControl": "weights do not sum to one",
    "PanelDataApproach": "weights do not sum to one",
    "MultipleOutcomeSyntheticControl": "outcomes are divided by their spread",
    "Stacked": "common shocks raise the errors",
    "SyntheticDiD": "the spread of changes sets the penalty",
}
UNITS_MATTER = {
    "AugmentedSyntheticControl": "levels are matched",
    "ExtendedTWFE(unit_effects=False)": "effects of cohorts",
    "MultipleOutcomeSyntheticControl(demeaned=False)": "levels are matched",
    "PartiallyPooledSyntheticControl(intercept=False)": "levels are matched",
    "PenalizedSyntheticControl": "levels are matched",
    "Stacked": "no effects of units",
    "SyntheticControl": "levels are matched",
}


def holds(name: str, exceptions: dict[str, str]) -> bool:
    """Whether the name of an estimator does not begin like one of the exceptions."""
    return not name.startswith(tuple(exceptions))


@pytest.mark.parametrize("name", EVERY)
@few(2)
@given(panel=settled_panels, missing=st.sampled_from([0.0, 0.1]))
def test_order_of_rows_codes_of_never_and_names_do_not_matter(
    name: str, panel: Panel, missing: float
) -> None:
    panel = replace(panel, missing=missing)
    frame = panel.frame()
    one = fit(name, panel, frame)
    shuffled = frame.sample(frac=1, random_state=panel.seed)
    recoded = shuffled.replace({"first": {np.inf: 0.0 if panel.seed % 2 else np.nan}})
    assert_same(one, fit(name, panel, recoded), 1e-10)
    named = replace(panel, labels="date" if panel.seed % 2 else "str").frame()
    assert_same(one, fit(name, panel, named), 1e-10)
    if holds(name, NAMES_MATTER):
        assert_same(one, fit(name, panel, frame.assign(unit=-frame["unit"])), 1e-7)


@pytest.mark.parametrize("name", EVERY)
@few(2)
@given(panel=settled_panels, factor=st.sampled_from([1e-6, 1e-3, 1e6]))
def test_units_of_measure_and_constants_do_not_matter(
    name: str, panel: Panel, factor: float
) -> None:
    frame = panel.frame()
    one = fit(name, panel, frame)
    if not any(option in name for option in MEASURED):
        assert_same(one, fit(name, panel, frame.assign(y=frame["y"] * factor)), 1e-6, factor)
    if holds(name, PERIODS_MATTER):
        moved = frame.assign(y=frame["y"] + 3 * np.sin(7.0 * frame["period"]))
        assert_same(one, fit(name, panel, moved), 1e-6)
    if holds(name, UNITS_MATTER):
        moved = frame.assign(y=frame["y"] + 3 * np.sin(7.0 * frame["unit"]))
        assert_same(one, fit(name, panel, moved), 1e-6)
