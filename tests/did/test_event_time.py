"""One clock: event time is the calendar distance from adoption, on uneven panels too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp

YEARS = np.array([2001, 2004, 2006, 2008, 2011, 2013, 2016, 2019])
ONE = dict.fromkeys(range(4), 2005)
TWO = {**dict.fromkeys(range(3), 2004), **dict.fromkeys(range(3, 7), 2006)}


def uneven(adoption: dict[int, int]) -> jp.Design:
    """Eight years at distances of two and three, adoption in the fourth to sixth of them."""
    frame = simulated_panel(units=16, periods=8, adoption=adoption, effect=1.0, seed=2)
    years = dict(zip(range(2001, 2009), YEARS.tolist(), strict=True))
    frame[["period", "first"]] = frame[["period", "first"]].replace(years)
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")


ESTIMATORS = [
    jp.did.CallawaySantAnna(base="universal"),
    jp.did.EventStudy(),
    jp.did.SunAbraham(),
    jp.did.ExtendedTWFE(control="never"),
    jp.did.Stacked(),
    jp.did.LocalProjections(),
    jp.did.ChaisemartinDHaultfoeuille(),
    jp.did.TwoStage(leads=True),
    jp.synth.SyntheticDiD(),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: each.label)
def test_every_estimator_reads_the_same_clock(estimator: jp.did.EventStudy) -> None:
    table = estimator.fit(uneven(ONE)).effects
    shown = set(table["event_time"])
    assert {0, 2, 5, 8} == {time for time in shown if time >= 0}
    assert {time for time in shown if time < 0} <= {-10, -7, -5, -3}
    if not isinstance(estimator, jp.synth.SyntheticDiD | jp.did.TwoStage):
        assert table.set_index("event_time").loc[-3, "estimate"] == 0


@pytest.mark.parametrize(
    "estimator",
    [
        jp.did.ChaisemartinDHaultfoeuille(),
        jp.did.LocalProjections(pre_window=1, post_window=4, reweight=True),
    ],
    ids=lambda each: each.label,
)
@pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")
def test_event_times_average_over_the_cohorts_that_have_them(
    estimator: jp.did.ChaisemartinDHaultfoeuille,
) -> None:
    """Both are Callaway and Sant'Anna's averages with controls not yet treated."""
    design = uneven(TWO)
    expected = jp.did.CallawaySantAnna(control="not_yet").fit(design).effects
    found = estimator.fit(design).effects
    both = [
        table.set_index("event_time")["estimate"].loc[lambda s: s.index >= 0]
        for table in (found, expected)
    ]
    pd.testing.assert_series_equal(*both, rtol=1e-9)


def test_stacks_hold_the_event_times_of_every_cohort() -> None:
    design = uneven(TWO)
    estimate = jp.did.Stacked(kappa_pre=1, kappa_post=2).fit(design)
    # 2008 is followed by 2011 and 2013, 2013 by 2016 and 2019: 0 and 3 are common to both.
    assert estimate.effects["event_time"].tolist() == [-2, 0, 3]
    y = pd.DataFrame(design.outcome, columns=design.periods)
    parts = []
    for year, before, own, clean in (
        (2008, 2006, range(3), range(7, 16)),
        (2013, 2011, range(3, 7), range(7, 16)),
    ):
        change = y[year] - y[before]
        parts.append(change[list(own)].mean() - change[list(clean)].mean())
    found = estimate.effects.set_index("event_time")["estimate"]
    assert found[0] == pytest.approx(np.average(parts, weights=[3, 4]), abs=1e-12)
    assert estimate.att == pytest.approx((found[0] + found[3]) / 2, abs=1e-12)


def test_adoption_between_two_periods_counts_from_its_date() -> None:
    frame = simulated_panel(units=10, periods=6, adoption=dict.fromkeys(range(4), 2004))
    frame["period"] = 2000 + 2 * (frame["period"] - 2001)
    frame["first"] = frame["first"].replace(2004, 2005)
    design = jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")
    for estimator in ESTIMATORS:
        times = estimator.fit(design).effects["event_time"]
        assert times[times >= 0].tolist() == [1, 3, 5]


def test_an_event_study_takes_the_last_event_time_before_adoption() -> None:
    frame = simulated_panel(units=12, periods=8, adoption=dict.fromkeys(range(4), 2005))
    names = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    yearly = jp.did.EventStudy().fit(jp.Design.from_frame(frame, **names))
    frame[["period", "first"]] = 2 * frame[["period", "first"]]
    estimate = jp.did.EventStudy().fit(jp.Design.from_frame(frame, **names))
    assert estimate.details["reference"] == -2
    assert estimate.effects["event_time"].tolist() == (2 * yearly.effects["event_time"]).tolist()
    assert estimate.effects["estimate"].to_numpy() == pytest.approx(
        yearly.effects["estimate"].to_numpy(), abs=1e-12
    )
