"""Rings chosen by the data: the number of bins of binsreg, effects as in SpilloverRings, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.did.chosen_rings import _number_of_bins
from jjjpolicy.registry.geography import great_circle_km

pytestmark = pytest.mark.filterwarnings("ignore:these rings are chosen")


def design_of(
    units: int = 120, spill: float = 2.0, reach: float = 250.0, seed: int = 3, **changes: Any
) -> jp.Design:
    """One treated unit in the middle; neighbours within reach gain ``spill``."""
    frame = simulated_panel(units=units, periods=8, adoption={0: 2005}, effect=1.0, seed=seed)
    rng = np.random.default_rng(seed)
    places = np.column_stack([rng.uniform(30, 40, units), rng.uniform(110, 120, units)])
    places[0] = 35.0, 115.0
    near = great_circle_km(places, places[:1])[:, 0] <= reach
    moved = near[frame["unit"]] & (frame["period"] >= 2005) & (frame["unit"] > 0)
    frame = frame.assign(
        lat=places[frame["unit"], 0], lon=places[frame["unit"], 1], y=frame["y"] + spill * moved
    )
    arguments: dict[str, Any] = {
        "unit": "unit",
        "time": "period",
        "outcome": "y",
        "treatment": "treated",
        "coordinates": ("lat", "lon"),
    }
    return jp.Design.from_frame(frame, **(arguments | changes))


BINSREG = [
    (0, 176, 4, "direct plug-in", 0.1906412036519444, 1.0520057475990714),
    (1, 200, 9, "direct plug-in", 1.1265091016426572, 0.7931971581940516),
    (2, 240, 8, "direct plug-in", 0.9237303003816382, 1.0904154531858723),
    (3, 1696, 15, "direct plug-in", 0.9987172415567418, 1.058035519958668),
    (0, 33, 5, "rule of thumb", 0.3769697992240591, 0.9369471009174296),
]
"""Seed, units, number of bins, rule, and constants of bias and variance in binsreg 3.2.1.

``binsregselect(y, x)`` on simulated data. With 8 or 16 bins in its first step and a multiple of
them as units its quantiles are exact; it takes 0.6 · 60 for a little more than 36, and cuts at the
sixteenth digit of a distance, which moves single units into another bin.
"""


@pytest.mark.parametrize(("seed", "units", "bins", "rule", "bias", "variance"), BINSREG)
def test_the_number_of_bins_is_that_of_binsreg(
    seed: int, units: int, bins: int, rule: str, bias: float, variance: float
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.gamma(2, 50, units) if units == 176 else rng.uniform(0, 300, units)
    y = np.exp(-x / 40) + rng.normal(size=units)
    number, own_rule, own_bias, own_variance = _number_of_bins(x, y, units)
    assert (number, own_rule) == (bins, rule)
    assert [own_bias, own_variance] == pytest.approx([bias, variance], rel=1e-9)


def test_effects_in_the_rings_are_those_of_the_estimator_with_these_rings() -> None:
    design = design_of()
    partition = jp.did.ring_partition(design)
    rings = jp.did.SpilloverRings(rings=partition.rings).fit(design).details["rings"]
    assert partition.table["estimate"].iloc[:-1].to_numpy() == pytest.approx(
        rings["estimate"].to_numpy(), abs=1e-10
    )
    assert partition.table["units"].iloc[:-1].tolist() == rings["units"].tolist()
    assert partition.table["units"].sum() == partition.units == 119
    assert partition.table["estimate"].iloc[-1] == 0


def test_errors_are_those_of_a_difference_of_two_means() -> None:
    """The root of the summed squared errors of both means, with the factor n / (n - J)."""
    design = design_of()
    partition = jp.did.ring_partition(design)
    after = design.periods >= 2005
    change = design.outcome[:, after].mean(axis=1) - design.outcome[:, ~after].mean(axis=1)
    away = great_circle_km(design.coordinates, design.coordinates[:1])[:, 0]
    table = partition.table
    squares = []
    for row in table.itertuples():
        inside = (away > row.inner) & (away <= row.outer) & ~design.treated
        squares.append(np.var(change[inside]) / inside.sum())
    factor = 119 / (119 - len(table))
    expected = np.sqrt(factor * (np.array(squares[:-1]) + squares[-1]))
    assert table["se"].iloc[:-1].to_numpy() == pytest.approx(expected, rel=1e-9)
    assert np.isnan(table["se"].iloc[-1])


def test_the_curve_finds_where_the_effect_ends() -> None:
    table = jp.did.ring_partition(design_of(units=400)).table
    inside = table["outer"] <= 250
    beyond = (table["inner"] > 250) & (table.index < len(table) - 1)
    assert inside.sum() >= 2
    assert table["estimate"][inside].to_numpy() == pytest.approx(2.0, abs=0.25)
    assert table["estimate"][beyond].to_numpy() == pytest.approx(0.0, abs=0.25)


def test_the_choice_is_the_same_whatever_the_order_and_the_units_of_measure() -> None:
    design = design_of()
    partition = jp.did.ring_partition(design)
    away = great_circle_km(design.coordinates, design.coordinates)
    shuffled = np.random.default_rng(1).permutation(design.n_units)
    table = pd.DataFrame(1000 * away, index=design.units, columns=design.units)
    other = jp.did.ring_partition(
        design.with_outcome(5 * design.outcome + 3), distances=table.iloc[shuffled, shuffled]
    )
    assert np.array(other.rings) / 1000 == pytest.approx(np.array(partition.rings), rel=1e-9)
    assert other.table["estimate"].to_numpy() / 5 == pytest.approx(
        partition.table["estimate"].to_numpy(), abs=1e-9
    )


def test_within_leaves_the_far_out() -> None:
    design = design_of(units=400)
    partition = jp.did.ring_partition(design, within=500)
    assert partition.table["outer"].iloc[-1] <= 500
    assert partition.units < 399


@pytest.mark.filterwarnings("default:these rings are chosen")
def test_the_warning_on_inference_after_selection_is_given() -> None:
    with pytest.warns(jp.JJJPolicyWarning, match="chosen by the outcome.*too optimistic"):
        jp.did.ring_partition(design_of())


def test_refusals_say_what_to_do() -> None:
    with pytest.raises(jp.DesignError, match="finds 19 different distances.*needs 24"):
        jp.did.ring_partition(design_of(units=20))
    with pytest.raises(jp.DesignError, match="ring_partition needs to know who is near whom"):
        jp.did.ring_partition(design_of(coordinates=None))
    staggered = design_of()
    adoption = staggered.adoption.copy()
    adoption[1] = 2006
    with pytest.raises(jp.DesignError, match="one adoption period.*2005, 2006"):
        jp.did.ring_partition(staggered.reassigned(adoption))
    flat = design_of()
    change = flat.periods >= 2005
    with pytest.raises(jp.DesignError, match="choose a single bin"):
        jp.did.ring_partition(flat.with_outcome(np.ones((120, 1)) * change))
