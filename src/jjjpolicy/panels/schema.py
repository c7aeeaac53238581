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
OUT_OF_RANGE = ("spike", "slip", "negative")

Flags = frozenset[tuple[str, int, str, str, str]]


def validate(
    long: pd.DataFrame, dictionary: pd.DataFrame, flags: Flags, sources: set[str], file: str
) -> None:
    """Check a data file with one row per figure against the data dictionary.

    Parameters
    ----------
    long : DataFrame
        Rows of the file in their order, with the columns ``COLUMNS``, ``value`` numeric.
    dictionary : DataFrame
        Rows of the dictionary for the published variables of this data set.
    flags : set of (region, year, variable, vintage, check)
        Figures that are known to be odd, which need not sum to their whole.
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
    problems = problems or list(_series_problems(long, dictionary, flags))
    _refuse(problems, file)


def validate_wide(wide: pd.DataFrame, dictionary: pd.DataFrame, flags: Flags, file: str) -> None:
    """Check a data file with one row per region and year against the data dictionary.

    An empty cell is a gap, and the dictionary counts the cells that are not.

    Parameters
    ----------
    wide : DataFrame
        Rows of the file in their order: region_code, year, and a column for each variable and
        vintage, named as :func:`columns_of` says, numeric.
    dictionary, flags, file
        As for :func:`validate`. Flagged figures may lie outside the plausible range.

    Raises
    ------
    DataError
        As for :func:`validate`.
    """
    expected = columns_of(dictionary)
    if sorted(wide.columns) != sorted([*KEYS[:2], *expected.values()]):
        odd = sorted(set(wide.columns) ^ {*KEYS[:2], *expected.values()})
        raise DataError(
            f"{file}: the columns must be region_code, year and those of variables.csv; "
            f"{', '.join(odd)} is in one of the two only."
        )
    problems = list(_cell_problems(wide, dictionary, flags))
    if not problems:
        wanted = _with_parts(dictionary)
        summed = {key: column for key, column in expected.items() if key in wanted}
        values = wide.set_index(KEYS[:2])[list(summed.values())].unstack("year")
        tables = {key: pd.DataFrame(values[column]) for key, column in summed.items()}
        problems = list(_part_problems(dictionary, tables, flags))
    _refuse(problems, file)


def columns_of(dictionary: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Column of a wide file for each variable and vintage.

    The name of the variable; where it comes in several vintages or its vintage is one of those,
    ``variable:vintage``.
    """
    keys = list(zip(dictionary["variable"], dictionary["vintage"], strict=True))
    names = list(dictionary["variable"])
    several = {vintage for name, vintage in keys if names.count(name) > 1}
    return {
        (name, vintage): f"{name}:{vintage}" if vintage in several else name
        for name, vintage in keys
    }


def _refuse(problems: list[str], file: str) -> None:
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


def _cell_problems(wide: pd.DataFrame, dictionary: pd.DataFrame, flags: Flags) -> Iterator[str]:
    """Problems of single rows and cells of a wide file."""
    unknown = ~wide["region_code"].isin(list(regions)).to_numpy()
    again = wide.duplicated(KEYS[:2]).to_numpy()
    for problem, marked in (("unknown region code", unknown), ("second row", again)):
        for index in np.flatnonzero(marked):
            row = wide.loc[index]
            yield f"line {index + 2} ({_place(str(row['region_code']))}, {row['year']}): {problem}"
    codes, years = wide["region_code"].to_numpy(), wide["year"].to_numpy()
    columns = columns_of(dictionary)
    for rule in dictionary.to_dict("records"):
        key = name, vintage = rule["variable"], rule["vintage"]
        values = wide[columns[key]].to_numpy(dtype=float)
        given = ~np.isnan(values)
        odd = given & ~((values >= rule["plausible_low"]) & (values <= rule["plausible_high"]))
        expected = _years(rule)
        for problem, marked in (
            ("value is outside the plausible range in variables.csv", odd),
            (
                "year is a gap or outside the years in variables.csv",
                given & ~np.isin(years, expected),
            ),
        ):
            for index in np.flatnonzero(marked):
                code, year = str(codes[index]), int(years[index])
                if (
                    marked is odd
                    and np.isfinite(values[index])
                    and _flagged(flags, code, year, key)
                ):
                    continue
                yield (
                    f"line {index + 2} ({_place(code)}, {year}, {name}, {vintage}, "
                    f"{values[index]:.15g}): {problem}"
                )
        empty = [year for year in expected if not given[years == year].any()]
        if empty:
            yield f"{name}, {vintage} has no value in {empty[0]}, which is not listed as a gap"
        if given.sum() != rule["cells"]:
            yield (
                f"{name}, {vintage} has {given.sum()} values, and variables.csv says "
                f"{rule['cells']:.0f}"
            )


def _years(rule: dict[Any, Any]) -> list[int]:
    """Years in which some region has a figure."""
    gaps = {year for code, year in known_gaps(rule["gaps"]) if not code}
    span = range(int(rule["first_year"]), int(rule["last_year"]) + 1)
    return [year for year in span if year not in gaps]


def _flagged(flags: Flags, code: str, year: int, key: tuple[str, str]) -> bool:
    return any((code, year, *key, check) in flags for check in OUT_OF_RANGE)


def _describe(long: pd.DataFrame, index: int) -> str:
    row = long.loc[index]
    return (
        f"line {index + 2} ({_place(str(row['region_code']))}, {row['year']}, {row['variable']}, "
        f"{row['vintage']}, {row['value']:.15g})"
    )


def _place(code: str) -> str:
    return f"{code} {regions[code].name_en}" if code in regions else repr(code)


def _series_problems(long: pd.DataFrame, dictionary: pd.DataFrame, flags: Flags) -> Iterator[str]:
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
    yield from _part_problems(dictionary, tables, flags)


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


def _with_parts(dictionary: pd.DataFrame) -> set[tuple[str, str]]:
    """Variables and vintages that are parts or wholes."""
    parts = dictionary[dictionary["part_of"] != ""]
    wholes = [division.partition(":")[0] for division in parts["part_of"]]
    return {
        (name, vintage)
        for names in (parts["variable"], wholes)
        for name, vintage in zip(names, parts["vintage"], strict=True)
    }


def _part_problems(
    dictionary: pd.DataFrame, tables: Mapping[tuple[str, str], pd.DataFrame], flags: Flags
) -> Iterator[str]:
    """Parts that do not sum to their whole, a variable or a number, and are not flagged."""
    parts = dictionary[dictionary["part_of"] != ""]
    for key, group in parts.groupby(["part_of", "vintage"]):
        division, vintage = map(str, key)
        names, total = list(group["variable"]), division.partition(":")[0]
        if any((name, vintage) not in tables for name in names):
            continue
        shape = tables[names[0], vintage]
        whole = tables.get((total, vintage), shape * 0 + float(total if total.isdigit() else "nan"))
        ratio = sum(tables[name, vintage].reindex_like(whole) for name in names) / whole
        for code, year in _cells((ratio - 1).abs() > PARTS_TOLERANCE):
            if any((code, year, name, vintage, "sum") in flags for name in (total, *names)):
                continue
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
