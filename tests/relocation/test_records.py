"""Firm records: what is read, and what is refused by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import jjjpolicy as jp

pytest.importorskip("ibis", reason="firm records need the extra 'firms'")
pytest.importorskip("duckdb", reason="firm records need the extra 'firms'")

firm_records = jp.relocation.firm_records


def frame(**changes: Any) -> pd.DataFrame:
    columns = {
        "firm": ["a", "a", "b", "b"],
        "year": [2014, 2015, 2014, 2015],
        "region": ["110108", "130900", "120000", "120000"],
        "industry": ["C", "C", "F", "F"],
        "size": [10.0, 12.0, 5.0, 0.0],
    }
    return pd.DataFrame(columns | changes)


def test_records_know_their_years_regions_and_rows() -> None:
    records = firm_records(frame())
    assert records.years == (2014, 2015)
    assert records.rows == 4
    assert records.region_codes == ("110108", "120000", "130900")


def test_regions_rise_to_provinces() -> None:
    records = firm_records(frame()).at_level("province")
    assert records.region_codes == ("110000", "120000", "130000")
    found = jp.relocation.flows(records)
    assert found[["origin", "destination"]].to_numpy().tolist() == [["110000", "130000"]]
    with pytest.raises(jp.DataError, match="province, prefecture"):
        records.at_level("county")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": ["110108", None, "120000", "120000"]}, "'region' is missing for firm 'a' in"),
        ({"region": ["110108", "990000", "120000", "120000"]}, "unknown region code '990000'"),
        ({"region": ["110108", "Hebei", "120000", "120000"]}, "unknown region code 'Hebei'"),
        ({"region": [110108, 130900, 120000, 120000]}, "'region'.*must hold text"),
        ({"year": [2014.0, 2015.5, 2014.0, 2015.0]}, "'year'.*must hold whole numbers, not float"),
        ({"year": ["2014", "2015", "2014", "2015"]}, "'year'.*must hold whole numbers"),
        ({"year": [2014, 2014, 2014, 2015]}, "2 rows for firm 'a' in year 2014"),
        ({"size": [10.0, 12.0, -5.0, -1.0]}, r"negative for firm 'b' in year 2014 \(and 1 more\)"),
        ({"size": [10.0, float("nan"), 5.0, 0.0]}, "'size' is missing for firm 'a' in year 2015"),
        ({"size": [10.0, float("inf"), 5.0, 0.0]}, "'size' is infinite for firm 'a' in year 2015"),
        ({"size": list("abcd")}, "'size'.*must hold numbers"),
        ({"industry": ["C", "C", "F", None]}, "'industry' is missing for firm 'b' in year 2015"),
    ],
)
def test_bad_records_are_refused_by_column_firm_and_year(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(jp.DataError, match=message):
        firm_records(frame(**changes))


def test_columns_go_by_any_name_and_optional_ones_may_lack() -> None:
    named = frame().rename(columns={"firm": "uscc", "region": "code"})
    with pytest.raises(jp.DataError, match="no column 'firm'.*uscc"):
        firm_records(named)
    records = firm_records(named, firm="uscc", region="code", industry=None, size=None)
    assert "size" not in jp.relocation.flows(records)
    with pytest.raises(jp.DataError, match="industry=…"):
        jp.relocation.net_relocation(records)


def test_other_countries_bring_their_codes() -> None:
    states = frame(region=["NY", "NJ", "CT", "CT"])
    records = firm_records(states, region_codes=["NY", "NJ", "CT"])
    assert jp.relocation.flows(records)["destination"].tolist() == ["NJ"]
    with pytest.raises(jp.DataError, match="'CT'"):
        firm_records(states, region_codes=["NY", "NJ"])
    with pytest.raises(jp.DataError, match="GB/T 2260"):
        records.at_level("province")


def test_empty_records_and_absent_files_are_refused() -> None:
    with pytest.raises(jp.DataError, match="no records"):
        firm_records(frame().iloc[:0].astype({"firm": "str", "region": "str", "industry": "str"}))
    with pytest.raises(jp.DataError, match="no records"):
        firm_records(frame().astype(object).iloc[:0])
    with pytest.raises(jp.DataError, match=r"no file 'absent\.parquet'"):
        firm_records("absent.parquet")
    with pytest.raises(jp.DataError, match="from int"):
        firm_records(3)


def test_parquet_files_and_tables_of_an_engine_are_read_alike(tmp_path: Path) -> None:
    import ibis

    pytest.importorskip("pyarrow")
    frame().iloc[:2].to_parquet(tmp_path / "one.parquet")
    frame().iloc[2:].to_parquet(tmp_path / "two.parquet")
    expected = jp.relocation.flows(frame())
    connection = ibis.duckdb.connect()
    sources = [
        tmp_path / "*.parquet",
        [tmp_path / "one.parquet", tmp_path / "two.parquet"],
        connection.read_parquet(tmp_path / "*.parquet"),
        ibis.memtable(frame()),
    ]
    for source in sources:
        pd.testing.assert_frame_equal(jp.relocation.flows(source), expected)
    firm_records(frame()).to_parquet(tmp_path / "copy.parquet")
    pd.testing.assert_frame_equal(jp.relocation.flows(tmp_path / "copy.parquet"), expected)


def test_without_the_extra_the_error_names_it_and_import_works() -> None:
    code = (
        "import sys; sys.modules['ibis'] = None\n"
        "import pandas as pd, jjjpolicy as jp\n"
        "assert 'duckdb' not in sys.modules\n"
        "try: jp.relocation.flows(pd.DataFrame())\n"
        "except ImportError as error: print(error)\n"
    )
    source = str(Path(jp.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": source}
    )
    assert "pip install 'jjjpolicy[firms]'" in done.stdout, done.stderr
