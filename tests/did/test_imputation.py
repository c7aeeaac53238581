"""Imputation and two-stage: other packages' numbers, dense algebra, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from castle import castle_frame
from panels import simulated_panel

import jjjpolicy as jp

# Castle data in double precision, clustered by sid. StatsPAI 1.40.2 (did_imputation, gardner_did):
# the overall effects, which it carries to more digits than diff-diff, their errors, and the
# pre-trends; diff-diff 3.13.0 (ImputationDiD, TwoStageDiD(pretrends=True)): everything else, and
# the same overall errors.
CASTLE = {
    (): {
        "att": 0.0668998375521308,
        "imputation": 0.05669355081267838,
        "two_stage": 0.05701448033288177,
        "imputation_by_event_time": [
            0.05808896548331259,
            0.06727721299595875,
            0.07211902158835079,
            0.0656794206580319,
            0.04403235677709264,
        ],
        "two_stage_by_event_time": [
            0.06287836570429602,
            0.07020278709598088,
            0.07241049928625994,
            0.06603531631141948,
            0.04403235677713091,
        ],
        "lead_-2": (-0.030729401684959277, 0.023813692946611602),
        "averaged by event time": 0.05696292643695936,
        "pretrends": [0.044315036599210614, -0.013817103175030243, 0.0790856830037074],
        "pretrend_errors": [0.049114067066582806, 0.048103872245952264, 0.07397086775583167],
    },
    ("unemployrt", "poverty"): {
        "att": 0.07252526458147192,
        "imputation": 0.056417223888188726,
        "two_stage": 0.0566032136919814,
        "imputation_by_event_time": [
            0.05698361305016899,
            0.0665528934959245,
            0.07326277466022488,
            0.06618951457615058,
            0.07850836260294614,
        ],
        "two_stage_by_event_time": [
            0.06212888622861206,
            0.06957090707449547,
            0.07350456984026721,
            0.06640946433786299,
            0.0785083626033048,
        ],
        "lead_-2": (-0.02747234678328206, 0.023648765168321605),
        "averaged by event time": 0.056587575961817,
        "pretrends": [0.058976087658355776, -0.0010971926169526204, 0.0952843674012894],
        "pretrend_errors": [0.05137281357067337, 0.04943118648846122, 0.07635273144977658],
    },
}


def castle_design(covariates: tuple[str, ...] = (), **changes: Any) -> jp.Design:
    arguments: dict[str, Any] = {
        "unit": "sid",
        "time": "year",
        "outcome": "l_homicide",
        "adoption": "first",
        "covariates": covariates,
    }
    return jp.Design.from_frame(castle_frame(), **(arguments | changes))


def unbalanced_frame() -> pd.DataFrame:
    """Simulated: 30 units, two cohorts, 25 absent cells, a covariate with coefficient 0.7."""
    adoption = {**dict.fromkeys(range(6), 2004), **dict.fromkeys(range(6, 14), 2006)}
    frame = simulated_panel(units=30, periods=8, adoption=adoption, effect=0.5, seed=5)
    rng = np.random.default_rng(6)
    frame["x"] = rng.normal(size=len(frame))
    frame["y"] += 0.7 * frame["x"]
    frame["w"] = 1.0 + frame["unit"] % 3
    frame["pair"] = frame["unit"] // 2
    return frame.drop(index=rng.choice(len(frame), 25, replace=False))


def design_of(frame: pd.DataFrame, **changes: Any) -> jp.Design:
    arguments = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    return jp.Design.from_frame(frame, **(arguments | changes))


def test_mpdta_equals_two_other_packages_and_the_mean_of_r_etwfe(
    answers: Any, mpdta_data: Any
) -> None:
    design = jp.Design.from_frame(
        mpdta_data, unit="countyreal", time="year", outcome="lemp", adoption="first.treat"
    )
    estimate = jp.did.Imputation().fit(design)
    reference = answers["mpdta"]["bjs_mpdta"]["values"]
    assert estimate.att == pytest.approx(
        reference["weighted mean of the R etwfe ATT(g,t)"], abs=1e-11
    )
    assert estimate.se == pytest.approx(reference["StatsPAI"][1], abs=1e-12)
    by_cell = answers["mpdta"]["etwfe_mpdta_nocov"]["att_gt"]
    for row in estimate.details["group_time"].itertuples():
        assert row.estimate == pytest.approx(by_cell[f"{row.group},{row.time}"][0], abs=1e-11)


@pytest.mark.parametrize("covariates", list(CASTLE), ids=["alone", "with covariates"])
def test_castle_equals_other_packages(covariates: tuple[str, ...]) -> None:
    reference = CASTLE[covariates]
    design = castle_design(covariates)
    imputation = jp.did.Imputation().fit(design)
    assert imputation.att == pytest.approx(reference["att"], abs=1e-11)
    assert imputation.se == pytest.approx(reference["imputation"], rel=1e-10)
    errors = imputation.effects["se"].to_numpy()
    assert errors == pytest.approx(np.array(reference["imputation_by_event_time"]), rel=1e-8)

    two_stage = jp.did.TwoStage(leads=True).fit(design)
    assert two_stage.att == pytest.approx(imputation.att, abs=1e-13)
    assert two_stage.se == pytest.approx(reference["two_stage"], rel=1e-10)
    effects = two_stage.effects.set_index("event_time")
    errors = effects.loc[0:, "se"].to_numpy()
    assert errors == pytest.approx(np.array(reference["two_stage_by_event_time"]), rel=1e-8)
    assert tuple(effects.loc[-2, ["estimate", "se"]]) == pytest.approx(
        reference["lead_-2"], rel=1e-6
    )

    coarser = jp.did.Imputation(averaging="event time").fit(design)
    assert coarser.se == pytest.approx(reference["averaged by event time"], rel=1e-10)


@pytest.mark.parametrize("covariates", list(CASTLE), ids=["alone", "with covariates"])
def test_castle_pretrends_equal_statspai(covariates: tuple[str, ...]) -> None:
    """StatsPAI 1.40.2 counts one parameter less, as reghdfe does and fixest does not."""
    estimate = jp.did.Imputation(pretrends=3).fit(castle_design(covariates))
    before = estimate.effects[estimate.effects["event_time"] < 0]
    reference = CASTLE[covariates]
    assert before["event_time"].tolist() == [-3, -2, -1]
    assert before["estimate"].to_numpy() == pytest.approx(
        np.array(reference["pretrends"]), abs=1e-10
    )
    parameters = 3 + 11 + len(covariates)
    other_convention = np.sqrt((476 - parameters) / (476 - parameters + 1))
    assert before["se"].to_numpy() * other_convention == pytest.approx(
        np.array(reference["pretrend_errors"]), rel=1e-9
    )
    test = estimate.details["pretrends"]
    assert test["numerator_df"] == 3
    assert 0.1 < test["pvalue"] < 0.2
    assert estimate.att == pytest.approx(reference["att"], abs=1e-11)


@pytest.mark.parametrize(
    ("changes", "att", "imputation", "two_stage"),
    [
        # diff-diff 3.13.0 and StatsPAI 1.40.2; weights: StatsPAI 1.40.2
        ({}, 0.7103759064001638, 0.19318013015760438, 0.1993702333305997),
        ({"covariates": ["x"]}, 0.405789441276163, 0.06597296028177516, 0.06612155838468765),
        ({"weights": "w"}, 0.6712073500984767, 0.18627135335945647, 0.1969149045335269),
    ],
    ids=["alone", "with covariate", "weighted"],
)
def test_unbalanced_panel_equals_other_packages(
    changes: dict[str, Any], att: float, imputation: float, two_stage: float
) -> None:
    design = design_of(unbalanced_frame(), **changes)
    one, other = jp.did.Imputation().fit(design), jp.did.TwoStage().fit(design)
    assert [one.att, other.att] == pytest.approx([att, att], abs=1e-10)
    assert one.se == pytest.approx(imputation, rel=1e-9)
    assert other.se == pytest.approx(two_stage, rel=1e-9)


def test_castle_beside_diff_diff(recorded: Any) -> None:
    def ask(diff_diff: Any) -> dict[str, Any]:
        columns = {"outcome": "l_homicide", "unit": "sid", "time": "year", "first_treat": "first"}
        estimators = {
            "Imputation": diff_diff.ImputationDiD(),
            "TwoStage": diff_diff.TwoStageDiD(),
        }
        fits = {name: each.fit(castle_frame(), **columns) for name, each in estimators.items()}
        return {name: [float(fit.overall_att), float(fit.overall_se)] for name, fit in fits.items()}

    for name, (att, error) in recorded("diff_diff", ask).items():
        estimate = getattr(jp.did, name)().fit(castle_design())
        assert estimate.att == pytest.approx(att, abs=1e-7)
        assert estimate.se == pytest.approx(error, rel=1e-7)


def dense(frame: pd.DataFrame, covariates: list[str], weights: str | None, averaging: str) -> Any:
    """Equations of Borusyak, Jaravel and Spiess with dummies and explicit weights v."""
    frame = frame.reset_index(drop=True)
    treated = (frame["period"] >= frame["first"]).to_numpy()
    dummies = pd.get_dummies(frame[["unit", "period"]].astype(str), dtype=float)
    z = np.column_stack([dummies.to_numpy(), frame[covariates].to_numpy(dtype=float)])
    w = np.ones(len(frame)) if weights is None else frame[weights].to_numpy()
    y = frame["y"].to_numpy()
    z0, w0 = z[~treated], w[~treated]
    inverse = np.linalg.pinv(z0.T @ (z0 * w0[:, None]))
    effects = y - z @ (inverse @ z0.T @ (w0 * y[~treated]))
    v = np.where(treated, w, 0.0) / w[treated].sum()
    v[~treated] = -(w0[:, None] * z0) @ inverse @ (z[treated].T @ v[treated])
    att = float(v @ y)
    labels = {
        "cohort and event time": frame["first"].astype(str) + "-" + frame["period"].astype(str),
        "cohort": frame["first"].astype(str),
        "event time": (frame["period"] - frame["first"]).astype(str),
        "all": pd.Series("", index=frame.index),
    }[averaging]
    return frame, treated, v, effects, att, labels


@pytest.mark.parametrize("averaging", ["cohort and event time", "cohort", "event time", "all"])
@pytest.mark.parametrize("leave_out", [False, True])
@pytest.mark.parametrize("level", ["unit", "pair"])
def test_standard_errors_equal_the_paper_with_dense_matrices(
    averaging: Any, leave_out: bool, level: str
) -> None:
    source = unbalanced_frame()
    frame, treated, v, effects, att, labels = dense(source, ["x"], "w", averaging)
    residuals = effects.copy()
    for label in labels[treated].unique():
        cells = treated & (labels == label).to_numpy()
        groups = frame.loc[cells, level].to_numpy()
        together = pd.Series(v[cells]).groupby(groups).sum()
        products = pd.Series(v[cells] * effects[cells]).groupby(groups).sum() * together
        for group in np.unique(groups):
            others = together.index != group if leave_out else np.ones(len(together), dtype=bool)
            average = products[others].sum() / (together[others] ** 2).sum()
            mine = cells & (frame[level] == group).to_numpy()
            residuals[mine] -= average
    expected = np.sqrt((pd.Series(v * residuals).groupby(frame[level]).sum() ** 2).sum())

    design = design_of(source, covariates=["x"], weights="w", assigned_at=level)
    estimate = jp.did.Imputation(averaging=averaging, leave_out=leave_out).fit(design)
    assert estimate.att == pytest.approx(att, abs=1e-11)
    assert estimate.se == pytest.approx(expected, rel=1e-9)
    clustered = estimate.with_inference(jp.inference.Clustered())
    groups = source[level].nunique()
    assert clustered.se == pytest.approx(expected * np.sqrt(groups / (groups - 1)), rel=1e-9)


def test_cells_that_cannot_be_estimated_are_listed_with_reasons() -> None:
    adoption = {0: 2003, 1: 2003, 2: 2005, 3: 2005}
    frame = simulated_panel(units=4, periods=6, adoption=adoption, effect=1.0)
    with pytest.warns(
        jp.JJJPolicyWarning, match=r"cohort 2003, 2005 in 2005, 2006 \(no untreated unit"
    ):
        estimate = jp.did.Imputation().fit(design_of(frame.drop(index=23)))
    lost = estimate.details["not_estimable"]
    assert lost["group"].tolist() == [2003, 2003, 2005, 2005]
    assert lost["time"].tolist() == [2005, 2006, 2005, 2006]
    assert lost["units"].sum() == 7
    assert lost["reason"].str.contains("no untreated unit is observed").all()
    assert estimate.effects["event_time"].tolist() == [0, 1]
    effects = estimate.design.ledger.query("item == 'effect'")
    assert effects["period"].tolist() == [2005, 2006, 2005, 2006]
    assert effects["reason"].iloc[0].startswith("Imputation has no effect of cohort 2003 (2 units)")


def test_periods_that_no_chain_connects_are_not_compared() -> None:
    """Units 0 and 1 are seen untreated in 2001-2 only, unit 2 in 2004-5 only."""
    frame = pd.DataFrame(
        {
            "unit": [0, 0, 0, 1, 1, 1, 2, 2, 3, 3],
            "period": [2001, 2002, 2004, 2001, 2002, 2003, 2004, 2005, 2001, 2002],
            "first": [2002, 2002, 2002, *[0] * 7],
            "y": np.arange(10.0),
        }
    )
    with pytest.warns(jp.JJJPolicyWarning, match="cohort 2002 in 2004"):
        estimate = jp.did.Imputation().fit(design_of(frame))
    lost = estimate.details["not_estimable"]
    assert lost[["group", "time"]].values.tolist() == [[2002, 2004]]
    assert "no chain" in lost["reason"].item()
    assert np.isnan(estimate.counterfactual.loc[0, 2004])


def test_covariates_that_the_unit_effects_explain_are_named() -> None:
    frame = unbalanced_frame().assign(size=lambda table: 100.0 + table["unit"])
    with pytest.warns(jp.JJJPolicyWarning, match="collinear.*size"):
        estimate = jp.did.Imputation().fit(design_of(frame, covariates=["size", "x"]))
    assert estimate.details["collinear"] == ("size",)
    assert estimate.att == pytest.approx(0.405789441276163, abs=1e-10)


def test_a_cohort_of_one_is_noted_and_left_out_averages_refuse_it() -> None:
    design = castle_design()
    estimate = jp.did.Imputation().fit(design)
    assert estimate.inference is not None
    assert any("2006, 2010 rest on a single sid" in note for note in estimate.inference.notes)
    with pytest.raises(jp.DesignError, match="2006, 2010 rest on a single sid.*coarser"):
        jp.did.Imputation(leave_out=True).fit(design)
    assert jp.did.Imputation(leave_out=True, averaging="all").fit(design).se == pytest.approx(
        0.0595776, abs=1e-6
    )


def test_counterfactual_unit_and_calendar_effects_agree_with_the_overall_effect() -> None:
    design = castle_design()
    estimate = jp.did.Imputation().fit(design)
    assert estimate.counterfactual is not None
    assert estimate.unit_effects is not None
    assert estimate.calendar_effects is not None
    gaps = design.outcome[design.treated] - estimate.counterfactual.to_numpy()
    after = design.treatment[design.treated]
    assert gaps[after].mean() == pytest.approx(estimate.att, abs=1e-12)
    units = estimate.unit_effects
    assert np.average(units["att"], weights=units["cells"]) == pytest.approx(estimate.att)
    calendar = estimate.calendar_effects["estimate"].to_numpy()
    assert calendar == pytest.approx(
        np.array([gaps[:, t][after[:, t]].mean() for t in range(11) if after[:, t].any()])
    )


@pytest.mark.parametrize("estimator", [jp.did.Imputation(), jp.did.TwoStage()])
def test_refits_equal_fits_and_other_inference_works(estimator: Any) -> None:
    design = design_of(unbalanced_frame(), covariates=["x"])
    estimate = estimator.fit(design)
    refits = estimator.refit(design)
    assert refits.att[0] == pytest.approx(estimate.att, abs=1e-13)
    assert refits.se[0] == pytest.approx(estimate.se, abs=1e-13)
    permuted = estimate.with_inference(jp.inference.RandomizationInference(replications=99, seed=1))
    assert permuted.pvalue == pytest.approx(0.01)
    multiplied = estimate.with_inference(jp.inference.MultiplierBootstrap(replications=99))
    assert multiplied.se == pytest.approx(estimate.se, rel=1e-12)
    assert "uniform_lower" in multiplied.effects
    jackknife = estimate.with_inference(jp.inference.Clustered(kind="CRV3"))
    assert jackknife.se == pytest.approx(estimate.se, rel=0.25)


def test_errors_cover_the_effect_in_simulated_panels_with_many_treated_units() -> None:
    adoption = {**dict.fromkeys(range(13), 2004), **dict.fromkeys(range(13, 20), 2006)}
    covered = {"Imputation": 0, "TwoStage": 0}
    draws = 100
    for seed in range(draws):
        design = design_of(simulated_panel(40, 7, adoption, effect=1.0, seed=seed))
        for estimator in (jp.did.Imputation(), jp.did.TwoStage()):
            refits = estimator.refit(design)
            assert refits.se is not None
            covered[estimator.label] += abs(refits.att[0] - 1.0) <= 1.96 * refits.se[0]
    assert all(0.89 <= count / draws <= 0.985 for count in covered.values())


def test_errors_say_what_to_do() -> None:
    design = castle_design()
    with pytest.raises(jp.DesignError, match="averaging='sid' must be one of"):
        jp.did.Imputation(averaging="sid").fit(design)  # type: ignore[arg-type]
    with pytest.raises(jp.DesignError, match="pretrends=10 needs more than 10"):
        jp.did.Imputation(pretrends=10).fit(design)
    with pytest.raises(jp.DesignError, match="pretrends=-1 must be"):
        jp.did.Imputation(pretrends=-1).fit(design)
    switching = jp.Design.from_frame(
        simulated_panel(), unit="unit", time="period", outcome="y", treatment="treated",
        absorbing=False,
    )  # fmt: skip
    for estimator in (jp.did.Imputation(), jp.did.TwoStage()):
        with pytest.raises(jp.DesignError, match="ChaisemartinDHaultfoeuille"):
            estimator.fit(switching)
