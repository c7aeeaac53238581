"""Tables of Polars and Arrow give the designs that pandas gives, and no type is changed unseen."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.panels.frames import as_frame
from jjjpolicy.panels.panel import Panel
from jjjpolicy.panels.variable import Variable

pyarrow: Any = pytest.importorskip("pyarrow", reason="needs pip install 'jjjpolicy[firms]'")

MADE_BY = {"unit": "unit", "time": "period", "outcome": "y"}


def frame() -> pd.DataFrame:
    table = simulated_panel()
    table["unit"] = "unit " + table["unit"].astype(str)
    return table.assign(treated=table["treated"].astype(bool), first=table["first"].astype(float))


def polars(table: pd.DataFrame) -> Any:
    library = pytest.importorskip("polars", reason="needs pip install polars")
    return library.from_arrow(pyarrow.Table.from_pandas(table))


def arrow(table: pd.DataFrame) -> Any:
    return pyarrow.Table.from_pandas(table)


def arrow_types(table: pd.DataFrame) -> Any:
    return table.convert_dtypes(dtype_backend="pyarrow")


def nullable(table: pd.DataFrame) -> Any:
    return table.convert_dtypes()


def categories(table: pd.DataFrame) -> Any:
    known = [*sorted(table["unit"].unique()), "not in the table"]
    return arrow(table.assign(unit=pd.Categorical(table["unit"], known)))


@pytest.mark.parametrize("made", [polars, arrow, arrow_types, nullable, categories])
def test_a_table_is_the_same_whatever_package_holds_it(made: Any) -> None:
    table = frame()
    plain = jp.Design.from_frame(table, **MADE_BY, treatment="treated")
    same = jp.Design.from_frame(made(table), **MADE_BY, treatment="treated")
    by_adoption = jp.Design.from_frame(made(table), **MADE_BY, adoption="first")
    assert list(same.units) == list(plain.units)
    for design in (same, by_adoption):
        np.testing.assert_array_equal(design.outcome, plain.outcome)
        np.testing.assert_array_equal(design.adoption, plain.adoption)
        assert design.fingerprint == plain.fingerprint


def test_types_are_kept() -> None:
    large = 2**60 + 1  # no float is this number
    table = pyarrow.table(
        {
            "count": pyarrow.array([1, None, large]),
            "flag": pyarrow.array([True, None, False]),
            "whole": pyarrow.array([1, 2, large]),
            "small": pyarrow.array([1, None, 3], pyarrow.uint8()),
            "kind": pyarrow.array(["a", "b", "a"]).dictionary_encode(),
            "day": pyarrow.array([datetime.date(2020, 1, 31), None, datetime.date(2020, 3, 31)]),
            "price": pyarrow.array([Decimal("1.50"), None, Decimal("2.25")]),
            "code": pyarrow.array([Decimal(7), Decimal(2), Decimal(3)], pyarrow.decimal128(18)),
        },
    )
    read = as_frame(table)
    assert read.dtypes.astype(str).to_dict() | {"day": ""} == {
        "count": "Int64",
        "flag": "boolean",
        "whole": "int64",
        "small": "UInt8",
        "kind": "category",
        "day": "",
        "price": "float64",
        "code": "int64",
    }
    assert read["count"].iloc[2] == read["whole"].iloc[2] == large
    assert list(read["code"]) == [7, 2, 3]
    assert read["day"].iloc[0] == pd.Timestamp(2020, 1, 31)
    assert read["price"].iloc[2] == 2.25


def test_missing_cells_are_named_as_those_of_pandas() -> None:
    table = frame()
    table.loc[9, "y"] = np.nan
    with pytest.raises(jp.DesignError) as of_pandas:
        jp.Design.from_frame(table, **MADE_BY, treatment="treated")
    with pytest.raises(jp.DesignError) as of_arrow:
        jp.Design.from_frame(arrow(table), **MADE_BY, treatment="treated")
    assert str(of_arrow.value) == str(of_pandas.value)


def test_a_frame_of_pandas_is_not_copied() -> None:
    table = frame()
    assert as_frame(table) is table


def test_a_panel_takes_them_too() -> None:
    table = frame()[["unit", "period", "y"]]
    described = {"y": Variable("y", "output", "产出", "", "", "mine")}
    plain, foreign = (
        Panel(each, described, unit="unit", time="period") for each in (table, arrow(table))
    )
    pd.testing.assert_frame_equal(foreign.frame, plain.frame)


class Lazy:
    def collect(self) -> None: ...


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ({"y": [1]}, r"got dict; write pd.DataFrame"),
        ([{"y": 1}], r"got list; write pd.DataFrame"),
        (Lazy(), r"got Lazy; call .collect\(\) on it first"),
        (pd.Series([1.0]), r"got Series\."),
        ("table.csv", r"got str\."),
    ],
)
def test_what_is_no_table_is_refused(thing: Any, message: str) -> None:
    with pytest.raises(jp.DataError, match=message):
        jp.Design.from_frame(thing, **MADE_BY, treatment="treated")


def test_two_columns_of_one_name_are_refused() -> None:
    table = pyarrow.table([[1], [2]], names=["y", "y"])
    with pytest.raises(jp.DataError, match="two columns 'y'"):
        as_frame(table)
