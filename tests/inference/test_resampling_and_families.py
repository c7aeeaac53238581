"""Multiplier and cluster bootstrap, Conley-Taber, Ferman-Pinto, Holm and Romano-Wolf."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy import inference as inf


def fit(frame: pd.DataFrame, estimator: Any = None, **changes: Any) -> jp.Estimate:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    design = jp.Design.from_frame(frame, **(arguments | changes))
    estimate: jp.Estimate = (estimator or jp.did.TwoWayFixedEffects()).fit(design)
    return estimate


HALF = dict.fromkeys(range(20), 2004)


def test_multiplier_bootstrap_agrees_with_the_analytic_error() -> None:
    estimate = fit(simulated_panel(40, 6, HALF), jp.did.EventStudy())
    analytic = estimate.with_inference(inf.InfluenceFunction())
    for kind in ("mammen", "rademacher", "webb"):
        method: Any = inf.MultiplierBootstrap(kind=kind, replications=1_999)
        result = estimate.with_inference(method)
        assert result.se == pytest.approx(analytic.se)
        assert result.interval() == pytest.approx(analytic.interval(), abs=0.2 * (analytic.se or 0))


def test_uniform_band_is_wider_than_the_pointwise_one() -> None:
    estimate = fit(simulated_panel(40, 6, HALF), jp.did.EventStudy())
    effects = estimate.with_inference(inf.MultiplierBootstrap()).effects.dropna()
    assert len(effects) == 5 - 1 + 1
    assert (effects["uniform_lower"] < effects["lower"]).all()
    assert (effects["uniform_upper"] > effects["upper"]).all()


def test_cluster_bootstrap_is_reproducible_on_any_number_of_workers() -> None:
    estimate = fit(simulated_panel(20, 6, dict.fromkeys(range(8), 2004)))
    one, two = (
        estimate.with_inference(inf.ClusterBootstrap(replications=20, jobs=jobs)) for jobs in (1, 2)
    )
    assert one.se == two.se
    assert one.se == pytest.approx(estimate.se, rel=0.6)


def test_cluster_bootstrap_refuses_one_treated_group() -> None:
    with pytest.raises(jp.InferenceError, match="RandomizationInference"):
        fit(simulated_panel()).with_inference(inf.ClusterBootstrap())


def test_conley_taber_reads_the_residuals_of_the_controls() -> None:
    frame = simulated_panel(30, 6, {0: 2004}, effect=3.0)
    result = fit(frame).with_inference(inf.ConleyTaber()).inference
    assert result is not None
    assert result.reference is not None
    wide = frame.pivot(index="unit", columns="period", values="y")
    controls = wide.iloc[1:]
    demeaned = controls - controls.mean()
    change = demeaned.loc[:, 2004:].mean(axis=1) - demeaned.loc[:, :2003].mean(axis=1)
    assert np.sort(result.reference) == pytest.approx(np.sort(change), abs=1e-10)
    assert result.pvalue == pytest.approx(1 / 30)


def test_ferman_pinto_widens_for_a_small_treated_group() -> None:
    rng = np.random.default_rng(4)
    sizes = np.r_[2, 40, rng.integers(2, 40, size=38)]
    first = np.repeat(np.arange(40), sizes)
    noise = rng.normal(size=(len(first), 6))
    widths = []
    for treated in (0, 1):
        frame = pd.DataFrame(
            {
                "unit": np.repeat(np.arange(len(first)), 6),
                "period": np.tile(np.arange(6), len(first)),
                "y": noise.ravel(),
                "state": np.repeat(first, 6),
            }
        )
        frame["treated"] = ((frame.state == treated) & (frame.period >= 3)).astype(int)
        low, high = fit(frame, assigned_at="state").with_inference(inf.FermanPinto()).interval(0.9)
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]


@pytest.mark.parametrize(("treated", "controls", "enough"), [(1, 23, False), (1, 24, True)])
def test_tests_on_residuals_say_where_controls_are_too_few(
    treated: int, controls: int, enough: bool
) -> None:
    estimate = fit(simulated_panel(treated + controls, 6, dict.fromkeys(range(treated), 2004)))
    for method in (inf.ConleyTaber(), inf.FermanPinto()):
        result = estimate.with_inference(method).inference
        assert result is not None
        assert ("rejects too often" not in " ".join(result.notes)) == enough


def test_methods_for_one_coefficient_say_what_works_for_other_estimators() -> None:
    estimate = fit(simulated_panel(20, 6, {0: 2004}), jp.did.EventStudy())
    for method in (inf.ConleyTaber(), inf.FermanPinto()):
        with pytest.raises(jp.InferenceError, match="RandomizationInference"):
            estimate.with_inference(method)
    synthetic = fit(simulated_panel(20, 6, {0: 2004}), jp.synth.SyntheticControl())
    for other in (inf.WildClusterBootstrap(), inf.DriscollKraay(), inf.InfluenceFunction()):
        with pytest.raises(jp.InferenceError, match="use "):
            synthetic.with_inference(other)


def family() -> dict[str, jp.Estimate]:
    frame = simulated_panel(20, 6, {0: 2004})
    return {
        name: fit(frame.assign(y=frame.y * scale + effect * frame.treated)).with_inference(
            inf.RandomizationInference()
        )
        for name, scale, effect in (("a", 1.0, 0.1), ("b", 1.0, 0.15), ("c", 3.0, 5.0))
    }


def test_holm_multiplies_by_the_number_of_hypotheses_left() -> None:
    table = inf.holm(family()).set_index("name")
    assert table.loc["c", "adjusted"] == pytest.approx(3 * table.loc["c", "pvalue"])
    assert (table["adjusted"] >= table["pvalue"]).all()
    assert (table["adjusted"] <= 1).all()


def test_romano_wolf_lies_between_the_single_test_and_holm() -> None:
    romano, bound = inf.romano_wolf(family()), inf.holm(family())
    assert (romano["adjusted"] >= romano["pvalue"] - 1e-12).all()
    assert (romano["adjusted"] <= bound["adjusted"] + 1e-12).all()


def test_romano_wolf_refuses_draws_that_differ() -> None:
    estimates = family()
    estimates["a"] = estimates["a"].with_inference(inf.RandomizationInference(replications=5))
    with pytest.raises(jp.InferenceError, match="resampled differently"):
        inf.romano_wolf(estimates)
