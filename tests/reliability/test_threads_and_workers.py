"""Two fits at once give what one after the other does, and so does any number of workers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_designs import Panel, plain

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.replication.provenance.specification import estimators, inferences

PANEL = Panel(units=10, periods=14, cohorts=(2, 2), seed=4)
ESTIMATORS = plain(estimators())
INFERENCES = plain(inferences())
CARRIERS = {
    "ConleyTaber": jp.did.TwoWayFixedEffects(),
    "FermanPinto": jp.did.TwoWayFixedEffects(),
    "RearrangementTest": jp.did.TwoWayFixedEffects(),
    "ParametricBootstrap": jp.synth.GeneralizedSyntheticControl(rank=1),
    "PredictionIntervals": jp.synth.SyntheticControl(),
    "Conformal": jp.synth.DemeanedSyntheticControl(),
    "DebiasedTTest": jp.synth.DemeanedSyntheticControl(),
    "PlaceboUnits": jp.synth.DemeanedSyntheticControl(),
    "Jackknife": jp.did.CallawaySantAnna(),
    "RandomizationInference": jp.did.CallawaySantAnna(),
}
"""Estimators for the methods that do not work, or work less, with a regression."""

COHORTS = dict.fromkeys(
    ["EffectOn", "EndOfSample", "InclusiveSyntheticControl", "SpilloverSyntheticControl"], (2,)
) | {"RearrangementTest": (1,)}
"""Treated units where the method needs one adoption date, or one treated unit."""


def panel_for(name: str) -> Panel:
    """The panel on which a method or estimator works."""
    return replace(PANEL, cohorts=COHORTS.get(name, PANEL.cohorts))


@pytest.fixture(autouse=True)
def eager_switches() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jp.JJJPolicyWarning)
        yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[], Any], threads: int = 4) -> list[Any]:
    """What the same work gives in several threads that begin together."""
    barrier = threading.Barrier(threads)

    def begin() -> Any:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(threads) as pool:
        return [future.result() for future in [pool.submit(begin) for _ in range(threads)]]


def numbers(estimate: Estimate) -> dict[str, Any]:
    """All that an estimate says, in the order in which lazy parts depend on each other."""
    found = {
        "att": estimate.att,
        "effects": estimate.effects.to_numpy(dtype=float),
        "se": estimate.se,
        "pvalue": estimate.pvalue,
        "fingerprint": estimate.design.fingerprint,
        "ledger": estimate.design.ledger.to_csv(),
    }
    inference = estimate.inference
    if inference is not None and inference.bounds is not None:
        found["interval"] = estimate.interval()
    if inference is not None and inference.reference is not None:
        found["reference"] = inference.reference
    return found


def assert_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The same to the last bit."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, np.ndarray | tuple | float):
            np.testing.assert_array_equal(other[name], value)
        else:
            assert value == other[name], name


@pytest.mark.parametrize("name", ESTIMATORS)
def test_fits_of_one_design_in_several_threads_are_the_same(name: str) -> None:
    expected = numbers(ESTIMATORS[name].fit(panel_for(name).design(name)))
    fresh = panel_for(name).design(name)
    for found in at_once(lambda: numbers(ESTIMATORS[name].fit(fresh))):
        assert_equal(expected, found)


@pytest.mark.parametrize("name", INFERENCES)
def test_inference_on_one_estimate_in_several_threads_is_the_same(name: str) -> None:
    carrier = CARRIERS.get(name, jp.did.TwoWayFixedEffects())
    panel = panel_for(name)
    method = INFERENCES[name]
    expected = numbers(method.infer(carrier.fit(panel.design())))
    shared = carrier.fit(panel.design())
    for found in at_once(lambda: numbers(method.infer(shared))):
        assert_equal(expected, found)


@pytest.mark.parametrize("name", [n for n, method in INFERENCES.items() if hasattr(method, "jobs")])
def test_results_do_not_depend_on_the_number_of_workers(name: str) -> None:
    carrier = CARRIERS.get(name, jp.synth.DemeanedSyntheticControl())
    estimate = carrier.fit(panel_for(name).design())
    one, two = (replace(INFERENCES[name], jobs=jobs).infer(estimate) for jobs in (1, 2))
    assert_equal(numbers(one), numbers(two))


LARGE = """
import sys, warnings
import jjjpolicy as jp
from panels import simulated_panel
warnings.simplefilter("ignore")
frame = simulated_panel(3_000, 14, {unit: 2004 + unit % 5 for unit in range(1_500)})
frame["x"] = frame["unit"].astype("category").cat.codes % 7
design = jp.Design.from_frame(
    frame, unit="unit", time="period", outcome="y", treatment="treated", covariates=["x"]
)
names = "TwoWayFixedEffects", "CallawaySantAnna", "SunAbraham", "Imputation", "TwoStage", "Stacked"
for name in names:
    estimate = getattr(jp.did, name)().fit(design)
    values = [estimate.att, estimate.se, *estimate.effects.to_numpy(dtype=float).ravel()]
    print(name, *(float(value).hex() for value in values))
staggered = jp.did.CallawaySantAnna().fit(design)
values = [
    *staggered.aggregate("event").levels["se"],
    *staggered.bands(draws=20)["lower"],
    staggered.with_inference(jp.inference.MultiplierBootstrap(replications=20, seed=1)).se,
    *jp.sensitivity.bacon_decomposition(estimate)["estimate"],
]
print(*(float(value).hex() for value in values))
"""


def test_results_do_not_depend_on_the_threads_of_linear_algebra() -> None:
    """On a panel whose products are large enough to be shared between threads."""
    tests = Path(__file__).parents[1]
    paths = os.pathsep.join([str(tests.parent / "src"), str(tests)])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LARGE],
            env={**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": threads},
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in ("1", "2")
    ]
    one, two = (process.communicate()[0].splitlines() for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert len(one) == 7
    assert one == two
