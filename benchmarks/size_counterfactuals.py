"""How often inference on counterfactual paths rejects a true null, with few treated (simulated).

Panels of 31 units over 30 periods without any effect: unit effects, two common factors with
loadings of each unit, and an AR(1) error (0.3). One factor is noise; the other is an AR(1) path
(0.7) or a random walk. 1, 3 or 13 units, drawn at random, are treated in the last 6 periods.
Nominal level 5%.

    python benchmarks/size_counterfactuals.py --draws 2000 --jobs 2
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import jjjpolicy as jp
from jjjpolicy.estimation.parallel import run

UNITS, PERIODS, AFTER = 31, 30, 6
TREATED = (1, 3, 13)
FACTORS = {"stationary factors": 0.7, "a random walk among the factors": 1.0}
PLACEBOS, BOOTSTRAPS = 39, 99
RESULT = Path(__file__).parent / "results" / "size_counterfactuals.md"
infer = jp.inference
BY_UNITS: dict[str, Any] = {
    "randomisation": infer.RandomizationInference(replications=PLACEBOS),
    "placebo": infer.PlaceboUnits(replications=PLACEBOS),
}
BY_PERIODS: dict[str, Any] = {
    "end of sample": infer.EndOfSample(),
    "conformal": infer.Conformal(),
    "debiased t-test": infer.DebiasedTTest(),
}
METHODS: dict[tuple[str, Any], dict[str, Any]] = {
    ("differences", jp.did.TwoWayFixedEffects()): {
        "end of sample": infer.EndOfSample(),
        "rearrangement": infer.RearrangementTest(),
    },
    ("synthetic control", jp.synth.SyntheticControl()): {**BY_UNITS, **BY_PERIODS},
    ("demeaned synthetic control", jp.synth.DemeanedSyntheticControl()): {**BY_UNITS, **BY_PERIODS},
    ("synthetic DiD", jp.synth.SyntheticDiD()): {
        **BY_UNITS,
        "jackknife": infer.Jackknife(),
        "cluster bootstrap": infer.ClusterBootstrap(replications=BOOTSTRAPS),
    },
    ("generalised synthetic control", jp.synth.GeneralizedSyntheticControl(rank=2)): {
        "placebo": BY_UNITS["placebo"],
        "parametric bootstrap": infer.ParametricBootstrap(replications=BOOTSTRAPS),
    },
}


def autoregressive(shocks: np.ndarray, persistence: float) -> np.ndarray:
    """Paths from shocks (last axis: periods); of unit variance unless the persistence is one."""
    paths = shocks.copy()
    paths[..., 1:] *= np.sqrt(1 - persistence**2) if persistence < 1 else 1.0
    for t in range(1, paths.shape[-1]):
        paths[..., t] += persistence * paths[..., t - 1]
    return paths


def simulated(
    rng: np.random.Generator, treated: int, persistence: float, periods: int = PERIODS
) -> jp.Design:
    """One panel under the null."""
    factors = rng.normal(size=(2, periods))
    factors[0] = autoregressive(factors[0], persistence)
    error = autoregressive(rng.normal(size=(UNITS, periods)), 0.3)
    loadings = rng.uniform(size=(UNITS, 2))
    y = rng.normal(size=(UNITS, 1)) + loadings @ factors + error
    first = np.where(rng.permutation(UNITS) < treated, periods - AFTER, 0)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(UNITS), periods),
            "period": np.tile(np.arange(periods), UNITS),
            "y": y.ravel(),
            "first": np.repeat(first, periods),
        }
    )
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")


def rejected(
    stream: np.random.SeedSequence, treated: int, persistence: float
) -> dict[tuple[str, str], float]:
    """Whether each method rejects at 5% on one panel; nan where it refuses."""
    warnings.simplefilter("ignore")
    design = simulated(np.random.default_rng(stream), treated, persistence)
    found = {}
    for (label, estimator), methods in METHODS.items():
        estimate = estimator.fit(design)
        for name, method in methods.items():
            try:
                pvalue = estimate.with_inference(method).pvalue
                found[label, name] = float(pvalue < 0.05 + 1e-12)
            except jp.InferenceError:
                found[label, name] = np.nan
    return found


def rejections(draws: int, seed: int, jobs: int, persistence: float) -> pd.DataFrame:
    """Share of draws in which each method rejects: methods × numbers of treated units."""
    streams = np.random.SeedSequence(seed).spawn(draws)
    table = {}
    for treated in TREATED:
        tasks = [(stream, treated, persistence) for stream in streams]
        found = pd.DataFrame(list(run(rejected, tasks, jobs, f"{treated} treated")))
        table[f"{treated} of {UNITS}"] = found.mean().where(found.notna().all())
    return pd.DataFrame(table)


def lines_of(tables: dict[str, pd.DataFrame], draws: int) -> list[str]:
    """The tables as Markdown."""
    error = 100 * np.sqrt(0.05 * 0.95 / draws)
    lines = [
        "# Rejections of a true null at 5% by counterfactual paths (simulated)",
        "",
        f"Simulated panels of {UNITS} units and {PERIODS} periods without any effect, two common "
        f"factors, autocorrelated errors; units drawn at random count as treated in the last "
        f"{AFTER} periods. {draws:,} draws per column: a rate of 5% has standard error "
        f"{error:.1f} points. Randomisation and placebos with {PLACEBOS} assignments, all where "
        f"there are fewer; bootstraps with {BOOTSTRAPS} samples. p-values of the end-of-sample "
        f"test are multiples of 1/{PERIODS - 2 * AFTER + 2}, conformal ones of 1/{PERIODS}, those "
        f"of one treated unit among {UNITS} of 1/{UNITS}: the last two tests cannot reject in more "
        f"than {100 / PERIODS:.1f} and {100 / UNITS:.1f} per cent. Per cent; – where the method "
        f"refuses. Made by `python benchmarks/size_counterfactuals.py --draws {draws}`.",
    ]
    for heading, rates in tables.items():
        lines += [
            "",
            f"## {heading[0].upper()}{heading[1:]}",
            "",
            "| estimator | inference | " + " | ".join(rates.columns) + " |",
            "|---" * (2 + rates.shape[1]) + "|",
        ]
        for (label, name), row in rates.iterrows():
            cells = ["–" if np.isnan(value) else f"{value:.1f}" for value in row]
            lines.append(f"| {label} | {name} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Simulate, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    tables = {
        heading: 100 * rejections(options.draws, options.seed, options.jobs, persistence)
        for heading, persistence in FACTORS.items()
    }
    lines = lines_of(tables, options.draws)
    options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
