"""DID_M and DID_l: other packages' numbers, treatment that switches, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from castle import castle_frame
from panels import simulated_panel

import jjjpolicy as jp

# py_did_multiplegt_dyn 0.1.9 (with polars 1.29), effects=3, placebo=2: placebos at event times -3
# and -2, effects at 0, 1, 2, each with its standard error; then the average total effect.
DYNAMIC = {
    "castle": [
        (-0.011770592449975364, 0.04639539150105832),
        (-0.10257610791006389, 0.043894911419901886),
        (0.010335569925411969, 0.06809376533097167),
        (0.014900444476472496, 0.04223748853124845),
        (0.0306546062978025, 0.05382497313231034),
        (0.018082013073280452, 0.04391626058709301),
    ],
    "switching": [
        (-0.0828297706599371, 0.21996109474931524),
        (-0.1428657111313655, 0.17071693083044212),
        (0.9823580881835943, 0.16424776687450784),
        (0.9039602985223191, 0.20093678390858652),
        (0.7938046887279295, 0.2181948842604867),
        (1.0125138785189427, 0.17355409325292068),
    ],
    "unbalanced": [
        (0.41609378544274495, 0.48910615141106945),
        (0.6634645997943946, 0.40221510240971203),
        (0.8242638686816325, 0.39937610898262715),
        (0.7892679740850831, 0.3045481803941237),
        (1.0062565310883633, 0.46054722414906984),
        (0.8704628528505464, 0.3305660927931126),
    ],
}
# diff-diff 3.13.0, ChaisemartinDHaultfoeuille(drop_larger_lower=False).overall_att
DID_M = {"castle": 0.010335569925411962, "switching": 0.8528349859871852}


def switching_frame() -> pd.DataFrame:
    """Simulated: 40 units that join, leave, join and leave, or never change; effect 0.8."""
    frame = simulated_panel(units=40, periods=8, adoption={0: 2004}, effect=0.0, seed=11)
    rng = np.random.default_rng(12)
    treated = np.zeros((40, 8), dtype=int)
    for unit in range(40):
        kind, start = unit % 5, rng.integers(1, 7)
        if kind in (0, 1):
            treated[unit, start:] = 1
        elif kind == 2:
            treated[unit, start : rng.integers(start + 1, 9)] = 1
        elif kind == 3:
            treated[unit, :start] = 1
        elif unit % 2:
            treated[unit] = 1
    frame["treated"] = treated.ravel()
    frame["y"] += 0.8 * frame["treated"]
    frame["y"] += 0.5 * rng.normal(size=len(frame))
    return frame


def unbalanced_frame() -> pd.DataFrame:
    """Simulated: 30 units, two cohorts, 25 absent cells."""
    adoption = {**dict.fromkeys(range(6), 2004), **dict.fromkeys(range(6, 14), 2006)}
    frame = simulated_panel(units=30, periods=8, adoption=adoption, effect=0.5, seed=5)
    rng = np.random.default_rng(6)
    frame["y"] += 0.7 * rng.normal(size=len(frame))
    return frame.drop(index=rng.choice(len(frame), 25, replace=False))


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments: dict[str, Any] = {
        "unit": "unit",
        "time": "period",
        "outcome": "y",
        "treatment": "treated",
        "absorbing": False,
    }
    return jp.Design.from_frame(frame, **(arguments | changes))


def designs() -> dict[str, jp.Design]:
    return {
        "castle": design_of(castle_frame(), unit="sid", time="year", outcome="l_homicide"),
        "switching": design_of(switching_frame()),
        "unbalanced": design_of(unbalanced_frame()),
    }


@pytest.mark.filterwarnings("ignore:ChaisemartinDHaultfoeuille. effects that cannot")
@pytest.mark.parametrize("name", list(DYNAMIC))
def test_dynamic_effects_equal_the_authors_program_in_python(name: str) -> None:
    estimator = jp.did.ChaisemartinDHaultfoeuille("average total effect", effects=3, placebos=2)
    estimate = estimator.fit(designs()[name])
    *effects, total = DYNAMIC[name]
    assert (estimate.att, estimate.se) == pytest.approx(total, rel=1e-11)
    table = estimate.effects.set_index("event_time")
    assert table.index.tolist() == [-3, -2, -1, 0, 1, 2]
    for time, expected in zip((-3, -2, 0, 1, 2), effects, strict=True):
        assert tuple(table.loc[time, ["estimate", "se"]]) == pytest.approx(expected, rel=1e-11)


@pytest.mark.filterwarnings("ignore:ChaisemartinDHaultfoeuille. effects that cannot")
@pytest.mark.parametrize("name", list(DID_M))
def test_did_m_equals_diff_diff(name: str) -> None:
    estimate = jp.did.ChaisemartinDHaultfoeuille().fit(designs()[name])
    assert estimate.att == pytest.approx(DID_M[name], rel=1e-11)
    assert "DID_M" in estimate.estimand


@pytest.mark.filterwarnings("ignore:ChaisemartinDHaultfoeuille. effects that cannot")
def test_did_m_beside_diff_diff(recorded: Any) -> None:
    def ask(diff_diff: Any) -> dict[str, float]:
        fit = diff_diff.ChaisemartinDHaultfoeuille(drop_larger_lower=False).fit(
            switching_frame(), outcome="y", unit="unit", time="period", treatment="treated"
        )
        return {"att": float(fit.overall_att)}

    estimate = jp.did.ChaisemartinDHaultfoeuille().fit(designs()["switching"])
    assert estimate.att == pytest.approx(recorded("diff_diff", ask)["att"], rel=1e-11)


def test_did_m_of_joiners_and_leavers_by_hand() -> None:
    frame = pd.DataFrame(
        {
            "unit": np.repeat(["joins", "stays out", "leaves", "stays in"], 2),
            "period": [1, 2] * 4,
            "treated": [0, 1, 0, 0, 1, 0, 1, 1],
            "y": [0.0, 5.0, 1.0, 2.0, 7.0, 4.0, 3.0, 3.5],
        }
    )
    estimate = jp.did.ChaisemartinDHaultfoeuille().fit(design_of(frame))
    joining, leaving = (5 - 0) - (2 - 1), (3.5 - 3) - (4 - 7)
    assert estimate.att == pytest.approx((joining + leaving) / 2)
    assert estimate.effects["estimate"].tolist() == [0, pytest.approx((joining + leaving) / 2)]


def test_absorbing_designs_need_no_flag_and_did_m_is_the_first_effect() -> None:
    frame = castle_frame()
    absorbing = jp.Design.from_frame(
        frame, unit="sid", time="year", outcome="l_homicide", adoption="first"
    )
    one = jp.did.ChaisemartinDHaultfoeuille().fit(absorbing)
    first = one.effects.set_index("event_time").loc[0]
    assert (one.att, one.se) == pytest.approx((first["estimate"], first["se"]))
    other = jp.did.ChaisemartinDHaultfoeuille().fit(designs()["castle"])
    pd.testing.assert_frame_equal(one.effects, other.effects)


@pytest.mark.filterwarnings("ignore:ChaisemartinDHaultfoeuille. effects that cannot")
def test_normalized_effects_divide_by_the_treatment_accumulated() -> None:
    """py_did_multiplegt_dyn 0.1.9, normalized=True."""
    estimate = jp.did.ChaisemartinDHaultfoeuille(effects=3).fit(designs()["switching"])
    assert estimate.details["normalized"]["estimate"].tolist() == pytest.approx(
        [0.9823580881835943, 0.4902835517409188, 0.29911481024530684], rel=1e-11
    )


def test_switchers_without_a_control_are_listed() -> None:
    frame = simulated_panel(4, 6, {0: 2003, 1: 2003, 2: 2005, 3: 2005})
    with pytest.warns(jp.JJJPolicyWarning, match="cohort 2005 in 2005"):
        estimate = jp.did.ChaisemartinDHaultfoeuille().fit(design_of(frame))
    lost = estimate.details["not_estimable"]
    assert set(zip(lost["group"], lost["time"], lost["units"], strict=True)) == {
        (2005, 2005, 2),
        (2003, 2005, 2),
        (2005, 2006, 2),
    }
    assert estimate.effects["event_time"].tolist() == [-2, -1, 0, 1]


@pytest.mark.filterwarnings("ignore:ChaisemartinDHaultfoeuille. effects that cannot")
def test_inference_that_needs_no_other_assignment_works() -> None:
    design = designs()["switching"]
    estimate = jp.did.ChaisemartinDHaultfoeuille().fit(design)
    refits = jp.did.ChaisemartinDHaultfoeuille().refit(design)
    assert refits.att[0] == pytest.approx(estimate.att)
    assert refits.se is not None
    assert refits.se[0] == pytest.approx(estimate.se)
    bootstrap = estimate.with_inference(jp.inference.ClusterBootstrap(replications=100, seed=1))
    assert bootstrap.se == pytest.approx(estimate.se, rel=0.25)
    multiplied = estimate.with_inference(jp.inference.MultiplierBootstrap(replications=99))
    assert multiplied.se == pytest.approx(estimate.se, rel=1e-12)
    for method in (jp.inference.RandomizationInference(), jp.inference.Conformal()):
        with pytest.raises(jp.InferenceError, match="switches off.*ClusterBootstrap"):
            estimate.with_inference(method)
    with pytest.raises(jp.InferenceError, match="switches off.*ClusterBootstrap"):
        jp.did.ChaisemartinDHaultfoeuille().refit_many(design, design.adoption[None, :])
    absorbing = jp.did.ChaisemartinDHaultfoeuille().fit(
        design_of(simulated_panel(12, 6, {0: 2003, 1: 2004}, effect=3.0), absorbing=True)
    )
    permuted = absorbing.with_inference(
        jp.inference.RandomizationInference(replications=99, seed=1)
    )
    assert permuted.pvalue is not None
    assert permuted.pvalue < 0.05


def test_errors_say_what_to_do() -> None:
    design = design_of(simulated_panel(8, 6, {0: 2004, 1: 2004}))
    with pytest.raises(jp.DesignError, match="overall='DID' must be 'DID_M' or"):
        jp.did.ChaisemartinDHaultfoeuille("DID").fit(design)  # type: ignore[arg-type]
    with pytest.raises(jp.DesignError, match="effects=9: only the first 3"):
        jp.did.ChaisemartinDHaultfoeuille(effects=9).fit(design)
    with pytest.raises(jp.DesignError, match="placebos=3: only 2.*no more"):
        jp.did.ChaisemartinDHaultfoeuille(placebos=3).fit(design)
    with pytest.raises(jp.DesignError, match="placebos=-1 must be at least 0"):
        jp.did.ChaisemartinDHaultfoeuille(placebos=-1).fit(design)
    with_covariate = design_of(simulated_panel(8, 6, {0: 2004}).assign(x=1.0), covariates=["x"])
    with pytest.raises(jp.DesignError, match="takes no covariates.*Imputation"):
        jp.did.ChaisemartinDHaultfoeuille().fit(with_covariate)
    alone = design_of(
        pd.DataFrame(
            {"unit": [0, 0, 1, 1], "period": [1, 2] * 2, "treated": [0, 1, 1, 0], "y": [1.0] * 4}
        )
    )
    with pytest.raises(jp.DesignError, match="finds no unit whose treatment switches"):
        jp.did.ChaisemartinDHaultfoeuille().fit(alone)
