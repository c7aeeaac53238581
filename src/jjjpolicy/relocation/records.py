"""Firm records: one row per firm and year, checked once, queried often."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import unknown_name
from jjjpolicy.registry.regions import regions
from jjjpolicy.relocation.engine import NO_RECORDS, collect, fetch, open_table

if TYPE_CHECKING:
    import pandas as pd

LEVEL_DIGITS = {"province": 2, "prefecture": 4}

Source = Any  # path, list of paths, DataFrame or Ibis table


@dataclass(frozen=True)
class FirmRecords:
    """Checked firm records; made by :func:`firm_records` or :func:`from_events`.

    Attributes
    ----------
    table : Ibis table
        Columns firm, year, region and, where given, industry and size. Nothing is in memory until
        a result is asked for.
    connection : Ibis connection
        Runs the queries.
    columns : tuple of str
        Columns of ``table``.
    years : tuple of int
        First and last year.
    region_codes : tuple of str
        Sorted codes of the regions that occur.
    rows : int
        Firm-years.
    level : str or None
        Level to which regions were taken by :meth:`at_level`.
    """

    table: Any = field(repr=False)
    connection: Any = field(repr=False)
    columns: tuple[str, ...]
    years: tuple[int, int]
    region_codes: tuple[str, ...]
    rows: int
    level: str | None = None

    def at_level(self, level: str) -> FirmRecords:
        """The same records with regions at a higher level.

        Parameters
        ----------
        level : str
            ``"province"`` or ``"prefecture"``; see :class:`jjjpolicy.registry.regions.Region`. A
            code that is above the level already stays as it is.

        Raises
        ------
        DataError
            Unknown level, or codes that are not six digits of GB/T 2260.
        """
        if level not in LEVEL_DIGITS:
            raise unknown_name("level", level, LEVEL_DIGITS)
        for code in self.region_codes:
            if not _six_digits(code):
                raise DataError(
                    f"region {code!r} is no GB/T 2260 code, so that its {level} is unknown; give "
                    f"records at the level that you want."
                )
        keep = LEVEL_DIGITS[level]
        codes = {code[:keep].ljust(6, "0") for code in self.region_codes}
        return replace(
            self,
            table=raised(self.table, level),
            region_codes=tuple(sorted(codes)),
            level=level,
        )

    def require(self, column: str, purpose: str) -> None:
        """Refuse to go on without an optional column.

        Parameters
        ----------
        column : str
        purpose : str
            What needs it, for the message.

        Raises
        ------
        DataError
            The records have no such column.
        """
        if column not in self.columns:
            raise DataError(
                f"{purpose} needs the column {column!r}; name it with {column}=… when the "
                f"records are read."
            )

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write the records to a Parquet file (a directory on Spark)."""
        self.connection.to_parquet(self.table, os.fspath(path))


def firm_records(
    source: Source,
    *,
    firm: str = "firm",
    year: str = "year",
    region: str = "region",
    industry: str | None = "industry",
    size: str | None = "size",
    region_codes: Collection[str] | None = None,
    connection: Any = None,
) -> FirmRecords:
    """Read and check firm records.

    Parameters
    ----------
    source : path, list of paths, DataFrame or Ibis table
        One row per firm and year in which it is registered (or active). Parquet files are read
        in place, not loaded.
    firm : str
        Column that identifies the firm: text or whole numbers.
    year : str
        Column of whole numbers.
    region : str
        Column of region codes, text; for China six digits of GB/T 2260 at any level.
    industry : str, optional
        Column of industry codes, text or whole numbers; None if there is none.
    size : str, optional
        Column of numbers that are not negative, such as employees or registered capital, in any
        unit; sums come out in the same unit. None if there is none.
    region_codes : collection of str, optional
        All codes that may occur. By default six-digit codes within the 31 provinces.
    connection : Ibis connection, optional
        Such as ``ibis.pyspark.connect(session)``; DuckDB by default.

    Returns
    -------
    FirmRecords

    Raises
    ------
    DataError
        A missing column, a column of the wrong type, a missing or negative value, an unknown
        region, or a second row for one firm and year; the message names column, firm and year.
    MissingExtraError
        Ibis is not installed.
    """
    table, connection = open_table(source, connection)
    wanted = {"firm": firm, "year": year, "region": region, "industry": industry, "size": size}
    table = named_columns(table, wanted)
    check_values(table, connection, wanted, "firm")
    check_unique(table, connection, wanted, "firm", "year")
    return assembled(table, connection, str(wanted["region"]), region_codes)


def assembled(
    table: Any, connection: Any, region: str, region_codes: Collection[str] | None
) -> FirmRecords:
    """Records from a table whose values are checked, after its regions are."""
    codes = checked_regions(table, connection, region, region_codes)
    summary = fetch(
        table.aggregate(first=table.year.min(), last=table.year.max(), rows=table.count()),
        connection,
    )
    return FirmRecords(
        table=table,
        connection=connection,
        columns=tuple(table.columns),
        years=(int(summary["first"].iloc[0]), int(summary["last"].iloc[0])),
        region_codes=codes,
        rows=int(summary["rows"].iloc[0]),
    )


def raised(table: Any, level: str | None) -> Any:
    """The table with its regions at a level; as it is for None."""
    if level is None:
        return table
    keep = LEVEL_DIGITS[level]
    return table.mutate(region=table.region.left(keep) + "0" * (6 - keep))


def as_records(records: FirmRecords | Source) -> FirmRecords:
    """Records as they are; anything else is read and checked first."""
    return records if isinstance(records, FirmRecords) else firm_records(records)


def named_columns(table: Any, wanted: dict[str, str | None]) -> Any:
    """The wanted columns under their standard names, after their types are checked.

    Raises
    ------
    DataError
        A column is absent or has a type that its role does not allow.
    """
    present = {role: name for role, name in wanted.items() if name is not None}
    for role, name in present.items():
        if name not in table.columns:
            optional = f", or pass {role}=None" if role in ("industry", "size") else ""
            raise DataError(
                f"the records have no column {name!r} for {role}; the columns are "
                f"{', '.join(table.columns)}. Name the right one with {role}=…{optional}."
            )
        _check_type(role, name, table.schema()[name])
    chosen = table.select(**{role: table[name] for role, name in present.items()})
    standard = {"year": "int64", "size": "float64"}
    return chosen.cast({role: kind for role, kind in standard.items() if role in present})


def _check_type(role: str, name: str, found: Any) -> None:
    text_or_integer = "text or whole numbers", found.is_string() or found.is_integer()
    rules = {
        "year": ("whole numbers", found.is_integer()),
        "region": ("text, such as '110000'", found.is_string()),
        "parent_region": ("text, such as '110000'", found.is_string()),
        "size": ("numbers", found.is_numeric() and not found.is_boolean()),
        "event": ("text", found.is_string()),
        "date": ("dates", found.is_date() or found.is_timestamp()),
    }
    expected, right = rules.get(role, text_or_integer)
    if not right:
        raise DataError(f"column {name!r} ({role}) must hold {expected}, not {found}; convert it.")


def check_values(
    table: Any, connection: Any, names: dict[str, str | None], unit: str, time: str = "year"
) -> None:
    """Refuse missing, infinite and negative values, naming the first row.

    Raises
    ------
    DataError
        As described.
    """
    missing = {role: _is_missing(table, role) for role in table.columns}
    rules = {f"missing {role}": rule for role, rule in missing.items()}
    if "size" in table.columns:
        rules["negative size"] = table["size"] < 0
        if table.schema()["size"].is_floating():
            rules["infinite size"] = table["size"].isinf()
    counts = fetch(
        table.aggregate(rows=table.count(), **{name: rule.sum() for name, rule in rules.items()}),
        connection,
    ).iloc[0]
    if counts["rows"] == 0:
        raise DataError(NO_RECORDS)
    for name, rule in rules.items():
        found = 0 if counts[name] != counts[name] else int(counts[name] or 0)
        if found:
            problem, role = name.split()
            raise DataError(
                f"column {names[role]!r} is {problem} for "
                f"{_first_row(table.filter(rule), connection, names, unit, time)}"
                f"{_more(found)}; correct these rows or leave them out yourself."
            )


def _is_missing(table: Any, role: str) -> Any:
    column = table[role]
    if table.schema()[role].is_floating():
        return column.isnull() | column.isnan()
    return column.isnull()


def check_unique(
    table: Any, connection: Any, names: dict[str, str | None], unit: str, time: str, why: str = ""
) -> None:
    """Refuse a second row for one unit and time.

    Raises
    ------
    DataError
        The message names the first unit and time with more than one row.
    """
    repeated = table.group_by([unit, time]).aggregate(copies=lambda t: t.count())
    repeated = repeated.filter(repeated.copies > 1)
    first = fetch(repeated.order_by([unit, time]).limit(1), connection)
    if len(first):
        row = first.iloc[0]
        found = int(fetch(repeated.aggregate(n=repeated.count()), connection)["n"].iloc[0])
        raise DataError(
            f"there are {row['copies']} rows for {names[unit]} {row[unit]!r} in {names[time]} "
            f"{row[time]}{_more(found)}; {why or 'keep one row each.'}"
        )


def checked_regions(
    table: Any, connection: Any, name: str, region_codes: Collection[str] | None
) -> tuple[str, ...]:
    """Sorted codes of the regions that occur.

    Raises
    ------
    DataError
        One of them is unknown.
    """
    counted = table.group_by("region").aggregate(rows=lambda t: t.count())
    found: pd.DataFrame = collect(counted, connection, ["region"])
    for code, rows in zip(found["region"], found["rows"], strict=True):
        if region_codes is None and not _is_known(code):
            provinces = [f"{each.code} ({each.name_en})" for each in regions.provinces]
            error = unknown_name("region code", code, provinces, regions)
        elif region_codes is not None and code not in region_codes:
            error = unknown_name("region code", code, sorted(region_codes))
        else:
            continue
        raise DataError(
            f"column {name!r}, {rows} rows: {error} Codes of other countries or your own are "
            f"allowed by region_codes=[…]."
        )
    return tuple(found["region"])


def _is_known(code: str) -> bool:
    """Whether a code, bundled or not, lies in one of the 31 provinces."""
    province = regions.get(code[:2] + "0000") if _six_digits(code) else None
    return province is not None and province.level == "province"


def _six_digits(code: str) -> bool:
    return len(code) == 6 and code.isascii() and code.isdigit()


def _first_row(
    rows: Any, connection: Any, names: dict[str, str | None], unit: str, time: str
) -> str:
    keys: Sequence[str] = [key for key in (unit, time) if key in rows.columns]
    row = fetch(rows.select(*keys).order_by(list(keys)).limit(1), connection).iloc[0]
    return f"{names[unit]} {row[unit]!r} in {names[time]} {row[time]}"


def _more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""
