"""Regressions of this room as linearmodels fits them, for readers of regression tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.event_window import observation_weights
from jjjpolicy.did.regressions.entry import within_periods
from jjjpolicy.linalg.twoway import independent_columns, two_way_demean

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.regressions.fixed_effects import FixedEffectsFit
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True, eq=False)
class PanelRegression:
    """Weighted least squares with period effects, and with unit effects or without.

    Attributes
    ----------
    outcome : ndarray, shape (units, periods)
    columns : mapping of str to ndarray, shape (units, periods)
        Regressors by name. One that the effects and the regressors before it explain is left out.
    weights : ndarray, shape (units, periods)
        Zero in cells that are not in the regression; constant within units where there are unit
        effects.
    clusters : ndarray of int, shape (units,)
    units : Index, shape (units,)
    periods : ndarray of int, shape (periods,)
    unit_effects : bool
    """

    outcome: Floats
    columns: Mapping[str, Floats]
    weights: Floats
    clusters: Integers
    units: pd.Index
    periods: Integers
    unit_effects: bool

    @classmethod
    def of(
        cls,
        design: Design,
        columns: Mapping[str, Floats],
        *,
        outcome: Floats | None = None,
        weights: Floats | None = None,
        unit_effects: bool = True,
    ) -> PanelRegression:
        """On the cells of a design; outcome and weights are its own unless others are given."""
        own = design.observed * observation_weights(design)[:, None]
        return cls(
            outcome=design.outcome if outcome is None else outcome,
            columns=columns,
            weights=own if weights is None else weights,
            clusters=design.assignment,
            units=design.units,
            periods=design.periods,
            unit_effects=unit_effects,
        )

    def fit(self) -> Any:
        r"""The fitted ``linearmodels`` result (``PanelEffectsResults``).

        Standard errors are clustered with the factor :math:`\frac{G}{G-1}\frac{N-1}{N-K}`, where K
        counts the regressors of the table and no effects.
        """
        from linearmodels.panel import PanelOLS

        unit, period = np.nonzero(self.weights)
        index = pd.MultiIndex.from_arrays(
            [self.units[unit], self.periods[period]], names=["unit", "period"]
        )
        regressors = {
            name: values[unit, period] for name, values in self._independent_columns().items()
        }
        model = PanelOLS(
            pd.Series(self.outcome[unit, period], index, name="outcome"),
            pd.DataFrame(regressors, index),
            weights=pd.Series(self.weights[unit, period], index, name="weight"),
            entity_effects=self.unit_effects,
            time_effects=True,
        )
        return model.fit(
            cov_type="clustered",
            clusters=pd.DataFrame({"cluster": self.clusters[unit]}, index),
            group_debias=True,
            auto_df=False,
            count_effects=False,
        )

    def _independent_columns(self) -> dict[str, Floats]:
        present = self.weights > 0
        stacked = np.stack(list(self.columns.values()), axis=2)
        if self.unit_effects:
            stacked[~present] = np.nan
            demeaned = np.nan_to_num(two_way_demean(stacked, self.weights.max(axis=1)))
        else:
            stacked[~present] = 0.0
            demeaned = within_periods(stacked, self.weights)[0]
        flat = (demeaned * np.sqrt(self.weights)[:, :, None]).reshape(-1, stacked.shape[2])
        kept = independent_columns(flat.T @ flat)
        names = list(self.columns)
        return {names[k]: self.columns[names[k]] for k in kept}


def columns_of(fit: FixedEffectsFit) -> dict[str, Floats]:
    """Regressors and covariates that were kept, by name, in every cell of the design."""
    _, codes = fit.design.cohort_codes
    by_cohort = fit.cohort_regressors
    return {
        name: by_cohort[codes, :, k] if k < by_cohort.shape[2] else fit.design.covariates[name]
        for k, name in zip(fit.kept, fit.names, strict=True)
    }
