"""What stands at the end of a notebook's cell is a line, and no array."""

from __future__ import annotations

import pytest
from random_designs import Panel, every_estimator

import jjjpolicy as jp

PANEL = Panel(units=14, periods=16, cohorts=(8,), seed=1)


# Its splines need more doses than the panel has.
OF_ANOTHER_DESIGN = "ContinuousTreatment(degree=2, knots=1)"


@pytest.mark.parametrize("name", sorted(set(every_estimator()) - {OF_ANOTHER_DESIGN}))
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
