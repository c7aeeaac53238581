"""Tax paths and moves of firms: checks, and arrays of firms by years."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.errors import DataError, JJJPolicyWarning
from jjjpolicy.fiscal.rule import TAXES, SharingRule
from jjjpolicy.linalg.brief import brief
from jjjpolicy.registry.lookup import unknown_name

MOVE_COLUMNS = ("firm", "origin", "destination", "moved", "started", "origin_led", "fits_plan")


@dataclass(frozen=True, eq=False)
class TaxPaths:
    """Taxes of firms by year, in the order of ``moves``.

    ``shared`` and ``unshared`` are local taxes in and out of the rule's scope, ``measure`` the
    taxes in scope that threshold and cap look at; all of shape (firms, years). ``present`` marks
    the years that the data cover.
    """

    moves: pd.DataFrame
    years: NDArray[np.int64]
    shared: NDArray[np.float64]
    unshared: NDArray[np.float64]
    measure: NDArray[np.float64]
    present: NDArray[np.bool_]

    __repr__ = brief

    @property
    def moved(self) -> NDArray[np.int64]:
        """Year of the move, a column for broadcasting against years."""
        return self.moves["moved"].to_numpy(dtype=np.int64)[:, None]

    @property
    def started(self) -> NDArray[np.int64]:
        """First year of production, a column for broadcasting against years."""
        return self.moves["started"].to_numpy(dtype=np.int64)[:, None]


def read_tax_paths(taxes: pd.DataFrame, moves: pd.DataFrame, rule: SharingRule) -> TaxPaths:
    """Check the data of firms and arrange them by firm and year.

    Raises
    ------
    DataError
        Missing columns, firms or years; duplicates; negative or missing amounts; unknown taxes.
    """
    moves = _check_moves(moves)
    measured = "local" if rule.measured_on_local_part else "paid"
    needs_measure = rule.threshold > 0 or rule.cap is not None
    columns = ["firm", "year", "tax", "local"]
    if needs_measure and measured not in columns:
        columns.append(measured)
    for column in columns:
        if column not in taxes:
            raise DataError(_missing_column(column))
    taxes = taxes[columns]
    if taxes.empty:
        raise DataError("the tax path is empty; give at least one row.")
    if not pd.api.types.is_integer_dtype(taxes["year"]):
        raise DataError(f"years of the tax path must be whole numbers, not {taxes['year'].dtype}.")
    for column in sorted({"local", *columns} & {"local", "paid"}):
        amounts = pd.to_numeric(taxes[column], errors="coerce").to_numpy(dtype=float)
        wrong = ~(np.isfinite(amounts) & (amounts >= 0))
        if wrong.any():
            row = taxes.iloc[int(wrong.argmax())]
            raise DataError(
                f"tax path of firm {row['firm']!r}, {row['year']}, {row['tax']!r}: {column} is "
                f"{row[column]!r}; it must be a number of at least 0 (million yuan)."
            )
    for tax in taxes["tax"].unique():
        if tax not in TAXES:
            raise unknown_name("tax", tax, TAXES)
    twice = taxes.duplicated(["firm", "year", "tax"])
    if twice.any():
        row = taxes[twice].iloc[0]
        raise DataError(
            f"firm {row['firm']!r} has {row['tax']!r} twice in {row['year']}; add them up first."
        )
    _check_firms(taxes, moves)
    _warn_of_divided_scope(taxes, rule)
    base_years = rule.base_years if needs_measure else 0
    first = min(int(taxes["year"].min()), int(moves["moved"].min()) - base_years)
    last = max(int(taxes["year"].max()), int(moves["moved"].max()))
    years = np.arange(first, last + 1)
    row_of = pd.Index(moves["firm"]).get_indexer(taxes["firm"])
    column_of = taxes["year"].to_numpy(dtype=np.int64) - first
    in_scope = taxes["tax"].isin([tax for tax in TAXES if rule.shares_tax(tax)]).to_numpy()
    local = taxes["local"].to_numpy(dtype=float)
    measure = taxes[measured].to_numpy(dtype=float) if needs_measure else local
    cells = np.zeros((3, len(moves), years.size))
    np.add.at(cells[0], (row_of, column_of), np.where(in_scope, local, 0.0))
    np.add.at(cells[1], (row_of, column_of), np.where(in_scope, 0.0, local))
    np.add.at(cells[2], (row_of, column_of), np.where(in_scope, measure, 0.0))
    present = np.zeros((len(moves), years.size), dtype=bool)
    present[row_of, column_of] = True
    paths = TaxPaths(moves, years, cells[0], cells[1], cells[2], present)
    _check_years(paths, base_years)
    return paths


def _check_moves(moves: pd.DataFrame) -> pd.DataFrame:
    for column in MOVE_COLUMNS:
        if column not in moves:
            raise DataError(
                f"moves have no column {column!r}; needed are {', '.join(MOVE_COLUMNS)}."
            )
    moves = moves[list(MOVE_COLUMNS)].reset_index(drop=True)
    if moves.empty:
        raise DataError("moves are empty; give at least one firm.")
    twice = moves["firm"].duplicated()
    if twice.any():
        raise DataError(f"firm {moves.loc[twice, 'firm'].iloc[0]!r} moves twice; one row a firm.")
    for column in ("moved", "started"):
        numbers = pd.to_numeric(moves[column], errors="coerce")
        wrong = numbers.isna() | (numbers % 1 != 0)
        if wrong.any():
            row = moves[wrong].iloc[0]
            raise DataError(f"firm {row['firm']!r}: {column} is {row[column]!r}, not a year.")
        moves[column] = numbers.astype(np.int64)
    for column in ("origin_led", "fits_plan"):
        wrong = ~moves[column].isin([True, False])
        if wrong.any():
            row = moves[wrong].iloc[0]
            raise DataError(
                f"firm {row['firm']!r}: {column} is {row[column]!r}, not true or false."
            )
        moves[column] = moves[column].astype(bool)
    for column in ("origin", "destination"):
        wrong = ~moves[column].map(lambda region: isinstance(region, str))
        if wrong.any():
            row = moves[wrong].iloc[0]
            raise DataError(f"firm {row['firm']!r}: {column} is {row[column]!r}; write it as text.")
    same = moves["origin"] == moves["destination"]
    if same.any():
        row = moves[same].iloc[0]
        raise DataError(f"firm {row['firm']!r} moves from {row['origin']!r} to itself.")
    early = moves["started"] < moves["moved"]
    if early.any():
        row = moves[early].iloc[0]
        raise DataError(
            f"firm {row['firm']!r} starts production in {row['started']}, before its move in "
            f"{row['moved']}."
        )
    return moves


def _check_firms(taxes: pd.DataFrame, moves: pd.DataFrame) -> None:
    with_taxes, with_move = set(taxes["firm"]), set(moves["firm"])
    for firm in sorted(with_taxes - with_move, key=str):
        raise DataError(f"firm {firm!r} has taxes and no row in moves.")
    for firm in sorted(with_move - with_taxes, key=str):
        raise DataError(f"firm {firm!r} has a row in moves and no taxes.")


def _warn_of_divided_scope(taxes: pd.DataFrame, rule: SharingRule) -> None:
    pair = ("value_added_tax", "business_tax")
    if rule.shares_tax(pair[0]) != rule.shares_tax(pair[1]) and set(pair) <= set(taxes["tax"]):
        warnings.warn(
            "the rule shares only one of value-added tax and business tax, and the tax path has "
            "both. Business tax became value-added tax in May 2016: years before and after are not "
            "alike in scope.",
            JJJPolicyWarning,
            stacklevel=4,
        )


def _check_years(paths: TaxPaths, base_years: int) -> None:
    """Each firm has every year from its first, or its base years, to its last, or its move."""
    years, present, moved = paths.years, paths.present, paths.moved
    first = np.minimum(years[present.argmax(axis=1)][:, None], moved - base_years)
    last = np.maximum(years[years.size - 1 - present[:, ::-1].argmax(axis=1)][:, None], moved)
    missing = (years >= first) & (years <= last) & ~present
    if missing.any():
        row, column = np.argwhere(missing)[0]
        year, firm = years[column], paths.moves["firm"][row]
        before = moved[row, 0] - base_years <= year < moved[row, 0]
        why = f"one of the {base_years} years before the move" if before else "a gap"
        raise DataError(f"firm {firm!r} has no taxes in {year} ({why}); give 0 if it paid none.")


def _missing_column(column: str) -> str:
    if column == "local":
        return "the tax path has no column 'local'; give it, or compute it with add_local_part."
    if column == "paid":
        return (
            "the tax path has no column 'paid', and the rule measures threshold and cap on all tax "
            "paid; give it, or use dataclasses.replace(rule, measured_on_local_part=True)."
        )
    return f"the tax path has no column {column!r}; needed are firm, year, tax, local, paid."
