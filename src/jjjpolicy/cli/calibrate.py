"""``jjjpolicy calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jjjpolicy.cli.output import show, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jjjpolicy.estimation.estimate import Estimator, Inference

OUTCOMES = ("log_gdp", "rd_intensity_single_vintage", "log_tech_contracts_bought")
ESTIMATORS = (
    "TwoWayFixedEffects",
    "CallawaySantAnna",
    "Imputation",
    "LocalProjections",
    "SyntheticControl",
    "DemeanedSyntheticControl",
    "SyntheticDiD",
    "GeneralizedSyntheticControl",
)
"""Those that differ when all are treated at once, and fit in a few milliseconds."""


def calibrate(
    outcome: Annotated[
        list[str] | None, typer.Option(help="Variable of the provincial panel; repeatable.")
    ] = None,
    estimator: Annotated[
        list[str] | None,
        typer.Option(help="See: jjjpolicy methods; repeatable; default: eight that fit quickly."),
    ] = None,
    inference: Annotated[
        list[str] | None,
        typer.Option(help="A name as in size.csv; repeatable; default: all that give a p-value."),
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
    from jjjpolicy.report.tables.spreadsheet import write_csv

    panel = jp.load("provinces", vintage=vintage)
    designs = {
        name: jp.Design.from_policy(panel, jp.policies[policy], outcome=name, window=window)
        for name in outcome or OUTCOMES
    }
    found = jp.sensitivity.calibrate(
        designs,
        _estimators(estimator or ESTIMATORS),
        _inferences(inference),
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


def _estimators(names: Iterable[str]) -> dict[str, Estimator]:
    from jjjpolicy.replication.provenance.specification import estimators, make_from_texts

    return {name: make_from_texts("estimator", estimators(), name, {}) for name in names}


def _inferences(names: Sequence[str] | None) -> dict[str, Inference]:
    """Inference methods by name; what does not fit an estimator says so."""
    import jjjpolicy as jp
    from jjjpolicy.registry.lookup import unknown_name

    infer = jp.inference
    known: dict[str, Inference] = {
        "Clustered CRV1": infer.Clustered(),
        "Clustered CRV2": infer.Clustered(kind="CRV2"),
        "Clustered CRV3": infer.Clustered(kind="CRV3"),
        "Wild cluster bootstrap, restricted": infer.WildClusterBootstrap(replications=999),
        "Wild cluster bootstrap, unrestricted": infer.WildClusterBootstrap(
            replications=999, impose_null=False
        ),
        "DriscollKraay": infer.DriscollKraay(),
        "InfluenceFunction": infer.InfluenceFunction(),
        "MultiplierBootstrap": infer.MultiplierBootstrap(replications=199),
        "ClusterBootstrap": infer.ClusterBootstrap(replications=99),
        "Jackknife": infer.Jackknife(),
        "ConleyTaber": infer.ConleyTaber(),
        "FermanPinto": infer.FermanPinto(),
        "RearrangementTest": infer.RearrangementTest(),
        "Randomisation": infer.RandomizationInference(),
        "Randomisation, studentised": infer.RandomizationInference(statistic="studentised"),
        "PlaceboUnits": infer.PlaceboUnits(replications=99),
        "PlaceboPeriods": infer.PlaceboPeriods(),
        "Conformal": infer.Conformal(),
        "DebiasedTTest": infer.DebiasedTTest(),
        "ParametricBootstrap": infer.ParametricBootstrap(replications=99),
    }
    for name in names or ():
        if name not in known:
            raise unknown_name("inference method", name, known)
    return {name: known[name] for name in names or known}
