"""Checks of the bundled data, run when a file is first read; errors name file and row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.registry.regions import NATION, regions

KEYS = ["region_code", "year", "variable", "vintage"]
COLUMNS = [*KEYS, "value", "unit", "source"]
PARTS_TOLERANCE = 0.002
SHOWN = 5


def validate(long: pd.DataFrame, dictionary: pd.DataFrame, sources: set[str], file: str) -> None:
    """Check a data file against the data dictionary.

    Parameters
    ----------
    long : DataFrame
        Rows of the file in their order, with the columns ``COLUMNS``, ``value`` numeric.
    dictionary : DataFrame
        Rows of the dictionary for the published variables of this data set.
    sources : set of str
        Known sources.
    file : str
        Name for messages.

    Raises
    ------
    DataError
        Every row (the first few of them) that breaks a rule, by line number, region, year and
        variable, with the rule.
    """
    if list(long.columns) != COLUMNS:
        raise DataError(f"{file}: the columns must be {', '.join(COLUMNS)}, in this order.")
    problems = list(_row_problems(long, dictionary, sources))
    problems = problems or list(_series_problems(long, dictionary))
    if problems:
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise DataError(f"{file} breaks its schema:\n  " + "\n  ".join(problems[:SHOWN]) + more)


def _row_problems(long: pd.DataFrame, dictionary: pd.DataFrame, sources: set[str]) -> Iterator[str]:
    """Problems of single rows."""
    rule = long[["variable", "vintage"]].merge(
        dictionary, on=["variable", "vintage"], how="left", suffixes=("", "_rule")
    )
    listed = rule["unit"].notna()
    finite = np.isfinite(long["value"])
    nation = long["region_code"] == NATION
    broken = {
        "unknown region code": ~long["region_code"].isin(list(regions)),
        "variable and vintage are not in variables.csv": ~listed,
        "unit is not that of variables.csv": listed & (long["unit"] != rule["unit"]),
        "source is not in sources.csv": ~long["source"].isin(sources),
        "year is outside the years in variables.csv": listed
        & ~long["year"].between(rule["first_year"], rule["last_year"]),
        "value is not a finite number": ~finite,
        "second row for one region, year, variable and vintage": long.duplicated(KEYS),
        "value is outside the plausible range in variables.csv": (listed & finite & ~nation)
        & ~long["value"].between(rule["plausible_low"], rule["plausible_high"]),
    }
    for problem, rows in broken.items():
        for index in np.flatnonzero(rows):
            yield f"{_describe(long, int(index))}: {problem}"


def _describe(long: pd.DataFrame, index: int) -> str:
    row = long.loc[index]
    return (
        f"line {index + 2} ({_place(str(row['region_code']))}, {row['year']}, {row['variable']}, "
        f"{row['vintage']}, {row['value']:.15g})"
    )


def _place(code: str) -> str:
    return f"{code} {regions[code].name_en}" if code in regions else repr(code)


def _series_problems(long: pd.DataFrame, dictionary: pd.DataFrame) -> Iterator[str]:
    """Problems of whole series: missing cells, national totals, parts and wholes."""
    wide = long.pivot(index="region_code", columns=["variable", "vintage", "year"], values="value")
    units = [code for code in wide.index if code != NATION]
    tables = {
        key: wide[key]
        for key in zip(dictionary["variable"], dictionary["vintage"], strict=True)
        if key in wide.columns
    }
    for rule in dictionary.to_dict("records"):
        key = name, vintage = rule["variable"], rule["vintage"]
        if key not in tables:
            yield f"no rows for {name}, {vintage}"
            continue
        years = range(int(rule["first_year"]), int(rule["last_year"]) + 1)
        present = tables[key].reindex(index=units, columns=list(years)).notna()
        expected = pd.DataFrame(True, index=present.index, columns=present.columns)
        for code, year in known_gaps(rule["gaps"]):
            expected.loc[code or slice(None), year] = False
        for code, year in _cells(expected & ~present):
            yield f"no row for {_place(code)}, {year}, {name}, {vintage}"
        for code, year in _cells(present & ~expected):
            yield f"{_place(code)}, {year}, {name}, {vintage} is listed as a gap, but has a row"
        yield from _national_problems(rule, tables[key], units)
    yield from _part_problems(dictionary, tables)


def _cells(marked: pd.DataFrame) -> list[tuple[str, int]]:
    rows, columns = np.nonzero(marked.to_numpy())
    return [
        (str(marked.index[int(i)]), int(marked.columns[int(j)]))
        for i, j in zip(rows, columns, strict=True)
    ]


def _national_problems(
    rule: dict[Any, Any], table: pd.DataFrame, units: list[str]
) -> Iterator[str]:
    if np.isnan(rule["national_low"]) or NATION not in table.index:
        return
    provinces = table.reindex(units)
    ratio = provinces.sum() / table.loc[NATION]
    too_low = (ratio < rule["national_low"]) & provinces.notna().all()
    for year in ratio.index[too_low | (ratio > rule["national_high"])]:
        yield (
            f"provinces sum to {ratio[year]:.4f} of the national figure for {year}, "
            f"{rule['variable']}, {rule['vintage']}; it should be {rule['national_low']:g} to "
            f"{rule['national_high']:g}"
        )


def _part_problems(
    dictionary: pd.DataFrame, tables: Mapping[tuple[str, str], pd.DataFrame]
) -> Iterator[str]:
    parts = dictionary[dictionary["part_of"] != ""]
    for key, group in parts.groupby(["part_of", "vintage"]):
        division, vintage = map(str, key)
        names, total = list(group["variable"]), division.partition(":")[0]
        if any((name, vintage) not in tables for name in (total, *names)):
            continue
        whole = tables[total, vintage]
        ratio = sum(tables[name, vintage].reindex_like(whole) for name in names) / whole
        for code, year in _cells((ratio - 1).abs() > PARTS_TOLERANCE):
            found: Any = ratio.at[code, year]
            yield (
                f"{', '.join(names)} sum to {found:.4f} of {total} for "
                f"{_place(code)}, {year}, {vintage}"
            )


def known_gaps(text: str) -> set[tuple[str, int]]:
    """Cells that are known to be missing.

    ``2017`` is a year without any region (code ``""`` in the result), ``110000:2012`` one cell,
    ``630000:2013-2022`` a span; several are joined by semicolons.
    """
    gaps: set[tuple[str, int]] = set()
    for item in filter(None, text.split(";")):
        code, _, years = item.rpartition(":")
        first, _, last = years.partition("-")
        gaps |= {(code, year) for year in range(int(first), int(last or first) + 1)}
    return gaps
