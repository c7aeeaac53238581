"""What an engine is asked, through Ibis, so that it sums units up by kind; see `summaries`.

One query lays every unit out as a row with a column per period, and says what is wrong with it; two
sum these rows up by kind, the second after centring by the means of the first. What is wrong is
named by the checks of tables in memory, to which the rows of the first units concerned are handed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import reduce
from itertools import combinations_with_replacement
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy._extras import load
from jjjpolicy.design.intake.batches import Batches
from jjjpolicy.design.intake.columns import Columns
from jjjpolicy.design.intake.periods import TimeColumn
from jjjpolicy.design.intake.summaries import Kind, Likes, Moments
from jjjpolicy.design.intake.summed import LARGEST, Groups, levels, require_few
from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

WORD = 62
"""Periods whose presence fits into one integer."""
TERMS = 600
"""Sums asked of the engine in one query."""
LATEST = 2.0**62
"""What no period exceeds."""
SHOWN = 5
"""Units with faulty rows that are fetched so that a message can name them."""


def fetched(expression: Any) -> pd.DataFrame:
    """Result of a query, through Arrow, so that types do not depend on the engine."""
    frame: pd.DataFrame = expression.to_pyarrow().to_pandas()
    return frame


@dataclass(frozen=True, eq=False)
class Queries:
    """The rows of an Ibis table that hold whole units, and what is asked of its engine.

    Attributes
    ----------
    table : ibis.Table
        With periods, adoption, outcome and covariates as numbers.
    given : ibis.Table
        As the user has it, for messages.
    columns : Columns
    periods : ndarray of int, shape (periods,)
    time : TimeColumn
    groups : Groups
        Codes of groups, which all parts of a table share.
    whole : bool
        Whether these are all rows, and not those of one of several `parts`.
    stack : ExitStack
        Frees what the engine keeps in between.
    """

    table: Any
    given: Any
    columns: Columns
    periods: Integers
    time: TimeColumn
    groups: Groups
    whole: bool
    stack: ExitStack

    def summed(self) -> tuple[list[Kind], Counter[int]]:
        """All units, once the engine has checked and summed them up; and how many adopt later."""
        units = self._kept(self._units())
        self._require_sound(units)
        kinds = self._kept(self._kinds(units))
        table = fetched(kinds.order_by(self._keys()).limit(LARGEST + 1))
        rows = np.minimum(table["number"], table["seen"] + 1)
        require_few(int(rows.sum()), len(table), self.columns)
        traits = self._traits(table)
        members = self._members(units, kinds)
        few = (table["number"] == rows).to_numpy() & (self.columns.assigned_at is None)
        found: list[Kind] = []
        if few.any():
            found += self._single(members, table[few], traits[few])
        if not few.all():
            found += self._moments(members, table[~few], traits[~few])
        return found, self._later(units)

    def _kept(self, expression: Any) -> Any:
        """The result of a query, kept by the engine for as long as the stack lasts."""
        kept = expression.cache()
        self.stack.callback(_release, kept)
        return kept

    # ------------------------------------------------------------------ a row for each unit
    def _units(self) -> Any:
        """One row per unit: outcome by period, what units may share, and what is wrong."""
        ibis, columns, table = load("ibis"), self.columns, self.table
        sums = {"rows": table.count()}
        faults: list[Any] = []
        sums |= self._paths(columns.outcome, "y", faults)
        faults.append(_total(self._present()) < ibis._.rows)
        sums |= self._treatment(faults)
        if columns.weights is not None:
            weights = _finite(table[columns.weights])
            sums |= {"lightest": weights.min(), "weight": weights.max()}
            sums["weighted"] = weights.count(where=weights > 0)
            faults += [ibis._.weighted < ibis._.rows, ibis._.lightest != ibis._.weight]
        for k, name in enumerate(levels(columns)):
            sums |= {f"other{k}": table[name].min(), f"g{k}": table[name].max()}
            faults.append(ibis._[f"other{k}"] != ibis._[f"g{k}"])
        for k, name in enumerate(columns.covariates):
            sums |= self._paths(name, f"x{k}_", faults)
        fault = ibis.literal(0)
        for number, faulty in reversed(list(enumerate(faults, start=1))):
            fault = ibis.ifelse(faulty.fill_null(False), number, fault)
        last = int(self.periods[-1])
        dated = ibis._["first"].between(-LATEST, last)
        cohort = ibis.ifelse(dated, ibis._["first"], last + 1)
        units = table.group_by(unit=table[columns.unit]).agg(**sums)
        return units.mutate(
            fault=fault,
            cohort=cohort.cast("int64"),
            seen=_total(self._present()),
            **self._words(),
        ).select(
            "unit", "fault", "first", "seen", *self._keys(), *map("y{}".format, self._positions())
        )

    def _paths(self, name: str, prefix: str, faults: list[Any]) -> dict[str, Any]:
        """A column's value in each period, which must be finite in every row."""
        ibis, time = load("ibis"), self.table[self.columns.time]
        values = _finite(self.table[name])
        sums = {
            f"{prefix}{t}": values.max(where=time == int(self.periods[t]))
            for t in self._positions()
        }
        faults.append(ibis._[f"{prefix}rows"] < ibis._.rows)
        return {**sums, f"{prefix}rows": values.count()}

    def _treatment(self, faults: list[Any]) -> dict[str, Any]:
        """First treated period, missing or infinite for never."""
        ibis, columns, table = load("ibis"), self.columns, self.table
        if columns.treatment is not None:
            time, on = table[columns.time].cast("float64"), table[columns.treatment].cast("float64")
            faults += [ibis._.coded < ibis._.rows, ibis._.off > ibis._["first"]]
            return {
                "first": time.min(where=on == 1),
                "off": time.max(where=on == 0),
                "coded": on.count(where=(on == 0) | (on == 1)),
            }
        never = ibis.literal(float("inf"))
        values = table[columns.adoption].cast("float64")
        values = ibis.ifelse(values.isnull() | values.isnan() | (values == 0), never, values)
        earliest, latest = ibis._.earliest, ibis._["first"]
        faults += [
            earliest < (0 if self.periods[0] > 0 else -LATEST),
            earliest != latest,
            (latest < LATEST) & (latest % 1 != 0),
        ]
        return {"earliest": values.min(), "first": values.max()}

    def _require_sound(self, units: Any) -> None:
        """Hand the rows of the first units with a fault to the checks of tables in memory."""
        columns = self.columns
        faulty = units.filter(units.fault > 0).group_by("fault").agg(number=lambda t: t.count())
        counts = fetched(faulty.order_by("fault"))
        if counts.empty:
            return
        fault, number = counts[["fault", "number"]].to_numpy()[0].tolist()
        chosen = units.filter(units.fault == fault).order_by("unit").limit(SHOWN)
        labels = fetched(chosen.select("unit"))["unit"].tolist()
        rows = self.given.filter(self.given[columns.unit].isin(labels))
        frame = fetched(rows.order_by(columns.unit, columns.time))
        try:
            Batches(columns, self.periods, self.time).add(frame)
        except DesignError as error:
            if number <= SHOWN:
                raise
            raise DesignError(
                f"{error} {'' if self.whole else 'At least '}{number:,} {columns.unit}s have such "
                f"rows; this is about the first "
                f"{SHOWN} of them."
            ) from None
        raise AssertionError(f"fault {fault} of {labels}")

    def _later(self, units: Any) -> Counter[int]:
        """Number of units that adopt after the last period, by period."""
        found = Counter[int]()
        if self.columns.adoption is not None:
            after = units.filter(units["first"].between(int(self.periods[-1]) + 1, int(LATEST)))
            counts = fetched(after.group_by("first").agg(number=after.count()))
            found.update({int(first): int(number) for first, number in counts.to_numpy()})
        return found

    # ------------------------------------------------------------------ sums over units
    def _positions(self) -> range:
        return range(len(self.periods))

    def _present(self) -> list[Any]:
        ibis = load("ibis")
        return [ibis._[f"y{t}"].notnull().cast("int64") for t in self._positions()]

    def _words(self) -> dict[str, Any]:
        """Which periods a unit is observed in, as bits; and covariates without gaps."""
        ibis, present = load("ibis"), self._present()
        words = {
            f"p{k // WORD}": _total([p * (1 << j) for j, p in enumerate(present[k : k + WORD])])
            for k in range(0, len(present), WORD)
        }
        paths = [
            f"x{k}_{t}" for k in range(len(self.columns.covariates)) for t in self._positions()
        ]
        return words | {name: ibis._[name].fill_null(0.0) + 0.0 for name in paths}

    def _keys(self) -> list[str]:
        """Columns that tell kinds of units apart."""
        weight = [] if self.columns.weights is None else ["weight"]
        groups = [f"g{k}" for k in range(len(levels(self.columns)))]
        return [*groups, "cohort", *weight, *self._words()]

    def _changes(self, units: Any) -> dict[str, Any]:
        """The first observed outcome, and the change from it to each later period."""
        first = load("ibis").coalesce(*(units[f"y{t}"] for t in self._positions()))
        return {"0": first, **{f"{t}": units[f"y{t}"] - first for t in self._positions()[1:]}}

    def _kinds(self, units: Any) -> Any:
        """One row per kind of unit: its number, and means to centre with."""
        means = {f"mean{t}": value.mean() for t, value in self._changes(units).items()}
        return units.group_by(self._keys()).agg(
            number=units.count(), seen=units.seen.max(), **means
        )

    def _members(self, units: Any, kinds: Any) -> Any:
        """Units with the kind that they are of, and changes net of its means."""
        means = [f"mean{t}" for t in self._positions()]
        known = kinds.select(
            "number", *means, **{f"of_{name}": kinds[name] for name in self._keys()}
        )
        joined = units.join(known, [units[name] == known[f"of_{name}"] for name in self._keys()])
        centred = {
            f"z{t}": value - joined[f"mean{t}"] for t, value in self._changes(joined).items()
        }
        outcomes = [f"y{t}" for t in self._positions()]
        return joined.select(*self._keys(), "number", "seen", "unit", *outcomes, **centred)

    def _traits(self, table: pd.DataFrame) -> Floats:
        """What each kind has in common, as `Summed` packs it."""
        columns = self.columns
        codes = [
            self.groups.codes(level, table[f"g{k}"].tolist())
            for k, level in enumerate(levels(columns))
        ]
        cohort = table["cohort"].to_numpy(dtype=float)
        words = [table[f"p{t // WORD}"].to_numpy() >> (t % WORD) & 1 for t in self._positions()]
        paths = [name for name in self._keys() if name.startswith("x")]
        weights = np.ones(len(table)) if columns.weights is None else table["weight"].to_numpy()
        adoption = np.where(cohort > self.periods[-1], np.inf, cohort)
        return np.column_stack([adoption, weights, *codes, *words, table[paths]])

    def _seen(self, traits: Floats) -> Booleans:
        start = 2 + len(levels(self.columns))
        seen: Booleans = traits[start : start + len(self.periods)] == 1
        return seen

    def _single(self, members: Any, table: pd.DataFrame, traits: Floats) -> Iterator[Kind]:
        """Kinds of so few units that each stands for itself."""
        outcomes = [f"y{t}" for t in self._positions()]
        few = members.filter(members.number <= members.seen + 1)
        frame = self._placed(few.select(*self._keys(), "unit", *outcomes), table)
        for _, rows in frame.sort_values(["place", "unit"]).groupby("place"):
            own = traits[rows["place"].iloc[0]]
            likes = Likes(own, self._seen(own))
            likes.add(rows[outcomes].to_numpy()[:, likes.present], rows["unit"].tolist())
            yield likes

    def _placed(self, expression: Any, table: pd.DataFrame) -> pd.DataFrame:
        """Result of a query, with the place of each row's kind in a table of kinds."""
        places = table[self._keys()].assign(place=np.arange(len(table)))
        return fetched(expression).merge(places, on=self._keys())

    def _moments(self, members: Any, table: pd.DataFrame, traits: Floats) -> Iterator[Kind]:
        """Kinds of many units, from centred sums of their outcomes and of products of these."""
        width = len(self.periods)
        sums = [members[f"z{t}"] for t in range(width)]
        if self.columns.assigned_at is None:
            members = members.filter(members.number > members.seen + 1)
            pairs = combinations_with_replacement(range(width), 2)
            sums += [members[f"z{s}"] * members[f"z{t}"] for s, t in pairs]
        found = np.empty((len(table), len(sums)))
        for start in range(0, len(sums), TERMS):
            block = enumerate(sums[start : start + TERMS], start)
            asked = {f"s{k}": term.sum() for k, term in block}
            part = self._placed(members.group_by(self._keys()).agg(**asked), table)
            found[part["place"], start : start + TERMS] = part[list(asked)].to_numpy(dtype=float)
        means = table[[f"mean{t}" for t in range(width)]].to_numpy(dtype=float)
        rest = found[:, :width]
        first, second = np.triu_indices(width)
        for row, (own, number) in enumerate(zip(traits, table["number"], strict=True)):
            present = self._seen(own)
            chosen = np.append(0, np.flatnonzero(present)[1:])
            off = rest[row, chosen] / number
            products = None
            if self.columns.assigned_at is None:
                whole = np.empty((width, width))
                whole[first, second] = whole[second, first] = found[row, width:]
                products = whole[np.ix_(chosen, chosen)] - number * np.outer(off, off)
            yield Moments(
                own, present, int(number), mean=means[row, chosen] + off, products=products
            )


def _release(kept: Any) -> None:
    """Free what the engine keeps; in SQL of our own where Ibis and SQLGlot disagree on DROP."""
    engine, name = kept.get_backend(), kept.get_name()
    try:
        kept.release()
    except Exception:
        engine.raw_sql(f"DROP TABLE {name}")


def _finite(column: Any) -> Any:
    """A column as floats, missing where it is not finite."""
    values = column.cast("float64")
    return load("ibis").ifelse(values.isnan() | values.isinf(), None, values)


def _total(terms: Sequence[Any]) -> Any:
    return reduce(add, terms)
