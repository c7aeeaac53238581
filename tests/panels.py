"""Simulated panels for tests. Nothing here is real data."""

from __future__ import annotations

import numpy as np
import pandas as pd


def simulated_panel(
    units: int = 8,
    periods: int = 6,
    adoption: dict[int, int] | None = None,
    effect: float = 0.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Additive unit and period effects, noise, and a constant effect of treatment.

    Columns unit, period (from 2001 on), y, treated, first; sorted by unit and period.
    """
    rng = np.random.default_rng(seed)
    first = np.full(units, np.inf)
    for unit, start in (adoption or {0: 2004}).items():
        first[unit] = start
    years = np.arange(2001, 2001 + periods)
    y = rng.normal(size=(units, 1)) + rng.normal(size=(1, periods))
    y = y + 0.3 * rng.normal(size=(units, periods))
    treated = years[None, :] >= first[:, None]
    y = y + effect * treated
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "period": np.tile(years, units),
            "y": y.ravel(),
            "treated": treated.ravel().astype(int),
            "first": np.repeat(first, periods),
        }
    )


def staggered_panel(
    units: int = 60, effect: float = 0.0, missing: float = 0.0, seed: int = 0
) -> pd.DataFrame:
    """Cohorts 2003, 2004, 2005 and never treated (``inf``) in turn, 2001 to 2006, covariates.

    Columns unit, period, y, first, x (constant, moves trends) and z (varies); sorted by unit and
    period, without a random share ``missing`` of rows that are neither the first nor the last.
    """
    rng = np.random.default_rng(seed)
    first = np.array([2003.0, 2004.0, 2005.0, np.inf])[np.arange(units) % 4]
    years = np.arange(2001, 2007)
    shape = (units, len(years))
    x = rng.normal(size=(units, 1))
    z = rng.normal(size=shape)
    y = rng.normal(size=(units, 1)) + rng.normal(size=(1, len(years)))
    y = y + 0.1 * x * (years - 2000) + 0.2 * z + 0.4 * rng.normal(size=shape)
    y = y + effect * (years >= first[:, None])
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), len(years)),
            "period": np.tile(years, units),
            "y": y.ravel(),
            "first": np.repeat(first, len(years)),
            "x": np.repeat(x, len(years)),
            "z": z.ravel(),
        }
    )
    inner = frame["period"].between(2002, 2005)
    return frame[~(inner & (rng.uniform(size=len(frame)) < missing))].reset_index(drop=True)
