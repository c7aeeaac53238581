"""Estimates under the names of broom and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from method_settings import FEW, cities, design
from scipy import stats

import jjjpolicy as jp

COLUMNS = ["term", "estimate", "std.error", "statistic", "p.value", "conf.low", "conf.high"]


@pytest.fixture(scope="module")
def estimate() -> jp.Estimate:
    return jp.did.EventStudy().fit(design(cities(FEW), assigned_at="province"))


def test_tidy_has_the_columns_of_broom_and_a_row_for_each_effect(estimate: jp.Estimate) -> None:
    table = estimate.tidy()
    assert table.columns.tolist() == COLUMNS
    assert table["term"].tolist()[:2] == ["ATT", "ATT(-7)"]
    assert len(table) == 1 + len(estimate.effects)
    overall, effect = table.iloc[0], table.set_index("term").loc["ATT(2)"]
    own = estimate.effects.set_index("event_time").loc[2]
    assert (
        effect[["estimate", "std.error", "conf.low", "conf.high"]].tolist()
        == own[["estimate", "se", "lower", "upper"]].tolist()
    )
    assert overall["statistic"] == pytest.approx(estimate.att / estimate.se)
    # Eight provinces, so that the t distribution has seven degrees of freedom.
    assert overall["p.value"] == pytest.approx(2 * stats.t.sf(abs(overall["statistic"]), 7))
    assert (overall["conf.low"], overall["conf.high"]) == estimate.interval(0.95)


def test_tidy_gives_intervals_of_the_level_asked_for(estimate: jp.Estimate) -> None:
    narrow = estimate.tidy(level=0.5).set_index("term")
    assert narrow.loc["ATT", ["conf.low", "conf.high"]].tolist() == list(estimate.interval(0.5))
    expected = estimate.effects_at(0.5)
    np.testing.assert_array_equal(narrow["conf.low"].iloc[1:], expected["lower"])


def test_a_rank_has_a_p_value_and_no_statistic(estimate: jp.Estimate) -> None:
    ranked = estimate.with_inference(jp.inference.RandomizationInference())
    overall = ranked.tidy().iloc[0]
    assert np.isnan(overall["statistic"])
    assert overall["p.value"] == ranked.pvalue


def test_without_inference_the_estimates_stand_alone() -> None:
    found = jp.synth.SyntheticControl().fit(design(cities(FEW)))
    table = found.tidy()
    assert table["estimate"].notna().all()
    assert table[COLUMNS[2:]].isna().all().all()
    assert found.glance().loc[0, "inference"] is None


def test_glance_counts_the_sample(estimate: jp.Estimate) -> None:
    row = estimate.glance().iloc[0]
    assert row[["nobs", "n.units", "n.treated", "n.periods", "n.groups"]].tolist() == [
        288,
        24,
        3,
        12,
        8,
    ]
    assert row["outcome"] == "y"


def test_aliases_of_statsmodels_hold_the_same_numbers(estimate: jp.Estimate) -> None:
    table = estimate.tidy(level=0.9).set_index("term")
    assert estimate.params["ATT"] == estimate.att
    assert estimate.bse["ATT"] == estimate.se
    assert estimate.pvalues["ATT"] == estimate.pvalue
    ends = estimate.conf_int(alpha=0.1)
    assert ends.columns.tolist() == [0, 1]
    np.testing.assert_array_equal(ends.to_numpy(), table[["conf.low", "conf.high"]].to_numpy())
    assert isinstance(estimate.params, pd.Series)


def test_great_tables_takes_what_tidy_gives(estimate: jp.Estimate) -> None:
    great_tables = pytest.importorskip("great_tables", reason="needs the extra 'test'")
    html = great_tables.GT(estimate.tidy()).fmt_number("estimate", decimals=2).as_raw_html()
    assert f"{estimate.att:.2f}" in html
