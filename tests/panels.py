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
