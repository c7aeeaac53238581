"""The bundled panels, their data dictionary and the facts beside them."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy.errors import DataError, JJJPolicyWarning
from jjjpolicy.panels.formulas import Formula
from jjjpolicy.panels.panel import Panel
from jjjpolicy.panels.schema import Flags, columns_of, validate, validate_wide
from jjjpolicy.panels.variable import Break, Variable, with_inputs
from jjjpolicy.registry.lookup import data_directory, remembered, unknown_name
from jjjpolicy.registry.regions import NATION, regions

__all__ = ["DataNotice", "data_directory", "dictionary", "facts", "flags", "load", "vintages"]

_DATASETS = ("provinces", "cities", "counties", "lights", "major_cities")
_LONG = ("provinces", "major_cities")  # one row per figure; the others: one per region and year
_BOUNDARIES_OF_THE_YEAR = ("cities", "counties")
_FACTS = {
    "relocation": "relocation_facts.csv",
    "structure": "structure_facts.csv",
    "review-table-1": "review_article_table1.csv",
    "flows": "flow_facts.csv",
    "published-effects": "published_effects.csv",
    "platform-evidence": "platform_evidence.csv",
}
_NUMERIC = [
    "first_year",
    "last_year",
    "plausible_low",
    "plausible_high",
    "national_low",
    "national_high",
    "cells",
]


class DataNotice(JJJPolicyWarning):
    """Says which choice was made where the user made none."""


def load(
    name: str,
    vintage: str | None = None,
    variables: str | Iterable[str] | None = None,
    level: str | None = None,
) -> Panel:
    """Load a bundled panel.

    Parameters
    ----------
    name : str
        ``"provinces"``: 31 provinces, with the national figures in ``panel.national``;
        ``"cities"``: the cities of the China City Statistical Yearbook, 2000-2023; ``"counties"``:
        the censuses of 2010 and 2020 for every county, and county-level cities, 2005-2023;
        ``"lights"``: night lights of provinces, cities and the counties of eight provinces;
        ``"major_cities"``: 36 cities, 1999-2017, product and value added by sector.
    vintage : str, optional
        Vintage of the figures that come in several (gross regional product and its sectors; of
        night lights the satellite product) and of all that is computed from them; see
        :func:`vintages`. Without it the newest is taken and a :class:`DataNotice` says so. All
        other variables have one vintage each.
    variables : iterable of str, optional
        All that the vintage has by default. Variables that a derived one is computed from come
        along.
    level : str, optional
        ``"province"``, ``"city"`` or ``"county"``: only the regions of this level. The four
        municipalities are cities too; cities directly under a province are also counties.

    Returns
    -------
    Panel
        With the flagged figures and the units whose area changed.

    Raises
    ------
    DataError
        Unknown data set, vintage, variable or level; several vintages at once; a variable that the
        vintage does not have; data that break their schema.

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
    chosen = vintage or choices[-1]
    directory = data_directory()
    everything = _dictionary(directory)
    everything = everything[everything["dataset"] == name]
    described = _described(everything, choices, chosen, _breaks(directory))
    if variables is not None:
        variables = [variables] if isinstance(variables, str) else list(variables)
        _require_in_vintage(variables, everything, described, chosen)
        kept = with_inputs(variables, described)
        described = {key: variable for key, variable in described.items() if key in kept}
    uses_revised = any(variable.vintage in choices for variable in described.values())
    if vintage is None and uses_revised and len(choices) > 1:
        warnings.warn(
            f"figures that come in several vintages are of {chosen!r}, the newest; choose one of "
            f"{', '.join(choices)} with vintage=… to silence this notice.",
            DataNotice,
            stacklevel=2,
        )
    published = {v.name: v for v in described.values() if not v.formula}
    cells = _cells(name, directory)[[(v.name, v.vintage) for v in published.values()]]
    frame = cells.set_axis(list(published), axis=1).dropna(how="all").reset_index()
    if level is not None:
        frame = frame[frame["region_code"].isin(regions.at_level(level))]
        if frame.empty:
            raise DataError(f"{name!r} of vintage {chosen!r} has no region of level {level!r}.")
    is_nation = frame["region_code"] == NATION
    codes = frame["region_code"].unique()
    panel = Panel(
        frame=frame[~is_nation],
        variables=published,
        national=frame[is_nation].reset_index(drop=True),
        name=name,
        vintage=chosen if uses_revised else "as_published",
        names_en={code: regions[code].name_en for code in codes},
        names_zh={code: regions[code].name_zh for code in codes},
        flags=_flags_of(name, published.values()),
        area_changes=regions.area_changes if name in _BOUNDARIES_OF_THE_YEAR else pd.DataFrame(),
    )
    return panel.with_formulas(v for v in described.values() if v.formula)


def vintages(name: str) -> tuple[str, ...]:
    """Vintages of a data set, oldest first: of gross regional product, or of night lights.

    Parameters
    ----------
    name : str
        A data set of :func:`load`.

    Returns
    -------
    tuple of str
        Empty for a data set without vintages.

    Raises
    ------
    DataError
        Unknown data set.
    """
    if name not in _DATASETS:
        raise unknown_name("data set", name, _DATASETS)
    rules = _dictionary(data_directory())
    rules = rules[(rules["dataset"] == name) & (rules["formula"] == "")]
    several = rules["variable"].duplicated(keep=False) | (rules["variable"] == "gdp")
    found = set(rules.loc[several, "vintage"])
    order = _text_table(data_directory() / "vintages.csv")["vintage"]
    return tuple(vintage for vintage in order if vintage in found)


def _described(
    rules: pd.DataFrame,
    choices: tuple[str, ...],
    chosen: str,
    breaks: dict[tuple[str, str], tuple[Break, ...]],
) -> dict[str, Variable]:
    """Variables of a data set under one vintage; derived ones where all their inputs are there."""
    other = rules["vintage"].isin(choices) & (rules["vintage"] != chosen)
    found = {
        row["variable"]: _variable(row, breaks.get((row["dataset"], row["variable"]), ()))
        for row in rules[~other].to_dict("records")
    }
    while True:
        without = [
            name
            for name, variable in found.items()
            if variable.formula and not set(Formula(variable.formula).inputs) <= set(found)
        ]
        if not without:
            return found
        found = {name: variable for name, variable in found.items() if name not in without}


def _require_in_vintage(
    names: list[str], rules: pd.DataFrame, described: dict[str, Variable], chosen: str
) -> None:
    for name in names:
        rows = rules[rules["variable"] == name]
        if name in described or rows.empty:
            continue
        held = list(rows["vintage"])
        if held == [""]:
            inputs = Formula(rows["formula"].iloc[0]).inputs
            held = list(dict.fromkeys(rules.loc[rules["variable"].isin(inputs), "vintage"]))
        raise DataError(
            f"{name!r} has no figures of vintage {chosen!r}; they are of {', '.join(held)}. Load "
            f"it with vintage=…, and compare results rather than figures of two vintages."
        )


def dictionary() -> pd.DataFrame:
    """The data dictionary: one row per data set, variable and vintage.

    Derived variables have a formula and no vintage of their own. ``gaps`` lists missing years
    (``2017``) and missing cells (``110000:2012``).

    Returns
    -------
    DataFrame
        A copy, with the index 0, 1, ….
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
        ``"flows"``: technology contracts and investment between the three regions, with origin and
        destination; ``"published-effects"``: what published studies of these policies find, as
        they state it; ``"platform-evidence"``: which page says what of a receiving platform.

    Raises
    ------
    DataError
        Unknown name.
    """
    if name not in _FACTS:
        raise unknown_name("facts", name, _FACTS)
    table = _text_table(data_directory() / _FACTS[name]).copy()
    numbers = [column for column in ("value",) if column in table]
    return _numeric(table, numbers, _FACTS[name])


def flags(name: str) -> pd.DataFrame:
    """Figures of a data set that look odd, kept as published; the column ``check`` says why.

    ``jump``: growth differs from the median region's by more than a factor of e; ``fall``: nominal
    product falls by more than a tenth; ``sum``: parts miss their whole; ``spike``: a value far from
    those of the years before and after; ``slip``: a printing error, by all appearance;
    ``coverage``: the figure covers more or less than those of other years; ``negative``: below
    zero where nothing can be; ``not-positive``: no logarithm.

    Raises
    ------
    DataError
        Unknown data set.
    """
    if name not in _DATASETS:
        raise unknown_name("data set", name, _DATASETS)
    table = _flags(data_directory())
    return table[table["dataset"] == name].reset_index(drop=True)


@lru_cache(maxsize=4)
def _flags(directory: Path) -> pd.DataFrame:
    numbers = ["year", "value_before", "value", "value_after", "ratio_to_median_growth"]
    return _numeric(_text_table(directory / "flags.csv"), numbers, "flags.csv").astype(
        {"year": int}
    )


def _flags_of(name: str, published: Iterable[Variable]) -> pd.DataFrame:
    """Flagged figures of some variables, as a panel keeps them."""
    table = _flags(data_directory())
    table = table[table["dataset"] == name]
    wanted = {(v.name, v.vintage) for v in published}
    table = table[[key in wanted for key in zip(table["variable"], table["vintage"], strict=True)]]
    columns = {"region_code": "unit", "year": "time"}
    return table.rename(columns=columns)[["unit", "time", "variable", "check"]].reset_index(
        drop=True
    )


@lru_cache(maxsize=4)
def _breaks(directory: Path) -> dict[tuple[str, str], tuple[Break, ...]]:
    """Breaks by data set and variable."""
    found: dict[tuple[str, str], tuple[Break, ...]] = {}
    rows = _numeric(_text_table(directory / "breaks.csv"), ["year"], "breaks.csv")
    for row in rows.to_dict("records"):
        key = (row["dataset"], row["variable"])
        each = Break(int(row["year"]), row["reason_en"], row["reason_zh"])
        found[key] = (*found.get(key, ()), each)
    return found


@lru_cache(maxsize=4)
def _dictionary(directory: Path) -> pd.DataFrame:
    return _numeric(_text_table(directory / "variables.csv"), _NUMERIC, "variables.csv")


def _numeric(
    table: pd.DataFrame, columns: Sequence[str], file: str, blank: Sequence[str] = ("", "nan")
) -> pd.DataFrame:
    """The table with numbers in some columns, or a `DataError` that names line and column."""
    for column in columns:
        if column not in table:
            raise DataError(f"{file} has no column {column!r}.")
        numbers = pd.to_numeric(table[column], errors="coerce")
        wrong = numbers.isna() & ~table[column].str.lower().isin(list(blank))
        if wrong.any():
            index = int(wrong.to_numpy().argmax())
            raise DataError(
                f"{file} line {index + 2}: {column} {table[column][index]!r} is not a number."
            )
        table[column] = numbers
    return table


@lru_cache(maxsize=8)
def _cells(name: str, directory: Path) -> pd.DataFrame:
    """Figures of a data set, checked against the dictionary once per process.

    One row per region and year, one column per variable and vintage.
    """
    rules = _dictionary(directory)
    rules = rules[(rules["dataset"] == name) & (rules["formula"] == "")]
    flagged = _flags(directory)
    flagged = flagged[flagged["dataset"] == name]
    keys = ["region_code", "year", "variable", "vintage", "check"]
    odd: Flags = frozenset(flagged[keys].itertuples(index=False, name=None))
    path = remembered(directory / f"{name}.csv")
    if name in _LONG:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        rows = _numeric(rows, ["year", "value"], path.name, blank=["nan"])
        sources = set(_text_table(directory / "sources.csv")["source"])
        validate(rows, rules, odd, sources, path.name)
        rows = rows.astype({"year": int})
        return rows.pivot(
            index=["region_code", "year"], columns=["variable", "vintage"], values="value"
        )
    wide = _numbers_by_column(path)
    validate_wide(wide, rules, odd, path.name)
    columns = columns_of(rules)
    cells = wide.set_index(["region_code", "year"])[list(columns.values())]
    return cells.set_axis(pd.MultiIndex.from_tuples(columns), axis=1)


def _numbers_by_column(path: Path) -> pd.DataFrame:
    """A wide file, or a `DataError` that names line and column of what is not a number."""
    try:
        return pd.read_csv(path, dtype={"region_code": str, "year": int}).astype(
            dict.fromkeys(pd.read_csv(path, nrows=0).columns[2:], float)
        )
    except ValueError:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        return _numeric(table, list(table.columns[1:]), path.name).astype({"year": int})


def _text_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(remembered(path), dtype=str, keep_default_na=False)


def _variable(row: dict[Hashable, Any], breaks: tuple[Break, ...]) -> Variable:
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
        breaks=breaks,
        **{name: row[name] for name in texts},
    )
