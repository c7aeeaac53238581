"""Equivalence of pre-trends in their root mean square: published quantiles, arithmetic, size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.sensitivity import pretrend_rms
from jjjpolicy.sensitivity.pretrend_rms import SHARES, _probability, _quantile, _subsamples

# Simulated by the authors, as shipped with the R package EquiTrends 1.0.0 (W_critical_value).
PUBLISHED = {
    0.01: -4.2329959,
    0.025: -2.9047318,
    0.05: -2.1431720,
    0.1: -1.4601327,
    0.2: -0.8561188,
    0.8: 0.8344549,
    0.9: 1.4928501,
    0.95: 2.2003307,
    0.975: 3.0065821,
    0.99: 4.1150156,
}


def design_of(frame: pd.DataFrame, **options: object) -> jp.Design:
    return jp.Design.from_frame(  # type: ignore[arg-type]
        frame, unit="unit", time="period", outcome="y", treatment="treated", **options
    )


def panel(units: int = 40, seed: int = 0, **options: object) -> pd.DataFrame:
    adoption = dict.fromkeys(range(units // 2), 2005)
    return simulated_panel(units=units, periods=7, adoption=adoption, seed=seed, **options)  # type: ignore[arg-type]


def test_quantiles_are_those_that_the_authors_simulate() -> None:
    for level, value in PUBLISHED.items():
        assert _quantile(level) == pytest.approx(value, rel=0.025)


def test_quantiles_are_those_of_the_ratio_of_brownian_motions() -> None:
    steps = np.random.default_rng(3).normal(size=(200_000, 5)) * np.sqrt(0.2)
    motion = steps.cumsum(axis=1)
    spread = motion[:, :4] / np.array(SHARES) - motion[:, 4:]
    ratio = motion[:, 4] / np.sqrt((spread**2).mean(axis=1))
    for value in (-3.0, -1.0, 0.0, 0.5, 2.0):
        assert _probability(value) == pytest.approx((ratio <= value).mean(), abs=0.004)
    assert _probability(_quantile(0.03)) == pytest.approx(0.03, abs=1e-9)


def test_the_arithmetic_is_that_of_the_paper() -> None:
    frame = panel()
    design = design_of(frame)
    found = pretrend_rms(jp.did.EventStudy().fit(design), bound=0.5, level=0.1, seed=4)

    def mean_square(keep: np.ndarray) -> float:
        some = frame[frame["unit"].isin(design.units[keep])]
        means = some.groupby([some["first"] == 2005, "period"])["y"].mean().unstack()
        gap = means.loc[True] - means.loc[False]
        return float(np.mean((gap[[2001, 2002, 2003]] - gap[2004]) ** 2))

    whole = mean_square(np.ones(40, dtype=bool))
    parts = np.array([mean_square(keep) for _, keep in _subsamples(design, 4)])
    spread = np.sqrt(np.mean((parts - whole) ** 2))
    assert found.rms == pytest.approx(np.sqrt(whole), rel=1e-10)
    assert found.shares["rms"].to_numpy() == pytest.approx(np.sqrt(parts), rel=1e-8)
    assert found.shares["groups"].tolist() == [8, 16, 24, 32]
    assert found.smallest_bound**2 == pytest.approx(whole - _quantile(0.1) * spread, rel=1e-8)
    assert found.pvalue == pytest.approx(_probability((whole - 0.25) / spread), rel=1e-8)
    assert found.interval[1] ** 2 == pytest.approx(whole + _quantile(0.95) * spread, rel=1e-8)


def test_the_smallest_bound_is_the_one_with_a_pvalue_at_the_level() -> None:
    estimate = jp.did.CallawaySantAnna(base="universal").fit(design_of(panel()))
    bound = pretrend_rms(estimate, seed=1).smallest_bound
    assert pretrend_rms(estimate, bound, seed=1).pvalue == pytest.approx(0.05, abs=1e-8)
    assert pretrend_rms(estimate, 2 * bound, seed=1).pvalue < 0.05


def test_subsamples_are_nested_and_keep_groups_and_proportions() -> None:
    frame = panel(units=60).assign(county=lambda table: table["unit"] // 2)
    design = design_of(frame, assigned_at="county")
    masks = [keep for _, keep in _subsamples(design, 0)]
    for smaller, larger in pairwise(masks):
        assert (smaller <= larger).all()
    assert [int(keep.sum()) for keep in masks] == [12, 24, 36, 48]
    assert [int(keep[:30].sum()) for keep in masks] == [6, 12, 18, 24]
    assert all((keep[::2] == keep[1::2]).all() for keep in masks)


def test_a_pretrend_at_the_bound_is_declared_negligible_as_often_as_the_level_says() -> None:
    """Simulated; 60 panels, level 20%: a rate of 20% has standard error 5.2 points."""
    rejected = []
    for seed in range(60):
        frame = panel(seed=seed)
        frame["y"] += 0.5 * ((frame["unit"] < 20) & (frame["period"] < 2004))
        estimate = jp.did.EventStudy().fit(design_of(frame))
        rejected.append(pretrend_rms(estimate, 0.5, level=0.2, seed=seed).pvalue < 0.2)
    assert 0.08 <= np.mean(rejected) <= 0.32


def test_errors_say_what_is_missing() -> None:
    few = simulated_panel(units=20, adoption=dict.fromkeys(range(3), 2004))
    with pytest.raises(jp.InferenceError, match="fifths of the treated units.*are 3"):
        pretrend_rms(jp.did.EventStudy().fit(design_of(few)))
    estimate = jp.did.EventStudy().fit(design_of(panel()))
    with pytest.raises(jp.InferenceError, match="bound=0"):
        pretrend_rms(estimate, 0)
    with pytest.raises(jp.InferenceError, match="level=0.7"):
        pretrend_rms(estimate, level=0.7)
    early = panel()
    early.loc[early["unit"] == 0, "treated"] = (early["period"] >= 2006).astype(int)
    with pytest.raises(jp.InferenceError, match="does not give all effects before"):
        pretrend_rms(jp.did.EventStudy().fit(design_of(early)))
