"""Bootstrap of whole groups, with re-estimation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.draws import streams
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.parallel import run
from jjjpolicy.estimation.variance import few_treated_note
from jjjpolicy.inference.permutation.left_out import Aligned
from jjjpolicy.inference.results import bootstrap_result

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True)
class ClusterBootstrap(Inference):
    r"""Draw groups of units with replacement and re-estimate.

    Works with every estimator, weights estimated anew in every sample (for synthetic
    difference-in-differences Arkhangelsky et al. 2021, algorithm 2). The standard error is the
    standard deviation of the bootstrap estimates; p-value and interval use the quantiles of
    :math:`|\tau^* - \hat\tau|`. Draws without a treated or without a never-treated group (where the
    data have one) are drawn again; with few treated groups there are many of those, and the method
    should not be used. Effects by event time and by cohort rest on the draws that have them.

    Parameters
    ----------
    replications : int
    seed : int
    level : str, optional
        Groups to draw; the level of assignment by default.
    jobs : int
        Worker processes; the numbers do not depend on it.
    """

    by_group: ClassVar[bool] = True
    replications: int = 999
    seed: int = 0
    level: str | None = None
    jobs: int = 1

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard errors, p-value and interval.

        Raises
        ------
        InferenceError
            Fewer than two treated or two control groups; fewer than two replications; an estimator
            that lets treatment affect other units.
        """
        if self.replications < 2:
            raise InferenceError(f"replications={self.replications} must be at least 2.")
        if estimate.estimator.leaks:
            raise InferenceError(
                f"{estimate.estimator.label} lets treatment affect other units, and a sample of "
                f"groups leaves out some of the treated, while their neighbours still hold what "
                f"they received; use the errors that it attaches itself, ConditionalRandomization, "
                f"PlaceboUnits or EndOfSample."
            )
        design = estimate.design
        codes = np.unique(design.cluster_codes(self.level), return_inverse=True)[1].astype(np.int64)
        treated = np.unique(codes[design.treated])
        if len(treated) < 2 or codes.max() + 1 - len(treated) < 2:
            raise InferenceError(
                f"drawing groups needs two treated and two other groups at least; there are "
                f"{len(treated)} and {codes.max() + 1 - len(treated)}. Use RandomizationInference."
            )
        samples, again = _samples(design, codes, self.replications, self.seed)
        parts = _refits(estimate.estimator, design, codes, samples, self.jobs)
        adoptions = [_adoptions(design, codes, sample) for sample in samples]
        done = [
            (refits, adoption)
            for refits, adoption in zip(parts, adoptions, strict=True)
            if refits is not None
        ]
        failed = len(parts) - len(done)
        if len(done) < 2:
            raise InferenceError("hardly any bootstrap sample could be estimated.")
        drawn = Aligned.of(estimate, [r for r, _ in done], [a for _, a in done])
        notes = [f"{len(done):,} draws, seed {self.seed}."]
        if again:
            notes.append(f"{again:,} draws without both treated and other groups were redrawn.")
        if failed:
            notes.append(f"{failed:,} draws could not be estimated and are left out.")
        deviations = (drawn.att - estimate.att)[:, None]
        if drawn.has_effects:
            points = drawn.events["estimate"].to_numpy(dtype=float)
            deviations = np.column_stack([deviations, drawn.effects - points])
        cohorts = None
        if drawn.has_cohorts and estimate.cohort_effects is not None:
            points = estimate.cohort_effects["estimate"].to_numpy(dtype=float)
            cohorts = drawn.cohorts - points
        return bootstrap_result(
            estimate,
            self,
            f"cluster bootstrap by {self.level or design.assigned_at}",
            deviations,
            np.nanstd(deviations, axis=0, ddof=1),
            cohorts=cohorts,
            notes=(*notes, *few_treated_note(design, codes)),
        )


def _samples(design: Design, codes: Integers, number: int, seed: int) -> tuple[list[Integers], int]:
    """Groups of each sample, and how many samples were drawn in vain."""
    groups = int(codes.max()) + 1
    some, other = (np.bincount(codes, own, groups) > 0 for own in (design.treated, ~design.treated))
    never, again = bool(other.any()), 0
    samples: list[Integers] = []
    for stream in streams(seed, number):
        rng = np.random.default_rng(stream)
        drawn = rng.integers(groups, size=groups)
        while not some[drawn].any() or (never and not other[drawn].any()):
            again += 1
            drawn = rng.integers(groups, size=groups)
        samples.append(drawn)
    return samples, again


def _refits(
    estimator: Estimator, design: Design, codes: Integers, samples: list[Integers], jobs: int
) -> list[Refits | None]:
    """Estimates of each sample; None where it cannot be estimated."""
    groups = int(codes.max()) + 1
    counts = np.array([np.bincount(drawn, minlength=groups) for drawn in samples], dtype=float)
    parts = estimator.refit_counted(design, codes, counts)
    unknown = [drawn for drawn, part in zip(samples, parts, strict=True) if part is None]
    tasks = [(estimator, design, codes, drawn) for drawn in unknown]
    found = run(_refit, tasks, jobs, ClusterBootstrap.__name__)
    return [next(found) if part is None else part for part in parts]


def _refit(estimator: Estimator, design: Design, codes: Integers, drawn: Integers) -> Refits | None:
    try:
        return estimator.refit(resampled(design, codes, drawn))
    except (DesignError, np.linalg.LinAlgError):
        return None


def _adoptions(design: Design, codes: Integers, drawn: Integers) -> Floats:
    """Adoption periods of the treated units in a sample."""
    own: Floats = design.adoption[design.treated & np.isin(codes, drawn)]
    return own


def resampled(design: Design, codes: Integers, drawn: Integers) -> Design:
    """The design made of the drawn groups; a group drawn twice becomes two groups."""
    members = [np.flatnonzero(codes == g) for g in drawn]
    rows = np.concatenate(members)
    copies = np.repeat(np.arange(len(drawn)), [len(m) for m in members])
    pairs = np.column_stack([copies, design.assignment[rows]])
    assignment = np.unique(pairs, axis=0, return_inverse=True)[1].ravel().astype(np.int64)
    return replace(
        design,
        outcome=design.outcome[rows],
        units=pd.RangeIndex(len(rows)),
        adoption=design.adoption[rows],
        assignment=assignment,
        switching=None if design.switching is None else design.switching[rows],
        covariates={name: values[rows] for name, values in design.covariates.items()},
        predictors={name: values[rows] for name, values in design.predictors.items()},
        weights=None if design.weights is None else design.weights[rows],
        clusters={name: values[rows] for name, values in design.clusters.items()},
        coordinates=None if design.coordinates is None else design.coordinates[rows],
        stands_for=None if design.stands_for is None else design.stands_for[rows],
    )
