"""Effects on the treated and on their neighbours, by distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.imputed.exposed_cells import ExposedCells
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.pairs import (
    digest,
    distances_to_treated,
    nearest_treated,
    steps_between,
)
from jjjpolicy.linalg.brief import with_options

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Booleans, Floats


@dataclass(frozen=True, repr=False)
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

    leaks: ClassVar[bool] = True

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
            Treatment switches off; distances unknown or given twice; every
            unit is treated or within the last ring; no treated cell can be estimated.
        """
        cells = self._cells(design)
        whole: list[tuple[int, int | None, Floats | Booleans]] = [
            (ring, None, each) for ring, each in enumerate(cells.exposures)
        ]
        by_time = [
            (ring, time, each)
            for ring, exposure in enumerate(cells.exposures)
            for time, each in cells.by_time(exposure).items()
        ]
        rings, ring_influence = self._table(cells, whole)
        times, time_influence = self._table(cells, [*by_time])
        for row in rings[rings["cells"] == 0].itertuples():
            warn_user(
                f"no untreated unit lies between {row.inner:g} and {row.outer:g} from a treated "
                f"one: this ring has no estimate.",
            )
        details = {
            "rings": rings,
            "ring_influence": ring_influence,
            "rings_by_event_time": times,
            "rings_by_event_time_influence": time_influence,
        }
        note = f"{cells.far} units beyond {self.rings[-1]:g} are the controls."
        design = listed_as_not_estimable(design, cells.model.not_estimable, self.label)
        return cells.estimate(self, design, details, note)

    def refit(self, design: Design) -> Refits:
        """Overall effect and its standard error, without labels."""
        return self._cells(design).refit()

    def reached(self, design: Design) -> Booleans:
        """Untreated units in some ring."""
        nearest = nearest_treated(design, self._distances(design))
        found: Booleans = (nearest <= self.rings[-1]).any(axis=1) & ~design.treated
        return found

    def specification(self) -> dict[str, Any]:
        """Name and options; tables by the digest of their content."""
        options = super().specification()
        for name in ("distances", "adjacency"):
            table = getattr(self, name)
            if table is not None:
                options[name] = digest(table)
        return options

    def _cells(self, design: Design) -> ExposedCells:
        nearest = nearest_treated(design, self._distances(design))
        edges = zip((-np.inf, *self.rings), self.rings, strict=False)
        return ExposedCells.of(
            design,
            [(nearest > inner) & (nearest <= outer) for inner, outer in edges],
            self.label,
            exposed=f"within {self.rings[-1]:g} of a treated one",
            remedy="Use smaller rings=",
        )

    def _distances(self, design: Design) -> Floats:
        """Of every unit to every treated one, shape (units, treated)."""
        if self.adjacency is None:
            return distances_to_treated(design, self.distances, self.label)
        if self.distances is not None:
            raise DesignError("give distances= or adjacency=, not both.")
        return steps_between(design, self.adjacency)[:, design.treated]

    def _table(
        self, cells: ExposedCells, sets: list[tuple[int, int | None, Floats | Booleans]]
    ) -> tuple[pd.DataFrame, Floats]:
        """Averages over cells by (ring, event time or None); influence functions."""
        found, influence = cells.table([each for _, _, each in sets])
        edges = (0.0, *self.rings)
        table = pd.DataFrame(
            {
                "inner": [edges[ring] for ring, _, _ in sets],
                "outer": [edges[ring + 1] for ring, _, _ in sets],
                "event_time": [time for _, time, _ in sets],
            }
        )
        return table.join(found).dropna(axis=1, how="all"), influence
