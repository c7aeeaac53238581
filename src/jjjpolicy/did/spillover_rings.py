"""Effects on the treated and on their neighbours, by distance."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.did.exposure import distances_to_treated, nearest_treated
from jjjpolicy.did.not_estimable import listed_as_not_estimable
from jjjpolicy.did.untreated_outcome import UntreatedOutcome
from jjjpolicy.errors import DesignError, JJJPolicyWarning
from jjjpolicy.estimate import Estimate
from jjjpolicy.estimator import Estimator, Refits
from jjjpolicy.variance import (
    analytic_result,
    clustered_covariance,
    few_treated_note,
    t_interval,
    t_pvalue,
)

if TYPE_CHECKING:
    from jjjpolicy.design import Booleans, Design, Floats, Integers


@dataclass(frozen=True, eq=False)
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
    (95%), units (in the ring in some period), cells. Standard errors come from both stages as one
    set of moment conditions, clustered at the level of assignment; neighbours share their errors,
    for which :class:`~jjjpolicy.inference.Conley` is made, as Butts recommends.
    ``details["ring_influence"]`` holds the rings' influence functions.
    """

    rings: tuple[float, ...] = (100.0,)
    distances: pd.DataFrame | None = None
    adjacency: pd.DataFrame | None = None

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
        found = _Averages.of(self, design)
        found.model.warn()
        design = listed_as_not_estimable(design, found.model.not_estimable, self.label)
        times = found.event_times
        shown = 1 + len(times)
        covariance = clustered_covariance(found.influence, design.assignment)
        effects = pd.DataFrame({"event_time": times, "estimate": found.estimates[1:shown]})
        rings = self._table(found, np.sqrt(np.diag(covariance)[shown:]), shown)
        empty = rings[rings["cells"] == 0]
        for row in empty.itertuples():
            warnings.warn(
                f"no untreated unit lies between {row.inner:g} and {row.outer:g} from a treated "
                f"one: this ring has no estimate.",
                JJJPolicyWarning,
                stacklevel=2,
            )
        estimate = Estimate(
            estimator=self,
            design=design,
            att=float(found.estimates[0]),
            estimand="average effect over treated cells, with neighbours set aside",
            event_effects=effects,
            influence=found.influence[:, :shown],
            details={
                "rings": rings,
                "ring_influence": found.influence[:, shown:],
                "event_times": times,
                "not_estimable": found.model.not_estimable,
                "far_controls": int(found.far),
            },
        )
        return estimate.with_result(
            analytic_result(
                f"two-stage GMM, clustered by {design.assigned_at}",
                estimate.att,
                effects,
                covariance[:shown, :shown],
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=(
                    f"{found.far} units beyond {self.rings[-1]:g} are the controls.",
                    *few_treated_note(design, design.assignment),
                ),
            )
        )

    def refit(self, design: Design) -> Refits:
        """Overall effect and its standard error, without labels."""
        found = _Averages.of(self, design)
        variance = clustered_covariance(found.influence[:, :1], design.assignment)[0, 0]
        return Refits(att=found.estimates[:1], se=np.sqrt(np.array([variance])))

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

    def _table(self, found: _Averages, errors: Floats, shown: int) -> pd.DataFrame:
        rows = []
        inner = 0.0
        points = found.estimates[shown:]
        for edge, cells, point, error in zip(
            self.rings, found.masks[shown:], points, errors, strict=True
        ):
            seen = bool(cells.any())
            low, high = t_interval(float(point), float(error), np.inf, 0.95)
            rows.append(
                {
                    "inner": inner,
                    "outer": edge,
                    "estimate": float(point),
                    "se": float(error) if seen else np.nan,
                    "pvalue": t_pvalue(float(point), float(error), np.inf) if seen else np.nan,
                    "lower": low if seen else np.nan,
                    "upper": high if seen else np.nan,
                    "units": int(cells.any(axis=1).sum()),
                    "cells": int(cells.sum()),
                }
            )
            inner = edge
        return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class _Averages:
    """Averages over disjoint sets of cells: treated, treated by event time, each ring.

    estimates : (averages,); influence : (units, averages), whose mean is the estimation error
    """

    model: UntreatedOutcome
    event_times: Integers
    masks: list[Booleans]
    estimates: Floats
    influence: Floats
    far: int

    @classmethod
    def of(cls, estimator: SpilloverRings, design: Design) -> _Averages:
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
        on = design.treatment & model.estimable
        if not on.any():
            raise DesignError(
                f"{estimator.label} can estimate no treated cell; treated units need periods in "
                f"which they are neither treated nor within {estimator.rings[-1]:g} of a treated "
                f"one. Use smaller rings=."
            )
        relative = np.where(on, design.periods - np.where(on, design.adoption[:, None], 0.0), -1)
        times = np.unique(relative[on]).astype(np.int64)
        masks = [on, *(on & (relative == time) for time in times)]
        inner = -np.inf
        for edge in estimator.rings:
            ring = (nearest > inner) & (nearest <= edge)
            masks.append(ring & ~design.treatment & model.estimable)
            inner = edge
        estimates = np.full(len(masks), np.nan)
        influence = np.zeros((design.n_units, len(masks)))
        for k, cells in enumerate(masks):
            if cells.any():
                estimates[k], influence[:, k] = _average(model, cells)
        return cls(model, times, masks, estimates, influence, far)


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
