"""Comparisons name their columns themselves, and come as frames and Excel files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from method_settings import FEW, cities, design

import jjjpolicy as jp
from jjjpolicy.report import Column, Interval, Number, PValue, Row, Table, Text
from jjjpolicy.report.tables.content import Panel


@pytest.fixture(scope="module")
def twfe() -> jp.Estimate:
    return jp.did.TwoWayFixedEffects().fit(design(cities(FEW)))


@pytest.fixture(scope="module")
def demeaned() -> jp.Estimate:
    return jp.synth.DemeanedSyntheticControl().fit(design(cities(FEW)))


def headings(table: Table) -> list[str]:
    return [str(column.heading) for column in table.columns]


def test_a_list_is_named_after_its_estimators(twfe: jp.Estimate, demeaned: jp.Estimate) -> None:
    by_name = jp.compare({twfe.estimator.label: twfe, demeaned.estimator.label: demeaned})
    for given in ([twfe, demeaned], (twfe, demeaned), iter([twfe, demeaned])):
        assert jp.compare(given).to_markdown() == by_name.to_markdown()
    assert headings(jp.compare(twfe)) == ["TwoWayFixedEffects"]


def test_columns_of_one_estimator_are_told_apart_by_what_differs(twfe: jp.Estimate) -> None:
    ranked = twfe.with_inference(jp.inference.RandomizationInference(replications=9))
    assert headings(jp.compare([twfe, ranked])) == [
        f"TwoWayFixedEffects, {each.inference.name}" for each in (twfe, ranked) if each.inference
    ]
    other = jp.did.TwoWayFixedEffects().fit(design(cities(FEW), outcome="flows"))
    assert headings(jp.compare([twfe, other])) == [
        "TwoWayFixedEffects, y",
        "TwoWayFixedEffects, flows",
    ]
    assert headings(jp.compare([twfe, twfe])) == ["TwoWayFixedEffects, 1", "TwoWayFixedEffects, 2"]


def test_what_is_no_estimate_is_refused(twfe: jp.Estimate) -> None:
    with pytest.raises(jp.DataError, match=r"compare\(\) holds Design, not an Estimate"):
        jp.compare([twfe, twfe.design])  # type: ignore[list-item]
    with pytest.raises(jp.DataError, match="is empty; name at least one"):
        jp.compare([])


def test_a_comparison_is_a_frame_of_unrounded_numbers(
    twfe: jp.Estimate, demeaned: jp.Estimate
) -> None:
    frame = jp.compare([twfe, demeaned]).to_frame()
    own = frame["TwoWayFixedEffects"]
    assert own["ATT"] == twfe.att
    assert own["Standard error"] == twfe.se
    assert (own["95% interval, low"], own["95% interval, high"]) == twfe.interval()
    assert own["Observations"] == 24 * 12
    assert pd.isna(frame.loc["Standard error", "DemeanedSyntheticControl"])
    assert jp.compare([twfe]).to_frame("zh").loc["标准误", "TwoWayFixedEffects"] == twfe.se


HEADED = Table(
    "headed",
    Text("Two panels", "两组"),
    (Column("a", span="both"), Column("b", span="both"), Column("c", span="one")),
    (
        Panel("first", (Row("effect", (Number(1.25, 2), Number(float("inf"), 2), "=A1")),)),
        Panel("second", (Row("range", (Interval(1.0, 2.0, 1), None, PValue(0.0001))),)),
    ),
    notes=("A note.",),
    missing="not computed.",
)


def test_headings_are_levels_of_the_frame() -> None:
    frame = HEADED.to_frame()
    assert frame.index.tolist() == [
        ("first", "effect"),
        ("second", "range, low"),
        ("second", "range, high"),
    ]
    assert frame.columns.tolist() == [("both", "a"), ("both", "b"), ("one", "c")]
    assert frame[("both", "a")].tolist() == [1.25, 1.0, 2.0]


def test_numbers_in_excel_are_numbers_with_their_decimals_and_texts_are_never_run(
    tmp_path: Path,
) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="needs pip install 'jjjpolicy[firms]'")
    HEADED.to_excel(tmp_path / "headed.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "headed.xlsx").active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows == [
        ["Two panels", None, None, None],
        [None, "both", "both", "one"],
        [None, "a", "b", "c"],
        ["first", None, None, None],
        ["effect", 1.25, "∞", "'=A1"],
        ["second", None, None, None],
        ["range, low", 1, None, 0.0001],
        ["range, high", 2, None, 0.0001],
        ["A note.", None, None, None],
    ]
    assert sheet["B5"].number_format == "0.00"
    assert sheet["B8"].number_format == "0.0"
