"""Parametric bootstrap of factor models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.draws import streams
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.parallel import run
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.variance import few_treated_note
from jjjpolicy.inference.permutation.assignments import group_adoption
from jjjpolicy.inference.results import bootstrap_result

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True)
class ParametricBootstrap(Inference):
    r"""Simulate panels from the fitted model and estimate again (Xu 2017, algorithm 2).

    1. Every never-treated unit is predicted from the others as if it had been treated; the errors
       :math:`\hat\varepsilon^p_j` are those of predicting a treated unit.
    2. Each simulated panel consists of the fitted paths without treatment plus errors: whole error
       paths drawn with replacement, those of prediction for the treated units, and those of the fit
       for the others, so that serial dependence is kept.
    3. The estimates from simulated panels, in which there is no effect, are deviations of the
       estimator from the truth: they give standard error, p-value and interval.

    Errors are independent between groups at the level of assignment and identically distributed;
    all units of a group take the errors of one drawn group of the same size where there are several
    units to a group.

    Parameters
    ----------
    replications : int
    seed : int
    jobs : int
        Worker processes; the numbers do not depend on it.
    """

    replications: int = 500
    seed: int = 0
    jobs: int = 1

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard errors, p-value and interval.

        Raises
        ------
        InferenceError
            The estimator does not fit the never-treated units (``details["untreated_fit"]``); fewer
            than two replications or three never-treated groups; treated groups of sizes that no
            never-treated group has.
        """
        if self.replications < 2:
            raise InferenceError(f"replications={self.replications} must be at least 2.")
        design = estimate.design
        fit = estimate.details.get("untreated_fit")
        if fit is None or estimate.counterfactual is None:
            raise InferenceError(
                f"{estimate.estimator.label} has no model of the never-treated units to simulate "
                f"from; use PlaceboUnits, or synth.GeneralizedSyntheticControl."
            )
        never = ~design.treated
        groups = np.unique(design.assignment, return_inverse=True)[1].astype(np.int64)
        pools = _pools(design, groups)
        fitted = np.empty_like(design.outcome)
        fitted[design.treated] = estimate.counterfactual.to_numpy()
        fitted[never] = np.asarray(fit)
        predicted = self._prediction_errors(estimate.estimator, design)
        in_sample = design.outcome - fitted
        work = (estimate.estimator, design, fitted, in_sample, predicted, groups, pools)
        tasks = [(*work, stream) for stream in streams(self.seed, self.replications)]
        refits = Refits.stack(run(_refit, tasks, self.jobs, self.label))
        deviations = refits.att[:, None]
        if refits.effects is not None:
            deviations = np.column_stack([deviations, refits.effects])
        return bootstrap_result(
            estimate,
            self,
            "parametric bootstrap",
            deviations,
            deviations.std(axis=0, ddof=1),
            cohorts=refits.cohorts,
            notes=(
                f"{self.replications:,} simulated panels, seed {self.seed}.",
                *few_treated_note(design, design.assignment),
            ),
        )

    def _prediction_errors(self, estimator: Estimator, design: Design) -> Floats:
        """Errors of predicting each never-treated unit from the others; ``nan`` for the treated."""
        controls = design.keep_units(~design.treated, "set aside by the parametric bootstrap")
        _, positions = group_adoption(controls.adoption, controls.assignment)
        errors = np.full(design.outcome.shape, np.nan)
        rows = np.flatnonzero(~design.treated)
        for g in range(int(positions.max()) + 1):
            members = np.flatnonzero(positions == g)
            others = positions != g
            for member in members:
                keep = others.copy()
                keep[member] = True
                adoption = np.full(controls.n_units, np.inf)
                adoption[member] = design.cohorts[0]
                part = controls.reassigned(adoption).keep_units(keep, "its group is predicted")
                effects = estimator.refit(part).effects
                if effects is None:
                    raise InferenceError(
                        f"{estimator.label} gives no paths when it is fitted again; the parametric "
                        f"bootstrap needs them."
                    )
                errors[rows[member]] = effects[0]
        return errors


def _pools(design: Design, groups: Integers) -> dict[int, list[Integers]]:
    """Units of the never-treated groups, by size of the group.

    Raises
    ------
    InferenceError
        There are too few, or none as large as a group that needs errors.
    """
    members = [np.flatnonzero(groups == g) for g in range(int(groups.max()) + 1)]
    controls = [m for m in members if not design.treated[m].any()]
    if len(controls) < 3:
        raise InferenceError(
            f"the parametric bootstrap needs three never-treated groups at the level "
            f"{design.assigned_at!r}, there are {len(controls)}."
        )
    pools: dict[int, list[Integers]] = {}
    for m in members:
        pools.setdefault(len(m), [c for c in controls if len(c) >= len(m)])
        if not pools[len(m)]:
            raise InferenceError(
                f"no never-treated group at the level {design.assigned_at!r} has the {len(m)} "
                f"units of a treated one, so that its errors cannot be drawn; use PlaceboUnits."
            )
    return pools


def _refit(
    estimator: Estimator,
    design: Design,
    fitted: Floats,
    in_sample: Floats,
    predicted: Floats,
    groups: Integers,
    pools: dict[int, list[Integers]],
    stream: np.random.SeedSequence,
) -> Refits:
    """The estimates from one simulated panel."""
    rng = np.random.default_rng(stream)
    outcome = fitted.copy()
    for g in range(int(groups.max()) + 1):
        members = np.flatnonzero(groups == g)
        pool = pools[len(members)]
        drawn = pool[int(rng.integers(len(pool)))][: len(members)]
        errors = predicted if design.treated[members].any() else in_sample
        outcome[members] += errors[drawn]
    return estimator.refit(design.with_outcome(outcome))
