"""Variances and bootstraps of regressions, against brute force and other packages."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy import inference as inf

Case = tuple[jp.Design, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(params=[False, True], ids=["balanced", "gaps"])
def case(request: Any) -> Case:
    """A design, and its dummy-variable regression: matrix (treatment first), outcome, clusters."""
    frame = simulated_panel(21, 6, {0: 2003, 1: 2003, 2: 2004, 5: 2005, 3: 2004}, 0.3, seed=2)
    frame["state"] = frame.unit // 3
    frame["first"] = frame.groupby("state")["first"].transform("min")
    frame["treated"] = (frame.period >= frame["first"]).astype(int)
    if request.param:
        frame = frame[np.random.default_rng(0).random(len(frame)) > 0.1].reset_index(drop=True)
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", adoption="first", assigned_at="state"
    )
    dummies = pd.get_dummies(frame[["unit", "period"]].astype(str), dtype=float)
    matrix = np.column_stack([frame.treated, dummies]).astype(float)
    return design, matrix, frame.y.to_numpy(), frame.state.to_numpy()


def attached(design: jp.Design, method: Any) -> jp.Estimate:
    return jp.did.TwoWayFixedEffects().fit(design).with_inference(method)


def test_crv2_and_its_degrees_of_freedom_equal_the_definition(case: Case) -> None:
    design, x, y, state = case
    bread = np.linalg.pinv(x.T @ x)
    annihilator = np.eye(len(y)) - x @ bread @ x.T
    residuals, total, columns = annihilator @ y, 0.0, []
    for g in range(7):
        mine = state == g
        values, vectors = np.linalg.eigh(annihilator[np.ix_(mine, mine)])
        root = np.where(values > 1e-9, np.clip(values, 1e-9, None) ** -0.5, 0.0)
        weights = (vectors * root) @ vectors.T @ x[mine] @ bread[:, 0]
        total += float(weights @ residuals[mine]) ** 2
        columns.append(annihilator[:, mine] @ weights)
    cross = np.array(columns) @ np.array(columns).T
    result = attached(design, inf.Clustered(kind="CRV2"))
    assert result.se == pytest.approx(np.sqrt(total), rel=1e-10)
    assert result.inference is not None
    expected = np.trace(cross) ** 2 / (cross**2).sum()
    assert result.inference.details["df"] == pytest.approx(expected, rel=1e-9)


def test_crv3_equals_leaving_every_cluster_out(case: Case) -> None:
    design, _, _, _ = case
    estimator = jp.did.TwoWayFixedEffects()
    whole = estimator.fit(design).att
    left = [estimator.fit(design.keep_units(design.assignment != g, "x")).att for g in range(7)]
    expected = np.sqrt(6 / 7 * ((np.array(left) - whole) ** 2).sum())
    assert attached(design, inf.Clustered(kind="CRV3")).se == pytest.approx(expected, rel=1e-10)


def leave_out_residuals(x: np.ndarray, y: np.ndarray, state: np.ndarray) -> np.ndarray:
    residuals = np.empty(len(y))
    for g in range(7):
        mine = state == g
        residuals[mine] = y[mine] - x[mine] @ (np.linalg.pinv(x[~mine]) @ y[~mine])
    return residuals


@pytest.mark.parametrize("variant", ["11", "13", "31", "33"])
@pytest.mark.parametrize("impose_null", [True, False])
def test_wild_bootstrap_equals_refits_of_every_sign_vector(
    case: Case, variant: Any, impose_null: bool
) -> None:
    design, x, y, state = case
    inverse = np.linalg.pinv(x)
    without = [np.linalg.pinv(x[state != g])[0] for g in range(7)]
    units = x[:, 1:22]
    within = np.eye(len(y)) - units @ np.linalg.pinv(units)

    def statistic(outcome: np.ndarray, null: float) -> float:
        slope = float(inverse[0] @ outcome)
        if variant[0] == "3":
            terms = [w @ outcome[state != g] - slope for g, w in enumerate(without)]
            return (slope - null) / float(np.linalg.norm(terms))
        residuals = outcome - x @ (inverse @ outcome)
        terms = [inverse[0, state == g] @ residuals[state == g] for g in range(7)]
        return (slope - null) / float(np.linalg.norm(terms))

    model = x[:, 1:] if impose_null else x
    fitted = model @ (np.linalg.pinv(model) @ y)
    residuals = y - fitted
    if variant[1] == "3":
        residuals = leave_out_residuals(within @ model, within @ y, state)
    own = statistic(y, 0.0)
    centre = 0.0 if impose_null else float(inverse[0] @ y)
    reference = [
        statistic(fitted + residuals * np.array(signs)[state], centre)
        for signs in product((-1, 1), repeat=7)
    ]
    expected = float((np.abs(reference) >= abs(own) * (1 - 1e-9)).mean())
    method = inf.WildClusterBootstrap(variant=variant, impose_null=impose_null)
    result = attached(design, method)
    assert result.inference is not None
    assert result.inference.exact
    assert result.pvalue == pytest.approx(expected)


def test_wild_bootstrap_interval_ends_where_the_test_begins_to_reject(case: Case) -> None:
    design = case[0]
    method = inf.WildClusterBootstrap()
    low, high = attached(design, method).interval(0.8)
    for end, inward in ((low, 1e-5), (high, -1e-5)):
        inside = design.with_outcome(design.outcome - (end + inward) * design.treatment)
        outside = design.with_outcome(design.outcome - (end - inward) * design.treatment)
        assert (attached(inside, method).pvalue or 0) > 0.2
        assert (attached(outside, method).pvalue or 0) <= 0.2


def castle() -> jp.Design:
    data = pytest.importorskip("causaldata").castle.load_pandas().data
    rng = np.random.default_rng(0)
    states = data["sid"].unique()
    places = pd.DataFrame(
        {"sid": states, "lat": rng.uniform(28, 45, 50), "lon": rng.uniform(-120, -75, 50)}
    )
    data = data.merge(places, on="sid").assign(d=(data["post"] > 0).astype(int))
    return jp.Design.from_frame(
        data.astype({"l_homicide": float, "year": int}),
        unit="sid",
        time="year",
        outcome="l_homicide",
        treatment="d",
        coordinates=("lat", "lon"),
    )


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # diff-diff 3.13.0, LinearRegression(vcov_type="hc2_bm"), castle of causaldata 0.1.5
        (inf.Clustered(kind="CRV2"), 0.056089966),
        # pyfixest 0.60.0, vcov={"CRV3": "sid"}, G_adj, times 49/50
        (inf.Clustered(kind="CRV3"), 0.056897053),
        # pyfixest 0.60.0, vcov={"CRV1": "sid+year"}
        (inf.Clustered(("sid", "year")), 0.055105841),
        # diff-diff 3.13.0, vcov_type="conley", simulated coordinates as above, 500 km
        (inf.Conley(500), 0.055018328),
        (inf.Conley(500, "uniform"), 0.058063963),
        (inf.Conley(500, lags=3), 0.038834499),
        (inf.Conley(500, "uniform", lags=3), 0.039470523),
        # linearmodels 7.1, PanelOLS cov_type="kernel", bandwidth=2, 0.017666887, whose factor
        # 550/490 counts unit effects, turned into 11/10 * 549/548
        (inf.DriscollKraay(2), 0.017505276),
    ],
)
def test_castle_doctrine_errors_equal_those_of_other_packages(method: Any, expected: float) -> None:
    assert attached(castle(), method).se == pytest.approx(expected, rel=1e-7)


def test_castle_bell_mccaffrey_degrees_of_freedom() -> None:
    result = attached(castle(), inf.Clustered(kind="CRV2")).inference
    assert result is not None
    # diff-diff 3.13.0
    assert result.details["df"] == pytest.approx(36.83112, rel=1e-6)


def test_one_treated_cluster_leaves_no_jackknife_and_says_what_to_use() -> None:
    frame = simulated_panel(12, 6, {0: 2004})
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    for method in (inf.Clustered(kind="CRV2"), inf.Clustered(kind="CRV3")):
        with pytest.raises(jp.InferenceError, match="RandomizationInference"):
            attached(design, method)


def test_few_treated_clusters_are_named_beside_every_clustered_pvalue(case: Case) -> None:
    methods = [
        inf.Clustered(),
        inf.Clustered(kind="CRV3"),
        inf.MultiplierBootstrap(replications=49),
        inf.ClusterBootstrap(replications=19),
        inf.WildClusterBootstrap(),
    ]
    for method in methods:
        result = attached(case[0], method).inference
        assert result is not None
        assert any(
            "2 of 7 clusters" in note and "RandomizationInference" in note for note in result.notes
        )


@pytest.mark.parametrize("method", [inf.Clustered(), inf.MultiplierBootstrap(replications=49)])
def test_clusters_that_are_all_treated_are_not_called_few_treated_ones(method: Any) -> None:
    frame = simulated_panel(adoption={unit: 2003 + unit % 3 for unit in range(8)})
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    own = jp.did.TwoWayFixedEffects().fit(design)
    for estimate in (own, own.with_inference(method)):
        assert estimate.inference is not None
        notes = " ".join(estimate.inference.notes)
        assert "Each of the 8 clusters has treated units: there is no untreated cluster" in notes
        assert "Only" not in notes
        assert "RandomizationInference" not in notes


def test_ten_treated_clusters_need_no_note() -> None:
    frame = simulated_panel(units=10, adoption={unit: 2003 + unit % 3 for unit in range(10)})
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    result = jp.did.TwoWayFixedEffects().fit(design).inference
    assert result is not None
    assert result.notes == ()


def covariate_panel() -> jp.Design:
    frame = simulated_panel(24, 8, {k: 2004 + k % 2 for k in range(10)}, 0.3, seed=4)
    frame["x"] = np.random.default_rng(4).normal(size=24)[frame["unit"]]
    frame = frame.drop(index=[17, 90])
    return jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", adoption="first", covariates=["x"]
    )


REGRESSIONS = [
    jp.did.TwoWayFixedEffects(),
    jp.did.EventStudy(),
    jp.did.SunAbraham(),
    jp.did.ExtendedTWFE(),
    jp.did.Stacked(2, 1),
    jp.did.LocalProjections(2, 1),
]
OTHERS = [
    jp.did.CallawaySantAnna(),
    jp.did.Imputation(),
    jp.did.TwoStage(),
    jp.did.LocalProjections(2, 1, reweight=True),
]


@pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")
@pytest.mark.parametrize("estimator", REGRESSIONS, ids=lambda each: each.label)
def test_clustered_gives_the_errors_that_regressions_attach(estimator: Any) -> None:
    estimate = estimator.fit(covariate_panel())
    clustered = estimate.with_inference(inf.Clustered())
    assert clustered.se == pytest.approx(estimate.se, rel=1e-12)
    assert clustered.pvalue == pytest.approx(estimate.pvalue, rel=1e-9)
    if estimator.label != "TwoWayFixedEffects":  # whose event study is another regression
        own, theirs = estimate.effects["se"].to_numpy(), clustered.effects["se"].to_numpy()
        assert theirs == pytest.approx(own, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("estimator", OTHERS, ids=lambda each: each.label)
def test_other_estimators_attach_errors_without_a_factor(estimator: Any) -> None:
    estimate = estimator.fit(covariate_panel())
    assert estimate.se is not None
    clustered = estimate.with_inference(inf.Clustered())
    assert clustered.se == pytest.approx(estimate.se * np.sqrt(24 / 23), rel=1e-12)
    same = estimate.with_inference(inf.InfluenceFunction())
    assert same.se == pytest.approx(estimate.se, rel=1e-12)
