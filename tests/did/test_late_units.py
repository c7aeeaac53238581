"""Units that are observed only under treatment: used where levels are compared, else left out."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from castle import castle_frame
from panels import staggered_panel

import jjjpolicy as jp

LATE = (0, 4, 9)
"""Units of the cohorts 2003, 2003 and 2004 whose rows before adoption are taken away."""
LEVELS = {
    "CallawaySantAnna": jp.did.CallawaySantAnna(),
    "Stacked": jp.did.Stacked(kappa_pre=1, kappa_post=1),
    "ExtendedTWFE": jp.did.ExtendedTWFE(unit_effects=False),
}
CHANGES = {
    "TwoWayFixedEffects": jp.did.TwoWayFixedEffects(),
    "EventStudy": jp.did.EventStudy(),
    "SunAbraham": jp.did.SunAbraham(),
    "Imputation": jp.did.Imputation(),
    "TwoStage": jp.did.TwoStage(),
    "ExtendedTWFE": jp.did.ExtendedTWFE(),
    "ChaisemartinDHaultfoeuille": jp.did.ChaisemartinDHaultfoeuille(),
    "LocalProjections": jp.did.LocalProjections(),
    "SyntheticDiD": jp.synth.SyntheticDiD(),
}


def late_panel() -> pd.DataFrame:
    frame = staggered_panel(units=48, effect=1.0)
    return frame[~frame["unit"].isin(LATE) | (frame["period"] >= frame["first"])]


def build(frame: pd.DataFrame) -> jp.Design:
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")


def test_callaway_santanna_is_differences_of_the_cell_means_of_all_rows() -> None:
    frame = late_panel()
    estimate = jp.did.CallawaySantAnna().fit(build(frame))
    means = frame.groupby(["first", "period"])["y"].mean()
    table = estimate.group_time.set_index(["group", "time"])["estimate"]
    for group, time in ((2003, 2003), (2003, 2005), (2004, 2004)):
        own = means[group, time] - means[group, group - 1]
        other = means[np.inf, time] - means[np.inf, group - 1]
        assert table[group, time] == pytest.approx(own - other, abs=1e-12)
    sizes = frame.drop_duplicates("unit")["first"].value_counts()
    after = table[[group <= time for group, time in table.index]]
    weights = [sizes[group] for group, _ in after.index]
    assert estimate.att == pytest.approx(np.average(after, weights=weights), abs=1e-12)


def test_the_influence_of_a_late_unit_is_its_row_against_the_mean_of_its_cell() -> None:
    frame = late_panel()
    estimate = jp.did.CallawaySantAnna().fit(build(frame))
    effects = estimate.details["group_time"]
    column = np.flatnonzero((effects.groups == 2003) & (effects.periods == 2003))[0]
    cell = frame[(frame["first"] == 2003) & (frame["period"] == 2003)].set_index("unit")["y"]
    expected = 48 * (cell[0] - cell.mean()) / len(cell)
    assert effects.influence[0, column] == pytest.approx(expected, abs=1e-12)


def test_castle_with_a_state_seen_from_its_law_on_keeps_its_rows() -> None:
    frame = castle_frame()
    state = frame.loc[frame["first"] == 2007, "sid"].iloc[0]
    frame = frame[(frame["sid"] != state) | (frame["year"] >= 2007)]
    design = jp.Design.from_frame(
        frame, unit="sid", time="year", outcome="l_homicide", adoption="first"
    )
    table = jp.did.CallawaySantAnna().fit(design).group_time.set_index(["group", "time"])
    means = frame.pivot_table("l_homicide", "year", "first")
    change = means.loc[2009] - means.loc[2006]
    expected = change[2007] - change[0]
    assert table.loc[(2007, 2009), "estimate"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", LEVELS)
def test_levels_use_every_unit(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", jp.JJJPolicyWarning)
        estimate = LEVELS[name].fit(build(late_panel()))
    assert set(LATE) <= set(estimate.design.units)
    assert np.isfinite([estimate.att, estimate.se]).all()


@pytest.mark.parametrize("name", CHANGES)
def test_changes_leave_them_out_with_a_warning_and_a_line(name: str) -> None:
    frame = late_panel()
    with pytest.warns(jp.JJJPolicyWarning, match="unit 0, 4, 9 left out, no pre-period"):
        estimate = CHANGES[name].fit(build(frame))
    expected = CHANGES[name].fit(build(frame[~frame["unit"].isin(LATE)]))
    assert estimate.att == pytest.approx(expected.att, abs=1e-10)
    assert estimate.se == pytest.approx(expected.se, abs=1e-10) or expected.se is None
    listed = estimate.design.ledger.query("item == 'unit'")
    assert listed["unit"].tolist() == list(LATE)
    assert listed["reason"].str.contains("no pre-period").all()


def test_decompositions_of_regressions_leave_them_out() -> None:
    frame = late_panel()
    with pytest.warns(jp.JJJPolicyWarning, match="left out"):
        found = jp.sensitivity.bacon_decomposition(build(frame))
    expected = jp.sensitivity.bacon_decomposition(build(frame[~frame["unit"].isin(LATE)]))
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.filterwarnings("ignore:unit 0, 4, 9 left out")
def test_parquet_files_give_the_same(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    frame = late_panel()
    frame.to_parquet(tmp_path / "panel.parquet")
    design = jp.Design.from_parquet(
        tmp_path / "panel.parquet", unit="unit", time="period", outcome="y", adoption="first"
    )
    for estimator in (jp.did.CallawaySantAnna(), jp.did.TwoStage()):
        found, expected = estimator.fit(design), estimator.fit(build(frame))
        assert found.att == pytest.approx(expected.att, abs=1e-10)
        assert found.se == pytest.approx(expected.se, abs=1e-10)


def test_without_a_date_of_adoption_a_unit_that_enters_treated_is_left_out() -> None:
    with pytest.warns(jp.JJJPolicyWarning, match="unit 0, 4, 9 left out, no pre-period"):
        design = jp.Design.from_frame(
            late_panel().assign(d=lambda f: (f["period"] >= f["first"]).astype(int)),
            unit="unit",
            time="period",
            outcome="y",
            treatment="d",
        )
    assert not set(LATE) & set(design.units)
