"""Castle doctrine laws: every estimator against the R package of its authors.

A law is dated by the year it was passed in, one before the first full year under it. R's answers
lie in ``tests/reference/castle``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import reference
from castle import castle_frame

import jjjpolicy as jp

ANSWERS = reference.answers("castle")
METHODS = {"reg": "or", "dr": "dr", "ipw": "ipw"}
CONTROLS = {"nevertreated": "never", "notyettreated": "not_yet", "notyet": "not_yet"}
AVERAGES = {"simple": "simple", "group": "group", "calendar": "calendar", "event": "dynamic"}


def design_of(outcome: str = "l_homicide", **changes: Any) -> jp.Design:
    frame = castle_frame()
    frame["passed"] = (frame["first"] - 1).where(frame["first"] > 0, 0)
    frame["w"] = frame["popwt"] / 1e6
    columns = {"unit": "sid", "time": "year", "outcome": outcome, "adoption": "passed"}
    return jp.Design.from_frame(frame, **columns, **changes)


def by_event_time(estimate: jp.Estimate, column: str = "estimate") -> pd.Series:
    return estimate.effects.set_index("event_time")[column]


def times(found: dict[str, Any]) -> dict[int, tuple[float, float]]:
    """fixest's coefficients by event time: the first number in a name."""
    rows = zip(found["name"], found["b"], found["se"], strict=True)
    return {int(n.split("::")[1].split(":")[0]): (b, se) for n, b, se in rows if "::" in n}


@pytest.mark.parametrize("case", ANSWERS["callaway_santanna"])
def test_group_time_effects_and_averages_are_those_of_did(case: str) -> None:
    published, (first, *rest) = ANSWERS["callaway_santanna"][case], case.split("|")
    if first in METHODS:
        design = design_of(published["spec"]["y"], covariates=["unemployrt"], weights="w")
        control, options = rest[0], {"method": METHODS[first]}
    else:
        design, control = design_of(), first
        options = {"base": rest[0], "anticipation": int(rest[1])}
    estimate = jp.did.CallawaySantAnna(control=CONTROLS.get(control, "never"), **options).fit(  # type: ignore[arg-type]
        design
    )
    table = estimate.group_time.set_index(["group", "time"])
    assert len(table) == len(published["att"])
    keys = zip(published["gt_g"], published["gt_t"], strict=True)
    for key, att, error in zip(keys, published["att"], published["se"], strict=True):
        assert table.loc[key, "estimate"] == pytest.approx(att, abs=1e-8)
        assert error is None or table.loc[key, "se"] == pytest.approx(error, abs=1e-8)
    for kind, name in AVERAGES.items():
        average = estimate.aggregate(kind)  # type: ignore[arg-type]
        assert average.att == pytest.approx(published[name]["att"], abs=1e-8)
        assert average.se == pytest.approx(published[name]["se"], abs=1e-8)


@pytest.mark.parametrize("case", ANSWERS["regressions"])
def test_regressions_are_those_of_fixest(case: str) -> None:
    published = ANSWERS["regressions"][case]
    design = design_of(
        covariates=[published["x"]] if published["x"] else [],
        weights="w" if published["w"] else None,
    )
    one = jp.did.TwoWayFixedEffects().fit(design)
    assert one.att == pytest.approx(published["twfe"]["b"][0], abs=1e-8)
    assert one.se == pytest.approx(published["twfe"]["se"][0], rel=1e-7)
    interacted = jp.did.SunAbraham().fit(design)
    assert interacted.att == pytest.approx(published["sunab_att"]["b"][0], abs=1e-8)
    assert interacted.se == pytest.approx(published["sunab_att"]["se"][0], rel=1e-7)
    for name, estimate in (("es", jp.did.EventStudy().fit(design)), ("sunab", interacted)):
        effects, errors = by_event_time(estimate), by_event_time(estimate, "se")
        found = times(published[name])
        assert set(found) == set(effects.index) - {-1}
        for time, (effect, error) in found.items():
            assert effects[time] == pytest.approx(effect, abs=1e-8)
            assert errors[time] == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("case", ANSWERS["regressions"])
def test_imputed_effects_are_those_of_didimputation(case: str) -> None:
    """Errors after treatment are compared without weights; with weights conventions differ."""
    published = ANSWERS["regressions"][case]
    design = design_of(
        covariates=[published["x"]] if published["x"] else [],
        weights="w" if published["w"] else None,
    )
    estimate = jp.did.Imputation(pretrends=3).fit(design)
    assert estimate.att == pytest.approx(published["imp_cl"]["b"], abs=1e-8)
    effects, errors = by_event_time(estimate), by_event_time(estimate, "se")
    found = published["imph_cl"]
    for term, effect, error in zip(found["term"], found["b"], found["se"], strict=True):
        assert effects[int(term)] == pytest.approx(effect, abs=1e-8)
        if published["w"] is None or int(term) < 0:
            assert errors[int(term)] == pytest.approx(error, rel=1e-6)
    if published["w"] is None:
        assert estimate.se == pytest.approx(published["imp_cl"]["se"], rel=1e-7)


def test_the_decomposition_is_that_of_bacondecomp() -> None:
    published = pd.DataFrame(ANSWERS["regressions"]["castle||"]["bacon"])
    table = jp.sensitivity.bacon_decomposition(design_of())
    control = table["control"].replace(np.inf, 99999)
    mine = {
        (int(t), int(c)): (row.estimate, row.weight)
        for t, c, row in zip(table["treated"], control, table.itertuples(), strict=True)
    }
    assert len(mine) == len(published)
    for row in published.itertuples():
        assert mine[row.treated, row.untreated] == pytest.approx(
            (row.estimate, row.weight), abs=1e-8
        )


def test_the_stack_is_that_of_wing_and_others() -> None:
    published = ANSWERS["stacked"]
    estimate = jp.did.Stacked(published["kp"], published["kq"]).fit(design_of())
    assert estimate.att == pytest.approx(published["att"], abs=1e-9)
    assert estimate.se == pytest.approx(published["att_se"], rel=1e-7)
    assert by_event_time(estimate)[published["e"]].tolist() == pytest.approx(
        published["b"], abs=1e-9
    )
    assert by_event_time(estimate, "se")[published["e"]].tolist() == pytest.approx(
        published["se"], rel=1e-7
    )


@pytest.mark.parametrize("control", ["notyet", "never"])
def test_saturated_regressions_are_those_of_etwfe(control: str) -> None:
    published = ANSWERS["etwfe_did2s"][f"castle|{control}|"]
    estimate = jp.did.ExtendedTWFE(control=CONTROLS.get(control, "never")).fit(  # type: ignore[arg-type]
        design_of()
    )
    assert estimate.att == pytest.approx(published["simple"]["b"][0], abs=1e-9)
    assert estimate.se == pytest.approx(published["simple"]["se"][0], rel=1e-6)
    rows = published["event"]
    for time, effect, error in zip(rows["e"], rows["b"], rows["se"], strict=True):
        if time >= 0:
            assert by_event_time(estimate)[time] == pytest.approx(effect, abs=1e-8)
            assert by_event_time(estimate, "se")[time] == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("covariate", ["", "unemployrt"], ids=["alone", "with covariate"])
def test_two_stages_are_those_of_did2s(covariate: str) -> None:
    published = ANSWERS["etwfe_did2s"]["castle|did2s|" + ("x" if covariate else "")]
    design = design_of(covariates=[covariate] if covariate else [])
    estimate = jp.did.TwoStage(leads=True).fit(design)
    assert estimate.att == pytest.approx(published["b"], abs=1e-8)
    assert estimate.se == pytest.approx(published["se"], rel=1e-7)
    for name, effect, error in zip(
        published["name"], published["eb"], published["ese"], strict=True
    ):
        time = int(name.removeprefix("rel::"))
        if time >= 0:
            assert by_event_time(estimate)[time] == pytest.approx(effect, abs=1e-8)
            assert by_event_time(estimate, "se")[time] == pytest.approx(error, rel=1e-6)


def test_dynamic_effects_are_those_of_didmultiplegtdyn_to_the_digits_it_prints() -> None:
    published = ANSWERS["switching"]["castle"]
    estimator = jp.did.ChaisemartinDHaultfoeuille("average total effect", effects=4, placebos=3)
    estimate = estimator.fit(design_of())
    effects = by_event_time(estimate)
    assert effects[[0, 1, 2, 3]].tolist() == pytest.approx(
        [row[0] for row in published["eff"]], abs=5.1e-6
    )
    assert effects[[-2, -3, -4]].tolist() == pytest.approx(
        [row[0] for row in published["plac"]], abs=5.1e-6
    )
    assert estimate.att == pytest.approx(published["ate"][0][0], abs=5.1e-6)
