r"""Saturated regression in which every coefficient may depend on covariates (Wooldridge 2021).

With :math:`z_{it} = (1, x_{it}')'` the model of cohort c in period t is

.. math:: y_{it} = z_{it}'(\gamma_c + \delta_t + \rho_{ct} 1\{(c, t) \text{ is a treated cell}\})
          + \varepsilon_{it},

optionally with an effect of each unit in place of the first element of :math:`\gamma_c`. The effect
of a cell is :math:`\bar z_{ct}'\rho_{ct}`. Regressors are never formed: indicators select from the
moments of z in each cell, and unit effects take away the moments of unit means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jjjpolicy.did.cohorts.event_window import observation_weights
from jjjpolicy.did.cohorts.influence import InfluenceMatrix
from jjjpolicy.did.group_time.effects import GroupTimeEffects, RegressionVariance
from jjjpolicy.did.group_time.saturated import SaturatedCells, effects_of, skipped_cell
from jjjpolicy.errors import warn_user
from jjjpolicy.linalg.twoway import independent_columns

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers

CHUNK = 2_000_000
"""Numbers in the largest array that is formed at once."""
NEGLIGIBLE = 1e-10
"""Share of a sum of squares that counts as nothing."""


def interacted_effects(cells: SaturatedCells, *, unit_effects: bool) -> GroupTimeEffects:
    """Effects by cohort and period at the mean covariates of the cell.

    Parameters
    ----------
    cells : SaturatedCells
    unit_effects : bool
        Effects of units rather than of cohorts.

    Raises
    ------
    DesignError
        No effect from adoption on can be told from the other coefficients.
    """
    model = _Model(cells)
    swept = unit_effects and not model.constant
    gram, cross, contrasts = _normal_equations(model, swept)
    kept = np.array(independent_columns(gram), dtype=np.int64)
    dropped = np.setdiff1d(np.arange(len(gram)), kept)
    block = gram[np.ix_(kept, kept)]
    implied = contrasts[:, kept] @ np.linalg.solve(block, gram[np.ix_(kept, dropped)])
    gap = np.abs(contrasts[:, dropped] - implied).max(axis=1, initial=0.0)
    known = np.flatnonzero(gap < 1e-6 * np.abs(contrasts).max(axis=1))
    coefficients, rows = np.zeros(len(gram)), np.zeros((len(gram), len(known)))
    coefficients[kept] = np.linalg.solve(block, cross[kept])
    rows[kept] = np.linalg.solve(block, contrasts[np.ix_(known, kept)].T)
    return effects_of(
        cells,
        known,
        contrasts[known] @ coefficients,
        lambda spread: _influence(model, coefficients, rows @ spread, swept),
        RegressionVariance(model.design.n_observations, len(kept) + int(swept)),
        [
            skipped_cell(cells, k, "the covariates leave no comparison with untreated cells")
            for k in np.setdiff1d(np.arange(cells.effects), known)
        ],
    )


def interacted_columns(cells: SaturatedCells, *, unit_effects: bool) -> dict[str, Floats]:
    """The same regressors by name, each of shape (units, periods).

    A covariate enters a treated cell net of its mean there, so that the coefficient of the cell is
    its effect. Indicators of periods are not among them.
    """
    design = cells.design
    cohorts, codes = design.cohort_codes
    groups = [
        f"cohort {design.labels.clock.name(cohort)}" if np.isfinite(cohort) else "never treated"
        for cohort in cohorts
    ]
    own = np.stack(
        [np.repeat((codes == c)[:, None], design.n_periods, 1) for c in range(len(cohorts))]
    )
    columns: dict[str, Floats] = {}
    for name, values in design.covariates.items():
        for t, period in enumerate(design.periods[1:], start=1):
            columns[f"{name} × {period}"] = values * (np.arange(design.n_periods) == t)
        for group, mine in zip(groups, own, strict=True):
            columns[f"{name} × {group}"] = values * mine
    if not unit_effects:
        columns |= {group: mine.astype(float) for group, mine in zip(groups, own, strict=True)}
    weights = design.observed * observation_weights(design)[:, None]
    at = np.arange(design.n_periods)
    for cell, c, t in zip(cells.names(), cells.cohort, cells.period, strict=True):
        indicator = own[c] & (at == t) & design.observed
        columns[cell] = indicator.astype(float)
        for name, values in design.covariates.items():
            mean = np.average(values[indicator], weights=weights[indicator])
            columns[f"{name} × {cell}"] = np.where(indicator, values - mean, 0.0)
    return columns


@dataclass(frozen=True, eq=False)
class _Part:
    """Some units of a cohort; ``z`` and ``outcome`` are zero in absent cells.

    ``z`` has shape (units, periods, width), or one period where it is the same in all;
    ``blocks`` are the coefficient blocks that bear on the cohort, and ``indicators``
    (periods × blocks) say in which periods.
    """

    cohort: int
    units: Integers
    z: Floats
    outcome: Floats
    counts: Integers
    weights: Floats
    blocks: Integers
    indicators: Floats

    def moments(self) -> tuple[Floats, Floats]:
        """Cross products by period: of z (periods × width × width), and with the outcome."""
        by_period = self.z.transpose(1, 0, 2)
        weighted = (by_period * self.weights[:, None]).transpose(0, 2, 1)
        with_outcome = weighted @ self.outcome.T[:, :, None]
        own = weighted @ by_period
        return np.broadcast_to(own, (len(self.indicators), *own.shape[1:])), with_outcome[:, :, 0]

    def unit_means(self) -> Floats:
        """Means of the regressors of each unit over its observations: (units, columns)."""
        sums = np.matmul(self.indicators.T, self.z)
        means: Floats = sums.reshape(len(self.units), -1) / self.counts[:, None]
        return means


class _Model:
    """Where coefficients and data lie.

    A block holds the coefficients of z; blocks are periods but the first, cohorts, then cells.
    """

    def __init__(self, cells: SaturatedCells) -> None:
        self.cells, self.design = cells, cells.design
        self.covariates, self.centre, self.scale = _covariates(cells.design)
        cohorts, self.codes = self.design.cohort_codes
        self.n_cohorts, self.n_periods = len(cohorts), self.design.n_periods
        self.width = 1 + len(self.covariates)
        self.first_cell = self.n_periods - 1 + self.n_cohorts
        self.size = (self.first_cell + len(cells.cohort)) * self.width
        self.constant = self.design.balanced and all(
            bool((values == values[:, :1]).all()) for values in self.covariates
        )

    def columns(self, blocks: Integers) -> Integers:
        """Positions of the coefficients of some blocks."""
        return (blocks[:, None] * self.width + np.arange(self.width)).ravel()

    def parts(self) -> Iterator[_Part]:
        """The data by cohort, in chunks of units."""
        step = max(1, CHUNK // (self.n_periods * self.width))
        for c in range(self.n_cohorts):
            blocks, indicators = self._selector(c)
            members = np.flatnonzero(self.codes == c)
            for start in range(0, len(members), step):
                yield self._part(c, members[start : start + step], blocks, indicators)

    def _selector(self, c: int) -> tuple[Integers, Floats]:
        periods = np.arange(self.n_periods - 1)
        own = np.flatnonzero(self.cells.cohort == c)
        blocks = np.concatenate([periods, [self.n_periods - 1 + c], self.first_cell + own])
        indicators = np.zeros((self.n_periods, len(blocks)))
        indicators[periods + 1, periods] = 1.0
        indicators[:, len(periods)] = 1.0
        indicators[self.cells.period[own], len(periods) + 1 + np.arange(len(own))] = 1.0
        return blocks, indicators

    def _part(self, c: int, units: Integers, blocks: Integers, indicators: Floats) -> _Part:
        design = self.design
        z = np.ones((len(units), 1 if self.constant else self.n_periods, self.width))
        for j, values in enumerate(self.covariates):
            z[:, :, j + 1] = (values[units, : z.shape[1]] - self.centre[j]) / self.scale[j]
        outcome, seen = design.outcome[units], design.observed[units]
        if not design.balanced:
            z[~seen] = 0.0
            outcome = np.where(seen, outcome, 0.0)
        weights = np.ones(len(units)) if design.weights is None else design.weights[units]
        return _Part(c, units, z, outcome, seen.sum(axis=1), weights, blocks, indicators)

    def contrasts(self, means: Floats) -> Floats:
        """Rows that turn coefficients into effects, shape (effects, coefficients).

        ``means`` of z have shape (cohorts, periods, width).
        """
        cells = self.cells
        rows = np.zeros((cells.effects, self.size // self.width, self.width))
        k = np.arange(cells.effects)
        rows[k, self.first_cell + k] = means[cells.cohort[k], cells.period[k]]
        return rows.reshape(cells.effects, self.size)


def _covariates(design: Design) -> tuple[list[Floats], Floats, Floats]:
    """Covariates that are not collinear, their means and their standard deviations."""
    names = list(design.covariates)
    if not names:
        return [], np.empty(0), np.empty(0)
    seen: Any = slice(None) if design.balanced else design.observed
    values = np.stack([design.covariates[name][seen].ravel() for name in names])
    centre = values.mean(axis=1)
    covariance = np.atleast_2d(np.cov(values, bias=True))
    scale = np.sqrt(np.diag(covariance))
    varies = scale > 1e-12 * np.abs(values).max(axis=1)
    covariance[~varies], covariance[:, ~varies] = 0.0, 0.0
    kept = independent_columns(covariance)
    dropped = [name for j, name in enumerate(names) if j not in kept]
    if dropped:
        warn_user(
            f"covariates left out as constant or collinear with those before them: "
            f"{', '.join(map(repr, dropped))}",
        )
    return [design.covariates[names[j]] for j in kept], centre[kept], scale[kept]


def _normal_equations(model: _Model, swept: bool) -> tuple[Floats, Floats, Floats]:
    """Cross products of the regressors with each other and with the outcome; contrasts.

    ``swept`` takes unit means out; what they explain entirely (cohort effects, slopes of constant
    covariates) is set to zero.
    """
    gram, cross = np.zeros((model.size, model.size)), np.zeros(model.size)
    means_gram, means_cross = np.zeros_like(gram), np.zeros_like(cross)
    totals = np.zeros((model.n_cohorts, model.n_periods, model.width))
    for part in model.parts():
        columns = model.columns(part.blocks)
        at = np.ix_(columns, columns)
        moments, with_outcome = part.moments()
        totals[part.cohort] += moments[:, 0]
        a = part.indicators
        selected = np.einsum("tb,td,tjk->bjdk", a, a, moments, optimize=True)
        gram[at] += selected.reshape(len(columns), -1)
        cross[columns] += (a.T @ with_outcome).ravel()
        if swept:
            means = part.unit_means()
            scaled = means * (part.weights * part.counts)[:, None]
            means_gram[at] += scaled.T @ means
            means_cross[columns] += scaled.T @ (part.outcome.sum(axis=1) / part.counts)
    if swept:
        explained = np.diag(gram) - np.diag(means_gram) <= NEGLIGIBLE * np.diag(gram)
        gram, cross = gram - means_gram, cross - means_cross
        gram[explained], gram[:, explained], cross[explained] = 0.0, 0.0, 0.0
    means = totals / np.maximum(totals[:, :, :1], np.finfo(float).tiny)
    return gram, cross, model.contrasts(means)


def _influence(model: _Model, coefficients: Floats, rows: Floats, swept: bool) -> InfluenceMatrix:
    """Influence functions of effects.

    ``rows`` (coefficients × effects) are the inverse cross products times the contrasts. Residuals
    sum to zero within units where unit effects are in the model.
    """
    n = model.design.n_units
    influence = np.empty((n, rows.shape[1]))
    for part in model.parts():
        columns = model.columns(part.blocks)
        slopes = part.indicators @ coefficients[columns].reshape(len(part.blocks), -1)
        fitted = part.z[:, 0] @ slopes.T if model.constant else (part.z * slopes).sum(axis=2)
        residuals = part.outcome - fitted
        if swept:
            present = part.z[:, :, 0]
            residuals -= present * (residuals.sum(axis=1) / part.counts)[:, None]
        weighted = part.z * (residuals * (n * part.weights)[:, None])[:, :, None]
        block_rows = rows[columns].reshape(len(part.blocks), -1)
        by_cell = (part.indicators @ block_rows).reshape(weighted[0].size, rows.shape[1])
        influence[part.units] = weighted.reshape(len(part.units), -1) @ by_cell
    scale = model.design.influence_scale
    return InfluenceMatrix(influence if scale is None else influence * scale[:, None])
