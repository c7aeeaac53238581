"""Local projections: another package's numbers, dense regressions, weights, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from castle import castle_frame
from panels import simulated_panel

import jjjpolicy as jp

# diff-diff 3.13.0, LPDiD(pre_window=3, post_window=2), clustered by unit:
# pooled effect, then effects at event times -3, -2, 0, 1, 2, each with its standard error.
CASTLE = {
    (False, False): [
        (0.021163869886820355, 0.04619408131292405),
        (-0.03685352330163628, 0.046005988123638396),
        (-0.0998292582904895, 0.044350736842301106),
        (0.0065096747963914086, 0.07264722744634322),
        (0.024433217717485776, 0.042507498774684564),
        (0.03436043642315463, 0.05307746137810977),
    ],
    (False, True): [
        (0.015193512395548128, 0.04791112973609462),
        (-0.037569694694611314, 0.04587202560439032),
        (-0.10108228624701078, 0.04626426306399787),
        (0.0035418620889609734, 0.0744620439412286),
        (0.016784842603924564, 0.04391444535445464),
        (0.028878911724921606, 0.05521466128923147),
    ],
    (True, False): [
        (0.018640592934045633, 0.042482844595536993),
        (-0.0374245158882438, 0.04598664273206213),
        (-0.10257610791006382, 0.044288070916960603),
        (0.010335569925411887, 0.06849782847161001),
        (0.014900444476472412, 0.042930993845171496),
        (0.030654606297803214, 0.05230403460965468),
    ],
    (True, True): [
        (0.015238166314333461, 0.04168565743584677),
        (-0.03687841953541682, 0.04547242739446204),
        (-0.10174845961980343, 0.04471281908884745),
        (0.00985073061743307, 0.06832551747077847),
        (0.008422342522566975, 0.04375361342304319),
        (0.027833998983328508, 0.05193238029269096),
    ],
}
UNBALANCED = {
    (False, False): (1.1063117320887128, 0.41302829854018785),
    (False, True): (1.0885978140743073, 0.3960528747690986),
    (True, False): (1.1174504939814844, 0.39644127696162923),
    (True, True): (1.0941313672877926, 0.3522445210441648),
}


def castle_design(*covariates: str) -> jp.Design:
    return jp.Design.from_frame(
        castle_frame(),
        unit="sid",
        time="year",
        outcome="l_homicide",
        adoption="first",
        covariates=covariates,
    )


def unbalanced_frame() -> pd.DataFrame:
    """Simulated: 30 units, two cohorts, 25 absent cells, a covariate with coefficient 0.7."""
    adoption = {**dict.fromkeys(range(6), 2004), **dict.fromkeys(range(6, 14), 2006)}
    frame = simulated_panel(units=30, periods=8, adoption=adoption, effect=0.5, seed=5)
    rng = np.random.default_rng(6)
    frame["x"] = rng.normal(size=len(frame))
    frame["y"] += 0.7 * frame["x"]
    frame["w"] = 1.0 + frame["unit"] % 3
    return frame.drop(index=rng.choice(len(frame), 25, replace=False))


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    return jp.Design.from_frame(frame, **(arguments | changes))


@pytest.mark.parametrize("covariates", [False, True], ids=["alone", "with covariates"])
@pytest.mark.parametrize("reweight", [False, True], ids=["variance", "equal"])
def test_castle_equals_diff_diff(reweight: bool, covariates: bool) -> None:
    design = castle_design(*(["unemployrt", "poverty"] if covariates else []))
    estimate = jp.did.LocalProjections(3, 2, reweight=reweight).fit(design)
    reference = CASTLE[reweight, covariates]
    assert (estimate.att, estimate.se) == pytest.approx(reference[0], rel=1e-10)
    effects = estimate.effects.set_index("event_time")
    assert effects.loc[-1, "estimate"] == 0
    for time, expected in zip((-3, -2, 0, 1, 2), reference[1:], strict=True):
        assert tuple(effects.loc[time, ["estimate", "se"]]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("covariates", [False, True], ids=["alone", "with covariate"])
@pytest.mark.parametrize("reweight", [False, True], ids=["variance", "equal"])
def test_unbalanced_panel_equals_diff_diff(reweight: bool, covariates: bool) -> None:
    design = design_of(unbalanced_frame(), covariates=["x"] if covariates else [])
    estimate = jp.did.LocalProjections(3, 2, reweight=reweight).fit(design)
    assert (estimate.att, estimate.se) == pytest.approx(UNBALANCED[reweight, covariates], rel=1e-10)


def test_castle_beside_diff_diff(recorded: Any) -> None:
    def ask(diff_diff: Any) -> dict[str, float]:
        reference = diff_diff.LPDiD(pre_window=2, post_window=1).fit(
            castle_frame(), outcome="l_homicide", unit="sid", time="year", treatment="treated"
        )
        found = reference.pooled.set_index("window").loc["post", ["coefficient", "se"]]
        return {name: float(value) for name, value in found.items()}

    pooled = recorded("diff_diff", ask)
    estimate = jp.did.LocalProjections(2, 1).fit(castle_design())
    assert estimate.att == pytest.approx(pooled["coefficient"], rel=1e-9)
    assert estimate.se == pytest.approx(pooled["se"], rel=1e-9)


def test_weights_enter_as_in_weighted_least_squares_with_dummies() -> None:
    import statsmodels.formula.api as smf

    source = unbalanced_frame().sort_values(["unit", "period"])
    cells = source.set_index(["unit", "period"])
    rows = []
    for (unit, period), row in cells.iterrows():
        first, target = row["first"], (unit, period + 1)
        if (unit, period - 1) not in cells.index or target not in cells.index:
            continue
        if period == first or first > period + 1:
            change = cells.loc[target, "y"] - cells.loc[(unit, period - 1), "y"]
            rows.append((unit, period, change, float(period == first), row["x"], row["w"]))
    sample = pd.DataFrame(rows, columns=["unit", "period", "z", "d", "x", "w"])
    result = smf.wls("z ~ d + x + C(period)", sample, weights=sample["w"]).fit(
        cov_type="cluster", cov_kwds={"groups": sample["unit"]}
    )
    design = design_of(source, covariates=["x"], weights="w")
    effects = jp.did.LocalProjections(2, 1).fit(design).effects.set_index("event_time")
    assert tuple(effects.loc[1, ["estimate", "se"]]) == pytest.approx(
        (result.params["d"], result.bse["d"]), rel=1e-9
    )


def test_effect_is_the_stated_average_of_cohort_differences() -> None:
    frame = simulated_panel(12, 7, {0: 2003, 1: 2003, 2: 2005, 3: 2005, 4: 2005}, effect=1.0)
    wide = frame.pivot(index="unit", columns="period", values="y")
    early = (wide[2004] - wide[2002])[[0, 1]].mean() - (wide[2004] - wide[2002])[2:].mean()
    late = (wide[2006] - wide[2004])[[2, 3, 4]].mean() - (wide[2006] - wide[2004])[5:].mean()
    design = design_of(frame)
    equal = jp.did.LocalProjections(2, 1, reweight=True).fit(design)
    weighted = jp.did.LocalProjections(2, 1).fit(design)
    assert equal.effects["estimate"].iloc[-1] == pytest.approx((2 * early + 3 * late) / 5)
    one, other = 2 * 10 / 12, 3 * 7 / 10
    expected = (one * early + other * late) / (one + other)
    assert weighted.effects["estimate"].iloc[-1] == pytest.approx(expected)
    table = weighted.details["horizons"].query("event_time == 1")
    assert table["weight"].tolist() == pytest.approx([one / (one + other), other / (one + other)])
    assert table["controls"].tolist() == [10, 7]


def test_cohorts_without_clean_controls_are_listed() -> None:
    frame = simulated_panel(4, 7, {0: 2003, 1: 2003, 2: 2006, 3: 2006})
    with pytest.warns(jp.JJJPolicyWarning, match="cohort 2006 in 2006"):
        estimate = jp.did.LocalProjections(1, 1).fit(design_of(frame))
    lost = estimate.details["not_estimable"]
    assert (lost["group"] == 2006).all()
    assert set(lost["time"]) == {2006, 2007}
    assert estimate.effects["event_time"].tolist() == [-1, 0, 1]


def test_refits_and_other_inference() -> None:
    design = design_of(unbalanced_frame(), covariates=["x"])
    for reweight in (False, True):
        estimator = jp.did.LocalProjections(2, 1, reweight=reweight)
        estimate, refits = estimator.fit(design), estimator.refit(design)
        assert refits.att[0] == pytest.approx(estimate.att)
        assert refits.se is not None
        assert refits.se[0] == pytest.approx(estimate.se)
    permuted = estimate.with_inference(jp.inference.RandomizationInference(replications=99, seed=1))
    assert permuted.pvalue is not None
    assert permuted.pvalue <= 0.05
    multiplied = estimate.with_inference(jp.inference.MultiplierBootstrap(replications=99))
    assert multiplied.effects["se"].notna().sum() == 3


def test_errors_say_what_to_do() -> None:
    design = castle_design()
    with pytest.raises(jp.DesignError, match="pre_window=0 must lie between 1 and .*post_window=0"):
        jp.did.LocalProjections(pre_window=0).fit(design)
    with pytest.raises(jp.DesignError, match="post_window=8 periods.*smaller"):
        jp.did.LocalProjections(2, 8).fit(design)
    collinear = design_of(
        unbalanced_frame().assign(trend=lambda f: f["period"]), covariates=["trend"]
    )
    with pytest.warns(jp.JJJPolicyWarning, match="collinear.*trend"):
        assert jp.did.LocalProjections(1, 0).fit(collinear).details["collinear"] == ("trend",)
