"""Advice says what the design has, which methods kept their size, and what cannot be had."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from method_settings import FEW, ONE, STAGGERED, cities, design

import jjjpolicy as jp
from jjjpolicy.advice.case import Case
from jjjpolicy.advice.evidence import PAIRS, derived, evidence, verdict

ROOT = Path(__file__).resolve().parents[2]


def provinces(**options: object) -> jp.Design:
    panel = jp.load("provinces", vintage="nbs_2024")
    policy = jp.policies["tax-sharing-2015"]
    chosen = {"outcome": "log_gdp", "window": (2005, 2019)} | options
    return jp.Design.from_policy(panel, policy, **chosen)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- the shipped table
def test_the_shipped_table_is_what_the_results_say() -> None:
    made = derived(ROOT / "paper" / "results")
    pd.testing.assert_frame_equal(evidence(), made, check_dtype=False)


def test_the_methods_of_the_table_are_those_that_were_calibrated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(ROOT / "analysis")
    for name in ("calibration", "study"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import calibration

    estimators = calibration.DID | calibration.SYNTHETIC
    inferences = calibration.ON_DID | {"conformal": jp.inference.Conformal()}
    assert PAIRS.keys() == calibration.NAMES.keys()
    for key, pair in PAIRS.items():
        estimator, inference = key.split("/")
        assert (pair.estimator, repr(pair.inference)) == (
            estimators[estimator],
            repr(inferences[inference]),
        )


@pytest.mark.parametrize(
    ("rates", "draws", "said"),
    [
        ([0.05, 0.06], [200, 200], "keeps"),
        # Two standard errors of a rate of 5% in 200 draws are 3.1 points.
        ([0.05, 0.085], [200, 200], "too often"),
        ([0.05, 0.08], [200, 200], "keeps"),
        ([0.085], [28], "keeps"),
        # A point beyond it, however many the draws.
        ([0.05, 0.06], [20_000, 20_000], "keeps"),
        ([0.05, 0.065], [2_000, 2_000], "too often"),
        ([0.02, 0.0], [200, 200], "too seldom"),
        ([0.0], [28], "keeps"),
        ([np.nan], [0], "no p-value"),
    ],
)
def test_a_rate_is_judged_by_what_chance_does_in_so_many_draws(
    rates: list[float], draws: list[int], said: str
) -> None:
    assert verdict(rates, draws, 0.05) == said


# ---------------------------------------------------------------------- the case
def test_groups_dates_periods_and_assignments_are_counted() -> None:
    case = Case.of(design(cities(STAGGERED), assigned_at=None))
    assert (case.units, case.groups, case.treated, case.never, case.donors) == (24, 24, 12, 12, 12)
    assert set(case.dates) == {2010, 2012}
    assert case.before == (4, 6)
    assert case.after == 6
    assert case.staggered
    assert not case.few
    case = Case.of(design(cities(FEW), assigned_at="province"))
    assert (case.units, case.groups, case.treated, case.donors) == (24, 8, 1, 21)
    assert (case.randomisations, case.placebos) == (8, 8)
    three = Case.of(design(cities(FEW)))
    assert three.randomisations == 24 * 23 * 22 / 6
    assert three.placebos == 1 + 21 * 20 * 19 / 6
    assert three.combinations == 1 + 21**3


@pytest.mark.parametrize(
    ("adoption", "options"), [(ONE, {}), (FEW, {}), (FEW, {"assigned_at": "province"})]
)
def test_the_smallest_p_value_is_that_of_the_inference_itself(
    adoption: dict[int, int], options: dict[str, str]
) -> None:
    made = design(cities(adoption), **options)
    table = jp.advise(made).to_frame().set_index(["estimator", "inference"])["smallest_pvalue"]
    estimate = jp.did.TwoWayFixedEffects().fit(made)
    for method in (
        jp.inference.RandomizationInference(),
        jp.inference.PlaceboUnits(),
        jp.inference.ConleyTaber(),
    ):
        result = estimate.with_inference(method).inference
        assert result is not None
        assert table["TwoWayFixedEffects", method.label] == pytest.approx(result.smallest_pvalue)


# ---------------------------------------------------------------------- the advice
def test_one_treated_province_can_have_no_p_value_below_one_in_twenty_nine() -> None:
    advice = jp.advise(provinces(exclude=["120000", "130000"]))
    table = advice.to_frame().set_index(["estimator", "inference"])
    assert table.loc[("SyntheticControl", "PlaceboUnits"), "verdict"] == "keeps"
    assert table.loc[("TwoWayFixedEffects", "Clustered CRV1"), "verdict"] == "too often"
    assert table.loc[("TwoWayFixedEffects", "Clustered CRV3"), "verdict"] == "no p-value"
    # Blocks of 15 years give no p-value below 1/15.
    assert table.loc[("SyntheticControl", "Conformal"), "verdict"] == "too seldom"
    assert "no p-value below 1/29 = 0.034: 1% cannot be reached" in advice.summary()
    assert "不可能小于 1/29 = 0.034：无法达到 1% 的显著性水平" in advice.summary("zh")


def test_the_rates_are_those_of_as_many_treated_provinces() -> None:
    advice = jp.advise(provinces())
    row = advice.methods.set_index(["estimator", "inference"]).loc[
        ("TwoWayFixedEffects", "Clustered CRV1")
    ]
    shipped = evidence().query("inference == 'Clustered CRV1' and treated == 3 and level == 0.05")[
        "rejection"
    ]
    assert (row["least"], row["largest"]) == (shipped.min(), shipped.max())
    assert row["draws"] == 8_000
    assert "10.7%–19.2%" in advice.summary()


def test_tests_on_residuals_of_controls_need_many_of_them() -> None:
    residual = ["ConleyTaber", "FermanPinto"]
    three = jp.advise(provinces())
    # 3 of 31 and 13 of 31: 6% and 14% in the simulation; with 28 controls one treated is well.
    assert (three.methods.set_index("inference").loc[residual, "verdict"] == "not here").all()
    assert "from about 48 untreated region_code on, and there are 28" in " ".join(
        three.summary().split()
    )
    one = jp.advise(provinces(exclude=["120000", "130000"]))
    assert (one.methods.set_index("inference").loc[residual, "verdict"] == "keeps").all()
    assert "ConleyTaber, FermanPinto" not in one.summary()


def test_where_five_per_cent_cannot_be_reached_the_widest_interval_is_named() -> None:
    few = cities(ONE).query("city in ['city 0', 'city 1', 'city 2', 'city 3']")
    text = " ".join(jp.advise(design(few)).summary().split())
    assert "neither 5% nor a 95% interval can be reached, 75.0% is the widest" in text
    methods = jp.advise(design(few)).methods.set_index("inference")["verdict"]
    assert methods["RandomizationInference"] == "too seldom"
    assert methods["ConleyTaber"] == "not here"


def test_many_treated_groups_are_not_judged_by_evidence_on_few() -> None:
    advice = jp.advise(design(cities(STAGGERED)))
    said = advice.methods.set_index("inference")["verdict"]
    assert (said[["Clustered CRV1", "RandomizationInference"]] == "no evidence").all()
    assert (said["PlaceboUnits"] == "not here").all()  # 12 treated, and no more controls
    assert "Adoption at 2 dates" in advice.summary()
    assert "clustered at city" in advice.summary()


def test_methods_that_the_design_does_not_admit_are_named_as_such() -> None:
    frame = cities(FEW)
    gaps = jp.advise(design(frame.drop(index=frame.index[200]))).methods
    assert set(gaps.loc[gaps["verdict"] == "not here", "estimator"]) == {
        "SyntheticControl",
        "DemeanedSyntheticControl",
        "SyntheticDiD",
        "TwoWayFixedEffects",  # Conley and Taber, Ferman and Pinto
    }
    frame.loc[(frame["city"] == "city 0") & (frame["year"] == 2017), "treated"] = 0
    switching = jp.advise(design(frame, absorbing=False))
    assert set(switching.methods["verdict"]) == {"not here"}
    assert "ChaisemartinDHaultfoeuille" in switching.summary()


def test_a_line_and_both_languages_show_it() -> None:
    advice = jp.advise(provinces())
    assert re.fullmatch(
        r"<Advice: 3 of 31 region_code treated; \d+ of 12 methods keep their size; 3 limits>",
        repr(advice),
    )
    for language in ("en", "zh"):
        lines = advice.summary(language).splitlines()  # type: ignore[arg-type]
        assert all(len(line) <= 100 for line in lines)
    chinese = advice.summary("zh")
    assert all(heading in chinese for heading in ("应报告的内容", "无法得到的内容"))
    with pytest.raises(jp.DataError, match="language='fr': choose 'en' or 'zh'"):
        advice.summary("fr")  # type: ignore[arg-type]


def test_the_own_panel_decides_where_asked_for() -> None:
    made = design(cities(FEW), assigned_at="province")
    advice = jp.advise(made, calibrate=True, replications=7)
    row = advice.methods.set_index("inference").loc["RandomizationInference"]
    # Seven provinces were never treated; each alone is a pseudo-policy, and p is at least 1/7.
    assert (row["draws"], row["treated"]) == (7, 1)
    direct = jp.sensitivity.calibrate(
        {"y": made},
        {"a": jp.did.TwoWayFixedEffects()},
        {"b": jp.inference.Clustered()},
        treated=(1,),
        draws=7,
        levels=(0.05,),
    ).size["rejection"]
    own = advice.methods.set_index("inference").loc["Clustered CRV1"]
    assert own["largest"] == direct.iloc[0]
    assert "your own 7 untreated province" in advice.summary()
    assert jp.advise(made, calibrate=True, replications=7).methods.equals(advice.methods)


def test_what_cannot_be_advised_on_is_refused() -> None:
    with pytest.raises(jp.InferenceError, match="draws=1 must be at least 2"):
        jp.advise(design(cities(ONE)), calibrate=True, replications=1)


def test_dates_of_quarters_are_named_as_in_the_table():
    quarters = pd.period_range("2015Q1", periods=12, freq="Q")
    rows = [
        (unit, str(quarter), float(unit + k % 3), int(unit == 0 and k >= 8))
        for unit in range(8)
        for k, quarter in enumerate(quarters)
    ]
    frame = pd.DataFrame(rows, columns=["city", "quarter", "y", "treated"])
    design = jp.Design.from_frame(
        frame, unit="city", time="quarter", outcome="y", treatment="treated"
    )
    assert "1 of 8 city treated, from 2017Q1 on" in jp.advise(design).summary()
