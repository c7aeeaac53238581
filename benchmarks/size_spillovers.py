"""How often tests reject where neighbours of 1, 3 or 13 treated units are affected (simulated).

120 units at random places in a square of 10 by 10, ten periods, with shocks that neighbours share
(a smooth random surface that wanders over time) and noise of a tenth. The treated are drawn at
random and their own treatment has no effect from period 8 on, but every unit within 1.2 of a
treated one, another treated one included, gains 2. Nominal level 5%.

    python benchmarks/size_spillovers.py --draws 2000
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import jjjpolicy as jp

UNITS, SIDE, PERIODS, START = 120, 10.0, 10, 8
REACH, GAIN, NOISE, WAVES = 1.2, 2.0, 0.1, 30
TREATED = (1, 3, 13)

Test = Callable[[jp.Design, pd.DataFrame], float]


def world(rng: np.random.Generator, treated: int) -> tuple[jp.Design, pd.DataFrame]:
    """A simulated panel with spillovers and without own effects, and distances between units."""
    places = rng.uniform(0, SIDE, size=(UNITS, 2))
    away = np.linalg.norm(places[:, None] - places, axis=2)
    chosen = np.zeros(UNITS, dtype=bool)
    chosen[rng.choice(UNITS, treated, replace=False)] = True
    near = ((away <= REACH) & ~np.eye(UNITS, dtype=bool))[:, chosen].any(axis=1)
    waves = np.cos(places @ rng.normal(size=(2, WAVES)) / 1.5 + rng.uniform(0, 2 * np.pi, WAVES))
    shocks = rng.normal(size=(WAVES, PERIODS)).cumsum(axis=1) * np.sqrt(2 / WAVES)
    outcome = rng.normal(size=(UNITS, 1)) + waves @ shocks
    outcome += NOISE * rng.normal(size=outcome.shape)
    periods = np.arange(1, PERIODS + 1)
    outcome += GAIN * near[:, None] * (periods >= START)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(UNITS), PERIODS),
            "period": np.tile(periods, UNITS),
            "y": outcome.ravel(),
            "first": np.repeat(np.where(chosen, START, 0), PERIODS),
        }
    )
    design = jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")
    return design, pd.DataFrame(away)


def ignoring(estimator: Any, replications: int) -> Test:
    """Randomisation over all units, as if only the treated could be affected."""
    method = jp.inference.RandomizationInference(replications)
    return lambda design, _: float(estimator.fit(design).with_inference(method).pvalue)


def conditional(estimator: Any, replications: int) -> Test:
    """Randomisation over units beyond each other's reach."""

    def test(design: jp.Design, away: pd.DataFrame) -> float:
        method = jp.inference.ConditionalRandomization(REACH, away, replications)
        return float(estimator.fit(design).with_inference(method).pvalue)

    return test


def no_spillover(beyond: float, replications: int) -> Test:
    """No spillover beyond a distance."""
    return lambda design, away: (
        jp.inference.spillover_test(
            design, beyond=beyond, distances=away, replications=replications
        ).pvalue
    )


def tests(replications: int) -> dict[str, Test]:
    """The tests of the table, by name."""
    synthetic, differences = jp.synth.DemeanedSyntheticControl(), jp.did.TwoWayFixedEffects()
    return {
        "own effect, synthetic control, ignoring spillovers": ignoring(synthetic, replications),
        "own effect, synthetic control, conditional": conditional(synthetic, replications),
        "own effect, differences, ignoring spillovers": ignoring(differences, replications),
        "own effect, differences, conditional": conditional(differences, replications),
        "no spillover beyond the reach (true)": no_spillover(REACH, replications),
        "no spillover at all (false)": no_spillover(0.0, replications),
    }


def rejections(
    draws: int, seed: int, chosen: dict[str, Test], treated: Sequence[int] = TREATED
) -> pd.DataFrame:
    """Share of draws in which each test rejects at 5%, a refusal counting as none."""
    table: dict[str, dict[str, float]] = {}
    for number in treated:
        found: dict[str, list[bool]] = {name: [] for name in chosen}
        for stream in np.random.SeedSequence([seed, number]).spawn(draws):
            design, away = world(np.random.default_rng(stream), number)
            for name, test in chosen.items():
                try:
                    found[name].append(test(design, away) <= 0.05 + 1e-12)
                except jp.InferenceError:
                    found[name].append(False)
        table[f"{number} of {UNITS}"] = {name: float(np.mean(row)) for name, row in found.items()}
    return pd.DataFrame(table)


def lines_of(rates: pd.DataFrame, draws: int, replications: int) -> list[str]:
    """The table as Markdown."""
    error = 100 * np.sqrt(0.05 * 0.95 / draws)
    lines = [
        "# Rejections at 5% where neighbours of the treated are affected (simulated)",
        "",
        f"Simulated panels of {UNITS} units and {PERIODS} periods with shocks that neighbours "
        f"share. Own treatment has no effect; every unit within {REACH} of a treated one gains "
        f"{GAIN:g}. {draws:,} draws per column: a rate of 5% has standard error "
        f"{error:.1f} points. {replications} sampled assignments, all where there are fewer: "
        "with the actual one they are a multiple of twenty, so that a test of 5% is exact. "
        "Per cent; where no focal set exists a test does not reject. Made by "
        f"`python benchmarks/size_spillovers.py --draws {draws}`.",
        "",
        "| treated units | " + " | ".join(rates.columns) + " |",
        "|---" * (1 + rates.shape[1]) + "|",
    ]
    lines += [
        f"| {name} | " + " | ".join(f"{value:.1f}" for value in row) + " |"
        for name, row in rates.iterrows()
    ]
    lines += [
        "",
        "The last row is power, all others are size. Synthetic controls put their weights on "
        "neighbours, which move alike and are affected; differences spread them over all units.",
    ]
    return lines


def main() -> None:
    """Simulate, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--replications", type=int, default=19)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore", jp.JJJPolicyWarning)
    rates = 100 * rejections(options.draws, options.seed, tests(options.replications))
    target = Path(__file__).parent / "results" / "size_spillovers.md"
    target.write_text(
        "\n".join(lines_of(rates, options.draws, options.replications)) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
