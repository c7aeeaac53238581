"""Partial pooling: the separate fits at one end, a better pooled fit at the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel

import jjjpolicy as jp


def design_of(**changes: Any) -> jp.Design:
    frame = simulated_panel(
        **({"units": 12, "periods": 14, "adoption": {0: 2009, 1: 2011}} | changes)
    )
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")


def pooled_misfit(estimate: Any) -> float:
    table = estimate.effects.query("-8 <= event_time < 0")
    return float((table["estimate"] ** 2).mean())


def test_without_pooling_it_is_one_synthetic_control_per_unit() -> None:
    design = design_of(adoption={0: 2009, 1: 2009})
    estimate = jp.synth.PartiallyPooledSyntheticControl(pooling=0, intercept=False).fit(design)
    assert estimate.att == pytest.approx(jp.synth.SyntheticControl().fit(design).att, abs=1e-6)


def test_pooling_improves_the_fit_of_the_average() -> None:
    misfits = [
        pooled_misfit(jp.synth.PartiallyPooledSyntheticControl(pooling=nu).fit(design_of()))
        for nu in (0.0, 0.5, 0.99)
    ]
    assert misfits[0] >= misfits[1] - 1e-12
    assert misfits[1] >= misfits[2] - 1e-12


def test_the_default_lies_between_the_ends() -> None:
    estimate = jp.synth.PartiallyPooledSyntheticControl().fit(design_of())
    assert 0 < estimate.details["pooling"] < 1
    refit = estimate.estimator.refit(design_of())
    assert refit.att[0] == pytest.approx(estimate.att)
    assert estimate.weights is not None
    assert np.allclose(estimate.weights.sum(), 1)


def test_a_share_outside_the_unit_interval_is_refused() -> None:
    with pytest.raises(jp.DesignError, match="between 0 and 1"):
        jp.synth.PartiallyPooledSyntheticControl(pooling=2).fit(design_of())
