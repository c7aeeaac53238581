"""``jjjpolicy calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jjjpolicy.cli.output import show, table

if TYPE_CHECKING:
    from jjjpolicy.estimate import Inference
    from jjjpolicy.estimator import Estimator

OUTCOMES = ("log_gdp", "rd_intensity_single_vintage", "log_tech_contracts_bought")


def calibrate(
    outcome: Annotated[
        list[str] | None, typer.Option(help="Variable of the provincial panel; repeatable.")
    ] = None,
    policy: Annotated[
        str, typer.Option(help="Its provinces are left out; its date is tried.")
    ] = "tax-sharing-2015",
    vintage: Annotated[str, typer.Option(help="Of the provincial panel.")] = "nbs_2024",
    window: Annotated[tuple[int, int], typer.Option(help="First and last year.")] = (2005, 2019),
    date: Annotated[
        list[int] | None, typer.Option(help="Pseudo-date; repeatable; default: the policy's.")
    ] = None,
    treated: Annotated[
        list[int] | None, typer.Option(help="Number of treated provinces; default 1 and 3.")
    ] = None,
    effect: Annotated[
        list[float] | None,
        typer.Option(help="Effect to add, in units of the outcome, for power; repeatable."),
    ] = None,
    draws: Annotated[int, typer.Option(min=2, help="Pseudo-policies of each kind.")] = 300,
    power_draws: Annotated[int, typer.Option(min=1, help="Of these, with effects.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the sampled pseudo-policies.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
    output: Annotated[
        Path, typer.Option(help="Directory for the tables, and for what is done so far.")
    ] = Path("calibration"),
) -> None:
    """Try every estimator and inference on pseudo-policies: which keep their size, and their power.

    Pseudo-policies treat provinces that no policy treated. Interrupted, the same command goes on
    where it was.

    Example: jjjpolicy calibrate --outcome log_gdp --effect 0.05 --effect 0.1 --date 2012
    --date 2015
    """
    import jjjpolicy as jp
    from jjjpolicy.report.spreadsheet import write_csv

    panel = jp.load("provinces", vintage=vintage)
    designs = {
        name: jp.Design.from_policy(panel, jp.policies[policy], outcome=name, window=window)
        for name in outcome or OUTCOMES
    }
    estimators, inferences = _methods()
    found = jp.sensitivity.calibrate(
        designs,
        estimators,
        inferences,
        treated=treated or (1, 3),
        dates=date or None,
        effects=effect or (),
        draws=draws,
        power_draws=power_draws,
        seed=seed,
        jobs=jobs,
        directory=output / "cells",
    )
    write_csv(found.size, output / "size.csv")
    if effect:
        write_csv(found.power, output / "power.csv")
    done = found.size[(found.size["failure"] == "") & (found.size["level"] == 0.05)]
    rows = [
        (r.outcome, r.estimator, r.inference, r.treated, r.draws, f"{r.rejection:.3f}")
        for r in done.itertuples()
    ]
    headings = ("Outcome", "Estimator", "Inference", "Treated", "Draws", "Rejects at 5%")
    show(table(headings, rows, right="Treated,Draws,Rejects at 5%"))
    typer.echo(f"{found.fits:,} fits. Tables are in {output.as_posix()}/.")


def _methods() -> tuple[dict[str, Estimator], dict[str, Inference]]:
    """Estimators and inference methods by name; what does not fit together says so."""
    import jjjpolicy as jp

    infer = jp.inference
    estimators: list[Estimator] = [
        jp.did.TwoWayFixedEffects(),
        jp.did.CallawaySantAnna(),
        jp.synth.SyntheticControl(),
        jp.synth.DemeanedSyntheticControl(),
        jp.synth.SyntheticDiD(),
    ]
    inferences: dict[str, Inference] = {
        "Clustered CRV1": infer.Clustered(),
        "Clustered CRV2": infer.Clustered(kind="CRV2"),
        "Clustered CRV3": infer.Clustered(kind="CRV3"),
        "Wild cluster bootstrap, restricted": infer.WildClusterBootstrap(replications=999),
        "ConleyTaber": infer.ConleyTaber(),
        "FermanPinto": infer.FermanPinto(),
        "Randomisation": infer.RandomizationInference(),
        "Randomisation, studentised": infer.RandomizationInference(statistic="studentised"),
        "PlaceboUnits": infer.PlaceboUnits(replications=199),
        "Conformal": infer.Conformal(),
    }
    return {e.label: e for e in estimators}, inferences
