"""SIMULATED panels, and one public data set where it lies beside the repository."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

PROP_99 = Path(__file__).resolve().parents[3] / "shared" / "gold" / "data" / "california_prop99.csv"
COHORTS = (2008, 2010, 2012, 2014, 2016)


def staggered(units: int, periods: int = 16) -> pd.DataFrame:
    """Five cohorts and never-treated units (simulated), sorted by unit and year.

    Columns unit, year, y, first (0: never), treated, x1 and x2 (constant within units; both move
    trends and the chance of treatment).
    """
    rng = np.random.default_rng(2015)
    years = np.arange(2005, 2005 + periods)
    x = rng.normal(size=(units, 2))
    chance = np.array([0, 0.3, -0.2, 0.1, 0.2, -0.1]) * (x[:, :1] + x[:, 1:])
    choice = (chance + rng.gumbel(size=chance.shape)).argmax(axis=1)
    first = np.array([0, *COHORTS])[choice]
    exposure = np.where(first[:, None] > 0, years - first[:, None] + 1, 0).clip(0)
    y = rng.normal(size=(units, 1)) + rng.normal(size=periods)
    y = y + 0.02 * (x @ [1, 0.5])[:, None] * (years - 2005) + 0.1 * exposure
    y = y + rng.normal(size=(units, periods))
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "year": np.tile(years, units),
            "y": y.ravel(),
            "first": np.repeat(first, periods),
            "treated": (exposure > 0).ravel().astype(int),
            "x1": np.repeat(x[:, 0], periods),
            "x2": np.repeat(x[:, 1], periods),
        }
    )


MILLION = partial(staggered, 62_500)


def cities() -> pd.DataFrame:
    """290 cities in 31 provinces over 16 years, 3 provinces treated at distinct dates (simulated).

    Columns unit, year, y, first (0: never), treated, province.
    """
    rng = np.random.default_rng(31)
    years = np.arange(2005, 2021)
    province = np.sort(np.r_[np.arange(31), rng.integers(31, size=290 - 31)])
    starts = np.zeros(31, dtype=int)
    starts[[0, 10, 20]] = 2012, 2014, 2016
    first = starts[province]
    treated = (first[:, None] > 0) & (years >= first[:, None])
    y = rng.normal(size=(290, 1)) + rng.normal(size=16) + 0.1 * treated
    y = y + 0.3 * rng.normal(size=(31, 16))[province] + rng.normal(size=(290, 16))
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(290), 16),
            "year": np.tile(years, 290),
            "y": y.ravel(),
            "first": np.repeat(first, 16),
            "treated": treated.ravel().astype(int),
            "province": np.repeat(province, 16),
        }
    )


def provinces(treated: int) -> pd.DataFrame:
    """Averages of the cities of each province, ``treated`` of them treated at distinct dates.

    Columns unit, year, y, first (0: never).
    """
    frame = cities().groupby(["province", "year"], as_index=False)[["y", "first"]].mean()
    frame = frame.rename(columns={"province": "unit"}).astype({"first": int})
    dates = np.sort(frame["first"].unique())[1 : treated + 1]
    frame["first"] = frame["first"].where(frame["first"].isin(dates), 0)
    return frame


def factor_panel(units: int, periods: int, before: int, predictors: int = 0) -> pd.DataFrame:
    """Three common factors, unit 0 treated after ``before`` periods (simulated).

    The treated unit has the loadings of an average of four donors. Columns unit (text), year, y,
    treated and, constant within units, p0, p1, ….
    """
    rng = np.random.default_rng(units)
    factors = rng.normal(size=(3, periods)).cumsum(axis=1)
    loadings = rng.uniform(size=(units, 3))
    loadings[0] = loadings[1:5].mean(axis=0)
    y = 10 + 5 * loadings @ factors / 3 + 0.3 * rng.normal(size=(units, periods))
    treated = np.zeros((units, periods), dtype=int)
    treated[0, before:] = 1
    frame = pd.DataFrame(
        {
            "unit": np.repeat([f"u{i:03d}" for i in range(units)], periods),
            "year": np.tile(np.arange(1955, 1955 + periods), units),
            "y": (y - treated).ravel(),
            "treated": treated.ravel(),
        }
    )
    for k in range(predictors):
        values = loadings @ rng.normal(size=3) + 0.2 * rng.normal(size=units)
        frame[f"p{k}"] = np.repeat(values, periods)
    return frame


def prop_99() -> pd.DataFrame:
    """Cigarette sales of 39 states, or a simulated panel of the same size where it is absent."""
    if not PROP_99.is_file():
        return factor_panel(39, 31, 19)
    frame = pd.read_csv(PROP_99, sep=";")
    frame.columns = pd.Index(["unit", "year", "y", "treated"])
    return frame.sort_values(["unit", "year"], ignore_index=True)


def event_coefficients() -> tuple[np.ndarray, np.ndarray, int, int]:
    """Coefficients of 5 years before and 6 after adoption, their covariance (simulated), sizes."""
    rng = np.random.default_rng(3)
    root = 0.05 * np.tril(rng.uniform(0.2, 1, size=(11, 11)))
    covariance = root @ root.T + 0.01 * np.eye(11)
    effects = np.r_[np.zeros(5), 0.3 + 0.1 * np.arange(6)]
    return effects + 0.3 * np.linalg.cholesky(covariance) @ rng.normal(size=11), covariance, 5, 6
