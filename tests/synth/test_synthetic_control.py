"""Synthetic control on outcomes: optimal weights, published effects, algebra, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def design_of(frame: Any, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def test_prop99_reaches_the_optimum_that_the_published_solver_approaches(
    answers: Any, prop99: jp.Design
) -> None:
    # The published -19.6197 comes from a solver that stops early; the exact optimum is nearby.
    estimate = jp.synth.SyntheticControl().fit(prop99)
    assert estimate.att == pytest.approx(answers["prop99"]["sc"], abs=0.15)
    assert (estimate.details["relative_gap"] < 1e-12).all()
    assert estimate.unit_effects is not None
    assert estimate.unit_effects["pre_rmspe"].item() < 1.65645


def test_a_treated_unit_that_is_a_donor_average_has_no_gap_before_and_the_effect_after() -> None:
    frame = simulated_panel(units=6, periods=8, adoption={0: 2006})
    wide = frame.pivot(index="unit", columns="period", values="y")
    average = 0.3 * wide.loc[2] + 0.7 * wide.loc[4]
    frame.loc[frame.unit == 0, "y"] = (average + 2.0 * (average.index >= 2006)).to_numpy()
    estimate = jp.synth.SyntheticControl().fit(design_of(frame))
    assert estimate.att == pytest.approx(2.0, abs=1e-8)
    assert estimate.weights is not None
    assert estimate.weights[0].to_dict() == pytest.approx(
        {1: 0, 2: 0.3, 3: 0, 4: 0.7, 5: 0}, abs=1e-8
    )


def test_several_treated_units_have_weights_of_their_own_and_pool_over_treated_cells() -> None:
    frame = simulated_panel(units=10, periods=8, adoption={0: 2005, 1: 2007})
    both = jp.synth.SyntheticControl().fit(design_of(frame))
    alone = [jp.synth.SyntheticControl().fit(design_of(frame, exclude=[1 - i])) for i in (0, 1)]
    assert both.unit_effects is not None
    assert both.unit_effects["att"].to_numpy() == pytest.approx([a.att for a in alone])
    assert both.att == pytest.approx((4 * alone[0].att + 2 * alone[1].att) / 6)


def test_effects_are_gaps_and_average_to_the_estimate() -> None:
    frame = simulated_panel(units=10, periods=8, adoption={0: 2005})
    estimate = jp.synth.SyntheticControl().fit(design_of(frame))
    post = estimate.effects.query("event_time >= 0")["estimate"]
    assert post.mean() == pytest.approx(estimate.att)
    assert estimate.counterfactual is not None
    observed = frame.query("unit == 0").set_index("period")["y"]
    gap = observed - estimate.counterfactual.loc[0]
    assert gap.to_numpy() == pytest.approx(estimate.effects["estimate"].to_numpy())


def test_refit_gives_the_numbers_of_fit() -> None:
    design = design_of(simulated_panel(units=10, periods=8, adoption={0: 2005, 3: 2006}))
    estimate = jp.synth.SyntheticControl().fit(design)
    refit = estimate.estimator.refit(design)
    assert refit.att[0] == pytest.approx(estimate.att)
    assert refit.effects is not None
    assert refit.effects[0] == pytest.approx(estimate.effects["estimate"].to_numpy())


def test_without_inference_there_is_no_error_and_the_interval_says_what_to_attach() -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(simulated_panel()))
    assert estimate.se is None
    assert estimate.pvalue is None
    with pytest.raises(jp.InferenceError, match="PlaceboUnits"):
        estimate.interval()


def test_observation_weights_are_refused() -> None:
    frame = simulated_panel().assign(w=1.0)
    with pytest.raises(jp.DesignError, match="weights"):
        jp.synth.SyntheticControl().fit(design_of(frame, weights="w"))


def test_no_never_treated_unit_is_refused() -> None:
    frame = simulated_panel(units=2, adoption={0: 2003, 1: 2005})
    with pytest.raises(jp.DesignError, match="never-treated"):
        jp.synth.SyntheticControl().fit(design_of(frame))


def test_weights_are_on_the_simplex() -> None:
    estimate = jp.synth.SyntheticControl().fit(design_of(simulated_panel(units=30)))
    assert estimate.weights is not None
    weights = estimate.weights.to_numpy()
    assert (weights >= 0).all()
    assert weights.sum(axis=0) == pytest.approx(1.0, abs=1e-12)
    assert np.isfinite(weights).all()


def test_a_treated_unit_far_outside_the_hull_gives_a_warning_with_the_distance() -> None:
    frame = simulated_panel(units=8, periods=8, adoption={0: 2006})
    highest = frame[frame.unit != 0].groupby("period")["y"].max()
    frame.loc[frame.unit == 0, "y"] = (highest + 10).to_numpy()
    with pytest.warns(jp.errors.JJJPolicyWarning, match="misses it by 10 .* deviations"):
        jp.synth.SyntheticControl().fit(design_of(frame))


def test_donors_that_do_not_differ_are_refused() -> None:
    frame = simulated_panel().assign(y=lambda d: 1.0 * d.period + (d.unit == 0))
    with pytest.raises(jp.DesignError, match="the same for all donors in every period before 2004"):
        jp.synth.SyntheticControl().fit(design_of(frame))


@pytest.mark.parametrize("dates", [[2006, 2005], [2006, 2006], [2005, 2006], [2007]])
def test_refit_many_gives_the_numbers_of_separate_fits(dates: list[int]) -> None:
    design = design_of(simulated_panel(units=12, periods=9))
    adoptions = np.full((8, 12), np.inf)
    for row in range(8):
        adoptions[row, [row, row + 2][: len(dates)]] = dates
    if len(dates) == 1:
        adoptions[3, 3] = 2005  # a date of its own, as in placebo dates
    refits = jp.synth.SyntheticControl().refit_many(design, adoptions)
    for row, adoption in enumerate(adoptions):
        estimate = jp.synth.SyntheticControl().fit(design.reassigned(adoption))
        before, after = estimate.details["gaps"].pooled_rmspe
        assert refits.att[row] == pytest.approx(estimate.att)
        assert refits.pre_rmspe is not None
        assert refits.pre_rmspe[row] == pytest.approx(before)
        assert refits.rmspe_ratio is not None
        assert refits.rmspe_ratio[row] == pytest.approx(after / before)


def exactly_fitted(units: int = 26, scale: float = 1.0, shift: float = 0.0) -> jp.Design:
    """A treated unit, and some placebos, that donors meet exactly before treatment."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(units, 7))
    values[0] = rng.dirichlet(np.ones(units - 1)) @ values[1:]
    values[0, 4:] += 1.0
    frame = pd.DataFrame(
        [
            (unit, 2000 + t, scale * values[unit, t] + shift, int(unit == 0 and t >= 4))
            for unit in range(units)
            for t in range(7)
        ],
        columns=["unit", "period", "y", "treated"],
    )
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")


UNITS_OF_MEASURE = [(1.0, 0.0), (0.1, 3.0), (1.7, -2.0), (1000.0, 0.5), (1.0, 1e4)]


@pytest.mark.parametrize(
    "estimator", [jp.synth.SyntheticControl, jp.synth.DemeanedSyntheticControl]
)
def test_ratios_of_exact_fits_tie_whatever_the_unit_of_measure(
    estimator: type[jp.synth.SyntheticControl],
) -> None:
    found = set()
    for scale, shift in UNITS_OF_MEASURE:
        estimate = estimator().fit(exactly_fitted(scale=scale, shift=shift))
        estimate = estimate.with_inference(jp.inference.PlaceboUnits())
        assert estimate.inference is not None
        details = estimate.inference.details
        assert details["rmspe_ratio"] == np.inf
        exact = int((details["placebo_pre_rmspe"] == 0).sum())
        assert details["rmspe_pvalue"] == pytest.approx((1 + exact) / 26)
        near = estimate.with_inference(jp.inference.PlaceboUnits(pre_fit_cutoff=5))
        assert near.inference is not None
        assert near.inference.assignments == exact > 0
        assert "the ratio says nothing" in estimate.summary()
        found.add((exact, round(estimate.pvalue, 12)))
    assert len(found) == 1


@pytest.mark.parametrize(
    "estimator",
    [
        jp.synth.SyntheticControl(),
        jp.synth.DemeanedSyntheticControl(),
        jp.synth.PenalizedSyntheticControl(penalty=0.0),
        jp.synth.PartiallyPooledSyntheticControl(),
        jp.synth.MatrixCompletion(),
    ],
)
def test_the_effect_does_not_depend_on_the_names_of_units(
    estimator: jp.synth.SyntheticControl,
) -> None:
    design = exactly_fitted()
    names = np.random.default_rng(1).permutation(26)
    renamed = pd.DataFrame(
        [
            (int(names[unit]), int(period), design.outcome[unit, t], int(design.treatment[unit, t]))
            for unit in range(26)
            for t, period in enumerate(design.periods)
        ],
        columns=["unit", "period", "y", "treated"],
    )
    other = jp.Design.from_frame(
        renamed, unit="unit", time="period", outcome="y", treatment="treated"
    )
    assert estimator.fit(other).att == pytest.approx(estimator.fit(design).att, abs=1e-8)


def test_rankings_show_exact_fits_in_words() -> None:
    estimate = jp.synth.SyntheticControl().fit(exactly_fitted())
    figure = estimate.with_inference(jp.inference.PlaceboUnits()).plot("ranking")
    told = [text.get_text() for text in figure.axes[0].texts]
    assert told
    assert set(told) == {"exact fit"}
