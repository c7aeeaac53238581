"""One panel with everything: gaps, always-treated units, a cohort of one, never coded three ways.

The panel is simulated.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp
from jjjpolicy.replication.provenance.specification import estimators

FIRST = {0: 2001, 1: 1995, **dict.fromkeys((2, 3, 4), 2004), **dict.fromkeys((5, 6), 2006), 7: 2008}
SPILLOVERS = {
    "SpilloverRings": jp.did.SpilloverRings(rings=(400.0,)),
    "SpilloverExposure": jp.did.SpilloverExposure(jp.did.InverseDistance(cutoff=400.0)),
}
DID = {
    name: cls()
    for name, cls in estimators().items()
    if hasattr(jp.did, name)
    and name not in ("TripleDifference", "ContinuousTreatment", *SPILLOVERS)
} | SPILLOVERS
DID["not yet treated"] = jp.did.CallawaySantAnna(control="not_yet", base="universal")
NEED_NEVER = {"CallawaySantAnna", *SPILLOVERS}
MIX_COHORTS = {"EventStudy", "TwoWayFixedEffects"}
SYNTH = {
    "SyntheticControl": jp.synth.SyntheticControl(),
    "SyntheticDiD": jp.synth.SyntheticDiD(),
    "MatrixCompletion": jp.synth.MatrixCompletion(),
}


def odd_panel() -> pd.DataFrame:
    frame = simulated_panel(units=24, periods=10, adoption=FIRST, effect=1.0)
    return frame.assign(lat=30.0 + frame["unit"], lon=110.0 + 1.5 * (frame["unit"] % 5))


def build(frame: pd.DataFrame, never: float = np.inf) -> jp.Design:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jp.JJJPolicyWarning)
        return jp.Design.from_frame(
            frame.assign(first=frame["first"].replace(np.inf, never)),
            unit="unit",
            time="period",
            outcome="y",
            adoption="first",
            coordinates=("lat", "lon"),
        )


def with_gaps() -> pd.DataFrame:
    return odd_panel().drop(index=[57, 58, 183])


@pytest.mark.parametrize("name", DID)
def test_every_estimator_answers_whatever_never_treated_is_coded_as(name: str) -> None:
    fits = [DID[name].fit(build(with_gaps(), never)) for never in (0, np.nan, np.inf)]
    assert fits[0].att == fits[1].att == fits[2].att
    assert fits[0].se == fits[1].se == fits[2].se
    assert np.isfinite(fits[0].att)
    assert fits[0].design.ledger.equals(fits[2].design.ledger)


@pytest.mark.parametrize("name", SYNTH)
@pytest.mark.filterwarnings("ignore::jjjpolicy.JJJPolicyWarning")
def test_synthetic_controls_answer_likewise_on_the_balanced_panel(name: str) -> None:
    fits = [SYNTH[name].fit(build(odd_panel(), never)) for never in (0, np.nan, np.inf)]
    assert fits[0].att == fits[1].att == fits[2].att
    assert 0 not in fits[0].design.units
    without = SYNTH[name].fit(build(odd_panel().query("unit > 1")))
    assert without.att == pytest.approx(fits[0].att, abs=1e-12)


def test_the_ledger_names_units_and_cells_with_reasons() -> None:
    ledger = build(with_gaps()).ledger
    units, cells = ledger.query("item == 'unit'"), ledger.query("item == 'cell'")
    assert units["unit"].tolist() == [0, 1]
    assert units["reason"].tolist() == [
        "no pre-period: treated in every observed period (first treated 2001)",
        "no pre-period: treated in every observed period (first treated 1995)",
    ]
    assert cells[["unit", "period"]].to_numpy().tolist() == [[5, 2008], [5, 2009], [18, 2004]]


@pytest.mark.parametrize("name", sorted(set(DID) - NEED_NEVER - MIX_COHORTS))
def test_effects_that_cannot_be_estimated_are_in_warning_details_and_ledger(name: str) -> None:
    """From 2007 on nobody is untreated: who is treated then has nobody to be compared with."""
    frame = odd_panel()
    frame.loc[frame["unit"] > 7, "first"] = 2007
    with pytest.warns(jp.JJJPolicyWarning, match="effects that cannot be estimated") as caught:
        estimate = DID[name].fit(build(frame))
    assert len(caught) == 1
    listed = estimate.details["not_estimable"]
    lines = estimate.design.ledger.query("item == 'effect'")
    assert len(listed) == len(lines) > 0
    assert lines["reason"].str.contains(f"{estimate.estimator.label} has no effect of").all()
    with pytest.warns(jp.JJJPolicyWarning):
        again = DID[name].fit(estimate.design)
    assert again.design.ledger.equals(estimate.design.ledger)


def test_a_cohort_of_one_is_pointed_out() -> None:
    estimate = jp.did.CallawaySantAnna().fit(build(odd_panel()))
    assert any("cohort 2008 is a single unit" in note for note in estimate.inference.notes)


def test_the_panel_gives_what_csdid_gives(recorded: Any) -> None:
    """csdid leaves always-treated units out as well."""
    frame = odd_panel()

    def ask(_: Any) -> dict[str, Any]:
        from csdid.att_gt import ATTgt

        fit = ATTgt(
            yname="y",
            tname="period",
            idname="unit",
            gname="first",
            data=frame.assign(first=frame["first"].replace(np.inf, 0)),
            control_group="nevertreated",
        ).fit(est_method="reg", bstrap=False)
        return {name: np.array(fit.results[name]).tolist() for name in ("group", "att", "se")}

    peer = recorded("csdid", ask)
    table = jp.did.CallawaySantAnna().fit(build(frame)).group_time
    assert table["group"].tolist() == [int(g) for g in peer["group"]]
    assert table["estimate"].to_numpy() == pytest.approx(np.array(peer["att"]), abs=1e-10)
    assert table["se"].to_numpy() == pytest.approx(np.array(peer["se"]), abs=1e-10)


def test_warnings_point_at_the_line_of_the_user() -> None:
    frame = odd_panel().assign(same=1.0)
    with pytest.warns(jp.JJJPolicyWarning, match="left out, no pre-period") as of_design:
        design = jp.Design.from_frame(
            frame, unit="unit", time="period", outcome="y", adoption="first", covariates=["same"]
        )
    with pytest.warns(jp.JJJPolicyWarning, match="collinear.*same") as of_fit:
        jp.did.TwoWayFixedEffects().fit(design)
    assert of_design[0].filename == of_fit[0].filename == __file__
