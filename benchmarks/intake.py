"""From a million SIMULATED rows to a design: time and memory beside those of the columns.

python benchmarks/intake.py

Processor time of one thread. Reading is the sum over each column that the design uses; memory is
the peak of what is allocated on the way to the design, which is part of it.
"""

from __future__ import annotations

import os
import platform
import time
import tracemalloc
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import jjjpolicy as jp

YEARS = np.arange(2003, 2019)
COHORTS = (0, 2008, 2010, 2012, 2014, 2016)
COLUMNS: dict[str, Any] = {"unit": "unit", "time": "year", "outcome": "y"}
ROLES: dict[str, dict[str, str]] = {
    "adoption": {"adoption": "first"},
    "treatment": {"treatment": "treated"},
    "adoption, clusters": {"adoption": "first", "clusters": "state"},
}
ORDERS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "sorted": lambda frame: frame,
    "sorted, 2% of rows absent": lambda frame: frame.sample(frac=0.98, random_state=1).sort_index(),
    "in random order": lambda frame: frame.sample(frac=1, random_state=1),
}
ESTIMATORS: dict[Any, str] = {
    jp.did.TwoWayFixedEffects(): "treatment",
    jp.did.CallawaySantAnna(): "adoption",
}
LABELS: dict[str, Callable[[pd.Series], pd.Series]] = {
    "numbers": lambda units: units,
    "text": lambda units: "u" + units.astype(str).str.zfill(6),
}


def simulated(units: int) -> pd.DataFrame:
    """Firms over 16 years, sorted, in five cohorts and never treated."""
    rng = np.random.default_rng(1)
    first = rng.choice(COHORTS, units)
    treated = (first[:, None] > 0) & (first[:, None] <= YEARS)
    y = rng.normal(size=(units, 1)) + rng.normal(size=(units, len(YEARS))) + 0.3 * treated
    firm = np.repeat(np.arange(units), len(YEARS))
    return pd.DataFrame(
        {
            "unit": firm,
            "year": np.tile(YEARS, units),
            "y": y.ravel(),
            "first": np.repeat(first, len(YEARS)),
            "treated": treated.ravel().astype(int),
            "state": firm % 31,
        }
    )


def fastest(task: Callable[[], Any], runs: int = 7) -> float:
    """Least processor milliseconds of several runs."""
    found = []
    for _ in range(runs):
        start = time.process_time()
        task()
        found.append(1e3 * (time.process_time() - start))
    return min(found)


def peak(task: Callable[[], Any]) -> float:
    """Largest number of bytes allocated at once."""
    tracemalloc.start()
    try:
        task()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def measured(used: pd.DataFrame, task: Callable[[], Any]) -> tuple[float, float, float]:
    """Milliseconds of reading the columns and of the task, and its peak as a share of them."""
    arrays = [used[name].to_numpy() for name in used if used[name].dtype.kind in "if"]
    reading = fastest(lambda: [each.sum() for each in arrays])
    share = peak(task) / used.memory_usage(index=False).sum()
    return reading, fastest(task), share


def main() -> None:
    """Measure each order, kind of label and way to say who is treated, and two estimators."""
    warnings.simplefilter("ignore", jp.JJJPolicyWarning)
    frame = simulated(62_500)
    lines = [
        "# From a table to a design (simulated)",
        "",
        f"{len(frame):,} rows, {len(YEARS)} years, in one thread; pandas {version('pandas')}, "
        f"NumPy {np.__version__}, Python {platform.python_version()}. Processor time, so that "
        f"other work on the machine matters little (load {os.getloadavg()[0]:.1f} on "
        f"{os.cpu_count()} cores). Reading is the sum over each column of numbers that the design "
        f"uses. Made by `python benchmarks/intake.py`.",
        "",
        "| rows | units are | who is treated | reading, ms | design, ms | ratio | peak / data |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for order, arranged in ORDERS.items():
        for label, named in LABELS.items():
            table = arranged(frame.assign(unit=named(frame["unit"]))).reset_index(drop=True)
            for roles, names in ROLES.items():
                used = table[[*COLUMNS.values(), *names.values()]]

                def design(used: pd.DataFrame = used, names: Any = names) -> jp.Design:
                    return jp.Design.from_frame(used, **COLUMNS, **names)

                reading, milliseconds, share = measured(used, design)
                lines.append(
                    f"| {order} | {label} | {roles} | {reading:.1f} | {milliseconds:.0f} | "
                    f"{milliseconds / reading:.0f} | {share:.2f} |"
                )
    lines += [
        "",
        "From sorted rows with units in numbers to an estimate with its standard error, and for "
        "CallawaySantAnna the covariance of all effects by event time:",
        "",
        "| estimator | who is treated | reading, ms | design and fit, ms | ratio | peak / data |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for estimator, roles in ESTIMATORS.items():
        names = ROLES[roles]
        used = frame[[*COLUMNS.values(), *names.values()]]

        def estimate(used: pd.DataFrame = used, names: Any = names, by: Any = estimator) -> Any:
            return by.fit(jp.Design.from_frame(used, **COLUMNS, **names))

        reading, milliseconds, share = measured(used, estimate)
        lines.append(
            f"| {estimator.label} | {roles} | {reading:.1f} | {milliseconds:.0f} | "
            f"{milliseconds / reading:.0f} | {share:.2f} |"
        )
    target = Path(__file__).parent / "results" / "intake.md"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
