"""Pre-trend tests, their power, and tests of equivalence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel
from scipy.stats import f as f_distribution
from scipy.stats import norm

import jjjpolicy as jp
from jjjpolicy.estimation.results import InferenceResult
from jjjpolicy.sensitivity import pretrend_equivalence, pretrend_power, pretrend_test

# He and Wang (2017), figure 2A, as shipped with the R package pretrends and its Shiny application.
TIMES = [-4, -3, -2, 0, 1, 2, 3]
ESTIMATES = [-0.08942866, -0.08939153, -0.06860359, 0.09308024, 0.18774731, 0.18067996, 0.09727819]
LOWER_TRIANGLE = """
0.0149547979235649
0.00814208388328552 0.0103735625743866
0.0047602360136807 0.00499750673770905 0.00602407334372401
0.00264218007214367 0.00314226211048663 0.00146472698543221 0.00561735080555081
0.00321049452759326 0.00363793992437422 0.00213220552541316 0.00345605378970504 0.0103573063388467
0.00244478415697813 0.00321422982960939 0.00191951938904822 0.00273053580895066 0.00627497583627701
0.011508721858263
0.00155121809802949 0.00211047730408609 0.000647532287985086 0.00225659506395459 0.00503531005233526
0.0115978047251701 0.024637384340167
"""
LEVEL_OF_196 = 2 * norm.sf(1.96)


def estimate_of(
    times: list[int], estimates: list[float], covariance: np.ndarray, df: float = np.inf
) -> jp.Estimate:
    """An event study with these coefficients; the design behind it does not matter."""
    design = jp.Design.from_frame(
        simulated_panel(), unit="unit", time="period", outcome="y", treatment="treated"
    )
    table = pd.DataFrame({"event_time": [*times, -1], "estimate": [*estimates, 0.0]})
    full = np.zeros((len(times) + 1, len(times) + 1))
    full[1:, 1:] = covariance
    estimate = replace(
        jp.did.EventStudy().fit(design),
        event_effects=table.sort_values("event_time", ignore_index=True),
        details={"event_times": np.array(times)},
    )
    result = InferenceResult(name="given", details={"covariance": full, "df": df})
    return estimate.with_result(result)


@pytest.fixture
def he_and_wang() -> jp.Estimate:
    covariance = np.zeros((7, 7))
    covariance[np.tril_indices(7)] = np.array(LOWER_TRIANGLE.split(), dtype=float)
    covariance = np.tril(covariance) + np.tril(covariance, -1).T
    return estimate_of(TIMES, ESTIMATES, covariance)


def event_study(**options: object) -> jp.Estimate:
    frame = simulated_panel(units=30, periods=7, adoption=dict.fromkeys(range(12), 2005))
    return jp.did.EventStudy(**options).fit(  # type: ignore[arg-type]
        jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")
    )


def test_power_equals_the_vignette_of_the_r_package(he_and_wang: jp.Estimate) -> None:
    """README of jonathandroth/pretrends; its own integration is accurate to about 1e-4."""
    found = pretrend_power(he_and_wang, level=LEVEL_OF_196, powers=(0.5,))
    assert found.slope == pytest.approx(0.06991527, abs=5e-5)
    given = pretrend_power(he_and_wang, level=LEVEL_OF_196, slope=0.06991527)
    assert given.power == pytest.approx(0.4997363, abs=1e-4)
    assert given.bayes_factor == pytest.approx(0.5671215, abs=2e-4)
    assert given.likelihood_ratio == pytest.approx(0.8589346, abs=1e-6)
    expected = [-0.12249504, -0.07515163, -0.03060732, 0, 0.09017188, 0.16447429, 0.22994584]
    expected.append(0.29190725)
    assert given.effects["mean_after_passing"].to_numpy() == pytest.approx(expected, abs=5e-5)


def test_power_of_one_effect_has_a_closed_form() -> None:
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    found = pretrend_power(estimate_of([-2, 0], [0.1, 0.3], covariance), slope=-0.3)
    low, high = norm.ppf(0.025) * 0.2 - 0.3, norm.ppf(0.975) * 0.2 - 0.3
    passing = norm.cdf(high / 0.2) - norm.cdf(low / 0.2)
    assert found.power == pytest.approx(1 - passing, abs=1e-12)
    shift = 0.2 * (norm.pdf(low / 0.2) - norm.pdf(high / 0.2)) / passing
    after = found.effects.set_index("event_time")["mean_after_passing"]
    assert after[-2] == pytest.approx(0.3 + shift, abs=1e-12)
    assert after[0] == pytest.approx(-0.3 + 0.01 / 0.04 * shift, abs=1e-12)


def test_means_after_passing_equal_simulated_ones(he_and_wang: jp.Estimate) -> None:
    found = pretrend_power(he_and_wang, slope=0.08)
    assert he_and_wang.inference is not None
    covariance = he_and_wang.inference.details["covariance"][1:, 1:]
    trend = 0.08 * (np.array(TIMES) + 1)
    draws = np.random.default_rng(0).multivariate_normal(trend, covariance, size=200_000)
    limits = norm.ppf(0.975) * np.sqrt(np.diag(covariance)[:3])
    passed = draws[(np.abs(draws[:, :3]) <= limits).all(axis=1)]
    assert 1 - len(passed) / len(draws) == pytest.approx(found.power, abs=0.005)
    expected = np.insert(passed.mean(axis=0), 3, 0.0)
    assert found.effects["mean_after_passing"].to_numpy() == pytest.approx(expected, abs=0.003)


def test_detected_slopes_rise_with_power_and_scale(he_and_wang: jp.Estimate) -> None:
    found = pretrend_power(he_and_wang, powers=(0.3, 0.5, 0.8))
    assert found.slopes["slope"].is_monotonic_increasing
    at_80 = pretrend_power(he_and_wang, slope=float(found.slopes["slope"].iloc[2]))
    assert at_80.power == pytest.approx(0.8, abs=1e-6)


def test_power_refuses_impossible_powers_and_missing_covariances(he_and_wang: jp.Estimate) -> None:
    with pytest.raises(jp.InferenceError, match="size of the pre-test, 0.1"):
        pretrend_power(he_and_wang, powers=(0.05,))
    design = he_and_wang.design
    with pytest.raises(jp.InferenceError, match="use an event study"):
        pretrend_power(jp.did.TwoWayFixedEffects().fit(design))
    no_pre = simulated_panel(adoption={0: 2002, 1: 2002})
    short = jp.Design.from_frame(
        no_pre, unit="unit", time="period", outcome="y", treatment="treated"
    )
    with pytest.raises(jp.InferenceError, match="at least one estimated effect before"):
        pretrend_test(jp.did.EventStudy().fit(short))


def test_joint_test_is_the_f_test_of_the_coefficients() -> None:
    estimate = event_study()
    found = pretrend_test(estimate)
    assert estimate.inference is not None
    before = estimate.details["event_times"] < 0
    covariance = estimate.inference.details["covariance"][1:, 1:][np.ix_(before, before)]
    values = estimate.effects.query("event_time < -1")["estimate"].to_numpy()
    statistic = values @ np.linalg.inv(covariance) @ values / 3
    assert found.statistic == pytest.approx(statistic, rel=1e-10)
    assert (found.numerator_df, found.denominator_df) == (3, 29)
    assert found.pvalue == pytest.approx(f_distribution.sf(statistic, 3, 29), rel=1e-9)


def test_joint_test_refuses_fewer_clusters_than_effects() -> None:
    frame = simulated_panel(units=3, periods=8, adoption={0: 2007})
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    with pytest.raises(jp.InferenceError, match="singular"):
        pretrend_test(jp.did.EventStudy().fit(design))


def test_equivalence_bounds_turn_the_tests_around() -> None:
    estimate = event_study()
    smallest = pretrend_equivalence(estimate)
    at_bound = pretrend_equivalence(estimate, smallest.largest_bound)
    assert at_bound.largest_pvalue == pytest.approx(0.05, abs=1e-9)
    mean = pretrend_equivalence(estimate, smallest.mean_bound)
    assert mean.mean_pvalue == pytest.approx(0.05, abs=1e-9)
    table = smallest.effects
    assert (table["bound"] <= table["two_one_sided_bound"]).all()
    assert (table["bound"] >= table["estimate"].abs()).all()
    tost = pretrend_equivalence(estimate, float(table["two_one_sided_bound"].iloc[1]))
    assert tost.effects["two_one_sided_pvalue"].iloc[1] == pytest.approx(0.05, abs=1e-9)


def test_equivalence_keeps_its_size_at_the_bound() -> None:
    """Each effect's own test, with 2,000 independent effects at the bound."""
    draws = np.random.default_rng(5).normal(0.5, 0.2, size=2000)
    times = list(range(-2001, -1))
    found = pretrend_equivalence(estimate_of(times, list(draws), 0.04 * np.eye(2000)), 0.5)
    assert (found.effects["pvalue"] < 0.05).mean() == pytest.approx(0.05, abs=0.015)


def test_equivalence_refuses_bounds_that_are_not_positive() -> None:
    with pytest.raises(jp.InferenceError, match="bound=0 must be positive"):
        pretrend_equivalence(event_study(), 0)


def test_power_agrees_with_statspai(recorded: Any, he_and_wang: jp.Estimate) -> None:
    assert he_and_wang.inference is not None
    covariance = he_and_wang.inference.details["covariance"][1:, 1:]

    def ask(statspai: Any) -> dict[str, float]:
        fits = {
            power: statspai.pretrends_slope_for_power(
                np.array(ESTIMATES), power, sigma=covariance, num_pre_periods=3
            )
            for power in (0.5, 0.8)
        }
        return {str(power): float(fit["slope"]) for power, fit in fits.items()}

    for power, slope in recorded("statspai", ask).items():
        mine = pretrend_power(he_and_wang, powers=(float(power),))
        assert mine.slope == pytest.approx(slope, rel=1e-4)


def test_group_time_effects_need_a_universal_base_for_trends() -> None:
    frame = simulated_panel(units=40, adoption=dict.fromkeys(range(15), 2004))
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    universal = jp.did.CallawaySantAnna(base="universal").fit(design)
    study = jp.did.EventStudy().fit(design)
    mine, same = pretrend_power(universal), pretrend_power(study)
    assert mine.slope == pytest.approx(same.slope, rel=0.05)
    assert mine.effects["event_time"].tolist() == [-3, -2, -1, 0, 1, 2]
    with pytest.raises(jp.InferenceError, match="one reference period"):
        pretrend_power(jp.did.CallawaySantAnna().fit(design))


def test_equivalence_bounds_are_those_of_equitrends() -> None:
    """Printed by the R package EquiTrends in its own tests, to four digits."""
    coefficients = [0.1151, 0.1367, 0.2324, 0.0120]
    estimate = estimate_of([-5, -4, -3, -2], coefficients, 0.1229**2 * np.eye(4))
    bounds = pretrend_equivalence(estimate).effects["bound"].to_numpy()
    assert bounds == pytest.approx([0.3171, 0.3388, 0.4345, 0.1157], abs=2e-4)
    assert pretrend_equivalence(estimate).largest_bound == pytest.approx(0.4345, abs=2e-4)
    bounds = pretrend_equivalence(estimate, level=0.1).effects["bound"].to_numpy()
    assert bounds == pytest.approx([0.2721, 0.2940, 0.3899, 0.0], abs=2e-4)


def test_the_equivalence_of_the_mean_is_that_of_equitrends() -> None:
    """Printed by the R package EquiTrends in its own tests, to four digits."""
    estimate = estimate_of([-2], [0.118], np.array([[0.09716**2]]))
    assert pretrend_equivalence(estimate, level=0.1).mean_bound == pytest.approx(0.2425, abs=2e-4)
    assert pretrend_equivalence(estimate, 0.2).mean_pvalue == pytest.approx(0.1989, abs=2e-4)
