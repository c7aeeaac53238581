"""How often tests reject a true null of no direct effect when treatment leaks (simulated).

Stationary factors as in Cao and Dowd (2019, section 6.1): one common factor and three with loadings
uniform on [0, 1], normal errors, one treated period. Treatment has no effect on the treated units
and raises the outcome of the affected ones by 3. First their own cells, 10 units, of which 3
(concentrated) or 6 (spread out) are affected; then 1, 3 and 13 treated units with 4 affected ones.

    python benchmarks/size_leaking.py --draws 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import jjjpolicy as jp

SPILLOVER = 3.0
QUOTED = {
    ("none", "structure, periods left out"): 4.9,
    ("concentrated", "structure, periods left out"): 5.0,
    ("spread out", "structure, periods left out"): 3.5,
    ("none", "spillover ignored, periods left out"): 6.1,
    ("concentrated", "spillover ignored, periods left out"): 20.7,
    ("spread out", "spillover ignored, periods left out"): 47.8,
}
"""Rates of the paper, 10 units and 50 periods, as the documentation of mlsynth quotes them."""


def outcomes(rng: np.random.Generator, units: int, periods: int) -> np.ndarray:
    """Outcomes without treatment, shape (units, periods)."""
    burn = 20
    shocks = rng.normal(size=(4, periods + burn))
    factors = np.zeros_like(shocks)
    for t in range(1, periods + burn):
        factors[0, t] = 1 + 0.5 * factors[0, t - 1] + shocks[0, t]
        factors[1, t] = 0.5 * factors[1, t - 1] + shocks[1, t]
        factors[2, t] = 1 + shocks[2, t] + 0.5 * shocks[2, t - 1]
        factors[3, t] = 0.5 * factors[3, t - 1] + shocks[3, t] + 0.5 * shocks[3, t - 1]
    loadings = np.column_stack([np.ones(units), rng.uniform(size=(units, 3))])
    noise = rng.normal(size=(units, periods))
    return np.asarray(loadings @ factors[:, burn:] + noise)


def design(units: int, before: int, treated: int) -> jp.Design:
    """Units 0 to ``treated`` - 1 treated in the last period; outcomes come later."""
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), before + 1),
            "period": np.tile(1 + np.arange(before + 1), units),
            "y": np.arange(units * (before + 1)) % 7.0,
        }
    )
    frame["first"] = np.where(frame["unit"] < treated, before + 1, 0)
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")


def by_rank(estimator: jp.estimate.Estimator, data: jp.Design, *, leave_out: bool) -> bool:
    """Whether the end-of-sample test rejects at 5%."""
    method = jp.inference.EndOfSample(leave_out)
    pvalue = estimator.fit(data).with_inference(method).pvalue
    assert pvalue is not None
    return pvalue <= 0.05 + 1e-12


def by_quantile(
    estimator: jp.estimate.Estimator, data: jp.Design, *, leave_out: bool = True
) -> bool:
    """Whether the effect exceeds the 95% quantile of the reference, the paper's rule."""
    found = estimator.fit(data).with_inference(jp.inference.EndOfSample(leave_out))
    assert found.inference is not None
    assert found.inference.reference is not None
    return abs(found.att) > np.quantile(np.abs(found.inference.reference), 0.95)


def rejections(
    tests: dict[str, Callable[[jp.Design], bool]],
    base: jp.Design,
    affected: list[int],
    draws: int,
    seed: int,
) -> dict[str, float]:
    """Share of draws in which each test rejects, per cent."""
    found = dict.fromkeys(tests, 0)
    for stream in np.random.SeedSequence(seed).spawn(draws):
        outcome = outcomes(np.random.default_rng(stream), base.n_units, base.n_periods)
        outcome[affected, -1] += SPILLOVER
        data = base.with_outcome(outcome)
        for name, test in tests.items():
            found[name] += test(data)
    return {name: 100 * count / draws for name, count in found.items()}


def paper_cells(draws: int, seed: int) -> pd.DataFrame:
    """The paper's cells with 10 units and 50 periods: tests × kinds of spillover."""
    plain = jp.synth.DemeanedSyntheticControl()
    table = {}
    for kind, named, hit in (
        ("none", 3, 0),
        ("concentrated", 3, 3),
        ("spread out", 6, 6),
    ):
        structure = jp.synth.FreeEffects(range(1, 1 + named))
        system = jp.synth.SpilloverSyntheticControl(structure)
        tests: dict[str, Callable[[jp.Design], bool]] = {
            "structure, periods left out": lambda d, s=system: by_quantile(s, d),
            "spillover ignored, periods left out": lambda d: by_quantile(plain, d),
            "structure, residuals of one fit": lambda d, s=system: by_quantile(
                s, d, leave_out=False
            ),
        }
        affected = list(range(1, 1 + hit))
        table[kind] = rejections(tests, design(10, 50, 1), affected, draws, seed)
    return pd.DataFrame(table)


def few_treated(draws: int, seed: int) -> pd.DataFrame:
    """Tests × numbers of treated units, with 4 affected units and 39 periods before treatment."""
    plain = jp.synth.DemeanedSyntheticControl()
    table = {}
    for treated, units in ((1, 12), (3, 12), (13, 24)):
        affected = list(range(treated, treated + 4))
        structure = jp.synth.SpilloverSyntheticControl(jp.synth.FreeEffects(affected))
        tests: dict[str, Callable[[jp.Design], bool]] = {
            "structure, EndOfSample": lambda d, s=structure: by_rank(s, d, leave_out=True),
            "spillover ignored, EndOfSample": lambda d: by_rank(plain, d, leave_out=True),
        }
        if treated < 13:
            inclusive = jp.synth.InclusiveSyntheticControl(affected)
            tests["inclusive, EndOfSample"] = lambda d, s=inclusive: by_rank(s, d, leave_out=True)
        base = design(units, 39, treated)
        name = f"{treated} of {units}"
        table[name] = rejections(tests, base, affected, draws, seed)
    return pd.DataFrame(table)


def lines_of(table: pd.DataFrame, quoted: bool) -> list[str]:
    """The table as Markdown, with the paper's rates in brackets."""
    lines = ["| | " + " | ".join(table.columns) + " |", "|---" * (1 + table.shape[1]) + "|"]
    for name, row in table.iterrows():
        cells = []
        for kind, value in row.items():
            known = f" ({QUOTED[kind, name]})" if quoted and (kind, name) in QUOTED else ""
            cells.append("–" if np.isnan(value) else f"{value:.1f}{known}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Simulate, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    error = 100 * np.sqrt(0.05 * 0.95 / options.draws)
    lines = [
        "# Rejections of a true null of no direct effect at 5% when treatment leaks (simulated)",
        "",
        f"{options.draws} draws per cell: a rate of 5% has standard error {error:.1f} points. Per "
        f"cent. Made by `python benchmarks/size_leaking.py --draws {options.draws}`.",
        "",
        "## The simulation design of Cao and Dowd, 10 units, 50 periods before treatment",
        "",
        "Rejected is what exceeds the 95% quantile of the errors of periods that the fit leaves "
        "out one at a time, or of the residuals of one fit; in brackets the paper's rates as the "
        "documentation of mlsynth quotes them (not checked against the paper). The paper draws "
        "loadings once for each cell, here each draw has its own.",
        "",
        *lines_of(paper_cells(options.draws, options.seed), quoted=True),
        "",
        "## Few treated units, 4 affected, 39 periods before treatment",
        "",
        "p-values of EndOfSample as it comes, periods left out one at a time.",
        "",
        *lines_of(few_treated(options.draws, options.seed), quoted=False),
    ]
    target = Path(__file__).parent / "results" / "size_leaking.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
