"""Tests under interference: exact by enumeration, counts by hand, refusals. All simulated."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.inference import ConditionalRandomization, spillover_test
from jjjpolicy.inference.permutation.focal import around_focal, far_apart

REACH, PERIODS, START = 1.0, 6, 4


def line(units: int, seed: int = 0) -> np.ndarray:
    """Places on a line, one per unit of length on average."""
    return np.sort(np.random.default_rng(seed).uniform(0, units, units))


def table(places: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(np.abs(places[:, None] - places))


def world(treated: tuple[int, ...], units: int, spill: float, effect: float) -> jp.Design:
    """What is observed if these units are treated: their effect, and spillovers within reach."""
    rng = np.random.default_rng(7)
    outcome = rng.normal(size=(units, 1)) + rng.normal(size=(1, PERIODS))
    outcome = outcome + 0.3 * rng.normal(size=(units, PERIODS))
    own = np.isin(np.arange(units), treated)
    near = (table(line(units)).to_numpy() <= REACH) & ~np.eye(units, dtype=bool)
    outcome[:, START - 1 :] += (effect * own + spill * near[:, own].any(axis=1))[:, None]
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), PERIODS),
            "period": np.tile(np.arange(1, PERIODS + 1), units),
            "y": outcome.ravel(),
            "first": np.repeat(np.where(own, START, 0), PERIODS),
        }
    )
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")


def direct(design: jp.Design) -> float:
    method = ConditionalRandomization(REACH, table(line(design.n_units)))
    return float(jp.did.TwoWayFixedEffects().fit(design).with_inference(method).pvalue or np.nan)


def ignoring(design: jp.Design) -> float:
    method = jp.inference.RandomizationInference()
    return float(jp.did.TwoWayFixedEffects().fit(design).with_inference(method).pvalue or np.nan)


def beyond(distance: float) -> Callable[[jp.Design], float]:
    def test(design: jp.Design) -> float:
        places = table(line(design.n_units))
        return spillover_test(design, beyond=distance, distances=places).pvalue

    return test


def excess(
    test: Callable[[jp.Design], float], units: int, treated: int, spill: float, effect: float
) -> float:
    """By how much a test rejects more often than its size, at the worst size, over all assignments.

    Each assignment brings about its own outcomes; a refusal does not reject.
    """
    pvalues = []
    for chosen in combinations(range(units), treated):
        try:
            pvalues.append(test(world(chosen, units, spill, effect)))
        except jp.InferenceError:
            pvalues.append(1.0)
    found = np.array(pvalues)
    return max(float((found <= size + 1e-12).mean() - size) for size in np.unique(found))


@pytest.mark.parametrize(("units", "treated"), [(12, 2), (9, 3), (30, 1)])
def test_own_effects_are_tested_exactly_with_spillovers_and_not_when_these_are_ignored(
    units: int, treated: int
) -> None:
    assert excess(direct, units, treated, spill=3.0, effect=0.0) <= 1e-9
    assert excess(ignoring, units, treated, spill=3.0, effect=0.0) > 0.03


@pytest.mark.parametrize(("units", "treated"), [(12, 2), (12, 3), (40, 1)])
def test_no_spillover_beyond_is_tested_exactly_with_spillovers_nearer_and_own_effects(
    units: int, treated: int
) -> None:
    assert excess(beyond(REACH), units, treated, spill=3.0, effect=5.0) <= 1e-9
    assert excess(beyond(0.0), units, treated, spill=3.0, effect=5.0) > 0.05


def test_the_pvalue_counts_exchanges_within_the_block_of_units_far_from_each_other() -> None:
    design = world((2, 9), 14, spill=1.0, effect=0.4)
    places = table(line(14))
    method = ConditionalRandomization(REACH, places)
    result = jp.did.TwoWayFixedEffects().fit(design).with_inference(method).inference
    assert result is not None
    focal = result.details["focal"].to_numpy()
    moving = [unit for unit in (2, 9) if unit in focal]
    changes = design.outcome[:, START - 1 :].mean(axis=1) - design.outcome[:, : START - 1].mean(
        axis=1
    )
    own = abs(_difference(changes, focal, moving))
    others = [abs(_difference(changes, focal, list(c))) for c in combinations(focal, len(moving))]
    assert result.details["pvalues"]["coefficient"] == pytest.approx(
        np.mean(np.array(others) >= own - 1e-12)
    )
    assert result.assignments == len(others) - 1
    assert (places.to_numpy()[np.ix_(focal, focal)] + 9 * np.eye(len(focal)) > REACH).all()
    assert "conditional randomisation" in result.name
    assert "need not contain the estimate" in result.notes[0]


def _difference(changes: np.ndarray, focal: np.ndarray, treated: list[int]) -> float:
    chosen = np.isin(focal, treated)
    return float(changes[focal][chosen].mean() - changes[focal][~chosen].mean())


def test_the_interval_ends_where_the_test_begins_to_reject() -> None:
    design = world((20,), 40, spill=2.0, effect=1.0)
    method = ConditionalRandomization(REACH, table(line(40)))
    estimate = jp.did.TwoWayFixedEffects().fit(design).with_inference(method)
    low, high = estimate.interval(0.9)
    assert low < 1.0 < high
    for end, inward in ((low, 1e-6), (high, -1e-6)):
        for effect, kept in ((end + inward, True), (end - inward, False)):
            moved = design.with_outcome(design.outcome - effect * design.treatment)
            assert (direct(moved) > 0.1) is kept


def test_the_statistic_is_the_covariance_with_exposure_net_of_unit_and_period_effects() -> None:
    design = world((3, 20), 30, spill=1.0, effect=1.0)
    places = table(line(30))
    found = spillover_test(design, beyond=REACH, distances=places)
    focal, exchanged = found.focal.to_numpy(), found.exchanged.to_numpy()
    away = places.to_numpy()
    assert (away[np.ix_(focal, exchanged)] > REACH).all()
    assert not set(focal) & {3, 20}
    moving = [unit for unit in (3, 20) if unit in exchanged]
    own, effect = _score(design, away, focal, moving)
    others = [
        abs(_score(design, away, focal, list(chosen))[0])
        for chosen in combinations(exchanged, len(moving))
    ]
    assert found.statistic == pytest.approx(own, rel=1e-9)
    assert found.effect == pytest.approx(effect, rel=1e-9)
    assert found.pvalue == pytest.approx(np.mean(np.array(others) >= abs(own) - 1e-12))
    assert found.assignments == len(others) - 1
    assert found.exact


def _score(
    design: jp.Design, away: np.ndarray, focal: np.ndarray, treated: list[int]
) -> tuple[float, float]:
    weights = (1 / away[np.ix_(focal, treated)]).sum(axis=1)
    exposure = weights[:, None] * (design.periods >= START)
    centre = exposure.mean(axis=1, keepdims=True) + exposure.mean(axis=0) - exposure.mean()
    exposure = exposure - centre
    covariance = float((design.outcome[focal] * exposure).sum())
    return covariance / np.sqrt((exposure**2).sum()), covariance / float((exposure**2).sum())


def test_adoption_dates_are_exchanged_with_their_units() -> None:
    """Two dates in one block: each ordered pair of its units is an assignment."""
    frame = simulated_panel(units=40, periods=8, adoption={0: 2004, 20: 2006})
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    places = table(np.arange(40.0))
    found = spillover_test(design, beyond=1.0, distances=places)
    assert found.assignments + 1 == len(list(permutations(found.exchanged, 2)))
    method = ConditionalRandomization(1.0, places)
    result = jp.did.Imputation().fit(design).with_inference(method).inference
    assert result is not None
    assert result.details["focal"].tolist() == list(range(0, 40, 2))
    assert result.assignments + 1 == 20 * 19


def test_groups_move_as_wholes_and_their_nearest_units_decide() -> None:
    frame = simulated_panel(units=24, periods=6, adoption={0: 2004, 1: 2004, 2: 2004})
    design = jp.Design.from_frame(
        frame.assign(county=frame["unit"] // 3),
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
        assigned_at="county",
    )
    places = table(np.arange(24.0))
    method = ConditionalRandomization(1.0, places)
    result = jp.did.TwoWayFixedEffects().fit(design).with_inference(method).inference
    assert result is not None
    assert result.details["focal"].tolist() == [0, 1, 2, 6, 7, 8, 12, 13, 14, 18, 19, 20]
    assert result.smallest_pvalue == pytest.approx(1 / 4)
    found = spillover_test(design, beyond=1.0, distances=places)
    assert set(found.exchanged // 3) & set(found.focal // 3) == set()
    assert len(found.exchanged) % 3 == 0


@pytest.mark.parametrize("reach", [0.0, 0.5, 1.0, 2.5])
@pytest.mark.parametrize("seed", range(5))
def test_blocks_are_disjoint_and_keep_their_distance(reach: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 6, size=(50, 2))
    away = np.linalg.norm(places[:, None] - places, axis=2)
    apart = far_apart(away, reach)
    assert sorted(np.concatenate(apart)) == list(range(50))
    for block in apart:
        assert (away[np.ix_(block, block)] + 9 * np.eye(len(block)) > reach).all()
    around = around_focal(away, reach)
    members = np.concatenate(around)
    assert len(set(members)) == len(members) > 25
    for block in around:
        assert (away[:, block].min(axis=1) > reach).any()


def test_whom_is_treated_does_not_move_the_blocks() -> None:
    """Every exchange leads to the same focal units, so that assignments fall into classes."""
    places = table(line(30))
    first = spillover_test(world((3, 20), 30, 0.0, 0.0), beyond=REACH, distances=places)
    held = tuple(unit for unit in (3, 20) if unit not in first.exchanged)
    for chosen in list(combinations(first.exchanged, 2 - len(held)))[::5]:
        other = (*held, *chosen)
        again = spillover_test(world(other, 30, 0.0, 0.0), beyond=REACH, distances=places)
        assert again.exchanged.tolist() == first.exchanged.tolist()
        assert again.focal.tolist() == first.focal.tolist()


def test_absurd_numbers_of_assignments_are_sampled_and_the_same_each_time() -> None:
    design = world(tuple(range(0, 120, 5)), 120, spill=1.0, effect=1.0)
    places = table(line(120))
    one, two = (
        spillover_test(design, beyond=REACH, distances=places, replications=99, seed=4)
        for _ in range(2)
    )
    assert not one.exact
    assert one.assignments == 99
    assert one.reference == pytest.approx(two.reference)
    assert "a sample of 99" in one.how


def test_ranks_do_not_depend_on_units_of_measure_or_on_fixed_effects() -> None:
    design = world((3, 20), 30, spill=1.0, effect=1.0)
    shifted = design.with_outcome(
        1e6 * design.outcome + np.arange(30.0)[:, None] + np.arange(6.0) ** 2
    )
    for test in (direct, beyond(REACH)):
        assert test(shifted) == test(design)


def refused(design: jp.Design, reach: float, **changes: Any) -> str:
    method = ConditionalRandomization(reach, **changes)
    with pytest.raises(jp.JJJPolicyError) as caught:
        jp.did.TwoWayFixedEffects().fit(design).with_inference(method)
    return str(caught.value)


def test_where_no_focal_set_exists_the_reason_is_given() -> None:
    design = world((3,), 12, spill=1.0, effect=1.0)
    places = table(line(12))
    message = refused(design, 50.0, distances=places)
    assert "finds no focal set: to take the treatment of 3, another group" in message
    assert "use a smaller beyond=" in message
    with pytest.raises(jp.InferenceError, match="no two untreated units lie farther than 50 from"):
        spillover_test(design, beyond=50.0, distances=places)


def test_errors_say_what_is_wrong() -> None:
    design = world((3,), 12, spill=1.0, effect=1.0)
    places = table(line(12))
    assert "ConditionalRandomization needs to know who is near whom" in refused(design, 1.0)
    assert "beyond=-1 must be a distance" in refused(design, -1, distances=places)
    assert "no row for unit 10, 11" in refused(design, 1.0, distances=places.iloc[:10])
    with pytest.raises(jp.InferenceError, match="replications=0 must be at least 1"):
        spillover_test(design, beyond=1.0, distances=places, replications=0)
    nearer = jp.did.InverseDistance(cutoff=0.5, distances=places)
    with pytest.raises(jp.InferenceError, match="exposes no focal unit to any treatment farther"):
        spillover_test(design, beyond=1.0, exposure=nearer, distances=places)
    gone = design.outcome.copy()
    gone[6:] = np.nan
    with pytest.raises(jp.DesignError, match="spillover_test needs every unit in every period"):
        spillover_test(design.with_outcome(gone), beyond=1.0, distances=places)
