"""Every estimator on random panels: an answer, a reason, or an error that teaches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from random_designs import (
    Panel,
    attempted,
    every_estimator,
    few,
    odd_panels,
    plain,
)

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.replication.provenance.specification import estimators

EVERY = every_estimator()
PLAIN = plain(estimators())


def unexplained(estimate: Estimate) -> list[str]:
    """Numbers that are missing without a reason in the notes, the ledger or the details."""
    found = []
    inference, design = estimate.inference, estimate.design
    notes = " ".join(inference.notes) if inference is not None else ""
    if not np.isfinite(estimate.att):
        found.append(f"att is {estimate.att}")
    effects = estimate.effects
    if not np.isfinite(effects["estimate"]).all():
        found.append("effects")
    if inference is not None and "No standard error" not in notes:
        if estimate.se is not None and not np.isfinite(estimate.se):
            found.append(f"se is {estimate.se}")
        free = effects[effects["estimate"] != 0]
        if not np.isfinite(free[["se", "lower", "upper"]]).all(axis=None):
            found.append("errors of effects")
        if "No p-value" not in notes and not np.isfinite(estimate.pvalue or 0.0):
            found.append(f"p-value is {estimate.pvalue}")
    gaps_have_reasons = (design.ledger["item"].isin(["cell", "effect"])).any()
    for name in ("calendar_effects", "unit_effects", "counterfactual", "weights"):
        table = getattr(estimate, name)
        if table is None or gaps_have_reasons:
            continue
        if table.select_dtypes("number").isna().any(axis=None):
            found.append(name)
    if estimate.influence is not None and not np.isfinite(estimate.influence).all():
        found.append("influence")
    return found


def fitted(name: str, panel: Panel) -> Estimate | jp.JJJPolicyError:
    """The fit of an estimator with all that it computes on first use, or its error."""

    def fit() -> Estimate:
        estimate = EVERY[name].fit(panel.design(name.partition("(")[0]))
        assert estimate.summary()
        assert len(estimate.to_frame()) == 1
        return estimate

    return attempted(fit)


@pytest.mark.parametrize("name", EVERY)
@few(6)
@given(panel=odd_panels)
@example(Panel(noise="constant"))
@example(Panel(units=12, periods=13, noise="constant", covariates=("moving",)))
@example(Panel(units=2, periods=2, covariates=("fixed",)))
@example(Panel(units=2, periods=4))
@example(Panel(units=5, periods=5, cohorts=(1, 1, 1, 1), missing=0.4, weighted=True, seed=26))
@example(Panel(units=9, periods=3, cohorts=(1, 1, 1, 1), never=False, covariates=("fixed",)))
@example(Panel(units=12, periods=8, cohorts=(3,), noise="none", scale=1e9, gaps=True))
def test_numbers_are_finite_or_explained_and_errors_say_what_is_wrong(
    name: str, panel: Panel
) -> None:
    estimate = fitted(name, panel)
    if isinstance(estimate, jp.JJJPolicyError):
        assert len(str(estimate)) > 30
    else:
        assert unexplained(estimate) == []


@pytest.mark.parametrize("name", PLAIN)
def test_some_sound_panel_is_estimated(name: str) -> None:
    panel = Panel(units=12, periods=14, cohorts=(3,), seed=1)
    estimate = fitted(name, panel)
    assert isinstance(estimate, Estimate), estimate
    assert estimate.att != 0


def test_a_covariate_without_variation_over_time_is_named_as_collinear() -> None:
    panel = Panel(units=10, cohorts=(2, 1), covariates=("fixed",))
    with pytest.warns(jp.JJJPolicyWarning, match="collinear.*: fixed"):
        estimate = jp.did.TwoWayFixedEffects().fit(panel.design())
    without = jp.did.TwoWayFixedEffects().fit(replace(panel, covariates=()).design())
    assert estimate.se == pytest.approx(without.se, rel=1e-12)


def test_a_coefficient_without_an_event_study_is_still_summarised() -> None:
    panel = Panel(units=6, periods=5, gaps=True)
    estimate = jp.did.TwoWayFixedEffects().fit(panel.design())
    before = estimate.effects["event_time"].max()
    assert before >= 0
    assert estimate.details["regression"].names == ("treatment",)
    assert "By event time" in estimate.summary()


def test_missing_numbers_come_with_their_reason() -> None:
    constant = jp.did.TwoWayFixedEffects().fit(Panel(noise="constant").design())
    assert np.isnan(constant.pvalue)
    assert "outcome does not vary" in " ".join(constant.summary().split())
