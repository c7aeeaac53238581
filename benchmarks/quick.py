"""A guard against becoming slower: a few small tasks as ratios to other programs.

    make bench-quick                     compare with the committed ratios
    make bench-quick OPTIONS=--write     write them anew, after a change that was meant
    make bench-quick OPTIONS=cs          some tasks only

Each ratio is our processor seconds over those of another program that answers the same question on
the same data in one process with one thread of linear algebra, by turns, so that a slow or a busy
machine slows both. It fails, with names, where a ratio is more than half again the committed one,
or where the answers differ. Needs nothing beyond the package's own dependencies; peers that are
not installed are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import statistics
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from peers import plain, resampling, staggered, start, synthetic
from peers.measure import timed
from peers.panels import cities, factor_panel, prop_99, provinces
from peers.task import Answer

from jjjpolicy.linalg.threads import one_thread

COMMITTED = Path(__file__).parent / "results" / "quick.json"
MOST_LOST = 0.5
FEWEST = 4
LONGEST = 2.0
TRIES = 3


class AnswersDiffer(Exception):
    """Two programs do not agree, so that their times cannot be compared."""


@dataclass(frozen=True)
class Pair:
    """The same question put to this package and to another program.

    Attributes
    ----------
    data : callable
        Makes the data; not timed.
    ours, other : callable
        From the data to the answer.
    package : str
        Distribution that the other program needs.
    tolerance : float
        By how much the estimates may differ.
    """

    data: Callable[[], Any]
    ours: Callable[[Any], Answer]
    other: Callable[[Any], Answer]
    package: str
    tolerance: float


def ours_wild(frame: Any) -> Answer:
    import jjjpolicy as jp

    method = jp.inference.WildClusterBootstrap(replications=999, seed=1)
    return {"estimate": float(resampling.ours_fit(frame).with_inference(method).pvalue)}


def ours_resampled(frame: Any, estimator: str, method: str, answer: str, **options: Any) -> Answer:
    """What a method attaches to the estimate of a staggered panel: ``answer`` is its field."""
    import jjjpolicy as jp

    design = jp.Design.from_frame(frame, **staggered.NAMES, adoption="first")
    room = jp.synth if estimator == "SyntheticDiD" else jp.did
    control = {"control": "never"} if estimator == "CallawaySantAnna" else {}
    estimate = getattr(room, estimator)(**control).fit(design)
    estimate = estimate.with_inference(getattr(jp.inference, method)(**options))
    found = estimate.interval()[0] if answer == "lower" else getattr(estimate, answer)
    return {"estimate": float(found)}


def table() -> Any:
    """The panel in a table of DuckDB."""
    import ibis

    connection = ibis.duckdb.connect()
    connection.con.register("frame", staggered.staggered(20_000))
    connection.con.execute("create table panel as select * from frame")
    return connection.table("panel")


def ours_table(panel: Any) -> Answer:
    import jjjpolicy as jp

    design = jp.Design.from_table(panel, **staggered.NAMES, adoption="first")
    return {"estimate": float(jp.did.CallawaySantAnna(control="never").fit(design).att)}


def group_time(covariates: list[str]) -> Callable[[Any], Answer]:
    options = {"estimator": "CallawaySantAnna", "control": "never", "covariates": covariates}
    return partial(staggered.ours, **options)


def resampled(*which: str, **options: Any) -> Callable[[Any], Answer]:
    estimator, method, answer = which
    return partial(ours_resampled, estimator=estimator, method=method, answer=answer, **options)


PANEL = partial(staggered.staggered, 2_000)
SMALL_PANEL = partial(staggered.staggered, 290)
TWO_TREATED = partial(provinces, 2)
PAIRS: dict[str, Pair] = {
    "twfe": Pair(PANEL, staggered.ours_twfe, staggered.linearmodels_twfe, "linearmodels", 1e-9),
    "cs": Pair(PANEL, group_time([]), plain.pandas_group_time, "pandas", 1e-9),
    "cs-covariates": Pair(
        PANEL,
        group_time(staggered.COVARIATES),
        partial(staggered.diff_diff_cs, covariates=staggered.COVARIATES),
        "diff-diff",
        1e-3,
    ),
    "imputation": Pair(
        partial(staggered.staggered, 200),
        partial(staggered.ours, estimator="Imputation"),
        plain.statsmodels_imputation,
        "statsmodels",
        1e-9,
    ),
    "placebos": Pair(
        partial(factor_panel, 31, 40, 30),
        partial(synthetic.ours, estimator="SyntheticControl", method="PlaceboUnits"),
        plain.scipy_placebos,
        "scipy",
        1e-6,
    ),
    "sdid": Pair(
        prop_99,
        partial(
            synthetic.ours,
            estimator="SyntheticDiD",
            method="PlaceboUnits",
            replications=200,
            seed=1,
        ),
        synthetic.diff_diff_sdid,
        "diff-diff",
        1e-2,
    ),
    "wild": Pair(cities, ours_wild, partial(plain.numpy_wild, draws=999), "numpy", 0.1),
    "randomisation": Pair(
        cities, resampling.ours_randomisation, plain.numpy_randomisation, "numpy", 1e-9
    ),
    "cs-bootstrap": Pair(
        SMALL_PANEL,
        resampled("CallawaySantAnna", "ClusterBootstrap", "se", replications=499, seed=1),
        partial(plain.numpy_bootstrap, effect=plain.group_time, draws=499),
        "numpy",
        2e-2,
    ),
    "imputation-bootstrap": Pair(
        SMALL_PANEL,
        resampled("Imputation", "ClusterBootstrap", "se", replications=499, seed=1),
        partial(plain.numpy_bootstrap, effect=plain.imputed, draws=499),
        "numpy",
        2e-2,
    ),
    "cs-randomisation": Pair(
        TWO_TREATED,
        resampled("CallawaySantAnna", "RandomizationInference", "pvalue"),
        partial(plain.numpy_permutations, effect=plain.group_time),
        "numpy",
        1e-9,
    ),
    "imputation-randomisation": Pair(
        TWO_TREATED,
        resampled("Imputation", "RandomizationInference", "pvalue"),
        partial(plain.numpy_permutations, effect=plain.imputed),
        "numpy",
        1e-9,
    ),
    "inversion": Pair(
        TWO_TREATED,
        resampled("Imputation", "RandomizationInference", "lower"),
        partial(plain.numpy_inversion, effect=plain.imputed),
        "numpy",
        1e-6,
    ),
    "sdid-staggered": Pair(
        partial(provinces, 3),
        resampled("SyntheticDiD", "PlaceboUnits", "att", replications=100, seed=1),
        partial(plain.scipy_staggered_sdid, draws=100),
        "scipy",
        1e-6,
    ),
    "table": Pair(table, ours_table, plain.ibis_group_time, "ibis-framework", 1e-9),
    "start": Pair(
        lambda: None,
        start.TASKS["start"].contenders["jjjpolicy"],
        start.no_fit,
        "pandas",
        0,
    ),
}


def main() -> int:
    """Measure, print, and compare or write; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(PAIRS))
    parser.add_argument("--write", action="store_true", help="write the ratios of this run")
    options = parser.parse_args()
    unknown = sorted(set(options.tasks) - set(PAIRS))
    if unknown:
        parser.error(f"no task {', '.join(unknown)}; there are {', '.join(PAIRS)}")
    warnings.simplefilter("ignore")
    committed = json.loads(COMMITTED.read_text(encoding="utf-8")) if COMMITTED.is_file() else {}
    found: dict[str, dict[str, Any]] = {}
    failures = []
    for name in options.tasks or PAIRS:
        pair = PAIRS[name]
        try:
            release = version(pair.package)
        except PackageNotFoundError:
            print(f"{name:14} left out: {pair.package} is not installed")
            continue
        before = None if options.write else committed.get(name)
        try:
            ratio = typical(pair) if options.write else least(name, pair, before)
        except AnswersDiffer as difference:
            failures.append(f"{name}: {difference}")
            continue
        found[name] = {"package": pair.package, "version": release, "ratio": float(f"{ratio:.3g}")}
        known = f", committed {before['ratio']:.3g}" if before else ""
        print(f"{name:14} {ratio:.3g} times the processor time of {pair.package} {release}{known}")
        failures += [lost] if (lost := loss(name, ratio, before)) else []
    if options.write and not failures:
        COMMITTED.write_text(json.dumps(committed | found, indent=1) + "\n", encoding="utf-8")
    print(*failures, sep="\n", end="\n" if failures else "", file=sys.stderr)
    return 1 if failures else 0


def typical(pair: Pair) -> float:
    """The median of several measurements."""
    return statistics.median(measured(pair) for _ in range(TRIES))


def least(name: str, pair: Pair, before: Mapping[str, Any] | None) -> float:
    """The least of several measurements, of one where that is no loss."""
    ratio = measured(pair)
    for _ in range(TRIES - 1):
        if loss(name, ratio, before) is None:
            break
        ratio = min(ratio, measured(pair))
    return ratio


def measured(pair: Pair) -> float:
    """Our least processor seconds over those of the other program, by turns.

    Raises
    ------
    AnswersDiffer
        By more than the tolerance.
    """
    data = pair.data()
    programs = pair.ours, pair.other
    used: tuple[list[float], list[float]] = [], []
    silent = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with silent[0], silent[1], one_thread:
        ours, other = (program(data).get("estimate") for program in programs)
        if ours is not None and other is not None and not abs(ours - other) <= pair.tolerance:
            raise AnswersDiffer(f"we answer {ours:.8g}, {pair.package} {other:.8g}")
        gc.collect()
        gc.freeze()
        while len(used[0]) < FEWEST or sum(map(sum, used)) < LONGEST:
            for program, seconds in zip(programs, used, strict=True):
                seconds.append(timed(program, data)[2])
    return min(used[0]) / min(used[1])


def loss(name: str, ratio: float, before: Mapping[str, Any] | None) -> str | None:
    """In words, where the ratio is worse than the committed one by more than ``MOST_LOST``."""
    if before is None or ratio <= (1 + MOST_LOST) * before["ratio"]:
        return None
    return (
        f"{name}: {ratio / before['ratio']:.2f} times as slow as committed, beside "
        f"{before['package']} {before['version']} then ({before['ratio']:.3g}, now {ratio:.3g}). "
        "Where that is meant: make bench-quick OPTIONS=--write"
    )


if __name__ == "__main__":
    sys.exit(main())
