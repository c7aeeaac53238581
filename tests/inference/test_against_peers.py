"""Inference for synthetic controls on published data: numbers of other packages and of papers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy import inference as inf
from jjjpolicy.inference.conformal import event_tests
from jjjpolicy.inference.permutation.cohorts import cohort_designs
from jjjpolicy.synth import SyntheticControl, SyntheticDiD

pytestmark = pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")

UNIFORM = SyntheticDiD(unit_weights="uniform", time_weights="uniform")

# scinference 0.1.0, a port of the authors' R package: p-value under moving-block permutations,
# then estimate and standard error of the t-test with 2 and with 3 folds. Germany in dollars.
SCINFERENCE = {
    ("prop99", "sc"): (3 / 31, (-17.344536775580, 0.124468289106), (-17.991121459223, 1.56315693)),
    ("prop99", "did"): (11 / 31, (-26.389400464693, 8.059646948544), (-26.38940046, 6.1856746486)),
    ("germany", "sc"): (1 / 44, (-1768.50014441, 675.55612229), (-1917.66734104, 561.17944642)),
    ("germany", "did"): (12 / 44, (296.0913461538, 1205.1826025), (412.0011217949, 921.97629288)),
    ("basque", "sc"): (10 / 43, (-0.366940424189, 0.258844003083), (-0.755178884856, 0.1822244104)),
    ("basque", "did"): (13 / 43, (-0.437838069937, 0.184106663480), (-0.430804396043, 0.121182523)),
}
# The same package: ends of its 90% intervals by year, on a grid of 0.02 thousand dollars.
GERMANY_FROM = [0.34, 0.10, -0.70, -1.28, -1.56, -2.18, -3.40, -3.22, -4.22, -7.12, -7.18, -6.62]
GERMANY_TO = [0.74, 0.62, -0.12, -0.50, -0.64, -0.52, -0.92, -1.18, -0.58, -0.80, -0.96, -1.28]


def one_treated(
    frame: pd.DataFrame, unit: str, time: str, outcome: str, treated: str, start: int
) -> jp.Design:
    switched = (frame[unit] == treated) & (frame[time] >= start)
    return jp.Design.from_frame(
        frame.assign(treated=switched.astype(int)),
        unit=unit,
        time=time,
        outcome=outcome,
        treatment="treated",
    )


@pytest.fixture
def designs(basque_data: Any, prop99_data: Any, germany_data: Any) -> dict[str, jp.Design]:
    basque = basque_data.query("regionno != 1")
    country = "Basque Country (Pais Vasco)"
    return {
        "prop99": one_treated(
            prop99_data,
            "State",
            "Year",
            "PacksPerCapita",
            "California",
            1989,
        ),
        "germany": one_treated(germany_data, "country", "year", "gdp", "West Germany", 1991),
        "basque": one_treated(basque, "regionname", "year", "gdpcap", country, 1970),
    }


@pytest.mark.parametrize(("data", "kind"), SCINFERENCE)
def test_conformal_and_t_test_are_those_of_the_authors(
    designs: dict[str, jp.Design], data: str, kind: str
) -> None:
    estimate = (SyntheticControl() if kind == "sc" else UNIFORM).fit(designs[data])
    pvalue, *by_folds = SCINFERENCE[data, kind]
    assert inf.Conformal().pvalue(estimate) == pytest.approx(pvalue, abs=1e-12)
    for folds, (debiased, error) in zip((2, 3), by_folds, strict=True):
        found = estimate.with_inference(inf.DebiasedTTest(folds=folds))
        assert found.inference is not None
        assert found.inference.details["debiased"] == pytest.approx(debiased, rel=1e-5)
        assert found.se == pytest.approx(error, rel=5e-5)


def test_conformal_intervals_by_year_are_those_of_the_authors(
    designs: dict[str, jp.Design],
) -> None:
    germany = designs["germany"]
    estimate = SyntheticControl().fit(germany.with_outcome(germany.outcome / 1000))
    found = [
        test.bounds(float(point), 1.0, 0.90)
        for (_, test), point in zip(
            event_tests(inf.Conformal(), estimate.estimator, cohort_designs(estimate.design)),
            estimate.effects.query("event_time >= 0")["estimate"],
            strict=True,
        )
    ]
    low, high = np.array(found[:12]).T
    # a grid of 0.02 stops at most one step inside of the exact ends
    assert low == pytest.approx(np.array(GERMANY_FROM) - 0.01, abs=0.0101)
    assert high == pytest.approx(np.array(GERMANY_TO) + 0.01, abs=0.0101)


def test_west_germany_has_the_largest_ratio_of_fits_as_published(
    designs: dict[str, jp.Design],
) -> None:
    # Abadie, Diamond and Hainmueller (2015, section 4.2): the largest of 17, 1/17 = 0.059
    estimate = SyntheticControl().fit(designs["germany"]).with_inference(inf.PlaceboUnits())
    assert estimate.inference is not None
    assert estimate.inference.details["rmspe_pvalue"] == pytest.approx(1 / 17)


def test_placebo_error_of_synthetic_did_is_that_of_a_peer(designs: dict[str, jp.Design]) -> None:
    # synthdid-py 0.1.0: standard deviation of synthdid_estimate() over all 38 placebos; the same
    # with sc_estimate(), whose solver leaves a ridge and stops early.
    prop99 = designs["prop99"]
    exact = SyntheticDiD().fit(prop99).with_inference(inf.PlaceboUnits())
    assert exact.se == pytest.approx(9.368828092774343, rel=1e-4)
    control = SyntheticControl().fit(prop99).with_inference(inf.PlaceboUnits())
    assert control.se == pytest.approx(10.6195452133866, rel=2e-3)


def test_bootstrap_and_placebo_errors_of_synthetic_did_are_near_those_of_a_peer() -> None:
    # synthdid-py 0.1.0, 1,000 draws with seed 1 on this panel; draws differ.
    frame = simulated_panel(
        units=15, periods=12, adoption={0: 2009, 1: 2009, 2: 2009}, seed=3, effect=1.0
    )
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = SyntheticDiD().fit(design)
    bootstrap = estimate.with_inference(inf.ClusterBootstrap(replications=400, seed=1))
    assert bootstrap.se == pytest.approx(0.1654489997905081, rel=0.1)
    placebo = estimate.with_inference(inf.PlaceboUnits())
    assert placebo.se == pytest.approx(0.18863530221416536, rel=0.03)
