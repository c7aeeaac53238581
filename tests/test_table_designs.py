"""Designs from tables that an engine holds: the numbers of the table in memory, from its sums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from summed_designs import COLUMNS, ESTIMATORS, WITH_COVARIATE, agree, panel

import jjjpolicy as jp

ibis = pytest.importorskip("ibis", reason="tables of engines need the extra 'firms'")
pytest.importorskip("duckdb", reason="tables of engines need the extra 'firms'")


def both(frame: pd.DataFrame, **changes: Any) -> tuple[jp.Design, jp.Design]:
    """The design of the table in memory, and that of the same table in DuckDB, rows mixed."""
    arguments = COLUMNS | changes
    mixed = ibis.memtable(frame.sample(frac=1, random_state=1))
    return jp.Design.from_frame(frame, **arguments), jp.Design.from_table(mixed, **arguments)


@pytest.fixture(scope="module", params=[0.0, 0.03], ids=["balanced", "rows missing"])
def frame(request: pytest.FixtureRequest) -> pd.DataFrame:
    return panel(request.param)


@pytest.fixture(scope="module")
def by_unit(frame: pd.DataFrame) -> Any:
    return both(frame, clusters="group")


@pytest.fixture(scope="module")
def by_group(frame: pd.DataFrame) -> Any:
    return both(frame, assigned_at="group")


@pytest.fixture(scope="module")
def with_covariate(frame: pd.DataFrame) -> Any:
    weighted = frame.assign(w=1.0 + frame["unit"] // 4 % 2)
    return both(weighted, covariates=["x"], weights="w")


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_numbers_are_those_of_the_table_in_memory(
    estimator: Any, by_unit: tuple[jp.Design, jp.Design]
) -> None:
    agree(estimator, *by_unit)


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_numbers_by_group_are_those_of_the_table_in_memory(
    estimator: Any, by_group: tuple[jp.Design, jp.Design]
) -> None:
    assert by_group[1].n_units < by_group[0].n_units
    agree(estimator, *by_group)


@pytest.mark.filterwarnings("ignore:left out as collinear")
@pytest.mark.parametrize("estimator", WITH_COVARIATE.values(), ids=WITH_COVARIATE)
def test_covariates_of_few_values_and_weights_are_kept(
    estimator: Any, with_covariate: tuple[jp.Design, jp.Design]
) -> None:
    agree(estimator, *with_covariate)


@pytest.mark.parametrize("name", ["TWFE", "Callaway-Sant'Anna", "imputation", "two-stage"])
def test_errors_clustered_coarser_than_treatment_was_assigned(
    name: str, by_unit: tuple[jp.Design, jp.Design]
) -> None:
    estimates = [ESTIMATORS[name].fit(design) for design in by_unit]
    for method in (
        jp.inference.Clustered("group"),
        jp.inference.MultiplierBootstrap(level="group", replications=99, seed=1),
    ):
        one, other = (estimate.with_inference(method) for estimate in estimates)
        np.testing.assert_allclose(
            [other.se, other.pvalue, *other.interval()],
            [one.se, one.pvalue, *one.interval()],
            rtol=1e-9,
        )
        assert other.inference.notes == one.inference.notes


def test_methods_that_refit_without_clusters_need_the_level_of_assignment(
    by_unit: tuple[jp.Design, jp.Design],
) -> None:
    estimate = jp.did.TwoWayFixedEffects().fit(by_unit[1])
    for method in (
        jp.inference.Clustered("group", kind="CRV3"),
        jp.inference.Jackknife(level="group"),
    ):
        with pytest.raises(jp.InferenceError, match="one by one"):
            estimate.with_inference(method)


@pytest.mark.parametrize("missing", [0.0, 0.03])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_level_a_million_times_the_noise_costs_no_digits(name: str, missing: float) -> None:
    """A level drops out, so that the table without it (but as rounded with it) is right."""
    frame = panel(missing)
    differs = 0.0 if missing else np.round(np.sin(frame["unit"]), 3)
    level = 1e6 * (1 + differs)
    frame["y"] += level
    true = jp.Design.from_frame(frame.assign(y=frame["y"] - level), **COLUMNS)
    summed = jp.Design.from_table(ibis.memtable(frame), **COLUMNS)
    one, other = (ESTIMATORS[name].fit(design) for design in (true, summed))
    close = {"rtol": 0, "atol": 1e-9}
    np.testing.assert_allclose([other.att, other.se], [one.att, one.se], **close)
    columns = ["estimate", "se"]
    np.testing.assert_allclose(other.effects[columns], one.effects[columns], **close)


def test_units_may_be_text_treatment_a_truth_value_and_outcome_a_decimal() -> None:
    frame = panel()
    frame["unit"] = "firm " + frame["unit"].astype(str)
    frame["treated"] = frame["treated"] == 1
    frame["y"] = frame["y"].round(3)
    arguments = COLUMNS | {"adoption": None, "treatment": "treated"}
    limits: dict[str, Any] = {"window": (2001, 2005), "exclude": ["firm 3", "firm 17"]}
    table = ibis.memtable(frame)
    table = table.mutate(y=table["y"].cast("decimal(18, 3)"))
    whole = jp.Design.from_frame(frame, **arguments, **limits)
    summed = jp.Design.from_table(table, **arguments, **limits)
    agree(jp.did.Imputation(), whole, summed)
    assert set(summed.ledger["reason"]) == set(whole.ledger["reason"])
    assert summed.source == {"engine": "duckdb", "rows": 398 * 5}


@pytest.mark.filterwarnings("ignore:left out as collinear")
@pytest.mark.parametrize(
    ("missing", "options", "estimators"),
    [
        (0.0, {"clusters": "group"}, ESTIMATORS),
        (0.03, {"clusters": "group"}, ESTIMATORS),
        (0.03, {"assigned_at": "group", "covariates": "x"}, {"": WITH_COVARIATE["doubly robust"]}),
    ],
    ids=["balanced", "rows missing", "by group with a covariate"],
)
def test_spark_gives_the_numbers_of_the_table_in_memory(
    missing: float,
    options: dict[str, Any],
    estimators: dict[str, Any],
    spark: Any,
    tmp_path: Path,
) -> None:
    frame = panel(missing)
    frame.to_parquet(tmp_path / "panel.parquet")
    table = spark.read_parquet(tmp_path / "panel.parquet")
    whole = jp.Design.from_frame(frame, **COLUMNS, **options)
    summed = jp.Design.from_table(table, **COLUMNS, **options)
    for estimator in estimators.values():
        agree(estimator, whole, summed)


def test_spark_refuses_input_in_the_words_of_the_table_in_memory(
    spark: Any, tmp_path: Path
) -> None:
    panel().to_parquet(tmp_path / "panel.parquet")
    table = spark.read_parquet(tmp_path / "panel.parquet")
    twice = table.union(table.filter(table["unit"] == 1))
    with pytest.raises(jp.DesignError, match="more than once: unit 1 in period 2001"):
        jp.Design.from_table(twice, **COLUMNS)


@pytest.mark.parametrize("form", ["text", "date"])
def test_quarters_keep_their_names(form: str) -> None:
    frame = panel(0.02)
    named = frame.assign(period=quarters(frame["period"]), first=quarters(frame["first"]))
    if form == "date":
        dates = {name: pd.PeriodIndex(named[name], freq="Q").start_time for name in TIMES}
        named = named.assign(**dates)
    whole, summed = both(named)
    assert summed.period_names == whole.period_names
    assert summed.period_names[0] == "2019Q1"
    one, other = (jp.did.CallawaySantAnna().fit(design) for design in (whole, summed))
    assert set(other.group_time["group"]) == {"2019Q3", "2019Q4", "2020Q1"}
    pd.testing.assert_frame_equal(other.group_time, one.group_time, rtol=1e-9)
    broken = named.assign(y=named["y"].mask(named["unit"].eq(5)))
    with pytest.raises(jp.DesignError, match="'y' is missing for unit 5 in period 2019Q1"):
        jp.Design.from_table(ibis.memtable(broken), **COLUMNS)


TIMES = ("period", "first")


def quarters(periods: pd.Series) -> pd.Series:
    """2001 becomes the first quarter of 2019, and so on; never stays missing."""
    names = {
        year: f"{2019 + (year - 2001) // 4}Q{(year - 2001) % 4 + 1}" for year in range(2001, 2009)
    }
    return periods.map(names)


def test_more_periods_than_bits_and_sums_in_several_queries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jjjpolicy.design.intake.queries.WORD", 4)
    monkeypatch.setattr("jjjpolicy.design.intake.queries.TERMS", 5)
    agree(jp.did.CallawaySantAnna(), *both(panel(0.03)))


def test_the_table_may_be_a_query_of_a_connection() -> None:
    frame = panel(0.02)
    connection = ibis.duckdb.connect()
    connection.con.register("frame", frame)
    connection.raw_sql("create table rows as select * from frame")
    listed = "select table_name from information_schema.tables"
    before = connection.con.execute(listed).fetchall()
    table = connection.table("rows").filter(lambda t: t["unit"] < 300)
    summed = jp.Design.from_table(table, **COLUMNS)
    agree(jp.did.SunAbraham(), jp.Design.from_frame(frame[frame["unit"] < 300], **COLUMNS), summed)
    assert connection.con.execute(listed).fetchall() == before


def test_the_ledger_counts_absent_rows_late_adoption_and_unknown_dates() -> None:
    frame = panel(0.05)
    frame["first"] = frame["first"].replace(2005.0, 2050.0)
    reasons = " ".join(both(frame)[1].ledger["reason"])
    assert "100 units adopt after the last period 2006" in reasons
    summed = both(frame)[1]
    counted = summed.ledger[summed.ledger["reason"].str.contains("have no row")]
    assert sum(int(text.split()[0]) for text in counted["reason"]) == 400 * 6 - len(frame)


def test_units_whose_adoption_falls_into_a_gap_are_counted() -> None:
    frame = panel()
    cohort = frame.loc[np.isfinite(frame["first"]), "first"].min()
    units = frame.loc[frame["first"] == cohort, "unit"].unique()[:3]
    frame = frame[~(frame["unit"].isin(units) & (frame["period"] == cohort - 1))]
    arguments = COLUMNS | {"adoption": None, "treatment": "treated"}
    with pytest.warns(jp.JJJPolicyWarning, match="3 units have no row just before"):
        summed = jp.Design.from_table(ibis.memtable(frame), **arguments)
    assert summed.ledger["reason"].str.contains("3 units are untreated in").sum() == 1


def test_always_treated_units_are_left_out_and_counted() -> None:
    frame = panel()
    frame.loc[frame["unit"] % 100 == 1, "first"] = 2001.0
    with pytest.warns(jp.JJJPolicyWarning, match="left out") as caught:
        whole, summed = both(frame)
    assert "4 units first treated in 2001 left out" in str(caught[-1].message)
    agree(jp.did.CallawaySantAnna(), whole, summed)


def test_zero_as_never_is_told_where_it_is_a_period() -> None:
    frame = panel()
    frame = frame.assign(
        period=frame["period"] - 2003, first=(frame["first"] - 2003).replace(np.inf, 0)
    )
    with pytest.warns(jp.JJJPolicyWarning, match="although 0 is a period"):
        jp.Design.from_table(ibis.memtable(frame), **COLUMNS)


def test_a_cohort_of_one_unit_stays_itself() -> None:
    frame = panel()
    frame.loc[frame["unit"] == 7, "first"] = 2006.0
    whole, summed = both(frame)
    assert 7 in list(summed.units)
    agree(jp.did.CallawaySantAnna(), whole, summed)


def first_of(frame: pd.DataFrame, unit: int) -> pd.Series:
    return frame["unit"].eq(unit) & frame["period"].eq(2003)


FAULTS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "missing": (
        lambda f: f.assign(y=f.y.mask(first_of(f, 5))),
        {},
        "'y' is missing for unit 5 in period 2003",
    ),
    "infinite": (
        lambda f: f.assign(y=f.y.mask(first_of(f, 5), np.inf)),
        {},
        "'y' is infinite for unit 5 in period 2003",
    ),
    "duplicate": (
        lambda f: pd.concat([f, f[first_of(f, 1)]]),
        {},
        "more than once: unit 1 in period 2003. Keep",
    ),
    "many": (
        lambda f: f.assign(y=f.y.mask(f.period.eq(2003) & f.unit.lt(10))),
        {},
        "'y' is missing for unit 0 in period 2003.* 10 units have such rows",
    ),
    "fraction": (lambda f: f.assign(period=f.period + 0.5), {}, "'period' is 2001.5 in 400 rows"),
    "no period": (
        lambda f: f.assign(period=f.period.mask(first_of(f, 1))),
        {},
        "'period' is missing in 1 rows",
    ),
    "words": (
        lambda f: f.assign(period="in " + f.period.astype(str)),
        {},
        "'period' holds text or objects",
    ),
    "text": (lambda f: f.assign(y=f.y.astype(str)), {}, "'y' is of type string .such as"),
    "no unit": (lambda f: f.assign(unit=f.unit.mask(first_of(f, 1))), {}, "'unit' is missing in 1"),
    "no group": (
        lambda f: f.assign(group=f.group.mask(first_of(f, 1))),
        {"clusters": ["group"]},
        "'group' is missing in 1 rows",
    ),
    "group varies": (
        lambda f: f.assign(group=f.group.mask(first_of(f, 3), 9)),
        {"assigned_at": "group"},
        "unit 3 belongs to more than one 'group' .3, 9",
    ),
    "groups differ": (
        lambda f: f.assign(group=0),
        {"assigned_at": "group"},
        "the units of group 0 are not treated from the same period on",
    ),
    "adoption varies": (
        lambda f: f.assign(first=f["first"].mask(first_of(f, 1), 2003)),
        {},
        "varies within unit 1 ",
    ),
    "adoption a fraction": (
        lambda f: f.assign(first=f["first"].mask(f.unit == 1, 2003.5)),
        {},
        "is 2003.5 for unit 1; the first treated period must be a whole number",
    ),
    "adoption negative": (
        lambda f: f.assign(first=f["first"].mask(f.unit == 1, -1)),
        {},
        "'first' holds -1, and all periods are positive",
    ),
    "adoption minus infinity": (
        lambda f: f.assign(first=f["first"].mask(f.unit == 1, -np.inf)),
        {},
        "'first' holds -inf",
    ),
    "untreated": (lambda f: f.assign(first=np.inf), {}, "no unit is treated"),
    "no control": (lambda f: f.assign(first=2004), {}, "no control unit"),
    "treatment two": (
        lambda f: f.assign(treated=f.treated.mask(first_of(f, 2), 2)),
        {"adoption": None, "treatment": "treated"},
        "'treated' is 2 for unit 2 in period 2003; it must be 0 or 1",
    ),
    "treatment ends": (
        lambda f: f.assign(treated=f.treated.mask(f.period == 2006, 0)),
        {"adoption": None, "treatment": "treated"},
        "switches off: unit [0-9]+ is treated in 200. and untreated in 2006",
    ),
    "weight": (
        lambda f: f.assign(w=f.unit.ne(4).astype(float)),
        {"weights": "w"},
        "'w' is not positive for unit 4",
    ),
    "weight varies": (
        lambda f: f.assign(w=1.0 + first_of(f, 6)),
        {"weights": "w"},
        "'w' varies over time within unit 6",
    ),
    "covariate": (
        lambda f: f.assign(x=f.x.mask(first_of(f, 8))),
        {"covariates": ["x"]},
        "'x' is missing for unit 8 in period 2003",
    ),
    "column": (lambda f: f.drop(columns="y"), {}, "column 'y' is not in the table"),
    "roles": (lambda f: f, {"treatment": "treated"}, "exactly one of treatment="),
    "one period": (lambda f: f[f.period == 2003], {}, "one period only"),
    "window": (lambda f: f, {"window": (1990, 1995)}, "window=.1990, 1995. holds no period"),
    "exclude": (lambda f: f, {"exclude": [4000]}, "exclude: unit 4000 is not in column 'unit'"),
    "excluded": (lambda f: f, {"exclude": range(400)}, "exclude= leaves no unit"),
    "empty": (lambda f: f[f.unit < 0], {}, "the table has no rows"),
}


@pytest.mark.parametrize(("change", "options", "words"), FAULTS.values(), ids=FAULTS)
def test_errors_name_column_unit_and_period(
    change: Any, options: dict[str, Any], words: str
) -> None:
    table = ibis.memtable(change(panel()))
    with pytest.raises(jp.DesignError, match=words):
        jp.Design.from_table(table, **COLUMNS | options)


def test_a_frame_is_sent_to_from_frame() -> None:
    with pytest.raises(jp.DesignError, match="expected an Ibis table, got DataFrame"):
        jp.Design.from_table(panel(), **COLUMNS)


def test_units_that_are_all_different_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("summed", "queries"):
        monkeypatch.setattr(f"jjjpolicy.design.intake.{module}.LARGEST", 300)
    with pytest.raises(jp.DesignError, match="kinds of unit differ in the values of 'z'"):
        both(panel(), covariates=["z"])


def test_without_ibis_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("jjjpolicy._extras.import_module", absent)
    with pytest.raises(jp.DataError, match=r"jjjpolicy\[firms\]"):
        jp.Design.from_table(panel(), **COLUMNS)
