"""Which methods keep their size on a panel: pseudo-policies on units that were never treated."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jjjpolicy.design.design import Design
from jjjpolicy.errors import DesignError, InferenceError, JJJPolicyError
from jjjpolicy.estimation.draws import seeded
from jjjpolicy.estimation.estimate import Estimator, Inference
from jjjpolicy.estimation.names import Named, by_name
from jjjpolicy.estimation.parallel import run
from jjjpolicy.estimation.repeated import SEEDS
from jjjpolicy.inference.permutation.ranks import significant
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.sensitivity.calibration_cell import PseudoPolicies, PValues, pvalues
from jjjpolicy.sensitivity.pseudo_policies import never_treated, pseudo_policies

CELL = ["outcome", "estimator", "inference", "treated"]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Rejection rates of methods under pseudo-policies.

    Attributes
    ----------
    size : DataFrame
        Without effect: outcome, estimator, inference, treated (groups), draws (pseudo-policies over
        all dates), all (whether they are all there are), level, rejection, se (Monte Carlo standard
        error, as if pseudo-policies were independent), fits, failure (why a combination has no
        number; empty where it has one).
    power : DataFrame
        With effects: the same columns, and ``effect`` in units of the outcome. Where the size
        exceeds the level, power is not comparable.
    """

    size: pd.DataFrame
    power: pd.DataFrame

    __repr__ = brief

    @property
    def fits(self) -> int:
        """Number of estimates behind the tables."""
        cells = self.size.drop_duplicates(CELL)
        return int(cells["fits"].sum())


@dataclass(frozen=True)
class _Cell:
    """One combination at one date."""

    outcome: str
    estimator: str
    inference: str
    treated: int
    date: int


@one_thread
def calibrate(
    designs: Named[Design],
    estimators: Named[Estimator],
    inferences: Named[Inference],
    *,
    treated: Sequence[int] = (1, 3),
    dates: Sequence[int] | None = None,
    effects: Sequence[float] | Mapping[str, Sequence[float]] = (),
    draws: int = 300,
    power_draws: int = 100,
    levels: Sequence[float] = (0.05, 0.10),
    seed: int = 0,
    jobs: int = 1,
    directory: str | Path | None = None,
) -> Calibration:
    """Try methods on pseudo-policies that did nothing, and on pseudo-policies with known effects.

    The units that a design treats are left out. Of the others, every set of as many groups (at the
    level of assignment) as ``treated`` says, or a sample of the sets, is declared treated from each
    date on, and every estimator is combined with every inference method. Correlation over time,
    between groups and between neighbours is that of the panel (Bertrand, Duflo and Mullainathan
    2004, section III).

    Parameters
    ----------
    designs : mapping from name of the outcome to Design, list of Design, or one
    estimators, inferences : mapping from name to estimator, to inference method; or a list; or one
        Combinations that do not exist get their reason in ``failure``.
    treated : sequence of int
        Numbers of treated groups.
    dates : sequence of int, optional
        First treated periods, tried one at a time and pooled; by default those of each design.
    effects : sequence of float, or mapping from name of the outcome to one
        Constant effects in units of the outcome, for the power table.
    draws : int
        Pseudo-policies for each number of treated groups and date; all where there are no more.
    power_draws : int
        Pseudo-policies with effects, at most ``draws``.
    levels : sequence of float
    seed : int
        Of the sampled pseudo-policies, which are the same for all methods. The draws of a method
        differ between pseudo-policies: they take ``seed``, ``seed + 1`` and so on up to 100 seeds
        in turn, so that no rate hangs on one draw of placebos.
    jobs : int
        Worker processes; the tables do not depend on it.
    directory : path, optional
        Where each combination leaves its p-values. What is found there is not computed again, so
        that an interrupted calibration goes on where it was.

    Raises
    ------
    DesignError
        A date without periods before it, or after the panel; too few groups that were never
        treated.
    InferenceError
        Levels outside of (0, 1), fewer than two draws, nothing to combine.
    """
    designs = by_name(designs, Design, "designs=")
    estimators = by_name(estimators, Estimator, "estimators=")
    inferences = by_name(inferences, Inference, "inferences=")
    _check(levels, draws)
    by_outcome = dict(effects) if isinstance(effects, Mapping) else dict.fromkeys(designs, effects)
    panels: dict[tuple[str, int, int], tuple[PseudoPolicies, bool]] = {}
    for (name, design), k in product(designs.items(), treated):
        controls = never_treated(design, "calibrate")
        added = np.array(by_outcome.get(name, ()), dtype=float)
        for date in dates or [int(cohort) for cohort in design.cohorts]:
            _check_date(design, date)
            table, exact = pseudo_policies(controls, np.full(k, float(date)), draws, seed)
            tried = min(power_draws, len(table)) if len(added) else 0
            # Enumerated sets are in order of the units; a part of them has to be a mixed one.
            order = np.random.default_rng(seeded(seed)).permutation(len(table))
            policies = PseudoPolicies(controls, table[order], added, tried)
            panels[name, k, date] = policies, exact
    cells = [
        _Cell(name, estimator, inference, k, date)
        for (name, k, date), estimator, inference in product(panels, estimators, inferences)
    ]
    folder = None if directory is None else Path(directory)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    tasks = [
        (
            panels[c.outcome, c.treated, c.date][0],
            estimators[c.estimator],
            inferences[c.inference],
            folder,
        )
        for c in cells
    ]
    found = list(run(_kept, tasks, jobs, "calibration", at_once=1))
    return _tables(cells, found, panels, levels)


# ---------------------------------------------------------------------- one cell, kept on disk
def _kept(
    policies: PseudoPolicies, estimator: Estimator, inference: Inference, folder: Path | None
) -> dict[str, Any]:
    """The cell from its file, or computed and written there."""
    if folder is None:
        return _computed(policies, estimator, inference)
    path = folder / f"{_digest(policies, estimator, inference)}.json"
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    content = _computed(policies, estimator, inference)
    described = {"estimator": estimator.specification(), "inference": inference.specification()}
    with tempfile.NamedTemporaryFile(
        "w", dir=folder, prefix=".unfinished-", delete=False, encoding="utf-8"
    ) as file:
        json.dump({**described, **content}, file, default=str)
    os.replace(file.name, path)
    return content


def _computed(
    policies: PseudoPolicies, estimator: Estimator, inference: Inference
) -> dict[str, Any]:
    with warnings.catch_warnings():
        # Thousands of pseudo-policies would repeat what each single estimate warns of.
        warnings.simplefilter("ignore")
        try:
            found = pvalues(policies, estimator, inference)
        except (JJJPolicyError, np.linalg.LinAlgError) as error:
            found = PValues(np.empty(0), np.empty((0, 0)), 0)
            failure = f"{type(error).__name__}: {error}"
        else:
            failure = ""
    return {
        "none": found.none.tolist(),
        "effects": found.effects.tolist(),
        "fits": found.fits,
        "failure": failure,
    }


def _digest(policies: PseudoPolicies, estimator: Estimator, inference: Inference) -> str:
    """What a cell rests on: panel, pseudo-policies, effects, methods, version."""
    from jjjpolicy import __version__

    described = [
        policies.controls.fingerprint,
        sha256(np.ascontiguousarray(policies.adoptions).tobytes()).hexdigest(),
        policies.effects.tolist(),
        policies.tried,
        estimator.specification(),
        inference.specification(),
        SEEDS,
        __version__,
    ]
    return sha256(json.dumps(described, default=repr).encode()).hexdigest()[:32]


# ---------------------------------------------------------------------- tables
def _tables(
    cells: Sequence[_Cell],
    found: Sequence[dict[str, Any]],
    panels: Mapping[tuple[str, int, int], tuple[PseudoPolicies, bool]],
    levels: Sequence[float],
) -> Calibration:
    pooled: dict[tuple[str, str, str, int], list[tuple[_Cell, dict[str, Any]]]] = {}
    for cell, content in zip(cells, found, strict=True):
        key = (cell.outcome, cell.estimator, cell.inference, cell.treated)
        pooled.setdefault(key, []).append((cell, content))
    size, power = [], []
    for key, parts in pooled.items():
        failures = [content["failure"] for _, content in parts if content["failure"]]
        row = dict(zip(CELL, key, strict=True))
        known = [panels[c.outcome, c.treated, c.date] for c, _ in parts]
        shared = {"fits": sum(content["fits"] for _, content in parts)}
        ending = shared | {"failure": failures[0] if failures else ""}
        none = np.concatenate([np.asarray(content["none"]) for _, content in parts])
        begun = row | {"all": all(exact for _, exact in known)}
        for level in levels:
            size.append(begun | _share(none if not failures else None, level) | ending)
        for e, effect in enumerate(known[0][0].effects):
            moved = [np.asarray(c["effects"])[:, e] for _, c in parts if not c["failure"]]
            values = None if failures else np.concatenate(moved)
            for level in levels:
                power.append(begun | {"effect": float(effect)} | _share(values, level) | ending)
    columns = [*CELL, "draws", "all", "level", "rejection", "se", "fits", "failure"]
    return Calibration(
        pd.DataFrame(size, columns=columns),
        pd.DataFrame(power, columns=[*CELL, "effect", *columns[4:]]),
    )


def _share(values: Any, level: float) -> dict[str, Any]:
    if values is None:
        return {"draws": 0, "level": level, "rejection": np.nan, "se": np.nan}
    share = float(significant(values, level).mean())
    return {
        "draws": len(values),
        "level": level,
        "rejection": share,
        "se": float(np.sqrt(share * (1 - share) / len(values))),
    }


def _check(levels: Sequence[float], draws: int) -> None:
    for level in levels:
        if not 0 < level < 1:
            raise InferenceError(f"level {level} must lie between 0 and 1, e.g. 0.05.")
    if draws < 2:
        raise InferenceError(f"draws={draws} must be at least 2.")


def _check_date(design: Design, date: int) -> None:
    first, last = int(design.periods[0]), int(design.periods[-1])
    if not first < date <= last:
        raise DesignError(
            f"pseudo-date {date}: the panel of {design.labels.outcome!r} runs from {first} to "
            f"{last}; choose dates after {first} and not after {last}."
        )
