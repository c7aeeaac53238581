"""Shares of the three sectors by region and year, from value added or as stated."""

from __future__ import annotations

import re

import pandas as pd
import study

import jjjpolicy as jp
from jjjpolicy.panels.datasets import facts
from jjjpolicy.report.figures.structure import SECTORS

REGION = "jing-jin-ji"
VALUES, SHARES = [f"va_{sector}" for sector in SECTORS], [f"share_{sector}" for sector in SECTORS]
ACCOUNTS = {"old": "before_2018_census", "new": "releases_2019_2022"}
LAST_OLD = 2018


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


def computed() -> pd.DataFrame:
    """Shares of every province, and of the three as one region, by region and year.

    Up to 2018 the accounts are those before the census revision, from 2019 on those after it.
    """
    panels = [jp.load("provinces", vintage=v, variables=VALUES) for v in ACCOUNTS.values()]
    values = pd.concat([panel.frame.dropna(subset=VALUES) for panel in panels])
    values = values.set_index(["region_code", "year"])[VALUES]
    whole = values.loc[list(study.JING_JIN_JI)].groupby("year").sum()
    region = pd.concat({REGION: whole}, names=["region_code"])
    return shares_of(pd.concat([values, region]))


def stated() -> pd.DataFrame:
    """Shares that documents state, by region and year."""
    table = facts("structure").astype({"year": int})
    wide = table.pivot(index=["region", "year"], columns="variable", values="value")
    return wide[SHARES].set_axis(list(SECTORS), axis=1).dropna(how="all")
