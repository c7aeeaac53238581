"""Few treated groups, many controls: errors of the controls stand in for those of the treated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.draws import streams
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.results import InvertedTest
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.permutation.inversion import holding_zero, outermost
from jjjpolicy.inference.permutation.ranks import critical_count, rank_pvalue
from jjjpolicy.inference.regression.parts import regression_of

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

ENUMERATED = 50_000
LEAST_CONTROLS = 5
MANY_CONTROLS = 12
"""Controls for each treated group, and one more group, with which the tests keep their size."""


def enough_controls(treated: int, controls: int) -> bool:
    r"""Whether tests on residuals of controls keep 5% within a point, groups being alike.

    The reference has the errors of the N treated groups and not that of the average of the M
    controls, and residuals of controls are smaller than errors, so that its variance is
    :math:`(1 - 1/M) / (1 + N/M)` of that of the estimate. A normal test of 5% then rejects 6%
    where that is 0.92, about :math:`M = 12 (N + 1)`; simulated, 6% with 3 of 31 groups and 14%
    with 13 of 31 (``benchmarks/results/size_few_treated.md``).
    """
    return controls >= MANY_CONTROLS * (treated + 1)


@dataclass(frozen=True)
class ConleyTaber(Inference):
    r"""The estimate against combinations of control groups' residuals (Conley and Taber 2011).

    With few treated groups the error of a two-way fixed effects coefficient is that of the treated
    groups, :math:`\sum_j n_j\sum_t(d_{jt}-\bar d_j)\eta_{jt} / \sum_j n_j\sum_t(d_{jt}-\bar d_j)^2`
    (their proposition 1, with :math:`n_j` units in group j). Its distribution is taken from the
    residuals of control groups, drawn independently for each treated group; every combination where
    there are no more than 50,000. Groups must have errors of equal variance: where their sizes
    differ use :class:`FermanPinto`. Controls must be many, a dozen for each treated group and a
    dozen more: the error of their average is not in the reference, and with fewer the test rejects
    too often (:func:`enough_controls`), which a note says.

    Parameters
    ----------
    replications : int
        Sampled combinations where there are too many to enumerate.
    seed : int
    """

    replications: int = 9_999
    seed: int = 0

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-value and interval.

        Raises
        ------
        InferenceError
            Not a two-way fixed effects coefficient; fewer than five control groups.
        DesignError
            The panel has absent cells.
        """
        groups = RegressionGroups.of(estimate, self.label)
        controls = np.flatnonzero(~groups.treated)
        shapes = groups.shapes * groups.shares[:, None]
        errors = shapes @ groups.residuals[controls].T
        reference, how = _combine(errors, self.replications, self.seed)
        magnitudes = np.sort(np.abs(reference))[::-1]
        total = 1 + len(reference)
        pvalue = rank_pvalue(estimate.att, reference, noise=resolution(estimate.design.outcome))

        def bounds(level: float) -> tuple[float, float]:
            needed = critical_count(total, level)
            reach = float(magnitudes[needed - 1]) if needed > 0 else np.inf
            return holding_zero((estimate.att - reach, estimate.att + reach), pvalue, level)

        return estimate.with_result(
            InvertedTest(
                name="Conley-Taber",
                pvalue=pvalue,
                bounds=bounds,
                reference=reference,
                smallest_pvalue=1 / total,
                notes=(
                    f"{how} of {len(controls)} control groups' residuals for "
                    f"{len(groups.shapes)} treated; assumes errors of equal variance.",
                    *_many_treated_note(groups),
                ),
                specification=self.specification(),
            )
        )


@dataclass(frozen=True)
class FermanPinto(Inference):
    r"""Residual bootstrap with few treated groups of different size (Ferman and Pinto 2019).

    For a treated group with pre/post weights :math:`v_t` every group has
    :math:`W_l = \sum_t v_t\tilde\eta_{lt}`, with residuals under the null. Its variance is
    modelled as :math:`A + B/M_l` with group size :math:`M_l` (both non-negative), and
    :math:`W_l\sqrt{\widehat{var}(M_j)/\widehat{var}(M_l)}` is drawn for treated group j. The
    interval inverts the test. Controls must be as many as for :class:`ConleyTaber`.

    Parameters
    ----------
    size : str, optional
        Covariate that measures the size of a group, e.g. its population: averaged over periods and
        summed over units. The number of units by default (the sum of weights in a weighted design).
    replications : int
        Sampled combinations where there are more than 50,000.
    seed : int
    """

    size: str | None = None
    replications: int = 9_999
    seed: int = 0

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-value and interval.

        Raises
        ------
        InferenceError
            Not a two-way fixed effects coefficient; fewer than five control groups; an unknown or
            non-positive size.
        DesignError
            The panel has absent cells.
        """
        groups = RegressionGroups.of(estimate, self.label)
        sizes = groups.sizes if self.size is None else self._measured(estimate, groups)
        slots = np.flatnonzero(groups.treated)
        base = groups.shapes @ groups.residuals.T
        slope = groups.shapes @ groups.treatment.T
        picks, how = _picks(len(slots), len(sizes), self.replications, self.seed)
        rows = np.arange(len(slots))[:, None]
        noise = resolution(estimate.design.outcome)

        def draws(effect: float) -> Floats:
            errors = base + (estimate.att - effect) * slope
            scaled = np.stack([_rescaled(e, sizes, j) for e, j in zip(errors, slots, strict=True)])
            drawn: Floats = groups.shares @ scaled[rows, picks]
            return drawn

        def pvalue(effect: float) -> float:
            return rank_pvalue(estimate.att - effect, draws(effect), noise=noise)

        reference = draws(0.0)
        scale = float(reference.std()) or 1.0
        return estimate.with_result(
            InvertedTest(
                name="Ferman-Pinto",
                pvalue=pvalue(0.0),
                bounds=lambda level: outermost(pvalue, estimate.att, scale, level),
                reference=reference,
                smallest_pvalue=1 / (1 + picks.shape[1]),
                notes=(
                    f"{how} of {len(sizes)} groups' residuals for {len(slots)} treated; variance "
                    f"modelled on {self.size or 'the number of units'}.",
                    *_many_treated_note(groups),
                ),
                specification=self.specification(),
            )
        )

    def _measured(self, estimate: Estimate, groups: RegressionGroups) -> Floats:
        covariates = estimate.design.covariates
        if self.size is None or self.size not in covariates:
            raise InferenceError(
                f"size={self.size!r} is not a covariate of the design; pass "
                f"covariates=[{self.size!r}] or use the number of units (size=None)."
            )
        measured: Floats = np.bincount(
            groups.codes, weights=covariates[self.size].mean(axis=1)
        ).astype(float)
        if (measured <= 0).any():
            raise InferenceError(f"size={self.size!r} must be positive for every group.")
        return measured


@dataclass(frozen=True, eq=False)
class RegressionGroups:
    """Residuals and treatment of a two-way fixed effects regression by group of assignment.

    residuals, treatment : (groups, periods) means, treatment net of the fixed effects
    shapes : (treated groups, periods), (d - mean d) / sum of squares
    shares : (treated groups,) weight of each treated group's own error in the coefficient
    """

    residuals: Floats
    treatment: Floats
    treated: Booleans
    shapes: Floats
    shares: Floats
    sizes: Floats
    codes: Integers

    @classmethod
    def of(cls, estimate: Estimate, method: str) -> RegressionGroups:
        fit, contrasts = regression_of(estimate, method, "RandomizationInference or PlaceboUnits")
        if fit.names[0] != "treatment" or len(contrasts) != 1:
            raise InferenceError(
                f"{method} is made for one coefficient of treatment; use TwoWayFixedEffects, or "
                f"RandomizationInference with {estimate.estimator.label}."
            )
        design = estimate.design
        design.require_balanced(method)
        design.require_absorbing(method)
        codes = np.unique(design.assignment, return_inverse=True)[1].astype(np.int64)
        first = np.unique(codes, return_index=True)[1]
        treated = design.treated[first]
        if (~treated).sum() < LEAST_CONTROLS:
            raise InferenceError(
                f"{method} needs many control groups at the level {design.assigned_at!r}, there "
                f"are {(~treated).sum()}; use RandomizationInference."
            )
        weights = np.ones(design.n_units) if design.weights is None else design.weights
        sizes = np.bincount(codes, weights=weights).astype(float)

        def mean(values: Floats) -> Floats:
            sums = [np.bincount(codes, weights=weights * column) for column in values.T]
            averages: Floats = np.column_stack(sums) / sizes[:, None]
            return averages

        on = design.treatment[first][treated].astype(float)
        shapes = on - on.mean(axis=1, keepdims=True)
        squares = (shapes**2).sum(axis=1)
        share = squares * sizes[treated]
        return cls(
            residuals=mean(fit.cells.residuals),
            treatment=mean(fit.cells.regressors[:, :, 0]),
            treated=treated,
            shapes=shapes / squares[:, None],
            shares=share / share.sum(),
            sizes=sizes,
            codes=codes,
        )


def _many_treated_note(groups: RegressionGroups) -> tuple[str, ...]:
    treated, controls = int(groups.treated.sum()), int((~groups.treated).sum())
    if enough_controls(treated, controls):
        return ()
    return (
        f"Made for few treated groups and many controls; with {treated} treated and {controls} "
        f"controls it rejects too often. Use RandomizationInference.",
    )


def _picks(slots: int, choices: int, replications: int, seed: int) -> tuple[Integers, str]:
    """One choice per slot, with replacement; shape (slots, combinations)."""
    if choices**slots <= ENUMERATED:
        grid = np.indices((choices,) * slots).reshape(slots, -1)
        return grid, f"all {grid.shape[1]:,} combinations"
    drawn = [
        np.random.default_rng(stream).integers(choices, size=slots)
        for stream in streams(seed, replications)
    ]
    return np.stack(drawn, axis=1), f"{replications:,} sampled combinations (seed {seed})"


def _combine(errors: Floats, replications: int, seed: int) -> tuple[Floats, str]:
    slots, choices = errors.shape
    picks, how = _picks(slots, choices, replications, seed)
    combined: Floats = errors[np.arange(slots)[:, None], picks].sum(axis=0)
    return combined, how


def _rescaled(errors: Floats, sizes: Floats, slot: np.integer[Any]) -> Floats:
    """Errors of all groups at the variance of a group of the slot's size."""
    from scipy.optimize import nnls

    columns = np.column_stack([np.ones(len(sizes)), sizes.mean() / sizes])
    coefficients, _ = nnls(columns, errors**2)
    variances = columns @ coefficients
    if (variances <= 0).any():
        return errors
    scaled: Floats = errors * np.sqrt(variances[slot] / variances)
    return scaled
