"""SIMULATED firm registries with known rates, to test and to learn with; nothing here is real."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from jjjpolicy.errors import DataError
from jjjpolicy.linalg.types import Floats, Integers
from jjjpolicy.relocation.engine import load

if TYPE_CHECKING:
    import pandas as pd


BLOCK = 50_000  # firms at the start; a part of what the seed means, so it is no option
LABEL = "SIMULATED by jjjpolicy: no record is a real firm"


@dataclass(frozen=True)
class SimulatedRegistry:
    r"""A SIMULATED registry of firms, for tests and examples; no record is a real firm.

    Each year a firm of region o exits with probability ``exit_rate``; a firm that stays in business
    moves to d with probability :math:`r_{odt}`, and new firms enter in number Poisson with mean
    ``entry_rate`` times the firms of the region the year before, where

    .. math:: r_{odt} = \text{move\_rate} \cdot a_d / \sum_{k \ne o} a_k \cdot
              \exp(\text{policy\_effect} \cdot 1\{(o, d) \in \text{policy\_pairs},
              t \ge \text{policy\_from}\})

    with :math:`a_d` the region's place in ``regions`` counted from the end: the first regions
    attract most.

    Parameters
    ----------
    firms : int
        Firms in the first year, in equal number in every region.
    regions : tuple of str
        Region codes.
    years : (int, int)
        First and last year.
    industries : tuple of str
        In equal shares; a firm keeps its industry.
    entry_rate, exit_rate, move_rate : float
        Per firm and year.
    policy_pairs : tuple of (str, str)
        Origin and destination.
    policy_from : int
        First year with the effect.
    policy_effect : float
        In log points of the rate at which firms move.
    branch_rate : float
        Probability that a firm opens a branch in a year, in another region in proportion to
        :math:`a_d`. A branch lasts as long as its firm.
    seed : int
        Same seed, same registry. Firms are drawn in blocks of 50,000 with a stream each, so that
        memory does not grow with their number.

    Raises
    ------
    DataError
        Rates that are no probabilities, fewer than two regions or years, unknown policy regions.
    """

    firms: int = 20_000
    regions: tuple[str, ...] = ("110000", "120000", "130000", "140000", "150000", "210000")
    years: tuple[int, int] = (2010, 2020)
    industries: tuple[str, ...] = ("C", "F", "I", "M")
    entry_rate: float = 0.08
    exit_rate: float = 0.06
    move_rate: float = 0.03
    policy_pairs: tuple[tuple[str, str], ...] = (("110000", "120000"), ("110000", "130000"))
    policy_from: int = 2015
    policy_effect: float = 0.5
    branch_rate: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        if len(set(self.regions)) < max(2, len(self.regions)):
            raise DataError("a simulated registry needs two different regions or more.")
        if self.years[1] <= self.years[0]:
            raise DataError(f"years={self.years} must be a first and a later last year.")
        if self.firms < len(self.regions):
            raise DataError(f"firms={self.firms} must be at least one per region.")
        for end in {end for pair in self.policy_pairs for end in pair}:
            if end not in self.regions:
                raise DataError(f"policy_pairs names {end!r}, which is not among the regions.")
        for name in ("entry_rate", "exit_rate", "move_rate", "branch_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise DataError(f"{name}={getattr(self, name)} must be at least 0 and below 1.")
        if (self._rates(self.years[1]).sum(axis=1) >= 1).any():
            raise DataError("policy_effect makes the probability of moving 1 or more; lower it.")

    @cached_property
    def truth(self) -> pd.DataFrame:
        """Known truth: columns origin, destination, year, rate, treated, one row per pair and year.

        ``rate`` is the probability that a firm of the origin that stays in business moves to the
        destination, from the second year on.
        """
        import pandas as pd

        first, last = self.years
        pairs = [(o, d) for o in self.regions for d in self.regions if o != d]
        off_diagonal = ~np.eye(len(self.regions), dtype=bool)
        tables = [
            pd.DataFrame(
                {
                    "origin": [o for o, _ in pairs],
                    "destination": [d for _, d in pairs],
                    "year": year,
                    "rate": self._rates(year)[off_diagonal],
                    "treated": [int(self._treats(pair, year)) for pair in pairs],
                }
            )
            for year in range(first + 1, last + 1)
        ]
        return pd.concat(tables, ignore_index=True)

    def write(
        self, path: str | os.PathLike[str], branches: str | os.PathLike[str] | None = None
    ) -> int:
        """Write the registry to Parquet; its metadata say that it is simulated.

        Parameters
        ----------
        path : path
            Firm-years: firm (text, begins with ``SIM``), year, region, industry, size (employees).
        branches : path, optional
            Branch-years: branch, firm, year, region.

        Returns
        -------
        int
            Number of firm-years.

        Raises
        ------
        MissingExtraError
            pyarrow is not installed.
        """
        pa, parquet = load("pyarrow"), load("pyarrow.parquet")
        notice = {"simulated": LABEL, "specification": repr(self)}
        kinds = {"year": pa.int32(), "size": pa.int32()}
        files = {path: ["firm", "year", "region", "industry", "size"]}
        if branches is not None:
            files[branches] = ["branch", "firm", "year", "region"]
        schemas = [
            pa.schema([(name, kinds.get(name, pa.string())) for name in columns], metadata=notice)
            for columns in files.values()
        ]
        starts = np.diff(np.linspace(0, self.firms, -(-self.firms // BLOCK) + 1).astype(int))
        streams = np.random.SeedSequence(self.seed).spawn(len(starts))
        rows = 0
        writers = [
            parquet.ParquetWriter(os.fspath(name), schema)
            for name, schema in zip(files, schemas, strict=True)
        ]
        try:
            for number, (firms, stream) in enumerate(zip(starts, streams, strict=True)):
                tables = self._block(number, int(firms), np.random.default_rng(stream))
                rows += len(tables[0]["year"])
                for writer, schema, columns in zip(writers, schemas, tables, strict=False):
                    writer.write_table(pa.table(columns, schema=schema))
        finally:
            for writer in writers:
                writer.close()
        return rows

    def _treats(self, pair: tuple[str, str], year: int) -> bool:
        return pair in self.policy_pairs and year >= self.policy_from

    def _attraction(self) -> Floats:
        """Shares of the destinations by origin; rows sum to one."""
        weights = np.arange(len(self.regions), 0.0, -1.0)
        table = np.tile(weights, (len(weights), 1))
        np.fill_diagonal(table, 0.0)
        shares: Floats = table / table.sum(axis=1, keepdims=True)
        return shares

    def _rates(self, year: int) -> Floats:
        rates = self.move_rate * self._attraction()
        for pair in self.policy_pairs:
            if self._treats(pair, year):
                origin, destination = map(self.regions.index, pair)
                rates[origin, destination] *= np.exp(self.policy_effect)
        return rates

    def _block(
        self, number: int, firms: int, rng: np.random.Generator
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Firm-years and branch-years of one block, as columns."""
        first, last = self.years
        n_regions = len(self.regions)
        firm = np.arange(firms)
        region = firm % n_regions
        industry = rng.integers(len(self.industries), size=firms)
        size = 1 + rng.geometric(0.05, size=firms)
        known = firms
        parents, places, opened = [], [], []
        years: list[tuple[Integers, ...]] = []
        for year in range(first, last + 1):
            if year > first:
                entrants = rng.poisson(self.entry_rate * np.bincount(region, minlength=n_regions))
                stay = rng.random(len(firm)) >= self.exit_rate
                firm, region, industry, size = (x[stay] for x in (firm, region, industry, size))
                region = _drawn(region, self._rates(year), rng, otherwise=region)
                size = np.maximum(1, size + rng.integers(-1, 3, size=len(size)))
                new = int(entrants.sum())
                firm = np.r_[firm, known + np.arange(new)]
                region = np.r_[region, np.repeat(np.arange(n_regions), entrants)]
                industry = np.r_[industry, rng.integers(len(self.industries), size=new)]
                size = np.r_[size, 1 + rng.geometric(0.1, size=new)]
                known += new
            place = _drawn(
                region,
                self.branch_rate * self._attraction(),
                rng,
                otherwise=np.full_like(region, -1),
            )
            opens = place >= 0
            parents.append(firm[opens])
            places.append(place[opens])
            opened.append(np.full(int(opens.sum()), year))
            years.append((firm, np.full_like(firm, year), region, industry, size))
        all_firms, year_column, regions, industries, sizes = map(
            np.concatenate, zip(*years, strict=True)
        )
        names = np.char.add(f"SIM{number:05d}-", np.arange(known).astype(str)).astype(object)
        codes, kinds = np.array(self.regions, dtype=object), np.array(self.industries, dtype=object)
        last_year = np.zeros(known, dtype=np.int64)
        np.maximum.at(last_year, all_firms, year_column)
        records = {
            "firm": names[all_firms],
            "year": year_column,
            "region": codes[regions],
            "industry": kinds[industries],
            "size": sizes,
        }
        parent, place, since = map(np.concatenate, (parents, places, opened))
        spans = last_year[parent] - since + 1
        branch = np.repeat(np.arange(len(parent)), spans)
        age = np.arange(len(branch)) - np.repeat(np.cumsum(spans) - spans, spans)
        labels = np.char.add(f"SIM{number:05d}-B", np.arange(len(parent)).astype(str))
        return records, {
            "branch": labels.astype(object)[branch],
            "firm": names[parent[branch]],
            "year": since[branch] + age,
            "region": codes[place[branch]],
        }


def _drawn(
    region: Integers, rates: Floats, rng: np.random.Generator, *, otherwise: Integers
) -> Integers:
    """Destination of each firm, drawn from the rates of its region; ``otherwise`` for the rest."""
    uniform = rng.random(len(region))
    steps = np.cumsum(rates, axis=1)
    chosen = np.flatnonzero(uniform < steps[region, -1])
    drawn = otherwise.copy()
    drawn[chosen] = (uniform[chosen, None] >= steps[region[chosen]]).sum(axis=1)
    return drawn
