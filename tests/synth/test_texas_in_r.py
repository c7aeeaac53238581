"""Prisons in Texas: synthetic control and synthetic difference-in-differences of R synthdid."""

from __future__ import annotations

from typing import Any

import pytest
import reference

import jjjpolicy as jp

ANSWERS = reference.answers("texas")


@pytest.fixture(scope="module")
def texas() -> jp.Design:
    """Black men in prison by state; Texas is treated from 1993 on."""
    causaldata = pytest.importorskip("causaldata", reason="the Texas data come with causaldata")
    frame = causaldata.texas.load_pandas().data.astype({"statefip": int, "year": int})
    frame["treated"] = ((frame["statefip"] == 48) & (frame["year"] >= 1993)).astype(int)
    columns = {"unit": "statefip", "time": "year", "outcome": "bmprison", "treatment": "treated"}
    return jp.Design.from_frame(frame, **columns)


def test_with_the_solver_of_synthdid_every_digit_of_it_comes_out(texas: Any) -> None:
    estimate = jp.synth.SyntheticDiD(solver=jp.synth.FrankWolfe()).fit(texas)
    assert estimate.att == pytest.approx(ANSWERS["sdid"], rel=1e-12)
    after = estimate.effects.query("event_time >= 0")["estimate"]
    assert after.tolist() == pytest.approx(ANSWERS["curve"], rel=1e-10)
    assert estimate.weights is not None
    weights = estimate.weights[48]
    omega = dict(zip(map(int, ANSWERS["units"]), ANSWERS["omega"], strict=True))
    assert weights[list(omega)].to_dict() == pytest.approx(omega, abs=1e-10)


def test_the_optimum_is_near_where_that_solver_stops(texas: Any) -> None:
    exact, early = jp.synth.SyntheticDiD().fit(texas), ANSWERS["sdid"]
    assert exact.att == pytest.approx(early, abs=1)
    assert jp.synth.SyntheticControl().fit(texas).att == pytest.approx(ANSWERS["sc"], abs=5)


def test_difference_in_differences_is_that_of_synthdid(texas: Any) -> None:
    uniform = jp.synth.SyntheticDiD(unit_weights="uniform", time_weights="uniform").fit(texas)
    assert uniform.att == pytest.approx(ANSWERS["did"], rel=1e-12)
    assert jp.did.TwoWayFixedEffects().fit(texas).att == pytest.approx(ANSWERS["did"], rel=1e-12)
