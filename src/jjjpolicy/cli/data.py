"""``jjjpolicy data``: the bundled panels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jjjpolicy.cli.output import show, table
from jjjpolicy.errors import DataError

app = typer.Typer(no_args_is_help=True, help="The bundled data: list, show, check, vintages.")

DATASETS = "provinces, cities, counties, lights or major_cities."

Dataset = Annotated[str, typer.Argument(help=DATASETS)]


@app.command("list")
def list_variables(
    dataset: Annotated[str | None, typer.Argument(help=DATASETS)] = None,
) -> None:
    """List the variables: label, unit of measure, vintage, years, source.

    Example: jjjpolicy data list provinces
    """
    from jjjpolicy.panels.datasets import dictionary, vintages

    rules = dictionary()
    if dataset is not None:
        vintages(dataset)  # names the choices where there is no such data set
        rules = rules[rules["dataset"] == dataset]
    headings = ("Data set", "Variable", "Vintage", "Label", "Unit", "Years", "Formula or source")
    rows = [
        (
            row["dataset"],
            row["variable"],
            row["vintage"],
            f"{row['label_en']} {row['label_zh']}",
            row["unit_en"],
            "" if row["formula"] else f"{row['first_year']:.0f}-{row['last_year']:.0f}",
            row["formula"] or row["source"],
        )
        for row in rules.to_dict("records")
    ]
    show(table(headings, rows))


@app.command("show")
def show_rows(
    dataset: Dataset,
    variable: Annotated[list[str], typer.Option(help="Variable; repeatable.")],
    vintage: Annotated[str | None, typer.Option(help="See: jjjpolicy data vintages.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Region code; repeatable.")] = None,
    years: Annotated[tuple[int, int] | None, typer.Option(help="First and last year.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write a CSV file instead.")] = None,
) -> None:
    """Show values of a panel, one row per region and year.

    Example: jjjpolicy data show provinces --variable gdp --variable rd_intensity
    --vintage nbs_2024 --region 120000 --years 2014 2018
    """
    import jjjpolicy as jp
    from jjjpolicy.report.tables.spreadsheet import write_csv

    panel = jp.load(dataset, vintage=vintage, variables=variable)
    frame = panel.frame[[panel.unit, panel.time, *variable]]
    names = panel.unit_names("en")
    unknown = sorted(set(region or []) - set(frame[panel.unit]))
    if unknown:
        raise DataError(f"--region {unknown[0]!r} is not in {dataset}; write a code as 110000.")
    if region:
        frame = frame[frame[panel.unit].isin(region)]
    if years:
        frame = frame[frame[panel.time].between(*years)]
    frame.insert(1, "region", frame[panel.unit].map(names))
    if output is not None:
        write_csv(frame, output)
        typer.echo(f"{len(frame)} rows written to {output.as_posix()}.")
        return
    headings = [*frame.columns[:3], *(panel.label(name, "en", with_unit=True) for name in variable)]
    rows = [
        tuple("" if each != each else each for each in row)  # a missing value is no number
        for row in frame.itertuples(index=False)
    ]
    show(table(headings, rows, right=",".join(headings[2:])))


@app.command()
def check() -> None:
    """Check every data file against the dictionary, under every vintage.

    Exit code 0: sound; 1: a row breaks a rule, which is named.

    Example: jjjpolicy data check
    """
    import jjjpolicy as jp
    from jjjpolicy.panels.datasets import dictionary, flags

    rows = []
    for dataset in dict.fromkeys(dictionary()["dataset"]):
        for vintage in jp.vintages(dataset):
            frame = jp.load(dataset, vintage=vintage).frame
            odd = flags(dataset)
            rows.append((dataset, vintage, len(frame), frame.shape[1] - 2, len(odd)))
    show(table(("Data set", "Vintage", "Rows", "Variables", "Flags"), rows, right="Rows,Variables"))
    typer.echo("All rows keep the rules of the dictionary. Flags: odd figures, kept as published.")


@app.command()
def vintages() -> None:
    """List the vintages of product and of night lights, the years they cover and what they are.

    Example: jjjpolicy data vintages
    """
    from jjjpolicy import vintages as vintages_of
    from jjjpolicy.panels.datasets import dictionary
    from jjjpolicy.registry.lookup import read_records

    described = {row["vintage"]: row["definition"] for row in read_records("vintages.csv")}
    rules = dictionary()
    rules = rules[rules["formula"] == ""]
    rows = []
    for dataset in dict.fromkeys(rules["dataset"]):
        for vintage in vintages_of(dataset):
            own = rules[(rules["dataset"] == dataset) & (rules["vintage"] == vintage)]
            years = f"{own['first_year'].min():.0f}-{own['last_year'].max():.0f}"
            rows.append((dataset, vintage, years, described.get(vintage, "")))
    show(table(("Data set", "Vintage", "Years", "What it is"), rows))
