"""Demeaned synthetic control: published number, algebra, refits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp

DEMEANED = jp.synth.DemeanedSyntheticControl()


def design_of(frame: Any, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def test_prop99_is_the_published_estimate(prop99: jp.Design) -> None:
    # Arkhangelsky et al. (2021), table 1, column DIFP: -11.1
    assert DEMEANED.fit(prop99).att == pytest.approx(-11.1, abs=0.05)


def test_it_is_synthetic_did_with_uniform_time_weights_and_no_penalty(prop99: jp.Design) -> None:
    other = jp.synth.SyntheticDiD(time_weights="uniform", zeta_omega=0.0).fit(prop99)
    estimate = DEMEANED.fit(prop99)
    assert estimate.att == pytest.approx(other.att, abs=1e-7)
    assert estimate.weights is not None
    assert other.weights is not None
    assert estimate.weights.to_numpy() == pytest.approx(other.weights.to_numpy(), abs=1e-7)


def test_levels_of_units_and_common_period_effects_change_nothing() -> None:
    frame = simulated_panel(units=10, periods=9, adoption={0: 2007, 1: 2006})
    moved = frame.assign(y=frame.y + (frame.period - 2000) ** 2 + 50 * (frame.unit == 0))
    base, other = DEMEANED.fit(design_of(frame)), DEMEANED.fit(design_of(moved))
    assert other.att == pytest.approx(base.att)
    assert (base.weights.to_numpy() >= 0).all()  # type: ignore[union-attr]
    assert base.weights.sum().to_numpy() == pytest.approx(1.0)  # type: ignore[union-attr]


def test_a_shifted_donor_average_has_no_gap() -> None:
    frame = simulated_panel(units=6, periods=9, adoption={0: 2007})
    wide = frame.pivot(index="unit", columns="period", values="y")
    average = 40.0 + 0.3 * wide.loc[2] + 0.7 * wide.loc[4]
    frame.loc[frame.unit == 0, "y"] = (average + 2.0 * (average.index >= 2007)).to_numpy()
    estimate = DEMEANED.fit(design_of(frame))
    assert estimate.effects["estimate"].to_numpy() == pytest.approx([0.0] * 6 + [2.0] * 3, abs=1e-7)


def test_refit_many_gives_the_numbers_of_separate_fits() -> None:
    design = design_of(simulated_panel(units=12, periods=9))
    adoptions = np.full((6, 12), np.inf)
    for row in range(6):
        adoptions[row, [row, row + 2]] = [2006, 2005]
    refits = DEMEANED.refit_many(design, adoptions)
    for row, adoption in enumerate(adoptions):
        assert refits.att[row] == pytest.approx(DEMEANED.fit(design.reassigned(adoption)).att)


def test_one_pre_period_is_refused() -> None:
    with pytest.raises(jp.DesignError, match="at least 2 periods before treatment; unit 0 has 1"):
        DEMEANED.fit(design_of(simulated_panel(adoption={0: 2002})))
