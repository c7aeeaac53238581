"""Flows, entries, exits, branches and events: small cases by hand, simulated ones against truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jjjpolicy as jp

pytest.importorskip("ibis", reason="firm records need the extra 'firms'")
pytest.importorskip("duckdb", reason="firm records need the extra 'firms'")

BEIJING, TIANJIN, HEBEI = "110000", "120000", "130000"


def records(rows: str, **columns: Any) -> pd.DataFrame:
    """Firm-years from words like ``a:2014:B``."""
    codes = {"B": BEIJING, "T": TIANJIN, "H": HEBEI}
    split = [row.split(":") for row in rows.split()]
    frame = pd.DataFrame(
        {
            "firm": [row[0] for row in split],
            "year": [int(row[1]) for row in split],
            "region": [codes[row[2]] for row in split],
            "industry": "C",
            "size": np.arange(1.0, len(split) + 1),
        }
    )
    return frame.assign(**columns)


MOVES = "a:2014:B a:2015:H a:2016:H b:2014:B b:2016:T c:2015:T c:2016:B d:2014:H"


def test_a_flow_is_a_change_of_region_between_two_years() -> None:
    found = jp.relocation.flows(records(MOVES))
    assert found.to_numpy().tolist() == [
        [BEIJING, HEBEI, 2015, 1, 1.0],
        [TIANJIN, BEIJING, 2016, 1, 6.0],
    ]


def test_flows_over_gaps_are_counted_on_request_only() -> None:
    found = jp.relocation.flows(records(MOVES), across_gaps=True)
    assert [BEIJING, TIANJIN, 2016, 1, 4.0] in found.to_numpy().tolist()


def test_entries_exits_returns_and_lapses() -> None:
    found = jp.relocation.entries_exits(records(MOVES)).set_index(["region", "year"])
    columns = ["firms_before", "entries", "exits", "moved_in", "moved_out", "firms"]
    columns += ["returns", "lapses", "entry_size", "exit_size"]
    assert found.loc[(BEIJING, 2015), columns].tolist() == [2, 0, 1, 0, 1, 0, 0, 1, 0, 4]
    assert found.loc[(TIANJIN, 2016), columns].tolist() == [1, 1, 0, 0, 1, 1, 1, 0, 5, 0]
    assert found.loc[(HEBEI, 2015), columns].tolist() == [1, 0, 1, 1, 0, 1, 0, 0, 0, 8]
    assert found.loc[(TIANJIN, 2015), columns].tolist() == [0, 1, 0, 0, 0, 1, 0, 0, 6, 0]


def test_one_year_alone_has_no_entries() -> None:
    with pytest.raises(jp.DataError, match="2014 alone"):
        jp.relocation.entries_exits(records("a:2014:B b:2014:T"))


def test_industries_are_those_before_the_move() -> None:
    frame = records("a:2014:B a:2015:H", industry=["C", "F"])
    assert jp.relocation.flows(frame, by=["industry"])["industry"].tolist() == ["C"]
    net = jp.relocation.net_relocation(frame)
    assert net[["region", "industry", "net", "net_size"]].to_numpy().tolist() == [
        [BEIJING, "C", -1, -1.0],
        [HEBEI, "C", 1, 1.0],
    ]
    for wrong in ("industry", ["size"]):
        with pytest.raises(jp.DataError, match="industry"):
            jp.relocation.flows(frame, by=wrong)


def random_registry(seed: int) -> pd.DataFrame:
    """SIMULATED firm-years with gaps, moves, entries and exits at random."""
    rng = np.random.default_rng(seed)
    firms, years = 400, np.arange(2010, 2018)
    frame = pd.DataFrame({"firm": np.repeat(np.arange(firms), 8), "year": np.tile(years, firms)})
    frame["region"] = rng.choice([BEIJING, TIANJIN, HEBEI], size=len(frame))
    frame["industry"] = rng.choice(["C", "F"], size=len(frame))
    frame["size"] = rng.integers(1, 50, size=len(frame))
    return frame[rng.random(len(frame)) < 0.7].sample(frac=1, random_state=seed)


@pytest.mark.parametrize("seed", [1, 2])
def test_firms_are_those_before_plus_entries_less_exits_plus_net_relocation(seed: int) -> None:
    b = jp.relocation.entries_exits(random_registry(seed))
    balance = b["firms_before"] + b["entries"] - b["exits"] + b["moved_in"] - b["moved_out"]
    assert (b["firms"] == balance).all()
    assert b["moved_in"].sum() == b["moved_out"].sum() > 0
    assert (b["returns"] <= b["entries"]).all()
    assert (b["lapses"] <= b["exits"]).all()


def test_flows_agree_with_a_merge_of_adjacent_years() -> None:
    frame = random_registry(3)
    later = frame.assign(year=frame["year"] - 1)
    both = frame.merge(later, on=["firm", "year"], suffixes=("", "_next"))
    both = both[both["region"] != both["region_next"]].assign(year=both["year"] + 1)
    expected = both.groupby(["region", "region_next", "year", "industry"])["size"].agg(
        ["count", "sum"]
    )
    found = jp.relocation.flows(frame, by=["industry"])
    assert found["firms"].tolist() == expected["count"].tolist()
    assert found["size"].tolist() == expected["sum"].tolist()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path, Path]:
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("registry")
    registry = jp.relocation.SimulatedRegistry(firms=60_000, years=(2012, 2018), seed=7)
    rows = registry.write(folder / "firms.parquet", folder / "branches.parquet")
    assert rows == len(pd.read_parquet(folder / "firms.parquet", columns=["year"]))
    return registry, folder / "firms.parquet", folder / "branches.parquet"


def test_recovered_rates_are_the_known_ones(simulated: tuple[Any, Path, Path]) -> None:
    registry, firms, _ = simulated
    read = jp.relocation.firm_records(firms)
    demography = jp.relocation.entries_exits(read)
    before = demography["firms_before"].to_numpy(dtype=float)
    for column, rate in (("exits", registry.exit_rate), ("entries", registry.entry_rate)):
        z = (demography[column] - rate * before) / np.sqrt(rate * before)
        assert np.abs(z).max() < 4
        assert 0.5 < np.mean(z**2) < 1.6
    stayers = demography.assign(at_risk=before - demography["exits"])
    table = registry.truth.merge(
        stayers, left_on=["origin", "year"], right_on=["region", "year"]
    ).merge(jp.relocation.flows(read), on=["origin", "destination", "year"], how="left")
    expected = table["rate"] * table["at_risk"]
    z = (table["firms_y"].fillna(0) - expected) / np.sqrt(expected * (1 - table["rate"]))
    assert np.abs(z).max() < 4
    assert 0.7 < np.mean(z**2) < 1.4


def test_branches_are_counted_by_parent_and_own_region(simulated: tuple[Any, Path, Path]) -> None:
    registry, firms, branches = simulated
    found = jp.relocation.branches(firms, branches)
    merged = pd.read_parquet(branches).merge(
        pd.read_parquet(firms), on=["firm", "year"], suffixes=("", "_parent")
    )
    expected = merged.groupby(["region_parent", "region", "year"])["firm"].agg(["count", "nunique"])
    assert found["branches"].tolist() == expected["count"].tolist()
    assert found["parents"].tolist() == expected["nunique"].tolist()
    opened = pd.read_parquet(branches).groupby("branch")["year"].min()
    at_risk = len(pd.read_parquet(firms))
    z = (len(opened) - registry.branch_rate * at_risk) / np.sqrt(registry.branch_rate * at_risk)
    assert abs(z) < 4


def test_branches_without_parent_stay_visible_and_bad_ones_are_refused() -> None:
    branches = pd.DataFrame(
        {
            "branch": ["x", "y"],
            "firm": ["a", "nobody"],
            "year": [2014, 2014],
            "region": ["130100", "120000"],
        }
    )
    parents = jp.relocation.firm_records(records("a:2014:B")).at_level("province")
    found = jp.relocation.branches(parents, branches)
    assert found["parent_region"].isna().tolist() == [False, True]
    assert found["branch_region"].tolist() == [HEBEI, TIANJIN]
    with pytest.raises(jp.DataError, match="2 rows for branch 'x'"):
        jp.relocation.branches(parents, branches.assign(branch="x"))
    with pytest.raises(jp.DataError, match="must both be text"):
        jp.relocation.branches(parents, branches.assign(firm=[1, 2]))


def test_a_simulated_registry_is_labelled_deterministic_and_checked(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    registry = jp.relocation.SimulatedRegistry(firms=600, years=(2010, 2013), seed=1)
    files = [tmp_path / name for name in ("one", "two", "three")]
    registry.write(files[0])
    registry.write(files[1])
    jp.relocation.SimulatedRegistry(firms=600, years=(2010, 2013), seed=2).write(files[2])
    one, two, three = (parquet.read_table(file) for file in files)
    assert one.equals(two)
    assert not one.equals(three)
    assert b"SIMULATED" in one.schema.metadata[b"simulated"]
    assert all(name.startswith("SIM") for name in one["firm"].to_pylist())
    for wrong in (
        {"move_rate": 1.5},
        {"regions": ("110000",)},
        {"years": (2010, 2010)},
        {"policy_effect": 9.0},
        {"policy_pairs": (("110000", "650000"),)},
    ):
        with pytest.raises(jp.DataError):
            jp.relocation.SimulatedRegistry(**wrong)


EVENTS = [
    ("a", "2012-03-01", "registered", BEIJING),
    ("a", "2013-05-01", "changed", TIANJIN),
    ("a", "2013-09-01", "changed", HEBEI),
    ("a", "2015-01-31", "deregistered", HEBEI),
    ("b", "2014-02-01", "registered", TIANJIN),
    ("c", "2014-02-01", "registered", TIANJIN),
    ("c", "2014-12-01", "deregistered", TIANJIN),
]


def events(rows: list[tuple[str, str, str, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["firm", "date", "event", "region"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


def read_events(rows: list[tuple[str, str, str, str]]) -> jp.relocation.FirmRecords:
    return jp.relocation.from_events(events(rows), through=2016, industry=None, size=None)


def test_events_become_the_states_at_the_ends_of_years() -> None:
    found = read_events(EVENTS)
    table = found.table.to_pyarrow().to_pandas().sort_values(["firm", "year"])
    assert table[["firm", "year", "region"]].to_numpy().tolist() == [
        ["a", 2012, BEIJING],
        ["a", 2013, HEBEI],
        ["a", 2014, HEBEI],
        ["b", 2014, TIANJIN],
        ["b", 2015, TIANJIN],
        ["b", 2016, TIANJIN],
    ]
    assert jp.relocation.flows(found)["year"].tolist() == [2013]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (("d", "2013-01-01", "changed", BEIJING), "'d' on 2013-01-01: the first event"),
        (("b", "2015-01-01", "registered", BEIJING), "cannot follow 'registered'"),
        (("c", "2015-01-01", "changed", BEIJING), "cannot follow 'deregistered'"),
        (("b", "2015-01-01", "moved", BEIJING), "registered, changed, deregistered"),
        (("b", "2017-01-01", "changed", BEIJING), "after through=2016"),
        (("b", "2014-02-01", "changed", BEIJING), "2 rows for firm 'b'.*order is unknown"),
    ],
)
def test_impossible_events_are_refused(event: tuple[str, str, str, str], message: str) -> None:
    with pytest.raises(jp.DataError, match=message):
        read_events([*EVENTS, event])
