"""How often the end-of-sample test rejects a true null, by periods before treatment (simulated).

Panels as in ``size_counterfactuals.py`` with 24, 40 or 60 periods before treatment and 6 after it,
synthetic control, 1 or 3 of 31 units treated. Nominal level 5%.

    python benchmarks/size_end_of_sample.py --draws 2000
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
from size_counterfactuals import AFTER, FACTORS, UNITS, simulated

import jjjpolicy as jp

BEFORE, TREATED = (24, 40, 60), (1, 3)
RESULT = Path(__file__).parent / "results" / "size_end_of_sample.md"


def rate(draws: int, before: int, treated: int, persistence: float) -> float:
    """Share of panels in which the test rejects."""
    test, found = jp.inference.EndOfSample(), []
    for stream in np.random.SeedSequence(1).spawn(draws):
        rng = np.random.default_rng(stream)
        design = simulated(rng, treated, persistence, before + AFTER)
        pvalue = jp.synth.SyntheticControl().fit(design).with_inference(test).pvalue
        found.append(pvalue < 0.05 + 1e-12)
    return float(np.mean(found))


def main() -> None:
    """Simulate, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    draws: int = parser.parse_args().draws
    warnings.simplefilter("ignore", jp.JJJPolicyWarning)
    error = 100 * np.sqrt(0.05 * 0.95 / draws)
    columns = [f"{treated} of {UNITS}, {name}" for name in FACTORS for treated in TREATED]
    lines = [
        "# Rejections of a true null at 5% by the end-of-sample test (simulated)",
        "",
        f"Panels of `size_counterfactuals.md` with {AFTER} periods after treatment, synthetic "
        f"control. {draws:,} draws per cell: a rate of 5% has standard error {error:.1f} points. "
        f"Per cent. Made by `python benchmarks/size_end_of_sample.py --draws {draws}`.",
        "",
        "| periods before treatment | " + " | ".join(columns) + " |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for before in BEFORE:
        rates = [
            100 * rate(draws, before, treated, persistence)
            for persistence in FACTORS.values()
            for treated in TREATED
        ]
        lines.append(f"| {before} | " + " | ".join(f"{each:.1f}" for each in rates) + " |")
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
