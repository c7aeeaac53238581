"""Gravity model: statsmodels, pyfixest, separation, invariances, recovery of a known effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jjjpolicy as jp
from jjjpolicy.linalg.absorb import absorb, group_indicators


def simulated_flows(
    seed: int = 0, regions: int = 9, years: int = 8, level: float = -0.3
) -> pd.DataFrame:
    """SIMULATED flows with many zeros, a policy on four pairs, and a regressor without effect."""
    rng = np.random.default_rng(seed)
    grid = [np.arange(regions), np.arange(regions), np.arange(years)]
    o, d, t = (axis.ravel() for axis in np.meshgrid(*grid, indexing="ij"))
    frame = pd.DataFrame({"origin": o, "destination": d, "year": t})[o != d]
    frame["policy"] = frame.eval("origin < 2 and destination < 4 and year >= 4").astype(int)
    frame["x"] = rng.normal(size=len(frame))
    sizes = rng.normal(size=(2, regions))
    index = sizes[0][frame["origin"]] + sizes[1][frame["destination"]] + 0.4 * frame["policy"]
    frame["firms"] = rng.poisson(np.exp(index + level))
    frame["origin_year"] = frame["origin"] * 100 + frame["year"]
    frame["destination_year"] = frame["destination"] * 100 + frame["year"]
    frame["pair"] = frame["origin"] * 100 + frame["destination"]
    return frame.reset_index(drop=True)


def small_sample_factor(fit: jp.relocation.GravityResult) -> float:
    groups = fit.sample[["origin_year", "destination_year"]].nunique().sum()
    n, g, k = fit.observations, fit.pairs, len(fit.coefficients) + int(groups) - 1
    return g / (g - 1) * (n - 1) / (n - k)


@pytest.mark.parametrize("pair_effects", [True, False])
def test_coefficients_and_errors_are_those_of_statsmodels_with_dummies(pair_effects: bool) -> None:
    import statsmodels.api as sm
    from scipy.linalg import qr

    flows = simulated_flows(regions=7)
    fit = jp.relocation.gravity(flows, ["policy", "x"], pair_effects=pair_effects)
    sample = fit.sample
    effects = ["origin_year", "destination_year", *(["pair"] if pair_effects else [])]
    dummies = pd.get_dummies(sample[effects].astype(str)).to_numpy(dtype=float)
    _, r, order = qr(dummies, mode="economic", pivoting=True)
    independent = dummies[:, order[np.abs(np.diag(r)) > 1e-9]]
    design = np.column_stack([sample[["policy", "x"]], independent])
    model = sm.GLM(sample["firms"].to_numpy(), design, family=sm.families.Poisson())
    other = model.fit(
        tol=1e-12,
        maxiter=100,
        cov_type="cluster",
        cov_kwds={"groups": sample["pair"].to_numpy(), "use_correction": False},
    )
    assert fit.coefficients["estimate"].to_numpy() == pytest.approx(other.params[:2], abs=1e-9)
    scaled = other.bse[:2] * np.sqrt(small_sample_factor(fit))
    assert fit.coefficients["se"].to_numpy() == pytest.approx(scaled, rel=1e-7)
    assert sample["fitted"].to_numpy() == pytest.approx(other.fittedvalues, abs=1e-6)
    assert fit.deviance == pytest.approx(other.deviance, rel=1e-9)


@pytest.mark.parametrize("pair_effects", [True, False])
def test_coefficients_errors_and_sample_are_those_of_pyfixest(
    recorded: Any, pair_effects: bool
) -> None:
    frame = simulated_flows(1, level=1.0)
    # No flow where x is largest: these rows are separated together, not group by group.
    frame["rare"] = (frame["x"] > 1.5).astype(float)
    frame.loc[frame["rare"] == 1, "firms"] = 0
    with pytest.warns(jp.JJJPolicyWarning, match="rare"):
        fit = jp.relocation.gravity(frame, ["policy", "x", "rare"], pair_effects=pair_effects)

    def ask(pyfixest: Any) -> dict[str, Any]:
        other = pyfixest.fepois(
            "firms ~ policy + x + rare | origin_year + destination_year"
            + (" + pair" if pair_effects else ""),
            frame,
            vcov={"CRV1": "pair"},
            ssc=pyfixest.ssc(k_adj=False, G_adj=False),
            separation_check=["fe", "ir"],
            iwls_tol=1e-10,
        )
        columns = {"coef": other.coef(), "se": other.se()}
        return {"n": int(other._N)} | {name: list(map(float, c)) for name, c in columns.items()}

    other = recorded("pyfixest", ask)
    assert fit.observations == other["n"]
    assert (fit.dropped["reason"] == "separated by the regressors and effects").any()
    assert fit.coefficients["estimate"].to_numpy() == pytest.approx(
        np.array(other["coef"]), abs=1e-7
    )
    scaled = np.array(other["se"]) * np.sqrt(small_sample_factor(fit))
    assert fit.coefficients["se"].to_numpy() == pytest.approx(scaled, rel=1e-5)


def test_separated_flows_are_listed_and_change_nothing_else() -> None:
    frame = simulated_flows()
    frame["halt"] = frame.eval("origin == 4 and year >= 5").astype(int) * (frame["destination"] > 5)
    frame.loc[frame["halt"] == 1, "firms"] = 0
    with pytest.warns(jp.JJJPolicyWarning, match="halt"):
        fit = jp.relocation.gravity(frame, ["policy", "halt"])
    assert fit.collinear == ("halt",)
    listed = fit.dropped[["origin", "destination", "year"]]
    lost = frame.merge(listed, on=["origin", "destination", "year"])
    assert len(lost) == len(fit.dropped) == len(frame) - fit.observations
    assert set(frame.query("halt == 1").index) <= set(
        frame.reset_index().merge(listed)["index"].tolist()
    )
    without = jp.relocation.gravity(frame.query("halt == 0"), ["policy"])
    assert fit.coefficients["estimate"].iloc[0] == pytest.approx(
        without.coefficients["estimate"].iloc[0], abs=1e-8
    )


def test_groups_without_a_flow_are_listed_with_their_reason() -> None:
    frame = simulated_flows()
    frame.loc[frame.eval("origin == 8 and destination == 7"), "firms"] = 0
    frame.loc[frame.eval("origin == 3 and year == 2"), "firms"] = 0
    dropped = jp.relocation.gravity(frame, ["policy"]).dropped
    assert (dropped["firms"] == 0).all()
    assert "no flow of the pair in any year" in set(
        dropped.query("origin == 8 and destination == 7")["reason"]
    )
    assert len(dropped.query("origin == 3 and year == 2")) == 8


def test_fitted_flows_add_up_to_actual_flows_in_every_group() -> None:
    fit = jp.relocation.gravity(simulated_flows(2), ["policy", "x"])
    for group in ("origin_year", "destination_year", "pair"):
        sums = fit.sample.groupby(group)[["firms", "fitted"]].sum()
        assert sums["fitted"].to_numpy() == pytest.approx(sums["firms"].to_numpy(), abs=1e-5)


def test_scale_and_order_of_rows_do_not_matter() -> None:
    frame = simulated_flows(3)
    fit = jp.relocation.gravity(frame, ["policy", "x"])
    moved = frame.assign(firms=frame["firms"] * 1000.0).sample(frac=1, random_state=0)
    other = jp.relocation.gravity(moved, ["policy", "x"])
    for column in ("estimate", "se"):
        assert other.coefficients[column].to_numpy() == pytest.approx(
            fit.coefficients[column].to_numpy(), abs=1e-7
        )


def test_few_treated_pairs_are_pointed_out() -> None:
    fit = jp.relocation.gravity(simulated_flows(), ["policy"], pair_effects=False)
    assert "only 6 of 72 pairs" in fit.notes[0]
    assert "only 6 of 72 pairs" in repr(fit)


def test_a_policy_on_every_pair_is_not_called_one_on_few() -> None:
    flows = simulated_flows(regions=6).query("origin < 2 and destination >= 2")
    start = 2 + (flows["origin"] + flows["destination"]) % 3
    flows = flows.assign(policy=(flows["year"] >= start).astype(int))
    fit = jp.relocation.gravity(flows, ["policy"], pair_effects=False)
    assert fit.pairs == 8
    assert fit.notes == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"firms": -1}, "'firms' is negative for 0 to 1 in 0"),
        ({"x": np.nan}, "'x' is missing or infinite for 0 to 1 in 0"),
        ({"x": "a"}, "'x' must hold numbers"),
        ({"year": 0}, "two rows for 0 to 1 in 0"),
        ({"firms": 0}, "no flow is left"),
        ({"x": 1.0}, "pair_effects=False"),
    ],
)
def test_bad_flows_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(jp.JJJPolicyError, match=message):
        jp.relocation.gravity(simulated_flows().assign(**change), ["x"])


@pytest.mark.parametrize("value", [0.1, 1 / 3, 7.7, 2015.0, 1e9 / 7, 1e-9])
@pytest.mark.parametrize("pair_effects", [True, False])
def test_rounding_of_a_constant_is_no_variation(value: float, pair_effects: bool) -> None:
    flows = simulated_flows().assign(x=value)
    with pytest.raises(jp.DesignError, match="nothing varies"):
        jp.relocation.gravity(flows, ["x"], pair_effects=pair_effects)
    with pytest.warns(jp.JJJPolicyWarning, match="x"):
        fit = jp.relocation.gravity(flows, ["policy", "x"], pair_effects=pair_effects)
    assert fit.collinear == ("x",)


def test_a_constant_added_to_a_regressor_changes_nothing() -> None:
    flows = simulated_flows()
    fit = jp.relocation.gravity(flows, ["x"])
    moved = jp.relocation.gravity(flows.assign(x=flows["x"] + 1e6), ["x"])
    assert moved.coefficients["estimate"].to_numpy() == pytest.approx(
        fit.coefficients["estimate"].to_numpy(), abs=1e-6
    )


def test_regressors_must_be_a_list_of_columns() -> None:
    for wrong in ("policy", [], ["absent"]):
        with pytest.raises(jp.DataError):
            jp.relocation.gravity(simulated_flows(), wrong)


def test_absorbed_residuals_are_those_of_dummies() -> None:
    rng = np.random.default_rng(0)
    codes = [rng.integers(k, size=200) for k in (5, 7, 11)]
    values, weights = rng.normal(size=(200, 2)), rng.uniform(0.1, 3.0, size=200)
    indicators = group_indicators(codes)
    residuals, effects = absorb(values, indicators, weights)
    root = np.sqrt(weights)[:, None]
    dense = indicators.toarray()
    expected = values - dense @ np.linalg.lstsq(dense * root, values * root, rcond=None)[0]
    assert residuals == pytest.approx(expected, abs=1e-10)
    assert values - dense @ effects == pytest.approx(residuals)


def test_the_known_effect_is_recovered_from_simulated_firms(tmp_path: Path) -> None:
    pytest.importorskip("ibis", reason="firm records need the extra 'firms'")
    pytest.importorskip("pyarrow", reason="firm records need the extra 'firms'")
    registry = jp.relocation.SimulatedRegistry(
        firms=30_000, policy_effect=0.6, move_rate=0.05, seed=3
    )
    registry.write(tmp_path / "firms.parquet")
    records = jp.relocation.firm_records(tmp_path / "firms.parquet")
    pairs = jp.relocation.all_pairs(jp.relocation.flows(records), regions=records.region_codes)
    pairs = jp.relocation.with_policy(pairs, jp.policies["tax-sharing-2015"], origins=["110000"])
    known = registry.truth.merge(pairs, on=["origin", "destination", "year"])
    assert (known["treated"] == known["policy"]).all()
    term = jp.relocation.gravity(pairs, ["policy"]).coefficients.iloc[0]
    # Two treated pairs: the standard deviation over seeds is near 0.1.
    assert term["estimate"] == pytest.approx(0.6, abs=0.3)
    assert term["percent"] == pytest.approx(100 * np.expm1(term["estimate"]))


def test_expected_flows_give_the_effect_exactly() -> None:
    registry = jp.relocation.SimulatedRegistry(policy_effect=0.6)
    expected = registry.truth.eval("flow = 1000 * rate")
    fit = jp.relocation.gravity(expected, ["treated"], outcome="flow")
    assert fit.coefficients["estimate"].iloc[0] == pytest.approx(0.6, abs=1e-8)
    assert len(fit.dropped) == 0
