"""Panel: what it refuses, labels, derived variables, aggregates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jjjpolicy.errors import DataError
from jjjpolicy.panels.formulas import Formula
from jjjpolicy.panels.panel import Panel, Variable

GDP = Variable("gdp", "Product", "产值", unit_en="yuan", unit_zh="元", additive=True, vintage="a")
RD = Variable("rd", "Research", "研发", additive=True, vintage="b")
RATIO = Variable("ratio", "Ratio", "比率", formula="100 * rd / gdp")
LOG = Variable("log_gdp", formula="log(gdp)")


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "region_code": ["B", "A", "A", "B", "C", "C"],
            "year": [2001, 2000, 2001, 2000, 2000, 2001],
            "gdp": [4.0, 1.0, 2.0, 3.0, 5.0, 6.0],
            "rd": [0.4, 0.1, 0.1, np.nan, 0.2, 0.3],
        }
    )


def panel(**changes: object) -> Panel:
    arguments = {"frame": frame(), "variables": {"gdp": GDP, "rd": RD}} | changes
    return Panel(**arguments)  # type: ignore[arg-type]


def test_rows_are_in_order_and_nothing_is_filled() -> None:
    built = panel()
    assert built.frame["region_code"].tolist() == ["A", "A", "B", "B", "C", "C"]
    assert built.frame["rd"].isna().sum() == 1
    assert built.units == ("A", "B", "C")
    assert built.periods == (2000, 2001)


def test_duplicates_are_named() -> None:
    twice = pd.concat([frame(), frame().iloc[[2]]], ignore_index=True)
    with pytest.raises(DataError, match=r"'A' has 2 rows for 2001 \(rows 2, 6\)"):
        panel(frame=twice)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"year": ["2000"] * 6}, "'year' must hold integers"),
        ({"gdp": ["x"] * 6}, "'gdp' does not hold numbers"),
        ({"gdp": [np.inf, 1, 1, 1, 1, 1]}, "'gdp' is infinite for region_code 'B' in 2001"),
        ({"region_code": [None, "A", "A", "B", "C", "C"]}, "no value in column 'region_code'"),
        ({"other": 1.0}, "'other' has no entry"),
    ],
)
def test_bad_columns_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        panel(frame=frame().assign(**change))


def test_mixed_vintages_in_one_series_are_refused() -> None:
    long = frame().melt(["region_code", "year"], ["gdp"])
    long["vintage"] = ["old", *["new"] * 5]
    with pytest.raises(DataError, match=r"'gdp' comes in 2 vintages \(old, new\)"):
        Panel.from_long(long, [GDP])


def test_two_rows_for_one_cell_of_a_long_table_are_refused() -> None:
    long = frame().melt(["region_code", "year"], ["gdp"]).assign(vintage="a")
    with pytest.raises(DataError, match="'gdp' has two rows for region_code 'A' in 2001"):
        Panel.from_long(pd.concat([long, long.iloc[[2]]], ignore_index=True), [GDP])


def test_national_rows_are_kept_apart() -> None:
    long = frame().melt(["region_code", "year"], ["gdp", "rd"]).assign(vintage="a")
    built = Panel.from_long(long, [GDP, RD], nation="C").with_variable(RATIO)
    assert built.units == ("A", "B")
    np.testing.assert_allclose(built.national["ratio"], [4, 5])


def test_labels() -> None:
    built = panel(names_zh={"A": "甲"})
    assert built.label("gdp", "zh", with_unit=True) == "产值（元）"
    assert built.label("gdp", "en", with_unit=True) == "Product (yuan)"
    assert built.unit_names("zh") == {"A": "甲", "B": "B", "C": "C"}
    with pytest.raises(DataError, match="Did you mean 'gdp'"):
        built.label("gpd", "en")
    with pytest.raises(DataError, match="en, zh"):
        built.label("gdp", "fr")


def test_derived_variables_follow_their_formula_and_their_inputs() -> None:
    built = panel().with_variable(RATIO).with_variable(LOG)
    found = built.frame.set_index(["region_code", "year"])
    assert found.loc[("A", 2000), "ratio"] == pytest.approx(10)
    assert np.isnan(found.loc[("B", 2000), "ratio"])
    assert built.variables["ratio"].vintage == "b; a"


def test_total_is_the_sum_over_units() -> None:
    built = panel().with_variable(Variable("share", formula="gdp / total(gdp)", additive=True))
    sums = built.frame.groupby("year")["share"].sum()
    np.testing.assert_allclose(sums, 1)
    incomplete = panel().with_variable(Variable("share", formula="rd / total(rd)"))
    assert incomplete.frame.loc[incomplete.frame["year"] == 2000, "share"].isna().all()


def test_logarithms_and_divisions_that_fail_name_the_cell() -> None:
    zero = panel(frame=frame().assign(gdp=[4.0, 1.0, 0.0, 3.0, 5.0, 6.0]))
    with pytest.raises(DataError, match="not positive for region_code 'A' in 2001"):
        zero.with_variable(LOG)
    with pytest.raises(DataError, match="division by zero for region_code 'A' in 2001"):
        zero.with_variable(RATIO)


def test_otherwise_fills_what_is_missing_and_chained_builds_a_level() -> None:
    changes = frame().assign(rd=[110.0, 100.0, 104.0, np.nan, 100.0, 98.0])
    built = panel(frame=changes, variables={"gdp": GDP, "rd": replace(RD, vintage="a")})
    built = built.with_variable(Variable("filled", formula="otherwise(rd, gdp)"))
    assert built.frame["filled"].tolist() == [100, 104, 3, 110, 100, 98]
    level = built.with_variable(Variable("level", formula="chained(rd, 2000)")).frame["level"]
    np.testing.assert_allclose(level, [1, 1.04, 1, 1.10, 1, 0.98])
    level = built.with_variable(Variable("level", formula="chained(rd, 2001)")).frame["level"]
    np.testing.assert_allclose(level, [1 / 1.04, 1, 1 / 1.10, 1, 1 / 0.98, 1])
    level = built.with_variable(Variable("level", formula="chained(rd, 1999)")).frame["level"]
    np.testing.assert_allclose(level, [1, 1.04, np.nan, np.nan, 1, 0.98])
    with pytest.raises(DataError, match="not positive for region_code 'A' in 2000"):
        panel(frame=frame().assign(rd=0.0)).with_variable(
            Variable("x", formula="chained(rd, 2000)")
        )


@pytest.mark.parametrize(
    "text",
    [
        "otherwise(gdp)",
        "chained(gdp)",
        "gdp ** 2",
        "exp(gdp)",
        "gdp.values",
        "gdp[0]",
        "'x'",
        "log(gdp, rd)",
        "gdp +",
        "True",
    ],
)
def test_other_formulas_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="cannot read the formula"):
        Formula(text)


def test_values_must_match_the_rows() -> None:
    built = panel()
    added = built.with_variable(Variable("x"), range(6))  # type: ignore[arg-type]
    assert added.frame["x"].tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(DataError, match="5 values for 6 rows"):
        built.with_variable(Variable("x"), [1.0] * 5)
    with pytest.raises(DataError, match="already has a column 'gdp'"):
        built.with_variable(GDP, [1.0] * 6)
    with pytest.raises(DataError, match="either a formula or values"):
        built.with_variable(Variable("x"))
    with pytest.raises(DataError, match="index"):
        built.with_variable(Variable("x"), pd.Series([1.0] * 6, index=range(1, 7)))
    with pytest.raises(DataError, match="Did you mean 'gdp'"):
        built.with_variable(Variable("x", formula="log(gdpp)"))


def test_an_aggregate_sums_and_recomputes() -> None:
    built = (
        panel().with_variable(RATIO).with_variable(LOG).aggregate(["A", "B"], "AB", "A+B", "甲乙")
    )
    joined = built.frame[built.frame["region_code"] == "AB"].set_index("year")
    assert built.units == ("AB", "C")
    assert joined["gdp"].tolist() == [4, 6]
    assert joined.loc[2001, "ratio"] == pytest.approx(100 * 0.5 / 6)
    np.testing.assert_allclose(joined["log_gdp"], np.log([4, 6]))
    assert np.isnan(joined.loc[2000, "rd"])
    assert built.unit_names("zh")["AB"] == "甲乙"


def test_an_aggregate_is_missing_where_a_member_has_no_row() -> None:
    short = panel(frame=frame().iloc[:-1]).aggregate(["A", "C"], "AC", "", "")
    joined = short.frame[short.frame["region_code"] == "AC"].set_index("year")
    assert joined.loc[2000, "gdp"] == 6
    assert np.isnan(joined.loc[2001, "gdp"])


def test_an_aggregate_of_a_published_ratio_is_refused() -> None:
    published = panel(variables={"gdp": GDP, "rd": replace(RD, additive=False)})
    with pytest.raises(DataError, match="'rd' cannot be joined"):
        published.aggregate(["A", "B"], "AB", "", "")
    with pytest.raises(DataError, match="at least two"):
        panel().aggregate(["A"], "x", "", "")
    with pytest.raises(DataError, match="already has a unit 'C'"):
        panel().aggregate(["A", "B"], "C", "", "")
    with pytest.raises(DataError, match="unknown region_code 'Z'"):
        panel().aggregate(["A", "Z"], "AZ", "", "")


def test_select_keeps_the_inputs_of_derived_variables() -> None:
    built = (
        panel().with_variable(LOG).select(variables=["log_gdp"], units=["A"], periods=(2001, 2009))
    )
    assert list(built.variables) == ["gdp", "log_gdp"]
    assert built.frame[["region_code", "year"]].values.tolist() == [["A", 2001]]
    with pytest.raises(DataError, match="no period from 1 to 2"):
        panel().select(periods=(1, 2))
    with pytest.raises(DataError, match="unknown variable"):
        panel().select(variables=["zzz"])
