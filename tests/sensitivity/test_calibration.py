"""Calibration: size, power, determinism, resumption. Panels are simulated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.sensitivity import calibrate
from jjjpolicy.sensitivity.pseudo_policies import never_treated, pseudo_policies

PLACEBO = jp.inference.PlaceboUnits(replications=30)
RANDOM = jp.inference.RandomizationInference()
DID = {"did": jp.did.TwoWayFixedEffects()}


def design(units: int = 14, seed: int = 1) -> jp.Design:
    frame = simulated_panel(units, 8, {0: 2005}, effect=50.0, seed=seed)
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")


def run(**options: Any) -> jp.sensitivity.Calibration:
    given: dict[str, Any] = {
        "designs": {"y": design()},
        "estimators": DID,
        "inferences": {"random": RANDOM, "placebo": PLACEBO},
        "draws": 40,
        **options,
    }
    return calibrate(**given)


@pytest.mark.parametrize("treated", [1, 3])
def test_randomisation_never_exceeds_its_level(treated: int) -> None:
    estimators = {**DID, "sdid": jp.synth.SyntheticDiD(), "sc": jp.synth.SyntheticControl()}
    found = run(
        estimators=estimators,
        inferences={"random": RANDOM},
        treated=[treated],
        dates=[2004, 2006],
        levels=[0.05, 0.1, 0.25],
    ).size
    assert (found["rejection"] <= found["level"]).all()
    assert (found.loc[found["level"] == 0.25, "rejection"] > 0).all()
    assert (found["draws"] == 2 * (13 if treated == 1 else 40)).all()
    assert (found["all"] == (treated == 1)).all()


METHODS = [
    RANDOM,
    PLACEBO,
    jp.inference.PlaceboUnits(replications=30, alternative="greater"),
    jp.inference.PlaceboUnits(replications=30, pre_fit_cutoff=2.0),
    jp.inference.PlaceboUnits(replications=30, separate=True),
    jp.inference.Clustered(),
    jp.inference.Clustered(kind="CRV2"),
    jp.inference.Clustered(level="unit"),
    jp.inference.InfluenceFunction(),
    jp.inference.WildClusterBootstrap(replications=99),
    jp.inference.FermanPinto(),
    jp.inference.Conformal(),
]
ESTIMATORS = [
    jp.did.TwoWayFixedEffects(),
    jp.did.CallawaySantAnna(),
    jp.did.Imputation(),
    jp.did.LocalProjections(),
    jp.synth.SyntheticControl(),
    jp.synth.DemeanedSyntheticControl(),
    jp.synth.SyntheticDiD(),
    jp.synth.GeneralizedSyntheticControl(),
]


def by_group(panel: jp.Design) -> jp.Design:
    """The same panel where pairs of units are treated together."""
    pairs = np.arange(panel.n_units) // 2
    return replace(panel, assigned_at="pair", assignment=pairs.astype(np.int64))


@pytest.mark.filterwarnings("ignore::jjjpolicy.errors.JJJPolicyWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("method", METHODS[1:], ids=repr)
@pytest.mark.parametrize("groups", [False, True])
def test_many_pvalues_are_those_of_single_estimates(
    estimator: Any, method: Any, groups: bool
) -> None:
    panel = by_group(design(16)) if groups else design()
    controls, adoptions = pseudo(panel, 2)
    adoptions = adoptions[:: len(adoptions) // 6]

    def singly() -> list[list[float]]:
        found = []
        for number, row in enumerate(adoptions, 98):
            seeded = replace(method, seed=number % 100) if hasattr(method, "seed") else method
            moved = [controls.reassigned(row).with_effect(effect) for effect in (0.0, 0.4)]
            found.append([estimator.fit(each).with_inference(seeded).pvalue for each in moved])
        return found

    try:
        expected = singly()
    except InferenceError:
        with pytest.raises(InferenceError):
            method.repeated(estimator, controls, adoptions, (0.0, 0.4), 98)
        return
    found = method.repeated(estimator, controls, adoptions, (0.0, 0.4), 98)
    np.testing.assert_allclose(found.pvalues, expected, rtol=1e-9)


def pseudo(panel: jp.Design, treated: int) -> tuple[jp.Design, Any]:
    controls = never_treated(panel, "the test")
    return controls, pseudo_policies(controls, np.full(treated, 2005.0), 40, seed=0)[0]


def test_policies_do_not_share_one_draw_of_placebos() -> None:
    controls, adoptions = pseudo(design(), 3)
    same = np.repeat(adoptions[:1], 40, axis=0)
    found = PLACEBO.repeated(DID["did"], controls, same).pvalues
    assert len(np.unique(found)) > 3


def test_effects_move_only_the_policies_that_are_tried_with_them() -> None:
    few = run(treated=[3], effects=[0.4], power_draws=7, levels=[0.2])
    every = run(treated=[3], effects=[0.4], power_draws=40, levels=[0.2])
    assert (few.power["draws"] == 7).all()
    assert (every.power["draws"] == 40).all()
    pd.testing.assert_series_equal(few.size["rejection"], every.size["rejection"])


def test_randomisation_ranks_each_policy_among_all() -> None:
    panel = design()
    controls, adoptions = pseudo(panel, 1)
    moved = [controls.reassigned(row).with_effect(0.4) for row in adoptions]
    alone = [DID["did"].fit(each).with_inference(RANDOM).pvalue for each in moved]
    found = run(treated=[1], inferences=RANDOM, effects=[0.4], levels=[0.2]).power
    assert found["rejection"].item() == pytest.approx((np.array(alone) <= 0.2).mean())


def test_larger_effects_are_found_more_often() -> None:
    inferences = {
        "random": RANDOM,
        "placebo": jp.inference.PlaceboUnits(replications=60),
        "clustered": jp.inference.Clustered(),
    }
    found = run(inferences=inferences, treated=[3], effects=[0.1, 1.0], levels=[0.05])
    table = found.power.pivot(index="inference", columns="effect", values="rejection")
    assert (table[1.0] > table[0.1] + 0.25).all()
    assert (table[1.0] > found.size.set_index("inference")["rejection"].loc[table.index]).all()


def test_clustered_errors_reject_far_too_often_with_one_treated_unit() -> None:
    found = run(
        designs={"y": design(30)}, inferences={"clustered": jp.inference.Clustered()}, treated=[1]
    ).size
    assert found.loc[found["level"] == 0.05, "rejection"].item() > 0.3


def test_same_seed_same_tables_whatever_the_workers() -> None:
    serial, parallel = run(effects=[0.3]), run(effects=[0.3], jobs=2)
    pd.testing.assert_frame_equal(serial.size, parallel.size)
    pd.testing.assert_frame_equal(serial.power, parallel.power)
    assert serial.fits > 2_000


def test_found_cells_are_not_computed_again(tmp_path: Path) -> None:
    whole = run(directory=tmp_path)
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 4
    files[0].unlink()
    marked = json.loads(files[1].read_text())
    marked["none"] = [0.0] * len(marked["none"])
    files[1].write_text(json.dumps(marked))
    again = run(directory=tmp_path).size
    assert files[0].exists()
    changed = (again["rejection"] != whole.size["rejection"]).to_numpy()
    assert again.loc[changed, "rejection"].tolist() == [1.0, 1.0]
    assert not list(tmp_path.glob(".unfinished*"))


def test_another_seed_or_panel_is_another_cell(tmp_path: Path) -> None:
    run(directory=tmp_path, treated=[3])
    run(directory=tmp_path, treated=[3], seed=1)
    run(directory=tmp_path, treated=[3], designs={"y": design(seed=2)})
    assert len(list(tmp_path.glob("*.json"))) == 6


def test_combinations_that_do_not_exist_say_why() -> None:
    found = run(
        estimators={"sc": jp.synth.SyntheticControl()},
        inferences={"clustered": jp.inference.Clustered()},
        treated=[1],
    ).size
    assert found["rejection"].isna().all()
    assert found["failure"].str.contains("no influence function").all()


def test_effects_without_a_fitted_path_are_refused_by_conformal_inference() -> None:
    found = run(
        estimators={"cs": jp.did.CallawaySantAnna()},
        inferences={"conformal": jp.inference.Conformal()},
        treated=[3],
    ).size
    assert found["failure"].str.contains("fits no path").all()


def test_treated_units_are_left_out() -> None:
    frame = simulated_panel(14, 8, {0: 2005}, effect=0.0, seed=1)
    other = jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")
    pd.testing.assert_frame_equal(run().size, run(designs={"y": other}).size)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"dates": [2001]}, DesignError, "after 2001"),
        ({"dates": [2009]}, DesignError, "not after 2008"),
        ({"treated": [12]}, DesignError, "only 13"),
        ({"levels": [5]}, InferenceError, "between 0 and 1"),
        ({"draws": 1}, InferenceError, "draws=1"),
        ({"estimators": {}}, InferenceError, "estimators="),
    ],
)
def test_unusable_requests_are_refused(
    options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        run(**options)
