"""Periods keep their names: one clock for all that counts, the user's labels in all that prints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel, staggered_panel

import jjjpolicy as jp

QUARTERS = pd.period_range("2017Q2", periods=40, freq="Q")
WRITTEN: dict[str, Callable[[int], Any]] = {
    "period": lambda t: QUARTERS[t],
    "first day": lambda t: QUARTERS[t].start_time,
    "last day": lambda t: QUARTERS[t].end_time.normalize(),
    "date": lambda t: QUARTERS[t].start_time.date(),
    "text": lambda t: str(QUARTERS[t]),
    "small text": lambda t: str(QUARTERS[t]).lower(),
    "Chinese text": lambda t: f"{QUARTERS[t].year}年{QUARTERS[t].quarter}季度",
}


def written(frame: pd.DataFrame, write: Callable[[int], Any], *columns: str) -> pd.DataFrame:
    """The panel with years from 2001 on as quarters from 2017Q2 on."""
    changed = {
        name: [write(int(at) - 2001) if np.isfinite(at) and at else None for at in frame[name]]
        for name in columns
    }
    return frame.assign(**changed)


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    keys = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(keys | changes))


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return simulated_panel(units=12, periods=12, adoption={0: 2008})


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("given", [{"treatment": "treated"}, {"adoption": "first"}])
def test_a_quarterly_panel_gives_the_numbers_of_a_numbered_one(
    panel: pd.DataFrame, form: str, given: dict[str, str]
) -> None:
    numbered = panel.assign(period=panel["period"] - 2001)
    known = jp.synth.SyntheticControl().fit(design_of(numbered))
    quarterly = written(panel, WRITTEN[form], "period", "first")
    design = design_of(quarterly, **({"treatment": None} | given))
    estimate = jp.synth.SyntheticControl().fit(design)
    assert estimate.att == known.att
    pd.testing.assert_frame_equal(estimate.effects, known.effects)
    assert design.period_names[0] == "2017Q2"
    assert estimate.calendar_effects["period"].tolist() == [
        "2019Q1",
        "2019Q2",
        "2019Q3",
        "2019Q4",
        "2020Q1",
    ]
    assert estimate.unit_effects["adoption"].tolist() == ["2019Q1"]
    assert estimate.counterfactual.columns[-1] == "2020Q1"


def test_summary_table_ledger_and_figures_print_quarters(panel: pd.DataFrame) -> None:
    frame = written(panel, WRITTEN["first day"], "period").drop(index=17)
    whole = design_of(written(panel, WRITTEN["first day"], "period"))
    estimate = jp.synth.SyntheticControl().fit(whole)
    for language in ("en", "zh"):
        text = estimate.summary(language=language)
        assert "2017Q2–2020Q1" in text
        assert "2019Q1" in text
        table = jp.compare({"SC": estimate}).to_markdown(language)
        assert "2017Q2–2020Q1" in table
        assert "| 2019Q1 |" in table
    for kind in ("paths", "gaps"):
        figure = estimate.plot(kind)
        figure.draw_without_rendering()
        (axes,) = figure.axes
        ticks = [label.get_text() for label in axes.get_xticklabels()]
        assert {"2018Q1", "2019Q1", "2020Q1"} <= set(ticks)
        assert axes.get_xlabel() == "Quarter"
    design = design_of(frame, window=(pd.Timestamp("2017-04-01"), pd.Timestamp("2019-10-01")))
    ledger = design.ledger
    assert ledger.loc[ledger["item"] == "period", "period"].tolist() == ["2020Q1"]
    assert ledger.loc[ledger["item"] == "cell", "period"].tolist() == ["2018Q3"]
    assert "2017Q2-2019Q4" in repr(design)
    assert estimate.provenance["data"]["periods"] == ["2017Q2", "2020Q1"]


def test_group_time_effects_and_averages_by_cohort_and_calendar_bear_names() -> None:
    frame = staggered_panel(units=60)
    quarterly = design_of(
        written(frame, WRITTEN["period"], "period", "first"), treatment=None, adoption="first"
    )
    known = jp.did.CallawaySantAnna().fit(design_of(frame, treatment=None, adoption="first"))
    estimate = jp.did.CallawaySantAnna().fit(quarterly)
    assert estimate.att == known.att
    numbers = dict(zip(map(str, QUARTERS), range(2001, 2041), strict=True))
    for name in ("group", "time"):
        assert estimate.group_time[name].map(numbers).tolist() == known.group_time[name].tolist()
    for kind, name in (("group", "group"), ("calendar", "period")):
        levels = estimate.aggregate(kind).levels
        assert levels[name].map(numbers).tolist() == known.aggregate(kind).levels[name].tolist()
    imputed = jp.did.Imputation().fit(quarterly)
    assert set(imputed.details["group_time"]["group"]) == set(estimate.group_time["group"])


def test_intervals_by_cohort_find_their_cohorts_by_name() -> None:
    frame = simulated_panel(units=14, periods=12, adoption={0: 2007, 1: 2009})
    quarterly = written(frame, WRITTEN["text"], "period")
    for method in (jp.inference.PlaceboUnits(), jp.inference.Conformal()):
        named = jp.synth.SyntheticControl().fit(design_of(quarterly)).with_inference(method)
        known = jp.synth.SyntheticControl().fit(design_of(frame)).with_inference(method)
        assert named.by_cohort["adoption"].tolist() == ["2018Q4", "2019Q2"]
        np.testing.assert_array_equal(
            named.by_cohort_at(0.5)[["lower", "upper"]], known.by_cohort_at(0.5)[["lower", "upper"]]
        )


def test_details_of_synthetic_controls_bear_the_names_of_periods_and_cohorts() -> None:
    frame = simulated_panel(units=14, periods=12, adoption={0: 2007, 1: 2009})
    quarters = [str(quarter) for quarter in QUARTERS[:12]]
    quarterly = design_of(written(frame, WRITTEN["text"], "period"))
    estimate, known = (jp.synth.SyntheticDiD().fit(d) for d in (quarterly, design_of(frame)))
    lambda_ = estimate.details["lambda"]
    assert lambda_.index.tolist() == quarters
    cohorts = ["2018Q4", "2019Q2"]
    assert lambda_.columns.tolist() == estimate.details["omega"].columns.tolist() == cohorts
    assert estimate.details["cohorts"]["cohort"].tolist() == cohorts
    assert known.details["cohorts"]["cohort"].tolist() == [2007, 2009]
    np.testing.assert_array_equal(lambda_, known.details["lambda"])
    jackknife = jp.inference.Jackknife(level="unit")  # holds these weights fixed
    assert estimate.with_inference(jackknife).se == known.with_inference(jackknife).se

    factors = jp.synth.GeneralizedSyntheticControl(rank=1).fit(quarterly).details["factors"]
    assert factors.index.tolist() == quarters
    single = quarterly.keep_units(quarterly.units != 1, "another date")
    joint = jp.synth.InclusiveSyntheticControl(affected=[2]).fit(single).details["joint"]
    assert joint.frame().columns.tolist() == quarters


FORMS = {
    "months": (pd.period_range("2019-11", periods=12, freq="M"), "2019-11", "2020-06"),
    "fifteenths": (
        pd.date_range("2019-11-01", periods=12, freq="MS") + pd.Timedelta(days=14),
        "2019-11",
        "2020-06",
    ),
    "month ends": (pd.date_range("2019-11-30", periods=12, freq="ME"), "2019-11", "2020-06"),
    "month texts": (
        [f"{m.year}年{m.month}月" for m in pd.period_range("2019-11", periods=12, freq="M")],
        "2019-11",
        "2020-06",
    ),
    "weeks": (pd.date_range("2019-11-05", periods=12, freq="7D"), "2019-11-05", "2019-12-24"),
    "working days": (pd.bdate_range("2019-11-04", periods=12), "2019-11-04", "2019-11-13"),
    "years": (pd.period_range("2001", periods=12, freq="Y"), 2001, 2008),
    "ends of years": (pd.date_range("2001-12-31", periods=12, freq="YE"), 2001, 2008),
    "year texts": ([f"{2001 + t}年" for t in range(12)], 2001, 2008),
    "time zones": (
        pd.date_range("2019-10-01", periods=12, freq="QS", tz="Asia/Shanghai"),
        "2019Q4",
        "2021Q3",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_months_weeks_days_and_years_are_named_by_what_they_are(
    panel: pd.DataFrame, form: str
) -> None:
    periods, first, adopted = FORMS[form]
    design = design_of(written(panel, lambda t: periods[t], "period"))
    assert design.period_names[0] == first
    assert design.labels.clock.names(design.cohorts) == [adopted]


def test_event_time_counts_the_quarters_of_the_calendar(panel: pd.DataFrame) -> None:
    """Every second quarter, and a year without any, as every second calendar year."""
    wide = {at: 2001 + 2 * (at - 2001) + (4 if at > 2005 else 0) for at in range(2001, 2013)}
    numbered = panel.assign(period=panel["period"].map(wide))
    named = written(numbered, WRITTEN["first day"], "period")
    one = jp.did.EventStudy().fit(design_of(numbered))
    other = jp.did.EventStudy().fit(design_of(named))
    pd.testing.assert_frame_equal(one.effects, other.effects)
    assert other.effects["event_time"].tolist() == [
        -18,
        -16,
        -14,
        -12,
        -10,
        -4,
        -2,
        *range(0, 10, 2),
    ]


def test_biennial_years_are_counted_in_years_however_they_are_written(panel: pd.DataFrame) -> None:
    years = panel["period"] * 2 - 2001
    known = jp.did.EventStudy().fit(design_of(panel.assign(period=years)))
    dated = pd.to_datetime(years.astype(str) + "-06-30")
    found = jp.did.EventStudy().fit(design_of(panel.assign(period=dated)))
    pd.testing.assert_frame_equal(found.effects, known.effects)
    assert found.design.period_names == sorted(years.unique().tolist())


def test_missing_dates_mean_never_treated_and_others_must_be_periods(panel: pd.DataFrame) -> None:
    frame = written(panel, WRITTEN["first day"], "period", "first")
    assert frame["first"].isna().any()
    design = design_of(frame, treatment=None, adoption="first")
    assert design.count(design.treated) == 1

    def refused(first: object) -> str:
        changed = frame.assign(first=frame["first"].astype(object).where(frame["unit"] > 0, first))
        with pytest.raises(jp.DesignError) as caught:
            design_of(changed, treatment=None, adoption="first")
        return str(caught.value)

    assert "row 0: 2019-02-15" in refused(pd.Timestamp("2019-02-15"))
    assert "this or the next" in refused(date(2019, 2, 15))
    assert "such as 2017Q2" in refused("spring")
    assert "row 0: 2019" in refused(2019)
    later = frame.assign(first=frame["first"].where(frame["unit"] > 0, pd.Timestamp("2029-01-01")))
    with pytest.raises(jp.DesignError, match="no unit is treated within period 2017Q2-2020Q1"):
        design_of(later, treatment=None, adoption="first")


def test_words_for_never_treated_stand_beside_quarters(panel: pd.DataFrame) -> None:
    frame = written(panel, WRITTEN["text"], "period", "first")
    for never in ("0", "", None):
        changed = frame.assign(first=frame["first"].where(frame["unit"] == 0, never))
        design = design_of(changed, treatment=None, adoption="first")
        assert design.labels.clock.names(design.cohorts) == ["2019Q1"]


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (pd.date_range("2019-01-01", periods=12, freq="6h"), "times of day"),
        (
            pd.to_datetime([f"2019-{m:02}-{3 + 7 * (m % 2)}" for m in range(1, 13)]),
            r"dt\.to_period\('M'\)",
        ),
        ([*map(str, QUARTERS[:11]), "2020"], "row 11: '2020'"),
        ([None, *QUARTERS[1:12].to_timestamp()], "missing in row 0"),
    ],
)
def test_what_names_no_period_is_refused_with_what_to_do(
    panel: pd.DataFrame, dates: Any, said: str
) -> None:
    with pytest.raises(jp.DesignError, match=said):
        design_of(panel.assign(period=[dates[int(t) - 2001] for t in panel["period"]]))


def test_messages_name_quarters(panel: pd.DataFrame) -> None:
    frame = written(panel, WRITTEN["period"], "period")
    with pytest.raises(jp.DesignError, match="'y' is missing for unit 1 in period 2017Q4"):
        design_of(frame.assign(y=frame["y"].where(frame.index != 14)))
    with pytest.raises(jp.DesignError, match="unit 0 in period 2017Q2"):
        design_of(pd.concat([frame, frame.iloc[:1]]))


def test_files_that_are_read_in_batches_hold_quarters_too(
    panel: pd.DataFrame, tmp_path: Any
) -> None:
    pytest.importorskip("duckdb", reason="needs pip install 'jjjpolicy[firms]'")
    path = tmp_path / "panel.parquet"
    frame = written(panel, WRITTEN["first day"], "period", "first")
    frame.to_parquet(path)
    span = (pd.Timestamp("2017-07-01"), pd.Timestamp("2020-01-01"))
    keys = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first", "window": span}
    whole = jp.Design.from_frame(frame, **keys)
    summed = jp.Design.from_parquet(path, **keys)
    assert summed.period_names == whole.period_names
    found, known = (jp.did.TwoWayFixedEffects().fit(design) for design in (summed, whole))
    assert found.att == pytest.approx(known.att, rel=1e-9)


def test_predictors_are_averaged_over_periods_by_name(panel: pd.DataFrame) -> None:
    frame = panel.assign(x=panel["y"] ** 2)
    named = design_of(written(frame, WRITTEN["period"], "period"), predictors=["x"])
    known = design_of(frame, predictors=["x"])
    fits = [
        jp.synth.SyntheticControl(
            [jp.synth.Predictor("x", span), jp.synth.Predictor("y")], jp.synth.InverseVariance()
        ).fit(design)
        for design, span in ((named, ("2017Q3", "2018Q1")), (known, (2002, 2004)))
    ]
    assert fits[0].att == fits[1].att
    for span, said in (
        ("2019Q1", "uses 2019Q1, when 0 is already treated; end it before 2019Q1"),
        (("2030Q1", "2031Q1"), "it runs from 2017Q2 to 2020Q1"),
        ("spring", "'spring' is no period"),
    ):
        with pytest.raises(jp.DesignError, match=said):
            jp.synth.SyntheticControl(
                [jp.synth.Predictor("x", span)], jp.synth.InverseVariance()
            ).fit(named)


@pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")
def test_effects_without_an_estimate_are_listed_by_name() -> None:
    frame = staggered_panel(units=40)
    frame["first"] = frame["first"].replace(np.inf, 2006.0)
    quarterly = written(frame, WRITTEN["period"], "period", "first")
    design = design_of(quarterly, treatment=None, adoption="first")
    estimate = jp.did.CallawaySantAnna(control="not_yet").fit(design)
    effects = estimate.design.ledger.query("item == 'effect'")
    assert "2018Q3" in set(effects["period"])
    assert effects["reason"].str.contains("cohort 2017Q4").any()
    assert not effects["reason"].str.contains(r"\b1[89]\d\b").any()
    assert set(estimate.details["not_estimable"]["group"]) <= set(map(str, QUARTERS))


def test_a_quarterly_frame_is_five_lines_from_a_word_table_in_chinese(
    panel: pd.DataFrame, tmp_path: Any
) -> None:
    docx = pytest.importorskip("docx", reason="needs pip install 'jjjpolicy[paper]'")
    frame = written(panel, WRITTEN["first day"], "period")
    frame["treated"] = np.where(frame["treated"] == 1, "yes", "no")

    design = design_of(frame)
    estimate = jp.synth.SyntheticControl().fit(design).with_inference(jp.inference.PlaceboUnits())
    summary = estimate.summary(language="zh")
    figure = estimate.plot(language="zh")
    jp.compare({"合成控制法": estimate}, language="zh").to_docx(tmp_path / "effect.docx")

    assert "首次处理于 2019Q1" in summary
    assert figure.axes[0].get_xlabel() == "季度"
    for thing in (design, estimate):
        assert "array(" not in repr(thing)
    (table,) = docx.Document(str(tmp_path / "effect.docx")).tables
    cells = {row.cells[0].text: row.cells[1].text.strip() for row in table.rows}
    assert cells["首次处理"] == "2019Q1"
    assert cells["样本期"] == "2017Q2–2020Q1"
    assert cells["95% 置信区间"].startswith("91.7%: [")
