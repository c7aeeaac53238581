"""Rejection rates of counterfactual paths that the documentation quotes are those measured."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ROOT / "benchmarks" / "results" / "size_counterfactuals.md"


def rates(inference: str, estimator: str = "") -> list[list[float]]:
    """Rows of a method, stationary factors first: 1, 3 and 13 treated, without refusals."""
    text = MEASURED.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.M)
    return [
        [float(cell) for cell in cells if cell != "–"]
        for name, method, *cells in rows
        if method == inference and name.endswith(estimator)
    ]


def quoted(row: str) -> str:
    """A row of the table by number of treated groups."""
    text = (ROOT / "docs" / "methods" / "grid.md").read_text(encoding="utf-8")
    table = text.partition("## By number of treated groups")[2]
    return next(line for line in table.splitlines() if line.startswith(f"| {row} | "))


def test_the_grid_quotes_measured_rates_of_counterfactual_paths() -> None:
    placebo = [row[1] for row in rates("placebo")]
    assert f"rejects {min(placebo)} to {max(placebo)}% at 3 of 31" in quoted("PlaceboUnits")
    ends = [rate for row in rates("end of sample", "synthetic control") for rate in row]
    assert f"rejects {min(ends):.0f} to {max(ends):.0f}% with 24 before" in quoted("EndOfSample")
    largest = max(rate for row in rates("end of sample", "differences") for rate in row)
    assert f"differences up to {largest:.0f}%" in quoted("EndOfSample")
    held, _ = rates("jackknife")
    assert f"{held[0]:.0f}% with weights held" in quoted("Jackknife")
    assert f"rejects {held[1]:.0f}% at 13 of 31" in quoted("Jackknife")
    bootstrap, _ = rates("parametric bootstrap")
    assert f"no: rejects {bootstrap[2]:.0f}% at 13 of 31" in quoted("ParametricBootstrap")
    debiased = [row[1] for row in rates("debiased t-test")]
    assert f"rejects {max(debiased)}%" in quoted("DebiasedTTest")
    assert f"rejects {rates('rearrangement')[0][0]}%" in quoted("RearrangementTest")
