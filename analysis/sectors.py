"""Shares of the three sectors of the region and of large cities, computed or as stated."""

from __future__ import annotations

import re

import pandas as pd
import study

import jjjpolicy as jp
from jjjpolicy.panels.datasets import facts
from jjjpolicy.report.figures.structure import SECTORS

REGION = "jing-jin-ji"
VALUES, SHARES = [f"va_{sector}" for sector in SECTORS], [f"share_{sector}" for sector in SECTORS]


def also_stated() -> float:
    """The tertiary share of 2014 that the article prints beside the one of its figure."""
    rows = facts("structure").query("region == @REGION and variable == 'share_tertiary'")
    (note,) = rows.loc[rows["year"].astype(int) == 2014, "note"]
    found = re.search(r"also says (\d+\.\d+)$", note)
    if found is None:
        raise ValueError(f"structure_facts.csv: no second share in the note {note!r}")
    return float(found[1])


def shares_of(values: pd.DataFrame) -> pd.DataFrame:
    """Shares in percent, a column for each sector, from value added."""
    shares = 100 * values[VALUES].div(values[VALUES].sum(axis=1, skipna=False), axis=0)
    return shares.set_axis(list(SECTORS), axis=1)


def cities() -> pd.DataFrame:
    """Shares of the large cities by region and year, computed from value added."""
    panel = jp.load("major_cities", variables=VALUES)
    return shares_of(panel.frame.set_index(["region_code", "year"]).dropna())


def published() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares computed from published value added, and stated shares, by region and year."""
    table = facts("structure").astype({"year": int})
    wide = table.pivot(index=["region", "year"], columns="variable", values="value")
    provinces = wide.loc[list(study.JING_JIN_JI), VALUES].dropna()
    by_year = provinces.groupby("year").agg(["sum", "count"])
    sums = by_year.xs("sum", axis=1, level=1)
    sums = sums[by_year.xs("count", axis=1, level=1).eq(len(study.JING_JIN_JI)).all(axis=1)]
    joined = pd.concat([provinces, pd.concat({REGION: sums}, names=["region"])])
    return shares_of(joined), wide[SHARES].set_axis(list(SECTORS), axis=1)
