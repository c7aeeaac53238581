"""Regressions and staggered difference-in-differences from a data frame."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from peers import resampling
from peers.panels import MILLION, cities, staggered
from peers.r import InR
from peers.task import Answer, Task

COVARIATES = ["x1", "x2"]
NAMES = {"unit": "unit", "time": "year", "outcome": "y"}
FIRST = {**NAMES, "first_treat": "first"}
COUNTED = (
    "linearmodels, R estimatr and R sandwich count the unit effects, which are nested in the "
    "clusters, among the parameters; this package, like pyfixest and R fixest, does not. "
    "R plm counts no effects. linearmodels does not scale by G/(G-1) for G clusters."
)


def answer(estimate: Any, se: Any) -> Answer:
    return {"estimate": float(estimate), "se": float(se)}


def ours(frame: pd.DataFrame, estimator: str, covariates: Any = (), **options: Any) -> Answer:
    import jjjpolicy as jp

    design = jp.Design.from_frame(frame, **NAMES, adoption="first", covariates=covariates)
    estimate = getattr(jp.did, estimator)(**options).fit(design)
    assert estimate.effects is not None
    return answer(estimate.att, estimate.se)


def ours_twfe(frame: pd.DataFrame) -> Answer:
    import jjjpolicy as jp

    design = jp.Design.from_frame(frame, **NAMES, treatment="treated")
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    return answer(estimate.att, estimate.se)


def ours_twfe_province(frame: pd.DataFrame) -> Answer:
    estimate = resampling.ours_fit(frame)
    return answer(estimate.att, estimate.se)


def ours_crv2(frame: pd.DataFrame) -> Answer:
    import jjjpolicy as jp

    method = jp.inference.Clustered(kind="CRV2")
    estimate = resampling.ours_fit(frame).with_inference(method)
    return answer(estimate.pvalue, estimate.se)


def statspai_crv2(frame: pd.DataFrame) -> Answer:
    import statspai

    kinds = frame[["unit", "year"]].astype("category")
    dummies = pd.get_dummies(kinds, drop_first=True, dtype=float)
    x = np.column_stack([frame["treated"], np.ones(len(frame)), dummies])
    beta = np.linalg.lstsq(x, frame["y"], rcond=None)[0]
    test = statspai.fast.cluster_wald_htz(
        x, frame["y"] - x @ beta, frame["province"].to_numpy(), R=np.eye(1, x.shape[1]), beta=beta
    )
    return answer(test.p_value, np.sqrt(test.V_R[0, 0]))


def pyfixest_twfe(frame: pd.DataFrame, cluster: str = "unit") -> Answer:
    import pyfixest

    fit = pyfixest.feols("y ~ treated | unit + year", frame, vcov={"CRV1": cluster})
    return answer(fit.coef()["treated"], fit.se()["treated"])


def statspai_twfe(frame: pd.DataFrame, cluster: str = "unit") -> Answer:
    import statspai

    fit = statspai.hdfe_ols("y ~ treated | unit + year", frame, cluster=cluster)
    return answer(fit.params["treated"], fit.std_errors["treated"])


def linearmodels_twfe(frame: pd.DataFrame, cluster: str = "unit") -> Answer:
    from linearmodels import PanelOLS

    indexed = frame.set_index(["unit", "year"])
    model = PanelOLS(indexed["y"], indexed[["treated"]], entity_effects=True, time_effects=True)
    by = {"cluster_entity": True} if cluster == "unit" else {"clusters": indexed[[cluster]]}
    fit = model.fit(cov_type="clustered", **by)
    return answer(fit.params["treated"], fit.std_errors["treated"])


def ours_bootstrap(frame: pd.DataFrame) -> Answer:
    import jjjpolicy as jp

    design = jp.Design.from_frame(frame, **NAMES, adoption="first", covariates=COVARIATES)
    estimate = jp.did.CallawaySantAnna(control="never").fit(design)
    estimate = estimate.with_inference(jp.inference.MultiplierBootstrap(replications=999, seed=1))
    assert estimate.effects is not None
    return answer(estimate.att, estimate.se)


def diff_diff_cs(
    frame: pd.DataFrame, covariates: list[str] | None = None, draws: int = 0
) -> Answer:
    from diff_diff import CallawaySantAnna

    fit = CallawaySantAnna(n_bootstrap=draws, seed=1).fit(frame, **FIRST, covariates=covariates)
    if draws == 0:
        fit.aggregate("event_study")
    return answer(fit.overall_att, fit.overall_se)


def csdid_cs(frame: pd.DataFrame, covariates: list[str] | None = None, draws: int = 0) -> Answer:
    from csdid.att_gt import ATTgt

    model = ATTgt(
        yname="y",
        tname="year",
        idname="unit",
        gname="first",
        data=frame,
        control_group="nevertreated",
        xformla="y ~ " + " + ".join(covariates) if covariates else None,
        biters=draws or 1000,
    )
    fit = model.fit(est_method="dr", bstrap=draws > 0)
    fit.aggte("dynamic", na_rm=True)
    simple = fit.aggte("simple", na_rm=True).atte
    return answer(simple["overall_att"], simple["overall_se"])


def statspai_cs(frame: pd.DataFrame, covariates: list[str] | None = None, draws: int = 0) -> Answer:
    import statspai

    fit = statspai.callaway_santanna(
        frame,
        "y",
        "first",
        "year",
        "unit",
        x=covariates,
        base_period="varying",
        bstrap=draws > 0,
        biters=draws or 1000,
        random_state=1,
    )
    statspai.aggte(fit, "dynamic", bstrap=draws > 0, n_boot=draws or None)
    simple = statspai.aggte(fit, "simple", bstrap=draws > 0, n_boot=draws or None)
    return answer(simple.estimate, simple.se)


def moderndid_cs(
    frame: pd.DataFrame, covariates: list[str] | None = None, draws: int = 0
) -> Answer:
    import moderndid

    fit = moderndid.att_gt(
        frame,
        "y",
        "year",
        "unit",
        "first",
        xformla="~ " + " + ".join(covariates) if covariates else None,
        boot=draws > 0,
        biters=draws or 1000,
        random_state=1,
    )
    moderndid.aggte(fit, "dynamic")
    simple = moderndid.aggte(fit, "simple")
    return answer(simple.overall_att, simple.overall_se)


def differences_cs(
    frame: pd.DataFrame, covariates: list[str] | None = None, draws: int = 0
) -> Answer:
    from differences import ATTgt

    indexed = frame.assign(first=frame["first"].where(frame["first"] > 0))
    indexed = indexed.set_index(["unit", "year"])
    formula = "y ~ " + " + ".join(covariates) if covariates else "y"
    fit = ATTgt(indexed, "first").fit(
        formula, est_method="dr", boot_iterations=draws, random_state=1, progress_bar=False
    )
    fit.aggregate("event")
    simple = fit.aggregate("simple")
    values = simple.xs("ATT", axis=1, level=-1), simple.xs("std_error", axis=1, level=-1)
    return answer(values[0].iloc[0, 0], values[1].iloc[0, 0])


def diff_diff_fit(frame: pd.DataFrame, estimator: str) -> Answer:
    import diff_diff

    fit = getattr(diff_diff, estimator)().fit(frame, **FIRST)
    return answer(fit.overall_att, fit.overall_se)


def statspai_sun_abraham(frame: pd.DataFrame) -> Answer:
    import statspai

    fit = statspai.sun_abraham(frame, "y", "first", "year", "unit")
    return answer(fit.estimate, fit.se)


def pyfixest_sun_abraham(frame: pd.DataFrame) -> Answer:
    import pyfixest

    fit = pyfixest.event_study(frame, "y", "unit", "year", "first", estimator="saturated")
    return {"estimate": float(fit.aggregate(weighting="shares")["Estimate"].loc[0.0:].mean())}


def statspai_by_group(frame: pd.DataFrame, estimator: str) -> Answer:
    import statspai

    fit = getattr(statspai, estimator)(frame, "y", "unit", "year", "first")
    return answer(fit.estimate, fit.se)


def callaway_santanna(covariates: list[str] | None, draws: int = 0) -> dict[str, Any]:
    options = {"covariates": covariates, "draws": draws}
    function = "did_cs_bootstrap" if draws else "did_cs_covariates" if covariates else "did_cs"
    own = partial(ours, estimator="CallawaySantAnna", covariates=covariates or (), control="never")
    return {
        "jjjpolicy": ours_bootstrap if draws else own,
        "diff-diff": partial(diff_diff_cs, **options),
        "csdid": partial(csdid_cs, **options),
        "StatsPAI": partial(statspai_cs, **options),
        "moderndid": partial(moderndid_cs, **options),
        "differences": partial(differences_cs, **options),
        "R did": InR("did", function),
    }


TASKS = {
    "twfe": Task(
        "Two-way fixed effects, clustered by unit; 1,000,000 rows (simulated)",
        0.08,
        MILLION,
        {
            "jjjpolicy": ours_twfe,
            "StatsPAI": statspai_twfe,
            "pyfixest": pyfixest_twfe,
            "linearmodels": linearmodels_twfe,
            "R fixest": InR("fixest", "fixest_twfe"),
            "R plm": InR("plm", "plm_twfe"),
        },
        COUNTED,
    ),
    "twfe-cities": Task(
        "Two-way fixed effects, clustered by province; 290 x 16 (simulated)",
        None,
        cities,
        {
            "jjjpolicy": ours_twfe_province,
            "StatsPAI": partial(statspai_twfe, cluster="province"),
            "pyfixest": partial(pyfixest_twfe, cluster="province"),
            "linearmodels": partial(linearmodels_twfe, cluster="province"),
            "R fixest": InR("fixest", "fixest_twfe_province"),
            "R estimatr": InR("estimatr", "estimatr_twfe_province"),
            "R sandwich": InR("sandwich", "sandwich_twfe_province"),
        },
        COUNTED,
    ),
    "crv2-cities": Task(
        "CRV2 by province, degrees of freedom of Bell and McCaffrey; 290 x 16 (simulated)",
        None,
        cities,
        {
            "jjjpolicy": ours_crv2,
            "StatsPAI": statspai_crv2,
            "R clubSandwich": InR("clubSandwich", "clubsandwich_crv2"),
            "R estimatr": InR("estimatr", "estimatr_crv2"),
        },
        "The number compared is the p-value of two-way fixed effects. StatsPAI takes the matrix of "
        "dummies and the residuals.",
    ),
    "cs": Task(
        "Callaway-Sant'Anna, doubly robust, 2 covariates, event study; 1,000,000 rows (simulated)",
        0.45,
        MILLION,
        callaway_santanna(COVARIATES),
        "diff-diff divides the weighted residuals of the controls by the number of treated units; "
        "csdid, like R DRDID and this package, by the sum of the weights. Cell by cell this is the "
        "whole difference (2e-4 on 290 units); its other two methods agree to rounding.",
    ),
    "cs-plain": Task(
        "Callaway-Sant'Anna without covariates, event study; 1,000,000 rows (simulated)",
        0.2,
        MILLION,
        callaway_santanna(None),
    ),
    "cs-bootstrap": Task(
        "The same with 2 covariates and 999 multiplier bootstraps; 1,000,000 rows (simulated)",
        0.7,
        MILLION,
        callaway_santanna(COVARIATES, draws=999),
    ),
    "sun-abraham": Task(
        "Sun-Abraham; 1,000,000 rows (simulated)",
        0.3,
        MILLION,
        {
            "jjjpolicy": partial(ours, estimator="SunAbraham"),
            "StatsPAI": statspai_sun_abraham,
            "diff-diff": partial(diff_diff_fit, estimator="SunAbraham"),
            "pyfixest": pyfixest_sun_abraham,
            "R fixest": InR("fixest", "fixest_sun_abraham"),
        },
        "Packages may weight the overall average differently (over event times or treated cells).",
    ),
    "imputation": Task(
        "Imputation; 1,000,000 rows (simulated)",
        0.3,
        MILLION,
        {
            "jjjpolicy": partial(ours, estimator="Imputation"),
            "diff-diff": partial(diff_diff_fit, estimator="ImputationDiD"),
            "StatsPAI": partial(statspai_by_group, estimator="did_imputation"),
            "R didimputation": InR("didimputation", "didimputation_imputation"),
            "R fect": InR("fect", "fect_imputation"),
        },
    ),
    "etwfe": Task(
        "Extended two-way fixed effects; 1,000,000 rows (simulated)",
        0.6,
        MILLION,
        {
            "jjjpolicy": partial(ours, estimator="ExtendedTWFE"),
            "diff-diff": partial(diff_diff_fit, estimator="WooldridgeDiD"),
            "StatsPAI": partial(statspai_by_group, estimator="etwfe"),
            "R etwfe": InR("etwfe", "etwfe_fit"),
        },
    ),
    "cs-cities": Task(
        "Callaway-Sant'Anna, doubly robust, 2 covariates, event study; 290 x 16 (simulated)",
        0.008,
        partial(staggered, 290),
        callaway_santanna(COVARIATES),
    ),
}
