"""One set of donor weights for several outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from jjjpolicy.design.intake.columns import unknown_name
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.linalg.simplex import SimplexSolution, simplex_least_squares
from jjjpolicy.synth.counterfactual.gaps import Gaps, estimate_from_counterfactual
from jjjpolicy.synth.counterfactual.requirements import require_panel, require_pre_periods

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats


@dataclass(frozen=True)
class MultipleOutcomeSyntheticControl(Estimator):
    r"""Synthetic control whose weights fit several outcomes at once.

    With :math:`\dot y_{itk}` outcome k less the unit's pre-treatment average, over its standard
    deviation among donors before treatment, the weights minimise over the simplex

    .. math:: \sum_k \sum_{t \le T_0} \Bigl(\dot y_{1tk} - \sum_j w_j \dot y_{jtk}\Bigr)^2
              \quad\text{(concatenated) or}\quad
              \sum_{t \le T_0} \Bigl(\frac1K \sum_k \bigl(\dot y_{1tk} - \sum_j w_j \dot y_{jtk}
              \bigr)\Bigr)^2 \quad\text{(averaged)}

    (Sun, Ben-Michael and Feller 2025, section 3). If the outcomes share factors, common weights
    overfit noise less than weights for each outcome; averaging also reduces noise before the
    weights are fitted, but needs outcomes that move in the same direction.

    Parameters
    ----------
    outcomes : sequence of str
        Outcomes besides the design's own, which may be among them: columns named in ``covariates=``
        or ``predictors=`` when the design is built. Pre-treatment periods in which some unit has no
        value of an outcome are not used for that outcome (for none of them when averaging).
    objective : {"concatenated", "averaged"}
    demeaned : bool
        Subtract pre-treatment averages; otherwise levels are matched.

    Notes
    -----
    The estimate is of the effect on the design's own outcome; the weights are the same for
    ``design.for_outcome(name)``, which has the effect on another with its inference.
    ``details["outcomes"]`` lists effect and fit for every outcome and treated unit,
    ``details["gaps_by_outcome"]`` the gaps in units of each outcome.
    """

    outcomes: Sequence[str]
    objective: Literal["concatenated", "averaged"] = "concatenated"
    demeaned: bool = True

    def unused_covariates(self, design: Design) -> list[str]:
        """Covariates that are not among the outcomes."""
        return [name for name in design.covariates if name not in self.outcomes]

    def unused_predictors(self, design: Design) -> list[str]:
        """Predictors that are not among the outcomes."""
        return [name for name in design.predictors if name not in self.outcomes]

    def fit(self, design: Design) -> Estimate:
        """Common weights and gaps of every outcome.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, fewer than two
            never-treated units or pre-treatment periods, an unknown outcome, an outcome that does
            not vary.
        """
        donors = self._donors(design)
        tables = self._tables(design)
        matched = [
            self._matched(design, donors, tables, int(i)) for i in np.flatnonzero(design.treated)
        ]
        fits = [_least_squares(rows) for rows in matched]
        units = design.units[design.treated]
        weights = pd.DataFrame(
            np.column_stack([solution.weights for solution in fits]),
            index=pd.Index(design.units[donors], name="donor"),
            columns=pd.Index(units, name="unit"),
        )
        rows, gaps = [], {}
        for name, table in tables.items():
            paths = self._gaps(design, donors, table, fits)
            gaps[name] = pd.DataFrame(paths, index=units, columns=design.period_names)
            for i, unit in enumerate(units):
                post = design.periods >= design.adoption[design.treated][i]
                rows.append(
                    {
                        "outcome": name,
                        "unit": unit,
                        "att": float(np.nanmean(paths[i, post])),
                        "pre_rmspe": float(np.sqrt(np.nanmean(paths[i, ~post] ** 2))),
                        "post_rmspe": float(np.sqrt(np.nanmean(paths[i, post] ** 2))),
                    }
                )
        own = gaps[design.labels.outcome].to_numpy()
        return estimate_from_counterfactual(
            self,
            design,
            design.outcome[design.treated] - own,
            weights=weights,
            details={
                "outcomes": pd.DataFrame(rows),
                "gaps_by_outcome": gaps,
                "matched": [design.outcome[donors].std() * rows for rows in matched],
                "optimality_gap": np.array([solution.gap for solution in fits]),
            },
            unit_details={"effective_donors": 1 / (weights.to_numpy() ** 2).sum(axis=0)},
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        donors = self._donors(design)
        tables = self._tables(design)
        fits = [
            _least_squares(self._matched(design, donors, tables, int(i)))
            for i in np.flatnonzero(design.treated)
        ]
        gaps = self._gaps(design, donors, design.outcome, fits)
        return Gaps.of(design, gaps).refits()

    def _donors(self, design: Design) -> Booleans:
        return require_panel(design, self.label, 2)

    def _tables(self, design: Design) -> dict[str, Floats]:
        known = {**design.predictors, **design.covariates}
        own = design.labels.outcome
        others = [name for name in self.outcomes if name != own]
        for name in others:
            if name not in known:
                message = unknown_name("outcome", name, list(known), "the design")
                raise DesignError(f"{message} Name it in covariates=[…] or predictors=[…].")
        return {own: design.outcome} | {name: known[name] for name in others}

    def _matched(
        self, design: Design, donors: Booleans, tables: dict[str, Floats], i: int
    ) -> Floats:
        """A treated unit less its donors in what is matched, standardised, (rows, donors)."""
        before = design.periods < design.adoption[i]
        require_pre_periods(design, self.label, i, int(before.sum()), 2)
        used = donors.copy()
        used[i] = True
        complete = {
            name: before & np.isfinite(table[used]).all(axis=0) for name, table in tables.items()
        }
        if self.objective == "averaged":
            common = np.logical_and.reduce(list(complete.values()))
            complete = dict.fromkeys(complete, common)
        pools, paths = [], []
        for name, table in tables.items():
            cells = complete[name]
            if cells.sum() < 2:
                raise DesignError(
                    f"{self.label} needs at least 2 periods before treatment in which every unit "
                    f"has a value of {name!r}; there are {int(cells.sum())}."
                )
            values = table[:, cells]
            if self.demeaned:
                values = values - values.mean(axis=1, keepdims=True)
            spread = float(values[donors].std())
            if spread <= 1e-12 * float(np.abs(table[np.ix_(donors, cells)]).max()):
                raise DesignError(
                    f"outcome {name!r} does not vary before "
                    f"{design.labels.clock.name(design.adoption[i])}; leave it out."
                )
            pools.append(values[donors].T / spread)
            paths.append(values[i] / spread)
        if self.objective == "averaged":
            pool, path = np.mean(pools, axis=0), np.mean(paths, axis=0)
        else:
            pool, path = np.concatenate(pools), np.concatenate(paths)
        differences: Floats = path[:, None] - pool
        return differences

    def _gaps(
        self, design: Design, donors: Booleans, table: Floats, fits: list[SimplexSolution]
    ) -> Floats:
        """Gaps of one outcome in its own units, ``nan`` where a cell is missing."""
        rows = []
        for i, solution in zip(np.flatnonzero(design.treated), fits, strict=True):
            gap = table[i] - solution.weights @ table[donors]
            if self.demeaned:
                gap = gap - np.nanmean(gap[design.periods < design.adoption[i]])
            rows.append(gap)
        return np.stack(rows)


def _least_squares(differences: Floats) -> SimplexSolution:
    """Weights of least squares for a treated unit less its donors."""
    return simplex_least_squares(-differences, np.zeros(len(differences)))
