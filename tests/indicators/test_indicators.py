"""Indicators: published numbers, other packages, hand-worked numbers, invariances and errors."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit
from scipy.spatial.distance import pdist

import jjjpolicy as jp
from jjjpolicy import indicators
from jjjpolicy.errors import DataError
from jjjpolicy.panels.datasets import load

INDUSTRIES = ["agriculture", "industry", "services"]


def table(seed: int = 0, regions: int = 5, years: int = 3, columns: int = 3) -> pd.DataFrame:
    """Simulated positive values; nothing in them is real data."""
    index = pd.MultiIndex.from_product(
        [[f"R{i}" for i in range(regions)], range(2010, 2010 + years)], names=["region", "year"]
    )
    values = np.random.default_rng(seed).uniform(1, 10, (len(index), columns))
    return pd.DataFrame(values, index, [*INDUSTRIES, *map(str, range(3, columns))][:columns])


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(indicators.__path__)])
def test_the_examples_run(name: str) -> None:
    module = importlib.import_module(f"jjjpolicy.indicators.{name}")
    found = doctest.testmod(module)
    assert found.failed == 0
    assert name == "_tables" or found.attempted > 0


def test_every_indicator_has_a_formula_or_thresholds_a_source_and_an_example() -> None:
    assert jp.indicators is indicators
    for name in indicators.__all__:
        documented = getattr(indicators, name)
        if name in ("others", "BetaConvergence"):
            continue
        text = documented.__doc__
        assert "References\n" in text, name
        assert ">>> " in text, name
        assert ".. math::" in text or name.startswith("stage_by"), name


# Published numbers ---------------------------------------------------------------------------


def test_research_funds_of_2019_equal_table_1_of_the_review_article() -> None:
    panel = load("provinces", vintage="nbs_2024")
    frame = panel.frame.set_index(["region_code", "year"])
    found = indicators.rd_structure(frame).xs(2019, level="year").round(1)
    printed = {  # government and enterprise share
        "110000": (47.9, 44.2),
        "120000": (16.5, 78.2),  # the article prints 78.3
        "130000": (12.0, 86.0),
        "310000": (36.0, 59.7),
        "320000": (9.9, 88.1),
        "330000": (8.2, 90.2),  # the article prints 90.3
        "440000": (12.8, 85.5),
    }
    for code, pair in printed.items():
        assert tuple(found.loc[code, ["government_share", "enterprise_share"]]) == pair
    activities = ["basic_share", "applied_share", "experimental_share"]
    np.testing.assert_allclose(found.loc["110000", activities].sum(), 100, atol=0.2)


def test_the_leapfrogging_ratio_is_the_bundled_technology_balance() -> None:
    frame = load("provinces", vintage="nbs_2024").frame.set_index(["region_code", "year"])
    ratio = indicators.leapfrogging_ratio(
        frame["tech_contracts_bought_value"], frame["tech_contracts_sold_value"]
    )
    pd.testing.assert_series_equal(ratio, frame["technology_balance"], check_names=False)


# Wang et al. (2021), Table 8, traditional and modified coupling degree of Beijing, Tianjin,
# Shijiazhuang, Tangshan, Qinhuangdao, Handan, Xingtai, Baoding, Zhangjiakou, Chengde, Cangzhou,
# Langfang and Hengshui in 2008.
TRADITIONAL = [0.9989, 0.9935, 0.8868, 0.9073, 0.6821, 0.8328, 0.6816]
TRADITIONAL += [0.7789, 0.6871, 0.6101, 0.8017, 0.7867, 0.7191]
MODIFIED = [0.9404, 0.8660, 0.5440, 0.5769, 0.3006, 0.4780, 0.3344]
MODIFIED += [0.4171, 0.3278, 0.2700, 0.4374, 0.4196, 0.3738]


def test_published_coupling_degrees_imply_levels_between_0_and_1() -> None:
    traditional, modified = np.array(TRADITIONAL), np.array(MODIFIED)
    # The traditional degree gives the ratio of the two levels, the modified one then their size.
    ratio = ((1 - np.sqrt(1 - traditional**2)) / traditional) ** 2
    greater = (1 - modified**2 / ratio) / (1 - ratio)
    assert ((greater > 0) & (greater < 1)).all()
    levels = pd.DataFrame({"ecology": greater * ratio, "economy": greater})
    np.testing.assert_allclose(indicators.coupling_degree(levels), traditional, atol=1e-10)
    np.testing.assert_allclose(indicators.coupling_degree_wang(levels), modified, atol=1e-10)


def test_sectors_of_the_region_as_the_review_article_gives_them() -> None:
    sectors = pd.DataFrame(
        {
            "primary": [5.2, 4.8, 10.7],
            "secondary": [41.3, 28.0, 37.6],
            "tertiary": [53.5, 67.2, 51.7],
        },
        index=["JJJ 2014", "JJJ 2020", "Hebei 2020"],
    )
    stages = indicators.stage_by_structure(sectors)
    assert stages.tolist() == ["post-industrial", "post-industrial", "outside the scheme"]
    assert indicators.structural_similarity(sectors.iloc[:2]).item() == pytest.approx(
        (5.2 * 4.8 + 41.3 * 28.0 + 53.5 * 67.2)
        / np.sqrt((5.2**2 + 41.3**2 + 53.5**2) * (4.8**2 + 28.0**2 + 67.2**2))
    )


# Other packages ------------------------------------------------------------------------------


def test_theil_agrees_with_pysal(recorded: Any) -> None:
    values = table(columns=1)["agriculture"].xs(2010, level="year")
    groups = pd.Series(["x", "x", "y", "y", "y"], index=values.index)
    ours = indicators.theil_decomposition(values, groups=groups).iloc[0]

    def ask(_: Any) -> dict[str, float]:
        from inequality.theil import Theil, TheilD

        parts = TheilD(values.to_numpy(), groups.to_numpy())
        return {
            "theil": float(Theil(values.to_numpy()).T),
            "between": float(np.ravel(parts.bg)[0]),
            "within": float(np.ravel(parts.wg)[0]),
        }

    for name, value in recorded("inequality", ask).items():
        assert ours[name] == pytest.approx(value)


def test_location_quotients_agree_with_ecomplexity(recorded: Any) -> None:
    values = table()

    def ask(ecomplexity: Any) -> dict[str, Any]:
        long = values.rename_axis(columns="industry").stack().rename("value").reset_index()
        names = {"time": "year", "loc": "region", "prod": "industry", "val": "value"}
        found = ecomplexity.ecomplexity(long, names).set_index(["region", "year", "industry"])
        return {"rca": found["rca"].sort_index().astype(float).tolist()}

    ours = indicators.location_quotient(values).rename_axis(columns="industry").stack()
    np.testing.assert_allclose(ours.sort_index(), recorded("ecomplexity", ask)["rca"])


def test_similarities_agree_with_scipy() -> None:
    values = table().xs(2010, level="year")
    np.testing.assert_allclose(
        indicators.structural_similarity(values), 1 - pdist(values, "cosine")
    )
    part = values.div(values.sum(axis=1), axis=0)
    np.testing.assert_allclose(indicators.krugman_dissimilarity(values), pdist(part, "cityblock"))


def test_beta_convergence_agrees_with_nonlinear_least_squares() -> None:
    values = table(regions=12, years=11, columns=1)["agriculture"]
    result = indicators.beta_convergence(values)
    wide = np.log(values.unstack("year"))
    growth = (wide[2020] - wide[2010]) / 10

    def model(initial: Any, constant: float, speed: float) -> Any:
        return constant - (1 - np.exp(-speed * 10)) / 10 * initial

    fitted, _ = curve_fit(model, wide[2010], growth, p0=[0.1, 0.05])
    assert result.speed == pytest.approx(fitted[1], rel=1e-4)
    assert result.half_life == pytest.approx(np.log(2) / result.speed)


# Hand-worked numbers -------------------------------------------------------------------------


def test_indicators_of_several_years_are_those_of_each_year() -> None:
    values = table()
    for measure in (
        indicators.location_quotient,
        indicators.krugman_specialisation,
        indicators.others,
    ):
        together = measure(values).xs(2011, level="year")
        alone = measure(values.xs(2011, level="year"))
        np.testing.assert_allclose(together, alone)
    pairs = indicators.structural_similarity(values)
    assert len(pairs) == 3 * 10
    np.testing.assert_allclose(
        pairs.xs(2011, level="year"),
        indicators.structural_similarity(values.xs(2011, level="year")),
    )


def test_a_reference_may_be_given_by_period_by_row_or_once() -> None:
    values = table()
    nation = values.groupby("year").sum()
    own = indicators.location_quotient(values)
    pd.testing.assert_frame_equal(indicators.location_quotient(values, nation), own)
    by_row = nation.reindex(values.index.get_level_values("year")).set_axis(values.index)
    pd.testing.assert_frame_equal(indicators.location_quotient(values, by_row), own)
    once = indicators.location_quotient(values, nation.loc[2010])
    pd.testing.assert_frame_equal(
        once.xs(2010, level="year"), own.xs(2010, level="year"), check_exact=False
    )
    with pytest.raises(DataError, match="reference has no row for year 2012"):
        indicators.location_quotient(values, nation.loc[:2011])
    with pytest.raises(DataError, match="reference has no column 'industry'"):
        indicators.location_quotient(values, nation.drop(columns="industry"))


def test_specialisation_against_all_other_regions() -> None:
    values = pd.DataFrame({"a": [1, 1, 2], "b": [0, 1, 2]}, index=list("xyz"))
    index = indicators.krugman_specialisation(values, indicators.others(values))
    assert index.tolist() == pytest.approx([1.0, 0.2, 1 / 3])


def test_concentration_of_industries() -> None:
    values = pd.DataFrame({"a": [1, 1, 2], "b": [0, 0, 5], "c": [0, 0, 0]}, index=list("xyz"))
    found = indicators.herfindahl_of_industries(values).iloc[0]
    assert found[["a", "b"]].tolist() == pytest.approx([6 / 16, 1])
    assert np.isnan(found["c"])


def test_change_is_between_periods_of_one_region_and_needs_both() -> None:
    values = table(regions=2, years=4).drop(("R1", 2011))
    change = indicators.absolute_change(values)
    assert change.isna().tolist() == [True, False, False, False, True, True, False]
    assert indicators.absolute_change(values, span=2).isna().tolist() == [
        *[True, True, False, False],
        *[True, False, True],
    ]
    swapped = values.swaplevel()
    np.testing.assert_array_equal(indicators.absolute_change(swapped), change)


def test_stages_of_the_other_measures() -> None:
    structure = pd.DataFrame(
        {
            "primary": [50, 30, 15, 8, 8, np.nan],
            "secondary": [20, 40, 50, 50, 40, 40],
            "tertiary": [30, 30, 35, 42, 52, 52],
        }
    )
    found = indicators.stage_by_structure(structure)
    assert found[:5].tolist() == [
        "pre-industrial",
        "early industrial",
        "middle industrial",
        "late industrial",
        "post-industrial",
    ]
    assert found.isna().tolist() == [False] * 5 + [True]
    income = pd.Series([719.0, 720.0, 1440.0, 10810.0])
    assert indicators.stage_by_income(income).astype(str).tolist() == [
        "outside the scheme",
        "pre-industrial",
        "early industrial",
        "post-industrial",
    ]
    assert indicators.stage_by_employment(pd.Series([60.0, 60.1, 10.0])).astype(str).tolist() == [
        "early industrial",
        "pre-industrial",
        "post-industrial",
    ]
    assert (indicators.stage_by_urbanisation(pd.Series([40.0])) < "late industrial").all()
    with pytest.raises(DataError, match="above 100 percent"):
        indicators.stage_by_urbanisation(pd.Series([140.0]))
    with pytest.raises(DataError, match="must be 5 numbers that rise"):
        indicators.stage_by_income(income, [1, 2, 3])


def test_theil_by_hand_with_population() -> None:
    income = pd.Series([6.0, 2.0, 2.0], index=list("abc"))
    people = pd.Series([2.0, 1.0, 1.0], index=list("abc"))
    groups = pd.Series(["g", "h", "h"], index=list("abc"))
    found = indicators.theil_decomposition(income, people, groups=groups).iloc[0]
    assert found["between"] == pytest.approx(0.6 * np.log(1.2) + 0.4 * np.log(0.8))
    assert found["within"] == pytest.approx(0)
    assert found["between_share"] == pytest.approx(1)


def test_a_region_without_a_number_makes_the_year_missing() -> None:
    values = table(columns=1)["agriculture"]
    values.loc["R3", 2011] = np.nan
    groups = pd.Series("x", index=values.index)
    found = indicators.theil_decomposition(values, groups=groups)
    assert found["theil"].isna().tolist() == [False, True, False]
    sigma = indicators.sigma_convergence(values)
    assert sigma["sd_log"].isna().tolist() == [False, True, False]
    assert sigma["regions"].tolist() == [5, 4, 5]


def test_segmentation_by_hand() -> None:
    index = pd.MultiIndex.from_product([[2015], list("ABC")], names=["year", "region"])
    prices = pd.DataFrame({"x": [110.0, 100.0, 100.0], "y": [100.0, 105.0, 100.0]}, index)
    x, y = np.log(1.1), np.log(1.05)
    change = np.array([[x, y], [x, 0.0], [0.0, y]])  # pairs AB, AC, BC
    expected = (change - change.mean(axis=0)).var(axis=1, ddof=1)
    found = indicators.relative_price_variance(prices)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(
        indicators.market_segmentation(prices),
        [expected[:2].mean(), expected[[0, 2]].mean(), expected[1:].mean()],
    )
    neighbours = indicators.relative_price_variance(prices, pairs=[("B", "A"), ("C", "B")])
    np.testing.assert_allclose(
        neighbours, (change[[0, 2]] - change[[0, 2]].mean(axis=0)).var(axis=1, ddof=1)
    )


# Invariances ---------------------------------------------------------------------------------

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=3)
@given(seeds, st.floats(0.01, 100))
def test_the_unit_of_money_does_not_matter(seed: int, scale: float) -> None:
    values = table(seed)
    measures: list[Callable[[pd.DataFrame], Any]] = [
        indicators.location_quotient,
        indicators.krugman_specialisation,
        indicators.herfindahl,
        indicators.herfindahl_of_industries,
        indicators.structural_similarity,
        indicators.krugman_dissimilarity,
        indicators.absolute_change,
        indicators.moore_angle,
        indicators.lilien,
        indicators.modified_lilien,
        indicators.relative_price_variance,
    ]
    for measure in measures:
        np.testing.assert_allclose(measure(scale * values), measure(values), rtol=1e-6, atol=1e-6)


@settings(max_examples=4)
@given(seeds)
def test_bounds_and_identities(seed: int) -> None:
    values = table(seed)
    part = values.div(values.sum(axis=1), axis=0)
    nation = values.groupby("year").transform("sum")
    weight = nation.div(nation.sum(axis=1), axis=0)
    quotient = indicators.location_quotient(values)
    np.testing.assert_allclose((quotient * weight).sum(axis=1), 1)
    assert indicators.krugman_specialisation(values).between(0, 2).all()
    assert indicators.herfindahl(values).between(1 / 3, 1).all()
    assert indicators.structural_similarity(values).between(0, 1).all()
    change = indicators.absolute_change(values).dropna()
    assert change.between(0, 1).all()
    np.testing.assert_allclose(
        change, part.groupby("region").diff().abs().sum(axis=1, skipna=False).dropna() / 2
    )
    groups = pd.Series(np.tile(["x", "y", "y"], 5), index=values.index)
    theil = indicators.theil_decomposition(values["industry"], values["services"], groups=groups)
    np.testing.assert_allclose(theil["within"] + theil["between"], theil["theil"], atol=1e-12)
    assert (theil["theil"] >= -1e-12).all()
    inner = theil.filter(like="within_").drop(columns="within", errors="ignore")
    np.testing.assert_allclose(inner.sum(axis=1), theil["within"], atol=1e-12)


@settings(max_examples=10)
@given(seeds)
def test_modified_lilien_is_the_same_backwards(seed: int) -> None:
    values = table(seed, regions=1, years=2)
    reverse = values.iloc[::-1].set_axis(values.index)
    assert indicators.modified_lilien(values).iloc[1] == pytest.approx(
        indicators.modified_lilien(reverse).iloc[1]
    )


@settings(max_examples=6)
@given(seeds, st.integers(2, 4))
def test_coupling_is_highest_where_levels_are_equal(seed: int, systems: int) -> None:
    values = table(seed, columns=systems) / 10
    equal = values.copy()
    for column in equal:
        equal[column] = values.mean(axis=1)
    for degree in (
        indicators.coupling_degree,
        indicators.coupling_degree_power,
        indicators.coupling_degree_wang,
    ):
        found = degree(values)
        assert found.between(0, 1 + 1e-12).all()
        np.testing.assert_allclose(degree(equal), 1)
        mixed = values[values.columns[::-1]]
        np.testing.assert_allclose(degree(mixed), found)
        result = indicators.coupling_coordination(values, coupling=degree)
        np.testing.assert_allclose(
            result["coordination"] ** 2, result["coupling"] * result["development"]
        )
    if systems == 2:
        np.testing.assert_allclose(
            indicators.coupling_degree_power(values, exponent=0.5),
            indicators.coupling_degree(values),
        )


def test_missing_values_stay_missing() -> None:
    values = table()
    values.loc[("R1", 2011), "industry"] = np.nan
    assert indicators.herfindahl(values).isna().sum() == 1
    assert indicators.structural_similarity(values).isna().sum() == 4
    assert indicators.absolute_change(values).xs("R1").isna().all()
    quotient = indicators.location_quotient(values)
    assert quotient.xs(2011, level="year").isna().all(axis=None)
    assert quotient.xs(2010, level="year").notna().all(axis=None)


# Errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda t: t.replace({"industry": {t.iloc[4, 1]: -1.0}}),
            "'industry', region R1, year 2011",
        ),
        (lambda t: t.assign(industry=np.inf), "'industry', region R0, year 2010"),
        (lambda t: t.assign(industry="a lot"), "'industry' holds"),
        (lambda t: t * 0, "region R0, year 2010: all columns are 0"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "stands twice"),
    ],
)
def test_bad_tables_are_named(spoil: Callable[[pd.DataFrame], pd.DataFrame], message: str) -> None:
    for measure in (indicators.herfindahl, indicators.location_quotient, indicators.moore_angle):
        with pytest.raises(DataError, match=message):
            measure(spoil(table()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: indicators.absolute_change(table().xs(2010, level="year")), "no level 'year'"),
        (lambda: indicators.absolute_change(table(), span=0), "span=0"),
        (lambda: indicators.lilien(table() * [0, 1, 1]), "'agriculture'.*above 0"),
        (lambda: indicators.coupling_degree(table()), "outside 0 to 1"),
        (lambda: indicators.coupling_degree(table()[["industry"]] / 10), "two systems"),
        (
            lambda: indicators.coupling_coordination(table() / 10, weights={"industry": 1.0}),
            "must name",
        ),
        (
            lambda: indicators.stage_by_structure(table()),
            "no column 'primary'",
        ),
        (
            lambda: indicators.theil_decomposition(
                table()["industry"], groups=pd.Series(["x"], index=["y"])
            ),
            "groups is not indexed like values",
        ),
        (
            lambda: indicators.beta_convergence(table()["industry"], last=2025),
            "no year 2025",
        ),
        (
            lambda: indicators.beta_convergence(table()["industry"].drop(("R2", 2010))),
            "'R2' has no number in 2010",
        ),
        (
            lambda: indicators.beta_convergence(table(regions=2)["industry"]),
            "too few",
        ),
        (
            lambda: indicators.beta_convergence(
                table()["industry"],
                table(years=1)["services"]
                .droplevel("year")
                .to_frame()
                .eval("more = 1e8 * services / 3 + 2"),
            ),
            "collinear",
        ),
        (
            lambda: indicators.leapfrogging_ratio(
                table()["industry"], table(regions=4)["industry"]
            ),
            "not indexed alike",
        ),
        (
            lambda: indicators.rd_structure(
                pd.DataFrame({"rd_internal_expenditure": [1.0], "rd_basic_research": [2.0]})
            ),
            "row 0: the parts by activity",
        ),
        (lambda: indicators.market_segmentation(table()[["industry"]]), "at least two goods"),
        (lambda: indicators.market_segmentation(table(), pairs=[("R0", "R9")]), "'R9'"),
        (lambda: indicators.market_segmentation(table(), pairs=[("R0", "R0")]), "to itself"),
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()
