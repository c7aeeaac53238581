"""The same expressions on local Spark and on DuckDB give identical tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import jjjpolicy as jp

pytest.importorskip("ibis", reason="firm records need the extra 'firms'")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("registry")
    registry = jp.relocation.SimulatedRegistry(firms=1_500, years=(2012, 2017), seed=4)
    registry.write(folder / "whole.parquet", folder / "branches.parquet")
    # Gaps in the records exercise returns, lapses and branches without a parent.
    records = pd.read_parquet(folder / "whole.parquet")
    records.sample(frac=0.9, random_state=1).to_parquet(folder / "firms.parquet", index=False)
    return folder / "firms.parquet", folder / "branches.parquet"


QUERIES: dict[str, Callable[..., pd.DataFrame]] = {
    "flows": lambda records, branches: jp.relocation.flows(records),
    "flows over gaps by industry": lambda records, branches: jp.relocation.flows(
        records, by=["industry"], across_gaps=True
    ),
    "entries and exits": lambda records, branches: jp.relocation.entries_exits(records),
    "net relocation": lambda records, branches: jp.relocation.net_relocation(records),
    "branches": lambda records, branches: jp.relocation.branches(records, branches),
    "at a higher level": lambda records, branches: jp.relocation.flows(
        records.at_level("prefecture")
    ),
}


@pytest.fixture(scope="module")
def both(files: tuple[Path, Path], spark: Any) -> tuple[Any, Any]:
    firms, _ = files
    return jp.relocation.firm_records(firms), jp.relocation.firm_records(firms, connection=spark)


@pytest.mark.parametrize("query", QUERIES)
def test_results_are_identical(query: str, both: tuple[Any, Any], files: tuple[Path, Path]) -> None:
    duckdb, spark = (QUERIES[query](records, files[1]) for records in both)
    assert len(duckdb) > 0
    pd.testing.assert_frame_equal(spark, duckdb, check_exact=True)


def test_records_from_events_are_identical(spark: Any) -> None:
    events = pd.DataFrame(
        {
            "firm": ["a", "a", "a", "b"],
            "date": pd.to_datetime(["2012-03-01", "2013-05-01", "2015-01-31", "2014-02-01"]),
            "event": ["registered", "changed", "deregistered", "registered"],
            "region": ["110000", "130000", "130000", "120000"],
        }
    )
    options = {"through": 2016, "industry": None, "size": None}
    tables = []
    for connection in (None, spark):
        records = jp.relocation.from_events(events, connection=connection, **options)
        tables.append(jp.relocation.entries_exits(records))
    assert tables[0]["firms"].sum() == 5
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_bad_records_are_refused_with_the_same_words(spark: Any) -> None:
    frame = pd.DataFrame(
        {"firm": ["a", "a"], "year": [2014, 2014], "region": ["110000", "120000"], "size": [1, -1]}
    )
    for bad in (frame, frame.assign(size=1), frame.assign(region=["110000", None], size=1)):
        messages = []
        for connection in (None, spark):
            with pytest.raises(jp.DataError) as error:
                jp.relocation.firm_records(bad, industry=None, connection=connection)
            messages.append(str(error.value))
        assert messages[0] == messages[1]
