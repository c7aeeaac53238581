"""Effects on the treated and on units exposed to the treatment of others, for any exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.exposure import Exposure
from jjjpolicy.did.imputed.exposed_cells import ExposedCells
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimator

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Booleans


@dataclass(frozen=True)
class SpilloverExposure(Estimator):
    r"""Effects on treated units, and on untreated units by how much they are exposed to treatment.

    .. math:: y_{it} = \alpha_i + \lambda_t + \tau D_{it} + \delta (1 - D_{it}) S_{it}
              + \varepsilon_{it}, \qquad S_{it} = \sum_{j \ne i} w_{ij} D_{jt}

    Unit and period effects are fitted to the cells that are neither treated nor exposed; what is
    left of the outcome is averaged over treated cells, and in exposed ones projected on
    :math:`S_{it}` (Butts 2021, after Gardner 2022). With several adoption periods this
    is free of comparisons between treated cohorts; with one period, a balanced panel and an
    exposure of 0 or 1 the coefficients are those of the regression above.
    :class:`SpilloverRings` is the case of rings around the treated.

    Parameters
    ----------
    exposure : Exposure
        :class:`ExposureMatrix`, :class:`ShareOfNeighbours`, :class:`ExponentialDecay` or
        :class:`InverseDistance`. Some units must stay unexposed: give the last two a cutoff.

    Notes
    -----
    ``att`` is the average over treated cells, spillovers between treated units included.
    ``details["spillovers"]`` has two rows: the effect per unit of exposure, which takes it to be
    proportional to exposure, and the average effect over exposed cells, which does not; columns
    effect, estimate, se, pvalue, lower, upper (95%), units (ever exposed), cells.
    ``details["spillovers_by_event_time"]`` has both by periods since the unit was first exposed,
    and ``details["spillover_influence"]`` and ``details["spillovers_by_event_time_influence"]``
    the influence functions of the rows. ``details["exposure"]`` holds :math:`S_{it}`, units ×
    periods. Standard errors are clustered at the level of assignment and know of both stages; for
    errors that neighbours share see :class:`~jjjpolicy.inference.Conley`.
    """

    leaks: ClassVar[bool] = True

    exposure: Exposure

    def fit(self, design: Design) -> Estimate:
        """Estimate the effects on the treated and on the exposed.

        Raises
        ------
        DesignError
            Treatment switches off; the exposure does not match the units; every unit is treated or
            exposed, or no untreated one is; no treated cell can be estimated.
        """
        cells = self._cells(design)
        slope = cells.exposures[0]
        if not slope.any():
            raise DesignError(
                f"no untreated {design.labels.unit} is exposed under {self.exposure!r}: there is "
                f"no spillover to estimate. Look at exposure.of(design), or fit jp.did.Imputation."
            )
        kinds = {"per unit of exposure": slope, "average over exposed cells": slope > 0}
        spillovers, influence = cells.table(list(kinds.values()))
        spillovers.insert(0, "effect", list(kinds))
        sets = {
            (kind, time): each
            for kind, exposure in kinds.items()
            for time, each in cells.by_time(exposure).items()
        }
        by_time, time_influence = cells.table(list(sets.values()))
        by_time.insert(0, "effect", [kind for kind, _ in sets])
        by_time.insert(1, "event_time", [time for _, time in sets])
        details = {
            "spillovers": spillovers,
            "spillover_influence": influence,
            "spillovers_by_event_time": by_time,
            "spillovers_by_event_time_influence": time_influence,
            "exposure": pd.DataFrame(
                self.exposure.of(design), index=design.units, columns=design.periods
            ),
        }
        note = f"{cells.far} units that are never exposed are the controls."
        design = listed_as_not_estimable(design, cells.model.not_estimable, self.label)
        return cells.estimate(self, design, details, note)

    def refit(self, design: Design) -> Refits:
        """Overall effect and its standard error, without labels."""
        return self._cells(design).refit()

    def reached(self, design: Design) -> Booleans:
        """Untreated units that are exposed in some period."""
        found: Booleans = (self.exposure.of(design) > 0).any(axis=1) & ~design.treated
        return found

    def specification(self) -> dict[str, Any]:
        """Name and options; the exposure in words, tables by the digest of their content."""
        return {**super().specification(), "exposure": repr(self.exposure)}

    def _cells(self, design: Design) -> ExposedCells:
        return ExposedCells.of(
            design,
            [self.exposure.of(design)],
            self.label,
            exposed="exposed",
            remedy="Use an exposure that ends nearer (a smaller cutoff=)",
        )
