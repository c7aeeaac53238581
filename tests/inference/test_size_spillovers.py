"""Size with 1, 3 and 13 treated units whose neighbours are affected; ignoring this loses it.

The small version of ``benchmarks/size_spillovers.py``, whose full table is committed; simulated.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
DRAWS, REPLICATIONS = 10, 19


@pytest.fixture(scope="module")
def rates() -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        from size_spillovers import rejections, tests

        found: pd.DataFrame = rejections(DRAWS, 5, tests(REPLICATIONS))
    return found


def test_all_cases_are_simulated(rates: pd.DataFrame) -> None:
    assert rates.columns.tolist() == ["1 of 120", "3 of 120", "13 of 120"]


def test_conditional_tests_keep_five_per_cent(rates: pd.DataFrame) -> None:
    sizes = rates[rates.index.str.contains("conditional|true")]
    assert len(sizes) == 3
    assert (sizes <= 0.05 + 3 * (0.05 * 0.95 / DRAWS) ** 0.5).all(axis=None)
    assert sizes.to_numpy().mean() <= 0.05 + 3 * (0.05 * 0.95 / (DRAWS * sizes.size)) ** 0.5


def test_ignoring_spillovers_does_not(rates: pd.DataFrame) -> None:
    ignored = rates.loc["own effect, synthetic control, ignoring spillovers"]
    assert ignored.mean() > 0.05 + 3 * (0.05 * 0.95 / (DRAWS * ignored.size)) ** 0.5


def committed() -> pd.DataFrame:
    text = (BENCHMARKS / "results" / "size_spillovers.md").read_text(encoding="utf-8")
    assert "2,000 draws per column" in text
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return pd.DataFrame(
        [[float(cell) for cell in row[1:]] for row in rows[1:]], [row[0] for row in rows[1:]]
    )


def test_the_committed_table_keeps_five_per_cent_within_a_point() -> None:
    table = committed()
    sizes = table[table.index.str.contains("conditional|true")]
    assert sizes.shape == (3, 3)
    assert (sizes <= 6).all(axis=None)
    assert (table.loc["own effect, synthetic control, ignoring spillovers"] > 20).all()
    assert (table.loc["no spillover at all (false)"] > table.loc[sizes.index[-1]]).all()
