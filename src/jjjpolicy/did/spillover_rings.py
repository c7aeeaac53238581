"""Effects on the treated and on their neighbours, by distance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.exposure import distances_to_treated, nearest_treated
from jjjpolicy.did.imputed.untreated_outcome import UntreatedOutcome
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import (
    clustered_covariance,
    few_treated_note,
    t_interval,
    t_pvalue,
)
from jjjpolicy.linalg.brief import with_options

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False, repr=False)
class SpilloverRings(Estimator):
    r"""Effects on treated units and on untreated units in rings around them.

    .. math:: y_{it} = \alpha_i + \lambda_t + \tau D_{it}
              + \sum_r \delta_r (1 - D_{it}) 1\{d_{r-1} < \text{dist}_{it} \le d_r\}
              + \varepsilon_{it}

    with the distance to the nearest unit treated by then (Butts 2023). Unit and period
    effects are fitted to the cells that are neither treated nor in a ring, and the rest of the
    outcome is averaged over treated cells and over the cells of each ring (the two-stage estimator
    of Butts for staggered adoption, after Gardner 2022): with one adoption period and a balanced
    panel the coefficients of the regression above, with several adoption periods free of
    comparisons between treated cohorts. Units beyond the last ring are the controls; where a
    neighbour is affected and counts as a control instead, the effect on the treated is biased by
    the opposite of the effect on neighbours.

    Parameters
    ----------
    rings : sequence of float
        Outer edges of the rings, increasing: (50, 100) are 0 to 50 and 50 to 100 km, each with its
        outer edge. With ``adjacency`` numbers of steps: (1,) are the neighbours, (1, 2) also
        theirs.
    distances : DataFrame, optional
        Distances between units, rows and columns labelled by unit, in the unit of measure of
        ``rings``. Great-circle distances in km from the coordinates of the design by default.
    adjacency : DataFrame, optional
        0/1, rows and columns labelled by unit.

    Notes
    -----
    ``att`` is the average over treated cells, spillovers between treated units included.
    ``details["rings"]`` has one row per ring: inner, outer, estimate, se, pvalue, lower, upper
    (95%), units (in the ring in some period), cells; ``details["rings_by_event_time"]`` the same by
    ring and event time, which counts from the period in which the unit was first in any ring (with
    staggered adoption a unit may move inwards later). Standard errors come from both stages as one
    set of moment conditions, clustered at the level of assignment; neighbours share their errors,
    for which :class:`~jjjpolicy.inference.Conley` is made, as Butts recommends.
    ``details["ring_influence"]`` and ``details["rings_by_event_time_influence"]`` hold the
    influence functions of the rows.
    """

    rings: tuple[float, ...] = (100.0,)
    distances: pd.DataFrame | None = None
    adjacency: pd.DataFrame | None = None

    __repr__ = with_options

    def __post_init__(self) -> None:
        edges = np.asarray(self.rings, dtype=float)
        if edges.ndim != 1 or len(edges) == 0 or (np.diff([0.0, *edges]) <= 0).any():
            raise DesignError(
                f"rings={self.rings} must be outer edges above zero, increasing, e.g. (50, 100)."
            )
        object.__setattr__(self, "rings", tuple(float(edge) for edge in edges))

    def fit(self, design: Design) -> Estimate:
        """Estimate the effects on the treated and by ring.

        Raises
        ------
        DesignError
            Treatment switches off; distances unknown (see :func:`distances_to_treated`); every
            unit is treated or within the last ring; no treated cell can be estimated.
        """
        cells = _Cells.of(self, design)
        cells.model.warn()
        design = listed_as_not_estimable(design, cells.model.not_estimable, self.label)
        times = cells.event_times
        estimates, influence = cells.averages([cells.treated, *cells.treated_by_time])
        covariance = clustered_covariance(influence, design.assignment)
        effects = pd.DataFrame({"event_time": times, "estimate": estimates[1:]})
        rings, ring_influence = self._table(cells, cells.whole_rings)
        by_time, by_time_influence = self._table(cells, cells.rings_by_time)
        for row in rings[rings["cells"] == 0].itertuples():
            warn_user(
                f"no untreated unit lies between {row.inner:g} and {row.outer:g} from a treated "
                f"one: this ring has no estimate.",
            )
        estimate = Estimate(
            estimator=self,
            design=design,
            att=float(estimates[0]),
            estimand="average effect over treated cells, with neighbours set aside",
            event_effects=effects,
            influence=influence,
            details={
                "rings": rings,
                "ring_influence": ring_influence,
                "rings_by_event_time": by_time,
                "rings_by_event_time_influence": by_time_influence,
                "event_times": times,
                "not_estimable": cells.model.not_estimable,
                "far_controls": int(cells.far),
            },
        )
        return estimate.with_result(
            analytic_result(
                f"two-stage GMM, clustered by {design.assigned_at}",
                estimate.att,
                effects,
                covariance,
                noise=resolution(design.outcome),
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=(
                    f"{cells.far} units beyond {self.rings[-1]:g} are the controls.",
                    *few_treated_note(design, design.assignment),
                ),
            )
        )

    def refit(self, design: Design) -> Refits:
        """Overall effect and its standard error, without labels."""
        cells = _Cells.of(self, design)
        estimates, influence = cells.averages([cells.treated])
        variance = clustered_covariance(influence, design.assignment)[0]
        return Refits(att=estimates, se=np.sqrt(variance))

    def specification(self) -> dict[str, Any]:
        """Name and options; tables by the digest of their content."""
        options = super().specification()
        for name in ("distances", "adjacency"):
            table = getattr(self, name)
            if table is not None:
                values = np.ascontiguousarray(table.to_numpy(dtype=float))
                digest = sha256(values.tobytes()).hexdigest()
                options[name] = f"{len(table)} units, sha256 {digest}"
        return options

    def _table(
        self, cells: _Cells, sets: dict[tuple[int, int | None], Booleans]
    ) -> tuple[pd.DataFrame, Floats]:
        """Averages over sets of cells by (ring, event time or None); influence functions."""
        masks = list(sets.values())
        estimates, influence = cells.averages(masks)
        errors = np.sqrt(np.diag(clustered_covariance(influence, cells.model.design.assignment)))
        errors = np.where([mask.any() for mask in masks], errors, np.nan)
        low, high = t_interval(estimates, errors, np.inf, 0.95)
        edges = (0.0, *self.rings)
        table = pd.DataFrame(
            {
                "inner": [edges[ring] for ring, _ in sets],
                "outer": [edges[ring + 1] for ring, _ in sets],
                "event_time": [time for _, time in sets],
                "estimate": estimates,
                "se": errors,
                "pvalue": [
                    t_pvalue(float(point), float(error), np.inf)
                    for point, error in zip(estimates, errors, strict=True)
                ],
                "lower": low,
                "upper": high,
                "units": [int(mask.any(axis=1).sum()) for mask in masks],
                "cells": [int(mask.sum()) for mask in masks],
            }
        )
        return table.dropna(axis=1, how="all"), influence


@dataclass(frozen=True, eq=False)
class _Cells:
    """Disjoint sets of cells, as masks of shape (units, periods), and what is fitted to the rest.

    first : (units,), first period in a ring; far : number of units that are never touched
    """

    model: UntreatedOutcome
    treated: Booleans
    rings: list[Booleans]
    adoption: Floats
    first: Floats
    far: int

    @classmethod
    def of(cls, estimator: SpilloverRings, design: Design) -> _Cells:
        design.require_absorbing(estimator.label)
        away = distances_to_treated(design, estimator.distances, estimator.adjacency)
        nearest = nearest_treated(design, away)
        exposed = nearest <= estimator.rings[-1]
        first = np.where(exposed.any(axis=1), design.periods[exposed.argmax(axis=1)], np.inf)
        touched = np.minimum(design.adoption, first)
        far = int(np.isinf(touched).sum())
        if far == 0:
            raise DesignError(
                f"every {design.labels.unit} is treated or within {estimator.rings[-1]:g} of a "
                f"treated one: no control is left. Use smaller rings= or more units."
            )
        model = UntreatedOutcome(design.reassigned(touched))
        model.require_estimable(estimator.label)
        treated = design.treatment & model.estimable
        if not treated.any():
            raise DesignError(
                f"{estimator.label} can estimate no treated cell; treated units need periods in "
                f"which they are neither treated nor within {estimator.rings[-1]:g} of a treated "
                f"one. Use smaller rings=."
            )
        untreated = ~design.treatment & model.estimable
        edges = zip((-np.inf, *estimator.rings), estimator.rings, strict=False)
        rings = [(nearest > inner) & (nearest <= outer) & untreated for inner, outer in edges]
        return cls(model, treated, rings, design.adoption, first, far)

    @cached_property
    def event_times(self) -> Integers:
        """Periods since adoption of the treated cells, increasing."""
        return np.unique(self._since(self.adoption)[self.treated])

    @property
    def treated_by_time(self) -> list[Booleans]:
        """Treated cells of each event time."""
        since = self._since(self.adoption)
        return [self.treated & (since == time) for time in self.event_times]

    @property
    def whole_rings(self) -> dict[tuple[int, int | None], Booleans]:
        """Cells of each ring."""
        return {(ring, None): cells for ring, cells in enumerate(self.rings)}

    @property
    def rings_by_time(self) -> dict[tuple[int, int | None], Booleans]:
        """Cells of each ring by periods since the unit was first in any ring."""
        since = self._since(self.first)
        return {
            (ring, int(time)): cells & (since == time)
            for ring, cells in enumerate(self.rings)
            for time in np.unique(since[cells])
        }

    def _since(self, start: Floats) -> Integers:
        """Periods since a start; negative without one."""
        known = np.where(np.isfinite(start), start, self.model.design.periods[-1] + 1)
        return self.model.design.periods - known.astype(np.int64)[:, None]

    def averages(self, masks: list[Booleans]) -> tuple[Floats, Floats]:
        """Mean of imputed effects over each set of cells, and influence functions."""
        estimates = np.full(len(masks), np.nan)
        influence = np.zeros((self.model.design.n_units, len(masks)))
        for k, cells in enumerate(masks):
            if cells.any():
                estimates[k], influence[:, k] = _average(self.model, cells)
        return estimates, influence


def _average(model: UntreatedOutcome, cells: Booleans) -> tuple[float, Floats]:
    """Mean of imputed effects over some cells, and its influence function."""
    design = model.design
    weights = np.ones(design.n_units) if design.weights is None else design.weights
    total = float(weights @ cells.sum(axis=1))
    estimate = float(weights @ (model.residuals * cells).sum(axis=1)) / total
    table = np.full((len(model.cohort_units), design.n_periods, 1), 1 / total)
    first_stage = model.first_stage_influence(model.functional(table, cells))[:, 0]
    own = weights * ((model.residuals - estimate) * cells).sum(axis=1) / total
    influence: Floats = design.n_units * (first_stage + own)
    return estimate, influence
