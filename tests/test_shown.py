"""What stands at the end of a notebook's cell is a line, and no array."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel
from random_designs import Panel, every_estimator

import jjjpolicy as jp

PANEL = Panel(units=14, periods=16, cohorts=(8,), seed=1)
FEW = {"unit": "unit", "time": "period", "outcome": "y", "treatment": "treated"}


# Splines that need more doses than the panel has; rings that leave no unaffected units in it.
OF_ANOTHER_DESIGN = {
    "ContinuousTreatment(degree=2, knots=1)",
    "SpilloverSyntheticControl(structure=Rings(edges=(250.0, 500.0)))",
}


@pytest.mark.parametrize("name", sorted(set(every_estimator()) - OF_ANOTHER_DESIGN))
def test_designs_and_estimates_show_themselves_in_a_line(name: str) -> None:
    design = PANEL.design(name.partition("(")[0])
    estimate = every_estimator()[name].fit(design)
    shown = [design, estimate, estimate.inference, *estimate.details.values()]
    for thing in shown:
        if isinstance(thing, jp.Design | jp.Estimate) or "jjj" in type(thing).__module__:
            assert len(repr(thing)) < 600
            assert "array(" not in repr(thing)
    assert f"att={estimate.att:.6g}" in repr(estimate)
    assert estimate.estimator.label in repr(estimate)
    assert f"{design.labels.unit} × {design.n_periods}" in repr(design)


def things() -> dict[str, object]:
    design = jp.Design.from_frame(simulated_panel(units=14, periods=16), **FEW)
    estimate = jp.synth.SyntheticControl().fit(design)
    return {
        "panel": jp.load("provinces", vintage="nbs_2024"),
        "policy": jp.policies["tax-sharing-2015"],
        "ledger": design.keep_units(np.arange(14) > 3, "not wanted").left_out,
        "labels": design.labels,
        "comparison": jp.compare({"SC": estimate}),
        "result": estimate.with_inference(jp.inference.PlaceboUnits()).inference,
        "mechanism": jp.inference.RandomizationInference(mechanism=np.zeros((50, 14))),
        "rings": jp.did.SpilloverRings(rings=(50.0,), distances=pd.DataFrame(np.zeros((40, 40)))),
    }


def test_public_objects_show_themselves_in_a_line() -> None:
    for name, thing in things().items():
        shown = repr(thing)
        assert len(shown) < 330, name
        assert "\n" not in shown, name
        assert "array(" not in shown, name
    assert repr(things()["ledger"]) == "<Ledger: 4 entries>"
    assert "mechanism=<50 × 14>" in repr(things()["mechanism"])


def test_a_notebook_takes_no_name_for_a_formula() -> None:
    panel = simulated_panel(units=14, periods=16).rename(columns={"y": "GDP, $ a $ head"})
    design = jp.Design.from_frame(panel, **(FEW | {"outcome": "GDP, $ a $ head"}))
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    for thing in (design, estimate, jp.compare([estimate])):
        shown = thing._repr_html_()
        assert shown.startswith('<div class="mathjax_ignore tex2jax_ignore">')
    assert "GDP, $ a $ head" in estimate._repr_html_()
