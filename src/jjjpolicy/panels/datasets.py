"""The bundled panels, their data dictionary and the facts beside them."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy.errors import DataError, JJJPolicyWarning
from jjjpolicy.panels.panel import Panel
from jjjpolicy.panels.schema import validate
from jjjpolicy.panels.variable import Variable, with_inputs
from jjjpolicy.registry.lookup import data_directory, remembered, unknown_name
from jjjpolicy.registry.regions import NATION, regions

__all__ = ["DataNotice", "data_directory", "dictionary", "facts", "flags", "load", "vintages"]

_DATASETS = ("provinces", "major_cities")
_FACTS = {
    "relocation": "relocation_facts.csv",
    "structure": "structure_facts.csv",
    "review-table-1": "review_article_table1.csv",
}
_NUMERIC = [
    "first_year",
    "last_year",
    "plausible_low",
    "plausible_high",
    "national_low",
    "national_high",
]


class DataNotice(JJJPolicyWarning):
    """Says which choice was made where the user made none."""


def load(
    name: str, vintage: str | None = None, variables: str | Iterable[str] | None = None
) -> Panel:
    """Load a bundled panel.

    Parameters
    ----------
    name : str
        ``"provinces"``: 31 provinces, with the national figures in ``panel.national``;
        ``"major_cities"``: 36 cities, gross regional product and value added by sector.
    vintage : str, optional
        Vintage of gross regional product and of all that is computed from it; see
        :func:`vintages`. Without it the newest is taken and a :class:`DataNotice` says so. All
        other variables have one vintage each.
    variables : iterable of str, optional
        All by default. Variables that a derived one is computed from come along.

    Returns
    -------
    Panel

    Raises
    ------
    DataError
        Unknown data set, vintage or variable; several vintages at once; data that break their
        schema.

    Examples
    --------
    >>> import jjjpolicy as jp
    >>> panel = jp.load("provinces", vintage="nbs_2024", variables=["log_gdp"])
    >>> panel.label("log_gdp", "zh")
    '地区生产总值（对数）'
    """
    choices = vintages(name)
    if vintage is not None and not isinstance(vintage, str):
        raise DataError(
            f"vintage={vintage!r}: a series has one vintage. Load one panel for each of "
            f"{', '.join(choices)} and compare the results."
        )
    if vintage is not None and vintage not in choices:
        raise unknown_name(f"vintage of {name!r}", vintage, choices)
    rules = dictionary()
    rules = rules[rules["dataset"] == name]
    revised = set(rules.loc[rules["vintage"].isin(choices), "variable"])
    rules = rules[~rules["variable"].isin(revised) | (rules["vintage"] == (vintage or choices[-1]))]
    described = {row["variable"]: _variable(row) for row in rules.to_dict("records")}
    kept = set(described) if variables is None else with_inputs(variables, described)
    described = {key: variable for key, variable in described.items() if key in kept}
    uses_revised = bool(kept & revised)
    if vintage is None and uses_revised and len(choices) > 1:
        warnings.warn(
            f"gross regional product is of vintage {choices[-1]!r}, the newest; choose one of "
            f"{', '.join(choices)} with vintage=… to silence this notice.",
            DataNotice,
            stacklevel=2,
        )
    long = _rows(name, data_directory())
    published = [variable for variable in described.values() if not variable.formula]
    vintage_of = {variable.name: variable.vintage for variable in published}
    long = long[long["variable"].map(vintage_of) == long["vintage"]]
    panel = Panel.from_long(
        long,
        published,
        nation=NATION,
        name=name,
        vintage=(vintage or choices[-1]) if uses_revised else "as_published",
        names_en=regions.names("en"),
        names_zh=regions.names("zh"),
    )
    for variable in described.values():
        if variable.formula:
            panel = panel.with_variable(variable)
    return panel


def vintages(name: str) -> tuple[str, ...]:
    """Vintages of gross regional product in a data set, oldest first.

    Raises
    ------
    DataError
        Unknown data set.
    """
    if name not in _DATASETS:
        raise unknown_name("data set", name, _DATASETS)
    rules = dictionary()
    found = rules[(rules["dataset"] == name) & (rules["variable"] == "gdp")]
    return tuple(found["vintage"])


def dictionary() -> pd.DataFrame:
    """The data dictionary: one row per data set, variable and vintage.

    Derived variables have a formula and no vintage of their own. ``gaps`` lists missing years
    (``2017``) and missing cells (``110000:2012``).
    """
    return _dictionary(data_directory()).copy()


def facts(name: str) -> pd.DataFrame:
    """Single published figures that are not panels.

    Parameters
    ----------
    name : str
        ``"relocation"``: firms, markets and investment moved, by period; ``"structure"``: value
        added and shares by sector of the three regions and of the region as a whole;
        ``"review-table-1"``: research expenditure in 2019 as the review article prints it. The
        column ``region`` holds a region code or the name of a group, such as ``jing-jin-ji``.

    Raises
    ------
    DataError
        Unknown name.
    """
    if name not in _FACTS:
        raise unknown_name("facts", name, _FACTS)
    return _numeric(_text_table(data_directory() / _FACTS[name]), ["value"], _FACTS[name])


def flags(name: str) -> pd.DataFrame:
    """Figures of a data set that look odd, kept as published; the column ``check`` says why.

    ``jump``: growth differs from the median region's by more than a factor of e; ``fall``: nominal
    product falls by more than a tenth; ``sum``: parts miss their whole by more than 0.05%;
    ``not-positive``: no logarithm.

    Raises
    ------
    DataError
        Unknown data set.
    """
    if name not in _DATASETS:
        raise unknown_name("data set", name, _DATASETS)
    table = _text_table(data_directory() / "flags.csv")
    numbers = ["value_before", "value", "value_after", "ratio_to_median_growth"]
    table = _numeric(table, numbers, "flags.csv")
    return table[table["dataset"] == name].astype({"year": int}).reset_index(drop=True)


@lru_cache(maxsize=4)
def _dictionary(directory: Path) -> pd.DataFrame:
    return _numeric(_text_table(directory / "variables.csv"), _NUMERIC, "variables.csv")


def _numeric(table: pd.DataFrame, columns: Sequence[str], file: str) -> pd.DataFrame:
    """The table with numbers in some columns, or a `DataError` that names line and column."""
    for column in columns:
        if column not in table:
            raise DataError(f"{file} has no column {column!r}.")
        numbers = pd.to_numeric(table[column], errors="coerce")
        wrong = numbers.isna() & ~table[column].str.lower().isin(["", "nan"])
        if wrong.any():
            index = int(wrong.to_numpy().argmax())
            raise DataError(
                f"{file} line {index + 2}: {column} {table[column][index]!r} is not a number."
            )
        table[column] = numbers
    return table


@lru_cache(maxsize=4)
def _rows(name: str, directory: Path) -> pd.DataFrame:
    """Rows of a data file, checked against the dictionary once per process."""
    path = remembered(directory / f"{name}.csv")
    rows = pd.read_csv(
        path,
        dtype={"region_code": str, "variable": str, "vintage": str, "unit": str, "source": str},
        keep_default_na=False,
    )
    for column in ("year", "value"):
        numbers = pd.to_numeric(rows[column], errors="coerce")
        wrong = numbers.isna() & (rows[column].astype(str).str.lower() != "nan")
        if wrong.any():
            index = int(wrong.to_numpy().argmax())
            raise DataError(
                f"{path.name} line {index + 2}: {column} {rows[column][index]!r} is not a number."
            )
        rows[column] = numbers
    rules = _dictionary(directory)
    rules = rules[(rules["dataset"] == name) & (rules["formula"] == "")]
    sources = set(_text_table(directory / "sources.csv")["source"])
    validate(rows, rules, sources, path.name)
    return rows


def _text_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(remembered(path), dtype=str, keep_default_na=False)


def _variable(row: dict[Hashable, Any]) -> Variable:
    texts = (
        "label_en",
        "label_zh",
        "unit",
        "unit_en",
        "unit_zh",
        "definition",
        "formula",
        "source",
        "vintage",
    )
    return Variable(
        name=row["variable"],
        additive=row["aggregation"] == "sum",
        **{name: row[name] for name in texts},
    )
