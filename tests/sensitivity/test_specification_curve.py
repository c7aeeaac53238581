"""Every combination of choices, in order, with reasons for what failed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.registry import lookup

ESTIMATORS = {"DiD": jp.did.TwoWayFixedEffects(), "SC": jp.synth.SyntheticControl()}
CHOICES: dict[str, dict[str, Any]] = {
    "window": {"long": (2001, 2010), "short": (2004, 2010), "none": (2008, 2010)},
    "pool": {"all": (), "without 1 and 2": (1, 2)},
}


def build(window: tuple[int, int], pool: tuple[int, ...]) -> jp.Design:
    return jp.Design.from_frame(
        simulated_panel(units=9, periods=10, adoption={0: 2008}, effect=2.0),
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
        window=window,
        exclude=pool,
    )


def test_each_combination_is_the_fit_of_its_design() -> None:
    curve = jp.sensitivity.specification_curve(build, CHOICES, ESTIMATORS)
    assert list(curve.columns[:4]) == ["window", "pool", "estimator", "att"]
    assert len(curve) == 12
    assert list(curve["estimator"]) == ["DiD", "SC"] * 6
    assert list(curve["window"]) == ["long"] * 4 + ["short"] * 4 + ["none"] * 4
    row = curve.query("window == 'short' and pool == 'without 1 and 2' and estimator == 'SC'")
    estimate = ESTIMATORS["SC"].fit(build((2004, 2010), (1, 2)))
    assert row["att"].item() == estimate.att
    assert row["pre_rmspe"].item() == pytest.approx(estimate.unit_effects["pre_rmspe"].item())  # type: ignore[index]
    assert row[["units", "treated_units", "pre_periods", "periods"]].to_numpy().tolist() == [
        [7, 1, 4, 7]
    ]


def test_failures_stay_in_the_table_with_their_reason() -> None:
    curve = jp.sensitivity.specification_curve(build, CHOICES, ESTIMATORS)
    failed = curve[curve["failure"] != ""]
    assert (failed["window"] == "none").all()
    assert len(failed) == 4
    assert failed["failure"].str.startswith("DesignError: ").all()
    assert failed["att"].isna().all()
    summary = jp.sensitivity.summarize_curve(curve)
    assert summary["specifications"] == 12
    assert summary["failures"] == 4
    assert summary["share_positive"] == 1
    assert summary["least"] <= summary["median"] <= summary["largest"]


def test_an_estimator_that_refuses_leaves_the_others() -> None:
    def staggered(pool: tuple[int, ...]) -> jp.Design:
        frame = simulated_panel(units=9, periods=10, adoption={0: 2006, 1: 2008})
        return jp.Design.from_frame(
            frame, unit="unit", time="period", outcome="y", treatment="treated", exclude=pool
        )

    curve = jp.sensitivity.specification_curve(
        staggered,
        {"pool": {"all": ()}},
        ESTIMATORS,
        inference=jp.inference.Conformal(),
    )
    assert list(curve["failure"] == "") == [False, True]
    curve = jp.sensitivity.specification_curve(
        staggered, {"pool": {"all": ()}}, ESTIMATORS, inference=jp.inference.InfluenceFunction()
    )
    assert list(curve["failure"] == "") == [True, False]


def test_inference_gives_p_values_and_intervals_at_the_level() -> None:
    choices = {"window": {"long": (2001, 2010)}, "pool": {"all": ()}}
    method = jp.inference.PlaceboUnits()
    curve = jp.sensitivity.specification_curve(
        build, choices, {"SC": ESTIMATORS["SC"]}, inference=method, level=0.8
    )
    estimate = ESTIMATORS["SC"].fit(build((2001, 2010), ())).with_inference(method)
    assert curve["pvalue"].item() == estimate.pvalue
    assert curve[["lower", "upper"]].to_numpy()[0] == pytest.approx(estimate.interval(0.8))


def test_shares_are_of_the_specifications_that_have_a_p_value() -> None:
    curve = pd.DataFrame(
        {"att": [-1.0, 1.0, 2.0], "pvalue": [0.01, np.nan, 0.5], "failure": ["", "", ""]}
    )
    summary = jp.sensitivity.summarize_curve(curve)
    assert summary["with_pvalue"] == 2
    assert summary["share_significantly_negative"] == 0.5
    assert summary["share_negative"] == pytest.approx(1 / 3)
    assert "with_pvalue" not in jp.sensitivity.summarize_curve(curve.assign(pvalue=np.nan))


def test_workers_do_not_change_the_table() -> None:
    frame = simulated_panel(units=9, periods=10, adoption={0: 2008}, effect=2.0)

    def local(window: tuple[int, int], pool: tuple[int, ...]) -> Any:
        # Workers cannot import this module: everything they need travels with the function.
        from jjjpolicy.design.design import Design

        columns = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
        return Design.from_frame(frame, **columns, window=window, exclude=pool)

    one = jp.sensitivity.specification_curve(local, CHOICES, ESTIMATORS, jobs=1)
    two = jp.sensitivity.specification_curve(local, CHOICES, ESTIMATORS, jobs=2)
    pd.testing.assert_frame_equal(one, two)


def test_data_files_that_workers_read_are_known_to_provenance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lookup, "_files_read", set())

    def bundled(window: tuple[int, int]) -> Any:
        import jjjpolicy

        return jjjpolicy.Design.from_policy(
            jjjpolicy.load("provinces", vintage="nbs_2024"),
            jjjpolicy.policies["tax-sharing-2015"],
            outcome="log_gdp",
            window=window,
        )

    choices = {"window": {"a": (2010, 2019), "b": (2011, 2019)}}
    jp.sensitivity.specification_curve(bundled, choices, {"DiD": ESTIMATORS["DiD"]}, jobs=2)
    assert "provinces.csv" in {path.name for path in lookup.data_files_read()}


def test_warnings_are_kept_beside_the_number() -> None:
    def warned(pool: tuple[int, ...]) -> jp.Design:
        warnings.warn("figures were revised", jp.errors.JJJPolicyWarning, stacklevel=1)
        return build((2001, 2010), pool)

    curve = jp.sensitivity.specification_curve(warned, {"pool": {"all": ()}}, ESTIMATORS)
    assert (curve["warnings"] == "figures were revised").all()
    assert np.isfinite(curve["att"]).all()


def test_bad_choices_are_refused() -> None:
    with pytest.raises(jp.DataError, match="'pool' has no option"):
        jp.sensitivity.specification_curve(build, {"pool": {}}, ESTIMATORS)
    with pytest.raises(jp.DataError, match="'att' is called like a column"):
        jp.sensitivity.specification_curve(build, {"att": {"a": 1}}, ESTIMATORS)
    with pytest.raises(jp.DataError, match="estimators= is empty"):
        jp.sensitivity.specification_curve(build, CHOICES, {})
