"""Event studies with a linear trend for every unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp

ADOPTION = {0: 2005, 1: 2005, 2: 2005, 3: 2006, 4: 2006}


def panel(slope: float = 0.0, adoption: dict[int, int] | None = None) -> pd.DataFrame:
    frame = simulated_panel(16, 10, adoption or ADOPTION, effect=1.0)
    slopes = slope * np.random.default_rng(1).normal(size=16)
    frame["y"] += slopes[frame["unit"]] * frame["period"]
    return frame.assign(x=np.random.default_rng(2).normal(size=len(frame)))


def design_of(frame: pd.DataFrame, **options: object) -> jp.Design:
    return jp.Design.from_frame(  # type: ignore[arg-type]
        frame, unit="unit", time="period", outcome="y", treatment="treated", **options
    )


def by_hand(frame: pd.DataFrame, times: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and clustered errors (fixest factor) of the regression with all dummies."""
    since = (frame["period"] - frame["first"]).to_numpy()
    unit = pd.get_dummies(frame["unit"]).to_numpy(dtype=float)
    period = pd.get_dummies(frame["period"]).to_numpy(dtype=float)[:, 1:]
    trends = unit * (frame["period"].to_numpy()[:, None] - 2005.0)
    leads = np.column_stack([since == time for time in times]).astype(float)
    x = np.column_stack([leads, frame["x"], period, unit, trends])
    y = frame["y"].to_numpy()
    bread = np.linalg.pinv(x.T @ x)
    coefficients = bread @ x.T @ y
    scores = x * (y - x @ coefficients)[:, None]
    sums = np.stack([scores[frame["unit"] == i].sum(axis=0) for i in range(16)])
    counted = len(times) + 1 + 10
    factor = 16 / 15 * (len(y) - 1) / (len(y) - counted)
    errors = np.sqrt(factor * np.diag(bread @ sums.T @ sums @ bread))
    return coefficients[: len(times)], errors[: len(times)]


def test_coefficients_and_errors_are_those_of_the_regression_with_dummies_and_trends() -> None:
    frame = panel(slope=0.3)
    estimate = jp.did.EventStudy(unit_trends=True).fit(design_of(frame, covariates=["x"]))
    table = estimate.effects
    assert table.loc[table["estimate"] == 0, "event_time"].tolist() == [-5, -1]
    free = table[table["estimate"] != 0]
    expected, errors = by_hand(frame, free["event_time"].tolist())
    assert free["estimate"].to_numpy() == pytest.approx(expected, abs=1e-8)
    assert free["se"].to_numpy() == pytest.approx(errors, rel=1e-7)
    again = estimate.with_inference(jp.inference.Clustered())
    assert again.se == pytest.approx(estimate.se, rel=1e-12)


def test_trends_of_the_units_change_nothing() -> None:
    estimator = jp.did.EventStudy(unit_trends=True)
    without, with_trends = (estimator.fit(design_of(panel(slope))) for slope in (0.0, 5.0))
    assert with_trends.att == pytest.approx(without.att, abs=1e-8)
    plain = jp.did.EventStudy()
    assert abs(plain.fit(design_of(panel(5.0))).att - plain.fit(design_of(panel())).att) > 1


def test_the_regression_is_refitted_by_inference_that_moves_treatment() -> None:
    estimate = jp.did.EventStudy(unit_trends=True).fit(design_of(panel()))
    moved = estimate.with_inference(jp.inference.RandomizationInference(replications=39))
    assert moved.pvalue is not None
    with pytest.raises(jp.InferenceError, match="needs the residuals"):
        estimate.with_inference(jp.inference.Clustered(kind="CRV2"))


def test_what_trends_need_is_asked_for() -> None:
    estimator = jp.did.EventStudy(unit_trends=True)
    with pytest.raises(jp.DesignError, match="unit trends needs every unit in every period"):
        estimator.fit(design_of(panel().drop(index=30)))
    late = simulated_panel(8, 5, {0: 2002})
    with pytest.raises(jp.DesignError, match="two event times before adoption"):
        estimator.fit(design_of(late))
