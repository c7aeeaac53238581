"""How processor time and memory grow with units, periods, cohorts, replicates and donors.

python benchmarks/growth.py

Processor time, so that other work on the machine matters little; memory is the peak of what NumPy
allocates during the fit. Orders are slopes in logarithms over the larger half of the sizes.
"""

from __future__ import annotations

import platform
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

import jjjpolicy as jp

matplotlib.use("agg")
RESULTS = Path(__file__).parent / "results"
LEAST = 0.2
"""Processor seconds for which a task is repeated."""
SLACK = 0.3
"""By how much a measured order may exceed the one that the method needs."""


def staggered(
    units: int = 5_000, periods: int = 16, cohorts: int = 5, covariates: int = 0
) -> jp.Design:
    """Simulated panel: cohorts of equal size, and as many units never treated as in each."""
    rng = np.random.default_rng(1)
    years = np.arange(periods)
    begins = np.linspace(periods // 3, periods - 2, cohorts).round()
    first = np.append(begins, np.inf)[np.arange(units) % (cohorts + 1)]
    y = rng.normal(size=(units, 1)) + rng.normal(size=(units, periods))
    y += 0.3 * (years >= first[:, None])
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "year": np.tile(years, units),
            "y": y.ravel(),
            "first": np.repeat(first, periods),
        }
    )
    names = [f"x{k}" for k in range(covariates)]
    for name in names:
        frame[name] = np.repeat(rng.normal(size=units), periods)
    return jp.Design.from_frame(
        frame, unit="unit", time="year", outcome="y", adoption="first", covariates=names
    )


def one_treated(donors: int = 40, periods: int = 30) -> jp.Design:
    """Simulated panel with factors and one treated unit."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=(donors + 1, 4)) @ rng.normal(size=(4, periods))
    y += rng.normal(size=y.shape)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(donors + 1), periods),
            "year": np.tile(np.arange(periods), donors + 1),
            "y": y.ravel(),
        }
    )
    frame["treated"] = ((frame["unit"] == 0) & (frame["year"] >= 2 * periods // 3)).astype(int)
    return jp.Design.from_frame(frame, unit="unit", time="year", outcome="y", treatment="treated")


def fit(estimator: Any, design: jp.Design) -> Callable[[], Any]:
    """A fit with its effects by event time."""
    return lambda: estimator.fit(design).effects


def inferred(estimator: Any, design: jp.Design, method: Any) -> Callable[[], Any]:
    """Inference after a fit."""
    estimate = estimator.fit(design)
    return lambda: estimate.with_inference(method)


@dataclass(frozen=True)
class Method:
    """What is fitted, and how its work should grow.

    Attributes
    ----------
    task : callable
        Gives for a size what is to be measured.
    time, memory : float
        The largest order that the method needs.
    """

    task: Callable[[int], Callable[[], Any]]
    time: float
    memory: float


@dataclass(frozen=True)
class Growth:
    """Sizes of one kind, and what is measured over them."""

    sizes: tuple[int, ...]
    unit: str
    methods: dict[str, Method]


def over_units(estimator: Any, units: int, **options: Any) -> Callable[[], Any]:
    return fit(estimator, staggered(units=units, **options))


def over_periods(estimator: Any, periods: int, **options: Any) -> Callable[[], Any]:
    return fit(estimator, staggered(units=8_000, periods=periods, **options))


def over_cohorts(estimator: Any, cohorts: int, **options: Any) -> Callable[[], Any]:
    return fit(estimator, staggered(units=8_000, periods=40, cohorts=cohorts, **options))


def resampled(estimator: Any, method: Any, replications: int) -> Callable[[], Any]:
    return inferred(estimator, staggered(units=290), method(replications=replications, seed=1))


def placebos(estimator: Any, method: Any, donors: int) -> Callable[[], Any]:
    return inferred(estimator, one_treated(donors=donors), method)


did, synth, inference = jp.did, jp.synth, jp.inference
PANEL: dict[str, tuple[Any, dict[str, int]]] = {
    "TWFE": (did.TwoWayFixedEffects(), {}),
    "Callaway-Sant'Anna": (did.CallawaySantAnna(), {}),
    "CS, 2 covariates": (did.CallawaySantAnna(), {"covariates": 2}),
    "Sun-Abraham": (did.SunAbraham(), {}),
    "imputation": (did.Imputation(), {}),
    "extended TWFE": (did.ExtendedTWFE(), {}),
}


def on_panels(
    over: Callable[..., Any], time: int, memory: int, **others: tuple[int, int]
) -> dict[str, Method]:
    """Every estimator on panels, with the orders that it needs; ``others`` by class name."""
    return {
        name: Method(
            partial(over, estimator, **options),
            *others.get(type(estimator).__name__, (time, memory)),
        )
        for name, (estimator, options) in PANEL.items()
    }


GROWTH = {
    "units": Growth(
        (8_000, 16_000, 32_000, 64_000),
        "units, 16 periods, 5 cohorts",
        on_panels(over_units, 1, 1),
    ),
    "periods": Growth(
        (8, 16, 32, 64), "periods, 8,000 units, 5 cohorts", on_panels(over_periods, 2, 2)
    ),
    "cohorts": Growth(
        (3, 6, 12, 24),
        "cohorts, 8,000 units, 40 periods",
        on_panels(
            over_cohorts,
            1,
            1,
            SunAbraham=(3, 2),
            ExtendedTWFE=(3, 2),
        ),
    ),
    "replicates": Growth(
        (250, 500, 1_000, 2_000),
        "replicates, 290 units, 16 periods",
        {
            "randomisation, TWFE": Method(
                partial(resampled, did.TwoWayFixedEffects(), inference.RandomizationInference), 1, 1
            ),
            "randomisation, imputation": Method(
                partial(resampled, did.Imputation(), inference.RandomizationInference), 1, 1
            ),
            "wild bootstrap": Method(
                partial(resampled, did.TwoWayFixedEffects(), inference.WildClusterBootstrap), 1, 1
            ),
            "multiplier bootstrap, CS": Method(
                partial(resampled, did.CallawaySantAnna(), inference.MultiplierBootstrap), 1, 1
            ),
        },
    ),
    "donors": Growth(
        (20, 40, 80, 160),
        "donors, 30 periods",
        {
            "synthetic control, all placebos": Method(
                partial(placebos, synth.SyntheticControl(), inference.PlaceboUnits()), 3, 2
            ),
            "synthetic DiD, 50 placebos": Method(
                partial(
                    placebos,
                    synth.SyntheticDiD(),
                    inference.PlaceboUnits(replications=50, seed=1),
                ),
                2,
                2,
            ),
        },
    ),
}


def measured(task: Callable[[], Any]) -> tuple[float, float]:
    """Processor seconds, the least of several runs, and peak memory in MB."""
    task()
    times: list[float] = []
    while sum(times) < LEAST or len(times) < 3:
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    tracemalloc.start()
    task()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return min(times), peak


def main() -> None:
    """Measure everything; write the table and the figure."""
    warnings.simplefilter("ignore")
    rows = []
    for what, growth in GROWTH.items():
        for name, method in growth.methods.items():
            for size in growth.sizes:
                seconds, peak = measured(method.task(size))
                rows.append((what, name, size, seconds, peak))
            print(what, name, [f"{row[3]:.4f}" for row in rows[-len(growth.sizes) :]], flush=True)
    table = pd.DataFrame(rows, columns=["what", "name", "size", "seconds", "peak"])
    (RESULTS / "growth.md").write_text(document(table), encoding="utf-8")
    draw(table)


def order(sizes: Any, values: Any) -> float:
    """Slope in logarithms over the larger half of the sizes."""
    half = len(sizes) // 2 - 1
    slope: float = np.polyfit(np.log(sizes[half:]), np.log(values[half:]), 1)[0]
    return slope


def document(table: pd.DataFrame) -> str:
    """The table in Markdown."""
    lines = [
        "# How time and memory grow (simulated data)",
        "",
        "Processor seconds of a fit with its effects by event time, or of the inference alone, and "
        "the peak of what it allocates beside the data, at the smallest and the largest size. "
        f"Orders are slopes in logarithms over the larger three of four sizes, bold where more "
        f"than {SLACK} above *needs*, the largest order that the method asks for: operations for "
        "each cell and effect (effects by event time grow with the periods, so that time may grow "
        "with their square), numbers held for each unit, and the cross products of the periods for "
        "each cohort; the normal equations of a "
        "regression with a coefficient for each cohort and period (Sun-Abraham, extended TWFE) are "
        "of order three in the end. Placebos of a synthetic control are as many as donors, each a "
        "problem of as many weights. Fixed costs keep measured orders below. "
        f"Python {platform.python_version()}, NumPy {np.__version__}, one thread. Figure: "
        "growth.svg. Made by `python benchmarks/growth.py`.",
        "",
        "| over | method | sizes | seconds | order | needs | MB | order | needs |",
        "|---|---|---|---|--:|--:|---|--:|--:|",
    ]
    for (what, name), own in table.groupby(["what", "name"], sort=False):
        method = GROWTH[str(what)].methods[str(name)]
        sizes, seconds, peak = (own[c].to_numpy(float) for c in ("size", "seconds", "peak"))
        cells = [
            what,
            name,
            f"{sizes[0]:,.0f} to {sizes[-1]:,.0f}",
            f"{seconds[0]:.3g} to {seconds[-1]:.3g}",
            _judged(order(sizes, seconds), method.time),
            f"{method.time:g}",
            f"{peak[0]:.3g} to {peak[-1]:.3g}",
            _judged(order(sizes, peak), method.memory),
            f"{method.memory:g}",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def _judged(found: float, needed: float) -> str:
    return f"**{found:.2f}**" if found > needed + SLACK else f"{found:.2f}"


def draw(table: pd.DataFrame) -> None:
    """Time and memory over each size, in logarithms, with the fitted orders."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, len(GROWTH), figsize=(4.2 * len(GROWTH), 9))
    for column, (what, growth) in zip(axes.T, GROWTH.items(), strict=True):
        for axis, value in zip(column, ("seconds", "peak"), strict=True):
            for name in growth.methods:
                own = table[(table["what"] == what) & (table["name"] == name)]
                sizes, values = own["size"].to_numpy(float), own[value].to_numpy(float)
                label = f"{name}: {order(sizes, values):.2f}"
                axis.plot(sizes, values, marker="o", markersize=4, label=label)
            axis.set(xscale="log", yscale="log")
            low, high = axis.get_ylim()
            axis.set_ylim(low, high * (high / low) ** 0.6)
            axis.set_xticks(growth.sizes, [f"{size:,}" for size in growth.sizes])
            axis.minorticks_off()
            axis.grid(alpha=0.3)
            axis.legend(loc="upper left", fontsize=7, title="fitted order", title_fontsize=7)
        column[0].set_title(f"over {what}")
        column[1].set_xlabel(growth.unit)
    axes[0, 0].set_ylabel("processor seconds")
    axes[1, 0].set_ylabel("peak memory beside the data, MB")
    figure.suptitle("How time and memory grow (simulated data; both axes logarithmic)")
    figure.tight_layout()
    for kind in ("svg", "png"):
        figure.savefig(
            RESULTS / f"growth.{kind}", dpi=110, metadata={"Date": None} if kind == "svg" else {}
        )


if __name__ == "__main__":
    main()
