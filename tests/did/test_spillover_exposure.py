"""Effects by exposure: two stages by hand, rings as a case, exact recovery, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.did.exposure import Exposure
from jjjpolicy.registry.geography import great_circle_km

ONE_DATE = {0: 2004, 1: 2004, 2: 2004}
STAGGERED = {0: 2004, 1: 2004, 2: 2006}
UNITS = 40


def places(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(30, 40, UNITS), rng.uniform(110, 120, UNITS)])


def table(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, index=range(UNITS), columns=range(UNITS))


def touching() -> pd.DataFrame:
    """Units within 200 km are neighbours."""
    away = great_circle_km(places(), places())
    return table(((away <= 200) & (away > 0)).astype(int))


def panel(adoption: dict[int, int], **changes: Any) -> pd.DataFrame:
    frame = simulated_panel(units=UNITS, periods=8, adoption=adoption, effect=1.0, **changes)
    where = places()[frame["unit"]]
    return frame.assign(lat=where[:, 0], lon=where[:, 1])


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments: dict[str, Any] = {
        "unit": "unit",
        "time": "period",
        "outcome": "y",
        "treatment": "treated",
        "coordinates": ("lat", "lon"),
    }
    return jp.Design.from_frame(frame, **(arguments | changes))


def by_hand(design: jp.Design, weight: Any) -> np.ndarray:
    """Exposure cell by cell, from a function of distance."""
    away = great_circle_km(places(), places())
    exposure = np.zeros(design.outcome.shape)
    for i in range(UNITS):
        for t, period in enumerate(design.periods):
            for j in range(UNITS):
                if j != i and design.adoption[j] <= period:
                    exposure[i, t] += weight(away[i, j])
    return exposure


EXPOSURES = {
    "exponential": (
        jp.did.ExponentialDecay(scale=80.0, cutoff=300.0),
        lambda d: np.exp(-d / 80) * (d <= 300),
    ),
    "inverse": (
        jp.did.InverseDistance(power=2.0, cutoff=250.0),
        lambda d: d**-2.0 * (d <= 250),
    ),
    "matrix": (jp.did.ExposureMatrix(3 * touching()), lambda d: 3 * (d <= 200)),
}


@pytest.mark.parametrize("name", EXPOSURES)
def test_exposure_is_the_sum_of_weights_of_other_units_treated_by_then(name: str) -> None:
    exposure, weight = EXPOSURES[name]
    design = design_of(panel(STAGGERED))
    assert exposure.of(design) == pytest.approx(by_hand(design, weight), rel=1e-12)


def test_the_share_of_neighbours_counts_those_in_the_design() -> None:
    design = design_of(panel(STAGGERED))
    adjacency = touching()
    shares = jp.did.ShareOfNeighbours(adjacency).of(design)
    for i in range(UNITS):
        own = np.flatnonzero(adjacency.loc[i])
        expected = np.isin(own, [0, 1, 2]).mean() if len(own) else 0.0
        assert shares[i, -1] == pytest.approx(expected)
    wider = adjacency.reindex(index=range(50), columns=range(50), fill_value=1)
    assert jp.did.ShareOfNeighbours(wider).of(design) == pytest.approx(shares)


@pytest.mark.parametrize("name", EXPOSURES)
@pytest.mark.parametrize("dropped", [[], [5, 77]], ids=["balanced", "unbalanced"])
def test_estimates_and_errors_equal_two_stages_with_dummies(name: str, dropped: list[int]) -> None:
    exposure, weight = EXPOSURES[name]
    design = design_of(panel(STAGGERED).drop(index=dropped))
    estimate = jp.did.SpilloverExposure(exposure).fit(design)
    n, periods = design.outcome.shape
    cells = design.observed.ravel()
    dummies = np.hstack(
        [np.kron(np.eye(n), np.ones((periods, 1))), np.kron(np.ones((n, 1)), np.eye(periods))]
    )[cells]
    y, unit = design.outcome.ravel()[cells], np.repeat(np.arange(n), periods)[cells]
    treated = design.treatment.ravel()[cells].astype(float)
    x = np.column_stack([treated, by_hand(design, weight).ravel()[cells] * (1 - treated)])
    clean = dummies * ((x > 0).sum(axis=1) == 0)[:, None]
    inverse = np.linalg.pinv(clean.T @ clean)
    residuals = y - dummies @ (inverse @ clean.T @ y)
    bread = np.linalg.inv(x.T @ x)
    coefficients = bread @ x.T @ residuals
    last = residuals - x @ coefficients
    variance = np.zeros((2, 2))
    for i in range(n):
        own = unit == i
        score = x[own].T @ last[own]
        score -= x.T @ dummies @ inverse @ clean[own].T @ residuals[own]
        variance += np.outer(bread @ score, bread @ score)
    errors = np.sqrt(np.diag(variance))
    spillovers = estimate.details["spillovers"].set_index("effect").loc["per unit of exposure"]
    assert [estimate.att, spillovers["estimate"]] == pytest.approx(coefficients, rel=1e-8)
    assert [estimate.se, spillovers["se"]] == pytest.approx(errors, rel=1e-7)


def test_rings_are_a_case() -> None:
    design = design_of(panel(STAGGERED))
    rings = jp.did.SpilloverRings(rings=(1,), adjacency=touching()).fit(design)
    shares = jp.did.SpilloverExposure(jp.did.ShareOfNeighbours(touching())).fit(design)
    average = shares.details["spillovers"].iloc[1]
    ring = rings.details["rings"].iloc[0]
    assert shares.att == pytest.approx(rings.att, abs=1e-12)
    for name in ("estimate", "se", "units", "cells"):
        assert average[name] == pytest.approx(ring[name], rel=1e-9)
    by_time = shares.details["spillovers_by_event_time"].query("effect.str.startswith('average')")
    assert by_time["estimate"].to_numpy() == pytest.approx(
        rings.details["rings_by_event_time"]["estimate"].to_numpy(), rel=1e-9
    )


def test_direct_and_spillover_effects_by_event_time_are_found_exactly_without_noise() -> None:
    """Effects of 1 + k and spillovers of (2 - k/4) per unit of exposure k periods after."""
    frame = panel(STAGGERED)
    design = design_of(frame)
    exposure = jp.did.ExponentialDecay(scale=80.0, cutoff=300.0)
    amount = exposure.of(design)
    first = np.where(amount.any(axis=1), design.periods[(amount > 0).argmax(axis=1)], 9999)
    since = design.periods - first[:, None]
    direct = design.periods - np.where(design.treated, design.adoption, 9999)[:, None]
    clean = np.add.outer(np.arange(UNITS), np.sin(design.periods))
    outcome = clean + np.where(
        design.treatment, 1.0 + direct, amount * (since >= 0) * (2 - since / 4)
    )
    fitted = jp.did.SpilloverExposure(exposure).fit(design.with_outcome(outcome))
    effects = fitted.effects
    assert effects["estimate"].to_numpy() == pytest.approx(1.0 + effects["event_time"], abs=1e-9)
    slopes = fitted.details["spillovers_by_event_time"].query("effect == 'per unit of exposure'")
    assert slopes["estimate"].to_numpy() == pytest.approx(2 - slopes["event_time"] / 4, abs=1e-9)


def test_inference_works_and_options_are_recorded() -> None:
    design = design_of(panel(ONE_DATE))
    estimator = jp.did.SpilloverExposure(jp.did.ExponentialDecay(scale=80.0, cutoff=200.0))
    estimate = estimator.fit(design)
    randomised = estimate.with_inference(jp.inference.RandomizationInference(replications=19))
    assert 0 < (randomised.pvalue or 0) <= 1
    assert estimate.with_inference(jp.inference.Conley(cutoff_km=200)).se is not None
    assert estimator.specification() == {
        "name": "SpilloverExposure",
        "exposure": "ExponentialDecay(scale=80.0, cutoff=200.0)",
    }
    described = jp.did.SpilloverExposure(jp.did.ExposureMatrix(touching())).specification()
    assert described["exposure"].startswith("ExposureMatrix(matrix=40 units, sha256 ")


def test_the_recorded_text_makes_the_estimator_again() -> None:
    from jjjpolicy.replication.provenance.specification import estimators, make

    text = jp.did.SpilloverExposure(jp.did.InverseDistance(cutoff=200.0)).specification()
    again = make("estimator", estimators(), text.pop("name"), text)
    assert again.specification()["exposure"] == "InverseDistance(power=1.0, cutoff=200.0)"
    with pytest.raises(jp.DataError, match="exposure='ExposureMatrix"):
        make("estimator", estimators(), "SpilloverExposure", {"exposure": "ExposureMatrix(…)"})


def fitted(exposure: Exposure, **changes: Any) -> jp.Estimate:
    estimate: jp.Estimate = jp.did.SpilloverExposure(exposure).fit(
        design_of(panel(ONE_DATE), **changes)
    )
    return estimate


def test_what_does_not_match_is_named() -> None:
    own = touching()
    own.loc[1, 1] = 1
    with pytest.raises(jp.DesignError, match="makes treated unit 1 its own neighbour.*diagonal"):
        fitted(jp.did.ExposureMatrix(own))
    with pytest.raises(jp.DesignError, match="adjacency= makes treated unit 1 its own"):
        fitted(jp.did.ShareOfNeighbours(own))
    with pytest.raises(jp.DesignError, match="matrix= has no row for unit 38, 39; label rows"):
        fitted(jp.did.ExposureMatrix(touching().iloc[:38]))
    with pytest.raises(jp.DesignError, match="has no column for unit 0, 1, 2, …"):
        fitted(jp.did.ExposureMatrix(touching().rename(columns=str)))
    with pytest.raises(jp.DesignError, match="matrix=.* must be a DataFrame"):
        jp.did.ExposureMatrix(touching().to_numpy())  # type: ignore[arg-type]
    with pytest.raises(jp.DesignError, match="type ndarray.*give a DataFrame"):
        jp.inference.spillover_test(
            design_of(panel(ONE_DATE)),
            beyond=1.0,
            distances=touching().to_numpy(),  # type: ignore[arg-type]
        )
    with pytest.raises(jp.DesignError, match="holds what is no number"):
        fitted(jp.did.ExposureMatrix(touching().astype(str).replace("1", "yes")))
    gap = touching().astype(float)
    gap.loc[3, 4] = np.nan
    with pytest.raises(jp.DesignError, match="is nan between 3 and 4"):
        fitted(jp.did.ExposureMatrix(gap))


def test_what_cannot_be_estimated_is_explained() -> None:
    with pytest.raises(jp.DesignError, match="ExponentialDecay needs to know who is near whom"):
        fitted(jp.did.ExponentialDecay(scale=80.0), coordinates=None)
    with pytest.raises(jp.DesignError, match=r"exposed: no control is left.*smaller cutoff="):
        fitted(jp.did.ExponentialDecay(scale=80.0))
    with pytest.raises(jp.DesignError, match="no untreated unit is exposed under InverseDistance"):
        fitted(jp.did.InverseDistance(cutoff=1e-6))
    with pytest.raises(jp.DesignError, match="0 and 1 are at the same place"):
        fitted(jp.did.InverseDistance(distances=table(np.zeros((UNITS, UNITS)))))
    with pytest.raises(jp.DesignError, match="scale=-1 must be above zero"):
        jp.did.ExponentialDecay(scale=-1)
    with pytest.raises(jp.DesignError, match="exposure='distance' must be ExposureMatrix"):
        jp.did.SpilloverExposure("distance")  # type: ignore[arg-type]


def test_a_unit_without_coordinates_is_named() -> None:
    frame = panel(ONE_DATE)
    frame.loc[frame["unit"] == 7, "lon"] = np.nan
    with pytest.raises(jp.DesignError, match="'lon' is missing for unit 7"):
        design_of(frame)
