"""The rows of the bundled data files behind a specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy.design.design import Design
from jjjpolicy.design.intake.files import read_table
from jjjpolicy.design.intake.text import read_text
from jjjpolicy.errors import DataError, JJJPolicyError
from jjjpolicy.linalg.brief import brief
from jjjpolicy.panels.variable import with_inputs
from jjjpolicy.registry.lookup import data_directory
from jjjpolicy.registry.regions import NATION
from jjjpolicy.replication.provenance.specification import design_of, panel_of


@dataclass(frozen=True, eq=False)
class DataRows:
    """Rows of one file.

    Attributes
    ----------
    file : str
        Name of the file in the data directory.
    frame : DataFrame
        The rows, with their line in the file (``line``) and all of its columns as text.
    design : Design
    verified : bool
        Whether the design that these rows give is the recorded one, by its fingerprint.
    """

    file: str
    frame: pd.DataFrame
    design: Design
    verified: bool

    __repr__ = brief


def read_rows(path: Path) -> pd.DataFrame:
    """Rows of a data file with the line of each (``line``); those of a CSV file as text.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    separator = {".csv": ",", ".tsv": "\t"}.get(path.suffix.lower())
    try:
        text = read_text(path, separator, as_written=True) if separator else read_table(path)
    except ValueError as error:
        raise DataError(f"{path.name} is no readable table: {error}") from error
    text.insert(0, "line", range(2, len(text) + 2))
    return text


def rows_of_columns(frame: pd.DataFrame, data: Mapping[str, Any]) -> pd.DataFrame | None:
    """Rows of a file within the periods of a design that was made of its columns.

    Parameters
    ----------
    frame : DataFrame
        From :func:`read_rows`.
    data : mapping
        As ``data`` in ``Estimate.provenance``, of a design from a table of one's own.

    Returns
    -------
    DataFrame or None
        None where the file has no such columns.
    """
    columns = data.get("columns", {})
    if not columns or not set(columns.values()) <= set(frame.columns):
        return None
    time = pd.to_numeric(frame[columns["time"]], errors="coerce")
    first, last = data["periods"]
    within: pd.DataFrame = frame[time.between(first, last)]
    return within.reset_index(drop=True)


def rows_behind(specification: Mapping[str, Any]) -> DataRows:
    """Find the rows behind an estimate and check that they give the recorded design.

    Parameters
    ----------
    specification : mapping
        As in ``Estimate.provenance``.

    Raises
    ------
    DataError
        They cannot be found; the message says why.
    """
    data = specification["data"]
    try:
        design = design_of(specification)
    except JJJPolicyError as error:
        raise DataError(str(error)) from error
    file = f"{data['panel']}.csv"
    text = read_rows(data_directory() / file)
    wanted = [specification["outcome"], *data.get("covariates", ()), *data.get("predictors", ())]
    variables = panel_of(data["panel"], data["vintage"]).variables
    used = [variables[name] for name in with_inputs(wanted, variables)]
    vintages = {variable.name: variable.vintage for variable in used if not variable.formula}
    chosen = text["variable"].map(vintages) == text["vintage"]
    chosen &= text["year"].isin(set(map(str, design.periods)))
    if any("total(" in variable.formula for variable in used):
        chosen &= text["region_code"] != NATION  # such a variable rests on all units
    else:
        chosen &= text["region_code"].isin(set(map(str, design.units)))
    verified = design.fingerprint == data["fingerprint"]
    return DataRows(file, text[chosen].reset_index(drop=True), design, verified)
