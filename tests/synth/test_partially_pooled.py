"""Partial pooling: the separate fits at one end, a better pooled fit at the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def design_of(**changes: Any) -> jp.Design:
    frame = simulated_panel(
        **({"units": 12, "periods": 14, "adoption": {0: 2009, 1: 2011}} | changes)
    )
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")


def pooled_misfit(estimate: jp.Estimate) -> float:
    """Square of the average gap over the treated units, by time before adoption."""
    gaps = estimate.details["gaps"]
    early = [row[:n][::-1] for row, n in zip(gaps.values, (~gaps.post).sum(axis=1), strict=True)]
    padded = np.stack([np.pad(row, (0, 13 - len(row))) for row in early])
    return float((padded.mean(axis=0) ** 2).sum())


@pytest.fixture
def smoking(prop99_data: Any) -> jp.Design:
    """Cigarette sales with made-up adoption by three states, for comparison with a peer."""
    frame = prop99_data
    dates = frame["State"].map({"California": 1989, "Georgia": 1986, "Ohio": 1993})
    frame["treated"] = (frame["Year"] >= dates).astype(int)
    return jp.Design.from_frame(
        frame, unit="State", time="Year", outcome="PacksPerCapita", treatment="treated"
    )


@pytest.mark.parametrize(
    ("intercept", "pooling", "expected"),
    [
        (False, 0.4, (-19.433158, -4.198192, -2.188631)),
        (False, None, (-19.436047, -3.921070, -2.209621)),
        (True, 0.4, (-12.497480, -3.819740, -2.970684)),
        (True, None, (-14.598037, -3.593132, -2.706460)),
    ],
)
def test_effects_are_those_of_multisynth(
    smoking: jp.Design, intercept: bool, pooling: float | None, expected: tuple[float, ...]
) -> None:
    # StatsPAI 1.40.2, staggered_synth(nu=, fixedeff=), which follows augsynth::multisynth 0.2.0
    estimator = jp.synth.PartiallyPooledSyntheticControl(pooling=pooling, intercept=intercept)
    estimate = estimator.fit(smoking)
    assert estimate.unit_effects is not None
    assert estimate.unit_effects["att"].to_numpy() == pytest.approx(expected, abs=1e-6)
    if pooling is None:
        nu = 0.5994702027 if intercept else 0.5269497067
        assert estimate.details["pooling"] == pytest.approx(nu, abs=1e-9)


def test_without_pooling_it_is_one_synthetic_control_per_unit() -> None:
    design = design_of(adoption={0: 2009, 1: 2009})
    estimate = jp.synth.PartiallyPooledSyntheticControl(pooling=0, intercept=False).fit(design)
    assert estimate.att == pytest.approx(jp.synth.SyntheticControl().fit(design).att, abs=1e-6)


def test_pooling_improves_the_fit_of_the_average() -> None:
    misfits = [
        pooled_misfit(jp.synth.PartiallyPooledSyntheticControl(pooling=nu).fit(design_of()))
        for nu in (0.0, 0.5, 0.99)
    ]
    assert misfits[0] >= misfits[1] - 1e-12
    assert misfits[1] >= misfits[2] - 1e-12


def test_the_default_lies_between_the_ends() -> None:
    estimate = jp.synth.PartiallyPooledSyntheticControl().fit(design_of())
    assert 0 < estimate.details["pooling"] < 1
    refit = estimate.estimator.refit(design_of())
    assert refit.att[0] == pytest.approx(estimate.att)
    assert estimate.weights is not None
    assert np.allclose(estimate.weights.sum(), 1)


def test_fully_pooled_it_is_one_synthetic_control_of_the_average(penn_data: Any) -> None:
    frame = penn_data
    names = ["Haiti", "Indonesia", "Israel", "Jamaica", "Malawi", "Turkey", "Zambia"]
    frame["treated"] = (frame["country"].isin(names) & (frame["year"] >= 1997)).astype(int)
    columns = {"unit": "country", "time": "year", "outcome": "log_gdp", "treatment": "treated"}
    estimate = jp.synth.PartiallyPooledSyntheticControl(pooling=1, intercept=False).fit(
        jp.Design.from_frame(frame, **columns)
    )
    treated = frame["country"].isin(names)
    average = frame[treated].groupby("year", as_index=False)[["log_gdp", "treated"]].mean()
    alone = pd.concat([frame[~treated], average.assign(country="average")])
    alone["treated"] = alone["treated"].astype(int)
    single = jp.synth.SyntheticControl().fit(jp.Design.from_frame(alone, **columns))
    assert estimate.att == pytest.approx(single.att, abs=1e-9)
    assert estimate.details["relative_gap"] <= 1e-12


def test_one_treated_unit_has_nothing_to_pool() -> None:
    alone = design_of(adoption={0: 2009})
    estimate = jp.synth.PartiallyPooledSyntheticControl(pooling=1, intercept=False).fit(alone)
    assert estimate.att == pytest.approx(jp.synth.SyntheticControl().fit(alone).att, abs=1e-6)


def test_a_share_outside_the_unit_interval_is_refused() -> None:
    with pytest.raises(jp.DesignError, match="between 0 and 1"):
        jp.synth.PartiallyPooledSyntheticControl(pooling=2).fit(design_of())


def one_unit_outside_its_donors(order: np.random.Generator | None = None) -> jp.Design:
    """Three treated units and 20 donors: two of the units are averages of donors."""
    rng = np.random.default_rng(5)
    pool = rng.normal(size=(20, 9))
    inside = rng.dirichlet(np.ones(20), size=2) @ pool
    outcomes = np.vstack([inside, pool.max(axis=0) + 0.5, pool])
    names = np.array([f"t{i}" for i in range(3)] + [f"d{i:02}" for i in range(20)])
    rows = np.arange(23) if order is None else np.r_[0:3, 3 + order.permutation(20)]
    frame = pd.DataFrame(
        {
            "unit": np.repeat(names, 9),
            "year": np.tile(np.arange(2010, 2019), 23),
            "y": outcomes[rows].ravel(),
        }
    )
    frame["treated"] = frame["unit"].str.startswith("t") & (frame["year"] >= 2015)
    return jp.Design.from_frame(frame, unit="unit", time="year", outcome="y", treatment="treated")


def test_units_keep_their_own_fit_where_the_formula_says_to_pool_alone() -> None:
    estimate = jp.synth.PartiallyPooledSyntheticControl(intercept=False).fit(
        one_unit_outside_its_donors()
    )
    # One gap only: its length is that of the sum of gaps, so that the formula gives one.
    assert estimate.details["pooling"] == 0.999
    misfit = np.sqrt((estimate.details["gaps"].values[:, :5] ** 2).mean(axis=1))
    alone = jp.synth.SyntheticControl().fit(one_unit_outside_its_donors()).details["gaps"]
    assert np.sqrt((alone.values[:2, :5] ** 2).mean(axis=1)) == pytest.approx([0, 0], abs=1e-12)
    assert misfit[2] <= 1.5 * np.sqrt((alone.values[2, :5] ** 2).mean())


@pytest.mark.parametrize("pooling", [1.0, None])
def test_effects_do_not_depend_on_the_order_of_donors(pooling: float | None) -> None:
    estimator = jp.synth.PartiallyPooledSyntheticControl(pooling=pooling)
    usual = estimator.fit(one_unit_outside_its_donors())
    shuffled = estimator.fit(one_unit_outside_its_donors(np.random.default_rng(1)))
    assert usual.unit_effects is not None
    assert shuffled.unit_effects is not None
    assert shuffled.att == pytest.approx(usual.att, abs=1e-9)
    assert shuffled.unit_effects["att"].to_numpy() == pytest.approx(
        usual.unit_effects["att"].to_numpy(), abs=1e-9
    )
