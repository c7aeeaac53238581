"""Refits in samples that leave out some units, each its own: the numbers of separate fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp

ESTIMATORS = [
    jp.synth.SyntheticControl(),
    jp.synth.DemeanedSyntheticControl(),
    jp.synth.SyntheticDiD(),
    jp.synth.SyntheticDiD(zeta_omega=0.0),
    jp.synth.SyntheticDiD(unit_weights="uniform"),
    jp.synth.PenalizedSyntheticControl(penalty=0.1),
]


def panel(units: int, periods: int, **options: Any) -> jp.Design:
    frame = simulated_panel(units, periods, {0: 2002 + periods // 2}, seed=units)
    frame["x"] = np.random.default_rng(1).normal(size=len(frame))
    names = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **names, **options)


def samples(design: jp.Design, dates: list[int]) -> Any:
    """Up to three units are absent, and one more than there are dates is treated."""
    rng = np.random.default_rng(0)
    rows = np.full((24, design.n_units), np.inf)
    for number, row in enumerate(rows):
        drawn = rng.permutation(design.n_units)
        treated = [*dates, dates[0]][: len(dates) + number % 2]
        row[drawn[: len(treated)]] = treated
        row[drawn[len(treated) : len(treated) + number % 4]] = np.nan
    return rows


def require_separate_fits(estimator: Any, design: jp.Design, adoptions: Any) -> None:
    found = estimator.refit_among(design, adoptions)
    for row, adoption in enumerate(adoptions):
        kept = ~np.isnan(adoption)
        sample = design.keep_units(kept, "absent").reassigned(adoption[kept])
        single = estimator.fit(sample)
        assert found.att[row] == pytest.approx(single.att, rel=1e-10, abs=1e-10)
        before = single.details["gaps"].pooled_rmspe[0]
        assert found.pre_rmspe[row] == pytest.approx(before, rel=1e-9, abs=1e-9)


@pytest.mark.filterwarnings("ignore::jjjpolicy.errors.JJJPolicyWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize(("units", "periods"), [(26, 9), (14, 24)])
@pytest.mark.parametrize("further", [[], [1]])
def test_effects_are_those_of_separate_fits(
    estimator: Any, units: int, periods: int, further: list[int]
) -> None:
    design = panel(units, periods)
    date = 2002 + periods // 2
    require_separate_fits(estimator, design, samples(design, [date, *(date - k for k in further)]))


@pytest.mark.parametrize("how", ["projected", "optimized"])
def test_covariates_are_fitted_in_each_sample(how: Any) -> None:
    design = panel(14, 9, covariates=["x"])
    estimator = jp.synth.SyntheticDiD(covariates=how)
    require_separate_fits(estimator, design, samples(design, [2006])[:6])


def test_too_few_donors_are_refused() -> None:
    design = panel(6, 9)
    adoptions = np.array([[2006, np.nan, np.nan, np.nan, np.nan, np.inf]])
    for estimator in (jp.synth.SyntheticDiD(), jp.synth.DemeanedSyntheticControl()):
        with pytest.raises(jp.DesignError, match="never-treated"):
            estimator.refit_among(design, np.where(np.isinf(adoptions), np.nan, adoptions))
