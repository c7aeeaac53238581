"""Panels in which a known treatment leaks to known units, without noise. Nothing is real data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

import jjjpolicy as jp

BEFORE, AFTER = 12, 4


def design_of(
    paths: Mapping[str, np.ndarray], effects: Mapping[str, np.ndarray], treated: tuple[str, ...]
) -> jp.Design:
    """The design of untreated paths to which effects are added in the last four years."""
    rows = []
    for unit, path in paths.items():
        outcome = path.copy()
        outcome[BEFORE:] += effects.get(unit, 0.0)
        rows += [
            (unit, 2001 + t, value, int(unit in treated and t >= BEFORE))
            for t, value in enumerate(outcome)
        ]
    frame = pd.DataFrame(rows, columns=["unit", "year", "y", "treated"])
    return jp.Design.from_frame(frame, unit="unit", time="year", outcome="y", treatment="treated")


def mixed() -> dict[str, np.ndarray]:
    """Treated "T" lies between "A" and a clean donor, "A" between clean ones, but for level."""
    draws = np.random.default_rng(8).normal(size=(5, BEFORE + AFTER)).cumsum(axis=1)
    paths = {f"D{k}": draw for k, draw in enumerate(draws)}
    paths["A"] = 3.0 + 0.5 * paths["D1"] + 0.5 * paths["D2"]
    paths["T"] = -7.0 + 0.5 * paths["A"] + 0.5 * paths["D3"]
    return paths


def twins() -> dict[str, np.ndarray]:
    """Four pairs of units that differ in level only."""
    draws = np.random.default_rng(9).normal(size=(4, BEFORE + AFTER)).cumsum(axis=1)
    named = zip("TABC", draws, strict=True)
    return {f"{name}{k}": draw + 2.0 * k for name, draw in named for k in (0, 1)}


def noisy(seed: int = 0, units: int = 9) -> jp.Design:
    """One factor, noise, an effect of 3 on "u0" and of 1 on "u1"."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=BEFORE + AFTER).cumsum()
    paths = {
        f"u{i}": rng.uniform(0.5, 1.5) * factor + 0.3 * rng.normal(size=BEFORE + AFTER)
        for i in range(units)
    }
    return design_of(paths, {"u0": np.full(AFTER, 3.0), "u1": np.full(AFTER, 1.0)}, ("u0",))
