"""Randomisation inference on the effect of treatment where treatment reaches neighbours as well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.pairs import digest
from jjjpolicy.inference.permutation.focal import (
    between_groups,
    distances_to_groups,
    far_apart,
    most_assignments,
)
from jjjpolicy.inference.permutation.reached import require_unnamed
from jjjpolicy.inference.randomization import RandomizationInference, Statistic

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans


@dataclass(frozen=True)
class ConditionalRandomization(Inference):
    """Permute treatment among groups beyond each other's reach, and re-estimate on these.

    Where the treatment of a unit reaches its neighbours, another assignment would have changed the
    outcomes of more than the treated, and the usual permutation test compares with outcomes that
    would not have been. The hypothesis here is that a unit's own treatment has no effect, whatever
    that of others within ``beyond`` does. Groups are divided, by their places alone, into blocks
    whose members lie farther than ``beyond`` from each other; the focal units are those of the
    block in which treatment could have fallen in most ways. Bundles are exchanged within it and
    everything else is held as it was: no focal unit then has another treated unit within its reach
    than it had, its outcome is what it would have been, and the rank of the estimate on focal units
    among all exchanges is exact, with any spillovers up to ``beyond``, any estimator and one
    treated group (Athey, Eckles and Imbens 2018; Basse, Feller and Toulis 2019).

    Parameters
    ----------
    beyond : float
        Distance beyond which treatment has no effect on others, in km or in the unit of measure of
        ``distances``. Of groups of assignment the distance is that of their nearest units.
    distances : DataFrame, optional
        Between units, rows and columns labelled by unit. Great-circle distances in km from the
        coordinates of the design by default.
    replications, seed, statistic, jobs
        As in :class:`RandomizationInference`.

    Notes
    -----
    The p-value and the interval, which holds every constant effect of own treatment that the test
    does not reject, rest on the estimate from focal units alone, ``details["focal_att"]``; the
    interval need not contain the estimate from all units. ``details["focal"]`` lists the focal
    units. The estimator should compare focal units as they are: one that sets neighbours aside,
    such as SpilloverRings, finds none among them.
    """

    beyond: float
    distances: pd.DataFrame | None = None
    replications: int | None = None
    seed: int = 0
    statistic: Statistic = "coefficient"
    jobs: int = 1

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-value, interval and the reference distribution.

        Raises
        ------
        InferenceError
            There is no focal set: no untreated group lies beyond the reach of treated ones and of
            the other groups of its block; the estimator cannot be fitted to focal units; treatment
            switches off; as :class:`RandomizationInference`.
        DesignError
            Distances are unknown or do not match the units.
        """
        require_unnamed(estimate.estimator, estimate.design, self.label)
        design = estimate.design
        away = between_groups(
            design, distances_to_groups(design, self.distances, self.beyond, self.label)
        )
        block = most_assignments(design, far_apart(away, self.beyond))
        if block is None:
            raise InferenceError(self._no_focal_set(design))
        focal = np.isin(design.assignment, block)
        found = self._on(estimate, design, focal)
        result = found.inference
        assert result is not None
        groups = f"{len(block)} of {len(away)} groups at the level {design.assigned_at!r}"
        note = (
            f"Rank and interval rest on the estimate from the {groups} that lie more than "
            f"{self.beyond:g} from each other, {found.att:.6g}; the interval need not contain the "
            f"estimate from all. Spillovers up to {self.beyond:g} do not invalidate them."
        )
        return estimate.with_result(
            replace(
                result,
                name=f"conditional {result.name}, spillovers up to {self.beyond:g}",
                notes=(note, *result.notes),
                details={
                    **result.details,
                    "focal": design.units[focal],
                    "focal_att": found.att,
                },
                specification=self.specification(),
            )
        )

    def specification(self) -> dict[str, Any]:
        """Name and options; distances by the digest of their content."""
        given = None if self.distances is None else digest(self.distances)
        return {**super().specification(), "distances": given}

    def _on(self, estimate: Estimate, design: Design, focal: Booleans) -> Estimate:
        """The estimate from focal units under unconditional randomisation among them."""
        method = RandomizationInference(self.replications, self.seed, self.statistic, self.jobs)
        try:
            found = estimate.estimator.fit(design.keep_units(focal, f"not focal in {self.label}"))
        except DesignError as error:
            raise InferenceError(
                f"{estimate.estimator.label} cannot be fitted to the {int(focal.sum())} focal "
                f"{design.labels.unit}s of {self.label}: {error}"
            ) from error
        return found.with_inference(method)

    def _no_focal_set(self, design: Design) -> str:
        treated = design.units[design.treated]
        shown = ", ".join(map(quoted, treated[:3])) + (", …" if len(treated) > 3 else "")
        return (
            f"{self.label} finds no focal set: to take the treatment of {shown}, another group at "
            f"the level {design.assigned_at!r} would have to be untreated, or treated at another "
            f"time, and farther than {self.beyond:g} from it and from the other groups of its "
            f"block, and there is none. If spillovers end nearer, use a smaller beyond=; "
            f"otherwise keep more groups far from the treated in the design."
        )
