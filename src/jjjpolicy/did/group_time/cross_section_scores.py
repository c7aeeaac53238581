"""One comparison of a treated group with controls in repeated cross-sections.

Rows before and after are different observations; a panel with absent cells is read the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.did.group_time.scores import (
    TRIMMED_PROPENSITY,
    Method,
    NotEstimable,
    Scores,
    checked_gram,
    propensity_scores,
    standardized,
)

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats


def cross_section_scores(
    outcome: Floats,
    treated: Booleans,
    post: Booleans,
    covariates: Floats | None,
    weights: Floats,
    method: Method,
    names: Sequence[str],
) -> Scores:
    """ATT from rows before and after, as ``drdid_rc``, ``std_ipw_did_rc`` and ``reg_did_rc`` (R).

    Parameters
    ----------
    outcome, weights : ndarray, shape (rows,)
    treated, post : ndarray of bool, shape (rows,)
    covariates : ndarray, shape (rows, covariates), optional
        Without a constant.
    method : {"dr", "ipw", "or"}
        Doubly robust is the locally efficient estimator of Sant'Anna and Zhao (2020, equation 3.4).
    names : sequence of str
        One per covariate, for messages.

    Raises
    ------
    NotEstimable
        A group without rows in a period, collinear covariates, or propensity scores at 1.
    """
    groups = (treated & post, treated & ~post, ~treated & post, ~treated & ~post)
    labels = (
        "treated row",
        "treated row in the base period",
        "control row",
        "control row in the base period",
    )
    for group, label in zip(groups, labels, strict=True):
        if not group.any():
            raise NotEstimable(f"no {label} is observed")
    cells = tuple(weights * group for group in groups)
    if covariates is None:
        return _difference(cells, outcome)
    x = standardized(covariates)
    if method == "or":
        return _regression(outcome, x, cells, names)
    propensity, information = propensity_scores(x, treated, weights, names)
    kept = treated | (propensity < TRIMMED_PROPENSITY)
    odds = np.where(treated, 1.0, kept * propensity / (1.0 - propensity))
    reweighted = tuple(cell * odds for cell in cells)
    if not (reweighted[2].any() and reweighted[3].any()):
        raise NotEstimable("every control has a propensity score above 0.995")
    if method == "ipw":
        residuals, adjustment = outcome, None
    else:
        residuals, adjustment = _local_efficiency(outcome, x, post, cells, reweighted, names)
    scores = _difference(reweighted, residuals)
    moments = _moment(reweighted[2], x, residuals) - _moment(reweighted[3], x, residuals)
    surprise = weights * (treated - propensity)
    influence = scores.influence[:, 0]
    influence = influence - surprise * (x @ np.linalg.solve(information, len(x) * moments))
    att = scores.att
    if adjustment is not None:
        att, influence = att + adjustment[0], influence + adjustment[1]
    return Scores.of(att, influence[:, None], trimmed=int((~kept).sum()))


class _CellRegression:
    """Least squares on the rows of one cell, predicted for all rows."""

    def __init__(
        self, outcome: Floats, x: Floats, cell: Floats, names: Sequence[str], where: str
    ) -> None:
        self._x, self._gram = x, checked_gram(x, cell, names, where)
        self.fitted: Floats = x @ np.linalg.solve(self._gram, (cell * outcome) @ x)
        self._scores = cell * (outcome - self.fitted)

    def influence(self, direction: Floats) -> Floats:
        """Influence function of ``direction`` times the coefficients."""
        projected: Floats = self._x @ np.linalg.solve(self._gram, len(self._x) * direction)
        return self._scores * projected


def _regression(
    outcome: Floats, x: Floats, cells: tuple[Floats, ...], names: Sequence[str]
) -> Scores:
    after = _CellRegression(outcome, x, cells[2], names, "among the controls of the period")
    before = _CellRegression(outcome, x, cells[3], names, "among the controls of the base period")
    treated = cells[0] + cells[1]
    target = treated @ x / treated.sum()
    level_after, influence_after = _mean(cells[0], outcome)
    level_before, influence_before = _mean(cells[1], outcome)
    expected, influence_expected = _mean(treated, after.fitted - before.fitted)
    influence = influence_after - influence_before - influence_expected
    influence = influence - after.influence(target) + before.influence(target)
    return Scores.of(np.array([level_after - level_before - expected]), influence[:, None])


def _local_efficiency(
    outcome: Floats,
    x: Floats,
    post: Booleans,
    cells: tuple[Floats, ...],
    reweighted: tuple[Floats, ...],
    names: Sequence[str],
) -> tuple[Floats, tuple[float, Floats]]:
    """Residuals from the controls' regressions, and what the treated rows' regressions add."""
    where = (
        "treated rows",
        "treated rows of the base period",
        "controls",
        "controls of the base period",
    )
    treated_after, treated_before, control_after, control_before = (
        _CellRegression(outcome, x, cell, names, f"among the {label}")
        for cell, label in zip(cells, where, strict=True)
    )
    treated = cells[0] + cells[1]
    target = treated @ x / treated.sum()
    own = [cell @ x / cell.sum() for cell in reweighted]
    total, influence = 0.0, np.zeros(len(x))
    for sign, with_treatment, without, cell, j in (
        (1.0, treated_after, control_after, cells[0], 0),
        (-1.0, treated_before, control_before, cells[1], 1),
    ):
        gap = with_treatment.fitted - without.fitted
        everyone, influence_everyone = _mean(treated, gap)
        present, influence_present = _mean(cell, gap)
        total += sign * (everyone - present)
        influence += sign * (influence_everyone - influence_present)
        influence += sign * with_treatment.influence(target - own[j])
        influence += sign * without.influence(own[j + 2] - target)
    residuals = outcome - np.where(post, control_after.fitted, control_before.fitted)
    return residuals, (total, influence)


def _difference(cells: tuple[Floats, ...], values: Floats) -> Scores:
    """Difference of differences of weighted means."""
    total, influence = 0.0, np.zeros(len(values))
    for sign, cell in zip((1.0, -1.0, -1.0, 1.0), cells, strict=True):
        mean, of_mean = _mean(cell, values)
        total += sign * mean
        influence += sign * of_mean
    return Scores.of(np.array([total]), influence[:, None])


def _mean(weights: Floats, values: Floats) -> tuple[float, Floats]:
    """A weighted mean and its influence function."""
    share = weights / weights.sum()
    mean = float(share @ values)
    return mean, len(values) * share * (values - mean)


def _moment(weights: Floats, x: Floats, residuals: Floats) -> Floats:
    """Mean of x times the deviation of the residuals from their mean."""
    _, influence = _mean(weights, residuals)
    moment: Floats = influence @ x / len(x)
    return moment
