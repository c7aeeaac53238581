"""Fit before treatment, balance, donor pools."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def design_of(frame: pd.DataFrame, **changes: object) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))  # type: ignore[arg-type]


def far_above(distance: float) -> pd.DataFrame:
    frame = simulated_panel(units=9, periods=10, adoption={0: 2008})
    return frame.assign(y=frame["y"] + distance * (frame["unit"] == 0))


def test_a_unit_above_all_donors_is_outside_their_hull() -> None:
    table = jp.sensitivity.pre_fit(jp.synth.SyntheticControl().fit(design_of(far_above(50.0))))
    row = table.iloc[0]
    assert row["periods_outside"] == row["pre_periods"] == 7
    assert row["hull_share"] == pytest.approx(1.0, abs=0.02)
    assert row["hull_distance"] == pytest.approx(row["pre_rmspe"])
    assert row["bias"] > 40


def test_an_average_of_donors_is_inside() -> None:
    frame = far_above(0.0)
    values = frame["y"].to_numpy(copy=True).reshape(9, 10)
    values[0] = values[1:4].mean(axis=0)
    estimate = jp.synth.SyntheticControl().fit(design_of(frame.assign(y=values.ravel())))
    row = jp.sensitivity.pre_fit(estimate).iloc[0]
    assert row["hull_share"] == pytest.approx(0.0, abs=1e-6)
    assert row["scaled_rmspe"] == pytest.approx(0.0, abs=1e-6)
    assert row["effective_donors"] == pytest.approx(3.0)
    assert row["periods_outside"] == 0


def test_balance_compares_covariates_and_every_outcome() -> None:
    frame = far_above(0.0)
    frame["size"] = np.where(frame["unit"] == 0, 10.0, frame["unit"] * 1.0)
    estimate = jp.synth.SyntheticControl().fit(design_of(frame, covariates=["size"]))
    table = jp.sensitivity.balance(estimate).set_index("predictor")
    assert list(table.index) == ["size", *(f"y {year}" for year in range(2001, 2008))]
    weights = estimate.weights[0]  # type: ignore[index]
    assert table.loc["size", "synthetic"] == pytest.approx((weights * weights.index).sum())
    assert table.loc["size", "donors"] == pytest.approx(4.5)
    gaps = estimate.effects.query("event_time < 0")["estimate"].to_numpy()
    assert table["difference"].to_numpy()[1:] == pytest.approx(gaps)


def test_donor_pools_are_fits_with_other_donors() -> None:
    frame = far_above(0.0)
    estimate = jp.synth.SyntheticControl().fit(design_of(frame))
    table = jp.sensitivity.donor_pools(
        estimate, {"low": [1, 2, 3, 4]}, without={"no neighbours": [1, 2]}
    ).set_index("pool")
    assert table["donors"].to_dict() == {"all": 8, "low": 4, "no neighbours": 6}
    assert table.loc["all", "change"] == pytest.approx(0)
    without = jp.synth.SyntheticControl().fit(design_of(frame, exclude=[1, 2]))
    assert table.loc["no neighbours", "att"] == pytest.approx(without.att)
    with pytest.raises(jp.DesignError, match="names 0"):
        jp.sensitivity.donor_pools(estimate, {"treated": [0, 1]})
    with pytest.raises(jp.DesignError, match="'nobody' has no unit"):
        jp.sensitivity.donor_pools(estimate, {"nobody": []})


def test_sparsity_path_drops_the_least_weight_and_fits_worse() -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(far_above(0.0)))
    table = jp.sensitivity.sparsity_path(estimate)
    assert table["att"].iloc[0] == estimate.att
    assert table["donors"].iloc[-1] == 1
    assert (np.diff(table["donors"]) < 0).all()
    assert (np.diff(table["pre_rmspe"]) >= -1e-9).all()
    with pytest.raises(jp.DesignError, match="no donor weights"):
        jp.sensitivity.sparsity_path(jp.did.TwoWayFixedEffects().fit(design_of(far_above(0.0))))
