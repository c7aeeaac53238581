"""A panel whose units can be summed up, and what must not change when they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import staggered_panel

import jjjpolicy as jp
from jjjpolicy.did.group_time.estimate import GroupTimeEstimate

COLUMNS: dict[str, Any] = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
ESTIMATORS = {
    "TWFE": jp.did.TwoWayFixedEffects(),
    "event study": jp.did.EventStudy(bins=(-3, 2)),
    "Callaway-Sant'Anna": jp.did.CallawaySantAnna(),
    "not yet treated": jp.did.CallawaySantAnna(control="not_yet", base="universal"),
    "Sun-Abraham": jp.did.SunAbraham(),
    "extended TWFE": jp.did.ExtendedTWFE(),
    "imputation": jp.did.Imputation(),
    "imputation, coarse": jp.did.Imputation(averaging="event time"),
    "imputation, all": jp.did.Imputation(averaging="all", leave_out=True),
    "imputation, leads": jp.did.Imputation(pretrends=1),
    "two-stage": jp.did.TwoStage(leads=True),
}
WITH_COVARIATE = {
    "TWFE": jp.did.TwoWayFixedEffects(),
    "doubly robust": jp.did.CallawaySantAnna(),
    "weighting": jp.did.CallawaySantAnna(method="ipw", control="not_yet"),
    "regression": jp.did.CallawaySantAnna(method="or"),
    "imputation": jp.did.Imputation(),
    "extended TWFE": jp.did.ExtendedTWFE(),
}


def panel(missing: float = 0.0) -> pd.DataFrame:
    """Simulated: 400 units in 40 groups, four cohorts, a covariate of few values."""
    frame = staggered_panel(units=400, effect=1.0, missing=missing)
    frame["x"] = (3 * frame["x"]).round().clip(-3, 3) / 3
    frame["group"] = frame["unit"] % 40
    frame["treated"] = (frame["period"] >= frame["first"]).astype(int)
    return frame


def agree(estimator: Any, whole: jp.Design, summed: jp.Design) -> None:
    """Estimates, errors, intervals and p-values of both designs are the same."""
    one, other = estimator.fit(whole), estimator.fit(summed)
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(
        [other.att, other.se, other.pvalue, *other.interval()],
        [one.att, one.se, one.pvalue, *one.interval()],
        **close,
    )
    np.testing.assert_allclose(other.effects, one.effects, **close)
    assert other.inference.notes == one.inference.notes
    columns = ["units", "treated_units", "periods", "observations"]
    assert other.to_frame()[columns].equals(one.to_frame()[columns])
    if isinstance(one, GroupTimeEstimate):
        np.testing.assert_allclose(other.group_time, one.group_time, **close)
        for kind in ("group", "calendar", "event"):
            np.testing.assert_allclose(
                [other.aggregate(kind).att, other.aggregate(kind).se],
                [one.aggregate(kind).att, one.aggregate(kind).se],
                **close,
            )
        if isinstance(estimator, jp.did.CallawaySantAnna):
            assert other.pretest().statistic == pytest.approx(one.pretest().statistic, rel=1e-9)
    if "pretrends" in one.details:
        assert other.details["pretrends"] == pytest.approx(one.details["pretrends"], rel=1e-9)
