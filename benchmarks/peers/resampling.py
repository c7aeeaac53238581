"""Wild cluster bootstrap, randomisation inference, Honest DiD."""

from __future__ import annotations

from typing import Any

import pandas as pd

from peers.panels import cities, event_coefficients
from peers.r import InR
from peers.task import Answer, Task

DRAWS = 9_999
BOUNDS = [0.5, 1.0, 1.5, 2.0]


def ours_fit(frame: pd.DataFrame) -> Any:
    import jjjpolicy as jp

    design = jp.Design.from_frame(
        frame, unit="unit", time="year", outcome="y", treatment="treated", assigned_at="province"
    )
    return jp.did.TwoWayFixedEffects().fit(design)


def ours_wild(frame: pd.DataFrame) -> Answer:
    import jjjpolicy as jp

    method = jp.inference.WildClusterBootstrap(replications=DRAWS, seed=1)
    return {"estimate": float(ours_fit(frame).with_inference(method).pvalue)}


def statspai_wild(frame: pd.DataFrame) -> Answer:
    import statspai

    fit = statspai.feols("y ~ treated | unit + year", frame, cluster="province")
    test = statspai.wild_cluster_boot(
        fit, frame, "province", variable="treated", n_boot=DRAWS, seed=1
    )
    return {"estimate": float(test["p_value"] if "p_value" in test else test["p_boot"])}


def pyfixest_wild(frame: pd.DataFrame) -> Answer:
    import pyfixest

    fit = pyfixest.feols("y ~ treated | unit + year", frame, vcov={"CRV1": "province"})
    return {"estimate": float(fit.wildboottest(DRAWS, param="treated", seed=1)["Pr(>|t|)"])}


def wildboottest_wild(frame: pd.DataFrame) -> Answer:
    import statsmodels.formula.api as formulas
    from wildboottest.wildboottest import wildboottest

    model = formulas.ols("y ~ treated + C(unit) + C(year)", frame)
    table = wildboottest(
        model, DRAWS, cluster=frame["province"], param="treated", seed=1, show=False
    )
    return {"estimate": float(table["p-value"].iloc[0])}


def ours_randomisation(frame: pd.DataFrame) -> Answer:
    import jjjpolicy as jp

    return {
        "estimate": float(
            ours_fit(frame).with_inference(jp.inference.RandomizationInference()).pvalue
        )
    }


def ours_honest(data: Any) -> Answer:
    from jjjpolicy.sensitivity import RelativeMagnitudes, honest_did

    table = honest_did(*data, restriction=RelativeMagnitudes(tuple(BOUNDS))).table
    return {"estimate": float(table["lower"].iloc[1])}


def statspai_honest(data: Any) -> Answer:
    import statspai

    coefficients, covariance, before, _ = data
    table = statspai.honest_did_from_moments(
        coefficients,
        covariance,
        num_pre_periods=before,
        m_grid=BOUNDS,
        method="relative_magnitude",
    )
    return {"estimate": float(table["ci_lower"].iloc[1])}


def moderndid_honest(data: Any) -> Answer:
    from moderndid.didhonest import create_sensitivity_results_rm

    table = create_sensitivity_results_rm(*data, m_bar_vec=BOUNDS)
    rows = table.to_pandas() if hasattr(table, "to_pandas") else table
    return {"estimate": float(rows["lb"].iloc[1])}


TASKS = {
    "wild": Task(
        "Restricted wild cluster bootstrap, 9,999 draws, 31 clusters; 290 x 16 (simulated)",
        0.015,
        cities,
        {
            "jjjpolicy": ours_wild,
            "StatsPAI": statspai_wild,
            "wildboottest": wildboottest_wild,
            "pyfixest": pyfixest_wild,
            "R fwildclusterboot": InR(
                "fwildclusterboot", "fwildclusterboot_wild", "s3alfisc/fwildclusterboot"
            ),
        },
        "The number compared is the p-value, which the draws move by about 0.005.",
    ),
    "randomisation": Task(
        "Randomisation inference, all 26,970 assignments; 290 x 16 (simulated)",
        0.1,
        cities,
        {"jjjpolicy": ours_randomisation},
        "No package compared here is known to us to offer it for staggered treatment.",
    ),
    "honest": Task(
        "Honest DiD, relative magnitudes, 4 values of Mbar; 5 + 6 coefficients (simulated)",
        0.1,
        event_coefficients,
        {
            "jjjpolicy": ours_honest,
            "StatsPAI": statspai_honest,
            "moderndid": moderndid_honest,
            "R HonestDiD": InR("HonestDiD", "honestdid_relative_magnitudes"),
        },
        "The number compared is the lower end at Mbar = 1.",
    ),
}
