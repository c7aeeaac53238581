"""How often each inference method rejects a true null with 1, 3 or 13 treated groups (simulated).

Panels of 290 cities in 31 provinces over 16 years without any effect: city and year effects, an
AR(1) city error (0.5) and an AR(1) province error (0.7) of a quarter of its variance. Treatment
starts in year 11 and is assigned to provinces (31 groups) or to cities (290 groups, no province
error). Nominal level 5%, two-way fixed effects.

    python benchmarks/size_few_treated.py --draws 2000
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import jjjpolicy as jp

CITIES, PROVINCES, YEARS = 290, 31, np.arange(2005, 2021)
REPLICATIONS = 199
METHODS: dict[str, Any] = {
    "clustered by city, CRV1": jp.inference.Clustered("city"),
    "clustered by group, CRV1": jp.inference.Clustered(),
    "clustered by group, CRV2 (Bell-McCaffrey)": jp.inference.Clustered(kind="CRV2"),
    "clustered by group, CRV3": jp.inference.Clustered(kind="CRV3"),
    "wild bootstrap WCR-11": jp.inference.WildClusterBootstrap(replications=REPLICATIONS),
    "wild bootstrap WCU-11": jp.inference.WildClusterBootstrap(
        replications=REPLICATIONS, impose_null=False
    ),
    "Conley-Taber": jp.inference.ConleyTaber(replications=REPLICATIONS),
    "Ferman-Pinto": jp.inference.FermanPinto(replications=REPLICATIONS),
    "randomisation, coefficient": jp.inference.RandomizationInference(replications=REPLICATIONS),
    "randomisation, studentised": jp.inference.RandomizationInference(
        replications=REPLICATIONS, statistic="studentised"
    ),
}


def autoregressive(rng: np.random.Generator, rows: int, persistence: float) -> np.ndarray:
    """Stationary AR(1) paths of unit variance, shape (rows, years)."""
    shocks = rng.normal(size=(rows, len(YEARS)))
    shocks[:, 1:] *= np.sqrt(1 - persistence**2)
    for t in range(1, len(YEARS)):
        shocks[:, t] += persistence * shocks[:, t - 1]
    return shocks


def designs() -> dict[str, jp.Design]:
    """One design per level of assignment and number of treated groups; outcomes come later."""
    rng = np.random.default_rng(2015)
    province = np.sort(
        np.r_[np.arange(PROVINCES), rng.integers(PROVINCES, size=CITIES - PROVINCES)]
    )
    frame = pd.DataFrame(
        {
            "city": np.repeat(np.arange(CITIES), len(YEARS)),
            "year": np.tile(YEARS, CITIES),
            "province": np.repeat(province, len(YEARS)),
        }
    )
    frame["y"] = rng.normal(size=len(frame))
    made = {}
    for level, groups in (("province", PROVINCES), ("city", CITIES)):
        for treated in (1, 3, 13):
            chosen = frame[level].isin(range(treated))
            made[f"{treated} of {groups}"] = jp.Design.from_frame(
                frame.assign(first=np.where(chosen, YEARS[10], 0)),
                unit="city",
                time="year",
                outcome="y",
                adoption="first",
                assigned_at=level,
                clusters=["province"],
            )
    return made


def pvalues(
    design: jp.Design, rng: np.random.Generator, methods: dict[str, Any]
) -> dict[str, float]:
    """p-values on one simulated outcome and one random assignment; nan where a method refuses."""
    outcome = autoregressive(rng, design.n_units, 0.5)
    groups = int(design.assignment.max()) + 1
    if groups < design.n_units:
        outcome += 0.5 * autoregressive(rng, groups, 0.7)[design.assignment]
    first = np.unique(design.assignment, return_index=True)[1]
    shuffled = rng.permutation(design.adoption[first])[design.assignment]
    simulated = design.reassigned(shuffled).with_outcome(outcome)
    estimate = jp.did.TwoWayFixedEffects().fit(simulated)
    found = {}
    for name, method in methods.items():
        try:
            found[name] = float(estimate.with_inference(method).pvalue)
        except jp.InferenceError:
            found[name] = np.nan
    return found


def rejections(draws: int, seed: int, methods: dict[str, Any] = METHODS) -> pd.DataFrame:
    """Share of draws in which each method rejects at 5%: methods × designs."""
    table = {}
    for name, design in designs().items():
        streams = np.random.SeedSequence(seed).spawn(draws)
        found = pd.DataFrame([pvalues(design, np.random.default_rng(s), methods) for s in streams])
        table[name] = (found < 0.05 + 1e-12).mean().where(found.notna().any())
    return pd.DataFrame(table)


def lines_of(rates: pd.DataFrame, draws: int) -> list[str]:
    """The table as Markdown."""
    error = 100 * np.sqrt(0.05 * 0.95 / draws)
    lines = [
        "# Rejections of a true null at 5%, with few treated groups (simulated)",
        "",
        f"Simulated panels of {CITIES} cities, {PROVINCES} provinces and {len(YEARS)} years "
        f"without any effect; {draws:,} draws per column: a rate of 5% has standard error "
        f"{error:.1f} points. Two-way fixed effects; resampling with {REPLICATIONS} replications, "
        "all assignments where there are fewer: with the actual one they are a multiple of twenty, "
        "so that a randomisation test of 5% is exact. The methods of a column share its draws. Per "
        f"cent; – where the method refuses. Made by `python benchmarks/size_few_treated.py --draws "
        f"{draws}`.",
        "",
        "| treated groups | " + " | ".join(rates.columns) + " |",
        "|---" * (1 + rates.shape[1]) + "|",
    ]
    for name, row in rates.iterrows():
        cells = ["–" if np.isnan(value) else f"{value:.1f}" for value in row]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [
        *lines,
        "",
        "With one treated group of 31 all 31 assignments are enumerated: p is at least 1/31, and a "
        "test of 5% rejects in 1 of 31 draws, 3.2%.",
    ]


def main() -> None:
    """Simulate, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rates = 100 * rejections(options.draws, options.seed)
    target = Path(__file__).parent / "results" / "size_few_treated.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines_of(rates, options.draws)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
