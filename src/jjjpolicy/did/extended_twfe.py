"""Extended two-way fixed effects of Wooldridge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from jjjpolicy.did.group_time.comparisons import Control, require_anticipation, require_controls
from jjjpolicy.did.group_time.estimate import GroupTimeEstimator
from jjjpolicy.did.group_time.interacted import interacted_columns, interacted_effects
from jjjpolicy.did.group_time.saturated import SaturatedCells, fit_effects, saturated_cells
from jjjpolicy.did.regressions.fitted import PanelRegression

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.group_time.effects import GroupTimeEffects
    from jjjpolicy.estimation.estimate import Estimate


@dataclass(frozen=True)
class ExtendedTWFE(GroupTimeEstimator):
    r"""Two-way fixed effects with a coefficient for each treated cohort and period.

    .. math:: y_{it} = \alpha_i + \lambda_t + x_i'(\gamma_{g(i)} + \delta_t)
              + \sum_{g, t \ge g} 1\{a_i = g\} 1\{t\}
                \bigl(\tau_{gt} + (x_i - \bar x_g)'\rho_{gt}\bigr) + \varepsilon_{it}

    (Wooldridge 2021, equation 6.33). On a balanced panel without covariates it equals the
    imputation estimator, and with ``control="never"`` Callaway and Sant'Anna's effects with a
    universal base.

    Parameters
    ----------
    control : {"not_yet", "never"}
        ``"not_yet"``: coefficients from (anticipated) adoption on, so that all untreated cells are
        controls. ``"never"``: for every period but the last before (anticipated) adoption.
    anticipation : int
        Periods before adoption in which units may already respond.
    unit_effects : bool
        False puts effects of cohorts in place of effects of units: the same on a balanced panel
        with covariates that do not vary over time; otherwise what R etwfe does by default.
        Repeated cross-sections always have effects of cohorts.

    Notes
    -----
    ``att`` averages the effects from adoption on by number of observations. Covariates that vary
    over time enter with their value in the period, and the effect of a cell is that at the mean
    covariates of its observations. Standard errors are clustered at the level of assignment (CRV1)
    and take covariate means and shares of cohorts as given. The small-sample factor is that of R
    etwfe, which counts effects of cohorts; effects of units that are not the same are not counted.
    """

    takes_sums: ClassVar[bool] = True
    control: Control = "not_yet"
    anticipation: int = 0
    unit_effects: bool = True

    def __post_init__(self) -> None:
        require_anticipation(self.anticipation)

    def comparable(self, design: Design) -> Design:
        """The whole design where effects of cohorts stand in place of those of units."""
        return design.followed() if self.unit_effects else design

    def group_time_effects(self, design: Design) -> GroupTimeEffects:
        """Effects by cohort and period.

        Raises
        ------
        DesignError
            No never-treated units for ``control="never"``; no effect from adoption on can be
            estimated; treatment switches off.
        """
        design.require_absorbing(self.label)
        require_controls(design, self.control)
        cells, unit_effects = self._cells(design)
        if design.covariates or not unit_effects:
            effects = interacted_effects(cells, unit_effects=unit_effects)
        else:
            cohorts = len(cells.counts)
            effects = fit_effects(cells, parameters=cohorts - 1 if design.balanced else 0)
        return replace(effects, anticipation=self.anticipation)

    def regression(self, estimate: Estimate) -> Any:
        """The regression, an effect for each cohort and period; see :meth:`Estimate.regression`.

        Covariates are interacted with period, cohort and treated cell, in the last net of their
        mean in the cell, so that the effect is the coefficient of the cell. Columns that those
        before them explain are left out; cells in ``details["not_estimable"]`` may have a
        coefficient that is none of treatment.
        """
        cells, unit_effects = self._cells(estimate.design)
        columns = interacted_columns(cells, unit_effects=unit_effects)
        return PanelRegression.of(cells.design, columns, unit_effects=unit_effects).fit()

    def _cells(self, design: Design) -> tuple[SaturatedCells, bool]:
        """The treated cells, and whether units have effects."""
        cells = saturated_cells(design, -1 - self.anticipation, leads=self.control == "never")
        return cells, self.unit_effects and not design.repeated_cross_sections
