"""Files of spreadsheets and statistical packages: read rightly, or refused by the cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def written(folder: Path, text: str, encoding: str = "utf-8", name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_codes_keep_their_zeros_and_numbers_do_not_become_text(tmp_path: Path) -> None:
    table = jp.read_table(written(tmp_path, "fips,year,y\n01001,2001,0.5\n36005,2002,0\n"))
    assert list(table["fips"]) == ["01001", "36005"]
    assert list(table["year"]) == [2001, 2002]
    assert list(table["y"]) == [0.5, 0.0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_chinese_text_is_read_in_its_usual_encodings(tmp_path: Path, encoding: str) -> None:
    text = "省份,年份,名称\n北京,2014,京津冀协同发展\n重庆,2015,喆\n"
    table = jp.read_table(written(tmp_path, text, encoding))
    assert list(table.columns) == ["省份", "年份", "名称"]
    assert list(table["省份"]) == ["北京", "重庆"]
    assert list(table["名称"]) == ["京津冀协同发展", "喆"]


@pytest.mark.parametrize("name", ["São Paulo", "Größe", "Besançon", "Córdoba"])
def test_an_encoding_that_cannot_be_told_is_refused_with_the_cell(
    tmp_path: Path, name: str
) -> None:
    path = written(tmp_path, f"unit,region\n1,plain\n2,{name}\n", "latin-1")
    with pytest.raises(jp.DataError, match=rf"field 2 of line 3 reads '{name}' with enc"):
        jp.read_table(path)
    assert jp.read_table(path, encoding="cp1252")["region"].iloc[1] == name
    with pytest.raises(jp.DataError, match="encoding='klingon'"):
        jp.read_table(path, encoding="klingon")


def test_semicolons_come_with_decimal_commas(tmp_path: Path) -> None:
    table = jp.read_table(written(tmp_path, "id;x;y;z\n01;1,5;-0,25;1,000\n02;2;3,125;12,500\n"))
    assert list(table["id"]) == ["01", "02"]
    assert list(table["x"]) == [1.5, 2.0]
    assert list(table["y"]) == [-0.25, 3.125]
    assert list(table["z"]) == ["1,000", "12,500"]  # one thousand, or one


def test_missing_values_of_stata_are_missing(tmp_path: Path) -> None:
    table = jp.read_table(written(tmp_path, "id,y\n1,.\n2,2.5\n3,.a\n"))
    assert table["y"].isna().tolist() == [True, False, True]
    assert table["y"].dtype == float


def refused(frame: pd.DataFrame, **changes: Any) -> str:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    with pytest.raises(jp.DesignError) as caught:
        jp.Design.from_frame(frame, **(arguments | changes))
    return str(caught.value)


def designed(frame: pd.DataFrame) -> jp.Design:
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (".", "replace('.', np.nan)"),
        ("1,5", "str.replace(',', '.')"),
        ("1,234", "if commas group thousands"),
        ("n.a.", "errors='coerce'"),
    ],
)
def test_text_among_numbers_is_named_with_its_cell(text: str, advice: str) -> None:
    frame = simulated_panel()
    frame["y"] = frame["y"].astype(object)
    frame.loc[9, "y"] = text
    message = refused(frame)
    assert f"column 'y' is {text!r} for unit 1 in period 2004" in message
    assert advice in message


@pytest.mark.parametrize(("on", "off"), [("yes", "no"), ("Treated", "Control"), ("是", "否")])
def test_treatments_in_words_of_yes_and_no_are_read(on: str, off: str) -> None:
    frame = simulated_panel()
    known = designed(frame)
    frame["treated"] = pd.Categorical(np.where(frame["treated"] == 1, on, off))
    assert designed(frame).fingerprint == known.fingerprint


def test_treatments_in_other_words_are_refused_with_what_to_write() -> None:
    frame = simulated_panel()
    numbers = frame["treated"].copy()
    frame["treated"] = pd.Categorical(np.where(numbers == 1, "tax cut", "as before"))
    message = refused(frame)
    assert "(df['treated'] == 'tax cut').astype(int)" in message
    assert ((frame["treated"] == "tax cut").astype(int) == numbers).all()
    frame["treated"] = np.where(numbers == 1, "yes", "control")
    assert "(df['treated'] == 'yes').astype(int)" in refused(frame)


def test_adoption_in_words_names_the_word() -> None:
    frame = simulated_panel()
    frame["first"] = frame["first"].astype(object).where(np.isfinite(frame["first"]), "never")
    assert "row 6: 'never'" in refused(frame, treatment=None, adoption="first")


def test_periods_that_no_form_fits_are_refused_with_what_to_write() -> None:
    frame = simulated_panel()
    assert "dt.year" in refused(frame.assign(period=frame["period"].astype(str) + "-12-31"))
    odd = frame.assign(period=frame["period"].astype(object))
    odd.loc[3, "period"] = "2004*"
    assert "row 3: '2004*'" in refused(odd)


def test_dates_of_spreadsheets_are_years(tmp_path: Path) -> None:
    frame = simulated_panel()
    known = designed(frame)
    frame["period"] = pd.to_datetime(frame["period"].astype(str) + "-12-31")
    path = tmp_path / "dates.xlsx"
    frame.to_excel(path, index=False)
    assert designed(jp.read_table(path)).fingerprint == known.fingerprint


def test_value_labels_of_stata_stay_codes(tmp_path: Path) -> None:
    frame = simulated_panel()[["unit", "period", "y", "treated"]]
    path = tmp_path / "labelled.dta"
    frame.to_stata(path, write_index=False, value_labels={"treated": {0: "no", 1: "yes"}})
    design = jp.Design.from_frame(
        jp.read_table(path), unit="unit", time="period", outcome="y", treatment="treated"
    )
    assert list(design.cohorts) == [2004]
