"""Ranks: ties count against the treated, whatever the unit of measure made of the last digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.families import romano_wolf
from jjjpolicy.inference.permutation.inversion import effects_kept, outermost
from jjjpolicy.inference.permutation.ranks import (
    at_least,
    critical_count,
    rank_pvalue,
    rank_pvalues,
    significant,
    studentised,
)

small = st.lists(st.integers(-5, 5), min_size=1, max_size=30)
factors = st.sampled_from([0.1, 1.7, 1 / 3, 1e-7, 1e9])


@given(values=small, own=st.integers(-5, 5), factor=factors, seed=st.integers(0, 99))
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_ranks_of_rounded_numbers_are_those_of_the_integers_behind_them(
    alternative: Any, values: list[int], own: int, factor: float, seed: int
) -> None:
    beyond = {
        "two-sided": [abs(v) >= abs(own) for v in values],
        "greater": [v >= own for v in values],
        "less": [v <= own for v in values],
    }[alternative]
    rng = np.random.default_rng(seed)
    rounding = 1e-13 * factor * rng.uniform(-1, 1, len(values))
    reference = np.array(values) * factor + rounding
    found = rank_pvalue(own * factor, reference, alternative, noise=5e-9 * factor)
    assert found == (1 + sum(beyond)) / (1 + len(values))


def test_infinite_statistics_tie_with_each_other_and_undefined_ones_with_all() -> None:
    values = np.array([-np.inf, 1.0, np.inf, np.nan])
    assert at_least(values, np.inf).tolist() == [False, False, True, True]
    assert at_least(values, 1.0).tolist() == [False, True, True, True]
    assert at_least(values, -np.inf).tolist() == [True, True, True, True]
    assert at_least(values, np.nan).all()
    assert rank_pvalue(-np.inf, values[:3], "less") == 2 / 4
    assert rank_pvalue(-np.inf, values[:3]) == 3 / 4


def test_what_differs_by_more_than_a_billionth_does_not_tie() -> None:
    assert not at_least(1.0, 1 + 2e-9)
    assert at_least(1.0, 1 + 0.5e-9)
    assert not at_least(0.0, 2e-9, noise=1e-9)
    assert at_least(-0.5e-9, 0.0, noise=1e-9)


def test_several_statistics_are_ranked_each_in_its_own_column() -> None:
    rng = np.random.default_rng(0)
    own, reference = rng.integers(-3, 4, 5) * 0.1, rng.integers(-3, 4, (40, 5)) * 0.1
    one_by_one = [rank_pvalue(own[k], reference[:, k], "less") for k in range(5)]
    assert rank_pvalues(own, reference, "less").tolist() == one_by_one


def test_resolution_follows_the_range_and_the_level_where_that_dwarfs_it() -> None:
    outcome = np.array([[1.0, np.nan], [3.0, 2.0]])
    assert resolution(outcome) == pytest.approx(2e-9)
    assert resolution(1e3 * outcome) == pytest.approx(2e-6)
    assert resolution(outcome + 1e4) == pytest.approx(1.0003e-8)
    assert resolution(np.full((2, 2), -7.0)) == pytest.approx(7e-12)


def test_ratios_of_rounding_errors_are_undefined_and_effects_without_error_infinite() -> None:
    found = studentised(np.array([1e-15, 2.0, -2.0, 1e-15]), np.array([1e-16, 1e-16, 0, 1]), 1e-12)
    np.testing.assert_array_equal(found, [np.nan, np.inf, -np.inf, 0.0])


def test_a_fraction_is_not_lost_to_rounding() -> None:
    assert critical_count(20, 0.95) == 1  # 1 - 0.95 is a little more than 0.05
    assert critical_count(10, 0.9) == 1  # 1 - 0.9 is a little less than 0.1
    assert significant(0.1, 1 - 0.9)
    assert not significant(0.11, 1 - 0.9)


def test_an_interval_holds_zero_where_a_tie_keeps_it() -> None:
    def pvalue(effect: float) -> float:
        return 1.0 if abs(effect - 0.3) < 0.3 * (1 - 1e-9) or effect == 0 else 0.01

    low, high = outermost(pvalue, 0.3, 1.0, 0.95)
    assert low == 0.0
    assert high == pytest.approx(0.6, abs=1e-8)


@pytest.mark.parametrize("scale", [1e-3, 1e-12, 1e-30])
def test_a_search_with_steps_below_the_last_place_ends_there(scale: float) -> None:
    low, high = outermost(lambda effect: float(abs(effect - 2.1) < 1e-13), 2.1, scale, 0.95)
    assert 2.1 - 2e-13 < low <= 2.1 <= high < 2.1 + 2e-13


def test_a_mirrored_assignment_counts_against_every_effect() -> None:
    # One fourth of the assignments mirrors the actual one but for rounding.
    own = np.array([0.3, -0.1 - 0.2, 0.1, 0.05])
    slopes = np.array([1.0, -1.0, 0.0, 0.0])
    assert effects_kept(own, slopes, 0.75, 1e-9) == (-np.inf, np.inf)
    assert effects_kept(own, slopes, 0.5, 1e-9) == pytest.approx((0.2, 0.4))
    assert effects_kept(own, slopes, 0.25, 1e-9) == pytest.approx((0.25, 0.35))


def test_a_cutoff_keeps_placebos_that_fit_as_well_and_perfect_ones_only_for_a_perfect_fit() -> None:
    method = jp.inference.PlaceboUnits(pre_fit_cutoff=3.0)
    refits = Refits(att=np.zeros(4), pre_rmspe=np.array([0.0, 0.3, 0.1 * 3, 0.31]))
    assert method._cut(refits, np.full(4, 0.1))[0].tolist() == [True, True, True, False]
    assert method._cut(refits, np.zeros(4))[0].tolist() == [True, False, False, False]


@pytest.mark.parametrize("statistic", ["coefficient", "studentised"])
def test_a_panel_without_errors_gives_no_evidence(statistic: Any) -> None:
    frame = simulated_panel(units=6, periods=6)
    frame["y"] = 0.1 * frame["unit"] + 0.7 * frame["period"]
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    found = estimate.with_inference(jp.inference.RandomizationInference(statistic=statistic))
    assert found.pvalue == 1
    assert found.inference is not None
    assert found.inference.smallest_pvalue == 1
    low, high = found.interval(0.5)
    assert low <= 0 <= high


def test_an_outcome_without_errors_does_not_move_the_others_of_its_family() -> None:
    frame = simulated_panel(units=8, periods=6, effect=3.0)
    frame["still"] = 0.1 * frame["unit"] + 0.7 * frame["period"]

    def estimate(outcome: str) -> jp.Estimate:
        design = jp.Design.from_frame(
            frame, unit="unit", time="period", outcome=outcome, treatment="treated"
        )
        found = jp.did.TwoWayFixedEffects().fit(design)
        return found.with_inference(jp.inference.RandomizationInference())

    table = romano_wolf({"y": estimate("y"), "still": estimate("still")}).set_index("name")
    assert table.loc["y", "adjusted"] == table.loc["y", "pvalue"] == 1 / 8
    assert table.loc["still", "adjusted"] == 1
