"""``jjjpolicy estimate`` and ``jjjpolicy methods``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jjjpolicy.cli.output import show, table
from jjjpolicy.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from jjjpolicy.estimation.estimate import Estimate

FEW_TREATED = 8


def estimate(
    data: Annotated[Path, typer.Option(help="CSV, TSV, Parquet, Stata (.dta) or Excel (.xlsx).")],
    time: Annotated[str, typer.Option(help="Column of periods: years, dates, 2019Q4, …")],
    outcome: Annotated[str, typer.Option(help="Column of the outcome.")],
    unit: Annotated[
        str | None, typer.Option(help="Column of units; none for repeated cross-sections.")
    ] = None,
    treatment: Annotated[str | None, typer.Option(help="Column of 0 and 1.")] = None,
    adoption: Annotated[
        str | None, typer.Option(help="Column of the first treated period; 0 or empty: never.")
    ] = None,
    method: Annotated[str, typer.Option(help="Estimator; see: jjjpolicy methods.")] = (
        "TwoWayFixedEffects"
    ),
    inference: Annotated[
        str | None, typer.Option(help="Inference method; see: jjjpolicy methods.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Option of the estimator, key=value; repeatable.")
    ] = None,
    inference_option: Annotated[
        list[str] | None, typer.Option(help="Option of the inference, key=value; repeatable.")
    ] = None,
    covariate: Annotated[list[str] | None, typer.Option(help="Column; repeatable.")] = None,
    weights: Annotated[str | None, typer.Option(help="Column of weights.")] = None,
    assigned_at: Annotated[
        str | None, typer.Option(help="Column of the level at which treatment was assigned.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Unit to leave out; repeatable.")
    ] = None,
    window: Annotated[
        tuple[str, str] | None, typer.Option(help="First and last period to use.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of an Excel file.")] = None,
    language: Annotated[str, typer.Option(help="Of the figure: en or zh.")] = "en",
    output: Annotated[
        Path | None, typer.Option(help="Directory for table, figure and numbers.")
    ] = None,
) -> None:
    """Estimate an effect from a panel of your own: summary, and with --output table and figure.

    Examples:

    jjjpolicy estimate --data smoking.csv --unit state --time year --outcome packs
    --treatment treated --method SyntheticDiD --inference PlaceboUnits
    --inference-option replications=200 --output results

    jjjpolicy estimate --data mine.dta --unit county --time year --outcome employment
    --adoption first_treated --method CallawaySantAnna --option control=not_yet
    """
    import jjjpolicy as jp
    from jjjpolicy.replication.provenance.specification import (
        estimators,
        inferences,
        make_from_texts,
    )

    if language not in ("en", "zh"):
        raise DataError(f"--language {language!r}: choose en or zh.")
    estimator = make_from_texts("estimator", estimators(), method, _options(option))
    way = None
    if inference is not None:
        way = make_from_texts(
            "inference method", inferences(), inference, _options(inference_option)
        )
    elif inference_option:
        raise DataError("--inference-option needs --inference.")
    frame = jp.read_table(data, sheet if sheet is not None else 0)
    design = jp.Design.from_frame(
        frame,
        unit=unit,
        time=time,
        outcome=outcome,
        treatment=treatment,
        adoption=adoption,
        covariates=covariate or (),
        weights=weights,
        assigned_at=assigned_at,
        exclude=_units(frame, unit, exclude or []),
        window=window,
    )
    result: Estimate = estimator.fit(design)
    if way is not None:
        result = result.with_inference(way)
    typer.echo(result.summary())
    if way is None and int(design.treated.sum()) <= FEW_TREATED and result.se is not None:
        typer.echo(
            "\nNote: few units are treated; errors that count on many are too small. Compare "
            "--inference RandomizationInference."
        )
    if output is not None:
        _write(result, output, language)


def methods() -> None:
    """List the estimators and inference methods with their options.

    Example: jjjpolicy methods
    """
    from dataclasses import MISSING, fields

    from jjjpolicy.replication.provenance.specification import estimators, inferences

    for heading, choices in (("Estimator", estimators()), ("Inference", inferences())):
        rows = []
        for name, cls in choices.items():
            options = [
                f"{item.name}={item.default}" if item.default is not MISSING else item.name
                for item in fields(cls)  # type: ignore[arg-type]
            ]
            described = (cls.__doc__ or "").strip().splitlines()[0]
            rows.append((name, described, ", ".join(options)))
        show(table((heading, "What it is", "Options"), rows))
        typer.echo("")


def _options(given: list[str] | None) -> dict[str, str]:
    found = {}
    for each in given or []:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise DataError(f"option {each!r}: write key=value.")
        found[key.replace("-", "_")] = value
    return found


def _units(frame: pd.DataFrame, unit: str | None, wanted: list[str]) -> list[object]:
    """Labels of units as the file holds them; a label typed as text may be a number there."""
    if unit is None or unit not in frame.columns:
        return list(wanted)
    known = {str(label): label for label in frame[unit].unique()}
    unknown = [label for label in wanted if label not in known]
    if unknown:
        raise DataError(f"--exclude {unknown[0]!r} is no {unit} of the file.")
    return [known[label] for label in wanted]


def _write(result: Estimate, folder: Path, language: str) -> None:
    import json

    import jjjpolicy as jp
    from jjjpolicy.replication.artefacts.settle import settle
    from jjjpolicy.report import save_figure
    from jjjpolicy.report.tables.spreadsheet import write_csv

    folder.mkdir(parents=True, exist_ok=True)
    laid_out = jp.compare({result.estimator.label: result}, id="estimate")
    for tongue in ("en", "zh"):
        for suffix, text in (
            ("tex", laid_out.to_latex(tongue)),
            ("html", laid_out.to_html(tongue)),
            ("md", laid_out.to_markdown(tongue)),
        ):
            (folder / f"estimate.{tongue}.{suffix}").write_text(text, encoding="utf-8")
    write_csv(result.effects, folder / "effects.csv")
    if result.unit_effects is not None:
        write_csv(result.unit_effects, folder / "unit_effects.csv")
    write_csv(result.design.ledger, folder / "left_out.csv")
    numbers = settle(result.to_frame().iloc[0].to_dict())
    content = {"numbers": numbers, "provenance": settle(result.provenance)}
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    (folder / "estimate.json").write_text(text, encoding="utf-8")
    save_figure(result.plot(language=language), folder / f"estimate.{language}")
    typer.echo(f"\nWritten to {folder.as_posix()}/: table, figure, effects and numbers.")
