"""Interaction-weighted event study of Sun and Abraham."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from jjjpolicy.did.callaway_santanna import CallawaySantAnna
from jjjpolicy.did.group_time.from_means import FromMeans
from jjjpolicy.did.group_time.saturated import fit_effects, saturated_cells
from jjjpolicy.did.regressions.fitted import PanelRegression, columns_of
from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.group_time.aggregation import Kind
    from jjjpolicy.did.group_time.comparisons import Comparison
    from jjjpolicy.did.group_time.effects import GroupTimeEffects
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True)
class SunAbraham(FromMeans):
    r"""Event study with a coefficient for each cohort and period, averaged over cohorts.

    .. math:: y_{it} = \alpha_i + \lambda_t
              + \sum_e \sum_{\ell \ne r} \delta_{e\ell} 1\{a_i = e\} 1\{t - e = \ell\}
              + x_{it}'\gamma + \varepsilon_{it}, \qquad
              \hat\nu_\ell = \sum_e \hat\delta_{e\ell} \widehat{\Pr}(a_i = e \mid \ell)

    (Sun and Abraham 2021, equations 26 and 27). Controls are never-treated units; where there are
    none, the cohort treated last, and the periods from its adoption on are left out.

    Parameters
    ----------
    reference : int
        Event time to compare with, before adoption; for a cohort that is not observed then, its
        last period before.

    Notes
    -----
    ``att`` averages the coefficients from adoption on, and ``effects`` those at each event time, by
    number of observations. Standard errors are clustered at the level of assignment (CRV1) and take
    the shares of cohorts as given: the convention of ``sunab`` in fixest.
    """

    takes_sums: ClassVar[bool] = True
    reference: int = -1

    def __post_init__(self) -> None:
        if self.reference >= 0:
            raise DesignError(
                f"reference={self.reference} must be an event time before adoption, e.g. -1."
            )

    def group_time_effects(self, design: Design) -> GroupTimeEffects:
        """Coefficients by cohort and period.

        Raises
        ------
        DesignError
            No effect from adoption on can be estimated; treatment switches off; repeated
            cross-sections.
        """
        design.require_absorbing(self.label)
        if design.repeated_cross_sections:
            raise DesignError(
                f"{self.label} needs units that are observed more than once; with repeated "
                f"cross-sections use ExtendedTWFE or CallawaySantAnna."
            )
        return fit_effects(saturated_cells(design, self.reference, leads=True))

    def follows_from_means(self, design: Design, adoptions: Floats, kind: Kind) -> bool:
        """With the period before adoption as reference, and never-treated units."""
        never = bool(np.isinf(adoptions).any(axis=1).all())
        plain = self.reference == -1 and kind == "simple"
        return plain and never and super().follows_from_means(design, adoptions, kind)

    def cells(self, design: Design) -> list[Comparison]:
        """The comparisons with never-treated units that the coefficients are."""
        return CallawaySantAnna(base="universal").cells(design)

    def parameters(self, design: Design) -> int:
        """Coefficients and period effects."""
        cells = saturated_cells(design, self.reference, leads=True)
        return len(cells.cohort) + design.n_periods

    def regression(self, estimate: Estimate) -> Any:
        """The regression, a column for each cohort and period; see :meth:`Estimate.regression`."""
        fit = estimate.details["regression"]
        return PanelRegression.of(fit.design, columns_of(fit)).fit()
