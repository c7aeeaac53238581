"""Penalised, augmented, elastic-net, factor and completion estimators: peers' numbers, algebra."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.estimation.refits import Refits

ALL = [
    jp.synth.PenalizedSyntheticControl(),
    jp.synth.PenalizedSyntheticControl(choose_by="holdout"),
    jp.synth.AugmentedSyntheticControl(),
    jp.synth.ElasticNetSyntheticControl(),
    jp.synth.GeneralizedSyntheticControl(),
    jp.synth.MatrixCompletion(),
]


def design_of(frame: Any, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def test_prop99_agrees_with_a_peer(prop99: jp.Design) -> None:
    # StatsPAI 1.40.2, augsynth() and gsynth(n_factors=1 and 2), on california_prop99.csv
    augmented = jp.synth.AugmentedSyntheticControl().fit(prop99)
    assert augmented.att == pytest.approx(-15.952566572877, abs=1e-9)
    for rank, expected in {1: -13.891223403802, 2: -0.404206943991}.items():
        estimate = jp.synth.GeneralizedSyntheticControl(rank=rank).fit(prop99)
        assert estimate.att == pytest.approx(expected, abs=1e-9)


def test_prop99_penalized_and_completed_agree_with_peers(prop99: jp.Design) -> None:
    # pysyncon 1.7.0, PenalizedSynth's solver on outcomes divided by 100; SLSQP stops at 1e-4
    for penalty, expected in {0.01: -23.2173, 0.1: -23.4784, 0.3: -25.5765, 1.0: -25.3583}.items():
        estimate = jp.synth.PenalizedSyntheticControl(penalty=penalty).fit(prop99)
        assert estimate.att == pytest.approx(expected, abs=2e-4)
    # pyfector 0.2.3, fect(method="mc", lam=penalty / (39 * 31)); StatsPAI 1.40.2, mc_synth()
    peers = {5.0: -19.7957397, 15.81726291456668: -19.9780594, 40.0: -20.1568029}
    for penalty, expected in peers.items():
        estimate = jp.synth.MatrixCompletion(penalty=penalty).fit(prop99)
        assert estimate.att == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(
    ("penalty", "covariates", "effect", "imbalance"),
    [
        (1e9, [], -0.3686, 0.377),
        (8.0, [], -0.3696, 0.373),
        (1e9, ["invest", "popdens"], -0.1443, 0.3720),
        (1.0, ["invest", "popdens"], -0.123, 0.347),
    ],
)
def test_basque_augmented_agrees_with_augsynth(
    basque_data: Any, penalty: float, covariates: list[str], effect: float, imbalance: float
) -> None:
    # augsynth (R), tests/testthat/test_general.R: plain and ridge, covariates residualised; its
    # average is over all years, and an infinite penalty is no augmentation
    frame = basque_data.query("regionno != 1")
    means = frame[frame["year"] < 1975].groupby("regionno")[covariates].mean()
    frame = frame.drop(columns=covariates).join(means, on="regionno")
    frame["treated"] = ((frame["year"] >= 1975) & (frame["regionno"] == 17)).astype(int)
    design = jp.Design.from_frame(
        frame,
        unit="regionno",
        time="year",
        outcome="gdpcap",
        treatment="treated",
        covariates=covariates,
    )
    estimate = jp.synth.AugmentedSyntheticControl(penalty=penalty).fit(design)
    gaps = estimate.details["gaps"]
    assert gaps.values.mean() == pytest.approx(effect, abs=6e-4 if effect == -0.123 else 6e-5)
    assert np.sqrt((gaps.values[0, :20] ** 2).sum()) == pytest.approx(imbalance, abs=6e-4)


def test_prop99_elastic_net_agrees_with_scikit_learn(prop99: jp.Design) -> None:
    # scikit-learn 1.9.1, ElasticNet(alpha=penalty, l1_ratio=mixing, tol=1e-14)
    given = {
        (1.0, 0.5): -15.032329481887,
        (10.0, 0.1): -17.585597940240,
        (5.0, 0.9): -22.204950108200,
    }
    for (penalty, mixing), expected in given.items():
        estimator = jp.synth.ElasticNetSyntheticControl(penalty=penalty, mixing=(mixing,))
        assert estimator.fit(prop99).att == pytest.approx(expected, abs=1e-7)
    # its loop over donors, penalties and mixings chooses the same
    estimate = jp.synth.ElasticNetSyntheticControl().fit(prop99)
    assert estimate.unit_effects is not None
    assert estimate.unit_effects["mixing"].item() == 0.1
    assert estimate.unit_effects["penalty"].item() == pytest.approx(24.566277191958)
    assert estimate.att == pytest.approx(-20.977247725256, abs=1e-9)


def test_rank_zero_and_an_infinite_penalty_are_difference_in_differences() -> None:
    design = design_of(simulated_panel(units=12, periods=9, adoption={0: 2006, 1: 2006}))
    did = jp.did.TwoWayFixedEffects().fit(design).att
    zero = jp.synth.GeneralizedSyntheticControl(rank=0).fit(design)
    additive = jp.synth.MatrixCompletion(penalty=np.inf).fit(design)
    assert zero.att == pytest.approx(did)
    assert additive.att == pytest.approx(did, abs=1e-5)


@pytest.mark.parametrize("estimator", ALL)
def test_refit_gives_the_numbers_of_fit_with_several_treated_units(estimator: Any) -> None:
    design = design_of(simulated_panel(units=12, periods=10, adoption={0: 2006, 3: 2008}))
    estimate = estimator.fit(design)
    refit = estimator.refit(design)
    assert refit.att[0] == pytest.approx(estimate.att)
    assert refit.effects[0] == pytest.approx(estimate.effects["estimate"].to_numpy())


def test_a_common_period_effect_changes_nothing_for_factor_models() -> None:
    frame = simulated_panel(units=12, periods=10, adoption={0: 2007})
    shifted = frame.assign(y=frame.y + (frame.period - 2000) ** 2)
    estimator = jp.synth.GeneralizedSyntheticControl(rank=1)
    moved = estimator.fit(design_of(shifted)).att
    assert moved == pytest.approx(estimator.fit(design_of(frame)).att)


def test_covariates_beside_factors_agree_with_a_peer(cps_data: Any) -> None:
    # pyfector 0.2.3, estimate_ife() on the never-treated states; it stops a little above the
    # optimum: its sums of squares are 3.0433791 and 2.3231752
    frame = cps_data
    frame["treated"] = ((frame["state"] == "NM") & (frame["year"] >= 2005)).astype(int)
    design = jp.Design.from_frame(
        frame,
        unit="state",
        time="year",
        outcome="log_wage",
        treatment="treated",
        covariates=["hours", "urate"],
    )
    peers = {
        1: ([0.02800901, -0.44809198], 0.07023268, 3.0433791),
        2: ([0.02695922, -0.2115054], 0.05688057, 2.3231752),
    }
    for rank, (coefficients, effect, squares) in peers.items():
        estimate = jp.synth.GeneralizedSyntheticControl(rank=rank).fit(design)
        assert estimate.details["coefficients"].to_numpy() == pytest.approx(coefficients, abs=3e-4)
        assert estimate.att == pytest.approx(effect, abs=3e-4)
        left = design.outcome[~design.treated] - estimate.details["untreated_fit"].to_numpy()
        assert squares - 1e-6 < (left**2).sum() <= squares


def test_what_a_covariate_explains_changes_nothing() -> None:
    frame = simulated_panel(units=12, periods=10, adoption={0: 2007})
    frame["x"] = np.random.default_rng(3).normal(size=len(frame))
    estimator = jp.synth.GeneralizedSyntheticControl(rank=1)
    base = estimator.fit(design_of(frame, covariates=["x"]))
    moved = estimator.fit(design_of(frame.assign(y=frame.y + 5 * frame.x), covariates=["x"]))
    assert moved.att == pytest.approx(base.att, abs=1e-8)
    assert moved.details["coefficients"]["x"] == pytest.approx(
        base.details["coefficients"]["x"] + 5
    )
    with pytest.raises(jp.DesignError, match="'x' is a combination of unit effects"):
        estimator.fit(design_of(frame.assign(x=frame.unit), covariates=["x"]))


def test_factors_and_loadings_make_up_the_counterfactual() -> None:
    design = design_of(simulated_panel(units=12, periods=10, adoption={0: 2007, 3: 2008}))
    estimate = jp.synth.GeneralizedSyntheticControl(rank=2).fit(design)
    factors, loadings = estimate.details["factors"], estimate.details["loadings"]
    means = design.outcome[~design.treated].mean(axis=0)
    paths = loadings["intercept"].to_numpy()[:, None] + means
    paths = paths + loadings[["factor 1", "factor 2"]].to_numpy() @ factors.to_numpy().T
    assert estimate.counterfactual is not None
    assert estimate.counterfactual.to_numpy() == pytest.approx(paths[design.treated])
    assert estimate.details["untreated_fit"].to_numpy() == pytest.approx(paths[~design.treated])


def test_a_unit_far_outside_the_hull_is_named_with_its_distance() -> None:
    frame = simulated_panel(units=9, periods=10, adoption={0: 2008})
    design = design_of(frame.assign(y=frame["y"] + 50 * (frame["unit"] == 0)))
    with pytest.warns(jp.errors.JJJPolicyWarning, match=r"unit 0 lies far outside .* misses it by"):
        jp.synth.PenalizedSyntheticControl(penalty=0.1).fit(design)


def test_too_few_pre_periods_are_named() -> None:
    design = design_of(simulated_panel(units=6, periods=4, adoption={0: 2003}))
    with pytest.raises(jp.DesignError, match="at least 3 periods"):
        jp.synth.AugmentedSyntheticControl().fit(design)


@pytest.mark.parametrize("penalty", [None, 0.5])
def test_assignments_completed_together_give_the_numbers_of_single_fits(penalty: Any) -> None:
    design = design_of(simulated_panel(units=13, periods=9, adoption={0: 2005, 1: 2007, 2: 2007}))
    rng = np.random.default_rng(2)
    adoptions = np.array([rng.permutation(design.adoption) for _ in range(7)])
    adoptions[5, adoptions[5] == 2005] = 2006
    estimator = jp.synth.MatrixCompletion(penalty=penalty)
    singles = [estimator.refit(design.reassigned(row)) for row in adoptions]
    found, expected = estimator.refit_many(design, adoptions), Refits.stack(singles)
    for name in ("att", "pre_rmspe", "rmspe_ratio", "cohorts"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-10)
    assert found.effects is None  # event times differ between the assignments
    two = estimator.refit_many(design, adoptions[:5], jobs=2)
    np.testing.assert_array_equal(two.att, found.att[:5])


def test_completion_that_has_not_settled_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    design = design_of(simulated_panel(units=12, periods=10, adoption={0: 2007}))
    monkeypatch.setattr("jjjpolicy.linalg.completion.MOST_STEPS", 3)
    with pytest.warns(jp.JJJPolicyWarning, match="stopped after 3 steps"):
        jp.synth.MatrixCompletion(penalty=0.1).fit(design)
