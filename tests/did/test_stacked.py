"""Stacked difference-in-differences: another package's numbers, the explicit regression, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from castle import castle_frame
from panels import simulated_panel

import jjjpolicy as jp

# diff-diff 3.13.0, StackedDiD, castle data clustered by sid: estimate and error by event time.
CASTLE = {
    (3, 2): {
        "att": (0.018640592934044017, 0.044103743305359926),
        -3: (-0.026669921136746908, 0.05035593835547496),
        -2: (-0.08933703775760406, 0.04803575515918469),
        0: (0.012110033680784952, 0.06816157656998481),
        1: (0.013157138823545725, 0.047935401770429174),
        2: (0.030654606297801364, 0.054490158105187904),
    },
    (1, 0): {"att": (0.010335569925413204, 0.06756999314036673)},
}


def castle_design() -> jp.Design:
    return jp.Design.from_frame(
        castle_frame(), unit="sid", time="year", outcome="l_homicide", adoption="first"
    )


def unbalanced_frame() -> pd.DataFrame:
    """Simulated; the cohort of 2008 is the last, and there are few never-treated units."""
    adoption = {**dict.fromkeys(range(6), 2004), **dict.fromkeys(range(6, 14), 2006)}
    frame = simulated_panel(units=30, periods=8, adoption=adoption, effect=0.5, seed=5)
    rng = np.random.default_rng(6)
    frame["x"] = rng.normal(size=len(frame))
    frame["y"] += 0.7 * frame["x"]
    frame["w"] = 1.0 + frame["unit"] % 3
    return frame.drop(index=rng.choice(len(frame), 25, replace=False))


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    return jp.Design.from_frame(frame, **(arguments | changes))


@pytest.mark.filterwarnings("ignore:left out of the stack")
@pytest.mark.parametrize("window", list(CASTLE))
def test_castle_equals_diff_diff(window: tuple[int, int]) -> None:
    estimate = jp.did.Stacked(*window).fit(castle_design())
    reference = CASTLE[window]
    assert (estimate.att, estimate.se) == pytest.approx(reference["att"], rel=1e-10)
    effects = estimate.effects.set_index("event_time")
    for time in set(reference) - {"att"}:
        assert tuple(effects.loc[time, ["estimate", "se"]]) == pytest.approx(
            reference[time], rel=1e-10
        )
    assert effects.loc[-1, "estimate"] == 0


def test_unbalanced_panel_equals_diff_diff() -> None:
    """diff-diff 3.13.0, StackedDiD(kappa_pre=2, kappa_post=2)."""
    estimate = jp.did.Stacked(2, 2).fit(design_of(unbalanced_frame()))
    assert estimate.att == pytest.approx(0.7971394612607267, rel=1e-11)
    assert estimate.se == pytest.approx(0.3101864024448005, rel=1e-11)
    assert estimate.inference is not None
    assert "gaps in their window" in estimate.inference.notes[0]


def test_complete_windows_leave_out_the_units_with_gaps() -> None:
    source = unbalanced_frame()
    estimate = jp.did.Stacked(2, 1, complete_windows=True).fit(design_of(source))
    gone = estimate.details["incomplete"]
    parts = []
    for cohort in (2004, 2006):
        part = source[source["period"].between(cohort - 2, cohort + 1)]
        part = part[(part["first"] == cohort) | (part["first"] > cohort + 1)]
        counts = part.groupby("unit")["period"].transform("size")
        assert set(part["unit"][counts < 4]) == set(gone["unit"][gone["group"] == cohort])
        part = part[counts == 4]
        treated = part["first"] == cohort
        means = part.groupby([treated, part["period"] - cohort])["y"].mean()
        difference = means[True] - means[False]
        after = difference[[0, 1]].mean() - difference[-1]
        parts.append((part["unit"][treated].nunique(), after))
    expected = np.average([after for _, after in parts], weights=[size for size, _ in parts])
    assert estimate.att == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore:left out of the stack")
def test_castle_beside_diff_diff(recorded: Any) -> None:
    def ask(diff_diff: Any) -> dict[str, float]:
        fit = diff_diff.StackedDiD(kappa_pre=2, kappa_post=1).fit(
            castle_frame(), outcome="l_homicide", unit="sid", time="year", first_treat="first"
        )
        return {"att": float(fit.overall_att), "se": float(fit.overall_se)}

    reference, estimate = recorded("diff_diff", ask), jp.did.Stacked(2, 1).fit(castle_design())
    assert estimate.att == pytest.approx(reference["att"], rel=1e-9)
    assert estimate.se == pytest.approx(reference["se"], rel=1e-9)


@pytest.mark.parametrize("weights", [None, "w"], ids=["unweighted", "weighted"])
def test_equals_the_explicit_regression_on_the_stack(weights: str | None) -> None:
    """Rows stacked, weights computed and the regression run with statsmodels."""
    import statsmodels.formula.api as smf

    source = unbalanced_frame()
    source["base"] = 1.0 if weights is None else source[weights]
    parts = []
    for cohort in (2004, 2006):
        window = source[source["period"].between(cohort - 2, cohort + 1)]
        part = window[(window["first"] == cohort) | (window["first"] > cohort + 1)].copy()
        part["cohort"], part["e"] = cohort, part["period"] - cohort
        part["d"] = (part["first"] == cohort).astype(int)
        parts.append(part)
    stack = pd.concat(parts, ignore_index=True)
    own = stack.groupby(["cohort", "e", "d"])["base"].transform("sum")
    overall = stack.groupby(["e", "d"])["base"].transform("sum")
    share = (own / overall).where(stack["d"] == 1)
    treated_share = share.groupby([stack["cohort"], stack["e"]]).transform("max")
    stack["q"] = stack["base"] * np.where(stack["d"] == 1, 1.0, treated_share / (own / overall))
    result = smf.wls("y ~ x + d * C(e, Treatment(-1))", stack, weights=stack["q"]).fit(
        cov_type="cluster", cov_kwds={"groups": stack["unit"]}
    )
    estimate = jp.did.Stacked(2, 1).fit(design_of(source, covariates=["x"], weights=weights))
    effects = estimate.effects.set_index("event_time")
    for time in (-2, 0, 1):
        name = f"d:C(e, Treatment(-1))[T.{time}]"
        expected = (result.params[name], result.bse[name])
        assert tuple(effects.loc[time, ["estimate", "se"]]) == pytest.approx(expected, rel=1e-9)
    assert estimate.details["covariates"]["x"] == pytest.approx(result.params["x"], rel=1e-10)
    assert estimate.att == pytest.approx(effects.loc[[0, 1], "estimate"].mean(), rel=1e-12)


def test_default_window_is_the_widest_that_every_cohort_fills() -> None:
    frame = simulated_panel(units=9, periods=8, adoption={0: 2003, 1: 2005, 2: 2007})
    estimate = jp.did.Stacked().fit(design_of(frame))
    assert estimate.effects["event_time"].tolist() == [-2, -1, 0, 1]
    assert len(estimate.details["not_estimable"]) == 0
    everyone = simulated_panel(units=4, periods=8, adoption={0: 2003, 1: 2003, 2: 2006, 3: 2006})
    with pytest.warns(jp.JJJPolicyWarning, match="cohort 2006 .no clean control"):
        estimate = jp.did.Stacked().fit(design_of(everyone))
    assert estimate.effects["event_time"].tolist() == [-2, -1, 0, 1, 2]


def test_event_times_are_in_units_of_time_where_periods_are_evenly_spaced() -> None:
    frame = simulated_panel(units=9, periods=8, adoption={0: 2003, 1: 2005})
    frame = frame[frame["period"] % 2 == 1]
    estimate = jp.did.Stacked(1, 1).fit(design_of(frame))
    assert estimate.effects["event_time"].tolist() == [-2, 0, 2]


def test_cohorts_without_their_window_are_listed() -> None:
    with pytest.warns(
        jp.JJJPolicyWarning, match="cohort 2009, 2010 .its window of 3 periods before"
    ):
        estimate = jp.did.Stacked(3, 2).fit(castle_design())
    assert estimate.details["not_estimable"]["group"].tolist() == [2009, 2010]
    assert estimate.details["sub_experiments"]["treated_units"].tolist() == [1, 13, 4]


def test_refits_and_other_inference() -> None:
    design = design_of(unbalanced_frame(), covariates=["x"])
    estimate = jp.did.Stacked(2, 1).fit(design)
    refits = jp.did.Stacked(2, 1).refit(design)
    assert refits.att[0] == pytest.approx(estimate.att)
    assert refits.se is not None
    assert refits.se[0] == pytest.approx(estimate.se)
    permuted = estimate.with_inference(jp.inference.RandomizationInference(replications=99, seed=1))
    assert permuted.pvalue is not None
    assert permuted.pvalue <= 0.05
    multiplied = estimate.with_inference(jp.inference.MultiplierBootstrap(replications=99))
    assert multiplied.effects["se"].notna().sum() == 3


def test_errors_say_what_to_do() -> None:
    design = castle_design()
    with pytest.raises(jp.DesignError, match="at least 1 and 0.*kappa_pre=6, kappa_post=0"):
        jp.did.Stacked(0, 1).fit(design)
    with pytest.raises(jp.DesignError, match="no cohort has the window.*cohort 2006"):
        jp.did.Stacked(9, 5).fit(design)
