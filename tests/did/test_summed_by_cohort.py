"""Large panels are imputed from sums over the units of each cohort: the same numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.did.cohorts import summed

ESTIMATORS = [
    jp.did.Imputation(),
    jp.did.Imputation(averaging="cohort", leave_out=True),
    jp.did.Imputation(averaging="event time"),
    jp.did.Imputation(averaging="all"),
    jp.did.Imputation(pretrends=2),
    jp.did.TwoStage(),
    jp.did.TwoStage(leads=True),
]
ADOPTION = {unit: (2003, 2005, 2006)[unit % 3] for unit in range(12)}


@pytest.fixture
def design() -> jp.Design:
    """Simulated and balanced, with levels of units far above what they change."""
    frame = simulated_panel(units=30, periods=7, adoption=ADOPTION, effect=1.0, seed=5)
    frame["y"] += 1e3 * (frame["unit"].rank(method="dense") % 5)
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_estimates_are_those_from_units(
    estimator: jp.did.Imputation, design: jp.Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_unit = estimator.fit(design)
    monkeypatch.setattr(summed, "FEW", 0)
    from_sums = estimator.fit(design)
    assert from_sums.att == pytest.approx(by_unit.att, abs=1e-11)
    assert from_sums.se == pytest.approx(by_unit.se, rel=1e-10)
    pd.testing.assert_frame_equal(from_sums.effects, by_unit.effects, rtol=1e-9, atol=1e-11)
    pd.testing.assert_frame_equal(
        from_sums.details["group_time"], by_unit.details["group_time"], rtol=1e-9, atol=1e-11
    )
    np.testing.assert_array_equal(from_sums.influence, by_unit.influence)
    pd.testing.assert_frame_equal(from_sums.unit_effects, by_unit.unit_effects)
    pd.testing.assert_frame_equal(from_sums.counterfactual, by_unit.counterfactual)


def test_units_one_by_one_are_computed_when_asked_for(
    design: jp.Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summed, "FEW", 0)
    estimate = jp.did.Imputation().fit(design)
    other = estimate.with_result(None)
    for each in (estimate, other):
        assert callable(vars(each)["influence"])
        assert callable(vars(each)["unit_effects"])
    assert other.influence is estimate.influence
    assert len(other.unit_effects) == len(ADOPTION)


@pytest.mark.parametrize(
    "options",
    [{"covariates": ["x"]}, {"weights": "x"}, {"assigned_at": "group"}],
    ids=["covariates", "weights", "coarser assignment"],
)
def test_units_that_differ_in_more_than_their_outcomes_are_not_summed(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summed, "FEW", 0)
    frame = simulated_panel(units=30, periods=7, adoption=ADOPTION, effect=1.0, seed=5)
    frame["x"] = 1.0 + frame["unit"].rank(method="dense") % 4
    frame["group"] = frame["first"].fillna(0)
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", adoption="first", **options
    )
    assert summed.summed_by_cohort(design) is None


@pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")
def test_cells_without_an_estimate_are_counted_in_units(monkeypatch: pytest.MonkeyPatch) -> None:
    everyone = {unit: (2003, 2005, 2006)[unit % 3] for unit in range(30)}
    frame = simulated_panel(units=30, periods=7, adoption=everyone, effect=1.0, seed=5)
    design = jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")
    by_unit = jp.did.Imputation().fit(design).details["not_estimable"]
    monkeypatch.setattr(summed, "FEW", 0)
    from_sums = jp.did.Imputation().fit(design).details["not_estimable"]
    assert by_unit["units"].tolist() == [10] * len(by_unit)
    pd.testing.assert_frame_equal(from_sums, by_unit)
