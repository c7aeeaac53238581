"""Errors clustered above the unit where a cohort lies inside one cluster."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp

# Cohort 2004 lies in region 0 and cohort 2005 in regions 1 and 2; the others never adopt.
FIRST = {**dict.fromkeys((0, 1, 2), 2004), **dict.fromkeys((3, 4, 5, 6), 2005)}
REGION = np.array([0, 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 3, 3, 4])


def regional_frame() -> pd.DataFrame:
    frame = simulated_panel(units=16, periods=7, adoption=FIRST, effect=0.5, seed=4)
    frame["region"] = REGION[frame["unit"]]
    rng = np.random.default_rng(9)
    shocks = rng.normal(size=(5, 7))
    frame["y"] += shocks[frame["region"], frame["period"] - 2001]
    return frame


def build(**changes: object) -> jp.Design:
    return jp.Design.from_frame(
        regional_frame(),
        unit="unit",
        time="period",
        outcome="y",
        adoption="first",
        clusters=["region"],
    )


def did_m_scores() -> np.ndarray:
    """Region sums of the scores of DID_M by the authors' rule, written out.

    N switchers in all; those of a cohort count 1/N each, controls of the period -n/N over their
    number. Deviations are from the mean of the cohort times sqrt(G / (G - 1)), G its regions; the
    cohort in one region stands against the mean of switchers and controls of its period.
    """
    frame = regional_frame()
    y = frame.pivot_table("y", "unit", "period")
    scores = np.zeros(16)
    for cohort, switchers in ((2004, [0, 1, 2]), (2005, [3, 4, 5, 6])):
        change = (y[cohort] - y[cohort - 1]).to_numpy()
        controls = list(range(7, 16))
        if cohort == 2004:
            controls += [3, 4, 5, 6]
        together = change[switchers + controls].mean()
        regions = len(set(REGION[switchers]))
        for group, weight in (
            (switchers, 1 / 7),
            (controls, -len(switchers) / 7 / len(controls)),
        ):
            number = len(set(REGION[group]))
            centre = change[group].mean()
            if number == 1:
                number, centre = len(set(REGION[switchers + controls])), together
            factor = np.sqrt(number / (number - 1))
            scores[group] += weight * factor * (change[group] - centre)
        assert regions == (1 if cohort == 2004 else 2)
    return np.bincount(REGION, scores)


def test_did_m_counts_and_centres_cohorts_in_clusters() -> None:
    estimate = jp.did.ChaisemartinDHaultfoeuille().fit(build())
    expected = np.sqrt((did_m_scores() ** 2).sum() * 5 / 4)
    found = estimate.with_inference(jp.inference.Clustered("region"))
    assert found.se == pytest.approx(expected, rel=1e-10)
    assert any("2004: a single region" in note for note in found.inference.notes)
    bands = estimate.with_inference(jp.inference.MultiplierBootstrap(level="region"))
    assert bands.se == pytest.approx(np.sqrt((did_m_scores() ** 2).sum()), rel=1e-10)


def test_units_as_clusters_leave_the_error_of_the_program_alone() -> None:
    estimate = jp.did.ChaisemartinDHaultfoeuille().fit(build())
    found = estimate.with_inference(jp.inference.InfluenceFunction())
    assert found.se == pytest.approx(estimate.se, rel=1e-12)


def test_two_levels_each_centre_cohorts_in_their_own_clusters() -> None:
    estimate = jp.did.ChaisemartinDHaultfoeuille().fit(build())
    found = estimate.with_inference(jp.inference.Clustered(("region", "unit")))
    expected = np.sqrt((did_m_scores() ** 2).sum() * 5 / 4)
    assert found.se == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("averaging", ["cohort and event time", "event time"])
def test_imputed_effects_stand_against_averages_over_clusters(averaging: str) -> None:
    """Borusyak, Jaravel and Spiess, equation 8, with the regions as clusters."""
    frame = regional_frame()
    dummies = pd.get_dummies(frame[["unit", "period"]].astype(str)).to_numpy(dtype=float)
    treated = frame["treated"].to_numpy() == 1
    y, z0 = frame["y"].to_numpy(), dummies[~treated]
    inverse = np.linalg.pinv(z0.T @ z0)
    effects = y - dummies @ inverse @ z0.T @ y[~treated]
    v = treated / treated.sum()
    v[~treated] = -z0 @ inverse @ dummies[treated].T @ v[treated]
    residuals, alone = effects.copy(), 0
    time = (frame["period"] - frame["first"]).astype(str)
    labels = time if averaging == "event time" else frame["first"].astype(str) + time
    for label in labels[treated].unique():
        cells = treated & (labels == label).to_numpy()
        by_region = frame.loc[cells, "region"].to_numpy()
        weight = np.bincount(by_region, v[cells], minlength=5)
        total = np.bincount(by_region, (v * effects)[cells], minlength=5)
        residuals[cells] -= (weight * total).sum() / (weight**2).sum()
        alone += np.count_nonzero(weight) == 1
    expected = np.sqrt((np.bincount(frame["region"], v * residuals) ** 2).sum())

    estimate = jp.did.Imputation(averaging=averaging).fit(build())  # type: ignore[arg-type]
    found = estimate.with_inference(jp.inference.MultiplierBootstrap(level="region"))
    assert found.se == pytest.approx(expected, rel=1e-9)
    assert any("single region" in note for note in found.inference.notes) == (alone > 0)


@pytest.mark.parametrize(
    "estimator", [jp.did.CallawaySantAnna(), jp.did.SunAbraham(), jp.did.ExtendedTWFE()]
)
def test_cohorts_in_one_cluster_are_pointed_out(estimator: jp.did.CallawaySantAnna) -> None:
    estimate = estimator.fit(build())
    assert not any("is a single" in note for note in estimate.inference.notes)
    found = estimate.with_inference(jp.inference.Clustered("region"))
    assert any("cohort 2004 is a single region" in note for note in found.inference.notes)
