r"""The outcome without treatment, predicted from untreated cells.

Unit effects, period effects and covariate coefficients are fitted to untreated cells only, and
extended to treated cells. Everything works on the (units × periods) matrix: the unit effects are
concentrated out, and the period effects and covariates solve normal equations of their own number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.linalg.twoway import independent_columns

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

NO_UNTREATED_UNIT = "no untreated unit is observed in this period: its period effect is unknown"
NO_UNTREATED_PERIOD = "the unit is observed in no untreated period: its unit effect is unknown"
NOT_CONNECTED = "no chain of untreated cells connects the unit's untreated periods to this period"


@dataclass(frozen=True, eq=False)
class Functional:
    """How a weighted sum of effects depends on the outcomes of untreated cells.

    The untreated cell (i, t) with weight :math:`\\omega_i` enters with
    :math:`-\\omega_i(a_i + b_t + x_{it}'c)`. The residuals of a unit sum to zero, so that
    :math:`a_i` drops out of every influence function and is not kept.

    Attributes
    ----------
    periods : ndarray, shape (periods, estimands)
    covariates : ndarray, shape (covariates, estimands)
    """

    periods: Floats
    covariates: Floats


class UntreatedOutcome:
    """A fit of unit effects, period effects and covariates to the untreated cells of a design.

    Parameters
    ----------
    design : Design
        With a treatment that stays on once it is on.

    Attributes
    ----------
    untreated, estimable : ndarray of bool, shape (units, periods)
        Cells that the fit uses; treated cells to which it extends.
    unit_effects, period_effects, coefficients : ndarray
    names, collinear : tuple of str
        Covariates in and left out of the fit.
    residuals : ndarray, shape (units, periods)
        Outcome minus prediction: residuals of untreated cells, effects in estimable cells, zero
        elsewhere.
    """

    def __init__(self, design: Design) -> None:
        self.design = design
        outcome, weights = design.outcome, design.weights
        observed, treatment = design.observed, design.treatment
        self.untreated: Booleans = ~treatment if design.balanced else observed & ~treatment
        seen = self.untreated.astype(float)
        counts = seen.sum(axis=1)
        per_cell = 1 / np.maximum(counts, 1.0)
        scaled = seen * (per_cell if weights is None else weights * per_cell)[:, None]
        totals = seen.sum(axis=0) if weights is None else weights @ seen
        self._seen, self._scaled, self._per_cell = seen, scaled, per_cell
        self.estimable: Booleans = self._estimable(treatment, observed, counts, totals)

        filled = outcome if design.balanced else np.where(observed, outcome, 0.0)
        means = np.einsum("it,it->i", filled, seen) * per_cell
        by_unit = filled - means[:, None]
        inside = by_unit * seen
        gram = np.diag(totals) - scaled.T @ seen
        right = inside.sum(axis=0) if weights is None else weights @ inside
        self._inverse = np.linalg.pinv(gram, rcond=1e-11, hermitian=True)

        self._prepare_covariates()
        own = self._covariates
        self._schur = np.linalg.inv(self._gram) if len(self.names) else np.empty((0, 0))
        self.period_effects, self.coefficients = self._solve(
            right[:, None], np.einsum("itk,it->k", own, self._weighted(inside))[:, None]
        )
        self.period_effects = self.period_effects[:, 0]
        self.coefficients = self.coefficients[:, 0]
        predicted = seen @ self.period_effects * per_cell
        residuals = by_unit
        residuals += predicted[:, None]
        residuals -= self.period_effects
        if len(self.names):
            residuals -= own @ self.coefficients
        self.unit_effects: Floats = means - predicted
        if len(self.names):
            self.unit_effects -= self._covariate_means @ self.coefficients
        self._by_unit = residuals
        self.residuals: Floats = residuals * (self.untreated | self.estimable)

    # ------------------------------------------------------------------ set-up
    def _weighted(self, values: Floats) -> Floats:
        weights = self.design.weights
        return values if weights is None else values * weights[:, None]

    def _estimable(
        self, treatment: Booleans, observed: Booleans, counts: Floats, totals: Floats
    ) -> Booleans:
        """Treated cells whose unit and period effects are determined up to a common constant."""
        together = (self._seen.T @ self._seen) > 0
        labels = _components(together)
        self._unit_label = np.where(counts > 0, labels[self.untreated.argmax(axis=1)], -1)
        self._period_label = np.where(totals > 0, labels, -2)
        cells = treatment if self.design.balanced else treatment & observed
        if (self._unit_label == self._period_label[0]).all() and (
            self._period_label == self._period_label[0]
        ).all():
            return cells
        found: Booleans = cells & (self._unit_label[:, None] == self._period_label[None, :])
        return found

    def _prepare_covariates(self) -> None:
        """Covariates net of the unit's mean over untreated cells, without collinear ones."""
        design = self.design
        names = tuple(design.covariates)
        shape = (*design.outcome.shape, len(names))
        values = np.empty(shape)
        for k, name in enumerate(names):
            values[:, :, k] = design.covariates[name]
        values[~design.observed] = 0.0
        means = np.einsum("itk,it->ik", values, self._seen) * self._per_cell[:, None]
        values -= means[:, None, :]
        inside = values * self._seen[:, :, None]
        weights = np.ones(design.n_units) if design.weights is None else design.weights
        cross = np.einsum("i,itk->tk", weights, inside)
        squares = np.einsum("i,itk,itl->kl", weights, inside, inside)
        gram = squares - cross.T @ self._inverse @ cross
        size = np.diag(squares) + np.einsum("i,ik->k", weights * self._seen.sum(axis=1), means**2)
        kept = [
            k for k in independent_columns(gram) if gram[k, k] > 1e-10 * max(float(size[k]), 1e-300)
        ]
        self.names = tuple(names[k] for k in kept)
        self.collinear = tuple(name for k, name in enumerate(names) if k not in kept)
        self._covariates: Floats = values[:, :, kept]
        self._inside_covariates: Floats = inside[:, :, kept]
        self._covariate_means: Floats = means[:, kept]
        self._cross: Floats = cross[:, kept]
        self._gram: Floats = gram[np.ix_(kept, kept)]

    def warn(self) -> None:
        """Warn about covariates left out."""
        if self.collinear:
            warn_user(
                f"left out as collinear with the unit and period effects and the covariates before "
                f"them in the untreated cells: {', '.join(self.collinear)}",
            )

    # ------------------------------------------------------------------ what follows from the fit
    def _solve(self, periods: Floats, covariates: Floats) -> tuple[Floats, Floats]:
        """Solve the normal equations of period effects and covariates; columns are systems."""
        first: Floats = self._inverse @ periods
        if not len(self.names):
            return first, np.empty((0, periods.shape[1]))
        second: Floats = self._schur @ (covariates - self._cross.T @ first)
        return first - self._inverse @ self._cross @ second, second

    @cached_property
    def cohort_units(self) -> list[Integers]:
        """Positions of the units of each treated cohort, in the order of ``design.cohorts``."""
        values, codes = self.design.cohort_codes
        order = np.argsort(codes, kind="stable")
        groups = np.split(order, np.cumsum(np.bincount(codes))[:-1])
        return [g for value, g in zip(values, groups, strict=True) if np.isfinite(value)]

    def cohort_sums(self, values: Floats | Booleans) -> Floats:
        """Weighted sums over the units of each treated cohort, shape (cohorts, periods)."""
        weights = self.design.weights
        rows = [
            values[units].sum(axis=0).astype(float)
            if weights is None
            else weights[units] @ values[units]
            for units in self.cohort_units
        ]
        return np.array(rows)

    @cached_property
    def lost(self) -> Booleans:
        """Observed treated cells that cannot be estimated."""
        cells: Booleans = self.design.treatment & ~self.estimable
        return cells if self.design.balanced else cells & self.design.observed

    @cached_property
    def not_estimable(self) -> pd.DataFrame:
        """Treated cells without an estimate: group, time, units (a number) and reason."""
        design = self.design
        lost = self.lost
        rows = []
        if lost.any():
            no_period = self._period_label == -2
            for cohort, units in zip(design.cohorts, self.cohort_units, strict=True):
                isolated = self._unit_label[units] == -1
                for t in np.flatnonzero(lost[units].any(axis=0)):
                    cells = lost[units, t]
                    reasons = {
                        NO_UNTREATED_UNIT: cells & bool(no_period[t]),
                        NO_UNTREATED_PERIOD: cells & isolated & ~no_period[t],
                        NOT_CONNECTED: cells & ~isolated & ~no_period[t],
                    }
                    rows += [
                        (int(cohort), int(design.periods[t]), self._number(units[mask]), reason)
                        for reason, mask in reasons.items()
                        if mask.any()
                    ]
        return pd.DataFrame(rows, columns=["group", "time", "units", "reason"])

    def _number(self, rows: Integers) -> int:
        """How many units some rows stand for."""
        stands_for = self.design.stands_for
        return len(rows) if stands_for is None else round(float(stands_for[rows].sum()))

    def require_estimable(self, method: str) -> None:
        """Raise a `DesignError` unless some treated cell can be estimated."""
        if self.estimable.any():
            return
        reasons = "; ".join(self.not_estimable["reason"].unique())
        raise DesignError(
            f"{method} can estimate no treated cell: {reasons}. Keep untreated units in the periods"
            f" of treatment, and untreated periods of the treated units."
        )

    def functional(self, table: Floats, chosen: Floats | Booleans) -> Functional:
        """Dependence on untreated outcomes of weighted sums of ``residuals``.

        Parameters
        ----------
        table : ndarray, shape (cohorts, periods, estimands)
            Cell (i, t) of cohort c has weight :math:`\\omega_i` times ``table[c, t]``.
        chosen : ndarray, shape (units, periods)
            Cells that enter, or by how much they do.
        """
        periods = np.einsum("ct,cte->te", self.cohort_sums(chosen), table)
        covariates = np.zeros((len(self.names), table.shape[2]))
        weights = self.design.weights
        for units, own in zip(self.cohort_units, table, strict=True):
            cells = chosen[units].astype(float)
            if weights is not None:
                cells *= weights[units][:, None]
            relative = (self._seen[units] * self._per_cell[units][:, None]).T @ cells
            periods -= relative @ own
            if len(self.names):
                sums = np.einsum("itk,it->kt", self._covariates[units], cells)
                covariates += sums @ own
        return Functional(*self._solve(periods, covariates))

    def first_stage_influence(self, functional: Functional) -> Floats:
        """Contribution of untreated cells to influence functions, shape (units, estimands).

        Estimate − estimand ≈ sum (not mean) over units of this and of the treated cells' part.
        """
        inside = self._weighted(self._by_unit * self._seen)
        influence: Floats = inside @ functional.periods
        if len(self.names):
            sums = np.einsum("itk,it->ik", self._inside_covariates, inside)
            influence += sums @ functional.covariates
        return -influence

    def predicted(self, rows: Booleans) -> Floats:
        """The outcome without treatment of some units, shape (rows, periods)."""
        prediction: Floats = self.unit_effects[rows][:, None] + self.period_effects
        if len(self.names):
            raw = self._covariates[rows] + self._covariate_means[rows][:, None, :]
            prediction += raw @ self.coefficients
        known = self._unit_label[rows][:, None] == self._period_label[None, :]
        absent = ~self.design.observed[rows] if len(self.names) else False
        prediction[~known | absent] = np.nan
        return prediction


def _components(together: Booleans) -> Integers:
    """Component label of each period: periods in which some unit is untreated both times."""
    labels = np.arange(len(together))
    while True:
        joined = np.where(together, labels[None, :], len(together)).min(axis=1)
        joined = np.minimum(joined, labels)
        if (joined == labels).all():
            return labels.astype(np.int64)
        labels = joined
