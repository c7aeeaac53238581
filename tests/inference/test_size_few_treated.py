"""Rejections of a true null with 1, 3 and 13 treated groups of 31 and of 290.

The small version of ``benchmarks/size_few_treated.py``, whose full table is committed; simulated.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import jjjpolicy as jp

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
CASES = ["1 of 31", "3 of 31", "13 of 31", "1 of 290", "3 of 290", "13 of 290"]
DRAWS = 24


@pytest.fixture(scope="module")
def rates() -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        from size_few_treated import rejections

        methods = {
            "clustered": jp.inference.Clustered(),
            "CRV3": jp.inference.Clustered(kind="CRV3"),
            "randomisation": jp.inference.RandomizationInference(replications=99),
        }
        found: pd.DataFrame = rejections(DRAWS, 7, methods)
    return found


def test_all_six_cases_are_simulated(rates: pd.DataFrame) -> None:
    assert rates.columns.tolist() == CASES


@pytest.mark.parametrize("case", CASES)
def test_randomisation_keeps_its_size(rates: pd.DataFrame, case: str) -> None:
    assert rates.loc["randomisation", case] <= 0.05 + 3 * (0.05 * 0.95 / DRAWS) ** 0.5
    assert rates.loc["randomisation"].mean() <= 0.08


def test_clustered_errors_lose_theirs_with_few_treated_and_crv3_loses_less(
    rates: pd.DataFrame,
) -> None:
    assert (rates.loc["clustered", ["1 of 31", "1 of 290"]] > 0.4).all()
    assert rates.loc["CRV3", ["1 of 31", "1 of 290"]].isna().all()
    others = ["3 of 31", "13 of 31", "3 of 290", "13 of 290"]
    assert (rates.loc["CRV3", others] <= rates.loc["clustered", others]).all()


def committed() -> pd.DataFrame:
    text = (BENCHMARKS / "results" / "size_few_treated.md").read_text(encoding="utf-8")
    assert "2,000 draws per column" in text
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    cells = [[np.nan if cell == "–" else float(cell) for cell in row[1:]] for row in rows[1:]]
    return pd.DataFrame(cells, [row[0] for row in rows[1:]], rows[0][1:])


def test_what_is_recommended_keeps_five_per_cent_within_a_point_in_the_committed_table() -> None:
    table = committed()
    assert table.columns.tolist() == CASES
    assert (table[table.index.str.startswith("randomisation")] <= 6).all(axis=None)
    few = ["1 of 31", "1 of 290", "3 of 290"]
    assert (table.loc[["Conley-Taber", "Ferman-Pinto"], few] <= 6).all(axis=None)
    many = ["13 of 31", "13 of 290"]
    recommended = ["clustered by group, CRV2 (Bell-McCaffrey)", "wild bootstrap WCR-11"]
    assert (table.loc[recommended, many] <= 6).all(axis=None)


def test_what_is_not_recommended_does_not() -> None:
    table = committed()
    residual = table.loc[["Conley-Taber", "Ferman-Pinto"]]
    assert (residual[["13 of 31", "13 of 290"]] > 6).all(axis=None)
    assert residual.loc["Conley-Taber", "3 of 31"] > 6
    assert (table.loc["clustered by group, CRV3", ["3 of 31", "3 of 290", "13 of 290"]] > 6).all()
