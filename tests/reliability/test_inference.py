"""Every estimator with every inference method: what combines gives numbers, the rest a reason."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_designs import Panel, attempted, plain

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.replication.provenance.specification import estimators, inferences

ESTIMATORS = plain(estimators())
INFERENCES = plain(inferences())
GRID = Path(__file__).resolve().parents[2] / "docs/methods/grid.md"

SOUND = Panel(units=8, periods=12, cohorts=(2,), seed=1)
GAPS = Panel(units=7, periods=6, cohorts=(2, 1), seed=5, missing=0.15)
CONSTANT = Panel(units=7, periods=6, cohorts=(2,), seed=4, noise="constant")
GROUPED = Panel(units=10, periods=6, cohorts=(1,), seed=3, grouped=True, scale=1e-9)

SEARCHED = ("Conformal", "RandomizationInference", "ConditionalRandomization")
"""Methods whose intervals are found by fitting again."""

FAMILIES = {
    "two-way fixed effects": ["TwoWayFixedEffects"],
    "event study": ["EventStudy", "SunAbraham"],
    "influence functions": ["CallawaySantAnna", "Imputation", "TwoStage", "Stacked"],
    "re-estimation only": ["SyntheticDiD", "DemeanedSyntheticControl", "SyntheticControl"],
}
"""Columns of the grid in the documentation, and estimators in them."""


def unexplained(estimate: Estimate) -> list[str]:
    """Numbers of an inference that are missing without a reason, or contradict each other."""
    inference = estimate.inference
    assert inference is not None
    notes, found = " ".join(inference.notes), []
    for name in ("se", "pvalue"):
        value = getattr(estimate, name)
        if (
            value is not None
            and not np.isfinite(value)
            and not re.search("No (standard|p-)", notes)
        ):
            found.append(f"{name} is {value}")
    if estimate.pvalue is not None and not np.isnan(estimate.pvalue):
        assert 0 <= estimate.pvalue <= 1 + 1e-12
    searched = inference.specification["name"] in SEARCHED
    if searched and estimate.influence is None:
        return found  # ends of intervals are searched for by fitting again
    if inference.bounds is not None and not searched:
        (low, high), (lower, higher) = estimate.interval(0.8), estimate.interval(0.95)
        if np.isnan([low, high]).any() and not notes:
            found.append("interval")
        slack = 1e-9 * float(np.nanstd(estimate.design.outcome)) + 1e-12 * abs(estimate.att)
        if not np.isnan(low) and not (lower <= low + slack and high <= higher + slack):
            found.append("intervals that shrink with their level")
    assert len(estimate.effects.columns) >= 5
    return found


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("panel", [GAPS, CONSTANT, GROUPED], ids=["gaps", "constant", "grouped"])
def test_every_pair_gives_numbers_or_a_reason(name: str, panel: Panel) -> None:
    fit = attempted(lambda: ESTIMATORS[name].fit(panel.design(name)))
    if isinstance(fit, jp.JJJPolicyError):
        return
    for method in INFERENCES.values():

        def infer(method: jp.estimate.Inference = method) -> list[str]:
            return unexplained(method.infer(fit))

        result = attempted(infer)
        if isinstance(result, jp.JJJPolicyError):
            assert len(str(result)) > 30
        else:
            assert result == [], type(method).__name__


def grid() -> list[tuple[str, str, str, bool]]:
    """Method, the options that its row names, estimator, and whether the page says they combine."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in GRID.read_text(encoding="utf-8").split("## By number")[0].splitlines()
        if line.startswith("| ")
    ]
    columns = [
        next(known for known in FAMILIES if head.startswith(known)) for head in rows[0][1:] if head
    ]
    return [
        (method, row[0], estimator, not cell.startswith("–"))
        for row in rows[1:]
        for method in INFERENCES
        if method in re.findall(r"\w+", row[0])
        for family, cell in zip(columns, row[1:], strict=True)
        for estimator in FAMILIES[family]
    ]


@pytest.mark.parametrize(("method", "row", "estimator", "combine"), grid())
def test_the_grid_in_the_documentation_is_true(
    method: str, row: str, estimator: str, combine: bool
) -> None:
    inference = INFERENCES[method]
    if "CRV" in row:
        inference = replace(inference, kind=row.split()[-1])
    if "period" in row:
        inference = replace(inference, level=("unit", "period"))
    panel = replace(SOUND, cohorts=(1,)) if method == "RearrangementTest" else SOUND
    result = attempted(lambda: inference.infer(ESTIMATORS[estimator].fit(panel.design())))
    if not combine:
        assert isinstance(result, jp.JJJPolicyError)
    elif isinstance(result, jp.JJJPolicyError) and "negative variance" not in str(result):
        limited = {"PredictionIntervals", "ParametricBootstrap", "RearrangementTest"}
        assert method in limited, result
