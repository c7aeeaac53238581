"""Sun and Abraham: results of fixest's convention, algebra, other inference, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel, staggered_panel

import jjjpolicy as jp
from jjjpolicy.did import CallawaySantAnna, EventStudy, SunAbraham
from jjjpolicy.inference.cluster_bootstrap import resampled


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def test_mpdta_equals_sunab(answers: Any, mpdta_data: Any) -> None:
    design = jp.Design.from_frame(
        mpdta_data,
        unit="countyreal",
        time="year",
        outcome="lemp",
        adoption="first.treat",
    )
    effects = SunAbraham().fit(design).effects.set_index("event_time")
    for time, (estimate, se) in answers["mpdta"]["sunab_mpdta"]["values"].items():
        row = effects.loc[int(float(time))]
        assert row["estimate"] == pytest.approx(estimate, abs=1e-12)
        assert row["se"] == pytest.approx(se, abs=1e-12)


@pytest.mark.parametrize("covariates", [[], ["z"]], ids=["alone", "with covariate"])
@pytest.mark.parametrize("missing", [0.0, 0.1], ids=["balanced", "unbalanced"])
def test_coefficients_equal_least_squares_with_dummies(
    covariates: list[str], missing: float
) -> None:
    import statsmodels.formula.api as smf

    frame = staggered_panel(units=24, missing=missing)
    names = []
    for group in (2003, 2004, 2005):
        for period in range(2001, 2007):
            if period != group - 1:
                names.append(f"d{group}_{period}")
                cell = (frame["first"] == group) & (frame["period"] == period)
                frame[names[-1]] = cell.astype(float)
    right = " + ".join([*names, *covariates, "C(unit)", "C(period)"])
    reference = smf.ols(f"y ~ {right}", frame).fit(
        cov_type="cluster", cov_kwds={"groups": frame["unit"], "use_correction": False}
    )
    table = SunAbraham().fit(design_of(frame, covariates=covariates)).group_time
    table = table[table["time"] != table["group"] - 1]
    n, k = len(frame), len(names) + len(covariates) + 6
    factor = np.sqrt(24 / 23 * (n - 1) / (n - k))
    assert table["estimate"].to_numpy() == pytest.approx(reference.params[names].to_numpy())
    assert table["se"].to_numpy() == pytest.approx(factor * reference.bse[names].to_numpy())


def test_one_cohort_is_the_event_study() -> None:
    design = design_of(simulated_panel(units=12, adoption={0: 2004, 1: 2004, 2: 2004}))
    pd.testing.assert_frame_equal(
        SunAbraham().fit(design).effects, EventStudy().fit(design).effects, check_exact=False
    )


def test_on_a_balanced_panel_it_is_callaway_santanna_with_universal_base() -> None:
    design = design_of(staggered_panel(units=40))
    own = SunAbraham().fit(design).group_time
    other = CallawaySantAnna(base="universal").fit(design).group_time
    assert own[["group", "time"]].equals(other[["group", "time"]])
    assert own["estimate"].to_numpy() == pytest.approx(other["estimate"].to_numpy(), abs=1e-12)


def test_unit_and_period_constants_change_nothing() -> None:
    frame = staggered_panel(units=40, missing=0.1)
    moved = frame.assign(y=frame["y"] + 7 * frame["unit"] - 2 * frame["period"] ** 2)
    base, shifted = (SunAbraham().fit(design_of(f)) for f in (frame, moved))
    assert shifted.att == pytest.approx(base.att, abs=1e-7)
    assert shifted.se == pytest.approx(base.se, rel=1e-6)


def test_without_never_treated_the_last_cohort_is_the_control() -> None:
    frame = staggered_panel(units=40)
    frame = frame[np.isfinite(frame["first"])]
    with pytest.warns(jp.JJJPolicyWarning, match="no unit is still untreated in 2005"):
        estimate = SunAbraham().fit(design_of(frame))
    means = frame.groupby(["first", "period"])["y"].mean().unstack()
    change = means[2004] - means[2002]
    table = estimate.group_time.set_index(["group", "time"])
    assert table.loc[(2003, 2004), "estimate"] == pytest.approx(change[2003] - change[2005])
    assert estimate.group_time["time"].max() == 2004
    assert estimate.details["not_estimable"]["reason"].str.contains("serves as control only").any()


def test_reference_may_lie_earlier_and_cohorts_without_it_are_listed() -> None:
    frame = staggered_panel(units=40)
    with pytest.warns(jp.JJJPolicyWarning, match="cohort 2003 .its base period 2000"):
        estimate = SunAbraham(reference=-3).fit(design_of(frame))
    assert 2003 not in estimate.group_time["group"].tolist()
    assert estimate.details["not_estimable"]["group"].tolist() == [2003]
    means = frame.groupby(["first", "period"])["y"].mean().unstack()
    change = means[2006] - means[2001]
    table = estimate.group_time.set_index(["group", "time"])
    assert table.loc[(2004, 2006), "estimate"] == pytest.approx(change[2004] - change[np.inf])


@pytest.mark.parametrize(
    "inference",
    [
        jp.inference.Clustered(),
        jp.inference.Clustered(kind="CRV3"),
        jp.inference.WildClusterBootstrap(replications=99, seed=0),
        jp.inference.MultiplierBootstrap(replications=99, seed=0),
    ],
)
def test_variances_of_regressions_apply_to_the_averages(inference: Any) -> None:
    estimate = SunAbraham().fit(design_of(staggered_panel(units=40)))
    for average in (estimate, estimate.aggregate("event", max_event=1)):
        under = average.with_inference(inference)
        assert under.se is None or under.se == pytest.approx(average.se, rel=0.15)
        assert under.pvalue is not None
    if inference == jp.inference.Clustered():
        assert estimate.with_inference(inference).se == pytest.approx(estimate.se, rel=1e-12)


def test_wrong_reference_and_cross_sections_are_refused() -> None:
    with pytest.raises(jp.DesignError, match="reference=0"):
        SunAbraham(reference=0)
    frame = staggered_panel(units=48)
    frame = frame[frame["period"] == 2001 + frame["unit"] // 4 % 6]
    with pytest.raises(jp.DesignError, match="observed more than once"):
        SunAbraham().fit(design_of(frame))


@pytest.mark.parametrize("level", ["unit", "group"])
@pytest.mark.parametrize("weighted", [False, True])
def test_refits_from_means_are_those_of_the_regression(level: str, weighted: bool) -> None:
    frame = staggered_panel(units=30, effect=1.0)
    frame["group"] = frame["unit"] // 3
    frame["first"] = frame.groupby("group")["first"].transform("first")
    frame["w"] = 1 + frame["unit"] % 4
    design = design_of(frame, assigned_at=level, weights="w" if weighted else None)
    _, first, codes = np.unique(design.assignment, return_index=True, return_inverse=True)
    rng = np.random.default_rng(1)
    adoptions = np.array([rng.permutation(design.adoption[first])[codes] for _ in range(10)])
    shared = SunAbraham().refit_many(design, adoptions)
    samples = [1 + (np.arange(len(first)) == extra) for extra in range(4)]
    samples += [(np.arange(len(first)) != left_out).astype(int) for left_out in range(4)]
    known = SunAbraham().refit_counted(design, codes, np.array(samples, dtype=float))
    alone = [SunAbraham().refit(design.reassigned(adoption)) for adoption in adoptions]
    alone += [
        SunAbraham().refit(resampled(design, codes, np.repeat(np.arange(len(first)), sample)))
        for sample in samples
    ]
    for found, expected in zip([*shared.singly(), *known], alone, strict=True):
        assert found is not None
        for name in ("att", "se", "effects", "event_times"):
            assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-11), name
