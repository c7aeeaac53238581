"""``jjjpolicy advise``."""

from __future__ import annotations

from typing import Annotated

import typer

from jjjpolicy.cli.columns import (
    Adoption,
    AssignedAt,
    Data,
    Exclude,
    Outcome,
    Sheet,
    Time,
    Treatment,
    Unit,
    Window,
    read_design,
    require_language,
)


def advise(
    data: Data,
    time: Time,
    outcome: Outcome,
    unit: Unit = None,
    treatment: Treatment = None,
    adoption: Adoption = None,
    assigned_at: AssignedAt = None,
    exclude: Exclude = None,
    window: Window = None,
    sheet: Sheet = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Try the methods on your own untreated groups.")
    ] = False,
    replications: Annotated[
        int, typer.Option(min=2, help="Pseudo-policies for each method, with --calibrate.")
    ] = 100,
    seed: Annotated[int, typer.Option(help="Of the sampled pseudo-policies.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Say before estimating which methods to trust, what to report and what cannot be had.

    Examples:

    jjjpolicy advise --data smoking.csv --unit state --time year --outcome packs
    --treatment treated

    jjjpolicy advise --data mine.dta --unit county --time year --outcome employment
    --adoption first_treated --assigned-at province --calibrate --language zh
    """
    import jjjpolicy as jp

    require_language(language)
    design = read_design(
        data,
        sheet=sheet,
        unit=unit,
        time=time,
        outcome=outcome,
        treatment=treatment,
        adoption=adoption,
        assigned_at=assigned_at,
        exclude=exclude,
        window=window,
    )
    advice = jp.advise(design, calibrate=calibrate, replications=replications, seed=seed, jobs=jobs)
    typer.echo(advice.summary("zh" if language == "zh" else "en"))
