"""Triple differences: another package, the saturated regression, algebra, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from panels import simulated_panel

import jjjpolicy as jp

STAGGERED = dict.fromkeys(range(60), 2003) | dict.fromkeys(range(60, 110), 2005)


def panel(adoption: dict[int, int] | None = None, units: int = 240) -> pd.DataFrame:
    """Simulated: effect 1 on eligible units, a shock of 0.3 to treated places, own trends."""
    frame = simulated_panel(units=units, adoption=STAGGERED if adoption is None else adoption)
    rng = np.random.default_rng(1)
    eligible, x = rng.integers(0, 2, units), rng.normal(size=units)
    frame = frame.assign(e=eligible[frame["unit"]], x=x[frame["unit"]])
    since = frame["period"] - 2000
    frame["y"] += frame["treated"] * frame["e"] * 1.0 + 0.2 * frame["x"] * since
    frame["y"] += 0.1 * frame["e"] * since + 0.3 * frame["treated"]
    return frame.assign(since=frame["first"].replace(np.inf, 0).astype(int))


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments: dict[str, Any] = {
        "unit": "unit",
        "time": "period",
        "outcome": "y",
        "treatment": "treated",
        "covariates": ["e"],
    }
    return jp.Design.from_frame(frame, **(arguments | changes))


@pytest.mark.parametrize(
    ("covariates", "control", "method", "att", "se"),
    [
        ([], "never", "dr", 1.000087639151982, 0.14466033381861412),
        ([], "not_yet", "dr", 1.0161917446137603, 0.14223289176770865),
        (["x"], "never", "dr", 0.9501455995595203, 0.08209793449351789),
        (["x"], "never", "ipw", 0.9597641161839228, 0.08268942722872835),
        (["x"], "never", "or", 0.9497170444983896, 0.08203470232157453),
        (["x"], "not_yet", "dr", 0.9580735955778161, 0.08274339806321472),
        (["x"], "not_yet", "ipw", 0.9680258154115797, 0.08336449656456413),
        (["x"], "not_yet", "or", 0.9583957045741291, 0.08273585945794247),
    ],
)
def test_numbers_of_diff_diff(
    covariates: list[str], control: Any, method: Any, att: float, se: float
) -> None:
    """diff-diff 3.13.0, TripleDifference(pscore_trim=1e-6), itself pinned to R triplediff."""
    design = design_of(panel(), covariates=["e", *covariates])
    estimate = jp.did.TripleDifference("e", control=control, method=method).fit(design)
    assert estimate.att == pytest.approx(att, abs=1e-9)
    assert estimate.se == pytest.approx(se, abs=1e-9)


def test_group_time_effects_agree_with_diff_diff(recorded: Any) -> None:
    """Without covariates its errors with two control cohorts divide by one less."""
    frame = panel()

    def ask(diff_diff: Any) -> dict[str, Any]:
        fit = diff_diff.TripleDifference(control_group="not_yet_treated").fit(
            frame,
            outcome="y",
            unit="unit",
            time="period",
            first_treat="since",
            partition="e",
            covariates=["x"],
        )
        return {
            f"{int(group)},{int(time)}": [float(cell["effect"]), float(cell["se"])]
            for (group, time), cell in fit.group_time_effects.items()
        }

    reference = recorded("diff_diff", ask)
    estimate = jp.did.TripleDifference("e", control="not_yet").fit(
        design_of(frame, covariates=["e", "x"])
    )
    for row in estimate.group_time.itertuples():
        effect, error = reference[f"{row.group},{row.time}"]
        assert row.estimate == pytest.approx(effect, abs=1e-9)
        assert row.se == pytest.approx(error, rel=3e-3)


def test_two_periods_equal_the_saturated_regression() -> None:
    """The coefficient of the triple interaction, and its robust (HC0) error."""
    frame = panel(dict.fromkeys(range(25), 2006), units=60)
    frame = frame[frame["period"] >= 2005]
    changes = frame.pivot(index="unit", columns="period", values="y").diff(axis=1)[2006].to_numpy()
    place = np.isfinite(frame.groupby("unit")["first"].first().to_numpy()).astype(float)
    kind = frame.groupby("unit")["e"].first().to_numpy().astype(float)
    x = np.column_stack([np.ones(60), place, kind, place * kind])
    coefficients, *_ = np.linalg.lstsq(x, changes, rcond=None)
    bread = np.linalg.inv(x.T @ x)
    residuals = changes - x @ coefficients
    variance = bread @ (x * residuals[:, None] ** 2).T @ x @ bread
    estimate = jp.did.TripleDifference("e").fit(design_of(frame))
    assert estimate.att == pytest.approx(coefficients[3], abs=1e-12)
    assert estimate.se == pytest.approx(np.sqrt(variance[3, 3]), abs=1e-12)


def test_it_is_the_difference_of_two_differences_in_differences() -> None:
    frame = panel()
    triple = jp.did.TripleDifference("e").fit(design_of(frame)).group_time
    pair = [
        jp.did.CallawaySantAnna().fit(design_of(frame[frame["e"] == e], covariates=[])).group_time
        for e in (1, 0)
    ]
    expected = pair[0]["estimate"] - pair[1]["estimate"]
    assert triple["estimate"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-12)


def test_shocks_to_places_and_to_kinds_change_nothing() -> None:
    frame = panel()
    base = jp.did.TripleDifference("e", control="not_yet").fit(design_of(frame)).att
    shocks = np.random.default_rng(3).normal(size=(2, 6, 3))
    place = frame["since"].map({0: 0, 2003: 1, 2005: 2}).to_numpy()
    when = frame["period"].to_numpy() - 2001
    frame["y"] += shocks[0, when, place] + shocks[1, when, frame["e"].to_numpy()]
    moved = jp.did.TripleDifference("e", control="not_yet").fit(design_of(frame)).att
    assert moved == pytest.approx(base, abs=1e-9)


def test_treatment_of_eligible_units_alone_with_places_gives_the_same() -> None:
    frame = panel()
    frame["place"] = frame["unit"] // 10
    expected = jp.did.TripleDifference("e").fit(design_of(frame, clusters="place"))
    only = frame.assign(treated=frame["treated"] * frame["e"])
    estimate = jp.did.TripleDifference("e", group="place").fit(design_of(only, clusters="place"))
    assert estimate.att == pytest.approx(expected.att, abs=1e-12)
    assert estimate.aggregate("group").att == pytest.approx(expected.aggregate("group").att)


def test_randomisation_moves_places() -> None:
    frame = panel(dict.fromkeys(range(10), 2004), units=60)
    frame["place"] = (frame["unit"] // 10).astype(str)
    estimate = jp.did.TripleDifference("e").fit(design_of(frame, assigned_at="place"))
    found = estimate.with_inference(jp.inference.RandomizationInference())
    assert found.inference is not None
    assert found.inference.assignments == 5
    assert found.pvalue == pytest.approx(1 / 6)


def test_errors_teach() -> None:
    frame = panel()
    with pytest.raises(jp.DesignError, match="eligible='poor' is not a covariate"):
        jp.did.TripleDifference("poor").fit(design_of(frame))
    with pytest.raises(jp.DesignError, match="'e' is 2 for unit 0; it must be 0 or 1"):
        jp.did.TripleDifference("e").fit(design_of(frame.assign(e=2)))
    with pytest.raises(jp.DesignError, match="every unit is eligible by 'e'"):
        jp.did.TripleDifference("e").fit(design_of(frame.assign(e=1)))
    varying = frame.assign(e=(frame["period"] > 2003).astype(int))
    with pytest.raises(jp.DesignError, match="'e' varies over time within unit 0"):
        jp.did.TripleDifference("e").fit(design_of(varying))
    nobody = frame.assign(e=frame["e"].where(frame["since"] != 2003, 1))
    with pytest.warns(jp.JJJPolicyWarning, match="no ineligible unit in the cohort"):
        jp.did.TripleDifference("e").fit(design_of(nobody))
    with pytest.raises(jp.DesignError, match="method='ols' must be one of"):
        jp.did.TripleDifference("e", method="ols")  # type: ignore[arg-type]
    mixed = frame.assign(place=frame["unit"] % 7)
    with pytest.raises(jp.DesignError, match="units of one place must be treated together"):
        jp.did.TripleDifference("e", group="place").fit(design_of(mixed, clusters="place"))
