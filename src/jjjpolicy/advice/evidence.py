"""Which methods kept their size on Chinese provinces, where the answer is known: a shipped table.

``rejections.csv`` holds what ``paper/results/calibration.json`` and ``calibration-outcomes.json``
found. ``python -m jjjpolicy.advice.evidence paper/results`` writes it anew from them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.did.two_way_fixed_effects import TwoWayFixedEffects
from jjjpolicy.inference.clustered import Clustered
from jjjpolicy.inference.conformal import Conformal
from jjjpolicy.inference.few_treated import ConleyTaber, FermanPinto
from jjjpolicy.inference.placebo_units import PlaceboUnits
from jjjpolicy.inference.randomization import RandomizationInference
from jjjpolicy.inference.wild_cluster_bootstrap import WildClusterBootstrap
from jjjpolicy.synth.demeaned import DemeanedSyntheticControl
from jjjpolicy.synth.synthetic_control import SyntheticControl
from jjjpolicy.synth.synthetic_did import SyntheticDiD

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimator, Inference

TABLE = Path(__file__).with_name("rejections.csv")
PERIODS = 15
"""Years of the panels behind the table, 2005 to 2019."""
TREATED = {"one": 1, "three": 3}
LEVELS = {"five": 0.05, "ten": 0.10}


@dataclass(frozen=True)
class Pair:
    """An estimator and an inference method."""

    estimator: Estimator
    inference: Inference

    @property
    def names(self) -> tuple[str, str]:
        """What they are called in tables."""
        kind = getattr(self.inference, "kind", "")
        return self.estimator.label, f"{self.inference.label}{f' {kind}' if kind else ''}"


_TWFE = TwoWayFixedEffects()
_PLACEBO = PlaceboUnits(replications=99)
PAIRS = {
    "did/crv1": Pair(_TWFE, Clustered()),
    "did/crv2": Pair(_TWFE, Clustered(kind="CRV2")),
    "did/crv3": Pair(_TWFE, Clustered(kind="CRV3")),
    "did/wild": Pair(_TWFE, WildClusterBootstrap(replications=999)),
    "did/conley_taber": Pair(_TWFE, ConleyTaber()),
    "did/ferman_pinto": Pair(_TWFE, FermanPinto()),
    "did/randomisation": Pair(_TWFE, RandomizationInference()),
    "did/placebo": Pair(_TWFE, _PLACEBO),
    "sc/placebo": Pair(SyntheticControl(), _PLACEBO),
    "sc/conformal": Pair(SyntheticControl(), Conformal()),
    "demeaned/placebo": Pair(DemeanedSyntheticControl(), _PLACEBO),
    "sdid/placebo": Pair(SyntheticDiD(), _PLACEBO),
}
"""Methods by the names that they have in the results."""


def evidence() -> pd.DataFrame:
    """The shipped table.

    Returns
    -------
    DataFrame
        Columns estimator, inference, outcome, treated (provinces, or cities for the secondary
        share), groups (that were never treated), draws (pseudo-policies), level, rejection, se
        (Monte Carlo standard error), source (the result behind the row). No rejection rate where
        the method gives no p-value.
    """
    return pd.read_csv(TABLE)


def derived(results: Path) -> pd.DataFrame:
    """The table as results of the calibrations give it.

    Parameters
    ----------
    results : path
        Folder with ``calibration.json`` and ``calibration-outcomes.json``.
    """
    columns = ["estimator", "inference", "outcome", "treated", "groups", "draws", "level"]
    rows = [*_of_product(results), *_of_further_outcomes(results)]
    return pd.DataFrame(rows, columns=[*columns, "rejection", "se", "source"])


def _of_product(results: Path) -> Iterator[tuple[Any, ...]]:
    content = json.loads((results / "calibration.json").read_text(encoding="utf-8"))
    for key, pair in PAIRS.items():
        estimator, inference = key.split("/")
        for number, treated in TREATED.items():
            found = content[estimator][inference][number]
            for name, level in LEVELS.items():
                yield (
                    *pair.names,
                    "log_gdp",
                    treated,
                    content["provinces"],
                    found["draws"],
                    level,
                    found[name]["rejection"],
                    found[name]["se"],
                    f"calibration:{key}/{number}/{name}",
                )


def _of_further_outcomes(results: Path) -> Iterator[tuple[Any, ...]]:
    content = json.loads((results / "calibration-outcomes.json").read_text(encoding="utf-8"))
    for key, pair in PAIRS.items():
        estimator, inference = key.split("/")
        by_outcome = content[estimator].get(inference, {})
        for outcome, groups in content["groups"].items():
            if outcome == "log_gdp" or outcome not in by_outcome:
                continue
            for number, treated in TREATED.items():
                found = by_outcome[outcome][number]
                yield (
                    *pair.names,
                    outcome,
                    treated,
                    groups,
                    found["draws"],
                    LEVELS["five"],
                    found["rejection"],
                    found["se"],
                    f"calibration-outcomes:{key}/{outcome}/{number}",
                )


# ---------------------------------------------------------------------- what rates say
LEVEL = 0.05
"""Of the tests that are judged."""
KEEPS, OFTEN, SELDOM, NONE = "keeps", "too often", "too seldom", "no p-value"
UNKNOWN, NOT_HERE = "no evidence", "not here"
"""Verdicts on the size of a test."""


def largest_kept(draws: Any, level: float) -> Any:
    """The largest rejection rates, in so many draws, of tests that keep a level."""
    by_chance = 2 * np.sqrt(level * (1 - level) / np.maximum(draws, 1))
    return level + np.maximum(by_chance, level / 5)


def verdict(rejection: Any, draws: Any, level: float) -> str:
    """What rejection rates without effect say, given what chance would do in so many draws.

    Parameters
    ----------
    rejection, draws : array, shape (panels,)
    level : float

    Returns
    -------
    str
        ``"too often"`` where some rate exceeds the level by more than two Monte Carlo standard
        errors of a test that keeps it and by more than a fifth of it (a point at 5%),
        ``"too seldom"`` where all together lie below it by more than two standard errors,
        ``"keeps"`` else, and ``"no p-value"`` without rates.
    """
    rates, numbers = np.asarray(rejection, dtype=float), np.asarray(draws, dtype=float)
    known = np.isfinite(rates) & (numbers > 0)
    if not known.any():
        return NONE
    rates, numbers = rates[known], numbers[known]
    spread = np.sqrt(level * (1 - level))
    if (rates > largest_kept(numbers, level) + 1e-12).any():
        return OFTEN
    together = (rates @ numbers / numbers.sum() - level) * np.sqrt(numbers.sum())
    return SELDOM if together < -2 * spread else KEEPS


if __name__ == "__main__":
    derived(Path(sys.argv[1])).to_csv(TABLE, index=False, lineterminator="\n")
