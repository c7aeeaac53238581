"""Tables summed up in parts, where the engine's memory is short: the numbers of the whole table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from summed_designs import COLUMNS, ESTIMATORS, WITH_COVARIATE, agree, panel

import jjjpolicy as jp
from jjjpolicy.design.intake import parts
from jjjpolicy.design.intake.columns import Columns
from jjjpolicy.design.intake.summaries import Kind, Likes, Moments

ibis = pytest.importorskip("ibis", reason="tables of engines need the extra 'firms'")
pytest.importorskip("duckdb", reason="tables of engines need the extra 'firms'")

PLAIN = Columns("unit", "period", "y", adoption="first")


@pytest.fixture
def room_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Leaves the engine memory for about this many units of 6 periods, all of them sampled."""

    def leave(units: float) -> None:
        memory = units * parts.NUMBER * (8 + 7) / parts.SHARE
        monkeypatch.setattr(parts, "memory", lambda table: memory)
        monkeypatch.setattr(parts, "EVERY", 1)

    return leave


def held(memory: str, query: str) -> Any:
    """The result of a query in a DuckDB that was given so much memory."""
    connection = ibis.duckdb.connect(memory_limit=memory)
    connection.raw_sql(f"create view rows as {query}")
    return connection.table("rows")


def mixed(frame: pd.DataFrame) -> Any:
    return ibis.memtable(frame.sample(frac=1, random_state=1))


@pytest.mark.parametrize("label", [int, "firm {}".format], ids=["numbers", "text"])
def test_parts_hold_whole_units_and_about_equally_many(
    label: Callable[[int], Any], room_for: Callable[[float], None]
) -> None:
    room_for(90)
    frame = panel(0.03)
    frame["unit"] = frame["unit"].map(label)
    found = [
        part.to_pyarrow().to_pandas() for part in parts.in_parts(mixed(frame), PLAIN, len(frame), 6)
    ]
    assert [part["unit"].nunique() for part in found] == [80] * 5
    together = pd.concat(found).sort_values(["unit", "period"], ignore_index=True)
    pd.testing.assert_frame_equal(
        together, frame.sort_values(["unit", "period"], ignore_index=True), check_dtype=False
    )


def test_a_table_that_fits_stays_whole() -> None:
    table = mixed(panel())
    assert parts.in_parts(table, PLAIN, 2_400, 6) == [table]


def test_the_memory_is_what_the_engine_was_given() -> None:
    table = held("640MiB", "select 1 as unit")
    assert parts.memory(table) == 640 * 2**20


def test_an_engine_short_of_memory_is_asked_in_parts() -> None:
    table = held("20MiB", "select (i // 6)::int as unit from range(600000) r(i)")
    found = parts.in_parts(table, PLAIN, 600_000, 6)
    numbers = [part.unit.nunique().to_pyarrow().as_py() for part in found]
    assert len(found) >= 3
    assert sum(numbers) == 100_000
    assert max(numbers) * parts.NUMBER * (8 + 7) < 20 * 2**20


OPTIONS: dict[str, dict[str, Any]] = {
    "by unit": {"clusters": "group"},
    "by group": {"assigned_at": "group"},
    "with a covariate": {"covariates": ["x"], "weights": "w", "clusters": "group"},
}


@pytest.fixture(scope="module", params=[0.0, 0.03], ids=["balanced", "rows missing"])
def frame(request: pytest.FixtureRequest) -> pd.DataFrame:
    frame = panel(request.param)
    return frame.assign(w=1.0 + frame["unit"] // 4 % 2)


@pytest.mark.filterwarnings("ignore:left out as collinear")
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_numbers_are_those_of_the_table_in_memory(
    options: dict[str, Any], frame: pd.DataFrame, room_for: Callable[[float], None]
) -> None:
    room_for(150)
    whole = jp.Design.from_frame(frame, **COLUMNS, **options)
    summed = jp.Design.from_table(mixed(frame), **COLUMNS, **options)
    for estimator in (WITH_COVARIATE if "covariates" in options else ESTIMATORS).values():
        agree(estimator, whole, summed)
    if "clusters" in options:
        estimates = [jp.did.Imputation().fit(design) for design in (whole, summed)]
        one, other = (each.with_inference(jp.inference.Clustered("group")) for each in estimates)
        assert other.se == pytest.approx(one.se, rel=1e-10)


def test_the_rows_that_stand_for_units_do_not_depend_on_the_parts(
    frame: pd.DataFrame, room_for: Callable[[float], None]
) -> None:
    one = jp.Design.from_table(mixed(frame), **COLUMNS, clusters="group")
    room_for(90)
    other = jp.Design.from_table(mixed(frame), **COLUMNS, clusters="group")
    assert list(other.units) == list(one.units)
    np.testing.assert_array_equal(other.stands_for, one.stands_for)
    np.testing.assert_allclose(np.nanmean(other.outcome, 0), np.nanmean(one.outcome, 0), rtol=1e-10)
    pd.testing.assert_frame_equal(other.ledger, one.ledger)


def test_errors_name_column_unit_and_period_of_the_first_part_concerned(
    room_for: Callable[[float], None],
) -> None:
    room_for(50)
    frame = panel()
    frame["y"] = frame["y"].mask(frame["period"].eq(2003) & frame["unit"].between(60, 370))
    words = "'y' is missing for unit 60 in period 2003.* At least 28 units have such rows"
    with pytest.raises(jp.DesignError, match=words):
        jp.Design.from_table(mixed(frame), **COLUMNS)


PRESENT = np.array([True, True, True])


def likes(outcome: np.ndarray, start: int = 0) -> Likes:
    found = Likes(np.zeros(1), PRESENT)
    found.add(outcome, list(range(start, start + len(outcome))))
    return found


def moments(outcome: np.ndarray) -> Moments:
    changes = np.column_stack([outcome[:, 0], outcome[:, 1:] - outcome[:, :1]])
    products = (len(outcome) - 1) * np.cov(changes.T)
    return Moments(np.zeros(1), PRESENT, len(outcome), mean=changes.mean(axis=0), products=products)


@pytest.mark.parametrize(
    ("cut", "kinds"),
    [
        (2, (likes, likes)),
        (4, (likes, moments)),
        (16, (moments, likes)),
        (9, (moments, moments)),
        (9, (likes, likes)),
    ],
)
def test_kinds_of_two_parts_have_the_mean_and_covariance_of_all_units(
    cut: int, kinds: tuple[Callable[[np.ndarray], Kind], ...]
) -> None:
    outcome = 1e3 + np.random.default_rng(3).normal(size=(20, 3)).cumsum(axis=1)
    both = kinds[0](outcome[:cut]).plus(kinds[1](outcome[cut:]))
    rows, counts = both.summary()
    assert both.number == 20
    np.testing.assert_allclose(counts, 5.0)
    np.testing.assert_allclose(rows.mean(axis=0), outcome.mean(axis=0), rtol=1e-14)
    covariance = np.cov(rows.T, bias=True)
    np.testing.assert_allclose(covariance, np.cov(outcome.T, bias=True), rtol=1e-10)


def test_units_that_stay_few_stand_for_themselves() -> None:
    outcome = np.random.default_rng(4).normal(size=(4, 3))
    both = likes(outcome[:1]).plus(likes(outcome[1:], 1))
    assert both.labels == [0, 1, 2, 3]
    np.testing.assert_allclose(both.summary()[0], outcome, rtol=1e-12, atol=1e-14)
