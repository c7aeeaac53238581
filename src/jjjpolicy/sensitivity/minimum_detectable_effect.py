"""The smallest effect that a design would find: simulated on the panel itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.estimation.parallel import run
from jjjpolicy.inference.permutation.assignments import group_adoption
from jjjpolicy.inference.permutation.ranks import significant
from jjjpolicy.inference.permutation.reached import require_unnamed
from jjjpolicy.linalg.brief import brief
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.sensitivity.pseudo_policies import never_treated, pseudo_policies
from jjjpolicy.sensitivity.residual_treatment import design_of

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator, Inference
    from jjjpolicy.linalg.types import Floats

STEPS = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0])
"""Default effects, in standard deviations of the estimates under pseudo-policies."""


@dataclass(frozen=True, eq=False)
class MinimumDetectableEffect:
    """Power of a method on a panel, against constant effects.

    Attributes
    ----------
    effect : float
        The smallest effect detected with probability ``power``, interpolated between the simulated
        ones; ``nan`` where none of them reaches it.
    power, level : float
    size : float
        Share of pseudo-policies without effect that the method calls significant; should be near
        ``level``. Where it is larger, power is not worth its name.
    curve : DataFrame
        effect, power, se (of the simulated share).
    spread : float
        Standard deviation of the estimates under pseudo-policies without effect.
    replications : int
    exact : bool
        Whether these are all pseudo-policies or a sample.
    """

    effect: float
    power: float
    level: float
    size: float
    curve: pd.DataFrame
    spread: float
    replications: int
    exact: bool

    __repr__ = brief


@one_thread
def minimum_detectable_effect(
    source: Design | Estimate,
    estimator: Estimator | None = None,
    inference: Inference | None = None,
    *,
    power: float = 0.8,
    level: float = 0.05,
    effects: Sequence[float] | None = None,
    replications: int = 200,
    seed: int = 0,
    jobs: int = 1,
) -> MinimumDetectableEffect:
    """Simulate pseudo-policies with known effects on the units that were never treated.

    The treated groups are left out. The same bundles (as many groups, the same adoption periods)
    are given to control groups drawn at random at the level of assignment, a constant effect is
    added to their treated cells, and the method is applied: correlation over time, between units
    and between neighbours is that of the panel.

    Parameters
    ----------
    source : Design or Estimate
    estimator : Estimator, optional
        That of the estimate by default; needed with a design.
    inference : Inference, optional
        By default the standard errors that the estimator attaches itself.
    power, level : float
    effects : sequence of float, optional
        In units of the outcome; zero is always added. By default 0 to 8 standard deviations of the
        estimates without effect.
    replications : int
        Number of pseudo-policies; all of them where there are no more.
    seed : int
    jobs : int
        Worker processes; the numbers do not depend on it.

    Raises
    ------
    DesignError
        Treatment switches off; too few control groups for as many pseudo-treated and at least two
        controls.
    InferenceError
        The method gives no p-value; ``power`` or ``level`` is not between 0 and 1; effects that are
        not positive.
    """
    for name, value in (("power", power), ("level", level)):
        if not 0 < value < 1:
            raise InferenceError(f"{name}={value} must lie between 0 and 1.")
    if replications < 2:
        raise InferenceError(f"replications={replications} must be at least 2.")
    if effects is not None and not all(effect > 0 for effect in effects):
        raise InferenceError("effects= must be positive, in units of the outcome.")
    if estimator is None:
        if not isinstance(source, Estimate):
            raise DesignError(
                "minimum_detectable_effect needs an estimator with a design; pass e.g. "
                "jp.did.TwoWayFixedEffects(), or an estimate instead of the design."
            )
        estimator = source.estimator
    design = design_of(source)
    require_unnamed(estimator, design, "minimum_detectable_effect")
    controls = never_treated(design, "minimum_detectable_effect")
    controls = controls.keep_units(
        ~estimator.reached(design)[~design.treated], "treatment may affect it"
    )
    dates, _ = group_adoption(design.adoption, design.assignment)
    adoptions, exact = pseudo_policies(controls, dates[np.isfinite(dates)], replications, seed)
    spread = float(np.std(estimator.refit_many(controls, adoptions, jobs).att))
    grid = STEPS * spread if effects is None else np.array([0.0, *sorted(effects)])
    tasks = [(controls, estimator, inference, grid, adoption) for adoption in adoptions]
    pvalues = np.stack(list(run(_pvalues, tasks, jobs, "power")))
    shares = significant(pvalues, level).mean(axis=0)
    curve = pd.DataFrame(
        {
            "effect": grid,
            "power": shares,
            "se": np.sqrt(shares * (1 - shares) / len(adoptions)),
        }
    )
    return MinimumDetectableEffect(
        effect=_first_reaching(grid, shares, power),
        power=power,
        level=level,
        size=float(shares[0]),
        curve=curve,
        spread=spread,
        replications=len(adoptions),
        exact=exact,
    )


def _pvalues(
    controls: Design,
    estimator: Estimator,
    inference: Inference | None,
    grid: Floats,
    adoption: Floats,
) -> Floats:
    assigned = controls.reassigned(adoption)
    found = np.empty(len(grid))
    for k, effect in enumerate(grid):
        moved = assigned.with_outcome(assigned.outcome + effect * assigned.treatment)
        estimate = estimator.fit(moved)
        if inference is not None:
            estimate = estimate.with_inference(inference)
        if estimate.pvalue is None:
            raise InferenceError(
                f"{estimator.label} has no p-value of its own; pass inference=, e.g. "
                f"jp.inference.PlaceboUnits()."
            )
        found[k] = estimate.pvalue
    return found


def _first_reaching(grid: Floats, shares: Floats, power: float) -> float:
    reached = np.flatnonzero(shares >= power)
    if len(reached) == 0:
        return float("nan")
    k = int(reached[0])
    if k == 0:
        return 0.0
    share = (power - shares[k - 1]) / (shares[k] - shares[k - 1])
    return float(grid[k - 1] + share * (grid[k] - grid[k - 1]))
