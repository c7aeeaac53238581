"""Synthetic difference-in-differences and synthetic controls."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from peers.panels import PROP_99, factor_panel, prop_99
from peers.r import InR
from peers.task import Answer, Task

NAMES = {"unit": "unit", "time": "year", "outcome": "y"}
SOURCE = "the published data" if PROP_99.is_file() else "simulated"
QUADPROG = (
    "R quadprog is a solver of quadratic programmes, called for one unit after the other. pysyncon"
    "'s search (SLSQP) stops a little short of the best weights."
)
PREDICTORS = [f"p{k}" for k in range(13)]


def ours(frame: pd.DataFrame, estimator: str, method: str = "", **options: Any) -> Answer:
    import jjjpolicy as jp

    design = jp.Design.from_frame(frame, **NAMES, treatment="treated")
    estimate = getattr(jp.synth, estimator)().fit(design)
    if method:
        estimate = estimate.with_inference(getattr(jp.inference, method)(**options))
    answer = {"estimate": float(estimate.att)}
    return answer if estimate.se is None else {**answer, "se": float(estimate.se)}


def azcausal_sdid(frame: pd.DataFrame) -> Answer:
    from azcausal.core.error import Placebo
    from azcausal.core.panel import CausalPanel
    from azcausal.estimators.panel.sdid import SDID
    from azcausal.util import to_panels

    wide = to_panels(frame, "year", "unit", ["y", "treated"])
    panel = CausalPanel(data=wide).setup(outcome="y", intervention="treated")
    estimator = SDID()
    result = estimator.fit(panel)
    estimator.error(result, Placebo(n_samples=200))
    return {"estimate": float(result.effect.value), "se": float(result.effect.se)}


def diff_diff_sdid(frame: pd.DataFrame) -> Answer:
    from diff_diff import SyntheticDiD

    after = sorted(frame.loc[frame["treated"] == 1, "year"].unique())
    ever = frame.groupby("unit")["treated"].transform("max")
    fit = SyntheticDiD(variance_method="placebo", n_bootstrap=200, seed=1).fit(
        frame.assign(ever=ever), **NAMES, treatment="ever", post_periods=after
    )
    return {"estimate": float(fit.att), "se": float(fit.se)}


def statspai_sdid(frame: pd.DataFrame) -> Answer:
    import statspai

    treated = frame[frame["treated"] == 1]
    fit = statspai.sdid(
        frame,
        **NAMES,
        treated_unit=treated["unit"].iloc[0],
        treatment_time=int(treated["year"].min()),
        n_reps=200,
        seed=1,
    )
    return {"estimate": float(fit.estimate), "se": float(fit.se)}


def scpi_intervals(frame: pd.DataFrame) -> Answer:
    from scpi_pkg.scdata import scdata
    from scpi_pkg.scpi import scpi

    treated = frame[frame["treated"] == 1]
    start, units = int(treated["year"].min()), frame["unit"].unique()
    years = frame["year"].unique()
    data = scdata(
        df=frame,
        id_var="unit",
        time_var="year",
        outcome_var="y",
        period_pre=years[years < start],
        period_post=years[years >= start],
        unit_tr=treated["unit"].iloc[0],
        unit_co=units[units != treated["unit"].iloc[0]],
        verbose=False,
    )
    fit = scpi(data, w_constr={"name": "simplex", "Q": 1}, sims=200, cores=1, verbose=False)
    gaps = data.Y_post.to_numpy().ravel() - fit.Y_post_fit.to_numpy().ravel()
    return {"estimate": float(gaps.mean())}


def ours_search(frame: pd.DataFrame) -> Answer:
    import jjjpolicy as jp

    design = jp.Design.from_frame(frame, **NAMES, treatment="treated", predictors=PREDICTORS)
    chosen = tuple(jp.synth.Predictor(name, 1955) for name in PREDICTORS)
    fit = jp.synth.SyntheticControl(chosen, jp.synth.NestedSearch()).fit(design)
    return {"estimate": float(fit.details["search"]["u000"].loss)}


def dataprep(frame: pd.DataFrame, predictors: list[str]) -> Any:
    from pysyncon import Dataprep

    start = int(frame.loc[frame["treated"] == 1, "year"].min())
    before = range(int(frame["year"].min()), start)
    return Dataprep(
        foo=frame,
        predictors=predictors,
        predictors_op="mean",
        time_predictors_prior=before,
        dependent="y",
        unit_variable="unit",
        time_variable="year",
        treatment_identifier="u000",
        controls_identifier=sorted(set(frame["unit"]) - {"u000"}),
        time_optimize_ssr=before,
        special_predictors=None if predictors else [("y", [year], "mean") for year in before],
    )


def pysyncon_search(frame: pd.DataFrame) -> Answer:
    from pysyncon import Synth

    fit = Synth()
    fit.fit(dataprep(frame, PREDICTORS))
    return {"estimate": float(fit.loss_V)}


def pysyncon_placebos(frame: pd.DataFrame) -> Answer:
    from pysyncon import Synth
    from pysyncon.utils import PlaceboTest

    test, prepared = PlaceboTest(), dataprep(frame, [])
    start = int(frame.loc[frame["treated"] == 1, "year"].min())
    # Predictors are divided by their standard deviations: weighted so, all years count the same.
    variances = frame[frame["year"] < start].groupby("year")["y"].var().to_numpy()
    test.fit(prepared, Synth(), max_workers=1, scm_options={"custom_V": variances})
    return {"estimate": float(test.treated_gap.loc[start:].mean())}


TASKS = {
    "sdid": Task(
        f"Synthetic DiD, Proposition 99, 200 placebos ({SOURCE})",
        0.08,
        prop_99,
        {
            "jjjpolicy": partial(
                ours, estimator="SyntheticDiD", method="PlaceboUnits", replications=200, seed=1
            ),
            "azcausal": azcausal_sdid,
            "diff-diff": diff_diff_sdid,
            "StatsPAI": statspai_sdid,
            "R synthdid": InR("synthdid", "synthdid_placebos", "synth-inference/synthdid"),
        },
        "Placebos are drawn at random: standard errors differ by chance.",
    ),
    "augmented": Task(
        f"Augmented synthetic control with ridge regression, Proposition 99 ({SOURCE})",
        None,
        prop_99,
        {
            "jjjpolicy": partial(ours, estimator="AugmentedSyntheticControl"),
            "R augsynth": InR("augsynth", "augsynth_ridge", "ebenmichael/augsynth"),
        },
        "R augsynth leaves the last period before treatment out of its cross-validation, so that "
        "the penalty that it chooses may differ.",
    ),
    "intervals": Task(
        "Prediction intervals, 200 simulations, one core; 17 x 44, 13 years after (simulated)",
        0.4,
        partial(factor_panel, 17, 44, 31),
        {
            "jjjpolicy": partial(
                ours,
                estimator="SyntheticControl",
                method="PredictionIntervals",
                simulations=200,
                seed=1,
            ),
            "scpi_pkg": scpi_intervals,
            "R scpi": InR("scpi", "scpi_intervals"),
        },
    ),
    "v-search": Task(
        "Search for 13 predictor weights; 17 x 43, as large as the Basque panel (simulated)",
        None,
        partial(factor_panel, 17, 43, 15, 13),
        {
            "jjjpolicy": ours_search,
            "pysyncon": pysyncon_search,
            "R Synth": InR("Synth", "synth_search"),
        },
        "The number compared is the loss that the search minimises. It has many local minima.",
    ),
    "placebos-31": Task(
        "Synthetic control with all placebos; 31 x 16 (simulated)",
        0.02,
        partial(factor_panel, 31, 16, 10),
        {
            "jjjpolicy": partial(ours, estimator="SyntheticControl", method="PlaceboUnits"),
            "pysyncon": pysyncon_placebos,
            "R Synth": InR("Synth", "synth_placebos"),
            "R quadprog": InR("quadprog", "quadprog_placebos"),
        },
        QUADPROG,
    ),
    "placebos-300": Task(
        "Synthetic control with all placebos; 300 x 60 (simulated)",
        0.5,
        partial(factor_panel, 300, 60, 40),
        {
            "jjjpolicy": partial(ours, estimator="SyntheticControl", method="PlaceboUnits"),
            "pysyncon": pysyncon_placebos,
            "R Synth": InR("Synth", "synth_placebos"),
            "R quadprog": InR("quadprog", "quadprog_placebos"),
        },
        QUADPROG,
    ),
}
