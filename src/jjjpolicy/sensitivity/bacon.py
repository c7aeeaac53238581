"""Which 2×2 comparisons a two-way fixed effects coefficient is made of."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.sensitivity.residual_treatment import design_of, residual_treatment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats, Integers

COLUMNS = ["treated", "control", "comparison", "estimate", "weight", "n_treated", "n_control"]

Row = tuple[float, float, str, float, float, int, int]


@one_thread
def bacon_decomposition(source: Design | Estimate) -> pd.DataFrame:
    r"""Take a two-way fixed effects coefficient apart (Goodman-Bacon 2021).

    Without covariates (his theorem 1) the rows are the differences in differences between each
    cohort and the never-treated, and between each pair of cohorts: the earlier one against the
    later while that is untreated, and the later one against the earlier while that stays treated
    (the comparison that misleads when effects grow). With cohort shares :math:`n_k`, shares of
    treated periods :math:`\bar D_k` and :math:`V` the variance of treatment net of the fixed
    effects, their weights are

    .. math:: n_k n_u \bar D_k(1 - \bar D_k)/V, \quad
        n_k n_l (\bar D_k - \bar D_l)(1 - \bar D_k)/V, \quad
        n_k n_l \bar D_l(\bar D_k - \bar D_l)/V.

    With covariates (his decomposition with controls) treatment is first made net of them. What is
    left varies between cohorts, which gives one row per pair,

    .. math:: \hat\beta_{kl} = \frac{\sum_t(\tilde d_{kt} - \tilde d_{lt})(\bar y_{kt} -
        \bar y_{lt})}{\sum_t(\tilde d_{kt} - \tilde d_{lt})^2},

    with weight :math:`n_k n_l T^{-1}\sum_t(\tilde d_{kt}-\tilde d_{lt})^2/V`, and within cohorts,
    which gives one more row.

    Parameters
    ----------
    source : Design or Estimate
        A balanced panel with absorbing treatment; observation weights count as sizes.

    Returns
    -------
    DataFrame
        treated, control (adoption periods, ``inf`` for never treated), comparison ("treated vs
        never", "earlier vs later", "later vs earlier"; with covariates "earlier and later" and
        "within cohorts"), estimate, weight, n_treated, n_control (units). Weights sum to one, and
        the weighted sum of the estimates is the two-way fixed effects coefficient exactly.

    Raises
    ------
    DesignError
        The panel is unbalanced, treatment switches off, or does not vary once fixed effects and
        covariates are taken out.
    """
    design = design_of(source)
    design.require_balanced("bacon_decomposition")
    design.require_absorbing("bacon_decomposition")
    residuals = residual_treatment(design)
    values, codes = design.cohort_codes
    weights = np.ones(design.n_units) if design.weights is None else design.weights
    share = weights / weights.sum()
    sizes = np.bincount(codes, share)
    within_cohort = share / sizes[codes]
    outcome = _cohort_means(design.outcome, codes, within_cohort, len(values))
    variance = float(share @ (residuals**2).mean(axis=1))
    counts = np.bincount(codes)
    rows: list[Row] = []
    if design.covariates:
        means = _cohort_means(residuals, codes, within_cohort, len(values))
        for k, l in combinations(range(len(values)), 2):
            gap = means[k] - means[l]
            mass = sizes[k] * sizes[l] * float((gap**2).mean()) / variance
            estimate = float(gap @ (outcome[k] - outcome[l]) / (gap @ gap)) if mass else 0.0
            kind = "treated vs never" if np.isinf(values[l]) else "earlier and later"
            rows.append((values[k], values[l], kind, estimate, mass, counts[k], counts[l]))
        own = residuals - means[codes]
        left = float(share @ (own**2).mean(axis=1))
        product = float(share @ (own * (design.outcome - outcome[codes])).mean(axis=1))
        estimate, n = product / left if left else 0.0, design.n_units
        rows.append((np.nan, np.nan, "within cohorts", estimate, left / variance, n, n))
    else:
        for k, l in combinations(range(len(values)), 2):
            for kind, (one, other), estimate, mass in _pair(
                (k, l), values, design.periods, outcome
            ):
                weight = sizes[k] * sizes[l] * mass / variance
                ends = (values[one], values[other])
                rows.append((*ends, kind, estimate, weight, counts[one], counts[other]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _pair(
    pair: tuple[int, int], adoption: Floats, periods: Integers, outcome: Floats
) -> Iterator[tuple[str, tuple[int, int], float, float]]:
    """Comparisons of an earlier with a later cohort: kind, (treated, control), estimate, mass."""
    earlier, later = pair
    before, after = periods < adoption[earlier], periods >= adoption[later]
    between = ~before & ~after
    gap = outcome[earlier] - outcome[later]
    early, late = 1 - before.mean(), after.mean()
    if between.any() and before.any():
        kind = "treated vs never" if np.isinf(adoption[later]) else "earlier vs later"
        change = float(gap[between].mean() - gap[before].mean())
        yield kind, (earlier, later), change, float((early - late) * (1 - early))
    if after.any() and between.any():
        change = float(gap[between].mean() - gap[after].mean())
        yield "later vs earlier", (later, earlier), change, float(late * (early - late))


def _cohort_means(values: Floats, codes: Integers, weights: Floats, cohorts: int) -> Floats:
    return np.stack([weights[codes == c] @ values[codes == c] for c in range(cohorts)])
