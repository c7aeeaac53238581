"""Options that tell commands what the columns of a file mean, and the design that follows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jjjpolicy.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from jjjpolicy.design.design import Design

Data = Annotated[Path, typer.Option(help="CSV, TSV, Parquet, Stata (.dta) or Excel (.xlsx).")]
Time = Annotated[str, typer.Option(help="Column of periods: years, dates, 2019Q4, …")]
Outcome = Annotated[str, typer.Option(help="Column of the outcome.")]
Unit = Annotated[
    str | None, typer.Option(help="Column of units; none for repeated cross-sections.")
]
Treatment = Annotated[str | None, typer.Option(help="Column of 0 and 1.")]
Adoption = Annotated[
    str | None, typer.Option(help="Column of the first treated period; 0 or empty: never.")
]
Covariate = Annotated[list[str] | None, typer.Option(help="Column; repeatable.")]
Weights = Annotated[str | None, typer.Option(help="Column of weights.")]
AssignedAt = Annotated[
    str | None, typer.Option(help="Column of the level at which treatment was assigned.")
]
Exclude = Annotated[list[str] | None, typer.Option(help="Unit to leave out; repeatable.")]
Window = Annotated[tuple[str, str] | None, typer.Option(help="First and last period to use.")]
Sheet = Annotated[str | None, typer.Option(help="Sheet of an Excel file.")]


def read_design(
    data: Path,
    *,
    sheet: str | None,
    unit: str | None,
    time: str,
    outcome: str,
    treatment: str | None,
    adoption: str | None,
    covariates: list[str] | None = None,
    weights: str | None = None,
    assigned_at: str | None,
    exclude: list[str] | None,
    window: tuple[str, str] | None,
) -> Design:
    """The design of a file."""
    import jjjpolicy as jp

    frame = jp.read_table(data, sheet if sheet is not None else 0)
    return jp.Design.from_frame(
        frame,
        unit=unit,
        time=time,
        outcome=outcome,
        treatment=treatment,
        adoption=adoption,
        covariates=covariates or (),
        weights=weights,
        assigned_at=assigned_at,
        exclude=_units(frame, unit, exclude or []),
        window=window,
    )


def require_language(language: str) -> None:
    """Raise a `DataError` for another language than English and Chinese."""
    if language not in ("en", "zh"):
        raise DataError(f"--language {language!r}: choose en or zh.")


def _units(frame: pd.DataFrame, unit: str | None, wanted: list[str]) -> list[object]:
    """Labels of units as the file holds them; a label typed as text may be a number there."""
    if unit is None or unit not in frame.columns:
        return list(wanted)
    known = {str(label): label for label in frame[unit].unique()}
    unknown = [label for label in wanted if label not in known]
    if unknown:
        raise DataError(f"--exclude {unknown[0]!r} is no {unit} of the file.")
    return [known[label] for label in wanted]
